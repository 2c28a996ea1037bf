"""Accounts of the org: the repairs of an administrator, and the mail that is sent again.

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
from selfreg.okta_api import scopes
from selfreg.okta_api.client import ManagementClient

PENDING = ("STAGED", "PROVISIONED")
"""Okta's statuses of an account that never became active."""
ACTIVE = "ACTIVE"
WRONG_CODE = "E0000068"
OKTA_ID = re.compile(r"[A-Za-z0-9]{1,60}")
# Deleting an account that was never deactivated deactivates it; the second call deletes.
DELETIONS = 2


@dataclass(frozen=True, slots=True)
class EmailFactor:
    """What a mailed code is for: ``verb`` is the call below the factor that takes it."""

    id: str
    verb: str


class AccountNotPending(Exception):
    """The account is in a state that is not ours to change; ``status`` is Okta's word, "" when there is no account."""

    def __init__(self, status: str) -> None:
        super().__init__(status or "no such account")
        self.status = status


class EmailChanged(Exception):
    """The account has another email address at Okta than the one this site knows."""


class OktaAccounts:
    """Accounts of the configured org, by Okta's user id.

    :raises IdxError: (every method) see ``idx.errors``; ``OrgRefused`` with ``code`` for a token that may not do this
    :raises AccountNotPending: (``send_activation`` and ``remove``) the account is active, locked, or gone
    """

    def __init__(self, settings: Conf) -> None:
        self._api = ManagementClient(settings, scopes.USERS)

    def status(self, user_id: str) -> str:
        """Okta's word for where the account stands (``STAGED``, ``ACTIVE`` ...); "" when there is none."""
        return _status(self._account(user_id))

    def send_activation(self, user_id: str) -> None:
        """Has Okta mail a (new) activation link; earlier ones stop working.

        An account that has a password would be active at once, with nothing proven. Deactivating deletes the password,
        so only the link leads on.
        """
        account = self._pending_account(user_id)
        if _status(account) == "PROVISIONED":
            self._change_lifecycle(user_id, "reactivate")
            return
        if _has_password(account):
            self._change_lifecycle(user_id, "deactivate")
        self._change_lifecycle(user_id, "activate")

    def send_code(self, user_id: str, email: str) -> EmailFactor:
        """Has Okta mail a code to the address of an active account. Only the newest code counts.

        :raises EmailChanged: Okta would mail it to another address, and the code would prove that one
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
        """Send a code to Okta. Return whether it is the one from the email."""
        try:
            self._api.send("POST", f"{_path(user_id)}/factors/{factor.id}/{factor.verb}", {"passCode": code})
        except OrgRefused as refusal:
            if refusal.code == WRONG_CODE:
                return False
            raise
        return True

    def remove(self, user_id: str) -> None:
        """Delete the account for good."""
        self._pending_account(user_id)
        for _ in range(DELETIONS):
            if not self._api.delete(_path(user_id)):
                return

    def _pending_account(self, user_id: str) -> Mapping[str, Any]:
        account = self._account(user_id)
        if _status(account) not in PENDING:
            raise AccountNotPending(_status(account))
        return account

    def _account(self, user_id: str) -> Mapping[str, Any]:
        """Okta's document; empty when there is no such account."""
        return self._api.get_or_none(_path(user_id)) or {}

    def _change_lifecycle(self, user_id: str, operation: str) -> None:
        send_email = str(operation != "deactivate").lower()
        self._api.send("POST", f"{_path(user_id)}/lifecycle/{operation}", sendEmail=send_email)


def _path(user_id: str) -> str:
    """Return the path of a user.

    :raises ForeignHref: not one of Okta's ids, so it could lead to another resource
    """
    if not OKTA_ID.fullmatch(user_id):
        raise ForeignHref("not an id of an Okta account")
    return f"users/{user_id}"


def _status(account: Mapping[str, Any]) -> str:
    return str(account.get("status", ""))[:30]


def _has_password(account: Mapping[str, Any]) -> bool:
    credentials = account.get("credentials")
    return isinstance(credentials, Mapping) and credentials.get("password") is not None


def _factor_id(factor: Mapping[str, Any]) -> str:
    factor_id = str(factor.get("id", ""))
    if not OKTA_ID.fullmatch(factor_id):
        raise MalformedAnswer("a factor without an id")
    return factor_id
