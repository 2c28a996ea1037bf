"""What can be done with a registration, whoever asks for it: pages, the JSON API, administrators, management commands.

Each command decides what to send, has ``exchange`` make the call and ``transition`` say what the answer means, commits
that once, and returns an ``Outcome``. Every command raises ``Conflict`` when another request is at work on the
registration or was quicker: then nothing was written, and the row has to be read again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from selfreg import rate_limits
from selfreg.addresses import canonical
from selfreg.idx.client import Grant
from selfreg.idx.deadline import time_left
from selfreg.idx.document import Action, Message, Option
from selfreg.idx.errors import IdxError, RateLimited, TransactionExpired
from selfreg.idx.steps import SELECT, UNSUPPORTED, identity_providers, needs_details, option_id, sends_on_choice
from selfreg.profile_hook import ProfileRefused, judge
from selfreg.rate_limits import NO_EFFECT, Effect
from selfreg.registration import outcome as outcomes
from selfreg.registration import transition as transitions
from selfreg.registration.exchange import (
    CLAIM_SECONDS,
    Answered,
    Attempt,
    Call,
    Recovered,
    Result,
    Throttled,
    Trouble,
    ask,
    claim,
    commit,
    exchange,
    send,
)
from selfreg.registration.outcome import Outcome
from selfreg.registration.policy import within_org
from selfreg.registration.state import seconds_until
from selfreg.registration.transition import PROFILE_PAGE
from selfreg.registration.values import Command, Kind, Position, Transition
from selfreg.statuses import Status
from selfreg.texts.messages import notice

PROFILE = "userProfile"
PHONE_NUMBER = "authenticator.phoneNumber"
MAX_EMAIL = 254
# Pages whose submission checks a code.
CODE_PAGES = ("code", "totp")
# On a 429 Okta's widget waits a minute before it polls again (docs/protocol.md, section 4.7).
POLL_PAUSE_SECONDS = 60
POLL_MILLISECONDS = 4_000
# Token, keys and userinfo together.
HAND_OFF_SECONDS = 8.0
# With less time left than that the last page is shown, whose button signs in: a token asked for too late is lost.
ENOUGH_SECONDS = 5.5


# ---- the present step


@sensitive_variables()
def submit(attempt: Attempt, values: Mapping[str, Any], draft: dict[str, str]) -> Outcome:
    """Sends the present step.

    :param values: nested JSON by the org's names
    :param draft: what to show again if the org finds fault with it; no secrets
    """
    page = attempt.page
    if page is None or page.page == UNSUPPORTED:
        return outcomes.NotOffered()
    if page.page == PROFILE_PAGE:
        return _submit_profile(attempt, page.remediation, values, draft)
    number = str(member(values, "authenticator").get("phoneNumber") or "")
    if number and (key := _refused_number(attempt, number)):
        return _reject(attempt, draft, Message("", key, path=PHONE_NUMBER))
    effect = NO_EFFECT
    if number or (page.option and sends_on_choice(page.option)):
        effect = Effect(sends=True, number=number)
    elif page.page in CODE_PAGES:
        effect = Effect(checks=f"{page.name} {attempt.position.state.resend_at}")
    if number:
        attempt.change(phone=number)
    command = Command(Kind.ANSWERED, draft, proves_email=page.proves_email)
    return _perform(attempt, command, Call(page.remediation, effect, values=values))


def choose(attempt: Attempt, authenticator_id: str) -> Outcome:
    """Takes one of the offered authenticators; asks for its details first if it has any."""
    page = attempt.page
    option = next((o for o in page.choices if option_id(o) == authenticator_id), None) if page else None
    if page is None or option is None:
        return outcomes.NotOffered()
    if needs_details(page.remediation, option):
        return _commit(attempt, transitions.turn_to(attempt.position, option_id(option)))
    effect = Effect(sends=sends_on_choice(option))
    return _perform(attempt, Command(Kind.ANSWERED), _call_to_choose(page.remediation, option, effect))


def show_choices(attempt: Attempt) -> Outcome:
    """Back to the choice of authenticators; no call."""
    if attempt.page is None or attempt.page.others is None:
        return outcomes.NotOffered()
    return _commit(attempt, transitions.turn_to(attempt.position, SELECT))


def skip(attempt: Attempt) -> Outcome:
    """Skips everything that is optional from here on."""
    if attempt.page is None or attempt.page.skip is None:
        return outcomes.NotOffered()
    return _perform(attempt, Command(Kind.SKIPPED), Call(attempt.page.skip, NO_EFFECT))


def resend(attempt: Attempt) -> Outcome:
    """Has the code sent again."""
    page = attempt.page
    if page is None:
        return outcomes.NotOffered()
    state = attempt.position.state
    if wait := seconds_until(state.resend_at):
        message = Message("", "selfreg.resend_wait", (str(wait),), "INFO")
        waiting = outcomes.Waiting(wait, message)
        return _commit(attempt, transitions.notify(attempt.position, waiting, message))
    if page.resend is None:
        return outcomes.NotOffered()
    number = state.phone if page.authenticator and page.authenticator.kind == "phone" else ""
    return _perform(attempt, Command(Kind.RESENT), Call(page.resend, Effect(sends=True, number=number)))


def poll(attempt: Attempt) -> Outcome:
    """Asks the org whether the visitor went on elsewhere: on its own page behind the link of a mail.

    :return: ``NOTHING_NEW``, ``Advanced``; ``Ended``; ``Granted``
    """
    page = attempt.page
    if page is None or page.poll is None:
        return outcomes.NOTHING_NEW
    state = attempt.position.state
    if max(state.wait_until, state.poll_at) > timezone.now().timestamp() or rate_limits.pace(state.calls):
        return outcomes.NOTHING_NEW
    claim(attempt)
    attempt.count_calls()
    try:
        answer = attempt.client.proceed(page.poll, {})
    except TransactionExpired as error:
        return _commit(attempt, transitions.expire(attempt.row.step, error.description))
    except IdxError as error:
        poll_at = timezone.now().timestamp() + POLL_PAUSE_SECONDS if isinstance(error, RateLimited) else state.poll_at
        return _commit(attempt, transitions.keep_polling(attempt.position, poll_at))
    if answer.status == 429:
        return _commit(
            attempt, transitions.keep_polling(attempt.position, timezone.now().timestamp() + POLL_PAUSE_SECONDS)
        )
    if not transitions.answer_moves(attempt.position, answer):
        return _commit(attempt, transitions.keep_polling(attempt.position, 0.0, answer))
    command = Command(Kind.ANSWERED, proves_email=page.proves_email)
    return _settle(attempt, transitions.advance(attempt.position, answer, command))


def poll_milliseconds(attempt: Attempt) -> int:
    """How long a waiting page waits before it asks again: what the org says, longer while it limits us."""
    if attempt.page is None or attempt.page.poll is None:
        return POLL_MILLISECONDS
    state = attempt.position.state
    paused = round((max(state.wait_until, state.poll_at) - timezone.now().timestamp()) * 1000)
    return max(attempt.page.poll.refresh_ms, POLL_MILLISECONDS, paused)


# ---- around the steps


def refresh(attempt: Attempt, draft: dict[str, str] | None = None) -> Outcome:
    """Asks the org where the registration stands, if a lost answer left that open.

    :param draft: what was typed meanwhile, to show again if that is still the step; no secrets
    """
    if not attempt.row.in_doubt or attempt.state is None:
        return outcomes.NOTHING_NEW
    if draft is not None:
        attempt.change(draft=draft)
    if attempt.state.wait_until > timezone.now().timestamp():
        if draft is not None:
            _commit(attempt, transitions.remain_in_doubt(attempt.position))
        return outcomes.NOTHING_NEW
    claim(attempt)
    command = Command(Kind.RECOVERED, attempt.state.draft)
    return _settle(attempt, _transition(attempt, ask(attempt), command))


def identity_provider_url(attempt: Attempt, idp_id: str) -> str:
    """Where to send the browser for signing up through an identity provider of the org; "" if it has no such one."""
    if attempt.state is None:
        return ""
    links = [r for r in identity_providers(attempt.state.response) if r.idp_id == idp_id]
    return within_org(attempt.org.client.app, links[0].href) if links else ""


def return_from_identity_provider(attempt: Attempt, interaction_code: str) -> Outcome:
    """The browser came back: with the interaction code, or with the org knowing more (``interaction_required``)."""
    if interaction_code:
        return _settle(attempt, transitions.grant(attempt.position, interaction_code))
    claim(attempt)
    return _settle(attempt, _transition(attempt, ask(attempt), Command(Kind.RECOVERED)))


def finish(attempt: Attempt) -> Outcome:
    """Claims the interaction code, for one caller only."""
    if not transitions.is_granted(attempt.present):
        return outcomes.NotOffered()
    claim(attempt)
    return outcomes.Granted(_grant(attempt))


def tell(attempt: Attempt, *messages: Message) -> Outcome:
    """Leaves messages of this site for the next page."""
    return _commit(attempt, transitions.notify(attempt.position, outcomes.Stale(messages[0]), *messages))


def report_failure(attempt: Attempt, error: IdxError) -> Outcome:
    """A call after the last step failed: the registration stays where it was, and its page says so."""
    command = Command(Kind.TROUBLE, attempt.position.state.draft)
    return _commit(attempt, transitions.trouble(attempt.position, error, command, unsure=False))


# ---- the pipeline


def _perform(attempt: Attempt, command: Command, call: Call, *, starts_email: bool = False, **columns: Any) -> Outcome:
    """One call and what becomes of it.

    :param starts_email: where the answer is a choice that has e-mail, it is taken at once
    :param columns: of the row, see ``models.RowValues``
    """
    result = exchange(attempt, call, **columns)
    transition = _transition(attempt, result, command)
    if starts_email and (email := transitions.email_choice(transition)):
        remediation, option = email
        attempt.adopt(transition)
        # Its mail was counted with the form, before the org said anything: who has to wait learns nothing.
        follow_up = _transition(
            attempt, send(attempt, _call_to_choose(remediation, option, NO_EFFECT)), Command(Kind.ANSWERED)
        )
        transition = replace(follow_up, events=(*transition.events, *follow_up.events))
    return _settle(attempt, transition, **columns)


def _transition(attempt: Attempt, result: Result, command: Command) -> Transition:
    before = attempt.position
    match result:
        case Throttled(seconds):
            return _throttled(before, seconds, command)
        case Trouble(error, unsure):
            return transitions.trouble(before, error, command, unsure=unsure)
        case Recovered(answer, error):
            return transitions.recover(before, answer, command, error)
        case Answered(answer, is_elsewhere=True):
            return transitions.catch_up(before, answer, command)
        case Answered(answer):
            return transitions.advance(before, answer, command)


def _commit(attempt: Attempt, transition: Transition, **columns: Any) -> Outcome:
    commit(attempt, transition, **columns)
    return transition.outcome


def _settle(attempt: Attempt, transition: Transition, **columns: Any) -> Outcome:
    """Commits; where the org is done and a visitor is there to be signed in, the claim is kept for that."""
    is_granted = transition.status == Status.FINISHING and not transition.in_doubt
    if is_granted and attempt.signs_in and time_left(HAND_OFF_SECONDS) >= ENOUGH_SECONDS:
        commit(attempt, transition, hold=CLAIM_SECONDS, **columns)
        return outcomes.Granted(_grant(attempt))
    return _commit(attempt, transition, **columns)


def _grant(attempt: Attempt) -> Grant:
    position = attempt.position
    transaction = position.state.transaction
    return Grant(
        transitions.interaction_code(position),
        transaction.code_verifier,
        transaction.nonce,
        attempt.row.workflow,
        attempt.row.email if attempt.email_proven else "",
    )


def _call_to_choose(remediation: Action, option: Option, effect: Effect) -> Call:
    constants = {f.name: f.value for f in option.fields if not f.mutable and f.value is not None}
    return Call(remediation, effect, is_repeatable=effect == NO_EFFECT, values={"authenticator": constants})


def _throttled(before: Position, seconds: int, command: Command) -> Transition:
    message = notice(RateLimited(seconds))
    return transitions.notify(before, outcomes.Waiting(seconds, message), message, draft=command.draft)


def _reject(attempt: Attempt, draft: dict[str, str], *messages: Message) -> Outcome:
    """This site's own word: nothing is sent, and its messages stand beside the fields."""
    return _commit(attempt, transitions.notify(attempt.position, outcomes.Rejected(messages), *messages, draft=draft))


