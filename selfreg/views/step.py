"""``/signup/step/``: the current step of this browser's registration, whatever it is."""

import json
import math
from collections.abc import Mapping
from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from selfreg import phone_numbers
from selfreg.flows.advance import Advance, act, follow, is_stale, url_of_attempt
from selfreg.flows.session import step_url
from selfreg.flows.step_context import POLL_MILLISECONDS, poll_milliseconds, wait_times
from selfreg.forms import StepForm
from selfreg.models import Conflict
from selfreg.registration import commands
from selfreg.registration import outcome as outcomes
from selfreg.registration.exchange import Attempt
from selfreg.registration.transition_types import SIGN_IN_INSTEAD
from selfreg.secret import Secret
from selfreg.statuses import ON_STEP_PAGE
from selfreg.texts.messages import say
from selfreg.texts.password_rules import forbidden_values, password_policy
from selfreg.views.base import LANGUAGE, SignUpView, refilled_form, render_step, switch_language

# How long before its end a page begins to show the time that is left.
LAST_SECONDS = 120


class StepView(SignUpView):
    """GET shows the current step, without a call to the org. POST runs the command of the pressed button."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Render the current step. If the org's last answer was lost, ask for the step first."""
        attempt = self.attempt(request)
        outcome = commands.refresh(attempt)
        if attempt.row.is_busy:
            return render(request, "selfreg/busy.html", {"here": step_url(self.browser, attempt.row.pk)})
        if attempt.row.status not in ON_STEP_PAGE:
            return redirect(follow(request, self.browser, attempt, outcome).url)
        if page := attempt.page:
            return self.page(request, attempt, StepForm(page, draft=attempt.position.state.draft))
        notices = [say(m) for m in attempt.state.notices] if attempt.state else []
        return render(request, "selfreg/finish.html", {"notices": notices, "registration_id": attempt.row.pk})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Run the button's command, and redirect or render the form with its errors."""
        attempt = self.attempt(request)
        action = request.POST.get("action", "")
        if action == "poll":
            return self.poll(request, attempt)
        if action == LANGUAGE:
            if attempt.page and not is_stale(attempt, request.POST.get("step")):
                commands.keep_draft(attempt, StepForm(attempt.page, request.POST).draft())
            return switch_language(request, step_url(self.browser, attempt.row.pk))
        result = act(request, self.browser, attempt, Secret(request.POST), action, request.POST.get("step"))
        return redirect(result.url) if isinstance(result, Advance) else self.page(request, attempt, result)

    def csrf_failed(self, request: HttpRequest) -> HttpResponse:
        """Show the step again, with what was typed."""
        attempt = self.attempt(request)
        if attempt.page is None or is_stale(attempt, request.POST.get("step")):
            return redirect(url_of_attempt(self.browser, attempt))
        page = self.page(request, attempt, refilled_form(attempt.page, request.POST))
        page.status_code = 403
        return page

    def poll(self, request: HttpRequest, attempt: Attempt) -> HttpResponse:
        """Answer the script of a waiting page: {"go": url}, or {"wait": milliseconds} until the next poll.

        If the org is done, log the visitor in.
        """
        moved = is_stale(attempt, request.POST.get("step"))
        try:
            outcome = outcomes.NOTHING_NEW if moved else commands.poll(attempt)
        except Conflict:
            outcome = outcomes.NOTHING_NEW
        if outcome != outcomes.NOTHING_NEW:
            return JsonResponse({"go": follow(request, self.browser, attempt, outcome).url})
        if moved or attempt.row.status not in ON_STEP_PAGE:
            return JsonResponse({"go": step_url(self.browser, attempt.row.pk)})
        return JsonResponse({"wait": poll_milliseconds(attempt) or POLL_MILLISECONDS})

    def page(self, request: HttpRequest, attempt: Attempt, form: StepForm) -> HttpResponse:
        """Render the page of a step."""
        state, policy = attempt.position.state, password_policy(form.step)
        forbidden = forbidden_values(policy, state.profile) if policy else {}
        context = {
            **vars(wait_times(attempt)),
            "registration": attempt.row,
            "mark": attempt.row.step,
            "registration_id": attempt.row.pk,
            # For password managers.
            "username": state.profile.get("userProfile.login") or attempt.row.email or state.response.user_identifier,
            **time_left(attempt.row.expires_at),
            "earlier": json.dumps(forbidden) if forbidden else "",
            "is_kept": bool(state.profile),
            "sent_to": phone_numbers.masked(state.phone),
        }
        if SIGN_IN_INSTEAD in state.notices and attempt.row.email and not form.is_bound:
            # The template shows one box instead.
            context |= {"account_exists": True, "problems": [], "notices": []}
        return render_step(request, form, state.response, context, state)


def time_left(expires_at: datetime | None) -> Mapping[str, int]:
    """Return the context for the time that is left: seconds until a registration expires, and when to show them.

    ``shown_seconds`` are for the sentence that is hidden until then, so they are at most ``LAST_SECONDS``.
    """
    seconds = max(0, math.ceil((expires_at - timezone.now()).total_seconds())) if expires_at else 0
    return {"expires_in": seconds, "last_seconds": LAST_SECONDS, "shown_seconds": min(seconds, LAST_SECONDS)}
