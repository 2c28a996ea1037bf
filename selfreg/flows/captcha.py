"""Fetches the proof-of-work task of a captcha (ALTCHA) for the visitor's browser.

The site fetches it because the call needs the state handle, which no browser may see.
"""

from typing import Any

from django.http import HttpRequest

from selfreg import rate_limits
from selfreg.flows.session import OPENING, Browser, connect_for, load_transaction, load_value, open_attempt
from selfreg.idx.errors import IdxError
from selfreg.registration.policy import SignUpUnavailable, open_transaction

# The members of a task. Nothing else is passed on to the browser.
MEMBERS = ("algorithm", "challenge", "maxnumber", "salt", "signature")
MAX_TEXT = 1_000


def challenge_for(request: HttpRequest, browser: Browser) -> dict[str, Any] | None:
    """Return the task for the form that this browser sees; {} if there is none now, None if the form needs none."""
    org = connect_for(request, browser)
    state = None if "registration" in request.GET else load_transaction(browser)
    if state is None and (attempt := open_attempt(request, browser)):
        state = attempt.state
    if state is None and not load_value(browser, OPENING):
        return None
    if rate_limits.consume({"form by ip": org.client.visitor.ip}, org.settings.org):
        return {}
    try:
        # The transaction of the form is not stored where sessions are in cookies; the org gives its tasks at any.
        captcha = (state or open_transaction(org)).response.captcha
        if captcha is None or captcha.challenge is None:
            return None
        task = org.client.captcha_challenge(captcha.challenge)
    except (IdxError, SignUpUnavailable):
        return {}
    return {n: v for n, v in task.items() if n in MEMBERS and isinstance(v, int | str) and len(str(v)) <= MAX_TEXT}
