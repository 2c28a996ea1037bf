"""``/signup/verify/``: where the link in the e-mail lands (Okta's Email Verification Experience URI).

Opening the link consumes nothing: mail scanners open links too, and run scripts. The code moves from the address into
the sealed part of the session; only a press of the button, in the browser that signs up, submits it. Anywhere else the
page shows the code to type in the first window (protocol 4.9).
"""

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from selfreg.browser import LINK, keep, kept, my_registrations, step_url
from selfreg.enrollment import Enrollment
from selfreg.idx.errors import NotOffered
from selfreg.models import Conflict, Registration, link_digest
from selfreg.org import client_for
from selfreg.steps import Step, is_error
from selfreg.views.pages import SignUpView
from selfreg.views.progress import follow
from selfreg.visit import visitor_of

CODE = re.compile(r"[A-Za-z0-9]{4,12}")
CARRIED = ("otp", "state")


class VerifyView(SignUpView):
    """Which page a link gets: same (the button), other (the code), used, expired, stale, foreign, broken."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if any(name in request.GET for name in (*CARRIED, "error")):
            keep(request, LINK, self.carried(request))
            return redirect("selfreg:verify")
        link = kept(request, LINK) or {}
        if "stale" in link:
            return self.page(request, "stale")
        if not link:
            return self.page(request, "broken")
        registration = Registration.objects.filter(link_digest=link_digest(link["state"])).first()
        return self.page(request, self.standing(request, registration), registration, link["otp"])

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        link = kept(request, LINK) or {}
        registration = self.mine(request, link.get("state", ""))
        if registration is None or self.standing(request, registration) != "same":
            return redirect("selfreg:verify")
        request.session.pop(LINK, None)
        enrollment = Enrollment(registration, client_for(visitor_of(request)))
        try:
            enrollment.submit({"credentials": {"passcode": link["otp"]}}, {})
        except (Conflict, NotOffered):
            return redirect(step_url(request))
        found = enrollment.step() if registration.sealed else None
        if isinstance(found, Step) and any(is_error(m) for m in found.messages):
            keep(request, LINK, {"stale": True})
            return redirect("selfreg:verify")
        return follow(request, enrollment)

    def carried(self, request: HttpRequest) -> dict[str, str]:
        """What the link carries, or nothing if it is not whole: each value once, a code that looks like one."""
        values = {name: request.GET.getlist(name) for name in CARRIED}
        whole = all(len(v) == 1 and 0 < len(v[0]) <= 200 for v in values.values())
        return {n: v[0] for n, v in values.items()} if whole and CODE.fullmatch(values["otp"][0]) else {}

    def mine(self, request: HttpRequest, state: str) -> Registration | None:
        return my_registrations(request).filter(link_digest=link_digest(state)).first() if state else None

    def standing(self, request: HttpRequest, registration: Registration | None) -> str:
        if registration is None:
            return "foreign"
        if registration.email_verified_at:
            return "used"
        if (
            not registration.is_open
            or not Enrollment(registration, client_for(visitor_of(request))).awaits_email_code()
        ):
            return "expired"
        mine = my_registrations(request).filter(pk=registration.pk).exists()
        return "same" if mine else "other"

    def page(
        self, request: HttpRequest, page: str, registration: Registration | None = None, code: str = ""
    ) -> HttpResponse:
        asked = registration if page == "other" else None
        mine = (
            registration is not None
            and page == "used"
            and my_registrations(request).filter(pk=registration.pk).exists()
        )
        context = {"page": page, "code": code if page == "other" else "", "asked": asked, "mine": mine}
        response = render(request, "selfreg/verify.html", context)
        response["Referrer-Policy"] = "no-referrer"
        return response
