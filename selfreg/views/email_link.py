"""``/signup/verify/``: where the link in the e-mail lands (Okta's Email Verification Experience URI).

Opening the link submits nothing, since mail scanners open links and run scripts, too. The code moves from the URL into
the encrypted part of the session. A button submits it, but only in the browser that started the registration; other
browsers show the code, to be typed into the first one (docs/protocol.md, section 4.9).
"""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from selfreg.flows.email_link import EmailLink, confirm, is_whole, open_link
from selfreg.flows.session import LINK, load_value, save_value, step_url
from selfreg.models import Registration
from selfreg.views.base import SignUpView

PARAMETERS = ("otp", "state")
MINUTE = timedelta(minutes=1)


class VerifyView(SignUpView):
    """GET shows one of the pages ``same`` (has the button), ``other`` (has the code), ``used``, ``expired``, ``stale``,
    ``foreign`` and ``broken``. POST submits the code.
    """

    http_method_names = ["get", "head", "post"]

    @sensitive_variables()
    def get(self, request: HttpRequest) -> HttpResponse:
        """Moves the parameters into the session, or shows the page of the link that is there."""
        if any(name in request.GET for name in (*PARAMETERS, "error")):
            save_value(self.browser, LINK, self.parameters(request))
            return redirect("selfreg:verify")
        values = load_value(self.browser, LINK) or {}
        if "stale" in values:
            return self.page(request, "stale", back=step_url(self.browser, values["stale"]))
        if not values:
            return self.page(request, "broken")
        link = open_link(request, self.browser, values["state"])
        return self.page(request, link.status, link.row, values["otp"], self.way_back(link))

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        """Submits the code of the link in the session."""
        values = load_value(self.browser, LINK) or {}
        link = open_link(request, self.browser, values.get("state", ""))
        if link.attempt is None:
            return redirect("selfreg:verify")
        self.browser.store.pop(LINK, None)
        advance = confirm(request, self.browser, link.attempt, values["otp"])
        if advance is None:
            save_value(self.browser, LINK, {"stale": str(link.attempt.row.pk)})
        return redirect(advance.url if advance else "selfreg:verify")

    def parameters(self, request: HttpRequest) -> dict[str, str]:
        """Returns ``otp`` and ``state``; {} unless each is there exactly once and looks valid."""
        values = {name: request.GET.getlist(name) for name in PARAMETERS}
        link = {n: v[0] for n, v in values.items() if len(v) == 1}
        return link if is_whole(link) else {}

    def way_back(self, link: EmailLink) -> str:
        """Returns the URL of the registration for a link that was used, in the browser that started it; else ""."""
        return step_url(self.browser, link.row.pk) if link.status == "used" and link.row and link.is_mine else ""

    def page(
        self, request: HttpRequest, page: str, registration: Registration | None = None, code: str = "", back: str = ""
    ) -> HttpResponse:
        """Renders one of the pages.

        :param code: shown on ``other`` only, and so is when and where the registration was started
        :param back: URL of the registration, for the pages ``used`` and ``stale``
        """
        visible = registration if page == "other" else None
        just_now = visible is not None and timezone.now() - visible.created_at < MINUTE
        context = {
            "page": page,
            "code": code if visible else "",
            "registration": visible,
            "just_now": just_now,
            "back": back,
        }
        response = render(request, "selfreg/verify.html", context)
        response["Referrer-Policy"] = "no-referrer"
        return response
