"""The pages. Views parse HTTP, call ``Enrollment``, and pick a response; nothing else.

Every answer to a POST that changed something is a redirect, so refreshing never repeats it. A GET changes nothing,
except that it asks the org once when the answer to an earlier call was lost.
"""

import hmac
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login
from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.generic import View
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from selfreg import texts, vault
from selfreg.auth import SignInFailed, oidc_setting
from selfreg.conf import conf
from selfreg.enrollment import Enrollment, Origin, complete_by_sign_in, notice
from selfreg.flow import Flow
from selfreg.forms import HONEYPOT, MAX_TYPED, StepForm, password_policy, password_rules
from selfreg.idx.client import IdxClient
from selfreg.idx.errors import IdxError, NotOffered, OrgRefused, OrgUnreachable, RateLimited
from selfreg.idx.response import IdxResponse, Message
from selfreg.landing import landing, safe_path
from selfreg.models import OPEN, Conflict, Registration, Status
from selfreg.org import SignUpUnavailable, client_for, open_transaction, sign_up_form
from selfreg.steps import Ended, Granted, Step, next_step
from selfreg.visit import remember_device, visitor_of

MINE = "selfreg"  # session: ids of this browser's registrations, newest last
OPENING = "selfreg_opening"  # session, sealed: a transaction that was opened for showing its form
DRAFT = "selfreg_draft"  # session, sealed: what was typed before a transaction ran out
LINK = "selfreg_link"  # session, sealed: what an e-mail link carried
CLAIMS = "selfreg_claims"  # session: the claims that pages may show
MOST_AT_ONCE = 5
FORM_TOKEN = "form_token"
FORM_TOKEN_SECONDS = 24 * 3600


class SignUpView(View):
    """What all pages of the sign-up share: never cached, CSRF checked here whatever the site's middleware, device known."""

    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    @method_decorator(csrf_protect)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated:
            return redirect(landing(request.GET.get("next", "")))
        response = super().dispatch(request, *args, **kwargs)
        remember_device(request, response)
        return response


