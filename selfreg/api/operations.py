"""The operations of the JSON API: what the pages do, with JSON answers. The rules are in ``flows``."""

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_variables
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.responses import Status as Answer

from selfreg import __version__
from selfreg.api.binding import AuthenticatedRequest, Holder, RegistrationToken, SessionCookie, absolute, new_token
from selfreg.api.problems import PROBLEM_JSON, Refusal, refusal_of
from selfreg.api.schemas import (
    Beginning,
    FirstForm,
    MailLink,
    Problem,
    RegistrationState,
    Step,
    Submission,
    Token,
)
from selfreg.api.steps_as_data import step_as_data
from selfreg.flows import start
from selfreg.flows.advance import REQUEST_SECONDS, Advance, act, is_stale, pressed_provider
from selfreg.flows.email_link import confirm, is_whole, open_link
from selfreg.flows.session import load_offer, open_attempt
from selfreg.flows.start import Closed, FirstPage
from selfreg.flows.step_context import WaitTimes, wait_times
from selfreg.forms import StepForm
from selfreg.idx.deadline import at_most
from selfreg.idx.document import IdxResponse
from selfreg.idx.errors import RateLimited
from selfreg.models import Conflict, Registration
from selfreg.registration import commands, endings
from selfreg.registration import outcome as outcomes
from selfreg.registration.exchange import Attempt
from selfreg.registration.outcome import Outcome
from selfreg.registration.policy import fingerprint
from selfreg.statuses import ON_STEP_PAGE, STATUS_INFO, Status
from selfreg.texts.endings import ALMOST_THERE, ending
from selfreg.texts.messages import notices, say
from selfreg.web.visitor import DEVICE_COOKIE, remember_device

DESCRIPTION = """The sign-up of this site as data. `GET` the first form, `POST` it filled in, then show the step of
each answer and `POST` what was typed, until there is none. A browser is known by its session cookie and sends the
header `X-CSRFToken`; an app gets a token first and sends it as `Authorization: Bearer`. Texts come in the language of
`Accept-Language`. Every error is a problem (RFC 9457); where something has to be put right it brings the step to show
again."""


