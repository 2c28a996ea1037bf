"""Okta's calls to this site: the registration inline hook and the event hook.

Okta authenticates with a header that must equal the org's ``HOOK_SECRET``. Without a secret, the hooks answer 404. They
make no calls themselves.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from selfreg.accounts.okta_events import MAX_EVENTS, handle_events
from selfreg.conf import Conf
from selfreg.error_reports import ViewWithoutValues
from selfreg.okta_api.client import value_at
from selfreg.profile_hook import ProfileRefused, judge
from selfreg.web.orgs import settings_of

MAX_BYTES = 256 * 1024
INLINE_HOOK = "com.okta.user.pre-registration"


@dataclass(frozen=True, slots=True)
class RequestKind:
    """How the two requests of the registration inline hook differ: a sign-up, and a profile completed at sign-in (Okta
    docs: Registration inline hook reference).

    ``member`` is the member of ``data`` with the profile, ``verdict`` the key of the decision, and ``command`` the type
    of the command that changes the profile.
    """

    member: str
    verdict: str
    command: str


SIGN_UP = RequestKind("userProfile", "registration", "com.okta.user.profile.update")
UPDATE = RequestKind("userProfileUpdate", "progressiveProfile", "com.okta.user.progressive.profile.update")


class OktaHook(ViewWithoutValues):
    """The base of both hooks: only authenticated requests reach the methods.

    :raises Http404: there is no ``HOOK_SECRET``
    """

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Set ``settings``: each org has its own URLs and secret."""
        super().setup(request, *args, **kwargs)
        self.settings: Conf = settings_of(request)

    @method_decorator(csrf_exempt)
    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer 401 unless the header has the secret."""
        secret = self.settings.hook_secret
        if not secret:
            raise Http404
        header = request.headers.get("Authorization", "")
        if not hmac.compare_digest(header.encode(), secret.reveal().encode()):
            return JsonResponse({"error": "unauthorized"}, status=401)
        return super().dispatch(request, *args, **kwargs)

    def body(self, request: HttpRequest) -> Mapping[str, Any] | None:
        """Return the JSON object of the request; None if there is none, or it is too large."""
        try:
            decoded = json.loads(request.body) if len(request.body) <= MAX_BYTES else None
        except (ValueError, RecursionError):
            return None
        return decoded if isinstance(decoded, dict) else None


class RegistrationHookView(OktaHook):
    """The registration inline hook: applies the site's profile hook to all sign-ups of the org's policy."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Allow or deny a profile, and return the attributes that the profile hook changed."""
        body = self.body(request)
        kind = SIGN_UP if value_at(body, "data", "userProfile") else UPDATE
        sent = value_at(body, "data", kind.member)
        if body is None or body.get("eventType") != INLINE_HOOK or not isinstance(sent, Mapping):
            return JsonResponse({"error": "not a registration"}, status=400)
        # An update has the new attributes only, but the profile hook gets the whole profile.
        existing = value_at(body, "data", "context", "user", "profile")
        profile = {**(existing if isinstance(existing, Mapping) else {}), **sent}
        try:
            amended = judge(self.settings.profile_hook, profile)
        except ProfileRefused as refusal:
            return JsonResponse(_denial(refusal, kind))
        changed = {k: v for k, v in amended.items() if k not in profile or profile[k] != v}
        allow = [{"type": "com.okta.action.update", "value": {kind.verdict: "ALLOW"}}]
        change = [{"type": kind.command, "value": changed}] if changed else []
        return JsonResponse({"commands": [*allow, *change]})


class EventHookView(OktaHook):
    """The event hook: the one-time verification (GET) and deliveries (POST). Each event is handled once, by its id."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return Okta's challenge."""
        return JsonResponse({"verification": request.headers.get("X-Okta-Verification-Challenge", "")})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Handle the events of a delivery."""
        events = value_at(self.body(request), "data", "events")
        if not isinstance(events, list):
            return JsonResponse({"error": "no events"}, status=400)
        if len(events) > MAX_EVENTS:
            return JsonResponse({"error": "too many events"}, status=413)
        handle_events(self.settings, events)
        return HttpResponse(status=204)


def _denial(refusal: ProfileRefused, kind: RequestKind) -> dict[str, Any]:
    same, errors = {"reason": "REFUSED", "locationType": "body", "domain": "end-user"}, refusal.errors.items()
    causes = [{**same, "errorSummary": text, "location": f"data.{kind.member}.{name}"} for name, text in errors if name]
    deny = {"type": "com.okta.action.update", "value": {kind.verdict: "DENY"}}
    summary = refusal.errors.get("") or next(iter(refusal.errors.values()), "Registration denied.")
    return {"commands": [deny], "error": {"errorSummary": summary, "errorCauses": causes}}
