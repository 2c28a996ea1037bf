"""``SELFREG["ENUMERATION"] = "neutral"``: whether an address has an account shows nowhere in the sign-up.

Everybody goes straight to the page for the code from the mail. Behind it stands the org for a new address, and nothing
for a taken one: its codes are never right. Either costs the same calls and the same counts. The page of the taken one
is the org's own latest, without what belonged to anybody, so that it looks alike whatever the org's policy is.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from selfreg import cache
from selfreg.conf import conf
from selfreg.idx.document import IdxResponse, Option
from selfreg.idx.parser import parse, without_bearers
from selfreg.idx.steps import Step, option_id

KEPT = ("version", "intent", "remediation", "currentAuthenticator", "authenticators", "authenticatorEnrollments", "app")
PERSONAL = ("profile", "id", "enrollmentId")
EMAIL = "okta_email"
WRONG_CODE = {
    "message": "Invalid code. Try again.",
    "i18n": {"key": "api.authn.error.PASSCODE_INVALID", "params": []},
    "class": "ERROR",
}
# Until an org was seen: what it sends by default (docs/protocol.md, section 4.6).
USUAL: Mapping[str, Any] = {
    "version": "1.0.0",
    "remediation": {
        "type": "array",
        "value": [
            {
                "name": "enroll-authenticator",
                "rel": ["create-form"],
                "href": "/idp/idx/challenge/answer",
                "method": "POST",
                "value": [
                    {
                        "name": "credentials",
                        "type": "object",
                        "required": True,
                        "form": {"value": [{"name": "passcode", "label": "Enter code", "required": True}]},
                    }
                ],
            }
        ],
    },
    "currentAuthenticator": {
        "type": "object",
        "value": {
            "type": "email",
            "key": EMAIL,
            "displayName": "Email",
            "resend": {"name": "resend", "href": "/idp/idx/challenge/resend", "method": "POST", "value": []},
        },
    },
}


class _Seen(NamedTuple):
    """The org's page for the code: what is on it, whether e-mail had to be chosen, and how many seconds it lasts."""

    page: Mapping[str, Any]
    chosen: bool
    lasts: int


USUALLY = _Seen(USUAL, chosen=True, lasts=300)


def is_on() -> bool:
    """Whether this site keeps to itself who has an account."""
    return conf().enumeration == "neutral"


def email_choice(step: Step) -> Option | None:
    """E-mail among the choices, to be taken for the visitor."""
    offered = [o for o in step.choices if o.authenticator is not None and o.authenticator.key == EMAIL]
    return offered[0] if offered and option_id(offered[0]) else None


def is_code_page(step: Step) -> bool:
    """The page for the code from the mail."""
    return step.page == "code" and step.authenticator is not None and step.authenticator.kind == "email"


def learn(document: str, language: str, *, chosen: bool) -> None:
    """Keeps how the org's page for the code looks, and whether e-mail had to be chosen to come to it."""
    shared = without_bearers(json.loads(document))
    ends = parse(json.loads(document)).expires_at
    seen = _Seen(
        _nobodys({k: shared[k] for k in KEPT if k in shared}),
        chosen,
        round((ends - timezone.now()).total_seconds()) if ends else 0,
    )
    cache.keep(_key(language), tuple(seen), None)


def costs_a_choice(language: str) -> bool:
    """Whether new addresses come to the page by one more call."""
    return _seen(language).chosen


def decoy(language: str, *, after_a_code: IdxResponse | None = None) -> str:
    """A document that looks like the org's page for the code, and leads nowhere.

    :param after_a_code: the decoy before it, when a code was typed: it is wrong, and wins no time
        (docs/protocol.md, section 2.1)
    """
    page, _chosen, lasts = _seen(language)
    ends = after_a_code.expires_at if after_a_code else timezone.now() + timedelta(seconds=lasts) if lasts else None
    page = {**(_after_a_code(page) if after_a_code else page), **({"expiresAt": ends.isoformat()} if ends else {})}
    return json.dumps(page)


def _seen(language: str) -> "_Seen":
    return _Seen(*cache.get(_key(language), USUALLY))


def _after_a_code(node: Any) -> Any:
    """The answer to a wrong code: its message stands at the field (docs/protocol.md, section 4.6)."""
    if isinstance(node, Mapping):
        said = {"messages": {"type": "array", "value": [WRONG_CODE]}} if node.get("name") == "passcode" else {}
        return {**{k: _after_a_code(v) for k, v in node.items()}, **said}
    return [_after_a_code(n) for n in node] if isinstance(node, list) else node


def _nobodys(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {k: _nobodys(v) for k, v in node.items() if k not in PERSONAL}
    return [_nobodys(n) for n in node] if isinstance(node, list) else node


def _key(language: str) -> str:
    return f"selfreg:page-of-the-code:{conf().client_id}:{language}"
