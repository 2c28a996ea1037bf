"""Decorators for the site's own views."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from selfreg.accounts.email_verification import can_send
from selfreg.accounts.identities import identity_of
from selfreg.accounts.users import address_of
from selfreg.web.orgs import settings_of_page, settings_of_session, sign_in_url

__all__ = ["email_verified_required"]

View = TypeVar("View", bound=Callable[..., Any])


def email_verified_required(view: View) -> View:
    """Restrict a view to users whose email address is verified. The view may be an async function.

    Anonymous visitors are redirected to the sign-in. Other users get the page ``selfreg/email_unproven.html`` (403),
    which says how to verify the address. Users without an Okta identity pass: Okta has no address of theirs to verify.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return _refusal(request) or view(request, *args, **kwargs)

    @wraps(view)
    async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(_refusal)(request) or await view(request, *args, **kwargs)

    return cast(View, guarded_async if iscoroutinefunction(view) else guarded)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Return the response for a visitor who may not see the page; None for one who may."""
    if not request.user.is_authenticated:
        query = urlencode({"next": request.get_full_path()})
        return redirect(f"{sign_in_url(settings_of_page(request).org)}?{query}")
    settings = settings_of_session(request)
    identity = identity_of(request.user, settings.issuer)
    if identity is None or identity.email_verified_at is not None:
        return None
    context = {"email": address_of(request.user), "next": request.get_full_path(), "sendable": can_send(settings)}
    return render(request, "selfreg/email_unproven.html", context, status=403)
