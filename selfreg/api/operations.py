"""The operations: what the pages do, answered with data. Rules are in ``beginning``, ``progress``, ``mail_link``."""

import uuid
from collections.abc import Mapping, Sequence
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
from selfreg.api.problems import MEANINGS, Refusal, answer_refusal
from selfreg.api.schemas import (
    Beginning,
    FirstForm,
    MailLink,
    Problem,
    Standing,
    Step,
    Submission,
    Token,
)
from selfreg.api.steps_as_data import step_as_data
from selfreg.flows import email_link, start
from selfreg.flows.advance import ON_STEP_PAGE, REQUEST_SECONDS, act, is_stale, provider_pressed
from selfreg.flows.session import kept_offer, my_enrollment
from selfreg.flows.start import Closed, FirstPage, accept_invitation, attempt_of, begin, first_page, new_form_token
from selfreg.flows.step_context import standing_of
from selfreg.forms import StepForm
from selfreg.idx import steps
from selfreg.idx.deadline import at_most
from selfreg.idx.document import IdxResponse, Message
from selfreg.idx.errors import OrgUnreachable, RateLimited
from selfreg.models import FINAL, Conflict, Registration, Status
from selfreg.registration.enrollment import Enrollment
from selfreg.registration.policy import client_for, fingerprint
from selfreg.texts.endings import ending
from selfreg.texts.messages import notices, say
from selfreg.web.visitor import remember_device, visitor_of

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
    shown = first_page(request)
    if isinstance(shown, Closed):
        raise _closed(shown)
    is_browser = _holder(request).registration is None
    return FirstForm(
        step=_first_step(request, shown),
        form_version=fingerprint(shown.form.step.remediation),
        form_token=new_form_token(request) if is_browser else "",
        csrf_token=get_token(request) if is_browser else "",
    )


@api.post("", response=answers({201: Standing}, 410, 422, 429, 502, 503), operation_id="begin")
@sensitive_variables()
def begin_registration(request: HttpRequest, sent: Beginning, next: str = "") -> Answer[Standing]:
    """Begins the registration. The same form sent twice begins one."""
    holder = _holder(request)
    attempt = _attempt(request, sent, holder)
    if sent.activation_token:
        led: str | FirstPage | Closed = accept_invitation(request, sent.activation_token, holder.registration)
    else:
        led = begin(request, _first_typed(sent, holder), attempt)
    if isinstance(led, Closed):
        raise _closed(led)
    if isinstance(led, FirstPage):
        name, wait = _meaning([m for _place, m in led.form.messages])
        raise Refusal(name, retry_after=led.wait or wait, **_shown(_first_step(request, led)))
    # Signing in, which may come at once, leaves the session that knew the registration.
    enrollment = my_enrollment(request) or Enrollment(
        Registration.objects.get(pk=str(attempt)), client_for(visitor_of(request))
    )
    return Answer(201, _standing(request, enrollment, led, posted=True))


@api.get("step/", response=answers({200: Standing}, 404), operation_id="standing")
def standing(request: HttpRequest, flow: str = "") -> Standing:
    """Where the registration stands. `flow` names another of this browser's registrations than the newest."""
    return _standing(request, _enrollment(request))


@api.post("step/", response=answers({200: Standing}, 404, 422, 429, 502, 503), operation_id="submit")
@sensitive_variables()
def submit(request: HttpRequest, sent: Submission, flow: str = "") -> Standing:
    """Submits the present step, or another of its buttons. `poll` asks whether the visitor went on elsewhere."""
    enrollment = _enrollment(request)
    if sent.action == "poll":
        if not is_stale(enrollment, sent.step) and enrollment.registration.status in ON_STEP_PAGE:
            enrollment.poll()
        return _standing(request, enrollment)
    led = act(request, enrollment, _as_typed(sent.values), _action(sent.action, _holder(request)), sent.step)
    if isinstance(led, StepForm):
        raise Refusal("input", **_shown(_step(request, enrollment, led)))
    return _standing(request, enrollment, led, posted=True)


@api.post("verify/", response=answers({200: Standing}, 404, 422, 429, 502, 503), operation_id="verify")
@sensitive_variables()
def verify(request: HttpRequest, sent: MailLink) -> Standing:
    """Proves the address by what the link in the mail carries: for apps that open the site's links themselves."""
    link = {"otp": sent.otp, "state": sent.state}
    registration = email_link.registration_of(sent.state) if email_link.is_whole(link) else None
    found = email_link.standing(request, registration) if email_link.is_whole(link) else "broken"
    if registration is None or found != "same":
        raise Refusal("link", standing=found)
    led = email_link.confirm(request, registration, sent.otp)
    if not led:
        raise Refusal("link", standing="stale")
    return _standing(request, Enrollment(registration, client_for(visitor_of(request))), led, posted=True)


@api.post("cancel/", response=answers({200: Standing}, 404), operation_id="cancel")
def cancel(request: HttpRequest, flow: str = "") -> Standing:
    """Gives up."""
    enrollment = _enrollment(request)
    if enrollment.registration.is_open:
        enrollment.cancel()
    return _standing(request, enrollment)


def _holder(request: HttpRequest) -> Holder:
    holder: Holder = request.auth  # type: ignore[attr-defined]
    return holder


def _enrollment(request: HttpRequest) -> Enrollment:
    enrollment = my_enrollment(request)
    if enrollment is None:
        raise Refusal("no-registration")
    return enrollment


