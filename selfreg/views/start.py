"""``/signup/``: the Create Account form, and the start of a registration."""

import time
import uuid
from contextlib import suppress

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from selfreg import limits
from selfreg.browser import (
    DRAFT,
    MINE,
    OPENING,
    keep_draft,
    keep_transaction,
    kept,
    my_registrations,
    opened_transaction,
    remember,
    step_url,
)
from selfreg.conf import conf
from selfreg.email import canonical
from selfreg.enrollment import Enrollment, Origin
from selfreg.flow import Flow
from selfreg.forms import StepForm
from selfreg.idx.client import IdxClient
from selfreg.idx.errors import IdxError, OrgRefused
from selfreg.idx.response import IdxResponse, Message
from selfreg.models import Conflict, Registration, Status
from selfreg.org import SignUpUnavailable, client_for, fingerprint, open_transaction, sign_up_form
from selfreg.steps import Step, next_step
from selfreg.texts import notices, say
from selfreg.vault import Unreadable
from selfreg.views.pages import SignUpView, next_path, render_step, unavailable
from selfreg.views.progress import carry_out, to_identity_provider
from selfreg.visit import browser_name, visitor_of

HONEYPOT = "leave_this_empty"
FORM_TOKEN = "form_token"
FORM_VERSION = "form_version"
FORM_TOKEN_SECONDS = 24 * 3600
IDP = "idp:"


class StartView(SignUpView):
    """GET shows the form that the org's profile policy asks for and creates nothing; POST starts the registration."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        client = client_for(visitor_of(request))
        token = request.GET.get("activationToken") or request.GET.get("token")
        try:
            if token:
                return self.invited(request, client, token)
            response, fresh = _first_page(request, client)
        except SignUpUnavailable as closed:
            return _no_invitation(request, closed.messages) if token else unavailable(request, closed.messages)
        except OrgRefused as refusal:
            if token and refusal.code == "invalid_request":
                return _no_invitation(request, (Message(refusal.description, "selfreg.refused"),))
            return unavailable(request, refusal)
        except IdxError as error:
            return unavailable(request, error)
        if fresh:
            keep_transaction(request, fresh)
        step = next_step(response)
        if not isinstance(step, Step):
            return unavailable(request, response.messages)
        return self.page(request, StepForm(step, draft=kept(request, DRAFT)), response)

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        attempt = _attempt(request)
        if attempt and Registration.objects.filter(pk=attempt).exists():
            remember(request, attempt)
            return redirect(step_url(request))
        client = client_for(visitor_of(request))
        try:
            response, fresh = _first_page(request, client)
        except SignUpUnavailable as closed:
            return unavailable(request, closed.messages)
        except IdxError as error:
            keep_draft(request, {k: str(v) for k, v in request.POST.items() if k.startswith("userProfile.")})
            return unavailable(request, error)
        step = next_step(response)
        if not isinstance(step, Step):
            return unavailable(request, response.messages)
        if fresh:
            keep_transaction(request, fresh)
        form = StepForm(step, request.POST)
        if attempt is None:
            form.page_errors.append(say(Message("", "selfreg.send_again")))
        idp = request.POST.get("action", "").removeprefix(IDP) if request.POST.get("action", "").startswith(IDP) else ""
        if attempt is None or not (idp or form.is_valid()):
            return self.page(request, form, response)
        if begun := _begun_before(request, form):
            return self.resumed(request, begun, client)
        if refused := _too_many(form, attempt, client.visitor.ip):
            return self.refused(request, form, response, *refused)
        try:
            flow = opened_transaction(request) or open_transaction(client)
        except SignUpUnavailable as closed:
            return unavailable(request, closed.messages)
        except IdxError as error:
            form.page_errors += [say(m) for m in notices(error)]
            return self.page(request, form, response)
        request.session.pop(OPENING, None)
        request.session.pop(DRAFT, None)
        return self.begin(request, client, flow, {} if idp else form.draft(), attempt, idp)

    @sensitive_variables()
    def begin(
        self, request: HttpRequest, client: IdxClient, flow: Flow, draft: dict[str, str], attempt: uuid.UUID, idp: str
    ) -> HttpResponse:
        """The row, then the first call that changes something at the org; should this worker die in it, the browser
        knows the row already.
        """
        remember(request, attempt)
        request.session.save()
        origin = Origin(next_path(request), client.visitor.language, browser_name(request), attempt)
        try:
            enrollment = Enrollment.begin(client, flow, draft, origin)
        except Conflict:
            return redirect(step_url(request))
        if idp:
            return to_identity_provider(request, enrollment, idp)
        step = enrollment.step()
        form = StepForm(step, request.POST) if isinstance(step, Step) else None
        shown = request.POST.get(FORM_VERSION, enrollment.registration.policy)
        if form is None or not form.is_valid() or shown != enrollment.registration.policy:
            enrollment.say("selfreg.form_changed")
            return redirect(step_url(request))
        return carry_out(request, enrollment, form, "")

    def resumed(self, request: HttpRequest, begun: Registration, client: IdxClient) -> HttpResponse:
        """On where this browser left the same person's sign-up: the org has made the account by now."""
        remember(request, begun.pk)
        with suppress(Conflict, Unreadable):
            Enrollment(begun, client).say("selfreg.resumed")
        return redirect(step_url(request))

    def refused(
        self, request: HttpRequest, form: StepForm, response: IdxResponse, reason: Message, wait: int
    ) -> HttpResponse:
        """The form again with everything typed, and when to come back. Nothing was sent to the org."""
        form.page_errors.append(say(reason))
        page = self.page(request, form, response)
        page.status_code = 429
        page["Retry-After"] = str(wait)
        return page

    def invited(self, request: HttpRequest, client: IdxClient, token: str) -> HttpResponse:
        """An activation link: on to the first step, without the token in the address."""
        flow = open_transaction(client, activation_token=token)
        origin = Origin(next_path(request), client.visitor.language, browser_name(request))
        enrollment = Enrollment.begin(client, flow, {}, origin)
        remember(request, enrollment.registration.pk)
        return redirect(step_url(request))

    def page(self, request: HttpRequest, form: StepForm, response: IdxResponse) -> HttpResponse:
        context = {
            "next": next_path(request),
            "form_token": _new_attempt(request),
            "form_version": fingerprint(form.step.remediation),
            "honeypot": HONEYPOT,
            "under_way": MINE in request.session and my_registrations(request).open().exists(),
            "identity_providers": [r for r in response.remediations if r.name == "redirect-idp"],
        }
        return render_step(request, form, response, context)


