"""The base view of the sign-up pages, and responses that several views use."""

import logging
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import get_script_prefix, translate_url
from django.utils.decorators import method_decorator
from django.utils.translation import check_for_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect, requires_csrf_token
from django.views.decorators.debug import sensitive_post_parameters
from django.views.i18n import set_language

from selfreg.error_reports import ViewWithoutValues
from selfreg.flows.advance import REQUEST_SECONDS
from selfreg.flows.session import browser_of, open_attempt, step_url
from selfreg.flows.step_context import WaitTimes, step_context
from selfreg.forms import StepForm
from selfreg.forms.qr import qr_svg
from selfreg.idx.deadline import at_most
from selfreg.idx.document import IdxResponse, Message
from selfreg.idx.steps import Step
from selfreg.models import Conflict
from selfreg.registration.exchange import Attempt
from selfreg.registration.state import EnrollmentState
from selfreg.texts.messages import NOT_ASSIGNED, say
from selfreg.web.captcha_widgets import can_be_shown, widget_of
from selfreg.web.content_security_policy import allow
from selfreg.web.fetch_metadata import is_embedded, is_from_own_page
from selfreg.web.orgs import page_url, settings_of
from selfreg.web.redirects import landing
from selfreg.web.visitor import remember_device

logger = logging.getLogger("selfreg")

LANGUAGE = "language"
"""The action of the button that changes the language."""
WRONG_HOST = (
    "A visitor opened this site at %s, and SELFREG['BASE_URL'] is %s. Mailed links and the sign-in lead to BASE_URL, "
    "where that browser has no session: redirect other hosts there."
)
UNKNOWN_PATH = (
    "The server mounts this site below %r, but FORCE_SCRIPT_NAME isn't set to that: management commands such as "
    "selfreg_doctor and selfreg_setup_org print and register URLs without it."
)
SEND_AGAIN = Message("", "selfreg.csrf")
"""The message after a failed CSRF check."""
TIMED_OUT = Message("", "idx.session.expired")
"""The message for a form of a registration that this browser no longer has."""
UNAVAILABLE = "selfreg.sign_in_unavailable"
# Messages of sign-ins that would fail again.
FINAL_REFUSALS = ("selfreg.sign_in_denied", NOT_ASSIGNED)
SIGN_IN_RETRY_SECONDS = 30


class RedirectTo(Exception):
    """There is nothing to show on this page; redirect to ``url``."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class SignUpView(ViewWithoutValues):
    """The base of all sign-up pages: never cached, and with CSRF protection even if the site's middleware has none.

    After a ``Conflict``, it redirects to the result of the other request.
    """

    for_signed_in = False
    """Whether the page is also for logged-in users. Other pages redirect them to where a sign-up leads."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Set ``browser``, and log if the site is not where its settings say."""
        super().setup(request, *args, **kwargs)
        self.browser = browser_of(request)
        base_url = self.browser.settings.base_url
        if request.get_host() != urlsplit(base_url).netloc:
            _warn_once(WRONG_HOST, request.get_host(), base_url)
        if (path := get_script_prefix().rstrip("/")) != (settings.FORCE_SCRIPT_NAME or "").rstrip("/"):
            _warn_once(UNKNOWN_PATH, path)

    @method_decorator(csrf_exempt)  # the check is below
    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Check CSRF, and handle the request.

        If the check fails for a form that this site sent, the form is shown again. Any other request gets the site's
        own response, see Django's ``CSRF_FAILURE_VIEW``.

        :raises PermissionDenied: another site's page embeds this one
        """
        view, is_checked = super().dispatch, False

        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            nonlocal is_checked
            is_checked = True
            return self.respond(view, request, *args, **kwargs)

        response = csrf_protect(checked)(request, *args, **kwargs)
        if is_checked or not is_from_own_page(request):
            return response
        return requires_csrf_token(lambda request: self.respond(self.csrf_failed, request))(request)

    def respond(self, view: Callable[..., Any], request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Call a view within ``REQUEST_SECONDS``, and set headers and the device cookie.

        :raises PermissionDenied: another site's page embeds this one
        """
        if is_embedded(request):
            raise PermissionDenied
        if request.user.is_authenticated and not self.for_signed_in:
            return redirect(landing(request.GET.get("next", ""), self.browser.settings))
        with at_most(REQUEST_SECONDS):
            try:
                response: Any = view(request, *args, **kwargs)
            except Conflict as conflict:
                response = self.overtaken(conflict)
            except RedirectTo as target:
                response = redirect(target.url)
        response["Referrer-Policy"] = "same-origin"
        remember_device(request, response, self.browser.device)
        return response

    def attempt(self, request: HttpRequest) -> Attempt:
        """Open the registration that this request is about.

        :raises RedirectTo: this browser has none. If it had one, the next page says so
        """
        attempt = open_attempt(request, self.browser)
        if attempt is None:
            if request.method == "POST":
                messages.warning(request, say(TIMED_OUT), fail_silently=True)
            raise RedirectTo(self.url_of_page("start"))
        return attempt

    def url_of_page(self, page: str) -> str:
        """Return the URL of another page of this org's sign-up."""
        return page_url(self.browser.settings.org, page)

    def csrf_failed(self, request: HttpRequest) -> HttpResponse:
        """Redirect back to the page after a failed CSRF check. Views with typed values override this."""
        messages.warning(request, say(SEND_AGAIN), fail_silently=True)
        return redirect(request.path if "get" in self.http_method_names else self.url_of_page("step"))

    def overtaken(self, conflict: Conflict) -> HttpResponse:
        """Redirect to the result of the faster request. That page waits while the org is being called."""
        pk = conflict.registration
        return redirect(step_url(self.browser, pk) if pk else self.url_of_page("start"))


