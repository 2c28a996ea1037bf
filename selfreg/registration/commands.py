"""The commands on a registration. Pages, the JSON API, admin actions and management commands all use them.

A command decides what to send. ``exchange`` makes the call, ``transition`` decides what the answer means, and the
command commits that once and returns an ``Outcome``. Every command raises ``Conflict`` if another request is changing
the registration, or changed it first. Nothing was written then, and the row has to be read again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils import timezone

from selfreg import phone_numbers, rate_limits
from selfreg.email_addresses import MAX_LENGTH, canonical
from selfreg.idx import steps
from selfreg.idx.authenticators import EMAIL
from selfreg.idx.client import Grant
from selfreg.idx.deadline import time_left
from selfreg.idx.document import Action, Message, Option, Remediation
from selfreg.idx.errors import IdxError, RateLimited, TransactionExpired
from selfreg.idx.steps import Step
from selfreg.models import Conflict, RegistrationEvent
from selfreg.profile_hook import ProfileRefused, judge
from selfreg.rate_limits import NO_EFFECT, Effect
from selfreg.registration import outcome as outcomes
from selfreg.registration import transition as transitions
from selfreg.registration.exchange import CLAIM_SECONDS, PATIENCE_SECONDS, Attempt, Call, ask, commit, exchange
from selfreg.registration.outcome import Outcome
from selfreg.registration.policy import within_org
from selfreg.registration.state import seconds_until
from selfreg.registration.transition import PROFILE_PAGE
from selfreg.registration.transition_types import Command, Kind, Position, Transition
from selfreg.secret import Secret
from selfreg.statuses import Status

PROFILE = "userProfile"
PHONE_NUMBER = "authenticator.phoneNumber"
# As older orgs ask for the number of a link to a device (docs/protocol.md, section 4.13).
OUTER_PHONE_NUMBER = "phoneNumber"
# The channels by which the org sends the link for an app on a device.
SENT_LINKS = ("email", "sms")
# Pages that ask for a code.
CODE_PAGES = ("code", "totp")
# On a 429 Okta's widget waits a minute before it polls again (docs/protocol.md, section 4.7).
POLL_PAUSE_SECONDS = 60
# Token, keys and userinfo together.
HAND_OFF_SECONDS = 8.0
# With less time left, this request does not redeem the code, because tokens that arrive after the deadline are lost.
# The visitor gets a page with a sign-in button instead.
ENOUGH_SECONDS = 5.5


# ---- the current step, which is ``attempt.page``


def submit(attempt: Attempt, page: Step, values: Mapping[str, Any], draft: dict[str, str]) -> Outcome:
    """Submit the current step.

    :param values: nested JSON, with the org's names
    :param draft: the submitted values to show again if the org rejects them; no secrets
    """
    if page.page == steps.UNSUPPORTED or page.remediation.is_link:
        return outcomes.NotOffered()
    if page.page == PROFILE_PAGE:
        return _submit_profile(attempt, page.remediation, values, draft)
    authenticator = member(values, "authenticator")
    path = OUTER_PHONE_NUMBER if OUTER_PHONE_NUMBER in values else PHONE_NUMBER
    number = str(values.get(OUTER_PHONE_NUMBER) or authenticator.get("phoneNumber") or "")
    if number and (key := _refusal_of(attempt, number)):
        return _reject(attempt, draft, Message("", key, path=path))
    effect, is_link = NO_EFFECT, page.page == "channel_data" or authenticator.get("channel") in SENT_LINKS
    if number or is_link or (page.option and steps.sends_on_choice(page.option)):
        effect = Effect(sends=True, number=number)
    elif page.page in CODE_PAGES:
        effect = Effect(checks=f"{page.name} {attempt.position.state.resend_at}")
    if number:
        attempt.change(phone=number)
    command = Command(Kind.ANSWERED, draft, proves_email=page.proves_email)
    return _perform(attempt, command, Call(page.remediation, effect, values=values))


def choose(attempt: Attempt, page: Step, authenticator_id: str) -> Outcome:
    """Choose one of the offered authenticators. If it needs details, such as a phone number, show their form first."""
    option = next((o for o in page.choices if steps.option_id(o) == authenticator_id), None)
    return _choose(attempt, page.remediation, option) if option else outcomes.NotOffered()


def show_choices(attempt: Attempt, page: Step) -> Outcome:
    """Show the choice of authenticators again, without a call. If there is only one other, choose it."""
    if page.others is None:
        return outcomes.NotOffered()
    if len(others := steps.other_choices(page.others, page.authenticator)) == 1:
        return _choose(attempt, page.others, others[0])
    return _commit(attempt, transitions.turn_to(attempt.position, steps.SELECT))


def begin(attempt: Attempt, page: Step) -> Outcome:
    """Start the first required authenticator that sends nothing, for an invited person.

    Mail scanners open links too, so opening an invitation must not send a message.
    """
    silent = tuple(o for o in page.choices if not steps.sends_on_choice(o)) if page.skip is None else ()
    return _choose(attempt, page.remediation, steps.first_choice(silent)) if silent else outcomes.NOTHING_NEW


def _choose(attempt: Attempt, remediation: Remediation, option: Option) -> Outcome:
    if steps.needs_details(remediation, option):
        return _commit(attempt, transitions.turn_to(attempt.position, steps.option_id(option)))
    call = _call_to_choose(remediation, option, Effect(sends=steps.sends_on_choice(option)))
    return _perform(attempt, Command(Kind.ANSWERED), call)


def change_number(attempt: Attempt, page: Step) -> Outcome:
    """Show the form for the phone number again, with the typed number in it, without a call."""
    option = steps.phone_option(page.number) if page.number else None
    if option is None:
        return outcomes.NotOffered()
    draft = {PHONE_NUMBER: attempt.position.state.phone.partition("x")[0]}
    return _commit(attempt, transitions.turn_to(attempt.position, steps.option_id(option), draft))


def show_channels(attempt: Attempt, page: Step) -> Outcome:
    """Show the choice of channels for the link to a device, without a call."""
    if page.channels is None:
        return outcomes.NotOffered()
    return _commit(attempt, transitions.turn_to(attempt.position, steps.CHANNELS))


def skip(attempt: Attempt, page: Step) -> Outcome:
    """Skip everything that is still optional."""
    if page.skip is None:
        return outcomes.NotOffered()
    return _perform(attempt, Command(Kind.SKIPPED), Call(page.skip, NO_EFFECT))


def resend(attempt: Attempt, page: Step) -> Outcome:
    """Ask the org to send the code again."""
    state = attempt.position.state
    if wait := seconds_until(state.resend_at):
        message = Message("", "selfreg.resend_wait", (str(wait),), "INFO")
        waiting = outcomes.Waiting(wait, message)
        return _commit(attempt, transitions.notify(attempt.position, waiting, message))
    if page.resend is None:
        return outcomes.NotOffered()
    number = state.phone if page.kind == "phone" else ""
    return _perform(attempt, Command(Kind.RESENT), Call(page.resend, Effect(sends=True, number=number)))


def poll(attempt: Attempt, *, is_over: bool = False) -> Outcome:
    """Ask the org whether the visitor continued elsewhere, such as on the page behind the link in the org's email.

    :param is_over: whether the time for the step is over; pages that do not poll are asked about, too
    :return: ``NOTHING_NEW``, ``Advanced``, ``Ended`` or ``Granted``
    """
    page = attempt.page
    if page is None or not (page.poll or is_over):
        return outcomes.NOTHING_NEW
    state = attempt.position.state
    if max(state.wait_until, state.poll_at) > timezone.now().timestamp() or rate_limits.pace(state.calls):
        return outcomes.NOTHING_NEW
    attempt.row.claim(CLAIM_SECONDS)
    attempt.count_calls()
    pause_until = timezone.now().timestamp() + POLL_PAUSE_SECONDS
    try:
        client = attempt.client
        answer = client.proceed(page.poll, {}) if page.poll else client.introspect(state.transaction)
    except TransactionExpired:
        return _commit(attempt, transitions.expire(attempt.row.step))
    except IdxError as error:
        poll_at = pause_until if isinstance(error, RateLimited) else state.poll_at
        return _commit(attempt, transitions.keep_polling(attempt.position, poll_at))
    if answer.status == 429:
        return _commit(attempt, transitions.keep_polling(attempt.position, pause_until))
    if not transitions.has_moved(attempt.position, steps.next_step(answer.response)):
        return _commit(attempt, transitions.keep_polling(attempt.position, 0.0, answer))
    command = Command(Kind.ANSWERED, proves_email=page.proves_email)
    return _settle(attempt, transitions.advance(attempt.position, answer, command))


# ---- around the steps


def refresh(attempt: Attempt, draft: dict[str, str] | None = None) -> Outcome:
    """Ask the org for the current step, if an answer was lost or the time for the step is over.

    :param draft: submitted values to show again if the step is still the same; no secrets
    """
    if not attempt.in_doubt or attempt.state is None:
        # By this site's clock, so the org is asked whether that is so.
        is_over = attempt.row.expires_at is not None and attempt.row.expires_at < timezone.now()
        return poll(attempt, is_over=is_over) if is_over and not attempt.was_busy else outcomes.NOTHING_NEW
    if attempt.state.wait_until > timezone.now().timestamp() or rate_limits.pace(attempt.state.calls):
        return outcomes.NOTHING_NEW if draft is None else keep_draft(attempt, draft)
    if draft is not None:
        attempt.change(draft=draft)
    attempt.row.claim(CLAIM_SECONDS)
    command = Command(Kind.RECOVERED, attempt.state.draft)
    return _settle(attempt, ask(attempt, command))


def identity_provider_url(attempt: Attempt, idp_id: str) -> str:
    """Return the URL for signing up through one of the org's identity providers; "" if the org doesn't have it."""
    if attempt.state is None:
        return ""
    links = [r for r in steps.identity_providers(attempt.state.response) if r.idp_id == idp_id]
    return within_org(attempt.org.client.app, links[0]) if links else ""


def return_from_identity_provider(attempt: Attempt, interaction_code: Secret[str]) -> Outcome:
    """Continue when the browser comes back: with the interaction code, or with ``interaction_required``."""
    if interaction_code:
        return _settle(attempt, transitions.grant(attempt.position, interaction_code))
    attempt.row.claim(CLAIM_SECONDS)
    return _settle(attempt, ask(attempt, Command(Kind.RECOVERED)))


def finish(attempt: Attempt) -> Outcome:
    """Claim the interaction code of a registration whose step is ``Granted``. Only one caller gets it."""
    attempt.row.claim(CLAIM_SECONDS)
    return outcomes.Granted(_grant(attempt))


def tell(attempt: Attempt, *messages: Message) -> Outcome:
    """Store messages of this site for the next page."""
    return _commit(attempt, transitions.notify(attempt.position, outcomes.Stale(messages[0]), *messages))


def keep_draft(attempt: Attempt, draft: dict[str, str]) -> Outcome:
    """Store the typed values, to show the same page in another language. ``draft`` holds no secrets."""
    notices = attempt.position.state.notices
    return _commit(attempt, transitions.notify(attempt.position, outcomes.NOTHING_NEW, *notices, draft=draft))


def report_failure(attempt: Attempt, error: IdxError) -> Outcome:
    """Report on the current page that a call after the last step failed. The registration stays at its step."""
    command = Command(Kind.TROUBLE, attempt.position.state.draft)
    return _commit(attempt, transitions.trouble(attempt.position, error, command))


# ---- the pipeline


def _perform(attempt: Attempt, command: Command, call: Call, *, is_prepaid: bool = False, **columns: Any) -> Outcome:
    """Make one call and commit what the answer means. If the registration is in doubt, ask the org about that instead.

    :param is_prepaid: whether the email that may follow was counted towards the limits already
    :param columns: further columns of the row to write
    """
    if attempt.in_doubt:
        return refresh(attempt, command.draft)
    return _settle(attempt, exchange(attempt, call, command, **columns), is_prepaid=is_prepaid, **columns)


def _go_on(attempt: Attempt, transition: Transition, *, is_prepaid: bool) -> Transition:
    """Start the next authenticator in the same request if the visitor has nothing to decide.

    Both answers are committed together. If the worker dies between the calls, the row stays claimed, and the next
    request asks the org for the current step instead of sending anything twice.
    """
    may_skip = (attempt.may_skip_email() or transition.proves_email) and not attempt.org.hides_accounts
    choice = obvious_choice(attempt.position, transition, may_skip_email=may_skip)
    if choice is None or not attempt.signs_in or not attempt.row.is_busy:
        return transition
    remediation, option = choice
    attempt.adopt(transition)
    if steps.needs_details(remediation, option):
        return transitions.both(transition, transitions.turn_to(attempt.position, steps.option_id(option)))
    if not is_prepaid and time_left(HAND_OFF_SECONDS) < PATIENCE_SECONDS:
        return transition
    # In neutral mode the email was counted with the form, before the org's answer: a limit then reveals nothing.
    effect = NO_EFFECT if is_prepaid else Effect(sends=steps.sends_on_choice(option))
    call = _call_to_choose(remediation, option, effect)
    following = exchange(attempt, call, Command(Kind.ANSWERED), is_claimed=True)
    events = tuple(event._replace(actor=RegistrationEvent.THIS_SITE) for event in following.events)
    return transitions.both(transition, replace(following, events=events))


def _commit(attempt: Attempt, transition: Transition, **columns: Any) -> Outcome:
    if attempt.was_busy:  # the other request's call is based on the row as it is
        raise Conflict("busy", attempt.row.pk)
    commit(attempt, transition, **columns)
    return transition.outcome


def _settle(attempt: Attempt, transition: Transition, *, is_prepaid: bool = False, **columns: Any) -> Outcome:
    """Commit. If the org is done and a visitor is waiting to be signed in, keep the claim for the sign-in."""
    transition = _go_on(attempt, transition, is_prepaid=is_prepaid)
    is_granted = transition.status == Status.FINISHING and not transition.in_doubt
    if is_granted and attempt.signs_in and time_left(HAND_OFF_SECONDS) >= ENOUGH_SECONDS:
        commit(attempt, transition, hold=CLAIM_SECONDS, **columns)
        return outcomes.Granted(_grant(attempt))
    return _commit(attempt, transition, **columns)


def _grant(attempt: Attempt) -> Grant:
    state = attempt.position.state
    transaction = state.transaction
    return Grant(
        state.interaction_code or state.response.interaction_code,
        transaction.code_verifier,
        transaction.nonce,
        attempt.row.workflow,
        attempt.row.email if attempt.email_proven else "",
    )


def _call_to_choose(remediation: Action, option: Option, effect: Effect) -> Call:
    constants = {f.name: f.value for f in option.fields if not f.mutable and f.value is not None}
    values = {"authenticator": constants | steps.presets_of(option)}
    return Call(remediation, effect, is_repeatable=effect == NO_EFFECT, values=values)


def _reject(attempt: Attempt, draft: dict[str, str], *messages: Message) -> Outcome:
    """Reject the values without a call, with this site's messages beside the fields."""
    return _commit(attempt, transitions.notify(attempt.position, outcomes.Rejected(messages), *messages, draft=draft))


