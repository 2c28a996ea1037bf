"""The base view of the sign-up pages, and responses that several of them use."""

import logging
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View

from selfreg.flows.advance import REQUEST_SECONDS
from selfreg.flows.session import browser_of, step_url
from selfreg.flows.step_context import step_context
from selfreg.forms import StepForm
from selfreg.forms.qr import qr_svg
from selfreg.idx.deadline import at_most
from selfreg.idx.document import IdxResponse, Message
from selfreg.models import Conflict
from selfreg.texts.messages import say
from selfreg.web.redirects import landing
from selfreg.web.visitor import DEVICE_COOKIE, remember_device

csp_update: Any
try:
    from csp.decorators import csp_update
except ImportError:  # django-csp is the site's choice
    csp_update = None

# The org's name of a CAPTCHA -> CSS class of its widget, its script, and further sources for the pages' CSP.
CAPTCHAS = {
    "HCAPTCHA": ("h-captcha", "https://js.hcaptcha.com/1/api.js", ("https://hcaptcha.com", "https://*.hcaptcha.com")),
    "RECAPTCHA_V2": (
        "g-recaptcha",
        "https://www.google.com/recaptcha/api.js",
        ("https://www.google.com/recaptcha/", "https://www.gstatic.com/recaptcha/"),
    ),
}

logger = logging.getLogger("selfreg")


class SignUpView(View):
    """The base of all sign-up pages: never cached, and with CSRF protection even if the site's middleware has none.

    After a ``Conflict`` it shows the state that the other request produced.
    """

    for_signed_in = False
    """Whether the page is also for logged-in users. Others redirect them to where a sign-up leads."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Sets ``browser``."""
        super().setup(request, *args, **kwargs)
        self.browser = browser_of(request)

    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    @method_decorator(csrf_protect)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Calls the method's view within ``REQUEST_SECONDS``, and sets headers and the device cookie."""
        if request.user.is_authenticated and not self.for_signed_in:
            return redirect(landing(request.GET.get("next", "")))
        with at_most(REQUEST_SECONDS):
            try:
                response: Any = super().dispatch(request, *args, **kwargs)
            except Conflict as conflict:
                response = self.overtaken(conflict)
        response["Referrer-Policy"] = "same-origin"
        if DEVICE_COOKIE not in request.COOKIES:
            remember_device(request, response, self.browser.device)
        return response

    def overtaken(self, conflict: Conflict) -> HttpResponse:
        """Redirects to what the quicker request produces: that page waits while the org is being called."""
        return redirect(step_url(self.browser, conflict.registration) if conflict.registration else "selfreg:start")


def render_step(request: HttpRequest, form: StepForm, response: IdxResponse, context: dict[str, Any]) -> HttpResponse:
    """Renders ``step_<page>.html`` if there is such a template, else ``step.html``.

    :param context: further context for the template
    """
    page_context = step_context(form, response)
    captcha = page_context.captcha
    widget = CAPTCHAS.get(captcha.kind) if captcha and captcha.site_key else None
    context = {
        **page_context.as_dict(),
        "captcha": captcha and {"widget": widget, "site_key": captcha.site_key},
        "qr": qr_svg(page_context.secret_uri) if page_context.secret else "",
        **context,
    }
    page = render(request, [f"selfreg/step_{form.step.page}.html", "selfreg/step.html"], context)
    sources = _captcha_sources(*widget[1:]) if widget else {}
    if page_context.secret_image:
        sources["img-src"] = ["data:"]
    return _with_csp_sources(request, page, sources)


def _with_csp_sources(request: HttpRequest, page: HttpResponse, sources: dict[str, list[str]]) -> HttpResponse:
    """Adds sources to the Content-Security-Policy of this response, where the site uses django-csp."""
    if not sources or csp_update is None:
        return page
    response: HttpResponse = csp_update(sources)(lambda _request: page)(request)
    return response


def sign_in_failed(request: HttpRequest, why: str, reason: str) -> HttpResponse:
    """Returns the page for a sign-in that failed, and logs a warning with the reference that the page shows.

    :param why: for the log
    :param reason: a key of ``texts.messages``, for the page
    """
    reference = uuid.uuid4().hex[:8]
    logger.warning("sign-in failed: %s %s, reference %s", why, reason, reference)
    context = {"reason": say(Message("", reason)), "reference": reference}
    return render(request, "selfreg/sign_in_failed.html", context, status=400)


def _captcha_sources(script: str, sources: tuple[str, ...]) -> dict[str, list[str]]:
    """Returns the sources that a CAPTCHA needs, by directive of the Content-Security-Policy."""
    return {
        "script-src": [script, *sources],
        "frame-src": list(sources),
        "style-src": list(sources),
        "connect-src": list(sources),
    }
