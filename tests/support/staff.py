"""The roles of an administrator, as tests name them."""

from selfreg.admin.roles import ROLES

LIST = "/admin/selfreg/registration/"
VIEWER, SUPPORTER, PRIVACY_OFFICER, MANAGER = ROLES
NOBODY = "staff without a role"
EVERYBODY = (NOBODY, VIEWER, SUPPORTER, PRIVACY_OFFICER, MANAGER)
