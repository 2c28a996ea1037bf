"""``/signup/captcha/``: the proof-of-work task of a captcha, for the visitor's browser (ALTCHA)."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from selfreg.flows.captcha import challenge_for
from selfreg.views.base import SignUpView


class CaptchaView(SignUpView):
    """GET returns the task for the visitor's browser as JSON. The task comes from the org."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Answer 404 if the form has no such captcha, and 503 if the org has no task now."""
        task = challenge_for(request, self.browser)
        return JsonResponse(task or {}, status=404 if task is None else 200 if task else 503)
