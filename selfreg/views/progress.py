"""Carrying a registration on: one verb of ``Enrollment``, then the page where it stands, or the sign-in at its end."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from selfreg.auth import NotApproved, SignInFailed
from selfreg.browser import CLAIMS, keep_draft, keep_offer, step_url
from selfreg.enrollment import Enrollment
from selfreg.forms import StepForm
from selfreg.idx.errors import IdxError, NotOffered, OrgRefused, OrgUnreachable, RateLimited
from selfreg.landing import landing
from selfreg.linking import LinkOffered
from selfreg.models import Conflict, Status

ON_STEP_PAGE = (Status.STARTED, Status.ENROLLING, Status.FINISHING)


@sensitive_variables()
def carry_out(request: HttpRequest, enrollment: Enrollment, form: StepForm, action: str) -> HttpResponse:
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
        return redirect(step_url(request))
    return follow(request, enrollment)


def follow(request: HttpRequest, enrollment: Enrollment) -> HttpResponse:
    """To where the registration stands now."""
    if enrollment.leftover:
        keep_draft(request, enrollment.leftover)
    if enrollment.registration.status == Status.FINISHING:
        return finish(request, enrollment)
    return redirect(page_of(request, enrollment))


def page_of(request: HttpRequest, enrollment: Enrollment) -> str:
    """The URL that shows this registration."""
    return step_url(request) if enrollment.registration.status in ON_STEP_PAGE else reverse("selfreg:done")


@sensitive_variables()
def finish(request: HttpRequest, enrollment: Enrollment) -> HttpResponse:
    """The interaction code becomes a signed-in Django user."""
    try:
        user: Any = authenticate(request, grant=enrollment.grant())
    except (Conflict, NotOffered):
        return redirect(step_url(request))
    except (OrgUnreachable, RateLimited) as error:
        enrollment.retry_later(error)
        return redirect(step_url(request))
    except LinkOffered as offer:
        enrollment.leave_ready(offer.person["sub"])
        keep_offer(request, offer, enrollment.registration.next_url)
        return redirect("selfreg:link")
    except (SignInFailed, IdxError) as problem:
        _end_without_session(enrollment, problem)
        return redirect("selfreg:done")
    enrollment.complete(user, user.okta_claims["sub"])
    target = landing(enrollment.registration.next_url)
    sign_in(request, user)
    return redirect(target)


def sign_in(request: HttpRequest, user: Any) -> None:
    """Signs in to a fresh session: nothing an anonymous session held is carried over."""
    claims = user.okta_claims
    request.session.flush()
    login(request, user)
    request.session[CLAIMS] = claims


def to_identity_provider(request: HttpRequest, enrollment: Enrollment, idp_id: str) -> HttpResponse:
    """To the identity provider that was pressed, by the link of this very transaction."""
    try:
        return redirect(enrollment.identity_provider(idp_id))
    except NotOffered:
        enrollment.say("selfreg.not_offered")
        return redirect(step_url(request))


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