@lru_cache(maxsize=16)
def _warn_once(message: str, *values: str) -> None:
    """Log a warning once in each process and for each value: the site is set up wrong, whoever the visitor is."""
    logger.warning(message, *values)


def render_step(
    request: HttpRequest,
    form: StepForm,
    response: IdxResponse,
    context: dict[str, Any],
    state: EnrollmentState | None = None,
) -> HttpResponse:
    """Render ``step_<page>.html`` if there is such a template, else ``step.html``.

    :param context: further context for the template
    :param state: where the registration stands; None on the first page
    """
    page_context = step_context(form, response, state=state, is_timed=bool(context.get("wait")))
    captcha = page_context.captcha
    widget = widget_of(captcha, settings_of(request))
    # Also what a page does not have: a context processor of the site may have the same name.
    context = {
        **{"registration": None, "expires_in": 0, "change": "", **vars(WaitTimes()), **vars(page_context)},
        "captcha": captcha
        and {"widget": widget, "site_key": captcha.site_key, "is_shown": can_be_shown(captcha), "kind": captcha.kind},
        "qr": qr_svg(page_context.secret_uri) if page_context.secret else "",
        **context,
    }
    page = render(request, [f"selfreg/step_{form.step.page}.html", "selfreg/step.html"], context)
    sources = widget.policy if widget else {}
    if page_context.secret_image:
        sources["img-src"] = ["data:"]
    return allow(request, page, sources) if sources else page


def refilled_form(step: Step, typed: Mapping[str, Any]) -> StepForm:
    """Return the form of a step after a failed CSRF check, with what was typed."""
    form = StepForm(step, draft=StepForm(step, typed).draft())
    form.add_message(SEND_AGAIN)
    return form


def switch_language(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect to a page of this site in the language that was chosen in its footer, and remember the language."""
    language = request.POST.get("language", "")
    if not check_for_language(language):
        return redirect(url)
    response = redirect(translate_url(url, language))
    response.cookies = set_language(request).cookies
    return response


def sign_in_failed(request: HttpRequest, why: str, reason: str = "selfreg.sign_in_failed") -> HttpResponse:
    """Return the page for a failed sign-in, and log a warning with the reference that the page shows.

    :param why: for the log
    :param reason: a key of ``texts.messages``, for the page
    """
    reference = uuid.uuid4().hex[:8]
    logger.warning("sign-in failed: %s %s, reference %s", why, reason, reference)
    next_url, may_retry = request.session.get("oidc_login_next", ""), reason not in FINAL_REFUSALS
    context = {"reason": say(Message("", reason)), "reference": reference, "may_retry": may_retry, "next": next_url}
    response = render(request, "selfreg/sign_in_failed.html", context, status=400)
    if reason == UNAVAILABLE:
        response.status_code, response["Retry-After"] = 503, str(SIGN_IN_RETRY_SECONDS)
    return response
