"""Verifying an email address after the sign-up: the mail is sent again through Okta's Management API.

When a sign-up's transaction is over, its own protocol sends nothing more, so this works only if the site can use the
Management API. An account that waits for its activation link gets a new link, and the old one stops working. An active
account gets a code, through its email factor.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from selfreg import cache, rate_limits
from selfreg.conf import Conf
from selfreg.idx.deadline import at_most
from selfreg.idx.errors import AWAY, OrgRefused, RateLimited
from selfreg.models import Registration
from selfreg.okta_api.accounts import ACTIVE, AccountNotPending, EmailFactor, OktaAccounts
from selfreg.okta_api.client import is_configured

REFUSED_CACHE_KEY = "selfreg:no-mail-again"
REFUSED_SECONDS = 3600
# Errors that every visitor would get: a wrong token or service app, a missing right, or no email factor in the org.
REFUSED_FOR_EVERYONE = frozenset({"E0000006", "E0000011", "E0000015"}) | frozenset(
    {"invalid_client", "unauthorized_client", "consent_required", "invalid_scope"}
)
TOTAL_SECONDS = 9.0


@dataclass(frozen=True, slots=True)
class UnverifiedAccount:
    """An Okta account whose address is not verified.

    ``subject`` is the Okta user id, and ``registration`` the one that waits for the address to be verified, if any.
    """

    subject: str
    email: str
    registration: Registration | None = None

    @property
    def key(self) -> str:
        """A text that changes with the address, because a code only verifies the address that it was sent to."""
        return f"{self.subject} {self.email}"

    @property
    def registration_id(self) -> str:
        """The registration's id, or ""."""
        return str(self.registration.pk) if self.registration else ""


def can_send(settings: Conf) -> bool:
    """Return whether to offer "send again": the Management API is configured, and did not refuse within the hour."""
    return is_configured(settings) and not cache.get(cache.name_of(REFUSED_CACHE_KEY, settings.org))


def send(settings: Conf, account: UnverifiedAccount, ip: str) -> EmailFactor | None:
    """Have the org send the mail again.

    :return: the factor whose code is in the mail; None when the mail has a link
    :raises RateLimited: too many mails, by this site's limits or Okta's
    :raises IdxError: the org could not be reached, or refused
    :raises AccountNotPending: the account is locked, suspended or deleted
    :raises EmailChanged: the account has another address by now
    """
    hits = rate_limits.hits_of_later_mail(account.subject, account.email, ip)
    accounts = OktaAccounts(settings)
    try:
        with at_most(TOTAL_SECONDS), _counted(hits, settings.org):
            try:
                accounts.send_activation(account.subject, account.registration)
                return None
            except AccountNotPending as other:
                if other.status != ACTIVE:
                    raise
            return accounts.send_code(account.subject, account.email)
    except OrgRefused as refusal:
        if refusal.code in REFUSED_FOR_EVERYONE:
            cache.keep(cache.name_of(REFUSED_CACHE_KEY, settings.org), True, REFUSED_SECONDS)
        raise


def verify_code(
    settings: Conf, account: UnverifiedAccount, factor: EmailFactor, code: str, *, mail_id: str, ip: str
) -> bool:
    """Return whether a code is the one from the mail.

    :param mail_id: identifies the mail; tries are counted for each
    :raises RateLimited: too many tries
    :raises IdxError: the org could not be reached, or refused
    """
    hits = rate_limits.hits_of_later_code(account.subject, account.email, ip, mail_id)
    with _counted(hits, settings.org):
        return OktaAccounts(settings).verify_code(account.subject, factor, code)


@contextmanager
def _counted(hits: Mapping[str, str], org: str) -> Iterator[None]:
    """Count what the ``with`` block does towards the limits, unless the org could not be reached.

    :raises RateLimited: a limit is used up; the block did not run
    """
    if wait := rate_limits.consume(hits, org):
        raise RateLimited(wait)
    try:
        yield
    except AWAY:
        rate_limits.refund(hits, org)
        raise
