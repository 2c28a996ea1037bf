"""What an answer of the org means for a registration. Pure: no database, no network, no settings, no clock.

From where a registration stands (``Position``) and the org's answer to a command, ``advance`` makes what becomes of it
(``Transition``): the next state, the values of its row, the events to write, the signal to announce and the outcome to
tell. ``commands`` makes the calls and commits.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from selfreg.idx.client import Answer
from selfreg.idx.document import IdxResponse, Message, Option, Remediation
from selfreg.idx.errors import AnswerLost, ForeignHref, IdxError, RateLimited, TransactionExpired
from selfreg.idx.steps import SELECT, SKIP, UNSUPPORTED, Ended, Granted, Step, is_error, next_step, option_id
from selfreg.models import RegistrationEvent
from selfreg.registration import outcome as outcomes
from selfreg.registration import values
from selfreg.registration.outcome import Outcome
from selfreg.registration.state import EnrollmentState
from selfreg.registration.values import AnyStep, Command, Event, Kind, Position, Transition
from selfreg.signals import registration_expired, registration_failed
from selfreg.statuses import Status
from selfreg.texts.messages import notice, notices

PROFILE_PAGE = "profile"
ADDRESS_TAKEN = "registration.error.notUniqueWithinOrg"


# ---- where a state stands


def step_of(state: EnrollmentState) -> AnyStep:
    """The step that a state stands at."""
    return Granted(state.interaction_code) if state.interaction_code else next_step(state.response, state.picked)


def visible_step(step: AnyStep, state: EnrollmentState, *, may_skip_email: Callable[[], bool]) -> AnyStep:
    """The step as the visitor sees it: with this site's notices, and without a skip past the proof of the address.

    :param may_skip_email: whether the address is proven, or need not be; asked only where there is a skip
    """
    if not isinstance(step, Step):
        return step
    has_email = any(a.key == "okta_email" for a in state.response.authenticators)
    skip = step.skip if step.skip is None or not has_email or may_skip_email() else None
    # A page with nothing to do but a skip that is not allowed.
    page = UNSUPPORTED if step.name == SKIP and skip is None else step.page
    return replace(step, messages=(*state.notices, *step.messages), skip=skip, page=page)


def row_values(before: Position, state: EnrollmentState, step: AnyStep) -> tuple[Status, dict[str, Any]]:
    """Status and columns of a row whose ``state`` stands at ``step``."""
    response = state.response
    match step:
        case Granted():
            status, name = Status.FINISHING, "token"
        case Ended():
            status, name = Status.AWAITING_EMAIL, step.reason
        case Step():
            # The org makes the account when it accepts the profile.
            has_account = response.user_id or step.page != PROFILE_PAGE or before.status == Status.ENROLLING
            status, name = (Status.ENROLLING if has_account else Status.STARTED), step.name
    return status, {
        "step": name[:100],
        "okta_user_id": response.user_id[:100] or before.okta_user_id,
        "expires_at": response.expires_at,
    }


def has_moved(before: Position, after: AnyStep) -> bool:
    """Whether the org stands at another step than before."""
    # Whatever page of the answer the visitor turned to.
    step = next_step(before.state.response) if before.state.picked else before.step
    return not isinstance(after, Step) or not isinstance(step, Step) or after.name != step.name


# ---- after a call


def advance(before: Position, answer: Answer, command: Command) -> Transition:
    """What the org's answer to a command means."""
    after = next_step(answer.response)
    if isinstance(after, Ended):
        no_step = answer.status == 429 or answer.status >= 500
        return _stay_after_refusal(before, answer, command) if no_step else _end(before, answer, command, after)
    errors = tuple(m for m in answer.response.messages if is_error(m))
    state = replace(
        before.state,
        document=answer.document,
        response=answer.response,
        draft=command.draft if errors else {},
        notices=_notices_after(before, after, command, errors),
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
    """What the present step of the org (introspected) means after the answer to ``command`` was lost.

    :param error: what was lost, None when a request before this one lost it
    """
    moved = has_moved(before, next_step(answer.response))
    if moved:
        transition = advance(before, answer, command)
    else:
        own_words = (Message(error.description),) if error and error.description else ()
        state = replace(
            before.state,
            document=answer.document,
            response=answer.response,
            draft=command.draft,
            notices=(values.ANSWER_LOST, *own_words),
        )
        outcome = outcomes.Failed(error or AnswerLost("asked again"))
        event = _answer_event(before, answer, Kind.RECOVERED)
        transition = stay(before, state, next_step(state.response, state.picked), outcome, events=(event,))
    lost = (Event(Kind.TROUBLE, before.step_name, type(error).__name__, None, error.request_id),) if error else ()
    return replace(transition, events=(*lost, *transition.events))


def catch_up(before: Position, answer: Answer, command: Command) -> Transition:
    """The org denied a step because it had moved on without this site: it is shown where it stands now."""
    transition = advance(before, answer, Command(Kind.RECOVERED, proves_email=command.proves_email))
    if not isinstance(transition.step, Step) or transition.state is None:
        return transition
    state = replace(transition.state, notices=(values.ALREADY_DONE,))
    return replace(transition, state=state, outcome=outcomes.Stale(values.ALREADY_DONE))


def page_of(step: AnyStep | None) -> Step | None:
    """The step, where there is a page to fill in."""
    return step if isinstance(step, Step) else None


def is_granted(step: AnyStep | None) -> bool:
    """Whether the org is done."""
    return isinstance(step, Granted)


def interaction_code(position: Position) -> str:
    """The code of a registration whose org is done; "" for every other."""
    return position.step.interaction_code if isinstance(position.step, Granted) else ""


def email_choice(transition: Transition) -> tuple[Remediation, Option] | None:
    """E-mail among the choices of a page, to be taken for the visitor."""
    page = page_of(transition.step)
    options = [o for o in page.choices if o.authenticator and o.authenticator.key == "okta_email"] if page else []
    return (page.remediation, options[0]) if page and options and option_id(options[0]) else None


def answer_moves(before: Position, answer: Answer) -> bool:
    """Whether an answer stands at another step than before."""
    return has_moved(before, next_step(answer.response))


def stands_elsewhere(before: Position, answer: Answer) -> bool:
    """Whether the org went on without this site: by its own page behind the link of a mail."""
    step = next_step(answer.response)
    return not isinstance(step, Ended) and has_moved(before, step)


def is_denied(response: IdxResponse) -> bool:
    """How an org answers a step that is not open any more; also how it ends a sign-up that its policy denies."""
    is_over = not response.remediations and not response.interaction_code
    return is_over and any(m.key == "security.access_denied" for m in response.messages)


def trouble(before: Position, error: IdxError, command: Command, *, unsure: bool) -> Transition:
    """The exchange failed: the registration stays where it was, and its page says what happened.

    :param unsure: the org may have carried out the command, or its answer must not be kept
    """
    if isinstance(error, TransactionExpired):
        return expire(before.step_name, error.description)
    state = replace(
        before.state,
        notices=notices(error),
        draft=command.draft,
        wait_until=before.now + error.retry_after if isinstance(error, RateLimited) else before.state.wait_until,
    )
    outcome: Outcome = outcomes.Unsure(error) if unsure else outcomes.Failed(error)
    if isinstance(error, RateLimited):
        outcome = outcomes.Waiting(error.retry_after, notice(error))
    event = Event(Kind.TROUBLE, before.step_name, values.describe(error), None, error.request_id)
    return replace(stay(before, state, before.step, outcome, events=(event,)), in_doubt=unsure)


# ---- without a call


def turn_to(before: Position, picked: str) -> Transition:
    """Another page of the same answer."""
    state = replace(before.state, picked=picked, notices=(), draft={})
    return stay(before, state, next_step(state.response, picked), outcomes.Advanced())


def notify(before: Position, outcome: Outcome, *messages: Message, **changes: Any) -> Transition:
    """The same page with messages of this site. ``changes`` are further members of the state."""
    return stay(before, replace(before.state, notices=messages, **changes), before.step, outcome)


def stay(
    before: Position,
    state: EnrollmentState,
    step: AnyStep,
    outcome: Outcome,
    *,
    events: tuple[Event, ...] = (),
    proves_email: bool = False,
) -> Transition:
    """The registration goes on with ``state``, which stands at ``step``."""
    status, columns = row_values(before, state, step)
    explanation = step.messages if isinstance(step, Ended) else ()
    return Transition(outcome, state, step, status, columns, events, explanation, proves_email)


def keep_polling(before: Position, poll_at: float, answer: Answer | None = None) -> Transition:
    """A poll brought nothing new.

    :param poll_at: the next one is allowed from then on
    :param answer: the same step, whose interval may be another and where a new mail may be possible by now
        (docs/protocol.md, section 4.7); what was said about the last code stays
    """
    outcome, state = outcomes.NOTHING_NEW, replace(before.state, poll_at=poll_at)
    if answer is None:
        return stay(before, state, before.step, outcome)
    messages = (*before.state.notices, *before.state.response.messages)
    remaining = tuple(m for m in messages if m not in answer.response.messages)
    state = replace(state, document=answer.document, response=answer.response, notices=remaining)
    return stay(before, state, next_step(answer.response, state.picked), outcome)


def remain_in_doubt(before: Position) -> Transition:
    """Too early to ask the org what became of a lost answer."""
    transition = stay(before, before.state, before.step, outcomes.NOTHING_NEW)
    return replace(transition, in_doubt=True)


def grant(before: Position, interaction_code: str) -> Transition:
    """The org is done, and its code came by the browser."""
    state = replace(before.state, interaction_code=interaction_code)
    return stay(before, state, Granted(interaction_code), outcomes.Advanced())


# ---- ends


def fail(step_name: str, reason: str, *explanation: Message) -> Transition:
    """For a reason that the person cannot put right on this page; ``reason`` is a key of ``texts``."""
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


def expire(step_name: str, description: str = "") -> Transition:
    """The transaction ran out; ``description`` is the org's sentence, if it said so itself."""
    return Transition(
        outcomes.Ended(Status.EXPIRED),
        status=Status.EXPIRED,
        events=(Event(Kind.EXPIRED, step_name),),
        explanation=(Message(description),) if description else (),
        signal=registration_expired,
    )


def cancel(step_name: str) -> Transition:
    """The person, or an administrator, gives up."""
    event = Event(Kind.CANCELLED, step_name)
    return Transition(outcomes.Ended(Status.CANCELLED), status=Status.CANCELLED, events=(event,))


def await_sign_in(okta_user_id: str, *explanation: Message, events: tuple[Event, ...] = ()) -> Transition:
    """The org is done; signing in at the org completes the registration."""
    return Transition(
        outcomes.Ended(Status.READY),
        status=Status.READY,
        values={"okta_user_id": okta_user_id[:100], "step": ""},
        events=events,
        explanation=explanation,
    )


def await_email() -> Transition:
    """The address has to be proven, by the org's link or at its sign-in page."""
    status = Status.AWAITING_EMAIL
    return Transition(outcomes.Ended(status), status=status, values={"step": "selfreg.email_unproven"})


def keeps_answer(error: IdxError) -> bool:
    """Whether the kept answer can still be gone on from; one that leads elsewhere must be asked for anew."""
    return not isinstance(error, ForeignHref)


def _end(before: Position, answer: Answer, command: Command, end: Ended) -> Transition:
    """The org offers no step: the sign-up is over, or waits for the link of a mail or for a sign-in."""
    event = _answer_event(before, answer, command.kind)
    if end.awaits_sign_in:
        return await_sign_in(answer.response.user_id or before.okta_user_id, *end.messages, events=(event,))
    if end.awaits_email:
        state = replace(
            before.state,
            document=answer.document,
            response=answer.response,
            draft={},
            notices=(),
            picked="",
            resend_at=0.0,
        )
        return stay(before, state, end, outcomes.Ended(Status.AWAITING_EMAIL), events=(event,))
    failed = fail(before.step_name, end.reason, *end.messages)
    return replace(failed, events=(event, *failed.events))


def _stay_after_refusal(before: Position, answer: Answer, command: Command) -> Transition:
    """No step, but no end either (too many requests, or an error of the org): the step before it still stands."""
    messages = answer.response.messages
    state = replace(
        before.state,
        draft=command.draft,
        notices=messages,
        wait_until=before.now + answer.wait if answer.wait else 0.0,
    )
    outcome: Outcome = outcomes.Rejected(messages)
    if answer.wait:
        outcome = outcomes.Waiting(answer.wait, next(iter(messages), notice(RateLimited(answer.wait))))
    return stay(before, state, before.step, outcome, events=(_answer_event(before, answer, command.kind),))


def _answer_event(before: Position, answer: Answer, kind: RegistrationEvent.Kind) -> Event:
    errors = [m for m in answer.response.messages if is_error(m)]
    keys = " ".join(m.key or RegistrationEvent.OWN_WORDS for m in errors)[:200]
    return Event(
        kind, before.step_name, answer.outcome or keys or "ok", round(answer.seconds * 1000), answer.request_id
    )


def _notices_after(
    before: Position, after: Step | Granted, command: Command, errors: tuple[Message, ...]
) -> tuple[Message, ...]:
    """What this site has to say about an answer."""
    if any(m.key == ADDRESS_TAKEN for m in errors):
        return (values.SIGN_IN_INSTEAD,)
    if errors:
        return ()
    if command.kind == Kind.RESENT:
        return (values.CODE_SENT_AGAIN,)
    return (values.ASKED_AGAIN,) if command.kind == Kind.ANSWERED and _is_same_page(before.step, after) else ()


def _outcome_after(answer: Answer, command: Command, messages: tuple[Message, ...]) -> Outcome:
    faults = tuple(m for m in messages if is_error(m))
    if answer.wait:
        return outcomes.Waiting(answer.wait, next(iter(faults), notice(RateLimited(answer.wait))))
    if faults:
        return outcomes.Rejected(messages)
    return outcomes.Sent() if command.kind == Kind.RESENT else outcomes.Advanced()


def _is_same_page(before: AnyStep, after: Step | Granted) -> bool:
    """Whether the org answers a submission with the very page that was submitted."""
    if not isinstance(before, Step) or not isinstance(after, Step):
        return False
    return (before.name, before.fields) == (after.name, after.fields)


def _picked_page(response: IdxResponse, picked: str) -> Step | None:
    """The page that the visitor turned to, if the new answer still has it."""
    page = next_step(response, picked)
    return page if isinstance(page, Step) and (picked == SELECT or page.option is not None) else None


def _resend_at(before: Position, after: Step | Granted, command: Command) -> float:
    """When the next code may be asked for. One was just sent if it was asked for, or if a page for its code is new."""
    if not isinstance(after, Step) or after.resend is None:
        return 0.0
    is_sent = command.kind == Kind.RESENT or has_moved(before, after)
    wait = before.resend_seconds
    return (before.now + wait if wait else 0.0) if is_sent else before.state.resend_at
