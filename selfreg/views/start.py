"""``/signup/``: the Create Account form, and the start of a registration."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from selfreg.flows.session import MINE, my_registrations, next_path, step_url
from selfreg.flows.start import (
    HONEYPOT,
    Closed,
    FirstPage,
    accept_invitation,
    attempt_of,
    begin,
    first_page,
    new_form_token,
)
from selfreg.idx.document import Message
from selfreg.registration.policy import fingerprint
from selfreg.texts.messages import say
from selfreg.views.base import SignUpView, render_step, unavailable


class StartView(SignUpView):
    """GET shows the form that the org's profile policy asks for and creates nothing; POST starts the registration. The
    link of an invitation starts it too: who opens it in a mail has no form to submit.
    """

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("activationToken") or request.GET.get("token")
        if token and request.method == "HEAD":
            # A program that looks whether the link of a mail is good.
            return redirect("selfreg:step")
        return self.answer(request, accept_invitation(request, token) if token else first_page(request))

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request, begin(request, request.POST, attempt_of(request, request.POST)))

    def answer(self, request: HttpRequest, led: str | FirstPage | Closed) -> HttpResponse:
        if isinstance(led, str):
            return redirect(led)
        if isinstance(led, FirstPage):
            page = self.page(request, led)
        elif led.invitation:
            page = _no_invitation(request, led.messages)
        else:
            page = unavailable(request, led.error or led.messages)
        if led.wait:
            page.status_code = 429
            page["Retry-After"] = str(led.wait)
        return page

    def page(self, request: HttpRequest, shown: FirstPage) -> HttpResponse:
        begun = my_registrations(request).open().last() if MINE in request.session else None
        context = {
            "next": next_path(request),
            "form_token": new_form_token(request),
            "form_version": fingerprint(shown.form.step.remediation),
            "honeypot": HONEYPOT,
            "under_way": begun and step_url(request, begun.pk),
        }
        return render_step(request, shown.form, shown.response, context)


def _no_invitation(request: HttpRequest, messages: tuple[Message, ...]) -> HttpResponse:
    """The activation token is used, too old or unknown, and the org offers no new mail here."""
    said = list(dict.fromkeys(say(m) for m in messages))
    return render(request, "selfreg/no_invitation.html", {"said": said, "next": next_path(request)})
