"""Decorators for the site's own views."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from selfreg.accounts.email_verification import can_send
from selfreg.accounts.identities import identity_of
from selfreg.accounts.users import address_of
from selfreg.web.orgs import settings_of_page, settings_of_session, sign_in_url

__all__ = ["email_verified_required"]

View = Callable[..., HttpResponse]


def email_verified_required(view: View) -> View:
    """Restrict a view to users whose email address is verified.

    Anonymous visitors are redirected to the sign-in. Other users get the page ``selfreg/email_unproven.html`` (403),
    which says how to verify the address. Users without an Okta identity pass: Okta has no address of theirs to verify.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect(
                f"{sign_in_url(settings_of_page(request).org)}?{urlencode({'next': request.get_full_path()})}"
            )
        settings = settings_of_session(request)
        identity = identity_of(request.user, settings.issuer)
        if identity is not None and identity.email_verified_at is None:
            email = address_of(request.user)
            context = {"email": email, "next": request.get_full_path(), "sendable": can_send(settings)}
            return render(request, "selfreg/email_unproven.html", context, status=403)
        return view(request, *args, **kwargs)

    return guarded
