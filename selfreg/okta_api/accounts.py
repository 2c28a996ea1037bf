"""Accounts of the org: repairs by administrators, and the mail that is sent again.

Source: Okta Management API, Users, User Lifecycle and User Factors. Accounts that never became active are repaired or
deleted. For an active account, Okta mails a code and checks it; the email factor is enrolled first if there is none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfreg.conf import Conf
from selfreg.email_addresses import is_same_mailbox
from selfreg.idx.errors import ForeignHref, MalformedAnswer, OrgRefused
from selfreg.models import Registration, RegistrationEvent
from selfreg.okta_api import scopes
from selfreg.okta_api.client import ManagementClient

PENDING = ("STAGED", "PROVISIONED")
"""Okta's statuses of an account that never became active."""
ACTIVE = "ACTIVE"
WRONG_CODE = "E0000068"
OKTA_ID = re.compile(r"[A-Za-z0-9]{1,60}")
# The first call deactivates the account, the second one deletes it.
DELETIONS = 2
DEACTIVATED = "account deactivated"
"""Outcome of the event before this site deactivates an account: if Okta then fails, the next try continues."""


@dataclass(frozen=True, slots=True)
class EmailFactor:
    """The factor of a mailed code. ``verb`` is the operation of the factor that accepts the code."""

    id: str
    verb: str


class AccountNotPending(Exception):
    """The account can't be changed in its state. ``status`` is Okta's status, or "" if there is no account."""

    def __init__(self, status: str) -> None:
        super().__init__(status or "no such account")
        self.status = status


class EmailChanged(Exception):
    """The account has another email address at Okta than on this site."""


class OktaAccounts:
    """Accounts of an org, by Okta's user id.

    Two operations deactivate an account first. Their parameter ``registration`` records that, so that the same
    operation can be tried again if Okta then fails. Accounts that somebody else deactivated are left alone.

    :raises IdxError: (every method) see ``idx.errors``; ``OrgRefused`` if the token may not do this
    :raises AccountNotPending: (``send_activation`` and ``remove``) the account is active, locked, or gone
    """

    def __init__(self, settings: Conf) -> None:
        self._api = ManagementClient(settings, scopes.USERS)

    def status(self, user_id: str) -> str:
        """Return Okta's status of the account (``STAGED``, ``ACTIVE`` ...); "" if there is no account."""
        return _status(self._account(user_id))

    def send_activation(self, user_id: str, registration: Registration | None) -> None:
        """Let Okta mail a new activation link. Earlier links stop working.

        An account with a password would become active at once, without verifying the address. So it is deactivated
        first, which deletes the password.
        """
        account = self._unfinished_account(user_id, registration)
        if _status(account) == "PROVISIONED":
            self._change_lifecycle(user_id, "reactivate")
            return
        if _status(account) == "STAGED" and _has_password(account):
            _record_deactivation(registration)
            self._change_lifecycle(user_id, "deactivate")
        self._change_lifecycle(user_id, "activate")

    def send_code(self, user_id: str, email: str) -> EmailFactor:
        """Let Okta mail a code to the address of an active account. Only the newest code is valid.

        :raises EmailChanged: Okta would mail it to another address
        """
        factors = f"{_path(user_id)}/factors"
        enrolled = next((f for f in self._api.items(factors) if f.get("factorType") == "email"), None)
        enrollment = {"factorType": "email", "provider": "OKTA", "profile": {"email": email}}
        if enrolled is None:
            return EmailFactor(_factor_id(self._api.send("POST", factors, enrollment)), "lifecycle/activate")
        factor_id, profile = _factor_id(enrolled), enrolled.get("profile")
        if not isinstance(profile, Mapping) or not is_same_mailbox(str(profile.get("email", "")), email):
            raise EmailChanged
        if enrolled.get("status") == ACTIVE:
            self._api.send("POST", f"{factors}/{factor_id}/verify")
            return EmailFactor(factor_id, "verify")
        self._api.send("POST", f"{factors}/{factor_id}/resend", enrollment)
        return EmailFactor(factor_id, "lifecycle/activate")

    def verify_code(self, user_id: str, factor: EmailFactor, code: str) -> bool:
        """Return whether Okta accepts a code as the one from the email."""
        try:
            self._api.send("POST", f"{_path(user_id)}/factors/{factor.id}/{factor.verb}", {"passCode": code})
        except OrgRefused as refusal:
            if refusal.code == WRONG_CODE:
                return False
            raise
        return True

    def remove(self, user_id: str, registration: Registration | None) -> None:
        """Delete the account permanently."""
        self._unfinished_account(user_id, registration)
        _record_deactivation(registration)
        for _ in range(DELETIONS):
            if not self._api.delete(_path(user_id)):
                return

    def _unfinished_account(self, user_id: str, registration: Registration | None) -> Mapping[str, Any]:
        account = self._account(user_id)
        if _status(account) not in PENDING and not _was_deactivated_here(account, registration):
            raise AccountNotPending(_status(account))
        return account

    def _account(self, user_id: str) -> Mapping[str, Any]:
        """Return Okta's document of the account; empty if there is no such account."""
        return self._api.get_or_none(_path(user_id)) or {}

    def _change_lifecycle(self, user_id: str, operation: str) -> None:
        send_email = str(operation != "deactivate").lower()
        self._api.send("POST", f"{_path(user_id)}/lifecycle/{operation}", sendEmail=send_email)


def _path(user_id: str) -> str:
    """Return the path of a user.

    :raises ForeignHref: it is not an Okta id, and the path could be that of another resource
    """
    if not OKTA_ID.fullmatch(user_id):
        raise ForeignHref("not an id of an Okta account")
    return f"users/{user_id}"


def _status(account: Mapping[str, Any]) -> str:
    return str(account.get("status", ""))[:30]


def _record_deactivation(registration: Registration | None) -> None:
    if registration is not None:
        registration.note(RegistrationEvent.Kind.ADMINISTERED, outcome=DEACTIVATED)


def _was_deactivated_here(account: Mapping[str, Any], registration: Registration | None) -> bool:
    """Return whether this site deactivated the account. If it was used since, somebody else did."""
    if registration is None or _status(account) != "DEPROVISIONED" or account.get("lastLogin"):
        return False
    return registration.events.filter(outcome=DEACTIVATED).exists()


def _has_password(account: Mapping[str, Any]) -> bool:
    credentials = account.get("credentials")
    return isinstance(credentials, Mapping) and credentials.get("password") is not None


def _factor_id(factor: Mapping[str, Any]) -> str:
    factor_id = str(factor.get("id", ""))
    if not OKTA_ID.fullmatch(factor_id):
        raise MalformedAnswer("a factor without an id")
    return factor_id