def _no_invitation(request: HttpRequest, messages: tuple[Message, ...]) -> HttpResponse:
    """The activation token is used, too old or unknown, and the org offers no new mail here."""
    said = list(dict.fromkeys(say(m) for m in messages))
    return render(request, "selfreg/no_invitation.html", {"said": said, "next": next_path(request)})


def _first_page(request: HttpRequest, client: IdxClient) -> tuple[IdxResponse, Flow | None]:
    opened = opened_transaction(request)
    return (opened.response, None) if opened else sign_up_form(client)


def _begun_before(request: HttpRequest, form: StepForm) -> Registration | None:
    """This browser's own open registration of the same address, once the org has an account for it."""
    if MINE not in request.session or not form.is_valid():
        return None
    address = canonical(str(form.values().get("userProfile", {}).get("email", "")))
    mine = my_registrations(request).filter(status=Status.ENROLLING, email_canonical=address)
    return mine.last() if address else None


def _too_many(form: StepForm, attempt: uuid.UUID, ip: str) -> tuple[Message, int] | None:
    """Why this registration cannot begin now, and in how many seconds it can."""
    if limits.is_full():
        return Message("", "selfreg.full"), limits.OPEN_COUNTED_FOR
    profile = form.values().get("userProfile", {}) if form.is_valid() else {}
    wait = limits.wait_to_start(str(attempt), str(profile.get("email") or profile.get("login") or ""), ip)
    return (Message("", "selfreg.rate_limited", (str(wait),)), wait) if wait else None


def _new_attempt(request: HttpRequest) -> str:
    """An id for the registration that this form will begin, bound to this browser: submitted twice, it begins once."""
    get_token(request)
    return signing.TimestampSigner(salt=_browser_salt(request)).sign(uuid.uuid4().hex)


def _attempt(request: HttpRequest) -> uuid.UUID | None:
    """The id from the form. None: filled in faster than a person can, or by a program that fills in everything."""
    token = request.POST.get(FORM_TOKEN, "")
    if request.POST.get(HONEYPOT):
        return None
    try:
        signer = signing.TimestampSigner(salt=_browser_salt(request))
        attempt = uuid.UUID(signer.unsign(token, max_age=FORM_TOKEN_SECONDS))
    except (signing.BadSignature, ValueError):
        # No form of ours, or too old; under DEBUG programs may post without having read the page.
        return uuid.uuid4() if settings.DEBUG else None
    filled_in = time.time() - signing.b62_decode(token.rsplit(":", 2)[1])
    return attempt if settings.DEBUG or filled_in >= conf().minimum_fill_seconds else None


def _browser_salt(request: HttpRequest) -> str:
    return f"selfreg.start:{request.META.get('CSRF_COOKIE', '')}"
