"""``/oidc/authenticate/`` and ``/oidc/callback/``: mozilla-django-oidc's views, with stricter checks."""

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from selfreg.accounts.linking import LinkOffered
from selfreg.auth import NotApproved, SignInFailed, oidc_setting
from selfreg.conf import conf
from selfreg.flows.advance import follow, sign_in
from selfreg.flows.session import Browser, browser_of, connect_for, my_registrations, save_offer, step_url
from selfreg.idx.errors import IdxError
from selfreg.models import Conflict, link_digest
from selfreg.registration import commands
from selfreg.registration.endings import await_approval_by_sign_in, complete_by_sign_in
from selfreg.registration.exchange import Attempt, open_row
from selfreg.registration.policy import app_of
from selfreg.statuses import ON_STEP_PAGE
from selfreg.views.base import sign_in_failed
from selfreg.web.redirects import landing, safe_path

# Parameters that may occur only once.
ONCE = ("code", "state", "interaction_code", "error")


class AuthenticateView(OIDCAuthenticationRequestView):  # type: ignore[misc]  # no types there
    """Redirects to the org's sign-in page. The redirect URI is made from ``BASE_URL``, not from the Host header."""

    get_settings = staticmethod(oidc_setting)

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """Returns further parameters of the URL."""
        return {**super().get_extra_params(request), "redirect_uri": app_of(conf()).redirect_uri}

    def get(self, request: HttpRequest) -> HttpResponse:
        """Redirects, and keeps a validated ``next`` in the session."""
        response: HttpResponse = super().get(request)
        request.session["oidc_login_next"] = safe_path(request.GET.get("next"))
        return response


class CallbackView(OIDCAuthenticationCallbackView):  # type: ignore[misc]  # no types there
    """Handles the return from the org, or from an identity provider during a sign-up. Every failure has a page."""

    get_settings = staticmethod(oidc_setting)

    @method_decorator(never_cache)
    def get(self, request: HttpRequest) -> HttpResponse:
        """Logs the visitor in, or continues the sign-up that the ``state`` belongs to."""
        if any(len(request.GET.getlist(name)) > 1 for name in ONCE):
            return self.failed(request, "repeated parameter")
        browser = browser_of(request)
        attempt = self.sign_up(request, browser)
        if attempt:
            return self.back_in_sign_up(request, browser, attempt)
        if request.GET.get("state") not in request.session.get("oidc_states", {}):
            return self.failed(request, "unknown state")
        if request.GET.get("iss", conf().issuer) != conf().issuer:
            # RFC 9207, section 2.4: an answer of another issuer belongs to another sign-in.
            return self.failed(request, "another issuer")
        try:
            response: HttpResponse = super().get(request)
            return response
        except SignInFailed as error:
            # Log out whoever was logged in before: the visitor may be somebody else now, whose sign-in failed.
            if request.user.is_authenticated:
                request.session.flush()
            if isinstance(error, NotApproved):
                await_approval_by_sign_in(error.identity)
            return self.failed(request, "claims", error.reason)
        except LinkOffered as offer:
            next_url = request.session.get("oidc_login_next", "")
            if request.user.is_authenticated:
                request.session.flush()
            save_offer(browser_of(request), offer, next_url)
            return redirect("selfreg:link")
        except (IdxError, SuspiciousOperation) as error:
            return self.failed(request, type(error).__name__)

    def sign_up(self, request: HttpRequest, browser: Browser) -> Attempt | None:
        """Returns this browser's open registration that the ``state`` belongs to (docs/protocol.md, section 4.8)."""
        state = request.GET.get("state", "")
        if not state or not {"interaction_code", "error"} & set(request.GET):
            return None
        row = my_registrations(browser).open().filter(link_digest=link_digest(state)).first()
        return open_row(row, connect_for(request, browser), signs_in=True) if row and row.sealed else None

    def back_in_sign_up(self, request: HttpRequest, browser: Browser, attempt: Attempt) -> HttpResponse:
        """Continues a sign-up after an identity provider: finishes it with the interaction code, else asks the org."""
        url = step_url(browser, attempt.row.pk)
        if attempt.row.status not in ON_STEP_PAGE or not attempt.is_readable:
            return redirect(url)
        try:
            code = request.GET.get("interaction_code", "")
            outcome = commands.return_from_identity_provider(attempt, code)
            return redirect(follow(request, browser, attempt, outcome).url)
        except Conflict:
            return redirect(url)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Returns the page for a failed sign-in, with status 405."""
        response = self.failed(request, "not a GET")
        response.status_code, response["Allow"] = 405, "GET"
        return response

    def login_failure(self) -> HttpResponse:
        """Returns the page for a failed sign-in; mozilla-django-oidc calls this."""
        return self.failed(self.request, "refused")

    def login_success(self) -> HttpResponse:
        """Completes the registration that waited for this sign-in, logs in, and redirects; the library calls this."""
        # Without ``next`` in the session, as after the link in a mail, the registration knows where to go.
        next_url = complete_by_sign_in(conf().issuer, self.user, self.user.okta_claims["sub"])
        target = landing(safe_path(self.request.session.get("oidc_login_next")) or next_url)
        sign_in(self.request, self.user)
        return redirect(target)

    def failed(self, request: HttpRequest, why: str, reason: str = "selfreg.sign_in_failed") -> HttpResponse:
        """Returns the page for a failed sign-in, see ``sign_in_failed``."""
        return sign_in_failed(request, why, reason)
