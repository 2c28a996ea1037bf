"""What an answer of the org means for a registration: decided from documents alone, without a database or a socket."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from selfreg.idx.client import Answer, Transaction
from selfreg.idx.errors import AnswerLost, ForeignHref, OrgRefused, OrgUnreachable, RateLimited, TransactionExpired
from selfreg.idx.parser import parse
from selfreg.idx.steps import SELECT, Granted, Step
from selfreg.models import RegistrationEvent
from selfreg.registration import outcome as outcomes
from selfreg.registration import transition as transitions
from selfreg.registration.state import EnrollmentState
from selfreg.registration.values import CODE_SENT_AGAIN, Command, Event, Position, Transition
from selfreg.signals import registration_expired, registration_failed
from selfreg.statuses import FINAL, Status
from support.idx.documents import (
    CHECK_MAIL,
    CODE_PAGE,
    PROFILE_PAGE,
    SELECT_PAGE,
    SUCCESS,
    array,
    document,
    message,
    step,
)

Json = dict[str, Any]
Kind = RegistrationEvent.Kind
NOW = 1_800_000_000.0
TRANSACTION = Transaction("handle", "state", "nonce", "verifier")
SUBMITTED = Command(Kind.ANSWERED, {"userProfile.email": "ada@example.com"})
CODE = Command(Kind.ANSWERED, proves_email=True)
WRONG_CODE = message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID")


def position(page: Json, status: Status = Status.ENROLLING, **members: Any) -> Position:
    state = EnrollmentState(TRANSACTION, json.dumps(page), parse(page), **members)
    current = transitions.step_of(state)
    name = current.name if isinstance(current, Step) else ""
    return Position(state, current, status, name, "", resend_seconds=30, now=NOW)


def answer(page: Json, status: int = 200, wait: int = 0) -> Answer:
    return Answer(parse(page), json.dumps(page), status, "request-1", 0.25, wait)


def with_messages(page: Json, *messages: Json) -> Json:
    return {**page, "messages": array(*messages)}


def keys(transition: Transition) -> list[str]:
    assert transition.state is not None
    return [m.key for m in transition.state.notices]


# ---- going on


def test_an_accepted_profile_leads_to_the_next_step_and_forgets_what_was_typed() -> None:
    after = transitions.advance(position(PROFILE_PAGE, Status.STARTED), answer(SELECT_PAGE), SUBMITTED)
    assert after.outcome == outcomes.Advanced()
    assert after.status == Status.ENROLLING
    assert after.values["step"] == "select-authenticator-enroll"
    assert after.state is not None
    assert after.state.draft == {}
    assert after.events == (Event(Kind.ANSWERED, "enroll-profile", "ok", 250, "request-1"),)


def test_a_profile_with_a_fault_stays_and_keeps_what_was_typed() -> None:
    fault = message("must be in the form of an email address", "registration.error.invalidLoginEmail")
    after = transitions.advance(
        position(PROFILE_PAGE, Status.STARTED), answer(with_messages(PROFILE_PAGE, fault), 400), SUBMITTED
    )
    assert isinstance(after.outcome, outcomes.Rejected)
    assert [m.key for m in after.outcome.messages] == ["registration.error.invalidLoginEmail"]
    assert after.status == Status.STARTED
    assert after.state is not None
    assert after.state.draft == SUBMITTED.draft
    assert after.events[0].outcome == "registration.error.invalidLoginEmail"


def test_a_taken_address_is_told_how_to_go_on() -> None:
    taken = message("A user with this Email already exists", transitions.ADDRESS_TAKEN, ["Email"])
    after = transitions.advance(position(PROFILE_PAGE), answer(with_messages(PROFILE_PAGE, taken), 400), SUBMITTED)
    assert keys(after) == ["selfreg.exists"]


def test_a_right_code_proves_the_address_and_is_written_as_an_event() -> None:
    after = transitions.advance(position(CODE_PAGE), answer(SELECT_PAGE), CODE)
    assert after.proves_email
    assert [e.kind for e in after.events] == [Kind.ANSWERED, Kind.VERIFIED]


@pytest.mark.parametrize(
    "response",
    [
        answer(with_messages(CODE_PAGE, WRONG_CODE), 400),
        answer(with_messages(SELECT_PAGE, WRONG_CODE)),
        answer(CODE_PAGE),
        answer(SELECT_PAGE, 400),
    ],
    ids=["wrong", "moved with an error", "not moved", "moved with a refusal"],
)
def test_nothing_but_an_accepted_code_proves_an_address(response: Answer) -> None:
    after = transitions.advance(position(CODE_PAGE), response, CODE)
    assert not after.proves_email
    assert Kind.VERIFIED not in [e.kind for e in after.events]


def test_the_same_page_again_is_pointed_out() -> None:
    after = transitions.advance(position(CODE_PAGE), answer(CODE_PAGE), CODE)
    assert keys(after) == ["selfreg.same_again"]
    assert isinstance(after.outcome, outcomes.Rejected)


def test_a_code_that_is_sent_again_says_so_and_starts_the_wait_for_the_next() -> None:
    after = transitions.advance(position(CODE_PAGE), answer(CODE_PAGE), Command(Kind.RESENT))
    assert after.outcome == outcomes.Sent()
    assert keys(after) == ["selfreg.sent_again"]
    assert after.state is not None
    assert after.state.resend_at == NOW + 30


def test_a_new_page_for_a_code_starts_the_wait_and_a_wrong_code_does_not_prolong_it() -> None:
    sent = transitions.advance(position(SELECT_PAGE), answer(CODE_PAGE), Command(Kind.ANSWERED))
    assert sent.state is not None
    assert sent.state.resend_at == NOW + 30
    wrong = transitions.advance(
        position(CODE_PAGE, resend_at=NOW + 5), answer(with_messages(CODE_PAGE, WRONG_CODE), 400), CODE
    )
    assert wrong.state is not None
    assert wrong.state.resend_at == NOW + 5


def test_an_interaction_code_leaves_the_sign_in() -> None:
    after = transitions.advance(position(CODE_PAGE), answer(SUCCESS), CODE)
    assert after.status == Status.FINISHING
    assert isinstance(after.step, Granted)
    assert after.values["okta_user_id"] == "00u1"


def test_a_page_that_the_visitor_turned_to_stays_while_its_input_has_a_fault() -> None:
    before = position(SELECT_PAGE, picked="autPHONE")
    fault = message("Invalid Phone Number.", "api.factors.error.sms.invalid_phone")
    after = transitions.advance(before, answer(with_messages(SELECT_PAGE, fault), 400), Command(Kind.ANSWERED))
    assert after.state is not None
    assert after.state.picked == "autPHONE"
    gone = transitions.advance(before, answer(with_messages(PROFILE_PAGE, fault), 400), Command(Kind.ANSWERED))
    assert gone.state is not None
    assert gone.state.picked == ""


# ---- waiting, and refusals without a step


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_answer_without_a_step_leaves_the_step_before_it(status: int) -> None:
    refusal = document(messages=array(message("Too many requests", "tooManyRequests")))
    after = transitions.advance(position(CODE_PAGE), answer(refusal, status, wait=20 if status == 429 else 0), CODE)
    assert after.status == Status.ENROLLING
    assert after.values["step"] == "enroll-authenticator okta_email"
    assert keys(after) == ["tooManyRequests"]
    is_waiting = isinstance(after.outcome, outcomes.Waiting)
    assert is_waiting == (status == 429)
    if is_waiting:
        assert after.state is not None
        assert after.state.wait_until == NOW + 20


# ---- ends


def test_an_end_with_a_reason_fails_and_keeps_the_orgs_sentence() -> None:
    denied = document(messages=array(message("You do not have permission.", "security.access_denied")))
    after = transitions.advance(position(CODE_PAGE), answer(denied, 403), CODE)
    assert after.outcome == outcomes.Ended(Status.FAILED)
    assert (after.status, after.values["failure"]) == (Status.FAILED, "security.access_denied")
    assert [m.text for m in after.explanation] == ["You do not have permission."]
    assert after.signal is registration_failed
    assert after.signal_values == {"reason": "security.access_denied"}
    assert [e.kind for e in after.events] == [Kind.ANSWERED, Kind.FAILED]


def test_an_end_that_waits_for_the_link_of_a_mail_stays_open() -> None:
    after = transitions.advance(position(PROFILE_PAGE), answer(CHECK_MAIL), SUBMITTED)
    assert after.outcome == outcomes.Ended(Status.AWAITING_EMAIL)
    assert after.status not in FINAL
    assert after.values["step"] == "idx.email.verification.required"


def test_an_org_that_goes_on_at_its_own_page_leaves_the_sign_in() -> None:
    redirect = document(
        success={"name": "success-redirect", "href": "https://dev-1.example.com/login/token/redirect", "method": "GET"},
        user={"type": "object", "value": {"id": "00u7"}},
    )
    after = transitions.advance(position(CODE_PAGE), answer(redirect), CODE)
    assert (after.status, after.values["okta_user_id"]) == (Status.READY, "00u7")
    assert after.state is None


# ---- after a doubt


def test_a_lost_answer_whose_call_was_carried_out_goes_on_as_if_it_had_come() -> None:
    after = transitions.recover(position(CODE_PAGE), answer(SELECT_PAGE), CODE, AnswerLost("timeout"))
    assert after.outcome == outcomes.Advanced()
    assert after.proves_email
    assert [e.kind for e in after.events] == [Kind.TROUBLE, Kind.ANSWERED, Kind.VERIFIED]


def test_a_lost_answer_whose_call_was_not_carried_out_keeps_what_was_typed_and_says_so() -> None:
    error = AnswerLost("timeout")
    error.description = "Busy."
    command = Command(Kind.ANSWERED, {"userProfile.email": "ada@example.com"})
    after = transitions.recover(position(PROFILE_PAGE, Status.STARTED), answer(PROFILE_PAGE), command, error)
    assert isinstance(after.outcome, outcomes.Failed)
    assert after.state is not None
    assert after.state.draft == command.draft
    assert [(m.key, m.text) for m in after.state.notices] == [("selfreg.answer_lost", ""), ("", "Busy.")]
    assert [e.kind for e in after.events] == [Kind.TROUBLE, Kind.RECOVERED]


def test_an_org_that_went_on_elsewhere_is_followed() -> None:
    assert transitions.stands_elsewhere(position(CODE_PAGE), answer(SELECT_PAGE))
    assert not transitions.stands_elsewhere(position(CODE_PAGE), answer(CODE_PAGE))
    assert not transitions.stands_elsewhere(position(CODE_PAGE), answer(CHECK_MAIL))
    after = transitions.catch_up(position(CODE_PAGE), answer(SELECT_PAGE), CODE)
    assert isinstance(after.outcome, outcomes.Stale)
    assert keys(after) == ["selfreg.already_done"]
    assert after.events[0].kind == Kind.RECOVERED


@pytest.mark.parametrize(
    ("error", "unsure", "kind", "outcome"),
    [
        (OrgUnreachable("refused"), False, outcomes.Failed, "OrgUnreachable"),
        (AnswerLost("timeout"), True, outcomes.Unsure, "AnswerLost"),
        (RateLimited(20), False, outcomes.Waiting, "RateLimited"),
        (OrgRefused("E0000011", "no", 401), False, outcomes.Failed, "OrgRefused E0000011"),
    ],
)
def test_trouble_leaves_the_registration_where_it_was(error: Any, unsure: bool, kind: type, outcome: str) -> None:
    before = position(CODE_PAGE)
    after = transitions.trouble(before, error, CODE, unsure=unsure)
    assert isinstance(after.outcome, kind)
    assert (after.step, after.status, after.in_doubt) == (before.step, Status.ENROLLING, unsure)
    assert after.events == (Event(Kind.TROUBLE, before.step_name, outcome),)
    assert after.state is not None
    assert after.state.notices


def test_a_transaction_that_ran_out_expires_the_registration() -> None:
    error = TransactionExpired("idx.session.expired")
    error.description = "The session has expired."
    after = transitions.trouble(position(CODE_PAGE), error, CODE, unsure=False)
    assert (after.status, after.state, after.signal) == (Status.EXPIRED, None, registration_expired)
    assert [m.text for m in after.explanation] == ["The session has expired."]


def test_an_answer_that_leads_elsewhere_is_not_kept() -> None:
    assert not transitions.keeps_answer(ForeignHref("elsewhere"))
    assert transitions.keeps_answer(AnswerLost("timeout"))


# ---- what the visitor sees


@pytest.mark.parametrize(("may_skip_email", "is_offered"), [(True, True), (False, False)])
def test_a_proof_that_is_demanded_cannot_be_skipped(may_skip_email: bool, is_offered: bool) -> None:
    before = position(CODE_PAGE)
    visible = transitions.visible_step(before.step, before.state, may_skip_email=lambda: may_skip_email)
    assert isinstance(visible, Step)
    assert (visible.skip is not None) == is_offered


def test_a_page_with_nothing_but_a_forbidden_skip_cannot_be_gone_on_from() -> None:
    page = document(step("skip", path="/idp/idx/skip"), authenticators=CODE_PAGE["authenticators"])
    before = position(page)
    visible = transitions.visible_step(before.step, before.state, may_skip_email=lambda: False)
    assert isinstance(visible, Step)
    assert visible.page == "unsupported"


def test_turning_to_another_page_makes_no_call_and_forgets_old_words() -> None:
    before = position(CODE_PAGE, notices=(CODE_SENT_AGAIN,), draft={"a": "b"})
    after = transitions.turn_to(before, SELECT)
    assert after.state is not None
    assert (after.state.picked, after.state.notices, after.state.draft) == (SELECT, (), {})
    assert after.values["step"] == "select-authenticator-enroll"
    assert after.events == ()


@pytest.mark.parametrize("poll_at", [0.0, NOW + 60])
def test_a_poll_with_nothing_new_keeps_what_was_said(poll_at: float) -> None:
    before = position(with_messages(CODE_PAGE, WRONG_CODE))
    after = transitions.keep_polling(before, poll_at, answer(CODE_PAGE) if not poll_at else None)
    assert after.outcome == outcomes.NOTHING_NEW
    assert after.state is not None
    assert after.state.poll_at == poll_at
    assert keys(after) == (["api.authn.error.PASSCODE_INVALID"] if not poll_at else [])


def test_every_final_status_wipes_the_state() -> None:
    ends: Mapping[Status, Transition] = {
        Status.FAILED: transitions.fail("step", "reason"),
        Status.EXPIRED: transitions.expire("step"),
        Status.CANCELLED: transitions.cancel("step"),
    }
    assert set(ends) == FINAL - {Status.COMPLETED}
    for status, transition in ends.items():
        assert (transition.status, transition.state) == (status, None)
        assert transition.outcome == outcomes.Ended(status)