class StartView(SignUpView):
    """``/signup/``: the Create Account form, and the start of a registration."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        client = client_for(visitor_of(request))
        token = request.GET.get("activationToken") or request.GET.get("token")
        try:
            if token:
                return self.invited(request, client, token)
            response, fresh = _first_page(request, client)
        except SignUpUnavailable as unavailable:
            return _unavailable(request, unavailable.messages, 200)
        except IdxError as error:
            return _unavailable(request, (notice(error),), 503 if isinstance(error, OrgUnreachable) else 200)
        if fresh:
            request.session[OPENING] = vault.seal(fresh.sealable(), OPENING)
        step = next_step(response)
        if not isinstance(step, Step):
            return _unavailable(request, response.messages, 200)
        return self.page(request, StepForm(step, draft=_kept_draft(request)), response)

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        client = client_for(visitor_of(request))
        try:
            response, fresh = _first_page(request, client)
            step = next_step(response)
        except SignUpUnavailable as unavailable:
            return _unavailable(request, unavailable.messages, 200)
        except IdxError as error:
            _keep_draft(request, {k: v for k, v in request.POST.items() if k.startswith("userProfile.")})
            return _unavailable(request, (notice(error),), 503 if isinstance(error, OrgUnreachable) else 200)
        if not isinstance(step, Step):
            return _unavailable(request, response.messages, 200)
        form, attempt = StepForm(step, request.POST), _attempt(request)
        if attempt is None or not form.is_valid():
            return self.page(request, form, response)
        try:
            flow = fresh or _opening(request) or open_transaction(client)
        except SignUpUnavailable as unavailable:
            return _unavailable(request, unavailable.messages, 200)
        except IdxError as error:
            form.page_errors.append(texts.say(notice(error)))
            return self.page(request, form, response)
        request.session.pop(OPENING, None)
        return self.begin(request, client, flow, form, attempt)

    @sensitive_variables()
    def begin(
        self, request: HttpRequest, client: IdxClient, flow: Flow, form: StepForm, attempt: uuid.UUID
    ) -> HttpResponse:
        """The row, then the first call that changes something at the org."""
        _remember(request, attempt)
        origin = Origin(_next(request), client.visitor.language, attempt)
        try:
            enrollment = Enrollment.begin(client, flow, form.draft(), origin)
        except Conflict:
            return redirect(_step_url(request))
        step = enrollment.step()
        real = StepForm(step, request.POST) if isinstance(step, Step) else form
        if not real.is_valid():
            enrollment.say("selfreg.form_changed")
            return redirect(_step_url(request))
        return _carry_out(request, enrollment, real, "")

    def invited(self, request: HttpRequest, client: IdxClient, token: str) -> HttpResponse:
        """An activation link: on to the first step, without the token in the address."""
        flow = open_transaction(client, activation_token=token)
        enrollment = Enrollment.begin(client, flow, {}, Origin(_next(request), client.visitor.language))
        _remember(request, enrollment.registration.pk)
        return redirect(_step_url(request))

    def page(self, request: HttpRequest, form: StepForm, response: IdxResponse) -> HttpResponse:
        context = {
            "title": response.title,
            "button": response.button_label,
            "next": _next(request),
            "form_token": _new_attempt(request),
            "honeypot": HONEYPOT,
            "under_way": _mine(request).filter(status__in=OPEN).exists() if MINE in request.session else False,
        }
        return _render_step(request, form, context)


class StepView(SignUpView):
    """``/signup/step/``: the current step of this browser's registration, whatever it is."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        enrollment = _enrollment(request)
        if enrollment is None:
            return redirect("selfreg:start")
        try:
            enrollment.refresh()
        except Conflict:
            return redirect(_step_url(request))
        registration = enrollment.registration
        if registration.is_busy:
            return render(request, "selfreg/busy.html")
        if registration.status not in (Status.STARTED, Status.ENROLLING, Status.FINISHING):
            return _after(request, enrollment)
        found = enrollment.step()
        if isinstance(found, Granted):
            return render(request, "selfreg/finish.html", {"notices": [texts.say(m) for m in enrollment.flow.notices]})
        if isinstance(found, Ended):
            return redirect("selfreg:done")
        return self.page(request, enrollment, StepForm(found, draft=enrollment.flow.draft))

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        enrollment = _enrollment(request)
        if enrollment is None:
            return redirect("selfreg:start")
        action = request.POST.get("action", "")
        try:
            if enrollment.registration.in_doubt:
                enrollment.refresh()
                return _follow(request, enrollment)
            if self.is_stale(request, enrollment):
                enrollment.say("selfreg.already_done")
                return redirect(_step_url(request))
            found = enrollment.step() if enrollment.registration.sealed else None
            if isinstance(found, Granted):
                return _finish(request, enrollment)
            if not isinstance(found, Step):
                return redirect(_step_url(request))
            form = StepForm(found, request.POST)
            if not action and not form.is_valid():
                return self.page(request, enrollment, form)
            return _carry_out(request, enrollment, form, action)
        except Conflict:
            return redirect(_step_url(request))

    def is_stale(self, request: HttpRequest, enrollment: Enrollment) -> bool:
        """Whether the submitted page is not the present one (Back, a second tab). A page without a mark is taken as it is."""
        mark = request.POST.get("step")
        return mark is not None and mark != enrollment.registration.step

    def page(self, request: HttpRequest, enrollment: Enrollment, form: StepForm) -> HttpResponse:
        response = enrollment.flow.response
        context = {
            "registration": enrollment.registration,
            "title": response.title if form.step.page == "profile" else "",
            "button": response.button_label if form.step.page == "profile" else "",
            "mark": enrollment.registration.step,
            "flow": _flow_parameter(request),
            "done_labels": [a.label for a in response.enrolled if a.label],
            "wait": max(0, round(enrollment.flow.wait_until - time.time())),
        }
        return _render_step(request, form, context)


