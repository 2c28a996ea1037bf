"""The operations of the JSON API: what the pages do, with JSON answers. The rules are in ``flows``."""

import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.contrib.messages import get_messages
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, RawPostDataException
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import get_token
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.responses import Response
from ninja.responses import Status as Answer

from selfreg import __version__
from selfreg.api.binding import Holder, RegistrationToken, SessionCookie, absolute, holder_of, new_token
from selfreg.api.problems import PROBLEM_JSON, Refusal, refusal_of
from selfreg.api.schemas import Beginning, FirstForm, MailLink, Problem, RegistrationState, Step, Submission, Token
from selfreg.api.steps_as_data import step_as_data
from selfreg.database_connections import is_outage, let_go
from selfreg.error_reports import without_values
from selfreg.flows import start
from selfreg.flows.advance import REQUEST_SECONDS, Advance, act, follow, is_stale, pressed_provider
from selfreg.flows.email_link import confirm, open_link, read_link
from selfreg.flows.form_token import FORM_TOKEN, new_form_token, registration_id, seconds_until_usable
from selfreg.flows.session import load_offer, open_attempt, save_new_session
from selfreg.flows.start import Closed, FirstPage
from selfreg.flows.step_context import WaitTimes, wait_times
from selfreg.forms import StepForm
from selfreg.idx.deadline import at_most
from selfreg.idx.errors import RateLimited
from selfreg.models import Conflict, Registration
from selfreg.registration import commands, endings
from selfreg.registration import outcome as outcomes
from selfreg.registration.exchange import Attempt
from selfreg.registration.outcome import Outcome
from selfreg.registration.policy import fingerprint
from selfreg.secret import Secret
from selfreg.statuses import ON_STEP_PAGE, STATUS_INFO, Status
from selfreg.texts.endings import ENDINGS, ending
from selfreg.texts.messages import notice, say
from selfreg.web.orgs import page_url, settings_of, sign_in_url
from selfreg.web.visitor import remember_device

DESCRIPTION = """The sign-up of this site as JSON. `GET` the first form and `POST` it filled in. Then show the step in
each answer and `POST` what was typed, until there is no step. Browsers use their session cookie and send the header
`X-CSRFToken`. Apps get a token first and send it as `Authorization: Bearer`. Texts are in the language of
`Accept-Language`. Every error is a problem (RFC 9457), with the step to show again if something has to be corrected."""


DOCUMENT = "openapi.json"


