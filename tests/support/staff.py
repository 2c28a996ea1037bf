"""Names for the roles of administrators."""

from selfreg.admin.roles import ROLES

LIST = "/admin/selfreg/registration/"
VIEWER, SUPPORTER, PRIVACY_OFFICER, MANAGER = ROLES
NO_ROLE = "staff without a role"
ALL_ROLES = (NO_ROLE, VIEWER, SUPPORTER, PRIVACY_OFFICER, MANAGER)
