"""``/signup/done/``, the page at the end, and ``/signup/cancel/``."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from selfreg.accounts.email_verification import can_send
from selfreg.flows.advance import follow
from selfreg.flows.session import DRAFT, EMAIL_CODE, load_value, my_registration, save_value, step_url
from selfreg.registration import endings
from selfreg.registration.state import seconds_until
from selfreg.statuses import ON_STEP_PAGE
from selfreg.texts.endings import ending
from selfreg.views.base import SignUpView
from selfreg.views.email import account_of, last_mail


class DoneView(SignUpView):
    """Shows how a registration ended or what it is waiting for, and what the visitor can do."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Render the page; redirect to the step if there still is one."""
        registration = my_registration(request, self.browser)
        if registration is None:
            return redirect(self.url_of_page("start"))
        if registration.status in ON_STEP_PAGE:
            return redirect(step_url(self.browser, registration.pk))
        account = account_of(registration, self.browser.settings)
        mail = last_mail(self.browser, account) if account else {}
        if message := mail.pop("message", ""):  # it is shown once
            save_value(self.browser, EMAIL_CODE, mail)
        context = {
            "registration": registration,
            "registration_id": registration.pk,
            **ending(registration)._asdict(),
            "is_kept": load_value(self.browser, DRAFT) is not None,
            "link_days": self.browser.settings.activation_link_days,
            "sendable": account is not None and can_send(self.browser.settings),
            "wait": seconds_until(mail.get("resend_at", 0)),
            "notices": [message] if message else [],
        }
        return render(request, "selfreg/done.html", context)


class CancelView(SignUpView):
    """Cancels the visitor's registration."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Cancel the registration, and redirect to the page at the end."""
        attempt = self.attempt(request)
        return redirect(follow(request, self.browser, attempt, endings.cancel(attempt)).url)
