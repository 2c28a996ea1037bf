"""``/signup/verify/``: where the link in the email lands (Okta's Email Verification Experience URI).

Opening the link submits nothing, because mail scanners also open links and run scripts. The code moves from the URL
into an encrypted cookie. A button submits it, but only in the browser that started the registration. Other browsers
show the code, to be typed into the first one (docs/protocol.md, section 4.9).
"""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language_from_request, override

from selfreg import encryption
from selfreg.flows.email_link import confirm, open_link, read_link
from selfreg.flows.session import step_url
from selfreg.models import Conflict, Registration
from selfreg.secret import Secret
from selfreg.views.base import SignUpView
from selfreg.web.visitor import read_cookie, set_cookie

COOKIE = "selfreg_link"
COOKIE_SECONDS = 600
PARAMETERS = ("otp", "state")
MINUTE = timedelta(minutes=1)


class VerifyView(SignUpView):
    """The page that the link in an email opens. POST submits the code of the link.

    GET shows one of the pages ``same`` (has the button), ``other`` (has the code), ``used``, ``expired``, ``stale``,
    ``foreign`` and ``broken``.
    """

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Move the parameters into a cookie, or show the page for the link in the cookie."""
        if any(name in request.GET for name in (*PARAMETERS, "error")):
            # If URLs have the language in them, the org knows the URL of a single language.
            with override(get_language_from_request(request)):
                return self.store_link(request, redirect(self.url_of_page("verify")), self.parameters(request))
        values = self.stored_link(request)
        if "stale" in values:
            return self.page(request, "stale", back=step_url(self.browser, values["stale"]))
        if not values:
            return self.page(request, "broken")
        link = open_link(request, self.browser, values["state"])
        back = step_url(self.browser, link.row.pk) if link.status == "used" and link.row else ""
        return self.page(request, link.status, link.row, back, **values)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Submit the code of the link in the cookie."""
        values = self.stored_link(request)
        link = open_link(request, self.browser, values.get("state", ""))
        if link.attempt is None:
            return redirect(self.url_of_page("verify"))
        try:
            advance = confirm(request, self.browser, link.attempt, Secret(values["otp"]))
        except Conflict:  # such as a poll of the first tab
            if open_link(request, self.browser, values["state"]).attempt is None:
                raise
            return self.store_link(request, redirect(self.url_of_page("verify")), values | {"again": "yes"})
        left = {} if advance else {"stale": str(link.attempt.row.pk)}
        return self.store_link(request, redirect(advance.url if advance else self.url_of_page("verify")), left)

    def stored_link(self, request: HttpRequest) -> dict[str, str]:
        """Return what ``store_link`` stored in the cookie; {} if there is none, or it is too old."""
        try:
            values: dict[str, Any] = encryption.decrypt(
                read_cookie(request, COOKIE), COOKIE, self.browser.settings.encryption_keys
            )
        except encryption.Unreadable:
            return {}
        return values["link"] if values["until"] > timezone.now().timestamp() else {}

    def store_link(self, request: HttpRequest, response: HttpResponse, link: dict[str, str]) -> HttpResponse:
        """Store the parameters of a link in an encrypted cookie; a session would cost a row for each GET."""
        until = timezone.now().timestamp() + COOKIE_SECONDS
        keys = self.browser.settings.encryption_keys
        value = encryption.encrypt({"link": link, "until": until}, COOKIE, keys) if link else ""
        set_cookie(request, response, COOKIE, value, COOKIE_SECONDS)
        return response

    def parameters(self, request: HttpRequest) -> dict[str, str]:
        """Return ``otp`` and ``state``; {} unless each is there exactly once and looks valid."""
        values = {name: request.GET.getlist(name) for name in PARAMETERS}
        return read_link({name: given[0] for name, given in values.items() if len(given) == 1})

    def page(
        self, request: HttpRequest, page: str, registration: Registration | None = None, back: str = "", **link: str
    ) -> HttpResponse:
        """Render one of the pages.

        :param registration: only ``other`` shows when and where it was started
        :param link: its code, which only ``other`` shows, and ``again`` if ``same`` has to press its button itself
        :param back: URL of the registration, for ``used`` and ``stale``
        """
        visible = registration if page == "other" else None
        just_now = visible is not None and timezone.now() - visible.created_at < MINUTE
        context = {
            "page": page,
            "code": link["otp"] if visible else "",
            "registration": visible,
            "just_now": just_now,
            "again": "again" in link,
            "back": back,
        }
        response = render(request, "selfreg/verify.html", context)
        response["Referrer-Policy"] = "no-referrer"
        return response
