"""How a registration ends: ``/signup/done/`` and ``/signup/cancel/``."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from selfreg.browser import my_enrollment, my_registrations, step_url
from selfreg.idx.response import Message
from selfreg.models import Conflict
from selfreg.texts import say
from selfreg.views.pages import SignUpView
from selfreg.views.progress import ON_STEP_PAGE


class DoneView(SignUpView):
    """How it ended, and what to do now."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        registration = my_registrations(request).last()
        if registration is None:
            return redirect("selfreg:start")
        if registration.status in ON_STEP_PAGE:
            return redirect("selfreg:step")
        said = say(Message(registration.failure_text, registration.failure or registration.step))
        return render(request, "selfreg/done.html", {"registration": registration, "said": said})


class CancelView(SignUpView):
    """Giving up, by POST."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        enrollment = my_enrollment(request)
        if enrollment is None:
            return redirect("selfreg:start")
        if enrollment.registration.is_open:
            try:
                enrollment.cancel()
            except Conflict:
                return redirect(step_url(request))
        return redirect("selfreg:done")
