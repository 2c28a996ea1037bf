"""The OAuth scopes that a service app asks for. docs/org-setup.md lists them.

It only asks for the scopes of hooks if the site has a hook secret, so that no unnecessary scope has to be granted.
"""

from selfreg.conf import Conf

CHANGEABLE = ("apps", "policies", "authenticators", "authorizationServers", "inlineHooks", "eventHooks")
READ_ONLY = ("groups", "schemas", "logs")

USERS = ("okta.users.read", "okta.users.manage")
"""For repairs of accounts and for sending the mail again."""


def to_read_org(settings: Conf) -> tuple[str, ...]:
    """Return the scopes of the doctor."""
    return tuple(f"okta.{resource}.read" for resource in (*_changeable(settings), *READ_ONLY))


def to_change_org(settings: Conf) -> tuple[str, ...]:
    """Return the scopes of the set-up, which also reads."""
    return (*to_read_org(settings), *(f"okta.{resource}.manage" for resource in _changeable(settings)))


def _changeable(settings: Conf) -> tuple[str, ...]:
    return tuple(name for name in CHANGEABLE if settings.hook_secret or not name.endswith("Hooks"))
