"""The operations: what the pages do, answered with data. The rules are those of ``flows``."""

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.responses import Status as Answer

from selfreg import __version__
from selfreg.api.binding import Holder, RegistrationToken, SessionCookie, absolute, new_token
from selfreg.api.problems import Refusal, answer_refusal, refusal_of
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
from selfreg.flows.session import kept_offer, open_attempt
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
from selfreg.statuses import FINAL, ON_STEP_PAGE, Status
from selfreg.texts.endings import ending
from selfreg.texts.messages import notices, say
from selfreg.web.visitor import DEVICE_COOKIE, remember_device

PROBLEM_JSON = "application/problem+json"
DESCRIPTION = """The sign-up of this site as data. `GET` the first form, `POST` it filled in, then show the step of
each answer and `POST` what was typed, until there is none. A browser is known by its session cookie and sends the
header `X-CSRFToken`; an app gets a token first and sends it as `Authorization: Bearer`. Texts come in the language of
`Accept-Language`. Every error is a problem (RFC 9457); where something has to be put right it brings the step to show
again."""


class Interface(NinjaAPI):
    """Never cached; problems are documented as what they are."""

    def create_response(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        return _finished(request, super().create_response(request, *args, **more))

    def get_openapi_schema(self, *args: Any, **more: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(*args, **more)
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


def answers(good: Mapping[int, Any], *problems: int) -> dict[int, Any]:
    """What an operation may answer."""
    return {**good, **dict.fromkeys((400, 401, 403, 409, *problems), Problem)}


@api.exception_handler(Refusal)
def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return _finished(request, answer_refusal(request, refusal))


@api.exception_handler(Conflict)
def overtaken(request: HttpRequest, conflict: Conflict) -> HttpResponse:
    return refused(request, Refusal("busy"))


@api.exception_handler(ValidationError)
def misshapen(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Says where, and never what was sent."""
    places = {".".join(str(p) for p in e["loc"][2:]) for e in error.errors}
    return refused(request, Refusal("malformed", detail=", ".join(sorted(places))[:500]))


@api.exception_handler(HttpError)
def no_json(request: HttpRequest, error: HttpError) -> HttpResponse:
    return refused(request, Refusal("malformed"))


@api.exception_handler(Exception)
def broken(request: HttpRequest, error: Exception) -> HttpResponse:
    """Django's own reports know what to leave out."""
    raise error


@api.post("token/", auth=None, response={201: Token}, operation_id="token")
def token(request: HttpRequest) -> Answer[Token]:
    """For apps that keep no cookies: a token for one registration, which is still to begin."""
    return Answer(201, Token(token=new_token()))


@api.get("", response=answers({200: FirstForm}, 502, 503), operation_id="form")
def form(request: HttpRequest, next: str = "") -> FirstForm:
    """The first form, as the org's policy asks for it. `next` is where people land who signed up here."""
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
    """Begins the registration. The same form sent twice begins one."""
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
        raise refusal_of(outcome, **_shown(_first_step(holder, result)))
    return Answer(201, _result(request, holder, result))


@api.get("step/", response=answers({200: RegistrationState}, 404), operation_id="standing")
def registration_state(request: HttpRequest, registration: str = "") -> RegistrationState:
    """Where the registration stands. `registration` names another of this browser's than the newest."""
    holder, attempt = _holder(request), _attempt(request)
    commands.refresh(attempt)
    return _state(request, holder, attempt)


@api.post("step/", response=answers({200: RegistrationState}, 404, 422, 429, 502, 503), operation_id="submit")
@sensitive_variables()
def submit(request: HttpRequest, sent: Submission, registration: str = "") -> RegistrationState:
    """Submits the present step, or another of its buttons. `poll` asks whether the visitor went on elsewhere."""
    holder, attempt = _holder(request), _attempt(request)
    if sent.action == "poll":
        return _poll(request, holder, attempt, sent.step)
    typed, action = _as_typed(sent.values), _action(sent.action, holder)
    result = act(request, holder.browser, attempt, typed, action, sent.step)
    if isinstance(result, StepForm):
        raise Refusal("input", **_shown(_step(holder, attempt, result)))
    return _result(request, holder, result)


@api.post("verify/", response=answers({200: RegistrationState}, 404, 422, 429, 502, 503), operation_id="verify")
@sensitive_variables()
def verify(request: HttpRequest, sent: MailLink) -> RegistrationState:
    """Proves the address by what the link in the mail carries: for apps that open the site's links themselves."""
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
    """Gives up."""
    attempt = _attempt(request)
    endings.cancel(attempt)
    return _state(request, _holder(request), attempt)


def _holder(request: HttpRequest) -> Holder:
    holder: Holder = request.auth  # type: ignore[attr-defined]
    return holder


def _attempt(request: HttpRequest) -> Attempt:
    attempt = open_attempt(request, _holder(request).browser)
    if attempt is None:
        raise Refusal("no-registration")
    return attempt


def _registration_id(request: HttpRequest, sent: Beginning, holder: Holder) -> uuid.UUID | None:
    """The id that the registration will have; None for a form that has to be sent once more."""
    if holder.registration is not None:
        return holder.registration if holder.may_begin else None
    return start.registration_id(request, {start.FORM_TOKEN: sent.form_token})


def _first_typed(sent: Beginning, holder: Holder) -> dict[str, str]:
    typed = _as_typed(sent.values)
    if sent.form_version:
        typed[start.FORM_VERSION] = sent.form_version
    return typed | {"action": _action(sent.action, holder)}


def _action(action: str, holder: Holder) -> str:
    """The button, unless it leads to an identity provider and nothing would lead back."""
    if pressed_provider(action) and not holder.is_browser:
        raise Refusal("stale")
    return action


def _as_typed(values: Mapping[str, Any]) -> dict[str, str]:
    """As a form would send it: a box that is not ticked is not sent."""
    return {k: "on" if v is True else str(v) for k, v in values.items() if v is not None and v is not False}


def _closed(closed: Closed) -> Refusal:
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
    """The way back from an identity provider finds the registration by the browser's session."""
    step = step_as_data(form, response, mark, times)
    return step if holder.is_browser else step.model_copy(update={"identity_providers": []})


def _shown(step: Step) -> dict[str, Any]:
    """A step in a problem, its messages in front."""
    errors = [m for m in step.messages if m.severity == "error"] or step.messages
    return {"detail": " ".join(dict.fromkeys(m.text for m in errors)), "messages": step.messages, "step": step}


def _poll(request: HttpRequest, holder: Holder, attempt: Attempt, mark: str | None) -> RegistrationState:
    if not is_stale(attempt, mark) and attempt.row.status in ON_STEP_PAGE:
        commands.poll(attempt)
    return _state(request, holder, attempt)


def _result(request: HttpRequest, holder: Holder, result: Advance) -> RegistrationState:
    """What a submission came to: the state of the registration, or a problem."""
    if result.signed_in and result.attempt:
        row = result.attempt.row
        # What the org said beside its grant, and a page would show next.
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
    """Where the registration stands."""
    row = attempt.row
    if row.is_busy:
        raise Refusal("busy")
    values: dict[str, Any] = {"registration": str(row.pk), "status": row.status}
    if holder.is_browser:
        values["csrf_token"] = get_token(request)
    if row.status not in ON_STEP_PAGE:
        end = ending(row)
        text = " ".join([*end.reasons, end.lead]).strip()
        return RegistrationState(**values, heading=end.heading, text=text, go=_way_on(holder, row))
    if attempt.page:
        form = StepForm(attempt.page, draft=attempt.position.state.draft)
        return RegistrationState(**values, step=_step(holder, attempt, form), go=go)
    text = gettext("Your account is set up. One press signs you in.")
    return RegistrationState(**values, heading=gettext("Almost there"), text=text)


def _problem(step: Step, outcome: Outcome) -> Refusal | None:
    """What the answer to a submission finds fault with, if it does."""
    if step.wait:
        return Refusal("wait", retry_after=step.wait, **_shown(step))
    if isinstance(outcome, outcomes.Rejected) and not any(m.severity == "error" for m in step.messages):
        return None
    is_fine = isinstance(outcome, outcomes.Advanced | outcomes.Sent | outcomes.Ended | outcomes.Granted)
    return None if is_fine else refusal_of(outcome, **_shown(step))


def _way_on(holder: Holder, registration: Registration) -> str:
    """Where a browser goes from an end: to sign in, to the word about an older account, or to start again."""
    if registration.status in FINAL - {Status.COMPLETED}:
        place = "selfreg:start"
    elif registration.status == Status.AWAITING_APPROVAL:
        return ""
    else:
        # An app's browser was made no offer yet: it gets one when it comes back from signing in.
        offered = holder.is_browser and kept_offer(holder.browser)
        place = "selfreg:link" if offered else "oidc_authentication_init"
    query = f"?{urlencode({'next': registration.next_url})}" if registration.next_url else ""
    return absolute(f"{reverse(place)}{query}")


def _finished(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    add_never_cache_headers(response)
    response["Referrer-Policy"] = "same-origin"
    holder = getattr(request, "auth", None)
    if isinstance(holder, Holder) and holder.is_browser and DEVICE_COOKIE not in request.COOKIES:
        remember_device(request, response, holder.browser.device)
    return response
