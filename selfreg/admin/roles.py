"""Who may do what with registrations: permissions, and four roles as Django groups."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import Group, Permission


class RegistrationPermission(StrEnum):
    """Codenames of the permissions on registrations, which Django creates from ``Registration.Meta.permissions``."""

    VIEW = "view_registration"
    REVEAL = "reveal_registration"
    EXPORT = "export_registration"
    RESEND = "resend_registration"
    CANCEL = "cancel_registration"
    EXPIRE = "expire_registration"
    ERASE = "erase_registration"
    REPAIR = "repair_registration"
    REMOVE_ACCOUNT = "remove_okta_account"
    APPROVE = "approve_registration"

    def is_held_by(self, user: Any) -> bool:
        """Return whether a Django user has this permission."""
        return bool(user.has_perm(f"selfreg.{self.value}"))


# A permission on doctor runs, besides that to view them.
EXAMINE_ORG = "examine_org"

_VIEW = (
    RegistrationPermission.VIEW,
    "view_registrationevent",
    "view_oktaidentity",
    "view_policyversion",
    "view_doctorrun",
)
_SUPPORT = (RegistrationPermission.RESEND, RegistrationPermission.CANCEL)
_PRIVACY = (RegistrationPermission.REVEAL, RegistrationPermission.ERASE, RegistrationPermission.EXPORT)
_MANAGE = (
    EXAMINE_ORG,
    RegistrationPermission.EXPIRE,
    RegistrationPermission.REPAIR,
    RegistrationPermission.REMOVE_ACCOUNT,
    RegistrationPermission.APPROVE,
)

# Name of the group -> codenames. ``selfreg_roles`` finds its groups by these names.
ROLES: Mapping[str, tuple[str, ...]] = {
    "Sign-up viewer": _VIEW,
    "Sign-up supporter": (*_VIEW, *_SUPPORT),
    "Sign-up privacy officer": (*_VIEW, *_PRIVACY),
    "Sign-up manager": (*_VIEW, *_SUPPORT, *_PRIVACY, *_MANAGE),
}


def make_groups() -> Mapping[str, Group]:
    """Create the groups, or reset the permissions of existing ones. Members stay.

    :return: the groups by name
    """
    groups = {}
    for name, codenames in ROLES.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.set(Permission.objects.filter(content_type__app_label="selfreg", codename__in=codenames))
        groups[name] = group
    return groups
