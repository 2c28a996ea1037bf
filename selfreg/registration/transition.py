"""Decides what an answer of the org means for a registration. Pure: no database, network, settings or clock.

``advance`` takes the current ``Position`` of a registration, a command, and the org's answer to it. It returns a
``Transition``: the next state, the columns of the row, the events to write, the signal to send and the outcome to
return. ``exchange`` makes the calls and commits.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from selfreg.idx.client import Answer
from selfreg.idx.document import IdxResponse, Message
from selfreg.idx.errors import AnswerLost, ForeignHref, IdxError, RateLimited, TransactionExpired
from selfreg.idx.steps import SKIP, UNSUPPORTED, Ended, Granted, Step, is_error, needed_after, next_step
from selfreg.models import RegistrationEvent
from selfreg.registration import outcome as outcomes
from selfreg.registration import transition_types as types
from selfreg.registration.outcome import Outcome
from selfreg.registration.state import EnrollmentState
from selfreg.registration.transition_types import AnyStep, Command, Event, Kind, Position, Transition, describe
from selfreg.secret import Secret
from selfreg.signals import registration_expired, registration_failed
from selfreg.statuses import Status
from selfreg.texts.messages import known_key, notice

PROFILE_PAGE = "profile"
ADDRESS_TAKEN = "registration.error.notUniqueWithinOrg"


# ---- the current step


def step_of(state: EnrollmentState) -> AnyStep:
    """Return the current step of a state."""
    return Granted(state.interaction_code) if state.interaction_code else next_step(state.response, state.picked)


def visible_page(step: AnyStep, state: EnrollmentState, *, may_skip_email: Callable[[], bool]) -> Step | None:
    """Return the step as the visitor sees it: with this site's notices, and no way to skip a required verification.

    None if the step has no page.

    :param may_skip_email: returns whether the address is verified, or doesn't have to be
    """
    if not isinstance(step, Step):
        return None
    has_email = any(a.key == "okta_email" for a in state.response.authenticators)
    skip = step.skip if step.skip is None or not has_email or may_skip_email() else None
    # If the page is only for skipping, and that isn't allowed, nothing is left to do.
    page = UNSUPPORTED if step.name == SKIP and skip is None else step.page
    return replace(step, messages=(*state.notices, *step.messages), skip=skip, page=page)


def row_values(before: Position, state: EnrollmentState, step: AnyStep) -> tuple[Status, dict[str, Any]]:
    """Return the status and the columns of a row with this state and step."""
    response = state.response
    match step:
        case Granted():
            status, name = Status.FINISHING, "token"
        case Ended():
            status, name = Status.AWAITING_EMAIL, step.reason
        case Step():
            # The org creates the account when it accepts the profile.
            has_account = response.user_id or step.page != PROFILE_PAGE or before.status == Status.ENROLLING
            status, name = (Status.ENROLLING if has_account else Status.STARTED), step.name
    return status, {
        "step": name[:100],
        "okta_user_id": response.user_id[:100] or before.okta_user_id,
        "expires_at": response.expires_at,
    }


def has_moved(before: Position, after: AnyStep) -> bool:
    """Return whether the org's step changed, whichever page of its answer the visitor picked."""
    step = next_step(before.state.response) if before.state.picked else before.step
    return not isinstance(after, Step) or not isinstance(step, Step) or after.name != step.name


# ---- after a call


def advance(before: Position, answer: Answer, command: Command) -> Transition:
    """Decide what the org's answer to a command means."""
    after = next_step(answer.response)
    if _is_refusal(answer, after):
        return _stay_after_refusal(before, answer, command)
    if isinstance(after, Ended):
        return _end(before, answer, command, after)
    errors = tuple(m for m in answer.response.messages if is_error(m))
    state = replace(
        before.state,
        document=answer.document,
        response=answer.response,
        draft=command.draft if errors else {},
        notices=_notices_after(before, after, command, errors),
        needed=needed_after(before.state.needed, answer.response),
        picked="",
        wait_until=before.now + answer.wait if answer.wait else 0.0,
        resend_at=_resend_at(before, after, command),
    )
    moved = has_moved(before, after)
    if errors and before.state.picked and (page := _picked_page(answer.response, before.state.picked)):
        after, state = page, replace(state, picked=before.state.picked)
    proven = command.proves_email and answer.status < 400 and not errors and moved
    events = [_answer_event(before, answer, command.kind)]
    if proven:
        events.append(Event(Kind.VERIFIED, before.step_name))
    if isinstance(after, Step) and after.page == UNSUPPORTED and after.name != before.step_name:
        events.append(Event(Kind.TROUBLE, after.name, "unsupported"))
    outcome = _outcome_after(answer, command, (*state.notices, *errors))
    return stay(before, state, after, outcome, events=tuple(events), proves_email=proven)


