"""Okta's calls to this site: the registration inline hook and the event hook receiver.

Both are authenticated by a header that is compared in constant time with ``SELFREG["HOOK_SECRET"]``, answer at once and
call nobody. Without a secret they do not exist (404).
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

MOST_BYTES = 256 * 1024
INLINE_HOOK = "com.okta.user.pre-registration"


@dataclass(frozen=True, slots=True)
class Words:
    """What differs between a sign-up and the profile of somebody who is asked for more at sign-in (Okta's
    registration inline hook).
    """

    member: str
    verdict: str
    command: str


SIGN_UP = Words("userProfile", "registration", "com.okta.user.profile.update")
UPDATE = Words("userProfileUpdate", "progressiveProfile", "com.okta.user.progressive.profile.update")


class OktaHook(View):
    """A JSON request of Okta's, once it has proved to be one."""

    @method_decorator(csrf_exempt)
    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        secret = conf().hook_secret
        if not secret:
            raise Http404
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            return JsonResponse({"error": "unauthorized"}, status=401)
        return super().dispatch(request, *args, **kwargs)

    def body(self, request: HttpRequest) -> Mapping[str, Any] | None:
        """The request's object, None when it is none."""
        try:
            decoded = json.loads(request.body) if len(request.body) <= MOST_BYTES else None
        except (ValueError, RecursionError):
            return None
        return decoded if isinstance(decoded, dict) else None


class RegistrationHookView(OktaHook):
    """Registration inline hook: the site's profile hook decides for every sign-up of the org's policy."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        body = self.body(request)
        words = SIGN_UP if _at(body, "data", "userProfile") else UPDATE
        sent = _at(body, "data", words.member)
        if body is None or body.get("eventType") != INLINE_HOOK or not isinstance(sent, Mapping):
            return JsonResponse({"error": "not a registration"}, status=400)
        # An update brings the new attributes only; the hook judges the person they belong to.
        known = _at(body, "data", "context", "user", "profile")
        profile = {**(known if isinstance(known, Mapping) else {}), **sent}
        try:
            amended = judge(conf().profile_hook, dict(profile))
        except ProfileRefused as refusal:
            return JsonResponse(_denial(refusal, words))
        changed = {k: v for k, v in amended.items() if k not in profile or profile[k] != v}
        allow = [{"type": "com.okta.action.update", "value": {words.verdict: "ALLOW"}}]
        change = [{"type": words.command, "value": changed}] if changed else []
        return JsonResponse({"commands": [*allow, *change]})


class EventHookView(OktaHook):
    """Event hook: the one-time verification (GET), then deliveries (POST), each event handled once by its id."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"verification": request.headers.get("X-Okta-Verification-Challenge", "")})

    def post(self, request: HttpRequest) -> HttpResponse:
        events = _at(self.body(request), "data", "events")
        if not isinstance(events, list):
            return JsonResponse({"error": "no events"}, status=400)
        for event in events:
            if isinstance(event, Mapping):
                # Both or nothing: an event that could not be handled is delivered again.
                with transaction.atomic():
                    self.handle(event)
        return HttpResponse(status=204)

    def handle(self, event: Mapping[str, Any]) -> None:
        if _is_new(event) and _proves_email(event):
            for subject in _users(event):
                prove_email(conf().issuer, subject)


def _denial(refusal: ProfileRefused, words: Words) -> dict[str, Any]:
    causes = [
        {
            "errorSummary": text,
            "reason": "REFUSED",
            "locationType": "body",
            "location": f"data.{words.member}.{name}",
            "domain": "end-user",
        }
        for name, text in refusal.errors.items()
        if name
    ]
    deny = {"type": "com.okta.action.update", "value": {words.verdict: "DENY"}}
    summary = refusal.errors.get("") or next(iter(refusal.errors.values()), "Registration denied.")
    return {"commands": [deny], "error": {"errorSummary": summary, "errorCauses": causes}}


def _is_new(event: Mapping[str, Any]) -> bool:
    """Okta delivers at least once, in any order."""
    event_id = event.get("uuid")
    return _is_id(event_id) and OktaEvent.objects.get_or_create(id=event_id)[1]


def _proves_email(event: Mapping[str, Any]) -> bool:
    """Okta writes ``EMAIL_FACTOR`` into the event's debug data, or "User set up EMAIL_FACTOR factor" as its reason. An
    account that becomes active, or any other factor, proves no address.
    """
    said = (_at(event, "debugContext", "debugData", "factor"), _at(event, "outcome", "reason"))
    return event.get("eventType") == PROVES_EMAIL and any("EMAIL" in str(text).upper() for text in said)


def _users(event: Mapping[str, Any]) -> Iterator[str]:
    targets = event.get("target")
    outcome = _at(event, "outcome", "result")
    if outcome not in (None, "SUCCESS"):
        return
    for target in targets if isinstance(targets, list) else []:
        if isinstance(target, Mapping) and target.get("type") == "User" and _is_id(target.get("id")):
            yield target["id"]


def _is_id(value: object) -> bool:
    """Okta's ids are plain ASCII; databases refuse NUL and lone surrogates."""
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isascii() and value.isprintable()


def _at(node: Any, *path: str) -> Any:
    for name in path:
        node = node.get(name) if isinstance(node, Mapping) else None
    return node
