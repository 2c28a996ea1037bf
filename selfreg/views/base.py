"""What all pages of the sign-up share."""

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
from selfreg.flows.session import browser_of, next_path, step_url
from selfreg.flows.step_context import step_context
from selfreg.forms import StepForm
from selfreg.forms.qr import qr_svg
from selfreg.idx.deadline import at_most
from selfreg.idx.document import IdxResponse, Message
from selfreg.idx.errors import IdxError, OrgUnreachable, RateLimited
from selfreg.models import Conflict
from selfreg.texts.messages import notices, say
from selfreg.web.redirects import landing
from selfreg.web.visitor import DEVICE_COOKIE, remember_device

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
    """Never cached, CSRF checked whatever the site's middleware, and not for people who are signed in. When a
    concurrent request was quicker, the page shows what that one produced.
    """

    for_signed_in = False

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.browser = browser_of(request)

    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    @method_decorator(csrf_protect)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated and not self.for_signed_in:
            return redirect(landing(request.GET.get("next", "")))
        with at_most(REQUEST_SECONDS):
            try:
                response: Any = super().dispatch(request, *args, **kwargs)
            except Conflict as conflict:
                response = self.overtaken(request, conflict)
        response["Referrer-Policy"] = "same-origin"
        if DEVICE_COOKIE not in request.COOKIES:
            remember_device(request, response, self.browser.device)
        return response

    def overtaken(self, request: HttpRequest, conflict: Conflict) -> HttpResponse:
        """The page after another request was quicker: a moment's wait while that one asks the org, else its result."""
        if conflict.registration is None:
            return redirect("selfreg:start")
        here = step_url(self.browser, conflict.registration)
        return render(request, "selfreg/busy.html", {"here": here}) if conflict.is_busy else redirect(here)


def render_step(request: HttpRequest, form: StepForm, response: IdxResponse, context: dict[str, Any]) -> HttpResponse:
    """The page of a step: ``step_<page>.html``, else ``step.html``."""
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
    opened = _sources_of(*widget[1:]) if widget else {}
    if page_context.secret_image:
        opened["img-src"] = ["data:"]
    if opened:
        # Opens the Content-Security-Policy on this page only (read by django-csp).
        page._csp_update = opened  # type: ignore[attr-defined]
    return page


def sign_in_failed(request: HttpRequest, why: str, reason: str) -> HttpResponse:
    """A page with a reference that the log has too.

    :param why: for the log
    :param reason: a key of ``texts``
    """
    reference = uuid.uuid4().hex[:8]
    logger.warning("sign-in failed: %s %s, reference %s", why, reason, reference)
    context = {"said": say(Message("", reason)), "reference": reference}
    return render(request, "selfreg/sign_in_failed.html", context, status=400)


def unavailable(request: HttpRequest, problem: IdxError | tuple[Message, ...]) -> HttpResponse:
    """There is no form to show: the org cannot be asked, or its policy offers no sign-up."""
    messages = notices(problem) if isinstance(problem, IdxError) else problem
    said = list(dict.fromkeys(say(m) for m in messages))
    wait = problem.retry_after if isinstance(problem, RateLimited) else 30
    why = ", ".join(m.key or "message" for m in messages) or "no form"
    logger.warning("the sign-up form cannot be shown: %s. manage.py selfreg_doctor says why.", why)
    status = 503 if isinstance(problem, OrgUnreachable | RateLimited) else 200
    response = render(request, "selfreg/unavailable.html", {"said": said, "next": next_path(request)}, status=status)
    if status == 503:
        response["Retry-After"] = str(wait)
    if isinstance(problem, RateLimited):
        # There is nothing to type here that coming back by itself could lose.
        response["Refresh"] = str(wait)
    return response


def _sources_of(script: str, sources: tuple[str, ...]) -> dict[str, list[str]]:
    """What a captcha's provider needs of the Content-Security-Policy."""
    return {
        "script-src": [script, *sources],
        "frame-src": list(sources),
        "style-src": list(sources),
        "connect-src": list(sources),
    }