# ---- before a call


def _submit_profile(attempt: Attempt, remediation: Action, values: Mapping[str, Any], draft: dict[str, str]) -> Outcome:
    """Submit the profile form, if the limits and the site's profile hook allow it."""
    settings, profile, command = attempt.org.settings, member(values, PROFILE), Command(Kind.ANSWERED, draft)
    address = rate_limits.address_in(profile)
    # The start of a registration is counted before its row exists.
    if address and not attempt.row.is_new:
        ip = attempt.org.client.visitor.ip
        if wait := rate_limits.consume_start(str(attempt.row.pk), address, ip, attempt.row.org).wait:
            return _commit(attempt, transitions.throttle(attempt.position, wait, command))
    # As long as the org has no account, this is the first page, possibly submitted again.
    earlier = attempt.position.state.profile if attempt.row.okta_user_id else {}
    attempt.change(profile=earlier | draft)
    before = {name.removeprefix(f"{PROFILE}."): value for name, value in earlier.items()}
    try:
        amended = judge(settings.profile_hook, {**before, **profile})
    except ProfileRefused as refusal:
        paths = {f"{PROFILE}.{name}" if name else "": text for name, text in refusal.errors.items()}
        return _reject(attempt, draft, *(Message(text, "selfreg.profile_hook", path=p) for p, text in paths.items()))
    profile = {name: value for name, value in amended.items() if name in profile or name not in before}
    columns = {}
    if not attempt.email_proven:
        email = str(profile.get("email", attempt.row.email))[:MAX_LENGTH]
        is_address = canonical(email)
        columns = {"email": email if is_address else "", "email_canonical": is_address}
    is_neutral = attempt.org.hides_accounts and remediation.name == "enroll-profile"
    effect, calls = Effect(sends=is_neutral), 2 if is_neutral else 1
    call = Call(remediation, effect, values={**values, PROFILE: profile}, calls=calls)
    return _perform(attempt, command, call, is_prepaid=is_neutral, **columns)


