"""What all pages of the sign-up share."""

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View

from selfreg import texts
from selfreg.forms import StepForm
from selfreg.idx.errors import IdxError, OrgUnreachable, RateLimited
from selfreg.idx.response import IdxResponse, Message
from selfreg.landing import landing, safe_path
from selfreg.passwords import password_policy, password_rules
from selfreg.qr import authenticator_uri, qr_svg
from selfreg.steps import Step
from selfreg.texts import notices
from selfreg.visit import remember_device

CAPTCHAS = {
    "HCAPTCHA": ("h-captcha", "https://js.hcaptcha.com/1/api.js", ("https://hcaptcha.com", "https://*.hcaptcha.com")),
    "RECAPTCHA_V2": (
        "g-recaptcha",
        "https://www.google.com/recaptcha/api.js",
        ("https://www.google.com/recaptcha/", "https://www.gstatic.com/recaptcha/"),
    ),
}


class SignUpView(View):
    """Never cached, CSRF checked whatever the site's middleware, and not for people who are signed in."""

    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    @method_decorator(csrf_protect)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated:
            return redirect(landing(request.GET.get("next", "")))
        response: Any = super().dispatch(request, *args, **kwargs)
        response["Referrer-Policy"] = "same-origin"
        remember_device(request, response)
        return response


def next_path(request: HttpRequest) -> str:
    """The validated ``next`` of a request, "" if it has none that is a path of this site."""
    return safe_path(request.POST.get("next") or request.GET.get("next"))


def render_step(request: HttpRequest, form: StepForm, response: IdxResponse, context: dict[str, Any]) -> HttpResponse:
    """The page of a step: ``step_<page>.html``, else ``step.html``."""
    step, policy = form.step, password_policy(form.step)
    captcha = response.captcha if any(f.hint == "captcha" for f in step.remediation.leaves) else None
    heading, submit = texts.heading(step, response.title, response.button_label)
    context = {
        "heading": heading,
        "submit": submit,
        "form": form,
        "step": step,
        "notices": form.page_notices,
        "problems": form.problems,
        "rules": password_rules(policy) if policy else (),
        "progress": _progress(step, response),
        "captcha": captcha and {"widget": CAPTCHAS.get(captcha.kind), "site_key": captcha.site_key},
        "activation": step.authenticator.activation if step.page == "passkey" and step.authenticator else None,
        **_authenticator_app(step, response),
        **context,
    }
    page = render(request, [f"selfreg/step_{step.page}.html", "selfreg/step.html"], context)
    if captcha and captcha.kind in CAPTCHAS:
        _allow_provider(page, *CAPTCHAS[captcha.kind][1:])
    return page


def unavailable(request: HttpRequest, problem: IdxError | tuple[Message, ...]) -> HttpResponse:
    """There is no form to show: the org cannot be asked, or its policy offers no sign-up."""
    messages = notices(problem) if isinstance(problem, IdxError) else problem
    said = list(dict.fromkeys(texts.say(m) for m in messages))
    wait = problem.retry_after if isinstance(problem, RateLimited) else 30
    status = 503 if isinstance(problem, OrgUnreachable | RateLimited) else 200
    response = render(request, "selfreg/unavailable.html", {"said": said, "next": next_path(request)}, status=status)
    if status == 503:
        response["Retry-After"] = str(wait)
    if isinstance(problem, RateLimited):
        # There is nothing to type here that coming back by itself could lose.
        response["Refresh"] = str(wait)
    return response


def seconds_until(moment: float) -> int:
    """Whole seconds from now, never negative."""
    return max(0, round(moment - time.time()))


def _progress(step: Step, response: IdxResponse) -> list[tuple[str, str]]:
    """(label, done | current | todo): what the org has, what is at hand, what it still names. Never a made-up count."""
    done = [(texts.name_of(a.label), "done") for a in response.enrolled if a.label]
    current = (
        [(texts.name_of(step.authenticator.label), "current")]
        if step.authenticator and step.authenticator.label
        else []
    )
    named = {label for label, _state in (*done, *current)}
    waiting = [texts.name_of(a.label) for a in response.authenticators if a.label]
    todo = [(label, "todo") for label in waiting if label not in named]
    return [*done, *current, *todo] if done or current else []


def _authenticator_app(step: Step, response: IdxResponse) -> dict[str, str]:
    """The secret of an authenticator app as text and as a QR code, drawn here whatever the org sent."""
    secret = step.authenticator.shared_secret if step.authenticator else ""
    if step.page != "totp" or not secret:
        return {}
    uri = authenticator_uri(secret, response.user_identifier, response.app_label)
    return {"secret": secret, "qr": qr_svg(uri)}


def _allow_provider(page: HttpResponse, script: str, sources: tuple[str, ...]) -> None:
    """Opens the Content-Security-Policy for a captcha's provider, on this page only (read by django-csp)."""
    page._csp_update = {  # type: ignore[attr-defined]
        "script-src": [script, *sources],
        "frame-src": list(sources),
        "style-src": list(sources),
        "connect-src": list(sources),
    }
