"""Exempts views from rules of the site: visitors are not logged in, and no transaction may be open during calls."""

from collections.abc import Iterable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver

from selfreg.web.orgs import PARAMETER


def without_transaction(view: Any) -> Any:
    """Exempt a view from ``ATOMIC_REQUESTS`` of all databases, because it may call Okta."""
    for alias in settings.DATABASES:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


def for_visitors(view: Any) -> Any:
    """Exempt a view from ``LoginRequiredMiddleware`` and ``ATOMIC_REQUESTS``.

    It finds the org of the URL in the request, and gets no argument for it.
    """

    @wraps(view)
    def without_org(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop(PARAMETER, None)
        return view(request, *args, **kwargs)

    return login_not_required(without_transaction(without_org))


def exempt(patterns: Iterable[URLPattern | URLResolver], decorate: Any) -> None:
    """Decorate the views of URL patterns, in place."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = decorate(pattern.callback)
        else:
            exempt(pattern.url_patterns, decorate)
