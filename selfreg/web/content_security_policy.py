"""What a page adds to the site's Content-Security-Policy, which Django's own middleware or django-csp's sends."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

csp_override: Any = None
csp_replace: Any = None
with suppress(ImportError):  # Django 5.2 has none
    from django.views.decorators.csp import csp_override
with suppress(ImportError):  # django-csp is optional
    from csp.decorators import csp_replace


def allow(request: HttpRequest, page: HttpResponse, sources: Mapping[str, list[str]]) -> HttpResponse:
    """Return the page with a policy that also allows these sources, by directive."""
    if csp_override and (policy := settings.SECURE_CSP):
        return csp_override({**policy, **_widened(policy, sources)})(lambda _: page)(request)  # type: ignore[no-any-return]
    if csp_replace:
        policy = {"default-src": ["'self'"], **getattr(settings, "CONTENT_SECURITY_POLICY", {}).get("DIRECTIVES", {})}
        return csp_replace(_widened(policy, sources))(lambda _: page)(request)  # type: ignore[no-any-return]
    return page


def _widened(policy: Mapping[str, Any], sources: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the directives with more sources. Instead of one that is missing, ``default-src`` holds."""
    directives = {name: policy.get(name) or policy.get("default-src") for name in sources}
    listed = {name: [d] if isinstance(d, str) else d for name, d in directives.items() if d}
    return {name: [*(s for s in allowed if s != "'none'"), *sources[name]] for name, allowed in listed.items()}
