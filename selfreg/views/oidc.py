"""``/oidc/authenticate/`` and ``/oidc/callback/``: mozilla-django-oidc's views, with stricter checks."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from selfreg.accounts.linking import LinkOffered
from selfreg.accounts.users import address_of
from selfreg.auth import NotApproved, SignInFailed, oidc_setting
from selfreg.conf import DEFAULT, Conf
from selfreg.error_reports import ViewWithoutValues
from selfreg.flows.advance import REQUEST_SECONDS, follow, sign_in
from selfreg.flows.session import (
    Browser,
    browser_of,
    connect_for,
    expire_soon,
    my_registration,
    my_registrations,
    save_offer,
    step_url,
)
from selfreg.idx.deadline import at_most
from selfreg.idx.errors import AWAY, IdxError
from selfreg.models import Conflict, link_digest
from selfreg.registration import commands
from selfreg.registration.endings import await_approval_by_sign_in, complete_by_sign_in, note_failed_sign_in
from selfreg.registration.exchange import Attempt, open_row
from selfreg.registration.policy import app_of
from selfreg.registration.transition_types import describe
from selfreg.secret import Secret
from selfreg.statuses import ON_STEP_PAGE
from selfreg.texts.messages import NOT_ASSIGNED, known_key
from selfreg.views.base import UNAVAILABLE, sign_in_failed
from selfreg.web.exemptions import for_visitors
from selfreg.web.fetch_metadata import is_embedded
from selfreg.web.orgs import page_url, settings_of
from selfreg.web.redirects import landing, safe_path

# The org's error code -> the message. Other codes are not logged, because anybody can make them up.
REFUSALS = {
    "access_denied": "selfreg.sign_in_denied",
    "temporarily_unavailable": UNAVAILABLE,
    "server_error": UNAVAILABLE,
    **dict.fromkeys(("login_required", "interaction_required", "consent_required"), "selfreg.sign_in_unfinished"),
    **dict.fromkeys(("invalid_request", "invalid_scope", "unauthorized_client"), "selfreg.sign_in_failed"),
}
# Parameters that must not be repeated.
ONCE = ("code", "state", "interaction_code", "error")


@method_decorator(for_visitors, name="dispatch")
@method_decorator(never_cache, name="dispatch")
class AuthenticateView(ViewWithoutValues, OIDCAuthenticationRequestView):  # type: ignore[misc]  # no types there
    """Redirects to the org's sign-in page. The redirect URI comes from ``BASE_URL``, not from the Host header."""

    get_settings = staticmethod(oidc_setting)

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """Return further parameters of the URL."""
        app = app_of(self.settings)
        own = {"client_id": app.client_id, "scope": app.scopes, "redirect_uri": app.redirect_uri}
        extra = {**super().get_extra_params(request), **own}
        # Spare visitors who come from a registration the typing of their address.
        row = my_registration(request, browser_of(request)) if request.GET.get("registration") else None
        return {**extra, "login_hint": row.email} if row and row.email else extra

    def get(self, request: HttpRequest) -> HttpResponse:
        """Redirect, and store a validated ``next`` in the session.

        :raises PermissionDenied: another site's page embeds this URL
        """
        if is_embedded(request):
            raise PermissionDenied
        self.settings: Conf = settings_of(request)
        self.OIDC_OP_AUTH_ENDPOINT = app_of(self.settings).endpoint("authorize")
        states = set(request.session.get("oidc_states", {}))
        response: HttpResponse = super().get(request)
        if self.settings.org != DEFAULT:
            for state in set(request.session["oidc_states"]) - states:
                request.session["oidc_states"][state]["org"] = self.settings.org
        request.session["oidc_login_next"] = safe_path(request.GET.get("next"), self.settings)
        expire_soon(request.session)
        return response