def recover(before: Position, answer: Answer, command: Command, error: IdxError | None) -> Transition:
    """Decide what the org's current step means, if it had to be asked for: an answer was lost, or the visitor came back
    from an identity provider.

    :param error: how this request lost the answer to ``command``; None if it lost none, see ``Position.in_doubt``
    """
    after, was_lost = next_step(answer.response), error is not None or before.in_doubt
    moved = has_moved(before, after)
    if moved:
        transition = advance(before, answer, command)
    else:
        state = replace(
            before.state,
            document=answer.document,
            response=answer.response,
            draft=command.draft,
            notices=(types.ANSWER_LOST,) if was_lost else (),
        )
        outcome = outcomes.Failed(error or AnswerLost("asked again")) if was_lost else outcomes.NOTHING_NEW
        event = _answer_event(before, answer, Kind.RECOVERED)
        transition = stay(before, state, next_step(state.response, state.picked), outcome, events=(event,))
    lost = (Event(Kind.TROUBLE, before.step_name, describe(error), None, error.request_id),) if error else ()
    in_doubt, events = _is_refusal(answer, after), (*lost, *transition.events)
    return replace(transition, events=events, in_doubt=in_doubt, came_to_nothing=in_doubt or not moved)


def catch_up(before: Position, answer: Answer, command: Command) -> Transition:
    """Show the org's current step, after it denied a step because it had moved on without this site."""
    transition = advance(before, answer, Command(Kind.RECOVERED, proves_email=command.proves_email))
    if not isinstance(transition.step, Step) or transition.state is None:
        return transition
    state = replace(transition.state, notices=(types.ALREADY_DONE,))
    return replace(transition, state=state, outcome=outcomes.Stale(types.ALREADY_DONE))


def as_page(step: AnyStep | None) -> Step | None:
    """Return the step if it has a page to fill in, else None."""
    return step if isinstance(step, Step) else None


def stands_elsewhere(before: Position, answer: Answer) -> bool:
    """Return whether the org moved on without this site, such as by its own page behind the link in an email."""
    step = next_step(answer.response)
    return not isinstance(step, Ended) and has_moved(before, step)


def trouble(before: Position, error: IdxError, command: Command, *, unsure: bool = False) -> Transition:
    """Stay at the step after a failed call, with a message.

    :param unsure: whether the org may have carried out the command
    """
    # An answer with a link that leads away from the org must not be stored: the next request asks the org again.
    unsure = unsure or isinstance(error, ForeignHref)
    if isinstance(error, TransactionExpired):
        return expire(before.step_name)
    state = replace(
        before.state,
        notices=(notice(error),),
        draft=command.draft,
        wait_until=before.now + error.retry_after if isinstance(error, RateLimited) else before.state.wait_until,
    )
    outcome: Outcome = outcomes.Unsure(error) if unsure else outcomes.Failed(error)
    if isinstance(error, RateLimited):
        outcome = outcomes.Waiting(error.retry_after, notice(error))
    event = Event(Kind.TROUBLE, before.step_name, describe(error), None, error.request_id)
    return replace(stay(before, state, before.step, outcome, events=(event,)), in_doubt=unsure, came_to_nothing=True)


def throttle(before: Position, seconds: int, command: Command) -> Transition:
    """Stay at the step: nothing was sent, because a limit is used up for so many seconds."""
    message = notice(RateLimited(seconds))
    return notify(before, outcomes.Waiting(seconds, message), message, draft=command.draft)


def both(first: Transition, second: Transition) -> Transition:
    """Return two transitions as one, for one commit: the state of the second, the notices and events of both."""
    state = second.state
    if state is not None and first.state is not None:
        told = dict.fromkeys((*first.state.notices, *first.state.response.messages))
        new = tuple(m for m in told if m not in (*state.notices, *state.response.messages))
        state = replace(state, notices=(*new, *state.notices))
    return replace(
        second,
        state=state,
        values={**first.values, **second.values},
        events=(*first.events, *second.events),
        proves_email=first.proves_email or second.proves_email,
    )


