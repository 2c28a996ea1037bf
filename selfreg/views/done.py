"""The page at the end, ``/signup/done/``, and cancelling, ``/signup/cancel/``."""

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
from selfreg.views.email import last_mail, verification_of


class DoneView(SignUpView):
    """Shows how a registration ended or what it waits for, and what the visitor can do."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Renders the page; redirects to the step if there still is one."""
        registration = my_registration(request, self.browser)
        if registration is None:
            return redirect("selfreg:start")
        if registration.status in ON_STEP_PAGE:
            return redirect(step_url(self.browser, registration.pk))
        context = {"registration": registration, "registration_id": registration.pk, **ending(registration)._asdict()}
        return render(request, "selfreg/done.html", context | self.mail_context(registration))

    def mail_context(self, registration: Registration) -> dict[str, Any]:
        """Returns the context about mails: how long their links work, and whether one can be sent again, and when."""
        verification = verification_of(registration)
        mail = last_mail(self.browser, verification) if verification else {}
        return {
            "link_days": conf().activation_link_days,
            "sendable": verification is not None and can_send(conf()),
            "wait": seconds_until(mail.get("resend_at", 0)),
            "notices": [mail["message"]] if mail.get("message") else [],
        }


class CancelView(SignUpView):
    """Cancels the visitor's registration."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Cancels it, and redirects to the page at the end."""
        attempt = open_attempt(request, self.browser)
        if attempt is None:
            return redirect("selfreg:start")
        endings.cancel(attempt)
        return redirect(url_of(self.browser, "done", attempt.row.pk))