class VerifyView(SignUpView):
    """``/signup/verify/``: where the link in the e-mail lands (Okta's Email Verification Experience URI).

    Opening the link consumes nothing: mail scanners open links too. The code moves from the address into the sealed
    part of the session, and only a press of the button in the browser that signs up submits it.
    """

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if "otp" in request.GET or "state" in request.GET or "error" in request.GET:
            link = {name: request.GET.getlist(name) for name in ("otp", "state")}
            fine = all(len(v) == 1 and 0 < len(v[0]) <= 200 and v[0].isprintable() for v in link.values())
            request.session[LINK] = vault.seal({k: v[0] for k, v in link.items()} if fine else {}, LINK)
            return redirect("selfreg:verify")
        link = self.link(request)
        enrollment = self.asked_for(request, link)
        page = "same" if enrollment else "other" if link else "broken"
        if enrollment and not self.waits_for_code(enrollment):
            page = "done"
        return render(request, "selfreg/verify.html", {"page": page, "code": link.get("otp") if page == "other" else ""})

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        link = self.link(request)
        enrollment = self.asked_for(request, link)
        if enrollment is None or not self.waits_for_code(enrollment):
            return redirect("selfreg:verify")
        request.session.pop(LINK, None)
        try:
            enrollment.submit({"credentials": {"passcode": link["otp"]}}, {})
            return _follow(request, enrollment)
        except (Conflict, NotOffered):
            return redirect(_step_url(request))

    def link(self, request: HttpRequest) -> dict[str, str]:
        return _unsealed(request, LINK) or {}

    def asked_for(self, request: HttpRequest, link: dict[str, str]) -> Enrollment | None:
        """The registration of THIS browser that the link's state belongs to."""
        for registration in _mine(request).filter(status__in=OPEN):
            enrollment = Enrollment(registration, client_for(visitor_of(request)))
            state = enrollment.flow.transaction.state if registration.sealed else ""
            if state and hmac.compare_digest(state.encode(), link.get("state", "").encode()):
                return enrollment
        return None

    def waits_for_code(self, enrollment: Enrollment) -> bool:
        found = enrollment.step()
        return isinstance(found, Step) and found.page == "code" and bool(found.authenticator) and found.authenticator.kind == "email"


class DoneView(SignUpView):
    """``/signup/done/``: how a registration ended, and what to do now."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        registration = _mine(request).last()
        if registration is None or registration.status in (Status.STARTED, Status.ENROLLING, Status.FINISHING):
            return redirect("selfreg:step" if registration else "selfreg:start")
        said = texts.say(Message(registration.failure_text, registration.failure or registration.step))
        return render(request, "selfreg/done.html", {"registration": registration, "said": said})


class CancelView(SignUpView):
    """``/signup/cancel/``: giving up."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        enrollment = _enrollment(request)
        if enrollment is not None and enrollment.registration.is_open:
            try:
                enrollment.cancel()
            except Conflict:
                return redirect(_step_url(request))
        return redirect("selfreg:done" if enrollment else "selfreg:start")


class AuthenticateView(OIDCAuthenticationRequestView):
    """``/oidc/authenticate/``: to the org's sign-in page. The redirect URI is the site's, never the Host header's."""

    get_settings = staticmethod(oidc_setting)

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        return {**super().get_extra_params(request), "redirect_uri": client_for(visitor_of(request)).app.redirect_uri}

    def get(self, request: HttpRequest) -> HttpResponse:
        response = super().get(request)
        request.session["oidc_login_next"] = safe_path(request.GET.get("next"))
        return response


class CallbackView(OIDCAuthenticationCallbackView):
    """``/oidc/callback/``: back from the org. Every failure is a page, never a 500."""

    get_settings = staticmethod(oidc_setting)

    @method_decorator(never_cache)
    def get(self, request: HttpRequest) -> HttpResponse:
        once = all(len(request.GET.getlist(name)) == 1 for name in ("code", "state") if name in request.GET)
        try:
            return super().get(request) if once else self.login_failure()
        except (SignInFailed, IdxError, SuspiciousOperation) as error:
            return _sign_in_failed(request, error)

    def login_failure(self) -> HttpResponse:
        return _sign_in_failed(self.request, None)

    def login_success(self) -> HttpResponse:
        target = landing(self.request.session.get("oidc_login_next", ""))
        complete_by_sign_in(self.user, self.user.okta_claims["sub"])
        _sign_in(self.request, self.user)
        return HttpResponseRedirect(target)