# ---- before a call


@sensitive_variables()
def _submit_profile(attempt: Attempt, remediation: Action, values: Mapping[str, Any], draft: dict[str, str]) -> Outcome:
    """Sends a profile form, once the limits and the site's own hook let it through."""
    settings, profile, command = attempt.org.settings, member(values, PROFILE), Command(Kind.ANSWERED, draft)
    address = rate_limits.address_in(profile)
    # A new registration was counted before it had a row.
    wait = 0
    if address and not attempt.row.is_new:
        wait = rate_limits.consume_start(str(attempt.row.pk), address, attempt.org.client.visitor.ip)
    if wait:
        return _commit(attempt, _throttled(attempt.position, wait, command))
    # Before the org made an account this is the first page, perhaps once more.
    earlier = attempt.position.state.profile if attempt.row.okta_user_id else {}
    attempt.change(profile=earlier | draft)
    try:
        profile = _judged(settings.profile_hook, earlier, profile)
    except ProfileRefused as refusal:
        paths = {f"{PROFILE}.{name}" if name else "": text for name, text in refusal.errors.items()}
        return _reject(attempt, draft, *(Message(text, "selfreg.profile_hook", path=p) for p, text in paths.items()))
    columns = {}
    if not attempt.email_proven:
        email = str(profile.get("email", attempt.row.email))[:MAX_EMAIL]
        columns = {"email": email, "email_canonical": canonical(email)}
    starts_email = attempt.org.hides_accounts and remediation.name == "enroll-profile"
    effect = Effect(sends=starts_email)
    calls = 2 if starts_email else 1
    call = Call(remediation, effect, values={**values, PROFILE: profile}, calls=calls)
    return _perform(attempt, command, call, starts_email=starts_email, **columns)


def _judged(hook: str, earlier: Mapping[str, str], profile: Mapping[str, Any]) -> dict[str, Any]:
    """What the site's hook makes of a profile. A page that asks for more is judged together with the pages before it.

    :raises ProfileRefused: the hook says no
    """
    before = {name.removeprefix(f"{PROFILE}."): value for name, value in earlier.items()}
    amended = judge(hook, {**before, **profile})
    return {name: value for name, value in amended.items() if name in profile or name not in before}


def _refused_number(attempt: Attempt, number: str) -> str:
    """The message for a number that this site sends nothing to, "" if it does."""
    settings = attempt.org.settings
    if settings.phone_after_email and not attempt.email_proven:
        return "selfreg.phone_after_email"
    is_allowed = not settings.phone_countries or rate_limits.region(number) in settings.phone_countries
    return "" if is_allowed else "selfreg.phone_country"


def member(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under this name; an empty one where the org has a single value there."""
    value = values.get(name)
    return value if isinstance(value, Mapping) else {}