def _attempt(request: HttpRequest, sent: Beginning, holder: Holder) -> uuid.UUID | None:
    """The id that the registration will have; None for a form that has to be sent once more."""
    if holder.registration is not None:
        return holder.registration if holder.may_begin else None
    return attempt_of(request, {start.FORM_TOKEN: sent.form_token})


def _first_typed(sent: Beginning, holder: Holder) -> dict[str, str]:
    typed = _as_typed(sent.values)
    if sent.form_version:
        typed[start.FORM_VERSION] = sent.form_version
    return typed | {"action": _action(sent.action, holder)}


def _action(action: str, holder: Holder) -> str:
    """The button, unless it leads to an identity provider and nothing would lead back."""
    if provider_pressed(action) and holder.registration is not None:
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
    if isinstance(closed.error, RateLimited):
        return Refusal("unreachable", retry_after=closed.error.retry_after, detail=detail)
    name = "unreachable" if isinstance(closed.error, OrgUnreachable) else "bad-answer" if closed.error else "closed"
    return Refusal("invitation" if closed.invitation else name, detail=detail)


def _first_step(request: HttpRequest, shown: FirstPage) -> Step:
    return _as_data(request, shown.form, shown.response, "", wait=shown.wait)


def _step(request: HttpRequest, enrollment: Enrollment, form: StepForm) -> Step:
    more = standing_of(enrollment, form)
    return _as_data(request, form, enrollment.flow.response, enrollment.registration.step, **more)


def _as_data(request: HttpRequest, form: StepForm, response: IdxResponse, mark: str, **more: int) -> Step:
    """The way back from an identity provider finds the registration by the browser's session."""
    step = step_as_data(form, response, mark, **more)
    return step if _holder(request).registration is None else step.model_copy(update={"identity_providers": []})


def _shown(step: Step) -> dict[str, Any]:
    """A step in a problem, its messages in front."""
    errors = [m for m in step.messages if m.severity == "error"] or step.messages
    return {"detail": " ".join(dict.fromkeys(m.text for m in errors)), "messages": step.messages, "step": step}


def _meaning(messages: Sequence[Message]) -> tuple[str, int]:
    """The problem that the first telling message stands for, and how many seconds it says to wait."""
    telling = next((m for m in messages if m.key in MEANINGS), None)
    if telling is None:
        return "input", 0
    return MEANINGS[telling.key], next((int(p) for p in telling.params if p.isdecimal()), 0)


def _standing(request: HttpRequest, enrollment: Enrollment, led: str = "", *, posted: bool = False) -> Standing:
    """Where the registration stands after a request.

    :param led: where a page would have led
    :param posted: whether what has to be put right is a problem, or only to be shown
    """
    registration = enrollment.registration
    known: dict[str, Any] = {"registration": str(registration.pk)}
    if request.user.is_authenticated:
        # What the org said beside its grant, and a page would show next.
        text = " ".join(str(m) for m in get_messages(request))
        known |= {"status": registration.status, "heading": ending(registration).heading, "text": text}
        return Standing(**known, signed_in=True, go=absolute(led))
    enrollment.refresh()
    if registration.is_busy:
        raise Refusal("busy")
    known |= {"status": registration.status}
    if _holder(request).registration is None:
        known["csrf_token"] = get_token(request)
    found = enrollment.step() if registration.status in ON_STEP_PAGE else None
    if isinstance(found, steps.Step):
        form = StepForm(found, draft=enrollment.flow.draft)
        step = _step(request, enrollment, form)
        if posted and (problem := _problem(step, [m for _place, m in form.messages])):
            raise problem
        return Standing(**known, step=step, go="" if led.startswith("/") else led)
    if isinstance(found, steps.Granted):
        if posted and enrollment.flow.notices:
            name, wait = _meaning(enrollment.flow.notices)
            raise Refusal(name, retry_after=wait, detail=" ".join(say(m) for m in enrollment.flow.notices))
        text = gettext("Your account is set up. One press signs you in.")
        heading = gettext("Almost there")
        return Standing(**known, heading=heading, text=text)
    heading, lead, said = ending(registration)
    return Standing(**known, heading=heading, text=" ".join([*said, lead]).strip(), go=_way_on(request, registration))


def _problem(step: Step, messages: Sequence[Message]) -> Refusal | None:
    """What the answer to a submission finds fault with, if it does."""
    name, wait = _meaning(messages)
    if step.wait:
        name, wait = "wait", step.wait
    if name == "input" and not any(m.severity == "error" for m in step.messages):
        return None
    return Refusal(name, retry_after=wait, **_shown(step))


def _way_on(request: HttpRequest, registration: Registration) -> str:
    """Where a browser goes from an end: to sign in, to the word about an older account, or to start again."""
    if registration.status in FINAL - {Status.COMPLETED}:
        place = "selfreg:start"
    elif registration.status == Status.AWAITING_APPROVAL:
        return ""
    else:
        # An app's browser was made no offer yet: it gets one when it comes back from signing in.
        offered = _holder(request).registration is None and kept_offer(request)
        place = "selfreg:link" if offered else "oidc_authentication_init"
    query = f"?{urlencode({'next': registration.next_url})}" if registration.next_url else ""
    return absolute(f"{reverse(place)}{query}")


def _finished(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    add_never_cache_headers(response)
    response["Referrer-Policy"] = "same-origin"
    if isinstance(getattr(request, "auth", None), Holder) and request.auth.registration is None:  # type: ignore[attr-defined]
        remember_device(request, response)
    return response
