"""The link in the email. Its code completes a step, but only in the browser that started the registration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest

from selfreg.flows.advance import Advance, follow
from selfreg.flows.session import Browser, my_ids, open_mine
from selfreg.forms import typed_text
from selfreg.models import Registration, link_digest
from selfreg.registration import commands
from selfreg.registration import outcome as outcomes
from selfreg.registration.exchange import Attempt
from selfreg.secret import Secret

CODE = re.compile(r"[A-Za-z0-9]{4,12}")
MAX_LENGTH = 200


@dataclass(frozen=True, slots=True)
class EmailLink:
    """A link that was opened in this browser.

    - ``status``: ``same`` (the visitor may confirm it), ``other`` (another browser started the registration), ``used``,
      ``expired``, or ``foreign`` (no registration of this site).
    - ``row``: the registration, for ``same`` and ``other``, and for ``used`` if this browser started it.
    - ``attempt``: for ``same``, the opened registration.
    """

    status: str
    row: Registration | None = None
    attempt: Attempt | None = None


def read_link(query: Mapping[str, str]) -> dict[str, str]:
    """Return the cleaned ``otp`` and ``state`` of a link; {} unless it has both, and both look valid."""
    typed = {name: query.get(name, "") for name in ("otp", "state")}
    if any(len(value) > MAX_LENGTH for value in typed.values()):
        return {}
    link = {"otp": typed_text.code(typed["otp"]), "state": typed_text.link(typed["state"])}
    return link if link["state"] and CODE.fullmatch(link["otp"]) else {}


def open_link(request: HttpRequest, browser: Browser, state: str) -> EmailLink:
    """Find the registration of a link by its ``state``, and what the link can do in this browser."""
    row = (
        Registration.objects.of_org(browser.settings).filter(link_digest=link_digest(state)).first() if state else None
    )
    if row is None:
        return EmailLink("foreign")
    is_mine = str(row.pk) in my_ids(browser)
    if row.email_verified_at:
        return EmailLink("used", row if is_mine else None)
    attempt = open_mine(request, browser, row) if row.is_open else None
    if attempt is None or attempt.page is None or not attempt.page.proves_email:
        return EmailLink("expired")
    return EmailLink("same", row, attempt) if is_mine else EmailLink("other", row)


def confirm(request: HttpRequest, browser: Browser, attempt: Attempt, otp: Secret[str]) -> Advance | None:
    """Submit the code of a link whose status is ``same``.

    :return: where to redirect to; None if the org no longer accepts the code
    :raises Conflict: another request is changing the registration; the code was not sent
    """
    page, values = attempt.page, {"credentials": {"passcode": otp}}
    outcome = commands.submit(attempt, page, values, {}) if page else outcomes.NotOffered()
    return None if isinstance(outcome, outcomes.Rejected) else follow(request, browser, attempt, outcome)
