"""``/signup/step/``: the current step of this browser's registration, whatever it is."""

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.timesince import timeuntil
from django.views.decorators.debug import sensitive_variables

from selfreg.flows.advance import Advance, act, is_stale, page_of
from selfreg.flows.session import open_attempt, step_url
from selfreg.flows.step_context import wait_times
from selfreg.forms import StepForm
from selfreg.models import Conflict
from selfreg.registration import commands
from selfreg.registration import outcome as outcomes
from selfreg.registration.exchange import Attempt
from selfreg.statuses import ON_STEP_PAGE
from selfreg.texts.messages import say
from selfreg.texts.password_rules import forbidden_values, password_policy
from selfreg.views.base import SignUpView, render_step


class StepView(SignUpView):
    """GET renders the step from the row, without a call to the org. POST makes the call that the button stands for."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Renders the current step. If the last answer was lost, the org is asked first."""
        attempt = open_attempt(request, self.browser)
        if attempt is None:
            return redirect("selfreg:start")
        commands.refresh(attempt)
        if attempt.row.is_busy:
            return render(request, "selfreg/busy.html", {"here": step_url(self.browser, attempt.row.pk)})
        if attempt.row.status not in ON_STEP_PAGE:
            return redirect(page_of(self.browser, attempt))
        if attempt.page:
            return self.page(request, attempt, StepForm(attempt.page, draft=attempt.position.state.draft))
        notices = [say(m) for m in attempt.state.notices] if attempt.state else []
        return render(request, "selfreg/finish.html", {"notices": notices, "registration_id": attempt.row.pk})

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        """Does what the button says; redirects, or renders the form with its errors."""
        attempt = open_attempt(request, self.browser)
        if attempt is None:
            return redirect("selfreg:start")
        action = request.POST.get("action", "")
        if action == "poll":
            return self.poll(request, attempt)
        result = act(request, self.browser, attempt, request.POST, action, request.POST.get("step"))
        return redirect(result.url) if isinstance(result, Advance) else self.page(request, attempt, result)

    def poll(self, request: HttpRequest, attempt: Attempt) -> HttpResponse:
        """Answers the script of a waiting page: {"go": url}, or {"wait": milliseconds} until the next poll."""
        try:
            moved = is_stale(attempt, request.POST.get("step")) or commands.poll(attempt) != outcomes.NOTHING_NEW
        except Conflict:
            moved = False
        if moved or attempt.row.status not in ON_STEP_PAGE:
            return JsonResponse({"go": step_url(self.browser, attempt.row.pk)})
        return JsonResponse({"wait": commands.poll_milliseconds(attempt)})

    def page(self, request: HttpRequest, attempt: Attempt, form: StepForm) -> HttpResponse:
        """Renders the page of a step."""
        state, policy = attempt.position.state, password_policy(form.step)
        forbidden = forbidden_values(policy, state.profile) if policy else {}
        context = {
            **wait_times(attempt).as_dict(),
            "registration": attempt.row,
            "mark": attempt.row.step,
            "registration_id": attempt.row.pk,
            "username": attempt.row.email,
            **time_left(attempt.row.expires_at),
            "earlier": json.dumps(forbidden) if forbidden else "",
        }
        return render_step(request, form, state.response, context)


def time_left(expires_at: datetime | None) -> Mapping[str, object]:
    """The time until a registration expires, in seconds and in words.

    Both are of one moment: the script counts the words down, and finds them by the seconds.
    """
    now = timezone.now()
    seconds = max(0, math.ceil((expires_at - now).total_seconds())) if expires_at else 0
    return {"expires_in": seconds, "time_left": timeuntil(now + timedelta(seconds=seconds), now)}
