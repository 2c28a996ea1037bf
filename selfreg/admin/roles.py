"""Who may do what: four roles, each a Django group. The names are fixed so that the command can be run again."""

from collections.abc import Mapping

from django.contrib.auth.models import Group, Permission

SEE = ("view_registration", "view_registrationevent", "view_oktaidentity", "view_policyversion", "view_doctorrun")
HELP = ("resend_registration", "cancel_registration")
PRIVACY = ("reveal_registration", "erase_registration", "export_registration")
MANAGE = ("expire_registration", "repair_registration", "remove_okta_account", "approve_registration")

ROLES: Mapping[str, tuple[str, ...]] = {
    "Sign-up viewer": SEE,
    "Sign-up supporter": (*SEE, *HELP),
    "Sign-up privacy officer": (*SEE, *PRIVACY),
    "Sign-up manager": (*SEE, *HELP, *PRIVACY, *MANAGE),
}


def make_groups() -> Mapping[str, Group]:
    """Creates the groups, or gives them exactly these permissions again. Members stay."""
    groups = {}
    for name, codenames in ROLES.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.set(Permission.objects.filter(content_type__app_label="selfreg", codename__in=codenames))
        groups[name] = group
    return groups