def _refusal_of(attempt: Attempt, number: str) -> str:
    """Return the key of the message that says why this site sends nothing to a number; "" if it does."""
    settings = attempt.org.settings
    if settings.phone_after_email and not attempt.email_proven:
        return "selfreg.phone_after_email"
    is_allowed = not settings.phone_countries or phone_numbers.region(number) in settings.phone_countries
    return "" if is_allowed else "selfreg.phone_country"


def member(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the nested object of this name; an empty one if there is none, or a plain value."""
    value = values.get(name)
    return value if isinstance(value, Mapping) else {}


# ---- after a call


def obvious_choice(before: Position, after: Transition, *, may_skip_email: bool) -> tuple[Remediation, Option] | None:
    """Return the authenticator to start without asking: all of the offered ones are required, or email is.

    Return None if the visitor has a real choice, or if ``after`` offers no authenticators.

    :param before: the step before ``after``
    :param may_skip_email: whether the address is verified already, or doesn't have to be
    """
    page = transitions.as_page(after.step)
    if page is None or page.page != "choose" or not page.choices or page.messages:
        return None
    if after.outcome != outcomes.Advanced():
        return None
    first = steps.first_choice(page.choices)
    is_email = first.authenticator is not None and first.authenticator.key == EMAIL
    are_needed = page.skip is None and (len(page.choices) == 1 or not _may_be_alternatives(before, after, page.choices))
    return (page.remediation, first) if are_needed or (is_email and not may_skip_email) else None


def _may_be_alternatives(before: Position, after: Transition, choices: tuple[Option, ...]) -> bool:
    """Return whether the org offers these only now, after others were set up.

    Its sign-on policy may accept any one of those that it offers late. Those that it always requires are offered from
    the start (docs/protocol.md, section 4.4).
    """
    earlier = before.state.response.remediation(steps.SELECT)
    known = {steps.option_id(o) for o in steps.feasible_choices(earlier)} if earlier else set()
    has_some = after.state is not None and bool(after.state.response.enrolled)
    return has_some and not {steps.option_id(o) for o in choices} <= known