# ---- without a call


def turn_to(before: Position, picked: str, draft: dict[str, str] | None = None) -> Transition:
    """Show another page of the same answer, with ``draft`` filled in."""
    state = replace(before.state, picked=picked, notices=(), draft=draft or {})
    transition = stay(before, state, next_step(state.response, picked), outcomes.Advanced())
    return replace(transition, in_doubt=before.in_doubt)


def notify(before: Position, outcome: Outcome, *messages: Message, **changes: Any) -> Transition:
    """Show the same page with messages of this site. ``changes`` are further members of the state."""
    transition = stay(before, replace(before.state, notices=messages, **changes), before.step, outcome)
    return replace(transition, in_doubt=before.in_doubt)


def stay(
    before: Position,
    state: EnrollmentState,
    step: AnyStep,
    outcome: Outcome,
    *,
    events: tuple[Event, ...] = (),
    proves_email: bool = False,
) -> Transition:
    """Continue with this state and step."""
    status, columns = row_values(before, state, step)
    explanation = step.messages if isinstance(step, Ended) else ()
    return Transition(outcome, state, step, status, columns, events, explanation, proves_email)


def keep_polling(before: Position, poll_at: float, answer: Answer | None = None) -> Transition:
    """Stay at the step after a poll that brought nothing new.

    :param poll_at: when the next poll is allowed
    :param answer: the same step; its interval may have changed, and another email may be possible now
        (docs/protocol.md, section 4.7). Messages about the last code stay.
    """
    outcome = outcomes.NOTHING_NEW
    if answer is None:
        return notify(before, outcome, *before.state.notices, poll_at=poll_at)
    state = replace(before.state, poll_at=poll_at)
    messages = (*before.state.notices, *before.state.response.messages)
    remaining = tuple(m for m in messages if m not in answer.response.messages)
    state = replace(state, document=answer.document, response=answer.response, notices=remaining)
    return stay(before, state, next_step(answer.response, state.picked), outcome)


def grant(before: Position, interaction_code: Secret[str]) -> Transition:
    """Finish with an interaction code that the browser brought."""
    state = replace(before.state, interaction_code=interaction_code)
    return stay(before, state, Granted(interaction_code), outcomes.Advanced())


# ---- ends


def fail(step_name: str, reason: str, *explanation: Message) -> Transition:
    """End the registration as failed; ``reason`` is a key of ``texts.messages``."""
    events = (Event(Kind.FAILED, step_name, reason[:100]),)
    return Transition(
        outcomes.Ended(Status.FAILED),
        status=Status.FAILED,
        values={"failure": reason[:100]},
        events=events,
        explanation=explanation,
        signal=registration_failed,
        signal_values={"reason": reason},
    )


def expire(step_name: str) -> Transition:
    """End the registration because its transaction expired."""
    return Transition(
        outcomes.Ended(Status.EXPIRED),
        status=Status.EXPIRED,
        events=(Event(Kind.EXPIRED, step_name),),
        signal=registration_expired,
    )


def cancel(step_name: str) -> Transition:
    """Cancel the registration, for the visitor or an administrator."""
    event = Event(Kind.CANCELLED, step_name)
    return Transition(outcomes.Ended(Status.CANCELLED), status=Status.CANCELLED, events=(event,))


def await_sign_in(okta_user_id: str, *explanation: Message, events: tuple[Event, ...] = ()) -> Transition:
    """Wait for a sign-in at the org, which completes the registration."""
    return Transition(
        outcomes.Ended(Status.READY),
        status=Status.READY,
        values={"okta_user_id": okta_user_id[:100], "step": ""},
        events=events,
        explanation=explanation,
    )


def await_email() -> Transition:
    """Wait until the address is verified, by the org's link or on its sign-in page."""
    status = Status.AWAITING_EMAIL
    return Transition(outcomes.Ended(status), status=status, values={"step": "selfreg.email_unproven"})


