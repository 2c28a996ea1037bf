"""Carrying a registration on: one verb of ``Enrollment``, then where it stands, or the sign-in at its end.

What both doors share, the pages and the JSON interface. Each function that carries on returns the URL where a browser
goes from here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.http import HttpRequest
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from selfreg.accounts.linking import LinkOffered
from selfreg.auth import HAND_OFF_SECONDS, NotApproved, SignInFailed
from selfreg.flows.session import CLAIMS, keep_draft, keep_offer, leave_word, step_url, url_of
from selfreg.forms import StepForm
from selfreg.idx.deadline import time_left
from selfreg.idx.errors import IdxError, NotOffered, OrgRefused, OrgUnreachable, RateLimited
from selfreg.idx.steps import Granted, Step
from selfreg.models import Conflict, Status
from selfreg.registration.enrollment import Enrollment
from selfreg.web.redirects import landing

PROVIDER = "idp:"
# All calls to the org that one request makes, together.
REQUEST_SECONDS = 11.0
# With less than that the last page is shown, whose button signs in: a token that is asked for too late is lost.
ENOUGH_SECONDS = 5.5
ON_STEP_PAGE = (Status.STARTED, Status.ENROLLING, Status.FINISHING)


@sensitive_variables()
def act(
    request: HttpRequest, enrollment: Enrollment, typed: Mapping[str, Any], action: str, mark: str | None
) -> str | StepForm:
    """What a submitted step asks for.

    :param typed: what was typed, by HTML name
    :param action: the button's word, "" for submitting the step itself
    :param mark: which step the visitor saw; None takes it as the present one
    :return: where to go, or the form with what is to be put right
    :raises Conflict: another request is at work
    """
    found = enrollment.step() if enrollment.registration.status in ON_STEP_PAGE else None
    if enrollment.registration.in_doubt:
        form = StepForm(found, typed) if isinstance(found, Step) and not is_stale(enrollment, mark) else None
        enrollment.refresh(form.draft() if form else None)
        return follow(request, enrollment)
    if isinstance(found, Granted):
        return finish(request, enrollment)
    if not isinstance(found, Step):
        return page_of(request, enrollment)
    if is_stale(enrollment, mark):
        enrollment.say("selfreg.already_done")
        return step_url(request, enrollment.registration.pk)
    if idp := provider_pressed(action):
        return to_identity_provider(request, enrollment, idp)
    form = StepForm(found, typed)
    if not action and not form.is_valid():
        return form
    return carry_out(request, enrollment, form, action)


def is_stale(enrollment: Enrollment, mark: str | None) -> bool:
    """Whether the submitted step is not the present one (Back, a second tab)."""
    return mark is not None and mark != enrollment.registration.step


@sensitive_variables()
def carry_out(request: HttpRequest, enrollment: Enrollment, form: StepForm, action: str) -> str:
    """One verb of the enrollment, by the button that was pressed; ``form`` is valid unless ``action`` is a verb."""
    verbs: dict[str, Callable[[], None]] = {
        "skip": enrollment.skip,
        "resend": enrollment.resend,
        "back": enrollment.other_way,
        "cancel": enrollment.cancel,
    }
    try:
        if action in verbs:
            verbs[action]()
        elif form.is_valid() and form.step.page == "choose" and form.step.choices:
            enrollment.choose(form.cleaned_data["authenticator.id"])
        elif form.is_valid():
            enrollment.submit(form.values(), form.draft())
    except NotOffered:
        enrollment.say("selfreg.not_offered")
    except Conflict:
        return step_url(request, enrollment.registration.pk)
    return follow(request, enrollment)


def follow(request: HttpRequest, enrollment: Enrollment) -> str:
    """To where the registration stands now."""
    if enrollment.leftover:
        keep_draft(request, enrollment.leftover)
    if enrollment.registration.status == Status.FINISHING and time_left(HAND_OFF_SECONDS) >= ENOUGH_SECONDS:
        return finish(request, enrollment)
    return page_of(request, enrollment)


def page_of(request: HttpRequest, enrollment: Enrollment) -> str:
    """The URL that shows this registration."""
    registration = enrollment.registration
    return url_of(request, "step" if registration.status in ON_STEP_PAGE else "done", registration.pk)


@sensitive_variables()
def finish(request: HttpRequest, enrollment: Enrollment) -> str:
    """The interaction code becomes a signed-in Django user."""
    try:
        user: Any = authenticate(request, grant=enrollment.grant())
    except (Conflict, NotOffered):
        return step_url(request, enrollment.registration.pk)
    except (OrgUnreachable, RateLimited) as error:
        enrollment.retry_later(error)
        return step_url(request, enrollment.registration.pk)
    except LinkOffered as offer:
        enrollment.leave_ready(offer.person["sub"])
        keep_offer(request, offer, enrollment.registration.next_url)
        return reverse("selfreg:link")
    except (SignInFailed, IdxError) as problem:
        _end_without_session(enrollment, problem)
        return url_of(request, "done", enrollment.registration.pk)
    said = enrollment.parting_words()
    enrollment.complete(user, user.okta_claims["sub"])
    target = landing(enrollment.registration.next_url)
    leave_word(request, enrollment.registration.pk)
    sign_in(request, user)
    for text in said:
        messages.info(request, text, fail_silently=True)
    return target


def sign_in(request: HttpRequest, user: Any) -> None:
    """Signs in to a fresh session: nothing an anonymous session held is carried over."""
    claims = user.okta_claims
    request.session.flush()
    login(request, user)
    request.session[CLAIMS] = claims


def provider_pressed(action: str) -> str:
    """The id of the identity provider whose button was pressed; "" for every other button."""
    return action.removeprefix(PROVIDER) if action.startswith(PROVIDER) else ""


def to_identity_provider(request: HttpRequest, enrollment: Enrollment, idp_id: str) -> str:
    """To the identity provider that was pressed, by the link of this very transaction."""
    try:
        return enrollment.identity_provider(idp_id)
    except NotOffered:
        enrollment.say("selfreg.not_offered")
        return step_url(request, enrollment.registration.pk)


def _end_without_session(enrollment: Enrollment, problem: SignInFailed | IdxError) -> None:
    if isinstance(problem, NotApproved) and problem.reason == "selfreg.awaiting_approval":
        enrollment.leave_to_approval(problem.identity.user, problem.identity.subject)
    elif isinstance(problem, SignInFailed):
        if problem.reason == "selfreg.email_unproven":
            enrollment.leave_to_email()
        else:
            enrollment.fail(problem.reason)
    elif isinstance(problem, OrgRefused) and problem.code != "invalid_grant":
        enrollment.fail(f"oauth.{problem.code}", problem.description)
    else:
        # The code is spent, stale, or may have been used by a call whose answer was lost.
        enrollment.leave_to_sign_in(problem)
