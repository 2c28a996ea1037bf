"""``/signup/link/``: "You have an account here already." Its owner proves it by the password, or goes on without it."""

from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from selfreg.auth import OktaBackend
from selfreg.browser import kept_offer
from selfreg.enrollment import complete_by_sign_in
from selfreg.landing import landing
from selfreg.linking import account_to_join, join, may_try
from selfreg.views.pages import SignUpView
from selfreg.views.progress import sign_in


class LinkView(SignUpView):
    """One try of a password, or "keep them apart"."""

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        offer = kept_offer(request)
        return self.page(request, offer) if offer else redirect("selfreg:start")

    @method_decorator(sensitive_variables())
    def post(self, request: HttpRequest) -> HttpResponse:
        offer = kept_offer(request)
        if offer is None:
            return redirect("selfreg:start")
        person, account = offer["person"], account_to_join(offer["person"])
        if request.POST.get("action") == "apart" or account is None:
            user = OktaBackend().enter(person)
        elif not may_try(account):
            return self.page(request, offer, _("Too many attempts. Try again later, or keep the accounts apart."))
        else:
            name = account.get_username()
            user = authenticate(request, username=name, password=request.POST.get("password", ""))
            if user is None or user.pk != account.pk:
                return self.page(request, offer, _("That is not the password of this account."))
            user = join(account, person["sub"]).user
        complete_by_sign_in(user, person["sub"])
        user.okta_claims, user.backend = person, "selfreg.auth.OktaBackend"
        target = landing(offer["next"])
        sign_in(request, user)
        return redirect(target)

    def page(self, request: HttpRequest, offer: dict[str, Any], problem: str = "") -> HttpResponse:
        problems = [("id_password", problem)] if problem else []
        return render(request, "selfreg/link.html", {"email": offer["person"].get("email"), "problems": problems})
