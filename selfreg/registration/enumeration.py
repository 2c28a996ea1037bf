"""``SELFREG["ENUMERATION"] = "neutral"``: nothing in the sign-up tells whether an address has an account.

A client that stands where ``IdxClient`` does. For a new address it hands through what the org says. For a taken one it
answers the profile with a decoy: the org's own latest page for the code from the mail, whose codes are never right, at
the cost of the same calls. A decoy has no state handle, which every answer of the org has.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from selfreg import cache
from selfreg.idx.client import Answer, IdxClient, Transaction
from selfreg.idx.document import Action, Message
from selfreg.idx.editing import DEFAULT_CODE_PAGE, with_expiry, with_field_message, without_person, without_ways
from selfreg.idx.errors import IdxError, TransactionExpired
from selfreg.idx.parser import parse
from selfreg.idx.steps import Step, is_error, next_step
from selfreg.registration.state import EnrollmentState
from selfreg.texts.messages import say

ADDRESS_TAKEN = "registration.error.notUniqueWithinOrg"
PROFILE = "enroll-profile"
RESEND = "resend"
EMAIL = "okta_email"
SESSION_EXPIRED = Message("", "idx.session.expired")
# Ways around the page for the code, which would tell a new address from a taken one.
WAYS_AROUND = ("skip", "select-authenticator-enroll", "challenge-poll")
WRONG_CODE = Message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID")
SIGN_IN_HINT = Message("", "selfreg.neutral", severity="INFO")


class CodePage(NamedTuple):
    """The org's page for the code: its document without anybody's data, whether e-mail had to be chosen to get there,
    and for how many seconds it is valid (0: not stated).
    """

    document: Mapping[str, Any]
    is_chosen: bool
    seconds: int


DEFAULT = CodePage(DEFAULT_CODE_PAGE, is_chosen=True, seconds=300)


@dataclass(frozen=True, slots=True)
class EnumerationSafeClient:
    """An ``IdxClient`` for one registration that stands at ``state``. Raises what that raises."""

    client: IdxClient
    state: EnrollmentState
    email_proven: bool

    def proceed(self, action: Action, values: Mapping[str, Any]) -> Answer:
        """Submits an action, or pretends to behind a decoy."""
        if self._is_decoy:
            return self._pretend(is_resend=action.name == RESEND)
        answer = self.client.proceed(action, values)
        if action.name == PROFILE and any(m.key == ADDRESS_TAKEN for m in answer.response.messages):
            return self._decoy()
        step = next_step(answer.response)
        if not _is_code_page(step):
            return answer
        if not any(is_error(m) for m in answer.response.messages):
            self._learn(answer, is_chosen=action.name != PROFILE)
        return answer if self.email_proven else _without_ways_around(answer)

    def introspect(self, transaction: Transaction) -> Answer:
        """The present step, or the decoy."""
        if self._is_decoy:
            return self._pretend(is_resend=True)
        answer = self.client.introspect(transaction)
        is_open = _is_code_page(next_step(answer.response)) and not self.email_proven
        return _without_ways_around(answer) if is_open else answer

    @property
    def _is_decoy(self) -> bool:
        return not self.state.response.state_handle

    @property
    def _key(self) -> str:
        return f"selfreg:code-page:{self.client.app.client_id}:{self.client.visitor.language}"

    def _page(self) -> CodePage:
        return CodePage(*cache.get(self._key, DEFAULT))

    def _learn(self, answer: Answer, *, is_chosen: bool) -> None:
        """Keeps how the org's page for the code looks."""
        expires_at = answer.response.expires_at
        seconds = round((expires_at - timezone.now()).total_seconds()) if expires_at else 0
        page = CodePage(without_person(json.loads(answer.document)), is_chosen, seconds)
        cache.keep(self._key, tuple(page), None)

    def _decoy(self) -> Answer:
        """In place of "this address is taken", after as many calls as a new address costs."""
        page = self._page()
        if page.is_chosen:
            self._spend_a_call()
        return _answer(_fresh(page), calls=2 if page.is_chosen else 1)

    def _pretend(self, *, is_resend: bool) -> Answer:
        """Behind a decoy: takes as long as a real call, and changes nothing. A code is always wrong."""
        expires_at = self.state.response.expires_at
        if expires_at and expires_at <= timezone.now():
            expired = TransactionExpired(SESSION_EXPIRED.key)
            expired.description = say(SESSION_EXPIRED)
            raise expired
        self._spend_a_call()
        page = self._page()
        if is_resend:
            return _answer(_fresh(page))
        # A wrong code wins no time (docs/protocol.md, section 2.1).
        return _answer(_valid_until(with_field_message(page.document, "passcode", WRONG_CODE), expires_at))

    def _spend_a_call(self) -> None:
        with suppress(IdxError):
            self.client.introspect(self.state.transaction)


def _is_code_page(step: object) -> bool:
    """The page for the code from the mail."""
    if not isinstance(step, Step):
        return False
    return step.page == "code" and step.authenticator is not None and step.authenticator.kind == "email"


def _answer(document: Mapping[str, Any], calls: int = 1) -> Answer:
    decoy = json.dumps(document)
    answer = Answer(parse(document), decoy, 200, "", 0.0, outcome=ADDRESS_TAKEN, calls=calls)
    return _without_ways_around(answer)


def _fresh(page: CodePage) -> Mapping[str, Any]:
    return _valid_until(page.document, timezone.now() + timedelta(seconds=page.seconds) if page.seconds else None)


def _valid_until(document: Mapping[str, Any], expires_at: datetime | None) -> Mapping[str, Any]:
    return with_expiry(document, expires_at) if expires_at else document


def _without_ways_around(answer: Answer) -> Answer:
    """The page for the code and nothing else, with a hint for whoever waits for a mail in vain."""
    document = without_ways(json.loads(answer.document), WAYS_AROUND, SIGN_IN_HINT)
    return replace(answer, document=json.dumps(document), response=parse(document))
