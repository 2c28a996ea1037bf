"""``/signup/link/``: offers to link the Okta account to an existing user of this site, by that user's password."""

from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from selfreg.accounts.linking import consume_password_try, link_account, linkable_account
from selfreg.auth import NotApproved, OktaBackend, SignInFailed
from selfreg.conf import conf
from selfreg.flows.advance import sign_in
from selfreg.flows.session import LINKING, load_offer
from selfreg.models import OktaIdentity
from selfreg.registration.endings import await_approval_by_sign_in, complete_by_sign_in
from selfreg.texts import errors
from selfreg.views.base import SignUpView, sign_in_failed
from selfreg.web.redirects import landing


class LinkView(SignUpView):
    """GET shows the offer. POST takes the password, or declines (``action=apart``)."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Shows the offer, as long as there is one."""
        offer = load_offer(self.browser)
        return self.page(request, offer) if offer else redirect("selfreg:start")

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        """Logs in with the linked user, or with a new one if the offer is declined."""
        offer = load_offer(self.browser)
        if offer is None:
            return redirect("selfreg:start")
        person, account = offer["person"], linkable_account(offer["person"])
        if request.POST.get("action") == "apart" or account is None:
            return self.enter(request, offer, None)
        if not consume_password_try(account):
            return self.page(request, offer, str(errors.LINK_RATE_LIMITED))
        name = account.get_username()
        user = authenticate(request, username=name, password=request.POST.get("password", ""))
        if user is None or user.pk != account.pk:
            return self.page(request, offer, str(errors.WRONG_PASSWORD))
        return self.enter(request, offer, link_account(account, person["sub"]))

    def enter(self, request: HttpRequest, offer: dict[str, Any], identity: OktaIdentity | None) -> HttpResponse:
        """Logs in and redirects to where the sign-up was to lead.

        :param offer: see ``flows.session.load_offer``
        :param identity: the linked one; None creates a new Django user
        """
        person = offer["person"]
        try:
            user = OktaBackend().enter(person, identity)
        except SignInFailed as error:
            if isinstance(error, NotApproved):
                await_approval_by_sign_in(error.identity)
            self.browser.store.pop(LINKING, None)
            return sign_in_failed(request, "linking", error.reason)
        # Without ``next`` in the offer, as after the link in a mail, the registration knows where to go.
        next_url = complete_by_sign_in(conf().issuer, user, person["sub"])
        user.okta_claims, user.backend = person, "selfreg.auth.OktaBackend"
        target = landing(offer["next"] or next_url)
        sign_in(request, user)
        return redirect(target)

    def page(self, request: HttpRequest, offer: dict[str, Any], problem: str = "") -> HttpResponse:
        """Renders the offer, with an error beside the password if there is one."""
        problems = [("id_password", problem)] if problem else []
        return render(request, "selfreg/link.html", {"email": offer["person"].get("email"), "problems": problems})
