"""Views that a site's own rules leave out: calls to Okta must not hold a transaction, and visitors have no login."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.urls import URLPattern, URLResolver

from selfreg.web.orgs import without_org


def without_transaction(view: Any) -> Any:
    """Decorate a view that ``ATOMIC_REQUESTS`` of no database applies to: it may call Okta."""
    for alias in settings.DATABASES:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


def for_visitors(view: Any) -> Any:
    """Decorate a view that ``LoginRequiredMiddleware`` lets everybody see, without a transaction, for any org."""
    return login_not_required(without_transaction(without_org(view)))


def exempt(patterns: Iterable[URLPattern | URLResolver], decorate: Any) -> None:
    """Decorate the views of URL patterns, in place."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = decorate(pattern.callback)
        else:
            exempt(pattern.url_patterns, decorate)