@method_decorator(for_visitors, name="dispatch")
class CallbackView(ViewWithoutValues, OIDCAuthenticationCallbackView):  # type: ignore[misc]  # no types there
    """Handles the return from the org, or from an identity provider during a sign-up. Every failure has a page."""

    get_settings = staticmethod(oidc_setting)

    @method_decorator(never_cache)
    def get(self, request: HttpRequest) -> HttpResponse:
        """Log the visitor in, or continue the sign-up that the ``state`` belongs to."""
        if any(len(request.GET.getlist(name)) > 1 for name in ONCE):
            return sign_in_failed(request, "repeated parameter")
        browser = browser_of(request)
        settings = browser.settings
        attempt = self.sign_up(request, browser)
        if attempt:
            return self.back_in_sign_up(request, browser, attempt)
        states = request.session.get("oidc_states", {})
        state = request.GET.get("state")
        if state not in states:
            # Another tab was faster, or the URL was opened again. Nothing is redeemed, and logged-in users continue.
            if request.user.is_authenticated:
                return redirect(landing(request.session.get("oidc_login_next", ""), settings))
            return sign_in_failed(request, "unknown state", "selfreg.sign_in_expired")
        if why := mix_up_reason(request, states[state], settings):
            return sign_in_failed(request, why)
        try:
            response: HttpResponse = super().get(request)
            return response
        except SignInFailed as error:
            # The visitor may be somebody else than the user who is still logged in.
            if request.user.is_authenticated:
                request.session.flush()
            if isinstance(error, NotApproved):
                await_approval_by_sign_in(error.identity, settings, address_of(error.identity.user))
            return self.refused(request, error.clause or "claims", error.reason)
        except LinkOffered as offer:
            next_url = request.session.get("oidc_login_next", "")
            if request.user.is_authenticated:
                request.session.flush()
            session: Any = request.session  # mozilla-django-oidc has replaced it
            save_offer(Browser(session, settings, browser.device), offer, next_url)
            return redirect(page_url(settings.org, "link"))
        except (IdxError, SuspiciousOperation) as error:
            why = describe(error) if isinstance(error, IdxError) else type(error).__name__
            # A code that is refused may have been spent by a call whose answer was lost.
            is_away = any(isinstance(e, AWAY) for e in (error, error.__context__))
            return self.refused(request, why, UNAVAILABLE if is_away else "selfreg.sign_in_failed")

    def sign_up(self, request: HttpRequest, browser: Browser) -> Attempt | None:
        """Return this browser's open registration that the ``state`` belongs to (docs/protocol.md, section 4.8)."""
        state = request.GET.get("state", "")
        if not state or not {"interaction_code", "error"} & set(request.GET):
            return None
        row = my_registrations(browser).open().filter(link_digest=link_digest(state)).first()
        return open_row(row, connect_for(request, browser), signs_in=True) if row and row.sealed else None

    def back_in_sign_up(self, request: HttpRequest, browser: Browser, attempt: Attempt) -> HttpResponse:
        """Continue a sign-up after an identity provider: finish it with the interaction code, else ask the org."""
        url = step_url(browser, attempt.row.pk)
        if attempt.row.status not in ON_STEP_PAGE or not attempt.is_readable:
            return redirect(url)
        try:
            code = Secret(request.GET.get("interaction_code", ""))
            with at_most(REQUEST_SECONDS):
                outcome = commands.return_from_identity_provider(attempt, code)
                return redirect(follow(request, browser, attempt, outcome).url)
        except Conflict:
            return redirect(url)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the page for a failed sign-in, with status 405."""
        response = sign_in_failed(request, "not a GET")
        response.status_code, response["Allow"] = 405, "GET"
        return response

    def login_failure(self) -> HttpResponse:
        """Return the page for a failed sign-in; mozilla-django-oidc calls this."""
        code = self.request.GET.get("error", "")
        description = self.request.GET.get("error_description", "")
        if code == "access_denied" and known_key(description) == NOT_ASSIGNED:
            return self.refused(self.request, "access_denied, not assigned", NOT_ASSIGNED)
        why = code if code in REFUSALS else "refused"
        return self.refused(self.request, why, REFUSALS.get(code, "selfreg.sign_in_failed"))

    def login_success(self) -> HttpResponse:
        """Complete the registration that waited for this sign-in, log in, and redirect; the library calls this."""
        # After the link in a mail, the session has no ``next``, but the registration does.
        settings = settings_of(self.request)
        next_url = complete_by_sign_in(settings.issuer, self.user, self.user.okta_claims["sub"])
        target = landing(safe_path(self.request.session.get("oidc_login_next"), settings) or next_url, settings)
        sign_in(self.request, self.user, settings)
        return redirect(target)

    def refused(self, request: HttpRequest, why: str, reason: str) -> HttpResponse:
        """Note the failure in the registration that this browser started, and return the page of ``sign_in_failed``."""
        note_failed_sign_in(my_registration(request, browser_of(request)), why)
        return sign_in_failed(request, why, reason)


def mix_up_reason(request: HttpRequest, asked: Mapping[str, Any], settings: Conf) -> str:
    """Return why an answer does not belong to the sign-in of its ``state``; "" if it does.

    :param asked: what the session stored for the ``state``
    :param settings: of the org whose redirect URI this is
    """
    if request.GET.get("iss", settings.issuer) != settings.issuer:  # RFC 9207, section 2.4
        return "another issuer"
    # RFC 9700, section 4.4.2: each org has its own redirect URI, so that its code can't be sent to another org.
    return "" if asked.get("org", DEFAULT) == settings.org else "another org"
