"""``/signup/link/``: offers to link the Okta account to an existing user of this site, by that user's password."""

from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from selfreg.accounts.linking import link_account, linkable_accounts
from selfreg.accounts.users import SignUp, address_of
from selfreg.auth import NotApproved, SignInFailed, configured_backend
from selfreg.flows.advance import sign_in
from selfreg.flows.session import LINKING, load_offer
from selfreg.models import OktaIdentity
from selfreg.rate_limits import consume
from selfreg.registration.endings import await_approval_by_sign_in, complete_by_sign_in
from selfreg.texts import errors
from selfreg.texts.messages import TOO_MANY
from selfreg.views.base import RedirectTo, SignUpView, sign_in_failed
from selfreg.web.redirects import landing


class LinkView(SignUpView):
    """GET offers to link an existing user. POST checks the password, or declines (``action=apart``)."""

    http_method_names = ["get", "head", "post"]

    @cached_property
    def offer(self) -> dict[str, Any]:
        """Return the offer, see ``flows.session.load_offer``.

        :raises RedirectTo: there is none, or it has expired
        """
        if offer := load_offer(self.browser):
            return offer
        raise RedirectTo(self.url_of_page("start"))

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the offer."""
        return self.page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Log in with the linked user, or with a new one if the offer is declined."""
        person, settings = self.offer["person"], self.browser.settings
        accounts = linkable_accounts(person, settings)
        if request.POST.get("action") == "apart" or not accounts:
            return self.enter(request, None)
        if wait := max(consume({"join by account": str(account.pk)}) for account in accounts):
            return self.page(request, str(TOO_MANY), wait)
        for account in accounts:
            name = account.get_username()
            user = authenticate(request, username=name, password=request.POST.get("password", ""))
            if user is not None and user.pk == account.pk:
                return self.enter(request, link_account(account, settings.issuer, person["sub"]))
        return self.page(request, str(errors.WRONG_PASSWORD))

    def enter(self, request: HttpRequest, identity: OktaIdentity | None) -> HttpResponse:
        """Log in and redirect to where the sign-up leads.

        :param identity: the linked identity; None creates a new Django user
        """
        person, settings = self.offer["person"], self.browser.settings
        try:
            backend, path = configured_backend(settings)
            user = backend.enter(person, identity, SignUp(profile=self.offer.get("profile", {})))
        except SignInFailed as error:
            if isinstance(error, NotApproved):
                await_approval_by_sign_in(error.identity, settings, address_of(error.identity.user))
            self.browser.store.pop(self.browser.key(LINKING), None)
            return sign_in_failed(request, "linking", error.reason)
        # After the link in a mail, the offer has no ``next``, but the registration does.
        next_url = complete_by_sign_in(settings.issuer, user, person["sub"])
        user.backend = path
        target = landing(self.offer["next"] or next_url, settings)
        sign_in(request, user, settings)
        return redirect(target)

    def page(self, request: HttpRequest, problem: str = "", wait: int = 0) -> HttpResponse:
        """Render the offer.

        :param problem: what is wrong with the password
        :param wait: seconds until another password may be tried, if ``problem`` is about that
        """
        context = {
            "email": self.offer["person"].get("email"),
            "problems": [("" if wait else "id_password", problem)] if problem else [],
            "password_is_wrong": bool(problem) and not wait,
            "wait": wait,
        }
        return render(request, "selfreg/link.html", context)
