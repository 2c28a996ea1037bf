"""``/signup/verify/``: where the link in the e-mail lands (Okta's Email Verification Experience URI).

Opening the link consumes nothing: mail scanners open links too, and run scripts. The code moves from the address into
the encrypted part of the session; only a press of the button, in the browser that signs up, submits it. Anywhere else
the page shows the code to type in the first window (docs/protocol.md, section 4.9).
"""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from selfreg.flows.email_link import EmailLink, confirm, is_whole, open_link
from selfreg.flows.session import LINK, keep, kept, step_url
from selfreg.models import Registration
from selfreg.views.base import SignUpView

PARAMETERS = ("otp", "state")
MINUTE = timedelta(minutes=1)


class VerifyView(SignUpView):
    """Which page a link gets: same (the button), other (the code), used, expired, stale, foreign, broken."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if any(name in request.GET for name in (*PARAMETERS, "error")):
            keep(self.browser, LINK, self.parameters(request))
            return redirect("selfreg:verify")
        values = kept(self.browser, LINK) or {}
        if "stale" in values:
            return self.page(request, "stale", back=step_url(self.browser, values["stale"]))
        if not values:
            return self.page(request, "broken")
        link = open_link(request, self.browser, values["state"])
        return self.page(request, link.status, link.row, values["otp"], self.way_back(link))

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        values = kept(self.browser, LINK) or {}
        link = open_link(request, self.browser, values.get("state", ""))
        if link.attempt is None:
            return redirect("selfreg:verify")
        self.browser.store.pop(LINK, None)
        advance = confirm(request, self.browser, link.attempt, values["otp"])
        if advance is None:
            keep(self.browser, LINK, {"stale": str(link.attempt.row.pk)})
        return redirect(advance.url if advance else "selfreg:verify")

    def parameters(self, request: HttpRequest) -> dict[str, str]:
        """What the link carries, or nothing if it is not whole: each value exactly once."""
        values = {name: request.GET.getlist(name) for name in PARAMETERS}
        link = {n: v[0] for n, v in values.items() if len(v) == 1}
        return link if is_whole(link) else {}

    def way_back(self, link: EmailLink) -> str:
        """From a link that was used before: to the registration, in the browser that started it."""
        return step_url(self.browser, link.row.pk) if link.status == "used" and link.row and link.is_mine else ""

    def page(
        self, request: HttpRequest, page: str, registration: Registration | None = None, code: str = "", back: str = ""
    ) -> HttpResponse:
        """One of the pages; ``code`` is shown on ``other`` only."""
        asked = registration if page == "other" else None
        just_now = asked is not None and timezone.now() - asked.created_at < MINUTE
        context = {"page": page, "code": code if asked else "", "asked": asked, "just_now": just_now, "back": back}
        response = render(request, "selfreg/verify.html", context)
        response["Referrer-Policy"] = "no-referrer"
        return response
