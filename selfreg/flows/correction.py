"""Corrects the address of a registration: a new one, with what was typed, takes the place of the old one."""

from contextlib import suppress

from django.http import HttpRequest

from selfreg.email_addresses import canonical
from selfreg.flows.session import Browser, my_ids, my_registrations
from selfreg.models import Conflict
from selfreg.registration import endings
from selfreg.registration.exchange import open_row
from selfreg.registration.policy import Org

CHANGE = "change"
"""The parameter that names the registration whose address is corrected."""


def typed_before(request: HttpRequest, browser: Browser, org: Org) -> dict[str, str]:
    """Return what was typed on the form of the registration that the visitor comes back from to correct it."""
    pk = request.GET.get(CHANGE, "")
    row = my_registrations(browser).open().filter(pk=pk).first() if pk in my_ids(browser) else None
    attempt = open_row(row, org) if row else None
    return attempt.state.profile if attempt and attempt.state else {}


def replace_registration(browser: Browser, org: Org, pk: str, address: str) -> None:
    """Cancel the registration that a new one replaces, because its address was wrong."""
    row = my_registrations(browser).open().filter(pk=pk).first() if pk in my_ids(browser) else None
    if row and row.email_canonical != canonical(address):
        with suppress(Conflict):
            endings.cancel(open_row(row, org))