class Interface(NinjaAPI):
    """Forbids caching, and documents problems with their media type."""

    def create_response(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the response with the headers that every response has."""
        return _with_headers(request, super().create_response(request, *args, **kwargs))

    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> OpenAPISchema:
        """Return the OpenAPI document, with ``application/problem+json`` for errors."""
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
    openapi_url="",  # see ``document``
    urls_namespace="selfreg_api",
    auth=[RegistrationToken(), SessionCookie()],
)
api.add_decorator(at_most(REQUEST_SECONDS), mode="view")
api.add_decorator(without_values, mode="view")


@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """Answer with the OpenAPI document. Its paths are those of the org whose document this is."""
    return Response(api.get_openapi_schema(path_prefix=request.path.removesuffix(DOCUMENT)))


def answers(success: Mapping[int, Any], *problems: int) -> dict[int, Any]:
    """Return the response schemas of an operation by HTTP status.

    :param success: the schemas of successful responses
    :param problems: further statuses of problems, besides those of every operation
    """
    return {**success, **dict.fromkeys((400, 401, 403, 409, *problems), Problem)}


@api.exception_handler(Refusal)
def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer a request that was refused with its problem."""
    return _with_headers(request, refusal.response)


def refusing(name: str) -> Callable[[HttpRequest, Any], HttpResponse]:
    """Return a handler that answers with the problem of this name."""
    return lambda request, _error: refused(request, Refusal(name))


api.add_exception_handler(Conflict, refusing("busy"))
# A body that is not JSON, a form (read for the CSRF check), and what Django refuses to read.
for unreadable in (HttpError, RawPostDataException, BadRequest, MultiPartParserError, SuspiciousOperation):
    api.add_exception_handler(unreadable, refusing("malformed"))


@api.exception_handler(ValidationError)
def invalid_body(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer a body that does not fit the schema. Name the members that are wrong, never their values."""
    places = {".".join(str(p) for p in e["loc"][2:]) for e in error.errors}
    return refused(request, Refusal("malformed", detail=", ".join(sorted(places))[:500]))


@api.exception_handler(Exception)
def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer if the database is down. Other exceptions are left to Django, whose error reports hide secrets."""
    if not is_outage(error):
        raise error
    let_go()
    response = refused(request, Refusal("database"))
    save_new_session(request, response)
    return response


@api.post("token/", auth=None, response={201: Token}, operation_id="token")
def token(request: HttpRequest) -> Answer[Token]:
    """Return a token that starts one registration, for apps without cookies."""
    return Answer(201, Token(token=new_token(settings_of(request))))


@api.get("", response=answers({200: FirstForm}, 502, 503), operation_id="form")
def form(request: HttpRequest, next: str = "") -> FirstForm:
    """Return the sign-up form of the org's policy. `next` is the path to go to after the sign-up."""
    holder = holder_of(request)
    page = start.first_page(request, holder.browser)
    if isinstance(page, Closed):
        raise _closed(page)
    return FirstForm(
        step=_first_step(holder, page),
        form_version=fingerprint(page.form.step.remediation),
        form_token=new_form_token(holder.browser) if holder.is_browser else "",
        csrf_token=get_token(request) if holder.is_browser else "",
    )


@api.post("", response=answers({201: RegistrationState}, 410, 422, 429, 502, 503), operation_id="begin")
def begin_registration(request: HttpRequest, sent: Beginning, next: str = "") -> Answer[RegistrationState]:
    """Start the registration. The same form sent twice starts only one."""
    holder = holder_of(request)
    # The link of an invitation has no form, and so no token of one.
    has_token = not (sent.activation_token and holder.is_browser)
    pk = _registration_id(sent, holder) if has_token else None
    if sent.activation_token:
        token = Secret(sent.activation_token)
        result: Advance | FirstPage | Closed = start.accept_invitation(
            request, holder.browser, token, holder.registration
        )
    else:
        result = start.start(request, holder.browser, _first_typed(sent, holder), pk)
    if isinstance(result, Closed):
        raise _closed(result)
    if isinstance(result, FirstPage):
        outcome = result.outcome or outcomes.Rejected(())
        raise refusal_of(outcome, **_problem_members(_first_step(holder, result)))
    return Answer(201, _result(request, holder, result))


@api.get("step/", response=answers({200: RegistrationState}, 404), operation_id="standing")
def registration_state(request: HttpRequest, registration: str = "") -> RegistrationState:
    """Return the state of the newest registration of this browser, or of the one that `registration` names."""
    holder, attempt = holder_of(request), _attempt(request)
    follow(request, holder.browser, attempt, commands.refresh(attempt))
    return _state(request, holder, attempt)


@api.post("step/", response=answers({200: RegistrationState}, 404, 422, 429, 502, 503), operation_id="submit")
def submit(request: HttpRequest, sent: Submission, registration: str = "") -> RegistrationState:
    """Submit the current step, or another of its buttons. `poll` asks whether the visitor continued elsewhere."""
    holder, attempt = holder_of(request), _attempt(request)
    if sent.action == "poll":
        return _poll(request, holder, attempt, sent.step)
    typed, action = Secret[Mapping[str, Any]](_as_typed(sent.values)), _action(sent.action, holder)
    result = act(request, holder.browser, attempt, typed, action, sent.step)
    if isinstance(result, StepForm):
        raise Refusal("input", **_problem_members(_step(holder, attempt, result)))
    return _result(request, holder, result)


@api.post("verify/", response=answers({200: RegistrationState}, 404, 422, 429, 502, 503), operation_id="verify")
def verify(request: HttpRequest, sent: MailLink) -> RegistrationState:
    """Submit the code of the link in an email, for apps that open the site's links themselves."""
    holder = holder_of(request)
    values = read_link({"otp": sent.otp, "state": sent.state})
    if not values:
        raise Refusal("link", standing="broken")
    link = open_link(request, holder.browser, values["state"])
    if link.attempt is None:
        raise Refusal("link", standing=link.status)
    result = confirm(request, holder.browser, link.attempt, Secret(values["otp"]))
    if result is None:
        raise Refusal("link", standing="stale")
    return _result(request, holder, result)


@api.post("cancel/", response=answers({200: RegistrationState}, 404), operation_id="cancel")
def cancel(request: HttpRequest, registration: str = "") -> RegistrationState:
    """Cancel the registration."""
    attempt = _attempt(request)
    endings.cancel(attempt)
    return _state(request, holder_of(request), attempt)


def _attempt(request: HttpRequest) -> Attempt:
    """Open the holder's registration.

    :raises Refusal: the holder has no registration
    """
    attempt = open_attempt(request, holder_of(request).browser)
    if attempt is None:
        raise Refusal("no-registration")
    return attempt


def _registration_id(sent: Beginning, holder: Holder) -> uuid.UUID | None:
    """Return the id that the registration will have; None if the form has to be sent again.

    :raises Refusal: no person fills in a form so soon after the app got its token
    """
    if holder.registration is not None:
        if seconds := seconds_until_usable(holder.issued_at, holder.browser.settings):
            raise Refusal("wait", retry_after=seconds)
        return holder.registration if holder.may_start else None
    return registration_id(holder.browser, {FORM_TOKEN: sent.form_token})


def _first_typed(sent: Beginning, holder: Holder) -> Secret[Mapping[str, Any]]:
    """Return the first submission by HTML name."""
    version = {start.FORM_VERSION: sent.form_version} if sent.form_version else {}
    return Secret({**_as_typed(sent.values), **version, "action": _action(sent.action, holder)})


def _action(action: str, holder: Holder) -> str:
    """Return the button's value.

    :raises Refusal: it leads to an identity provider, from which an app without cookies could not come back
    """
    if pressed_provider(action) and not holder.is_browser:
        raise Refusal("stale")
    return action


def _as_typed(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as an HTML form would send them: unticked checkboxes are left out."""
    return {k: "on" if v is True else str(v) for k, v in values.items() if v is not None and v is not False}


def _closed(closed: Closed) -> Refusal:
    """Return the problem for a sign-up without a form."""
    start.log_closed(closed)
    messages = (notice(closed.error),) if closed.error else closed.messages
    detail = " ".join(dict.fromkeys(say(m) for m in messages))
    if closed.wait:
        return Refusal("wait", retry_after=closed.wait, detail=detail)
    if closed.error:
        refusal = refusal_of(outcomes.Failed(closed.error), detail=detail)
        name = "unreachable" if isinstance(closed.error, RateLimited) else refusal.name
        return Refusal(name, retry_after=refusal.retry_after, detail=detail)
    return Refusal("invitation" if closed.invitation else "closed", detail=detail)


def _first_step(holder: Holder, page: FirstPage) -> Step:
    return _for(holder, step_as_data(page.form, page.response, "", WaitTimes(wait=page.wait)))


def _step(holder: Holder, attempt: Attempt, form: StepForm) -> Step:
    state = attempt.position.state
    return _for(holder, step_as_data(form, state.response, attempt.row.step, wait_times(attempt), state))


def _for(holder: Holder, step: Step) -> Step:
    """Return the step as this client can use it. Identity providers lead back to a browser's session only."""
    return step if holder.is_browser else step.model_copy(update={"identity_providers": []})


def _problem_members(step: Step) -> dict[str, Any]:
    """Return the members of a problem that is about a step: ``detail``, ``messages`` and ``step``."""
    errors = [m for m in step.messages if m.severity == "error"] or step.messages
    return {"detail": " ".join(dict.fromkeys(m.text for m in errors)), "messages": step.messages, "step": step}


def _poll(request: HttpRequest, holder: Holder, attempt: Attempt, mark: str | None) -> RegistrationState:
    if not is_stale(attempt, mark) and attempt.row.status in ON_STEP_PAGE:
        outcome = commands.poll(attempt)
        result = follow(request, holder.browser, attempt, outcome)
        if isinstance(outcome, outcomes.Granted):
            return _result(request, holder, result)
    return _state(request, holder, attempt)


def _result(request: HttpRequest, holder: Holder, result: Advance) -> RegistrationState:
    """Return the registration's state after a submission.

    :raises Refusal: the submission did not go through
    """
    if result.signed_in and result.attempt:
        row = result.attempt.row
        # The org's last messages, which the next page would show.
        text = " ".join(str(m) for m in get_messages(request))
        return RegistrationState(
            registration=str(row.pk),
            status=Status(row.status),
            heading=ending(row).heading,
            text=text,
            signed_in=True,
            go=absolute(result.url, holder.browser.settings),
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
    """Return the state of a registration.

    :param go: where the browser has to go; "" to stay
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
    heading, lead = ENDINGS["account-ready"]  # only the sign-in is missing
    return RegistrationState(**values, heading=str(heading), text=str(lead))


def _problem(step: Step, outcome: Outcome) -> Refusal | None:
    """Return the problem for a submission that did not go through; None if it did."""
    if step.wait:
        return Refusal("wait", retry_after=step.wait, **_problem_members(step))
    if isinstance(outcome, outcomes.Rejected) and not any(m.severity == "error" for m in step.messages):
        return None
    is_fine = isinstance(outcome, outcomes.Advanced | outcomes.Sent | outcomes.Ended | outcomes.Granted)
    return None if is_fine else refusal_of(outcome, **_problem_members(step))


def _url_from_end(holder: Holder, registration: Registration) -> str:
    """Return where to go from the page at the end, by ``StatusInfo.way_on``; "" if the visitor can only wait."""
    way_on = STATUS_INFO[Status(registration.status)].way_on
    if not way_on:
        return ""
    settings = holder.browser.settings
    url = page_url(settings.org, "start") if way_on == "sign up" else sign_in_url(settings.org)
    # The offer to link an existing user is in a browser's session. Apps get theirs at the sign-in.
    if way_on == "sign in" and holder.is_browser and load_offer(holder.browser):
        url = page_url(settings.org, "link")
    query = f"?{urlencode({'next': registration.next_url})}" if registration.next_url else ""
    return absolute(f"{url}{query}", settings)


def _with_headers(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Add the headers that every response has, and the device cookie of a new browser."""
    add_never_cache_headers(response)
    response["Referrer-Policy"] = "same-origin"
    holder = getattr(request, "auth", None)
    if isinstance(holder, Holder) and holder.is_browser:
        remember_device(request, response, holder.browser.device)
    return response