def _end(before: Position, answer: Answer, command: Command, end: Ended) -> Transition:
    """End, or wait for the link in an email or for a sign-in, because the org offers no further step."""
    event = _answer_event(before, answer, command.kind)
    if end.awaits_sign_in:
        return await_sign_in(answer.response.user_id or before.okta_user_id, *end.messages, events=(event,))
    if end.awaits_email:
        kept = replace(before.state, draft={}, notices=(), picked="", resend_at=0.0)
        state = replace(kept, document=answer.document, response=answer.response)
        return stay(before, state, end, outcomes.Ended(Status.AWAITING_EMAIL), events=(event,))
    failed = fail(before.step_name, end.reason, *end.messages)
    return replace(failed, events=(event, *failed.events))


def _stay_after_refusal(before: Position, answer: Answer, command: Command) -> Transition:
    """Stay at the step although the answer has none: there were too many requests, or the org had an error."""
    messages = answer.response.messages
    wait_until = before.now + answer.wait if answer.wait else 0.0
    state = replace(before.state, draft=command.draft, notices=messages, wait_until=wait_until)
    outcome = _waiting(answer.wait, messages) if answer.wait else outcomes.Rejected(messages)
    transition = stay(before, state, before.step, outcome, events=(_answer_event(before, answer, command.kind),))
    return replace(transition, in_doubt=before.in_doubt)


def _is_refusal(answer: Answer, after: AnyStep) -> bool:
    """Return whether the org answered without a step because there were too many requests, or because it failed."""
    return isinstance(after, Ended) and (answer.status == 429 or answer.status >= 500)


def _answer_event(before: Position, answer: Answer, kind: RegistrationEvent.Kind) -> Event:
    errors = [m for m in answer.response.messages if is_error(m)]
    own = RegistrationEvent.OWN_WORDS
    keys = " ".join(m.key or known_key(m.text) or f"{own}:{m.path}".rstrip(":") for m in errors)[:200]
    outcome, milliseconds = answer.outcome or keys or "ok", round(answer.seconds * 1000)
    return Event(kind, before.step_name, outcome, milliseconds, answer.request_id)


def _notices_after(
    before: Position, after: Step | Granted, command: Command, errors: tuple[Message, ...]
) -> tuple[Message, ...]:
    """Return this site's messages about an answer."""
    page = after.page if isinstance(after, Step) else ""
    if errors:
        return (types.SIGN_IN_INSTEAD,) if any(_is_address_taken(m, command.draft) for m in errors) else ()
    if command.kind == Kind.RESENT:
        return (types.SENT_AGAIN.get(page, types.CODE_SENT_AGAIN),)
    is_same = command.kind == Kind.ANSWERED and _is_same_page(before.step, after)
    return (types.NOTHING_YET.get(page, types.ASKED_AGAIN),) if is_same else ()


def _is_address_taken(message: Message, typed: dict[str, str]) -> bool:
    """Return whether an error says that the person's address has an account. A login may be somebody else's."""
    is_address = message.path.rpartition(".")[2] in ("", "email") or "@" in typed.get(message.path, "")
    return message.key == ADDRESS_TAKEN and is_address


def _outcome_after(answer: Answer, command: Command, messages: tuple[Message, ...]) -> Outcome:
    faults = tuple(m for m in messages if is_error(m))
    if answer.wait:
        return _waiting(answer.wait, faults)
    if faults:
        return outcomes.Rejected(messages)
    return outcomes.Sent() if command.kind == Kind.RESENT else outcomes.Advanced()


def _waiting(seconds: int, messages: tuple[Message, ...]) -> Outcome:
    return outcomes.Waiting(seconds, next(iter(messages), notice(RateLimited(seconds))))


def _is_same_page(before: AnyStep, after: Step | Granted) -> bool:
    """Return whether the org answered a submission with the same page."""
    if not isinstance(before, Step) or not isinstance(after, Step):
        return False
    return (before.name, before.fields) == (after.name, after.fields)


def _picked_page(response: IdxResponse, picked: str) -> Step | None:
    """Return the page that the visitor picked, if the new answer has it too."""
    page = next_step(response, picked)
    return page if isinstance(page, Step) and (picked == page.remediation.name or page.option is not None) else None


def _resend_at(before: Position, after: Step | Granted, command: Command) -> float:
    """Return when the next code may be requested. One was just sent if it was requested or if its page is new."""
    if not isinstance(after, Step) or after.resend is None:
        return 0.0
    is_sent = command.kind == Kind.RESENT or has_moved(before, after)
    wait = before.resend_seconds
    return (before.now + wait if wait else 0.0) if is_sent else before.state.resend_at
