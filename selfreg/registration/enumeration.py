"""Protection against user enumeration: with ``SELFREG["ENUMERATION"] = "neutral"``, new and existing addresses look
alike.

``EnumerationSafeClient`` replaces ``IdxClient``. For a new address, it returns the org's answers. For an existing one,
it answers the profile form with a decoy: the org's page for the code from the mail, which rejects every code and makes
as many calls. Unlike answers of the org, a decoy has no state handle. A taken login that is no address is refused as
the org refuses it, because people have to choose another one.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from selfreg import cache
from selfreg.idx import document_edits as edits
from selfreg.idx.client import Answer, IdxClient, Transaction
from selfreg.idx.document import Action, IdxResponse, Message
from selfreg.idx.errors import IdxError, TransactionExpired
from selfreg.idx.parser import parse
from selfreg.idx.steps import is_error, next_step
from selfreg.registration.state import EnrollmentState
from selfreg.registration.transition import ADDRESS_TAKEN, as_page
from selfreg.secret import Secret

PROFILE = "enroll-profile"
RESEND = "resend"
SESSION_EXPIRED = Message("", "idx.session.expired")
# Remediations of a real page that decoys do not have, so they would reveal that the address is new.
WAYS_AROUND = ("skip", "select-authenticator-enroll", "challenge-poll")
OTHER_AUTHENTICATORS = ("authenticators", "authenticatorEnrollments")
WRONG_CODE = Message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID")
SIGN_IN_HINT = Message("", "selfreg.neutral", severity="INFO")


class CodePage(NamedTuple):
    """The org's page for the code from the mail.

    ``document`` is the answer without personal data, ``is_chosen`` whether email had to be chosen to get there, and
    ``seconds`` how long it is valid (0: the org does not say).
    """

    document: Mapping[str, Any]
    is_chosen: bool
    seconds: int


DEFAULT = CodePage(edits.DEFAULT_CODE_PAGE, is_chosen=True, seconds=300)


@dataclass(frozen=True, slots=True)
class EnumerationSafeClient:
    """The client of one registration whose state is ``state``. It has the methods of ``IdxClient`` that commands use.

    :raises IdxError: (both methods) see ``idx.errors``
    """

    client: IdxClient
    state: EnrollmentState
    email_proven: bool
    org: str

    def proceed(self, action: Action, values: Mapping[str, Any]) -> Answer:
        """Submit an action; at a decoy it only pretends to."""
        if self._is_decoy:
            return self._pretend(is_resend=action.name == RESEND)
        answer = self.client.proceed(action, values)
        if action.name == PROFILE and (outcome := _tells_of_account(answer.response)):
            return _about_logins(answer, values) or self._decoy(outcome)
        if not _is_code_page(answer.response):
            return answer
        if not any(is_error(m) for m in answer.response.messages):
            self._remember_page(answer, is_chosen=action.name != PROFILE)
        return answer if self.email_proven else _without_ways_around(answer)

    def introspect(self, transaction: Transaction) -> Answer:
        """Return the org's current answer, or the decoy."""
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
        return cache.name_of(f"selfreg:code-page:{self.client.app.client_id}:{self.client.visitor.language}", self.org)

    def _page(self) -> CodePage:
        return CodePage(*cache.get(self._key, DEFAULT))

    def _remember_page(self, answer: Answer, *, is_chosen: bool) -> None:
        """Cache the org's page for the code, without personal data."""
        expires_at = answer.response.expires_at
        seconds = round((expires_at - timezone.now()).total_seconds()) if expires_at else 0
        page = CodePage(edits.without_person(json.loads(answer.document.reveal())), is_chosen, seconds)
        cache.keep(self._key, tuple(page), None)

    def _decoy(self, outcome: str) -> Answer:
        """Return the decoy instead of the org's refusal, after as many calls as a new address costs.

        :param outcome: for the log
        """
        page = self._page()
        if page.is_chosen:
            self._spend_a_call()
        return replace(_answer(_fresh(page), calls=2 if page.is_chosen else 1), outcome=outcome)

    def _pretend(self, *, is_resend: bool) -> Answer:
        """Return what the org would answer at a real page, after a call that takes as long. Every code is wrong.

        :raises TransactionExpired: the decoy is as old as a real page may get
        """
        expires_at = self.state.response.expires_at
        if expires_at and expires_at <= timezone.now():
            raise TransactionExpired(SESSION_EXPIRED.key)
        self._spend_a_call()
        page = self._page()
        if is_resend:
            return _answer(_fresh(page))
        # A wrong code does not extend the transaction (docs/protocol.md, section 2.1).
        return _answer(edits.with_expiry(edits.with_field_message(page.document, "passcode", WRONG_CODE), expires_at))

    def _spend_a_call(self) -> None:
        with suppress(IdxError):
            self.client.introspect(self.state.transaction)


def _tells_of_account(response: IdxResponse) -> str:
    """Return for the log why this answer to a profile reveals whether the address has an account; "" if it does not.

    If the sign-up ends here, it was denied, for example by a hook. That reveals that the address is new, because for an
    existing account the answer is that the address is taken.
    """
    if response.has_message(ADDRESS_TAKEN):
        return ADDRESS_TAKEN
    return " ".join(m.key for m in response.messages if m.key)[:200] or "denied" if response.is_terminal else ""


def _about_logins(answer: Answer, values: Mapping[str, Any]) -> Answer | None:
    """Return the refusal of a login or another identifier that is no address, so that people can choose another one.

    It also has what a new address would be told about other fields. Messages about addresses are left out. None if
    there are no others.
    """
    taken = {m.path.rpartition(".")[2] for m in answer.response.messages if m.key == ADDRESS_TAKEN}
    typed = values.get("userProfile")
    names = typed if isinstance(typed, Mapping) else {}
    logins = {name for name in taken if name != "email" and name in names and "@" not in str(names[name])}
    others = [m for m in answer.response.messages if is_error(m) and m.path and m.key != ADDRESS_TAKEN]
    if not logins and (not others or answer.response.is_terminal):
        return None
    return _with_document(
        answer, edits.without_message(json.loads(answer.document.reveal()), taken - logins, ADDRESS_TAKEN)
    )


def _is_code_page(response: IdxResponse) -> bool:
    """Return whether the step is the page for the code from the mail."""
    step = as_page(next_step(response))
    return step is not None and (step.page, step.kind) == ("code", "email")


def _answer(document: Mapping[str, Any], calls: int = 1) -> Answer:
    decoy = Secret(json.dumps(document))
    answer = Answer(parse(document), decoy, 200, "", 0.0, outcome=ADDRESS_TAKEN, calls=calls)
    return _without_ways_around(answer)


def _fresh(page: CodePage) -> Mapping[str, Any]:
    return edits.with_expiry(page.document, timezone.now() + timedelta(seconds=page.seconds) if page.seconds else None)


def _with_document(answer: Answer, document: Mapping[str, Any]) -> Answer:
    return replace(answer, document=Secret(json.dumps(document)), response=parse(document))


def _without_ways_around(answer: Answer) -> Answer:
    """Return the answer with the page for the code only, and with a hint for visitors who get no mail.

    The other authenticators are left out: a decoy shows those of the last new address, or none.
    """
    document = edits.without_ways(json.loads(answer.document.reveal()), WAYS_AROUND, SIGN_IN_HINT)
    return _with_document(answer, {n: value for n, value in document.items() if n not in OTHER_AUTHENTICATORS})