# ---- carrying a registration on


@sensitive_variables()
def _carry_out(request: HttpRequest, enrollment: Enrollment, form: StepForm, action: str) -> HttpResponse:
    """One verb of the enrollment, by the button that was pressed."""
    verbs: dict[str, Callable[[], None]] = {
        "skip": enrollment.skip,
        "resend": enrollment.resend,
        "back": enrollment.other_way,
        "cancel": enrollment.cancel,
    }
    try:
        if action in verbs:
            verbs[action]()
        elif form.step.page == "choose" and form.is_valid():
            enrollment.choose(form.cleaned_data["authenticator.id"])
        elif form.is_valid():
            enrollment.submit(form.values(), form.draft())
    except NotOffered:
        enrollment.say("selfreg.not_offered")
    except Conflict:
        return redirect(_step_url(request))
    return _follow(request, enrollment)


def _follow(request: HttpRequest, enrollment: Enrollment) -> HttpResponse:
    """Where the registration stands now."""
    if enrollment.leftover:
        _keep_draft(request, enrollment.leftover)
    if enrollment.registration.status == Status.FINISHING:
        return _finish(request, enrollment)
    return _after(request, enrollment)


def _after(request: HttpRequest, enrollment: Enrollment) -> HttpResponse:
    goes_on = enrollment.registration.status in (Status.STARTED, Status.ENROLLING, Status.FINISHING)
    return redirect(_step_url(request) if goes_on else reverse("selfreg:done"))


@sensitive_variables()
def _finish(request: HttpRequest, enrollment: Enrollment) -> HttpResponse:
    """The interaction code becomes a signed-in Django user."""
    registration = enrollment.registration
    try:
        user = authenticate(request, grant=enrollment.grant())
    except (OrgUnreachable, RateLimited) as error:
        enrollment.retry_later(error)
        return redirect(_step_url(request))
    except SignInFailed as failure:
        if failure.reason == "selfreg.email_unproven":
            enrollment.leave_to_email()
        else:
            enrollment.fail(failure.reason)
        return redirect("selfreg:done")
    except OrgRefused as error:
        if error.code == "invalid_grant":
            enrollment.leave_to_sign_in(error)
        else:
            enrollment.fail(f"oauth.{error.code}", error.description)
        return redirect("selfreg:done")
    except NotOffered:
        return redirect(_step_url(request))
    except IdxError as error:
        enrollment.leave_to_sign_in(error)
        return redirect("selfreg:done")
    enrollment.complete(user, user.okta_claims["sub"])
    target = landing(registration.next_url)
    _sign_in(request, user)
    return redirect(target)


def _sign_in(request: HttpRequest, user: Any) -> None:
    """Signs in to a fresh session: nothing an anonymous session held is carried over."""
    claims = user.okta_claims
    request.session.flush()
    login(request, user)
    request.session[CLAIMS] = claims


# ---- this browser's registrations


def _mine(request: HttpRequest) -> Any:
    """Registrations that this browser began, oldest first."""
    ids = [i for i in request.session.get(MINE, ()) if isinstance(i, str)]
    return Registration.objects.filter(pk__in=ids).order_by("created_at")


def _enrollment(request: HttpRequest) -> Enrollment | None:
    """The registration this request is about: the one it names if that is this browser's, else the newest."""
    ids = request.session.get(MINE, ())
    if not ids:
        return None
    named = request.POST.get("flow") or request.GET.get("flow")
    registration = Registration.objects.filter(pk=named if named in ids else ids[-1]).first()
    if registration is None:
        return None
    enrollment = Enrollment(registration, client_for(visitor_of(request)))
    if registration.sealed:
        try:
            enrollment.flow  # noqa: B018
        except vault.Unreadable:
            enrollment.fail("selfreg.unreadable")
    return enrollment


def _remember(request: HttpRequest, pk: uuid.UUID) -> None:
    ids = [i for i in request.session.get(MINE, []) if i != str(pk)]
    request.session[MINE] = [*ids, str(pk)][-MOST_AT_ONCE:]


