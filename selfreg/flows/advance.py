"""Runs the command of a submitted page, and logs the visitor in after the last step.

The pages and the JSON API share these functions.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.http import HttpRequest
from django.utils import timezone

from selfreg.accounts.linking import LinkOffered
from selfreg.accounts.users import SignUp
from selfreg.auth import NotApproved, SignInFailed
from selfreg.conf import DEFAULT, Conf
from selfreg.database_connections import retried
from selfreg.flows.session import CLAIMS, SEEN, Browser, renew_session, save_draft, save_offer, step_url, url_of
from selfreg.forms import StepForm
from selfreg.idx.client import Grant
from selfreg.idx.errors import AWAY, IdxError, OrgRefused
from selfreg.idx.steps import Granted, Step
from selfreg.models import RegistrationEvent
from selfreg.registration import commands, endings
from selfreg.registration import outcome as outcomes
from selfreg.registration.exchange import Attempt
from selfreg.registration.outcome import Outcome
from selfreg.registration.transition_types import ALREADY_DONE, NOT_OFFERED
from selfreg.secret import Secret
from selfreg.statuses import ON_STEP_PAGE, Status
from selfreg.texts.messages import notice, say
from selfreg.web.orgs import SIGNED_IN_AT, page_url
from selfreg.web.redirects import landing

logger = logging.getLogger("selfreg")

# Submitted values by HTML name.
Typed = Secret[Mapping[str, Any]]
PROVIDER = "idp:"
# Limit for all calls to the org that one request makes, together.
REQUEST_SECONDS = 11.0
COMMANDS: Mapping[str, Callable[[Attempt, Step], Outcome]] = {
    "skip": commands.skip,
    "resend": commands.resend,
    "back": commands.show_choices,
    "number": commands.change_number,
    "channel": commands.show_channels,
    "cancel": lambda attempt, _page: endings.cancel(attempt),
}


@dataclass(frozen=True, slots=True)
class Advance:
    """Where to send the browser, and the outcome of the command.

    ``attempt`` is the registration as it is now, None if it was not opened. ``signed_in``: whether the visitor is
    logged in to Django now.
    """

    url: str
    outcome: Outcome
    attempt: Attempt | None = None
    signed_in: bool = False


def act(
    request: HttpRequest, browser: Browser, attempt: Attempt, typed: Typed, action: str, mark: str | None
) -> Advance | StepForm:
    """Run the command of a submitted page.

    :param action: the button's value; "" submits the step itself
    :param mark: the name of the step that the visitor saw; None stands for the current one
    :return: where to send the browser, or the form with its errors
    :raises Conflict: another request is changing the registration
    """
    page = attempt.page if attempt.row.status in ON_STEP_PAGE else None
    form = None
    if page and attempt.state and not is_stale(attempt, mark):
        form = StepForm(page, typed, profile=attempt.state.profile)
    if attempt.in_doubt:
        return follow(request, browser, attempt, commands.refresh(attempt, form.draft() if form else None))
    if isinstance(attempt.step, Granted) and attempt.row.status in ON_STEP_PAGE:
        return follow(request, browser, attempt, commands.finish(attempt))
    if page is None:
        return Advance(url_of_attempt(browser, attempt), outcomes.Ended(Status(attempt.row.status)), attempt)
    if form is None:
        return Advance(step_url(browser, attempt.row.pk), commands.tell(attempt, ALREADY_DONE), attempt)
    if idp := pressed_provider(action):
        commands.keep_draft(attempt, form.draft())
        return to_identity_provider(browser, attempt, idp)
    return run(request, browser, attempt, page, form, action) if action or form.is_valid() else form


def is_stale(attempt: Attempt, mark: str | None) -> bool:
    """Return whether the submitted step is not the current one (the Back button, a second tab)."""
    return mark is not None and mark != attempt.row.step


def run(request: HttpRequest, browser: Browser, attempt: Attempt, page: Step, form: StepForm, action: str) -> Advance:
    """Run the command of the pressed button. ``form`` is valid, unless ``action`` names a command.

    :param page: the current one; that of the ``form`` may be the cached first page
    """
    if action in COMMANDS:
        outcome = COMMANDS[action](attempt, page)
    elif not form.is_valid():
        outcome = outcomes.NOTHING_NEW
    elif form.step.page == "choose" and form.step.choices:
        outcome = commands.choose(attempt, page, form.cleaned_data["authenticator.id"])
    else:
        outcome = commands.submit(attempt, page, form.values(), form.draft())
    if isinstance(outcome, outcomes.NotOffered):
        outcome = commands.tell(attempt, NOT_OFFERED)
    return follow(request, browser, attempt, outcome)


def follow(request: HttpRequest, browser: Browser, attempt: Attempt, outcome: Outcome) -> Advance:
    """Redirect to the registration's current page, or log in if the org is done."""
    if attempt.leftover:
        save_draft(browser, attempt.leftover)
    if isinstance(outcome, outcomes.Granted):
        return sign_up_finished(request, browser, attempt, outcome.grant)
    return Advance(url_of_attempt(browser, attempt), outcome, attempt)


