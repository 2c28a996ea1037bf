"""The token of the sign-up form. A form starts one registration, in the browser that got it, after a minimum time."""

import math
import uuid
from collections.abc import Mapping

from django.conf import settings as django_settings
from django.core import signing
from django.utils import timezone

from selfreg.conf import Conf
from selfreg.flows.session import Browser
from selfreg.monitoring import context, events

HONEYPOT = "leave_this_empty"
FORM_TOKEN = "form_token"
FORM_TOKEN_SECONDS = 24 * 3600


def new_form_token(browser: Browser) -> str:
    """Return a signed id for the registration that the form will start, so that submitting it twice starts only one.

    It is tied to the browser's device cookie.
    """
    return _form_signer(browser).sign(uuid.uuid4().hex)


def registration_id(browser: Browser, typed: Mapping[str, str]) -> uuid.UUID | None:
    """Return the id from the form; None if the token is invalid or a script seems to have filled in the form."""
    token = typed.get(FORM_TOKEN, "")
    if typed.get(HONEYPOT):
        events.form_refused("honeypot")
        return None
    try:
        pk = uuid.UUID(_form_signer(browser).unsign(token, max_age=FORM_TOKEN_SECONDS))
    except (signing.BadSignature, ValueError):
        if django_settings.DEBUG:  # scripts may submit the form without a token
            return uuid.uuid4()
        events.form_refused("token")
        return None
    if seconds_until_usable(signing.b62_decode(token.rsplit(":", 2)[1]), browser.settings):
        events.form_refused("too fast")
        return None
    context.bind(registration=pk)
    return pk


def seconds_until_usable(issued_at: float, settings: Conf) -> int:
    """Return the seconds until a person could have filled in the form, or 0.

    :param issued_at: when the form was shown, in seconds since the epoch
    """
    age = timezone.now().timestamp() - issued_at
    return 0 if django_settings.DEBUG else max(0, math.ceil(settings.minimum_fill_seconds - age))


def _form_signer(browser: Browser) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"selfreg.start:{browser.device}")
