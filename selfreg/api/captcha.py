"""The operation for a captcha that a program solves without a provider (ALTCHA)."""

from django.http import HttpRequest

from selfreg.api.binding import holder_of
from selfreg.api.operations import answers, api
from selfreg.api.problems import Refusal
from selfreg.api.schemas import CaptchaTask
from selfreg.flows.captcha import challenge_for
from selfreg.flows.session import my_registration
from selfreg.flows.start import first_page


@api.get("captcha/", response=answers({200: CaptchaTask}, 503), operation_id="captcha")
def captcha_task(request: HttpRequest, registration: str = "") -> CaptchaTask:
    """Return the task of a form's ALTCHA captcha. The solution is the value of `captchaVerify.captchaToken`."""
    holder = holder_of(request)
    if not holder.is_browser and my_registration(request, holder.browser) is None:
        first_page(request, holder.browser)  # what was opened for the form is kept in a browser's session only
    task = challenge_for(request, holder.browser)
    if task is None:
        raise Refusal("stale")
    if not task:
        raise Refusal("unreachable")
    return CaptchaTask(**task)
