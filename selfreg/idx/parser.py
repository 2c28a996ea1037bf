"""Reads IDX documents (JSON) into the objects of ``document``. The only file that touches raw keys.

Shapes are those of ION as Okta writes it: ``{"type": "array", "value": [...]}`` wrappers, fields that nest by ``form``,
``options`` with three meanings, ``relatesTo`` paths into the same document. Defaults follow the protocol, not
intuition: ``mutable`` and ``visible`` are true when absent, ``required`` is false.

The parser is lenient inside (a label that is no text becomes "") and strict outside: what is not a document of the
protocol raises ``MalformedAnswer``. Lists keep every entry: ``redirect-idp`` and ``userProfile`` may occur several
times.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from selfreg.idx import authenticators
from selfreg.idx.document import (
    Action,
    Authenticator,
    Captcha,
    Field,
    IdxResponse,
    Json,
    Message,
    Option,
    PasswordPolicy,
    Remediation,
    Scalar,
    walk_fields,
)
from selfreg.idx.errors import MalformedAnswer

MAX_TEXT = 2_000
MAX_DEPTH = 12
# Of moments: others are no use, and at either end of the calendar a database or another time zone has no word for them.
YEARS = range(2000, 9001)
# Links out of the flow that older orgs put beside the remediations, newer ones among them (protocol 3.1).
ENDINGS = ("success", "failure")


def parse(document: object) -> IdxResponse:
    """Reads one IDX document.

    :param document: the decoded JSON body
    :raises MalformedAnswer: it is no object, or an object without ``version``
    """
    if not isinstance(document, Mapping) or not document.get("version"):
        raise MalformedAnswer("not an IDX document")
    return _Document(document).response()


def without_bearers(document: object) -> dict[str, Any]:
    """The document without its handles and without links that belong to one transaction: fit for sharing between
    visitors.

    :raises MalformedAnswer: not an object
    """
    if not isinstance(document, Mapping):
        raise MalformedAnswer("not an IDX document")
    said = [m for m in _items(document, "messages") if _message(m).severity != "ERROR"]
    kept = {k: v for k, v in document.items() if k != "cancel"} | {"messages": {"type": "array", "value": said}}
    shared = [{k: v for k, v in r.items() if k != "href" or r.get("rel")} for r in _items(document, "remediation")]
    cleaned: dict[str, Any] = _without_handles({**kept, "remediation": {"type": "array", "value": shared}})
    return cleaned


def _without_handles(node: Any) -> Any:
    """At any depth: an org may put its things anywhere."""
    if isinstance(node, Mapping):
        kept = {
            k: _without_handles(v) for k, v in node.items() if k not in ("stateHandle", "successWithInteractionCode")
        }
        return {**kept, "value": None} if node.get("name") in ("stateHandle", "interaction_code") else kept
    return [_without_handles(n) for n in node] if isinstance(node, list) else node


class _Document:
    """One document while it is read; knows how to follow ``relatesTo``."""

    def __init__(self, document: Json) -> None:
        self.document = document

    def response(self) -> IdxResponse:
        raw = self.document
        offered = [*_items(raw, "remediation"), *(raw[k] for k in ENDINGS if isinstance(raw.get(k), Mapping))]
        remediations = tuple(self.remediation(r) for r in offered if _text(r, "name"))
        in_fields = [m for r in remediations for f in walk_fields(r.fields) for m in f.messages]
        beside = {(m.key, m.text) for m in in_fields}
        page = [m for m in _messages_anywhere(raw) if (m.key, m.text) not in beside]
        user, ui, client = _value(raw, "user"), _value(raw, "uiDisplay"), _value(raw, "client")
        cancel = raw.get("cancel")
        return IdxResponse(
            state_handle=_text(raw, "stateHandle"),
            expires_at=_moment(raw.get("expiresAt")),
            intent=_text(raw, "intent").upper(),
            remediations=remediations,
            messages=_unique([m for m in [*page, *in_fields] if m.text or m.key]),
            current_authenticator=self.holder("currentAuthenticator")
            or self.holder("currentAuthenticatorEnrollment")
            or self.holder("enrollmentAuthenticator"),
            authenticators=tuple(self.authenticator(a) for a in _items(raw, "authenticators")),
            enrolled=tuple(self.authenticator(a) for a in _items(raw, "authenticatorEnrollments")),
            user_id=_text(user, "id"),
            user_identifier=_text(user, "identifier"),
            app_label=_text(_value(raw, "app"), "label"),
            title=_text(ui, "label"),
            button_label=_text(ui, "buttonLabel"),
            captcha=self.captcha(),
            cancel=self.action(cancel) if isinstance(cancel, Mapping) else None,
            requested_from=tuple(t for t in (_text(client, "browser"), _text(client, "os")) if t),
            interaction_code=self.interaction_code(),
        )

    def action(self, raw: Json) -> Action:
        return Action(
            name=_text(raw, "name"),
            href=_text(raw, "href"),
            method=(_text(raw, "method") or "POST").upper(),
            accepts=_text(raw, "accepts"),
            fields=self.fields(raw.get("value"), ()),
            refresh_ms=_number(raw, "refresh") or 0,
        )

    def remediation(self, raw: Json) -> Remediation:
        call, idp = self.action(raw), raw.get("idp")
        idp = idp if isinstance(idp, Mapping) else {}
        return Remediation(
            name=call.name,
            href=call.href,
            method=call.method,
            accepts=call.accepts,
            fields=call.fields,
            refresh_ms=call.refresh_ms,
            authenticator=self.related(raw.get("relatesTo")),
            kind=_text(raw, "type"),
            idp_id=_text(idp, "id"),
            idp_name=_text(idp, "name"),
            is_link=not raw.get("rel"),
            facts=tuple(
                (_text(f, "label") or _text(f, "name"), _text(f, "value") or _text(f, "desc"))
                for key in ("requestInfo", "scopes")
                for f in _list(raw, key)
            ),
        )

    def fields(self, raw: object, within: tuple[str, ...], depth: int = 0) -> tuple[Field, ...]:
        if not isinstance(raw, list) or depth > MAX_DEPTH:
            return ()
        return tuple(self.field(f, within, depth) for f in raw if isinstance(f, Mapping) and _text(f, "name"))

    def field(self, raw: Json, within: tuple[str, ...], depth: int) -> Field:
        name = _text(raw, "name")
        keys = (*within, name)
        value, form = raw.get("value"), raw.get("form")
        if isinstance(value, Mapping) and not isinstance(form, Mapping):
            form = value.get("form")
        display, choices = _display(raw)
        return Field(
            name=name,
            keys=keys,
            label=_text(raw, "label"),
            type="object" if isinstance(form, Mapping) else _text(raw, "type") or "string",
            required=raw.get("required") is True,
            visible=raw.get("visible") is not False,
            mutable=raw.get("mutable") is not False,
            secret=raw.get("secret") is True,
            value=_scalar(value),
            min_length=_number(raw, "minLength"),
            max_length=_number(raw, "maxLength"),
            hint=_text(raw, "hint"),
            custom_label=raw.get("customLabel") is True,
            description=_text(raw, "desc"),
            description_key=_text(raw, "descKey"),
            display=_text(display, "inputType"),
            format=_text(display, "format"),
            fields=self.fields(form.get("value"), keys, depth + 1) if isinstance(form, Mapping) else (),
            options=tuple(self.option(o, keys, depth) for o in choices),
            authenticator=self.related(raw.get("relatesTo")),
            messages=tuple(replace(_message(m), path=".".join(keys)) for m in _items(raw, "messages")),
        )

    def option(self, raw: Json, within: tuple[str, ...], depth: int) -> Option:
        value = raw.get("value")
        form = value.get("form") if isinstance(value, Mapping) else None
        return Option(
            label=_text(raw, "label"),
            value=_scalar(value),
            fields=self.fields(form.get("value"), within, depth + 1) if isinstance(form, Mapping) else (),
            authenticator=self.related(raw.get("relatesTo")),
        )

    def related(self, path: object) -> Authenticator | None:
        """Follows ``relatesTo`` (a string on fields, a list on remediations). What cannot be resolved relates to
        nothing.
        """
        if isinstance(path, list):
            path = path[0] if path else None
        if not isinstance(path, str) or not path.startswith("$."):
            return None
        node: object = self.document
        for name, index in re.findall(r"(\w+)|\[(\d{1,4})\]", path[2:]):
            if name and isinstance(node, Mapping):
                node = node.get(name)
            elif index and isinstance(node, list) and int(index) < len(node):
                node = node[int(index)]
            else:
                return None
        if isinstance(node, Mapping) and isinstance(node.get("value"), Mapping):
            node = node["value"]
        # A wrapper that is still there holds no single authenticator.
        if not isinstance(node, Mapping) or "value" in node or not _text(node, "type"):
            return None
        return self.authenticator(node)

    def holder(self, key: str) -> Authenticator | None:
        raw = _value(self.document, key)
        return self.authenticator(raw) if raw else None

    def authenticator(self, raw: Json) -> Authenticator:
        kind, context = _text(raw, "type"), raw.get("contextualData")
        context = context if isinstance(context, Mapping) else {}
        key = _text(raw, "key") or authenticators.by_kind(kind).key or kind
        activation, qr, profile = context.get("activationData"), context.get("qrcode"), raw.get("profile")
        return Authenticator(
            id=_text(raw, "id"),
            key=key,
            kind=kind or authenticators.by_key(key).kind,
            label=_text(raw, "displayName"),
            methods=tuple(_text(m, "type") for m in _list(raw, "methods")),
            password_policy=_password_policy(raw.get("settings")),
            question_keys=tuple((_text(q, "questionKey"), _text(q, "question")) for q in _list(context, "questions")),
            question=_text(profile, "question") if isinstance(profile, Mapping) else "",
            shared_secret=_text(context, "sharedSecret"),
            qr_image=_text(qr, "href", limit=100_000) if isinstance(qr, Mapping) else "",
            activation=activation if isinstance(activation, Mapping) else None,
            magic_link=context.get("useEmailMagicLink") is not False,
            shown_code=_text(context, "otp"),
            resend=self.inner_action(raw, "resend"),
            poll=self.inner_action(raw, "poll"),
        )

    def inner_action(self, raw: Json, key: str) -> Action | None:
        inner = raw.get(key)
        return self.action(inner) if isinstance(inner, Mapping) and _text(inner, "href") else None

    def captcha(self) -> Captcha | None:
        raw = _value(self.document, "captcha")
        return Captcha(_text(raw, "id"), _text(raw, "siteKey"), _text(raw, "type")) if raw else None

    def interaction_code(self) -> str:
        success = self.document.get("successWithInteractionCode")
        if not isinstance(success, Mapping):
            return ""
        return next((_text(f, "value") for f in _list(success, "value") if f.get("name") == "interaction_code"), "")


def _display(raw: Json) -> tuple[Json, list[Json]]:
    """Splits ``options`` into the display hint and the choices (the third meaning: one option labelled "display")."""
    options = _list(raw, "options")
    if len(options) == 1 and options[0].get("label") == "display" and isinstance(options[0].get("value"), Mapping):
        inner = options[0]["value"].get("value")
        hint = inner if isinstance(inner, Mapping) else options[0]["value"]
        return hint, _list(hint, "options")
    return {}, options


def _password_policy(settings: object) -> PasswordPolicy | None:
    if not isinstance(settings, Mapping):
        return None
    rules, age = settings.get("complexity"), settings.get("age")
    rules, age = (rules if isinstance(rules, Mapping) else {}), (age if isinstance(age, Mapping) else {})
    attributes = rules.get("excludeAttributes")
    return PasswordPolicy(
        min_length=_number(rules, "minLength") or 0,
        min_lower=_number(rules, "minLowerCase") or 0,
        min_upper=_number(rules, "minUpperCase") or 0,
        min_number=_number(rules, "minNumber") or 0,
        min_symbol=_number(rules, "minSymbol") or 0,
        max_repeating=_number(rules, "maxConsecutiveRepeatingCharacters") or 0,
        exclude_username=rules.get("excludeUsername") is True,
        exclude_attributes=tuple(a for a in attributes if isinstance(a, str)) if isinstance(attributes, list) else (),
        active_directory_rules=rules.get("useADComplexityRequirements") is True,
        history_count=_number(age, "historyCount") or 0,
        min_age_minutes=_number(age, "minAgeMinutes") or 0,
    )


def _message(raw: Json) -> Message:
    i18n = raw.get("i18n")
    i18n = i18n if isinstance(i18n, Mapping) else {}
    params = i18n.get("params")
    return Message(
        text=" ".join(filter(None, (_text(raw, "message"), *_links(raw)))),
        key=_text(i18n, "key"),
        params=tuple(str(p)[:MAX_TEXT] for p in params if isinstance(p, str | int | float))
        if isinstance(params, list)
        else (),
        severity=(_text(raw, "class") or "INFO").upper(),
    )


def _links(message: Json) -> list[str]:
    """What the org sends people on to read, with the address for them to see."""
    return [f"{_text(link, 'label')}: {_text(link, 'url')}" for link in _list(message, "links") if _text(link, "url")]


def _messages_anywhere(node: object, depth: int = 0) -> Iterator[Message]:
    """Every message of a document wherever it hangs, those of the page first: orgs put them on remediations and
    authenticators too.
    """
    if depth > 3 * MAX_DEPTH:
        return
    if isinstance(node, Mapping):
        yield from (_message(m) for m in _items(node, "messages"))
        node = [inner for key, inner in node.items() if key != "messages"]
    for inner in node if isinstance(node, list) else ():
        yield from _messages_anywhere(inner, depth + 1)


def _unique(messages: list[Message]) -> tuple[Message, ...]:
    """The same words once per field: a security question repeats its error in every option."""
    return tuple({(m.key, m.text, m.path): m for m in messages}.values())


def _items(raw: Json, key: str) -> list[Json]:
    """The objects of ``{"type": "array", "value": [...]}``."""
    wrapper = raw.get(key)
    return _list(wrapper, "value") if isinstance(wrapper, Mapping) else []


def _list(raw: Json, key: str) -> list[Json]:
    found = raw.get(key)
    return [n for n in found if isinstance(n, Mapping)] if isinstance(found, list) else []


def _value(raw: Json, key: str) -> Json:
    """The object of ``{"type": "object", "value": {...}}``."""
    wrapper = raw.get(key)
    inner = wrapper.get("value") if isinstance(wrapper, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _text(raw: Json, key: str, limit: int = MAX_TEXT) -> str:
    found = raw.get(key)
    return found[:limit] if isinstance(found, str) else ""


def _number(raw: Json, key: str) -> int | None:
    found = raw.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 10**9 else None


def _scalar(value: object) -> Scalar | None:
    return value if isinstance(value, str | int | float | bool) else None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo and moment.year in YEARS else None
