"""``/signup/step/``: the current step of this browser's registration, whatever it is."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from selfreg.browser import flow_id, my_enrollment, step_url
from selfreg.enrollment import Enrollment
from selfreg.forms import StepForm
from selfreg.models import Conflict
from selfreg.steps import Ended, Granted, Step
from selfreg.texts import say
from selfreg.views.pages import SignUpView, render_step, seconds_until
from selfreg.views.progress import ON_STEP_PAGE, carry_out, finish, follow, page_of


class StepView(SignUpView):
    """GET renders from the row, without a call to the org; POST makes the one call that the button stands for."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        enrollment = my_enrollment(request)
        if enrollment is None:
            return redirect("selfreg:start")
        try:
            enrollment.refresh()
        except Conflict:
            return redirect(step_url(request))
        if enrollment.registration.is_busy:
            return render(request, "selfreg/busy.html")
        if enrollment.registration.status not in ON_STEP_PAGE:
            return redirect(page_of(request, enrollment))
        found = enrollment.step()
        if isinstance(found, Granted):
            return render(request, "selfreg/finish.html", {"notices": [say(m) for m in enrollment.flow.notices]})
        if isinstance(found, Ended):
            return redirect("selfreg:done")
        return self.page(request, enrollment, StepForm(found, draft=enrollment.flow.draft))

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        enrollment = my_enrollment(request)
        if enrollment is None:
            return redirect("selfreg:start")
        action = request.POST.get("action", "")
        if action == "poll":
            return self.poll(request, enrollment)
        try:
            return self.act(request, enrollment, action)
        except Conflict:
            return redirect(step_url(request))

    @sensitive_variables()
    def act(self, request: HttpRequest, enrollment: Enrollment, action: str) -> HttpResponse:
        """What the pressed button asks for. Raises Conflict when another request is at work."""
        if enrollment.registration.in_doubt:
            enrollment.refresh()
            return follow(request, enrollment)
        found = enrollment.step() if enrollment.registration.status in ON_STEP_PAGE else None
        if isinstance(found, Granted):
            return finish(request, enrollment)
        if not isinstance(found, Step):
            return redirect(page_of(request, enrollment))
        if self.is_stale(request, enrollment):
            enrollment.say("selfreg.already_done")
            return redirect(step_url(request))
        form = StepForm(found, request.POST)
        if not action and not form.is_valid():
            return self.page(request, enrollment, form)
        return carry_out(request, enrollment, form, action)

    def poll(self, request: HttpRequest, enrollment: Enrollment) -> HttpResponse:
        """For the script of a waiting page: where to go, or how many milliseconds to wait before asking again."""
        try:
            moved = self.is_stale(request, enrollment) or enrollment.poll()
        except Conflict:
            moved = False
        if moved or enrollment.registration.status not in ON_STEP_PAGE:
            return JsonResponse({"go": step_url(request)})
        return JsonResponse({"wait": enrollment.poll_milliseconds()})

    def is_stale(self, request: HttpRequest, enrollment: Enrollment) -> bool:
        """Whether the submitted page is not the present one (Back, a second tab). Without a mark it is taken as it
        is.
        """
        mark = request.POST.get("step")
        return mark is not None and mark != enrollment.registration.step

    def page(self, request: HttpRequest, enrollment: Enrollment, form: StepForm) -> HttpResponse:
        registration, flow = enrollment.registration, enrollment.flow
        context = {
            "registration": registration,
            "mark": registration.step,
            "flow": flow_id(request),
            "username": registration.email,
            "wait": seconds_until(flow.wait_until),
            "resend_wait": seconds_until(flow.resend_at),
            "poll": enrollment.poll_milliseconds() if form.step.poll else 0,
        }
        return render_step(request, form, flow.response, context)
