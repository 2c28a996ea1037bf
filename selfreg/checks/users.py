"""Checks of the site's user model, its factory and its backend: what a new user needs, and no claim has."""

from collections.abc import Callable

from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.checks import Tags
from django.utils.module_loading import import_string

from selfreg.accounts.users import Unfilled, unfilled
from selfreg.auth import OktaBackend
from selfreg.checks.base import Cases, Check, lineage, register_table, unusable_path
from selfreg.conf import Conf

BACKEND = "selfreg.auth.OktaBackend"
HINT = "Give it a default or null=True, or create users yourself with SELFREG['USER_FACTORY']: see docs/user-models.md."


def _columns(settings: Conf) -> list[Unfilled]:
    """Return the columns of the user model that no claim fills; none if the site creates its users itself."""
    backends = [import_string(path) for path in django_settings.AUTHENTICATION_BACKENDS if BACKEND in lineage(path)]
    makes_users = bool(settings.user_factory) or any(b.create_user is not OktaBackend.create_user for b in backends)
    return [] if makes_users else list(unfilled(get_user_model()))


def _found(*, is_fatal: bool) -> Callable[[Conf], Cases]:
    return lambda settings: [
        {"column": c.column, "reason": c.reason} for c in _columns(settings) if c.is_fatal is is_fatal
    ]


check_users = register_table(
    Tags.security,
    Check("E040", _found(is_fatal=True),
          "Nobody can sign up: column %(column)r of the user model: %(reason)s.", HINT),
    Check("W040", _found(is_fatal=False),
          "The column %(column)r of the user model doesn't fit: %(reason)s.", HINT),
    Check("E041", unusable_path("user_factory"),
          "SELFREG['USER_FACTORY'] is %(path)r, so nobody can sign up: %(reason)s.",
          "Use the dotted path of a function: 'mysite.users.make_user'."),
)  # fmt: skip
