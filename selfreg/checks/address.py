"""Checks that people can have an address where proving one is mandatory."""

from django.core.checks import Tags
from django.db import DatabaseError

from selfreg.checks.base import Cases, Check, register_table, when
from selfreg.conf import Conf
from selfreg.models import PolicyVersion

EMAIL_FIELD = "userProfile.email"

SCOPES = (
    Check("W034", when(lambda s: s.email_is_mandatory and "email" not in s.scopes.split()),
          "SELFREG['EMAIL_VERIFICATION'] is 'mandatory', but SELFREG['SCOPES'] lacks 'email'. Without it the org "
          "doesn't send the address, and nobody can finish a sign-up.",
          "Add the scope 'email'."),
)  # fmt: skip


def _form_without_address(settings: Conf) -> Cases:
    """Of the newest form that was seen, in whatever language."""
    try:
        version = PolicyVersion.objects.filter(issuer=settings.issuer, org=settings.org).first()
    except DatabaseError:  # before the first migration
        return
    fields = version.fields if version else []
    is_asked = any(f.get("name") == EMAIL_FIELD and f.get("required") for f in fields if isinstance(f, dict))
    if settings.email_is_mandatory and fields and not is_asked:
        yield {}


FORM = (
    Check("W033", _form_without_address,
          "SELFREG['EMAIL_VERIFICATION'] is 'mandatory', but the org's form doesn't require an email address. People "
          "without one can't finish a sign-up.",
          "Make email a required field of the profile form, or set EMAIL_VERIFICATION to 'optional'."),
)  # fmt: skip
check_scopes = register_table(SCOPES, Tags.security)


check_form = register_table(FORM, Tags.database, asks_database=True)
