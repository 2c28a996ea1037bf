"""``/signup/verify/``: where the link in the e-mail lands (Okta's Email Verification Experience URI).

Opening the link consumes nothing: mail scanners open links too, and run scripts. The code moves from the address into
the sealed part of the session; only a press of the button, in the browser that signs up, submits it. Anywhere else the
page shows the code to type in the first window (docs/protocol.md, section 4.9).
"""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from selfreg.flows.email_link import confirm, is_mine, is_whole, registration_of, standing
from selfreg.flows.session import LINK, keep, kept, step_url
from selfreg.models import Registration
from selfreg.views.base import SignUpView

CARRIED = ("otp", "state")
MINUTE = timedelta(minutes=1)


class VerifyView(SignUpView):
    """Which page a link gets: same (the button), other (the code), used, expired, stale, foreign, broken."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if any(name in request.GET for name in (*CARRIED, "error")):
            keep(request, LINK, self.carried(request))
            return redirect("selfreg:verify")
        link = kept(request, LINK) or {}
        if "stale" in link:
            return self.page(request, "stale", back=step_url(request, link["stale"]))
        if not link:
            return self.page(request, "broken")
        registration = registration_of(link["state"])
        found = standing(request, registration)
        mine = registration if found == "used" and registration and is_mine(request, registration) else None
        back = step_url(request, mine.pk) if mine else ""
        return self.page(request, found, registration, link["otp"], back)

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        link = kept(request, LINK) or {}
        registration = registration_of(link.get("state", ""))
        if registration is None or standing(request, registration) != "same":
            return redirect("selfreg:verify")
        request.session.pop(LINK, None)
        led = confirm(request, registration, link["otp"])
        if not led:
            keep(request, LINK, {"stale": str(registration.pk)})
        return redirect(led or "selfreg:verify")

    def carried(self, request: HttpRequest) -> dict[str, str]:
        """What the link carries, or nothing if it is not whole: each value exactly once."""
        values = {name: request.GET.getlist(name) for name in CARRIED}
        link = {n: v[0] for n, v in values.items() if len(v) == 1}
        return link if is_whole(link) else {}

    def page(
        self, request: HttpRequest, page: str, registration: Registration | None = None, code: str = "", back: str = ""
    ) -> HttpResponse:
        asked = registration if page == "other" else None
        just_now = asked is not None and timezone.now() - asked.created_at < MINUTE
        context = {"page": page, "code": code if asked else "", "asked": asked, "just_now": just_now, "back": back}
        response = render(request, "selfreg/verify.html", context)
        response["Referrer-Policy"] = "no-referrer"
        return response