def url_of_attempt(browser: Browser, attempt: Attempt) -> str:
    """Return the URL that shows this registration."""
    return url_of(browser, "step" if attempt.row.status in ON_STEP_PAGE else "done", attempt.row.pk)


def sign_up_finished(request: HttpRequest, browser: Browser, attempt: Attempt, grant: Grant) -> Advance:
    """Redeem the interaction code, and log the visitor in to Django."""
    try:
        user: Any = authenticate(request, grant=grant, sign_up=SignUp(attempt.row, _profile(attempt)))
        if user is None:  # another backend of the site refused
            raise SignInFailed("selfreg.sign_in_failed")
    except AWAY as error:
        # The code is probably unused, and the page with the sign-in button tries it again.
        return Advance(step_url(browser, attempt.row.pk), commands.report_failure(attempt, error), attempt)
    except LinkOffered as offer:
        outcome = endings.await_sign_in(attempt, offer.person["sub"])
        save_offer(browser, offer, attempt.row.next_url)
        return Advance(page_url(attempt.row.org, "link"), outcome, attempt)
    except (SignInFailed, IdxError) as problem:
        return Advance(url_of(browser, "done", attempt.row.pk), _end_without_session(attempt, problem), attempt)
    last_messages = dict.fromkeys(say(m) for m in attempt.position.state.response.messages)
    endings.complete(attempt.row, user, user.okta_claims["sub"])
    target = landing(attempt.row.next_url, attempt.org.settings)
    sign_in(request, user, attempt.org.settings, ended=attempt.row.pk)
    for text in last_messages:
        messages.info(request, text, fail_silently=True)
    return Advance(target, outcomes.Ended(Status.COMPLETED), attempt, signed_in=True)


def sign_in(request: HttpRequest, user: Any, conf: Conf, ended: uuid.UUID | None = None) -> None:
    """Log in to a new session that ends after a fixed time. Nothing is carried over from the anonymous session.

    :param conf: the settings of the org that has the account
    :param ended: the registration that this login completes, for ``renew_session``
    """
    claims, old = user.okta_claims, request.session

    def renew() -> None:
        renew_session(request, old, ended)
        login(request, user)

    retried(renew)
    request.session[CLAIMS], request.session[SEEN] = claims, timezone.now().timestamp()
    if conf.org != DEFAULT:
        request.session[SIGNED_IN_AT] = conf.org
    if (seconds := conf.session_seconds) and not settings.SESSION_EXPIRE_AT_BROWSER_CLOSE:
        request.session.set_expiry(timezone.now() + timedelta(seconds=seconds))


def pressed_provider(action: str) -> str:
    """Return the id of the identity provider whose button was pressed; "" for any other button."""
    return action.removeprefix(PROVIDER) if action.startswith(PROVIDER) else ""


def to_identity_provider(browser: Browser, attempt: Attempt, idp_id: str) -> Advance:
    """Redirect to the identity provider whose button was pressed. The link belongs to this transaction."""
    if url := commands.identity_provider_url(attempt, idp_id):
        return Advance(url, outcomes.Advanced(), attempt)
    return Advance(step_url(browser, attempt.row.pk), commands.tell(attempt, NOT_OFFERED), attempt)


def _profile(attempt: Attempt) -> dict[str, str]:
    """Return what was typed on the profile pages, by Okta's attribute name."""
    return {n.removeprefix(f"{commands.PROFILE}."): v for n, v in attempt.position.state.profile.items()}


def _end_without_session(attempt: Attempt, problem: SignInFailed | IdxError) -> Outcome:
    """End the registration, or leave it waiting, without logging anybody in."""
    if isinstance(problem, NotApproved) and problem.reason == "selfreg.awaiting_approval":
        return endings.await_approval(attempt.row, problem.identity.user, problem.identity.subject)
    if isinstance(problem, SignInFailed):
        if problem.reason == "selfreg.email_unproven":
            return endings.await_email(attempt)
        if problem.clause:
            attempt.row.note(RegistrationEvent.Kind.TROUBLE, outcome=f"SignInFailed {problem.clause}")
        return endings.fail(attempt, problem.reason)
    if isinstance(problem, OrgRefused) and problem.code != "invalid_grant":
        logger.warning("A sign-up failed when its code was redeemed: %s", problem)
        return endings.fail(attempt, f"oauth.{problem.code}", notice(problem))
    # The code is spent or stale.
    return endings.await_sign_in(attempt, error=problem)
