"""Advance a registration: run one command of a submitted page, and hand over to the sign-in at the end.

The pages and the JSON API share these functions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.http import HttpRequest
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from selfreg.accounts.linking import LinkOffered
from selfreg.auth import NotApproved, SignInFailed
from selfreg.flows.session import CLAIMS, Browser, remember_end, save_draft, save_offer, step_url, url_of
from selfreg.forms import StepForm
from selfreg.idx.client import Grant
from selfreg.idx.document import Message
from selfreg.idx.errors import IdxError, OrgRefused, OrgUnreachable, RateLimited
from selfreg.idx.steps import Granted, Step
from selfreg.registration import commands, endings
from selfreg.registration import outcome as outcomes
from selfreg.registration.exchange import Attempt
from selfreg.registration.outcome import Outcome
from selfreg.registration.values import ALREADY_DONE, NOT_OFFERED
from selfreg.statuses import ON_STEP_PAGE, Status
from selfreg.texts.messages import say
from selfreg.web.redirects import landing

PROVIDER = "idp:"
# All calls to the org that one request makes, together.
REQUEST_SECONDS = 11.0
COMMANDS: Mapping[str, Callable[[Attempt], Outcome]] = {
    "skip": commands.skip,
    "resend": commands.resend,
    "back": commands.show_choices,
    "cancel": endings.cancel,
}


@dataclass(frozen=True, slots=True)
class Advance:
    """Where a browser goes from here, and what came of the command.

    ``attempt`` is the registration as it stands now, None where it was not opened. ``signed_in``: the visitor is a
    Django user now.
    """

    url: str
    outcome: Outcome
    attempt: Attempt | None = None
    signed_in: bool = False


@sensitive_variables()
def act(
    request: HttpRequest, browser: Browser, attempt: Attempt, typed: Mapping[str, Any], action: str, mark: str | None
) -> Advance | StepForm:
    """Does what a submitted step asks for.

    :param typed: what was typed, by HTML name
    :param action: the button's value, "" for submitting the step itself
    :param mark: the name of the step that the visitor saw; None takes it as the present one
    :return: where to go, or the form with what is to be put right
    :raises Conflict: another request is at work
    """
    step = attempt.step if attempt.row.status in ON_STEP_PAGE else None
    form = StepForm(step, typed) if isinstance(step, Step) and not is_stale(attempt, mark) else None
    if attempt.row.in_doubt:
        return follow(request, browser, attempt, commands.refresh(attempt, form.draft() if form else None))
    if isinstance(step, Granted):
        return follow(request, browser, attempt, commands.finish(attempt))
    if not isinstance(step, Step):
        return Advance(page_of(browser, attempt), outcomes.Ended(Status(attempt.row.status)), attempt)
    if form is None:
        return Advance(step_url(browser, attempt.row.pk), commands.tell(attempt, ALREADY_DONE), attempt)
    if idp := pressed_provider(action):
        return to_identity_provider(browser, attempt, idp)
    if not action and not form.is_valid():
        return form
    return run(request, browser, attempt, form, action)


def is_stale(attempt: Attempt, mark: str | None) -> bool:
    """Whether the submitted step is not the present one (Back, a second tab)."""
    return mark is not None and mark != attempt.row.step


@sensitive_variables()
def run(request: HttpRequest, browser: Browser, attempt: Attempt, form: StepForm, action: str) -> Advance:
    """Runs one command, by the button that was pressed; ``form`` is valid unless ``action`` names a command."""
    if action in COMMANDS:
        outcome = COMMANDS[action](attempt)
    elif not form.is_valid():
        outcome = outcomes.NOTHING_NEW
    elif form.step.page == "choose" and form.step.choices:
        outcome = commands.choose(attempt, form.cleaned_data["authenticator.id"])
    else:
        outcome = commands.submit(attempt, form.values(), form.draft())
    if isinstance(outcome, outcomes.NotOffered):
        outcome = commands.tell(attempt, NOT_OFFERED)
    return follow(request, browser, attempt, outcome)


def follow(request: HttpRequest, browser: Browser, attempt: Attempt, outcome: Outcome) -> Advance:
    """To where the registration stands now; to the sign-in, if the org is done."""
    if attempt.leftover:
        save_draft(browser, attempt.leftover)
    if isinstance(outcome, outcomes.Granted):
        return sign_up_finished(request, browser, attempt, outcome.grant)
    return Advance(page_of(browser, attempt), outcome, attempt)


def page_of(browser: Browser, attempt: Attempt) -> str:
    """The URL that shows this registration."""
    return url_of(browser, "step" if attempt.row.status in ON_STEP_PAGE else "done", attempt.row.pk)


@sensitive_variables()
def sign_up_finished(request: HttpRequest, browser: Browser, attempt: Attempt, grant: Grant) -> Advance:
    """Turns the interaction code into a signed-in Django user."""
    try:
        user: Any = authenticate(request, grant=grant)
    except (OrgUnreachable, RateLimited) as error:
        return Advance(step_url(browser, attempt.row.pk), commands.report_failure(attempt, error), attempt)
    except LinkOffered as offer:
        outcome = endings.await_sign_in(attempt, offer.person["sub"])
        save_offer(browser, offer, attempt.row.next_url)
        return Advance(reverse("selfreg:link"), outcome, attempt)
    except (SignInFailed, IdxError) as problem:
        return Advance(url_of(browser, "done", attempt.row.pk), _end_without_session(attempt, problem), attempt)
    parting_words = [say(m) for m in dict.fromkeys(attempt.position.state.response.messages)]
    endings.complete(attempt.row, user, user.okta_claims["sub"])
    target = landing(attempt.row.next_url)
    remember_end(request, attempt.row.pk)
    sign_in(request, user)
    for text in dict.fromkeys(parting_words):
        messages.info(request, text, fail_silently=True)
    return Advance(target, outcomes.Ended(Status.COMPLETED), attempt, signed_in=True)


def sign_in(request: HttpRequest, user: Any) -> None:
    """Signs in to a fresh session: nothing an anonymous session held is carried over."""
    claims = user.okta_claims
    request.session.flush()
    login(request, user)
    request.session[CLAIMS] = claims


def pressed_provider(action: str) -> str:
    """The id of the identity provider whose button was pressed; "" for every other button."""
    return action.removeprefix(PROVIDER) if action.startswith(PROVIDER) else ""


def to_identity_provider(browser: Browser, attempt: Attempt, idp_id: str) -> Advance:
    """To the identity provider that was pressed, by the link of this very transaction."""
    if url := commands.identity_provider_url(attempt, idp_id):
        return Advance(url, outcomes.Advanced(), attempt)
    return Advance(step_url(browser, attempt.row.pk), commands.tell(attempt, NOT_OFFERED), attempt)


def _end_without_session(attempt: Attempt, problem: SignInFailed | IdxError) -> Outcome:
    """The registration ends, or waits, and nobody is signed in."""
    if isinstance(problem, NotApproved) and problem.reason == "selfreg.awaiting_approval":
        return endings.await_approval(attempt.row, problem.identity.user, problem.identity.subject)
    if isinstance(problem, SignInFailed):
        if problem.reason == "selfreg.email_unproven":
            return endings.await_email(attempt)
        return endings.fail(attempt, problem.reason)
    if isinstance(problem, OrgRefused) and problem.code != "invalid_grant":
        return endings.fail(attempt, f"oauth.{problem.code}", Message(problem.description))
    # The code is spent, stale, or may have been used by a call whose answer was lost.
    return endings.await_sign_in(attempt, error=problem)
