"""Protection against user enumeration: new and existing addresses look alike if ``SELFREG["ENUMERATION"]`` is neutral.

``EnumerationSafeClient`` replaces ``IdxClient``. For a new address it returns the org's answers. For an existing one it
answers the profile with a decoy: the page for the code from the mail, as the org sent it last, which rejects every code
and costs as many calls. A decoy has no state handle; every answer of the org has one.
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
from selfreg.idx.document import Action, IdxResponse, Message
from selfreg.idx.editing import DEFAULT_CODE_PAGE, with_expiry, with_field_message, without_person, without_ways
from selfreg.idx.errors import IdxError, TransactionExpired
from selfreg.idx.parser import parse
from selfreg.idx.steps import is_error, next_step
from selfreg.registration.state import EnrollmentState
from selfreg.registration.transition import ADDRESS_TAKEN, page_of
from selfreg.texts.messages import say

PROFILE = "enroll-profile"
RESEND = "resend"
EMAIL = "okta_email"
SESSION_EXPIRED = Message("", "idx.session.expired")
# Remediations beside the page for the code that decoys do not have, and that would tell a new address from another.
WAYS_AROUND = ("skip", "select-authenticator-enroll", "challenge-poll")
WRONG_CODE = Message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID")
SIGN_IN_HINT = Message("", "selfreg.neutral", severity="INFO")


class CodePage(NamedTuple):
    """The org's page for the code from the mail.

    ``document`` is the answer without personal data, ``is_chosen`` whether e-mail had to be chosen to get there, and
    ``seconds`` how long it is valid (0: the org does not say).
    """

    document: Mapping[str, Any]
    is_chosen: bool
    seconds: int


DEFAULT = CodePage(DEFAULT_CODE_PAGE, is_chosen=True, seconds=300)


@dataclass(frozen=True, slots=True)
class EnumerationSafeClient:
    """The client of one registration whose state is ``state``. It has the methods of ``IdxClient`` that commands use.

    :raises IdxError: (both methods) see ``idx.errors``
    """

    client: IdxClient
    state: EnrollmentState
    email_proven: bool

    def proceed(self, action: Action, values: Mapping[str, Any]) -> Answer:
        """Submits an action; at a decoy it only pretends to."""
        if self._is_decoy:
            return self._pretend(is_resend=action.name == RESEND)
        answer = self.client.proceed(action, values)
        if action.name == PROFILE and any(m.key == ADDRESS_TAKEN for m in answer.response.messages):
            return self._decoy()
        if not _is_code_page(answer.response):
            return answer
        if not any(is_error(m) for m in answer.response.messages):
            self._remember_page(answer, is_chosen=action.name != PROFILE)
        return answer if self.email_proven else _without_ways_around(answer)

    def introspect(self, transaction: Transaction) -> Answer:
        """Returns the org's current answer, or the decoy."""
        if self._is_decoy:
            return self._pretend(is_resend=True)
        answer = self.client.introspect(transaction)
        is_open = _is_code_page(answer.response) and not self.email_proven
        return _without_ways_around(answer) if is_open else answer

    @property
    def _is_decoy(self) -> bool:
        return not self.state.response.state_handle

    @property
    def _key(self) -> str:
        return f"selfreg:code-page:{self.client.app.client_id}:{self.client.visitor.language}"

    def _page(self) -> CodePage:
        return CodePage(*cache.get(self._key, DEFAULT))

    def _remember_page(self, answer: Answer, *, is_chosen: bool) -> None:
        """Caches the org's page for the code, without personal data."""
        expires_at = answer.response.expires_at
        seconds = round((expires_at - timezone.now()).total_seconds()) if expires_at else 0
        page = CodePage(without_person(json.loads(answer.document)), is_chosen, seconds)
        cache.keep(self._key, tuple(page), None)

    def _decoy(self) -> Answer:
        """Returns the decoy instead of "this address is taken", after as many calls as a new address costs."""
        page = self._page()
        if page.is_chosen:
            self._spend_a_call()
        return _answer(_fresh(page), calls=2 if page.is_chosen else 1)

    def _pretend(self, *, is_resend: bool) -> Answer:
        """Returns what the org would answer at a real page, after a call that takes as long. Every code is wrong.

        :raises TransactionExpired: the decoy is as old as a real page may get
        """
        expires_at = self.state.response.expires_at
        if expires_at and expires_at <= timezone.now():
            expired = TransactionExpired(SESSION_EXPIRED.key)
            expired.description = say(SESSION_EXPIRED)
            raise expired
        self._spend_a_call()
        page = self._page()
        if is_resend:
            return _answer(_fresh(page))
        # A wrong code does not extend the transaction (docs/protocol.md, section 2.1).
        return _answer(_valid_until(with_field_message(page.document, "passcode", WRONG_CODE), expires_at))

    def _spend_a_call(self) -> None:
        with suppress(IdxError):
            self.client.introspect(self.state.transaction)


def _is_code_page(response: IdxResponse) -> bool:
    """Whether the step is the page for the code from the mail."""
    step = page_of(next_step(response))
    kind = step.authenticator.kind if step and step.authenticator else ""
    return step is not None and step.page == "code" and kind == "email"


def _answer(document: Mapping[str, Any], calls: int = 1) -> Answer:
    decoy = json.dumps(document)
    answer = Answer(parse(document), decoy, 200, "", 0.0, outcome=ADDRESS_TAKEN, calls=calls)
    return _without_ways_around(answer)


def _fresh(page: CodePage) -> Mapping[str, Any]:
    return _valid_until(page.document, timezone.now() + timedelta(seconds=page.seconds) if page.seconds else None)


def _valid_until(document: Mapping[str, Any], expires_at: datetime | None) -> Mapping[str, Any]:
    return with_expiry(document, expires_at) if expires_at else document


def _without_ways_around(answer: Answer) -> Answer:
    """Returns the answer with the page for the code only, and with a hint for visitors who get no mail."""
    document = without_ways(json.loads(answer.document), WAYS_AROUND, SIGN_IN_HINT)
    return replace(answer, document=json.dumps(document), response=parse(document))
