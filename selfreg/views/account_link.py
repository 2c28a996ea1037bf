"""``/signup/link/``: "You have an account here already." Its owner proves it by the password, or goes on without it."""

from contextlib import suppress
from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables

from selfreg.accounts.linking import account_to_join, join, may_try
from selfreg.auth import NotApproved, OktaBackend, SignInFailed
from selfreg.conf import conf
from selfreg.flows.advance import sign_in
from selfreg.flows.session import LINKING, kept_offer
from selfreg.models import Conflict, OktaIdentity
from selfreg.registration.endings import await_approval_by_sign_in, complete_by_sign_in
from selfreg.texts import errors
from selfreg.views.base import SignUpView, sign_in_failed
from selfreg.web.redirects import landing


class LinkView(SignUpView):
    """One try of a password, or "keep them apart"."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        offer = kept_offer(self.browser)
        return self.page(request, offer) if offer else redirect("selfreg:start")

    @method_decorator(sensitive_variables())
    def post(self, request: HttpRequest) -> HttpResponse:
        offer = kept_offer(self.browser)
        if offer is None:
            return redirect("selfreg:start")
        person, account = offer["person"], account_to_join(offer["person"])
        if request.POST.get("action") == "apart" or account is None:
            return self.enter(request, offer, None)
        if not may_try(account):
            return self.page(request, offer, str(errors.LINK_RATE_LIMITED))
        name = account.get_username()
        user = authenticate(request, username=name, password=request.POST.get("password", ""))
        if user is None or user.pk != account.pk:
            return self.page(request, offer, str(errors.WRONG_PASSWORD))
        return self.enter(request, offer, join(account, person["sub"]))

    def enter(self, request: HttpRequest, offer: dict[str, Any], identity: OktaIdentity | None) -> HttpResponse:
        """Signs in, with the account that was joined or a new one, if this site lets the person in."""
        person = offer["person"]
        try:
            user = OktaBackend().enter(person, identity)
        except SignInFailed as error:
            if isinstance(error, NotApproved):
                # Another sign-in of the same person may do so at the same moment.
                with suppress(Conflict):
                    await_approval_by_sign_in(conf().issuer, error.identity.user, error.identity.subject)
            self.browser.store.pop(LINKING, None)
            return sign_in_failed(request, "linking", error.reason)
        complete_by_sign_in(conf().issuer, user, person["sub"])
        user.okta_claims, user.backend = person, "selfreg.auth.OktaBackend"
        target = landing(offer["next"])
        sign_in(request, user)
        return redirect(target)

    def page(self, request: HttpRequest, offer: dict[str, Any], problem: str = "") -> HttpResponse:
        problems = [("id_password", problem)] if problem else []
        return render(request, "selfreg/link.html", {"email": offer["person"].get("email"), "problems": problems})
