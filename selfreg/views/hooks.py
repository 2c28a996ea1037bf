"""Okta's calls to this site: the registration inline hook and the event hook.

Both authenticate Okta by a header that has to equal ``SELFREG["HOOK_SECRET"]``, and make no calls of their own. Without
a secret they answer 404.
"""

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View

from selfreg.accounts.identities import PROVES_EMAIL, prove_email
from selfreg.conf import conf
from selfreg.models import OktaEvent
from selfreg.profile_hook import ProfileRefused, judge

MAX_BYTES = 256 * 1024
INLINE_HOOK = "com.okta.user.pre-registration"


@dataclass(frozen=True, slots=True)
class RequestKind:
    """What differs between the two requests of the registration inline hook: a sign-up, and a profile that is completed
    at sign-in (Okta docs: Registration inline hook reference).

    ``member`` of ``data`` holds the profile. ``verdict`` is the key of the decision, and ``command`` the type of the
    command that changes the profile.
    """

    member: str
    verdict: str
    command: str


SIGN_UP = RequestKind("userProfile", "registration", "com.okta.user.profile.update")
UPDATE = RequestKind("userProfileUpdate", "progressiveProfile", "com.okta.user.progressive.profile.update")


class OktaHook(View):
    """The base of both hooks: only authenticated requests reach the methods.

    :raises Http404: there is no ``HOOK_SECRET``
    """

    @method_decorator(csrf_exempt)
    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answers 401 unless the header is right; compares in constant time."""
        secret = conf().hook_secret
        if not secret:
            raise Http404
        header = request.headers.get("Authorization", "")
        if not hmac.compare_digest(header.encode(), secret.encode()):
            return JsonResponse({"error": "unauthorized"}, status=401)
        return super().dispatch(request, *args, **kwargs)

    def body(self, request: HttpRequest) -> Mapping[str, Any] | None:
        """Returns the JSON object of the request; None if there is none, or it is too large."""
        try:
            decoded = json.loads(request.body) if len(request.body) <= MAX_BYTES else None
        except (ValueError, RecursionError):
            return None
        return decoded if isinstance(decoded, dict) else None


class RegistrationHookView(OktaHook):
    """The registration inline hook: applies the site's profile hook to all sign-ups of the org's policy."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Allows or denies a profile, and returns the attributes that the profile hook changed."""
        body = self.body(request)
        kind = SIGN_UP if _at(body, "data", "userProfile") else UPDATE
        sent = _at(body, "data", kind.member)
        if body is None or body.get("eventType") != INLINE_HOOK or not isinstance(sent, Mapping):
            return JsonResponse({"error": "not a registration"}, status=400)
        # An update sends the new attributes only, and the profile hook gets the whole profile.
        existing = _at(body, "data", "context", "user", "profile")
        profile = {**(existing if isinstance(existing, Mapping) else {}), **sent}
        try:
            amended = judge(conf().profile_hook, profile)
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
        """Returns Okta's challenge."""
        return JsonResponse({"verification": request.headers.get("X-Okta-Verification-Challenge", "")})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Handles the events of a delivery."""
        events = _at(self.body(request), "data", "events")
        if not isinstance(events, list):
            return JsonResponse({"error": "no events"}, status=400)
        for event in events:
            if isinstance(event, Mapping):
                # In one transaction with its id: an event that could not be handled will be delivered again.
                with transaction.atomic():
                    self.handle(event)
        return HttpResponse(status=204)

    def handle(self, event: Mapping[str, Any]) -> None:
        """Marks the address of an event's users as verified, if the event says so."""
        if _is_new(event) and _proves_email(event):
            for subject in _users(event):
                prove_email(conf().issuer, subject)


def _denial(refusal: ProfileRefused, kind: RequestKind) -> dict[str, Any]:
    causes = [
        {
            "errorSummary": text,
            "reason": "REFUSED",
            "locationType": "body",
            "location": f"data.{kind.member}.{name}",
            "domain": "end-user",
        }
        for name, text in refusal.errors.items()
        if name
    ]
    deny = {"type": "com.okta.action.update", "value": {kind.verdict: "DENY"}}
    summary = refusal.errors.get("") or next(iter(refusal.errors.values()), "Registration denied.")
    return {"commands": [deny], "error": {"errorSummary": summary, "errorCauses": causes}}


def _is_new(event: Mapping[str, Any]) -> bool:
    """Whether an event is delivered for the first time. Stores its id."""
    event_id = event.get("uuid")
    return _is_id(event_id) and OktaEvent.objects.get_or_create(id=event_id)[1]


def _proves_email(event: Mapping[str, Any]) -> bool:
    """Whether an event says that an e-mail factor was activated, which takes the code or the link from a mail.

    Okta writes ``EMAIL_FACTOR`` into the event's debug data, or "User set up EMAIL_FACTOR factor" as its reason. Other
    factors, or an account that becomes active, verify no address.
    """
    texts = (_at(event, "debugContext", "debugData", "factor"), _at(event, "outcome", "reason"))
    return event.get("eventType") == PROVES_EMAIL and any("EMAIL" in str(text).upper() for text in texts)


def _users(event: Mapping[str, Any]) -> Iterator[str]:
    """Yields the ids of the users that a successful event is about."""
    targets = event.get("target")
    outcome = _at(event, "outcome", "result")
    if outcome not in (None, "SUCCESS"):
        return
    for target in targets if isinstance(targets, list) else []:
        if isinstance(target, Mapping) and target.get("type") == "User" and _is_id(target.get("id")):
            yield target["id"]


def _is_id(value: object) -> bool:
    """Whether a value can be one of Okta's ids, which are ASCII. Databases reject NUL and lone surrogates."""
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isascii() and value.isprintable()


def _at(node: Any, *path: str) -> Any:
    """Returns the value at a path of keys in nested objects; None if there is none."""
    for name in path:
        node = node.get(name) if isinstance(node, Mapping) else None
    return node
