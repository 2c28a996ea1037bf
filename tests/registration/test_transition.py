"""The transition that follows from an answer of the org. Needs documents only, no database and no network."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from selfreg.idx.client import Answer, Transaction
from selfreg.idx.document import Message
from selfreg.idx.errors import AnswerLost, ForeignHref, OrgRefused, OrgUnreachable, RateLimited, TransactionExpired
from selfreg.idx.parser import parse
from selfreg.idx.steps import SELECT, Granted, Step
from selfreg.models import RegistrationEvent
from selfreg.registration import outcome as outcomes
from selfreg.registration import transition as transitions
from selfreg.registration.state import EnrollmentState
from selfreg.registration.transition_types import CODE_SENT_AGAIN, Command, Event, Position, Transition
from selfreg.secret import Secret
from selfreg.signals import registration_expired, registration_failed
from selfreg.statuses import FINAL, Status
from selfreg.texts.messages import notice
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
TRANSACTION = Transaction(*map(Secret, ("handle", "state", "nonce", "verifier")))
SUBMITTED = Command(Kind.ANSWERED, {"userProfile.email": "ada@example.com"})
CODE = Command(Kind.ANSWERED, proves_email=True)
WRONG_CODE = message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID")


def position(page: Json, status: Status = Status.ENROLLING, **members: Any) -> Position:
    state = EnrollmentState(TRANSACTION, Secret(json.dumps(page)), parse(page), **members)
    current = transitions.step_of(state)
    name = current.name if isinstance(current, Step) else ""
    return Position(state, current, status, name, "", resend_seconds=30, in_doubt=False, now=NOW)


def answer(page: Json, status: int = 200, wait: int = 0) -> Answer:
    return Answer(parse(page), Secret(json.dumps(page)), status, "request-1", 0.25, wait)


def with_messages(page: Json, *messages: Json) -> Json:
    return {**page, "messages": array(*messages)}


def keys(transition: Transition) -> list[str]:
    assert transition.state is not None
    return [m.key for m in transition.state.notices]


# ---- going on


def test_an_accepted_profile_leads_to_the_next_step_and_clears_the_draft() -> None:
    after = transitions.advance(position(PROFILE_PAGE, Status.STARTED), answer(SELECT_PAGE), SUBMITTED)
    assert after.outcome == outcomes.Advanced()
    assert after.status == Status.ENROLLING
    assert after.values["step"] == "select-authenticator-enroll"
    assert after.state is not None
    assert after.state.draft == {}
    assert after.events == (Event(Kind.ANSWERED, "enroll-profile", "ok", 250, "request-1"),)


def test_a_rejected_profile_stays_at_its_step_and_keeps_the_draft() -> None:
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


def test_a_taken_address_gets_the_notice_for_existing_accounts() -> None:
    taken = message("A user with this Email already exists", transitions.ADDRESS_TAKEN, ["Email"])
    after = transitions.advance(position(PROFILE_PAGE), answer(with_messages(PROFILE_PAGE, taken), 400), SUBMITTED)
    assert keys(after) == ["selfreg.exists"]


def test_an_accepted_code_verifies_the_address_and_adds_an_event() -> None:
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
def test_only_an_accepted_code_verifies_the_address(response: Answer) -> None:
    after = transitions.advance(position(CODE_PAGE), response, CODE)
    assert not after.proves_email
    assert Kind.VERIFIED not in [e.kind for e in after.events]


def test_an_answer_with_the_same_page_is_rejected_with_a_notice() -> None:
    after = transitions.advance(position(CODE_PAGE), answer(CODE_PAGE), CODE)
    assert keys(after) == ["selfreg.same_again"]
    assert isinstance(after.outcome, outcomes.Rejected)


def test_a_resent_code_gets_a_notice_and_starts_the_resend_wait() -> None:
    after = transitions.advance(position(CODE_PAGE), answer(CODE_PAGE), Command(Kind.RESENT))
    assert after.outcome == outcomes.Sent()
    assert keys(after) == ["selfreg.sent_again"]
    assert after.state is not None
    assert after.state.resend_at == NOW + 30


def test_a_new_code_page_starts_the_resend_wait_and_a_wrong_code_does_not_extend_it() -> None:
    sent = transitions.advance(position(SELECT_PAGE), answer(CODE_PAGE), Command(Kind.ANSWERED))
    assert sent.state is not None
    assert sent.state.resend_at == NOW + 30
    wrong = transitions.advance(
        position(CODE_PAGE, resend_at=NOW + 5), answer(with_messages(CODE_PAGE, WRONG_CODE), 400), CODE
    )
    assert wrong.state is not None
    assert wrong.state.resend_at == NOW + 5


def test_an_interaction_code_changes_the_status_to_finishing() -> None:
    after = transitions.advance(position(CODE_PAGE), answer(SUCCESS), CODE)
    assert after.status == Status.FINISHING
    assert isinstance(after.step, Granted)
    assert after.values["okta_user_id"] == "00u1"
    assert keys(after) == []


def test_the_picked_page_is_kept_after_an_input_error_if_the_org_still_offers_it() -> None:
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
def test_an_answer_without_a_step_keeps_the_current_step(status: int) -> None:
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


def test_a_terminal_answer_fails_the_registration_with_the_message_of_the_org() -> None:
    denied = document(messages=array(message("You do not have permission.", "security.access_denied")))
    after = transitions.advance(position(CODE_PAGE), answer(denied, 403), CODE)
    assert after.outcome == outcomes.Ended(Status.FAILED)
    assert (after.status, after.values["failure"]) == (Status.FAILED, "security.access_denied")
    assert [m.text for m in after.explanation] == ["You do not have permission."]
    assert after.signal is registration_failed
    assert after.signal_values == {"reason": "security.access_denied"}
    assert [e.kind for e in after.events] == [Kind.ANSWERED, Kind.FAILED]


def test_a_terminal_answer_that_asks_to_check_the_email_changes_the_status_to_awaiting_email() -> None:
    after = transitions.advance(position(PROFILE_PAGE), answer(CHECK_MAIL), SUBMITTED)
    assert after.outcome == outcomes.Ended(Status.AWAITING_EMAIL)
    assert after.status not in FINAL
    assert after.values["step"] == "idx.email.verification.required"


def test_a_redirect_to_the_orgs_own_page_changes_the_status_to_ready() -> None:
    redirect = document(
        success={"name": "success-redirect", "href": "https://dev-1.example.com/login/token/redirect", "method": "GET"},
        user={"type": "object", "value": {"id": "00u7"}},
    )
    after = transitions.advance(position(CODE_PAGE), answer(redirect), CODE)
    assert (after.status, after.values["okta_user_id"]) == (Status.READY, "00u7")
    assert after.state is None


# ---- after a doubt


def test_a_call_that_was_carried_out_advances_although_its_answer_was_lost() -> None:
    after = transitions.recover(position(CODE_PAGE), answer(SELECT_PAGE), CODE, AnswerLost("timeout"))
    assert after.outcome == outcomes.Advanced()
    assert after.proves_email
    assert [e.kind for e in after.events] == [Kind.TROUBLE, Kind.ANSWERED, Kind.VERIFIED]


def test_a_call_that_was_not_carried_out_keeps_the_draft_and_adds_a_notice() -> None:
    error = AnswerLost("timeout")
    error.description = "Busy."
    command = Command(Kind.ANSWERED, {"userProfile.email": "ada@example.com"})
    after = transitions.recover(position(PROFILE_PAGE, Status.STARTED), answer(PROFILE_PAGE), command, error)
    assert isinstance(after.outcome, outcomes.Failed)
    assert after.state is not None
    assert after.state.draft == command.draft
    assert [(m.key, m.text) for m in after.state.notices] == [("selfreg.answer_lost", "")]
    assert [e.kind for e in after.events] == [Kind.TROUBLE, Kind.RECOVERED]


def test_a_transaction_that_moved_elsewhere_is_caught_up_with() -> None:
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
def test_trouble_keeps_the_step_and_the_status(error: Any, unsure: bool, kind: type, outcome: str) -> None:
    before = position(CODE_PAGE)
    after = transitions.trouble(before, error, CODE, unsure=unsure)
    assert isinstance(after.outcome, kind)
    assert (after.step, after.status, after.in_doubt) == (before.step, Status.ENROLLING, unsure)
    assert after.events == (Event(Kind.TROUBLE, before.step_name, outcome),)
    assert after.state is not None
    assert after.state.notices


def test_an_expired_transaction_expires_the_registration() -> None:
    error = TransactionExpired("idx.session.expired")
    error.description = "The session has expired."
    after = transitions.trouble(position(CODE_PAGE), error, CODE, unsure=False)
    assert (after.status, after.state, after.signal) == (Status.EXPIRED, None, registration_expired)
    assert after.explanation == ()


def test_an_answer_with_a_foreign_href_leaves_the_registration_in_doubt() -> None:
    assert transitions.trouble(position(CODE_PAGE), ForeignHref("elsewhere"), CODE).in_doubt
    assert not transitions.trouble(position(CODE_PAGE), AnswerLost("timeout"), CODE).in_doubt


# ---- what the visitor sees


@pytest.mark.parametrize(("may_skip_email", "is_offered"), [(True, True), (False, False)])
def test_mandatory_verification_cannot_be_skipped(may_skip_email: bool, is_offered: bool) -> None:
    before = position(CODE_PAGE)
    visible = transitions.visible_page(before.step, before.state, may_skip_email=lambda: may_skip_email)
    assert visible is not None
    assert (visible.skip is not None) == is_offered


def test_a_page_with_only_a_forbidden_skip_is_unsupported() -> None:
    page = document(step("skip", path="/idp/idx/skip"), authenticators=CODE_PAGE["authenticators"])
    before = position(page)
    visible = transitions.visible_page(before.step, before.state, may_skip_email=lambda: False)
    assert visible is not None
    assert visible.page == "unsupported"


def test_turning_to_another_page_adds_no_event_and_clears_notices_and_draft() -> None:
    before = position(CODE_PAGE, notices=(CODE_SENT_AGAIN,), draft={"a": "b"})
    after = transitions.turn_to(before, SELECT)
    assert after.state is not None
    assert (after.state.picked, after.state.notices, after.state.draft) == (SELECT, (), {})
    assert after.values["step"] == "select-authenticator-enroll"
    assert after.events == ()


@pytest.mark.parametrize("poll_at", [0.0, NOW + 60])
def test_a_poll_without_news_keeps_the_messages_of_the_answer(poll_at: float) -> None:
    before = position(with_messages(CODE_PAGE, WRONG_CODE))
    after = transitions.keep_polling(before, poll_at, answer(CODE_PAGE) if not poll_at else None)
    assert after.outcome == outcomes.NOTHING_NEW
    assert after.state is not None
    assert after.state.poll_at == poll_at
    assert keys(after) == (["api.authn.error.PASSCODE_INVALID"] if not poll_at else [])


def test_every_final_status_clears_the_state() -> None:
    ends: Mapping[Status, Transition] = {
        Status.FAILED: transitions.fail("step", "reason"),
        Status.EXPIRED: transitions.expire("step"),
        Status.CANCELLED: transitions.cancel("step"),
    }
    assert set(ends) == FINAL - {Status.COMPLETED}
    for status, transition in ends.items():
        assert (transition.status, transition.state) == (status, None)
        assert transition.outcome == outcomes.Ended(status)


# ---- what is written: columns, events and every member of the state

OURS = Message("", "selfreg.sent_again", severity="INFO")
HELLO = message("Hello.", "hello", severity="INFO")


def test_values_longer_than_their_column_are_truncated() -> None:
    user = {"type": "object", "value": {"id": "u" * 150}}
    after = transitions.advance(position(CODE_PAGE), answer({**SUCCESS, "user": user}), CODE)
    assert after.values["okta_user_id"] == "u" * 100
    assert transitions.await_sign_in("u" * 150).values == {"okta_user_id": "u" * 100, "step": ""}
    failed = transitions.fail("enroll-profile", "r" * 150)
    assert failed.values == {"failure": "r" * 100}
    assert failed.events == (Event(Kind.FAILED, "enroll-profile", "r" * 100),)
    faults = [message("", f"some.long.key.of.the.org.{number:04}") for number in range(10)]
    refused = transitions.advance(position(CODE_PAGE), answer(with_messages(CODE_PAGE, *faults), 400), CODE)
    assert len(refused.events[0].outcome) == 200


def test_the_columns_have_the_step_and_the_expiry_of_the_transaction() -> None:
    code = transitions.advance(position(SELECT_PAGE), answer(CODE_PAGE), SUBMITTED)
    assert code.values == {
        "step": "enroll-authenticator okta_email",
        "okta_user_id": "00u1",
        "expires_at": parse(CODE_PAGE).expires_at,
    }
    assert transitions.advance(position(CODE_PAGE), answer(SUCCESS), CODE).values["step"] == "token"


def test_the_next_step_starts_without_draft_notices_and_waits() -> None:
    before = position(CODE_PAGE, draft={"a": "b"}, notices=(OURS,), wait_until=1.0, resend_at=2.0)
    after = transitions.advance(before, answer(SELECT_PAGE), SUBMITTED).state
    assert after is not None
    assert after.document == Secret(json.dumps(SELECT_PAGE))
    assert (after.draft, after.notices, after.picked, after.wait_until, after.resend_at) == ({}, (), "", 0.0, 0.0)


def test_awaiting_email_clears_the_values_of_the_previous_page() -> None:
    before = position(PROFILE_PAGE, draft={"a": "b"}, notices=(OURS,), picked="autPHONE", resend_at=2.0)
    after = transitions.advance(before, answer(CHECK_MAIL), SUBMITTED)
    assert after.state is not None
    assert after.state.document == Secret(json.dumps(CHECK_MAIL))
    assert after.state.response == parse(CHECK_MAIL)
    assert (after.state.draft, after.state.notices, after.state.picked, after.state.resend_at) == ({}, (), "", 0.0)
    assert [m.key for m in after.explanation] == ["idx.email.verification.required"]
    assert after.events == (Event(Kind.ANSWERED, "enroll-profile", "ok", 250, "request-1"),)


def test_status_ready_keeps_the_message_of_the_org() -> None:
    link = {"name": "success-redirect", "href": "https://dev-1.example.com/login", "method": "GET"}
    redirect = document(success=link, messages=array(message("Welcome.", "welcome", severity="INFO")))
    after = transitions.advance(replace(position(CODE_PAGE), okta_user_id="00u9"), answer(redirect), CODE)
    assert after.outcome == outcomes.Ended(Status.READY)
    assert after.values == {"okta_user_id": "00u9", "step": ""}
    assert [m.text for m in after.explanation] == ["Welcome."]
    assert [e.kind for e in after.events] == [Kind.ANSWERED]


def test_the_event_of_a_failure_has_step_and_reason() -> None:
    denied = document(messages=array(message("No.", "security.access_denied")))
    after = transitions.advance(position(CODE_PAGE), answer(denied, 403), CODE)
    assert after.events[-1] == Event(Kind.FAILED, "enroll-authenticator okta_email", "security.access_denied")


def test_the_event_of_an_expiry_or_a_cancel_has_the_step() -> None:
    expired = transitions.expire("enroll-profile")
    assert expired.events == (Event(Kind.EXPIRED, "enroll-profile"),)
    assert expired.explanation == ()
    assert transitions.cancel("enroll-profile").events == (Event(Kind.CANCELLED, "enroll-profile"),)
    ran_out = transitions.trouble(position(CODE_PAGE), TransactionExpired("x"), CODE, unsure=False)
    assert ran_out.events == (Event(Kind.EXPIRED, "enroll-authenticator okta_email"),)


def test_awaiting_email_is_no_final_status() -> None:
    after = transitions.await_email()
    assert after == Transition(
        outcomes.Ended(Status.AWAITING_EMAIL),
        status=Status.AWAITING_EMAIL,
        values={"step": "selfreg.email_unproven"},
    )


def test_the_event_of_a_verified_address_has_the_step_that_verified_it() -> None:
    after = transitions.advance(position(CODE_PAGE), answer(SELECT_PAGE), CODE)
    assert after.events[-1] == Event(Kind.VERIFIED, "enroll-authenticator okta_email")


def test_an_unsupported_page_adds_one_trouble_event() -> None:
    app_only = document(step("enroll-poll"))
    after = transitions.advance(position(CODE_PAGE), answer(app_only), SUBMITTED)
    assert after.events[-1] == Event(Kind.TROUBLE, "enroll-poll", "unsupported")
    again = transitions.advance(position(app_only), answer(app_only), SUBMITTED)
    assert [e.kind for e in again.events] == [Kind.ANSWERED]


def test_a_known_text_of_okta_without_a_key_is_recorded_with_the_key_of_this_site() -> None:
    fault = message("Unable to initiate factor enrollment: Invalid Phone Number.")
    event = transitions.advance(position(CODE_PAGE), answer(with_messages(CODE_PAGE, fault), 400), CODE).events[0]
    assert event.outcome == "api.factors.error.sms.invalid_phone"


def test_the_event_of_an_answer_has_its_errors_and_duration() -> None:
    faults = (message("Too short.", "password.short"), message("Our own rule."))
    slow = replace(answer(with_messages(CODE_PAGE, *faults), 400), seconds=10.0)
    event = transitions.advance(position(CODE_PAGE), slow, CODE).events[0]
    assert (event.outcome, event.milliseconds) == (f"password.short {RegistrationEvent.OWN_WORDS}", 10_000)


# ---- waiting, in detail


@pytest.mark.parametrize("command", [CODE, Command(Kind.RESENT)])
def test_a_step_with_status_429_waits_with_a_message(command: Command) -> None:
    without_words = transitions.advance(position(CODE_PAGE), answer(CODE_PAGE, 429, wait=20), Command(Kind.RESENT))
    assert without_words.outcome == outcomes.Waiting(20, notice(RateLimited(20)))
    with_words = transitions.advance(
        position(CODE_PAGE), answer(with_messages(CODE_PAGE, WRONG_CODE), 429, wait=20), command
    )
    assert isinstance(with_words.outcome, outcomes.Waiting)
    assert (with_words.outcome.seconds, with_words.outcome.message.text) == (20, "Invalid code. Try again.")
    assert with_words.state is not None
    assert with_words.state.wait_until == NOW + 20


def test_a_refusal_without_a_step_keeps_the_draft() -> None:
    before = position(PROFILE_PAGE, Status.STARTED, wait_until=1.0)
    after = transitions.advance(before, answer(document(messages=array(message("Busy."))), 500), SUBMITTED)
    assert isinstance(after.outcome, outcomes.Rejected)
    assert [m.text for m in after.outcome.messages] == ["Busy."]
    assert after.status == Status.STARTED
    assert after.state is not None
    assert (after.state.draft, after.state.wait_until) == (SUBMITTED.draft, 0.0)
    assert [(e.kind, e.step) for e in after.events] == [(Kind.ANSWERED, "enroll-profile")]


@pytest.mark.parametrize(
    ("words", "expected"), [((), notice(RateLimited(20)).key), ((message("Slow down.", "slow"),), "slow")]
)
def test_a_refusal_with_status_429_waits_with_a_message(words: tuple[Json, ...], expected: str) -> None:
    after = transitions.advance(position(CODE_PAGE), answer(document(messages=array(*words)), 429, wait=20), CODE)
    assert isinstance(after.outcome, outcomes.Waiting)
    assert (after.outcome.seconds, after.outcome.message.key) == (20, expected)
    assert after.outcome.message.params == (("20",) if not words else ())


def test_a_code_can_be_resent_immediately_if_resend_seconds_is_zero() -> None:
    before = replace(position(CODE_PAGE, resend_at=5.0), resend_seconds=0)
    after = transitions.advance(before, answer(CODE_PAGE), Command(Kind.RESENT))
    assert after.state is not None
    assert after.state.resend_at == 0.0


# ---- after a doubt, in detail


def test_the_event_of_a_lost_answer_precedes_the_event_of_its_recovery() -> None:
    error = AnswerLost("timeout")
    error.request_id = "request-9"
    after = transitions.recover(position(PROFILE_PAGE), answer(with_messages(PROFILE_PAGE, HELLO)), SUBMITTED, error)
    assert after.events == (
        Event(Kind.TROUBLE, "enroll-profile", "AnswerLost", None, "request-9"),
        Event(Kind.RECOVERED, "enroll-profile", "ok", 250, "request-1"),
    )
    assert after.outcome == outcomes.Failed(error)
    assert after.state is not None
    assert after.state.document == Secret(json.dumps(with_messages(PROFILE_PAGE, HELLO)))
    assert after.state.response == parse(with_messages(PROFILE_PAGE, HELLO))
    assert keys(after) == ["selfreg.answer_lost"]


def test_an_answer_lost_by_an_earlier_request_adds_no_second_trouble_event() -> None:
    after = transitions.recover(replace(position(CODE_PAGE), in_doubt=True), answer(CODE_PAGE), CODE, None)
    assert isinstance(after.outcome, outcomes.Failed)
    assert isinstance(after.outcome.error, AnswerLost)
    assert [e.kind for e in after.events] == [Kind.RECOVERED]


def test_recovery_at_the_same_step_is_no_error_if_no_answer_was_lost() -> None:
    """As after a cancel at an identity provider."""
    after = transitions.recover(position(CODE_PAGE), answer(CODE_PAGE), Command(Kind.RECOVERED), None)
    assert after.outcome == outcomes.NOTHING_NEW
    assert after.state is not None
    assert after.state.notices == ()


def test_a_lost_answer_keeps_the_picked_page() -> None:
    before = position(SELECT_PAGE, picked="autPHONE")
    after = transitions.recover(before, answer(SELECT_PAGE), SUBMITTED, AnswerLost("timeout"))
    assert isinstance(after.step, Step)
    assert after.step.option is not None
    assert [e.kind for e in after.events] == [Kind.TROUBLE, Kind.RECOVERED]


def test_an_interaction_code_from_the_browser_replaces_the_stored_step() -> None:
    before = position(CODE_PAGE, interaction_code=Secret("canaryInteractionCode"))
    assert before.step == Granted(Secret("canaryInteractionCode"))
    assert transitions.has_moved(before, position(CODE_PAGE).step)
    assert not transitions.has_moved(position(CODE_PAGE), position(CODE_PAGE).step)


def test_catching_up_adds_a_notice_unless_the_transaction_is_complete() -> None:
    after = transitions.catch_up(position(CODE_PAGE), answer(SELECT_PAGE), CODE)
    assert isinstance(after.outcome, outcomes.Stale)
    assert after.outcome.message.key == "selfreg.already_done"
    assert after.proves_email
    done = transitions.catch_up(position(CODE_PAGE), answer(SUCCESS), CODE)
    assert done.outcome == outcomes.Advanced()
    assert keys(done) == []


def test_trouble_keeps_the_draft_and_the_waits() -> None:
    before = position(PROFILE_PAGE, Status.STARTED, wait_until=7.0)
    error = OrgUnreachable("refused")
    error.request_id = "request-9"
    after = transitions.trouble(before, error, SUBMITTED, unsure=False)
    assert after.outcome == outcomes.Failed(error)
    assert after.status == Status.STARTED
    assert after.state is not None
    assert (after.state.draft, after.state.wait_until) == (SUBMITTED.draft, 7.0)
    assert after.events[0].request_id == "request-9"
    lost = AnswerLost("timeout")
    assert transitions.trouble(before, lost, SUBMITTED, unsure=True).outcome == outcomes.Unsure(lost)
    limited = transitions.trouble(before, RateLimited(20), SUBMITTED, unsure=False)
    assert limited.outcome == outcomes.Waiting(20, notice(RateLimited(20)))
    assert limited.state is not None
    assert limited.state.wait_until == NOW + 20


def test_only_an_answer_of_the_org_resolves_the_doubt() -> None:
    before = replace(position(CODE_PAGE), in_doubt=True)
    busy = answer(document(), status=429)
    assert [
        t.in_doubt
        for t in (
            transitions.notify(before, outcomes.NOTHING_NEW),
            transitions.turn_to(before, "autPHONE"),
            transitions.keep_polling(before, 0.0),
            transitions.throttle(before, 3, SUBMITTED),
            transitions.advance(before, busy, SUBMITTED),
            transitions.recover(position(CODE_PAGE), busy, SUBMITTED, None),
        )
    ] == [True] * 6
    assert not transitions.keep_polling(before, 0.0, answer(CODE_PAGE)).in_doubt
    assert not transitions.recover(before, answer(CODE_PAGE), SUBMITTED, None).in_doubt
    assert not transitions.grant(before, Secret("canaryInteractionCode")).in_doubt


# ---- without a call, in detail


def test_turning_to_another_page_does_not_verify_the_address() -> None:
    after = transitions.turn_to(replace(position(SELECT_PAGE), okta_user_id="00u9"), "autPHONE")
    assert after.outcome == outcomes.Advanced()
    assert not after.proves_email
    assert after.values["okta_user_id"] == "00u9"


def test_a_notice_of_this_site_keeps_step_status_and_draft() -> None:
    before = position(PROFILE_PAGE, Status.STARTED, draft={"a": "b"})
    after = transitions.notify(before, outcomes.NotOffered(), OURS, phone="+4930123456")
    assert after.outcome == outcomes.NotOffered()
    assert (after.step, after.status) == (before.step, Status.STARTED)
    assert after.state == replace(before.state, notices=(OURS,), phone="+4930123456")


@pytest.mark.parametrize("has_answer", [True, False])
def test_a_poll_keeps_the_columns_and_the_picked_page(has_answer: bool) -> None:
    before = replace(position(SELECT_PAGE, picked="autPHONE"), okta_user_id="00u9")
    newer = with_messages(SELECT_PAGE, HELLO)
    after = transitions.keep_polling(before, NOW + 4, answer(newer) if has_answer else None)
    assert after.values["okta_user_id"] == "00u9"
    assert isinstance(after.step, Step)
    assert after.step.option is not None
    assert after.state is not None
    assert after.state.document == Secret(json.dumps(newer if has_answer else SELECT_PAGE))
    assert after.state.response == parse(newer if has_answer else SELECT_PAGE)


def test_an_interaction_code_from_the_browser_is_granted() -> None:
    after = transitions.grant(replace(position(SELECT_PAGE), okta_user_id="00u9"), Secret("canaryInteractionCode"))
    assert after.outcome == outcomes.Advanced()
    assert (after.status, after.step) == (Status.FINISHING, Granted(Secret("canaryInteractionCode")))
    assert after.values["okta_user_id"] == "00u9"
    assert after.state is not None
    assert after.state.interaction_code == Secret("canaryInteractionCode")


# ---- questions about an answer


def test_two_transitions_are_combined_with_the_events_of_both() -> None:
    news = message("Welcome.", "welcome", severity="INFO")
    first = transitions.advance(position(CODE_PAGE), answer(with_messages(SELECT_PAGE, news)), CODE)
    second = transitions.advance(position(SELECT_PAGE), answer(CODE_PAGE), SUBMITTED)
    both = transitions.both(first, second)
    assert both.proves_email
    assert [e.kind for e in both.events] == [Kind.ANSWERED, Kind.VERIFIED, Kind.ANSWERED]
    assert (both.step, both.values["step"]) == (second.step, second.values["step"])
    assert keys(both) == ["welcome"]


def test_only_a_refusal_without_a_step_is_a_denial() -> None:
    refusal = message("You do not have permission.", "security.access_denied")
    assert parse(document(messages=array(refusal))).is_denied
    assert not parse(with_messages(CODE_PAGE, refusal)).is_denied
    assert not parse(document(messages=array(WRONG_CODE))).is_denied
    assert not parse({**SUCCESS, "messages": array(refusal)}).is_denied


def test_a_page_is_a_step_and_nothing_else() -> None:
    page = position(CODE_PAGE).step
    assert transitions.as_page(page) is page
    assert transitions.as_page(position(SUCCESS).step) is None


def test_notices_of_this_site_come_before_messages_of_the_org() -> None:
    before = position(with_messages(SELECT_PAGE, WRONG_CODE), notices=(OURS,))
    visible = transitions.visible_page(before.step, before.state, may_skip_email=lambda: True)
    assert visible is not None
    assert [m.key for m in visible.messages] == ["selfreg.sent_again", "api.authn.error.PASSCODE_INVALID"]
    assert visible.page == "choose"


def test_an_optional_step_other_than_the_email_can_be_skipped() -> None:
    phone = CODE_PAGE["authenticators"]["value"][1]
    before = position({**CODE_PAGE, "authenticators": array(phone)})
    visible = transitions.visible_page(before.step, before.state, may_skip_email=lambda: False)
    assert visible is not None
    assert visible.skip is not None
