"""For the site's own views."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from selfreg.accounts.email_verification import can_send
from selfreg.accounts.identities import identity_of
from selfreg.conf import conf

View = Callable[..., HttpResponse]


def email_verified_required(view: View) -> View:
    """Only for people whose e-mail address is proven: others see how to prove it, anonymous ones sign in first.

    Users without an Okta identity (made by the site itself) pass: there is nothing Okta could prove.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect(f"{reverse('oidc_authentication_init')}?{urlencode({'next': request.get_full_path()})}")
        identity = identity_of(request.user)
        if identity is not None and identity.email_verified_at is None:
            context = {"next": request.get_full_path(), "sendable": can_send(conf())}
            return render(request, "selfreg/email_unproven.html", context, status=403)
        return view(request, *args, **kwargs)

    return guarded