def _flow_parameter(request: HttpRequest) -> str:
    """Which registration a form belongs to when this browser has several."""
    ids = request.session.get(MINE, ())
    named = request.POST.get("flow") or request.GET.get("flow")
    return named if named in ids else ids[-1] if ids else ""


def _step_url(request: HttpRequest) -> str:
    """The step page; names the registration only when it is not the newest of this browser."""
    ids, flow = request.session.get(MINE, ()), _flow_parameter(request)
    newest = not ids or flow == ids[-1]
    return reverse("selfreg:step") + ("" if newest else f"?flow={flow}")


def _unsealed(request: HttpRequest, name: str) -> Any:
    try:
        return vault.unseal(request.session[name], name)
    except (KeyError, vault.Unreadable):
        return None


def _kept_draft(request: HttpRequest) -> dict[str, str]:
    return _unsealed(request, DRAFT) or {}


def _keep_draft(request: HttpRequest, typed: dict[str, str]) -> None:
    request.session[DRAFT] = vault.seal({name: value[:MAX_TYPED] for name, value in typed.items()}, DRAFT)


def _opening(request: HttpRequest) -> Flow | None:
    """The transaction that was opened to show this browser the form, while it lasts."""
    kept = _unsealed(request, OPENING)
    flow = Flow.of(kept) if kept else None
    expires = flow.response.expires_at if flow else None
    return flow if flow and (expires is None or expires.timestamp() > time.time() + 60) else None


def _first_page(request: HttpRequest, client: IdxClient) -> tuple[IdxResponse, Flow | None]:
    opened = _opening(request)
    return (opened.response, None) if opened else sign_up_form(client)


# ---- one submission of the first form, once


def _new_attempt(request: HttpRequest) -> str:
    """An id for the registration that this form will begin, bound to this browser: submitted twice, it begins once."""
    get_token(request)
    return signing.TimestampSigner(salt=_browser_salt(request)).sign(uuid.uuid4().hex)


def _attempt(request: HttpRequest) -> uuid.UUID | None:
    """The id from the form. None: filled in faster than a person can, by a program that fills in everything, or not our form."""
    signer, token = signing.TimestampSigner(salt=_browser_salt(request)), request.POST.get(FORM_TOKEN, "")
    if request.POST.get(HONEYPOT):
        return None
    if settings.DEBUG and not token:
        return uuid.uuid4()
    try:
        attempt = uuid.UUID(signer.unsign(token, max_age=FORM_TOKEN_SECONDS))
    except (signing.BadSignature, ValueError):
        return None
    if settings.DEBUG:
        return attempt
    signed_at = signing.b62_decode(token.rsplit(":", 2)[1])
    return attempt if time.time() - signed_at >= conf().minimum_fill_seconds else None


def _browser_salt(request: HttpRequest) -> str:
    return f"selfreg.start:{request.META.get('CSRF_COOKIE', '')}"


def _next(request: HttpRequest) -> str:
    return safe_path(request.POST.get("next") or request.GET.get("next"))


# ---- pages


def _render_step(request: HttpRequest, form: StepForm, context: dict[str, Any]) -> HttpResponse:
    step = form.step
    policy = password_policy(step)
    notices, context = form.page_notices, {**context, "form": form, "step": step}
    context |= {"notices": notices, "problems": form.problems, "rules": password_rules(policy) if policy else ()}
    return render(request, [f"selfreg/step_{step.page}.html", "selfreg/step.html"], context)


def _unavailable(request: HttpRequest, messages: tuple[Message, ...], status: int) -> HttpResponse:
    said = list(dict.fromkeys(texts.say(m) for m in messages))
    response = render(request, "selfreg/unavailable.html", {"said": said, "next": _next(request)}, status=status)
    if status == 503:
        response["Retry-After"] = "30"
    return response


def _sign_in_failed(request: HttpRequest, error: Exception | None) -> HttpResponse:
    """The page for everything that goes wrong between the org's sign-in page and ours."""
    key = error.reason if isinstance(error, SignInFailed) else "selfreg.sign_in_failed"
    reference = uuid.uuid4().hex[:8]
    return render(
        request, "selfreg/sign_in_failed.html", {"said": texts.say(Message("", key)), "reference": reference}, status=400
    )
