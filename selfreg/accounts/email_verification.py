"""Proving an address after the sign-up: having the mail sent again, by Okta's Management API.

Once its transaction is over, the protocol of the sign-up sends nothing more: without ``SELFREG["API_TOKEN"]`` this is
not offered. An account that waits for its activation link gets a new link, and the old one is dead; an active account
gets a code, by its e-mail factor.
"""

from dataclasses import dataclass

from selfreg import cache, rate_limits
from selfreg.conf import conf
from selfreg.idx.deadline import at_most
from selfreg.idx.errors import OrgRefused, RateLimited
from selfreg.okta_api.accounts import ACTIVE, HALF_MADE, EmailFactor, NotHalfMade, OktaAccounts

NOT_HERE = "selfreg:no-mail-again"
NOT_HERE_SECONDS = 3600
# The token is wrong, may not do this, or the org has no e-mail factor: no other person would fare better.
FOR_NOBODY = frozenset({"E0000006", "E0000011", "E0000015"})
TOGETHER_SECONDS = 9.0


@dataclass(frozen=True, slots=True)
class Unproven:
    """An Okta account whose address is not proven."""

    subject: str
    email: str


def can_send() -> bool:
    """Whether a mail can be had again here: there is a token, and the org did not refuse it within the hour."""
    return bool(conf().api_token) and not cache.get(NOT_HERE)


def send(who: Unproven, ip: str) -> EmailFactor | None:
    """Has the org send the mail again.

    :return: what the code of the mail is for; None when the mail has a link
    :raises RateLimited: too many of them, here or at the org
    :raises IdxError: the org could not be asked, or refused
    :raises NotHalfMade: the account is locked, suspended or gone
    :raises AnotherAddress: its address is another one by now
    """
    if wait := rate_limits.consume(rate_limits.hits_of_later_mail(who.subject, who.email, ip)):
        raise RateLimited(wait)
    accounts = OktaAccounts()
    try:
        with at_most(TOGETHER_SECONDS):
            status = accounts.status(who.subject)
            if status in HALF_MADE:
                accounts.send_activation(who.subject)
                return None
            if status != ACTIVE:
                raise NotHalfMade(status)
            return accounts.send_code(who.subject, who.email)
    except OrgRefused as refusal:
        if refusal.code in FOR_NOBODY:
            cache.keep(NOT_HERE, True, NOT_HERE_SECONDS)
        raise


def proves(who: Unproven, factor: EmailFactor, code: str, challenge: str, ip: str) -> bool:
    """Whether a code is the one from the mail.

    :param challenge: names the mail: each has its own number of tries
    :raises IdxError: as ``send``
    """
    if wait := rate_limits.consume(rate_limits.hits_of_later_code(who.subject, who.email, ip, challenge)):
        raise RateLimited(wait)
    return OktaAccounts().is_right(who.subject, factor, code)
