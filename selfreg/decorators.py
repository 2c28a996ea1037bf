"""Decorators for the site's own views."""

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
    """Restricts a view to users whose e-mail address is verified.

    Anonymous visitors are redirected to the sign-in. Other users get the page ``selfreg/email_unproven.html`` (403),
    which says how to verify the address. Users without an Okta identity pass: Okta has no address of theirs to verify.
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