class Interface(NinjaAPI):
    """Forbids caching, and documents problems with their media type."""

    def create_response(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Returns the response with the headers that every response has."""
        return _with_headers(request, super().create_response(request, *args, **kwargs))

    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> OpenAPISchema:
        """Returns the OpenAPI document, with ``application/problem+json`` for errors."""
        document = super().get_openapi_schema(*args, **kwargs)
        for path in document["paths"].values():
            for operation in path.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= HTTPStatus.BAD_REQUEST:
                        (schema,) = answer["content"].values()
                        answer["content"] = {PROBLEM_JSON: schema}
        return document


api = Interface(
    title="Sign-up",
    version=__version__,
    description=DESCRIPTION.replace("\n", " "),
    docs_url=None,
    urls_namespace="selfreg_api",
    auth=[RegistrationToken(), SessionCookie()],
)
api.add_decorator(at_most(REQUEST_SECONDS), mode="view")


def answers(success: Mapping[int, Any], *problems: int) -> dict[int, Any]:
    """Returns the response schemas of an operation by HTTP status.

    :param success: the schemas of successful responses
    :param problems: further statuses of problems, beside those of every operation
    """
    return {**success, **dict.fromkeys((400, 401, 403, 409, *problems), Problem)}


@api.exception_handler(Refusal)
def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answers a request that was refused with its problem."""
    return _with_headers(request, refusal.response)


@api.exception_handler(Conflict)
def overtaken(request: HttpRequest, conflict: Conflict) -> HttpResponse:
    """Answers a request while another one changes the same registration."""
    return refused(request, Refusal("busy"))


@api.exception_handler(ValidationError)
def invalid_body(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answers a body that does not fit the schema. Names the members that are wrong, never their values."""
    places = {".".join(str(p) for p in e["loc"][2:]) for e in error.errors}
    return refused(request, Refusal("malformed", detail=", ".join(sorted(places))[:500]))


@api.exception_handler(HttpError)
def unparsable_body(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answers a body that is not JSON."""
    return refused(request, Refusal("malformed"))


@api.exception_handler(Exception)
def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """Leaves unexpected exceptions to Django, whose error reports hide sensitive variables."""
    raise error


@api.post("token/", auth=None, response={201: Token}, operation_id="token")
def token(request: HttpRequest) -> Answer[Token]:
    """For apps that keep no cookies: a token with which one registration can be started."""
    return Answer(201, Token(token=new_token()))


@api.get("", response=answers({200: FirstForm}, 502, 503), operation_id="form")
def form(request: HttpRequest, next: str = "") -> FirstForm:
    """The sign-up form of the org's policy. `next` is the path to go to after the sign-up."""
    holder = _holder(request)
    page = start.first_page(request, holder.browser)
    if isinstance(page, Closed):
        raise _closed(page)
    return FirstForm(
        step=_first_step(holder, page),
        form_version=fingerprint(page.form.step.remediation),
        form_token=start.new_form_token(request) if holder.is_browser else "",
        csrf_token=get_token(request) if holder.is_browser else "",
    )


@api.post("", response=answers({201: RegistrationState}, 410, 422, 429, 502, 503), operation_id="begin")
@sensitive_variables()
def begin_registration(request: HttpRequest, sent: Beginning, next: str = "") -> Answer[RegistrationState]:
    """Starts the registration. The same form sent twice starts one."""
    holder = _holder(request)
    pk = _registration_id(request, sent, holder)
    if sent.activation_token:
        token = sent.activation_token
        result: Advance | FirstPage | Closed = start.accept_invitation(
            request, holder.browser, token, holder.registration
        )
    else:
        submission = start.Submission(_first_typed(sent, holder), pk)
        result = start.start(request, holder.browser, submission)
    if isinstance(result, Closed):
        raise _closed(result)
    if isinstance(result, FirstPage):
        outcome = result.outcome or outcomes.Rejected(())
        raise refusal_of(outcome, **_problem_members(_first_step(holder, result)))
    return Answer(201, _result(request, holder, result))


@api.get("step/", response=answers({200: RegistrationState}, 404), operation_id="standing")
def registration_state(request: HttpRequest, registration: str = "") -> RegistrationState:
    """The state of the registration. `registration` names one of this browser's that is not the newest."""
    holder, attempt = _holder(request), _attempt(request)
    commands.refresh(attempt)
    return _state(request, holder, attempt)


@api.post("step/", response=answers({200: RegistrationState}, 404, 422, 429, 502, 503), operation_id="submit")
@sensitive_variables()
def submit(request: HttpRequest, sent: Submission, registration: str = "") -> RegistrationState:
    """Submits the current step, or another of its buttons. `poll` asks whether the visitor went on elsewhere."""
    holder, attempt = _holder(request), _attempt(request)
    if sent.action == "poll":
        return _poll(request, holder, attempt, sent.step)
    typed, action = _as_typed(sent.values), _action(sent.action, holder)
    result = act(request, holder.browser, attempt, typed, action, sent.step)
    if isinstance(result, StepForm):
        raise Refusal("input", **_problem_members(_step(holder, attempt, result)))
    return _result(request, holder, result)


@api.post("verify/", response=answers({200: RegistrationState}, 404, 422, 429, 502, 503), operation_id="verify")
@sensitive_variables()
def verify(request: HttpRequest, sent: MailLink) -> RegistrationState:
    """Submits the code of the link in the mail: for apps that open the site's links themselves."""
    holder = _holder(request)
    if not is_whole({"otp": sent.otp, "state": sent.state}):
        raise Refusal("link", standing="broken")
    link = open_link(request, holder.browser, sent.state)
    if link.attempt is None:
        raise Refusal("link", standing=link.status)
    result = confirm(request, holder.browser, link.attempt, sent.otp)
    if result is None:
        raise Refusal("link", standing="stale")
    return _result(request, holder, result)


@api.post("cancel/", response=answers({200: RegistrationState}, 404), operation_id="cancel")
def cancel(request: HttpRequest, registration: str = "") -> RegistrationState:
    """Cancels the registration."""
    attempt = _attempt(request)
    endings.cancel(attempt)
    return _state(request, _holder(request), attempt)


def _holder(request: HttpRequest) -> Holder:
    return cast(AuthenticatedRequest, request).auth


def _attempt(request: HttpRequest) -> Attempt:
    """:raises Refusal: the holder has no registration"""
    attempt = open_attempt(request, _holder(request).browser)
    if attempt is None:
        raise Refusal("no-registration")
    return attempt


def _registration_id(request: HttpRequest, sent: Beginning, holder: Holder) -> uuid.UUID | None:
    """Returns the id that the registration will have; None if the form has to be sent again."""
    if holder.registration is not None:
        return holder.registration if holder.may_start else None
    return start.registration_id(request, {start.FORM_TOKEN: sent.form_token})


def _first_typed(sent: Beginning, holder: Holder) -> dict[str, str]:
    """Returns the first submission by HTML name."""
    typed = _as_typed(sent.values)
    if sent.form_version:
        typed[start.FORM_VERSION] = sent.form_version
    return typed | {"action": _action(sent.action, holder)}


def _action(action: str, holder: Holder) -> str:
    """Returns the button's value.

    :raises Refusal: it leads to an identity provider, from which an app without cookies could not come back
    """
    if pressed_provider(action) and not holder.is_browser:
        raise Refusal("stale")
    return action


def _as_typed(values: Mapping[str, Any]) -> dict[str, str]:
    """Returns values as an HTML form would send them: unticked checkboxes are left out."""
    return {k: "on" if v is True else str(v) for k, v in values.items() if v is not None and v is not False}


def _closed(closed: Closed) -> Refusal:
    """Returns the problem for a sign-up without a form."""
    messages = notices(closed.error) if closed.error else closed.messages
    detail = " ".join(dict.fromkeys(say(m) for m in messages))
    if closed.wait:
        return Refusal("wait", retry_after=closed.wait, detail=detail)
    if closed.error:
        refusal = refusal_of(outcomes.Failed(closed.error), detail=detail)
        name = "unreachable" if isinstance(closed.error, RateLimited) else refusal.name
        return Refusal(name, retry_after=refusal.retry_after, detail=detail)
    return Refusal("invitation" if closed.invitation else "closed", detail=detail)


def _first_step(holder: Holder, page: FirstPage) -> Step:
    return _as_data(holder, page.form, page.response, "", WaitTimes(wait=page.wait))


def _step(holder: Holder, attempt: Attempt, form: StepForm) -> Step:
    return _as_data(holder, form, attempt.position.state.response, attempt.row.step, wait_times(attempt))


def _as_data(holder: Holder, form: StepForm, response: IdxResponse, mark: str, times: WaitTimes) -> Step:
    """Returns a step as data. Identity providers are for browsers only: the way back needs their session."""
    step = step_as_data(form, response, mark, times)
    return step if holder.is_browser else step.model_copy(update={"identity_providers": []})


def _problem_members(step: Step) -> dict[str, Any]:
    """Returns the members of a problem that is about a step: ``detail``, ``messages`` and ``step``."""
    errors = [m for m in step.messages if m.severity == "error"] or step.messages
    return {"detail": " ".join(dict.fromkeys(m.text for m in errors)), "messages": step.messages, "step": step}


def _poll(request: HttpRequest, holder: Holder, attempt: Attempt, mark: str | None) -> RegistrationState:
    if not is_stale(attempt, mark) and attempt.row.status in ON_STEP_PAGE:
        commands.poll(attempt)
    return _state(request, holder, attempt)


def _result(request: HttpRequest, holder: Holder, result: Advance) -> RegistrationState:
    """Returns the registration's state after a submission.

    :raises Refusal: the submission did not go through
    """
    if result.signed_in and result.attempt:
        row = result.attempt.row
        # The org's messages at the end, which the next page would show.
        text = " ".join(str(m) for m in get_messages(request))
        return RegistrationState(
            registration=str(row.pk),
            status=Status(row.status),
            heading=ending(row).heading,
            text=text,
            signed_in=True,
            go=absolute(result.url),
        )
    attempt = result.attempt or _attempt(request)
    state = _state(request, holder, attempt, "" if result.url.startswith("/") else result.url)
    if state.step and (refusal := _problem(state.step, result.outcome)):
        raise refusal
    if not state.step and isinstance(result.outcome, outcomes.Failed | outcomes.Waiting | outcomes.Stale):
        messages = attempt.state.notices if attempt.state else ()
        raise refusal_of(result.outcome, detail=" ".join(say(m) for m in messages))
    return state


def _state(request: HttpRequest, holder: Holder, attempt: Attempt, go: str = "") -> RegistrationState:
    """Returns the state of a registration.

    :param go: where the browser goes next, "" to stay
    :raises Refusal: another request is calling the org for it
    """
    row = attempt.row
    if row.is_busy:
        raise Refusal("busy")
    values: dict[str, Any] = {"registration": str(row.pk), "status": row.status}
    if holder.is_browser:
        values["csrf_token"] = get_token(request)
    if row.status not in ON_STEP_PAGE:
        end = ending(row)
        text = " ".join([*end.reasons, end.lead]).strip()
        return RegistrationState(**values, heading=end.heading, text=text, go=_url_from_end(holder, row))
    if attempt.page:
        form = StepForm(attempt.page, draft=attempt.position.state.draft)
        return RegistrationState(**values, step=_step(holder, attempt, form), go=go)
    heading, lead = ALMOST_THERE
    return RegistrationState(**values, heading=str(heading), text=str(lead))


def _problem(step: Step, outcome: Outcome) -> Refusal | None:
    """Returns the problem for a submission that did not go through; None if it did."""
    if step.wait:
        return Refusal("wait", retry_after=step.wait, **_problem_members(step))
    if isinstance(outcome, outcomes.Rejected) and not any(m.severity == "error" for m in step.messages):
        return None
    is_fine = isinstance(outcome, outcomes.Advanced | outcomes.Sent | outcomes.Ended | outcomes.Granted)
    return None if is_fine else refusal_of(outcome, **_problem_members(step))


def _url_from_end(holder: Holder, registration: Registration) -> str:
    """Returns where a browser goes from the page at the end, by ``StatusInfo.way_on``; "" if it can only wait."""
    way_on = STATUS_INFO[Status(registration.status)].way_on
    if not way_on:
        return ""
    route = "selfreg:start" if way_on == "sign up" else "oidc_authentication_init"
    # The offer to link an existing user is in a browser's session. Apps get theirs at the sign-in.
    if way_on == "sign in" and holder.is_browser and load_offer(holder.browser):
        route = "selfreg:link"
    query = f"?{urlencode({'next': registration.next_url})}" if registration.next_url else ""
    return absolute(f"{reverse(route)}{query}")


def _with_headers(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Adds the headers that every response has, and the device cookie of a new browser."""
    add_never_cache_headers(response)
    response["Referrer-Policy"] = "same-origin"
    holder = getattr(request, "auth", None)
    if isinstance(holder, Holder) and holder.is_browser and DEVICE_COOKIE not in request.COOKIES:
        remember_device(request, response, holder.browser.device)
    return response
