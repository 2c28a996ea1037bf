"""``/signup/step/``: the current step of this browser's registration, whatever it is."""

import json
import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from selfreg.flows.advance import ON_STEP_PAGE, act, is_stale, page_of
from selfreg.flows.session import my_enrollment, step_url, url_of
from selfreg.flows.step_context import standing_of
from selfreg.forms import StepForm
from selfreg.idx.steps import Ended, Granted
from selfreg.models import Conflict
from selfreg.registration.enrollment import Enrollment
from selfreg.texts.messages import say
from selfreg.texts.password_rules import forbidden_values, password_policy
from selfreg.views.base import SignUpView, render_step


class StepView(SignUpView):
    """GET renders from the row, without a call to the org; POST makes the one call that the button stands for."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        enrollment = my_enrollment(request)
        if enrollment is None:
            return redirect("selfreg:start")
        enrollment.refresh()
        if enrollment.registration.is_busy:
            return render(request, "selfreg/busy.html", {"here": step_url(request, enrollment.registration.pk)})
        if enrollment.registration.status not in ON_STEP_PAGE:
            return redirect(page_of(request, enrollment))
        found = enrollment.step()
        if isinstance(found, Granted):
            said = [say(m) for m in enrollment.flow.notices]
            return render(request, "selfreg/finish.html", {"notices": said, "flow": enrollment.registration.pk})
        if isinstance(found, Ended):
            return redirect(url_of(request, "done", enrollment.registration.pk))
        return self.page(request, enrollment, StepForm(found, draft=enrollment.flow.draft))

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        enrollment = my_enrollment(request)
        if enrollment is None:
            return redirect("selfreg:start")
        action = request.POST.get("action", "")
        if action == "poll":
            return self.poll(request, enrollment)
        led = act(request, enrollment, request.POST, action, request.POST.get("step"))
        return redirect(led) if isinstance(led, str) else self.page(request, enrollment, led)

    def poll(self, request: HttpRequest, enrollment: Enrollment) -> HttpResponse:
        """For the script of a waiting page: where to go, or how many milliseconds to wait before asking again."""
        try:
            moved = is_stale(enrollment, request.POST.get("step")) or enrollment.poll()
        except Conflict:
            moved = False
        if moved or enrollment.registration.status not in ON_STEP_PAGE:
            return JsonResponse({"go": step_url(request, enrollment.registration.pk)})
        return JsonResponse({"wait": enrollment.poll_milliseconds()})

    def page(self, request: HttpRequest, enrollment: Enrollment, form: StepForm) -> HttpResponse:
        policy, expires_at = password_policy(form.step), enrollment.registration.expires_at
        earlier = forbidden_values(policy, enrollment.flow.profile) if policy else {}
        context = {
            **standing_of(enrollment, form),
            "registration": enrollment.registration,
            "mark": enrollment.registration.step,
            "flow": enrollment.registration.pk,
            "username": enrollment.registration.email,
            "expires_in": max(0, int(expires_at.timestamp() - time.time())) if expires_at else 0,
            "earlier": json.dumps(earlier) if earlier else "",
        }
        return render_step(request, form, enrollment.flow.response, context)
