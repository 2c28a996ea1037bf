"""How a registration ends: ``/signup/done/`` and ``/signup/cancel/``."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from selfreg.accounts.email_verification import can_send
from selfreg.conf import conf
from selfreg.flows.session import my_registration, open_attempt, step_url, url_of
from selfreg.models import Registration
from selfreg.registration import endings
from selfreg.registration.state import seconds_until
from selfreg.statuses import ON_STEP_PAGE
from selfreg.texts.endings import ending
from selfreg.views.base import SignUpView
from selfreg.views.email import case_of_registration, last_mail


class DoneView(SignUpView):
    """How it ended, and what to do now."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        registration = my_registration(request, self.browser)
        if registration is None:
            return redirect("selfreg:start")
        if registration.status in ON_STEP_PAGE:
            return redirect(step_url(self.browser, registration.pk))
        context = {"registration": registration, "registration_id": registration.pk, **ending(registration)._asdict()}
        return render(request, "selfreg/done.html", context | self.mail(registration))

    def mail(self, registration: Registration) -> dict[str, Any]:
        """How long the link works that is on its way, whether another can be had, and what came of asking for it."""
        case = case_of_registration(registration)
        mailed = last_mail(self.browser, case) if case else {}
        return {
            "link_days": conf().activation_link_days,
            "sendable": case is not None and can_send(conf()),
            "wait": seconds_until(mailed.get("resend_at", 0)),
            "notices": [mailed["said"]] if mailed.get("said") else [],
        }


class CancelView(SignUpView):
    """Giving up, by POST."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        attempt = open_attempt(request, self.browser)
        if attempt is None:
            return redirect("selfreg:start")
        endings.cancel(attempt)
        return redirect(url_of(self.browser, "done", attempt.row.pk))
