"""Changes to IDX documents as they come over the wire: for sharing a page between visitors, and for a page of our own.

Like ``parser`` this file may touch raw keys.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from selfreg.idx.document import Json, Message
from selfreg.idx.errors import MalformedAnswer
from selfreg.idx.ion import read_array, read_mapping, read_text

# The action that every page of a transaction has.
CANCEL = {"name": "cancel", "href": "/idp/idx/cancel", "method": "POST", "rel": ["create-form"]}

# With one of these, anybody can continue the sign-up.
BEARER_MEMBERS = ("stateHandle", "successWithInteractionCode")
BEARER_FIELDS = ("stateHandle", "interaction_code")
# What describes a page, and what inside it belongs to one person.
PAGE_MEMBERS = (
    "version", "intent", "remediation", "currentAuthenticator", "authenticators", "authenticatorEnrollments", "app"
)  # fmt: skip
PERSONAL_MEMBERS = ("profile", "id", "enrollmentId")
# The page for the code from the mail, as an org sends it by default (docs/protocol.md, section 4.6).
DEFAULT_CODE_PAGE: Json = {
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
            "key": "okta_email",
            "displayName": "Email",
            "resend": {"name": "resend", "href": "/idp/idx/challenge/resend", "method": "POST", "value": []},
        },
    },
}


def without_bearers(document: object) -> dict[str, Any]:
    """Return the document without handles, errors, and links of one transaction, so that visitors can share it.

    :raises MalformedAnswer: not an object
    """
    if not isinstance(document, Mapping):
        raise MalformedAnswer("not an IDX document")
    messages = [m for m in read_array(document, "messages") if read_text(m, "class").upper() != "ERROR"]
    remediations = [
        {key: value for key, value in remediation.items() if key != "href" or remediation.get("rel")}
        for remediation in read_array(document, "remediation")
    ]
    shared = {key: value for key, value in document.items() if key != "cancel"}
    page = {**shared, "messages": _as_array(messages), "remediation": _as_array(remediations)}
    cleaned: dict[str, Any] = _each_object(page, _without_handles)
    return cleaned


def without_person(document: object) -> dict[str, Any]:
    """Return the page that a document describes, without handles and without anything about its person.

    :raises MalformedAnswer: not an object
    """
    shared = without_bearers(document)
    page: dict[str, Any] = _without_members({k: shared[k] for k in PAGE_MEMBERS if k in shared}, PERSONAL_MEMBERS)
    return page


def without_message(document: Json, fields: Collection[str], key: str) -> dict[str, Any]:
    """Return the document without the messages of this key at fields of these names (their last part, ``email``)."""

    def without(node: dict[str, Any]) -> dict[str, Any]:
        if node.get("name") not in fields or "messages" not in node:
            return node
        messages = [m for m in read_array(node, "messages") if read_text(read_mapping(m.get("i18n")), "key") != key]
        return {**node, "messages": _as_array(messages)}

    changed: dict[str, Any] = _each_object(document, without)
    return changed


def with_field_message(document: Json, field: str, message: Message) -> dict[str, Any]:
    """Return the document with this message only at every field of this name (its last part, ``passcode``)."""
    messages = {"messages": _as_array([_raw_message(message)])}
    changed: dict[str, Any] = _each_object(
        document, lambda node: node | messages if node.get("name") == field else node
    )
    return changed


def with_expiry(document: Json, expires_at: datetime | None) -> Json:
    """Return the document of a transaction that ends at this moment, with its time zone; None leaves it as it is."""
    return {**document, "expiresAt": expires_at.isoformat()} if expires_at else document


def without_ways(document: Json, names: Collection[str], message: Message) -> dict[str, Any]:
    """Return the document without these remediations and without polling, with one more message and a way to cancel.

    :param names: of remediations
    """
    remediations = [r for r in read_array(document, "remediation") if read_text(r, "name") not in names]
    messages = [*read_array(document, "messages"), _raw_message(message)]
    changed: dict[str, Any] = _without_members(document, ("poll",))
    changed["remediation"] = _without_members(_as_array(remediations), ("poll",))
    changed["messages"] = _as_array(messages)
    changed.setdefault("cancel", CANCEL)
    return changed


def _raw_message(message: Message) -> dict[str, Any]:
    i18n = {"key": message.key, "params": list(message.params)}
    return {"message": message.text, "i18n": i18n, "class": message.severity}


def _each_object(node: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return the document with every object at any depth changed, from the innermost outwards."""
    if isinstance(node, Mapping):
        return change({key: _each_object(value, change) for key, value in node.items()})
    return [_each_object(inner, change) for inner in node] if isinstance(node, list) else node


def _without_handles(node: dict[str, Any]) -> dict[str, Any]:
    cleaned = {key: value for key, value in node.items() if key not in BEARER_MEMBERS}
    return {**cleaned, "value": None} if node.get("name") in BEARER_FIELDS else cleaned


def _without_members(node: Any, names: Collection[str]) -> Any:
    return _each_object(node, lambda inner: {key: value for key, value in inner.items() if key not in names})


def _as_array(entries: list[Any]) -> dict[str, Any]:
    return {"type": "array", "value": entries}
