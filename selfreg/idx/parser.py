"""Reads IDX documents (JSON) into the objects of ``document``.

Only this module and ``editing`` know keys of the wire format.

The shapes are in docs/protocol.md, section 3. Defaults follow the protocol, not intuition: ``mutable`` and
``visible`` are true when absent, ``required`` is false.

A member of the wrong type counts as absent (a label that is a number becomes ""); something that is not a document of
the protocol at all raises ``MalformedAnswer``. Lists keep every entry, because names may repeat: ``redirect-idp`` and
``userProfile`` may occur several times.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from selfreg.idx.authenticators import AUTHENTICATORS, BY_KIND, UNKNOWN
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
)
from selfreg.idx.errors import MalformedAnswer

MAX_TEXT = 2_000
MAX_NUMBER = 10**9
# Databases and time zones fail at either end of the calendar.
YEARS = range(2000, 9001)
MAX_DEPTH = 12
# In older orgs links to Okta's own pages stand beside the remediations (docs/protocol.md, section 3.1).
LINKS_BESIDE_REMEDIATIONS = ("success", "failure")
# The authenticator in use, the first of these that the document has.
CURRENT_AUTHENTICATOR = ("currentAuthenticator", "currentAuthenticatorEnrollment", "enrollmentAuthenticator")


def parse(document: object) -> IdxResponse:
    """Reads one IDX document.

    :param document: the decoded JSON body
    :raises MalformedAnswer: it is not an object with a ``version``
    """
    if not isinstance(document, Mapping) or not document.get("version"):
        raise MalformedAnswer("not an IDX document")
    return _Document(document).response()


class _Document:
    """One document while it is read. It is kept whole, because ``relatesTo`` points to other parts of it."""

    def __init__(self, document: Json) -> None:
        self.document = document

    def response(self) -> IdxResponse:
        raw = self.document
        links = [raw[key] for key in LINKS_BESIDE_REMEDIATIONS if isinstance(raw.get(key), Mapping)]
        offered = [*read_array(raw, "remediation"), *links]
        remediations = tuple(self.remediation(r) for r in offered if read_text(r, "name"))
        of_fields = [m for r in remediations for m in _messages_of(r.fields)]
        at_fields = {(m.key, m.text) for m in of_fields}
        of_page = [m for m in _messages_anywhere(raw) if (m.key, m.text) not in at_fields]
        user, ui, client = read_unwrapped(raw, "user"), read_unwrapped(raw, "uiDisplay"), read_unwrapped(raw, "client")
        cancel = raw.get("cancel")
        return IdxResponse(
            state_handle=read_text(raw, "stateHandle"),
            expires_at=read_moment(raw.get("expiresAt")),
            intent=read_text(raw, "intent").upper(),
            remediations=remediations,
            messages=_unique([m for m in [*of_page, *of_fields] if m.text or m.key]),
            current_authenticator=self.current_authenticator(),
            authenticators=tuple(self.authenticator(a) for a in read_array(raw, "authenticators")),
            enrolled=tuple(self.authenticator(a) for a in read_array(raw, "authenticatorEnrollments")),
            user_id=read_text(user, "id"),
            user_identifier=read_text(user, "identifier"),
            app_label=read_text(read_unwrapped(raw, "app"), "label"),
            title=read_text(ui, "label"),
            button_label=read_text(ui, "buttonLabel"),
            captcha=self.captcha(),
            cancel=self.action(cancel) if isinstance(cancel, Mapping) else None,
            requested_from=tuple(t for t in (read_text(client, "browser"), read_text(client, "os")) if t),
            interaction_code=self.interaction_code(),
        )

    def action(self, raw: Json) -> Action:
        return Action(
            name=read_text(raw, "name"),
            href=read_text(raw, "href"),
            method=(read_text(raw, "method") or "POST").upper(),
            accepts=read_text(raw, "accepts"),
            fields=self.fields(raw.get("value"), ()),
            refresh_ms=read_number(raw, "refresh") or 0,
        )

    def remediation(self, raw: Json) -> Remediation:
        action, idp = self.action(raw), read_mapping(raw.get("idp"))
        return Remediation(
            name=action.name,
            href=action.href,
            method=action.method,
            accepts=action.accepts,
            fields=action.fields,
            refresh_ms=action.refresh_ms,
            authenticator=self.related(raw.get("relatesTo")),
            kind=read_text(raw, "type"),
            idp_id=read_text(idp, "id"),
            idp_name=read_text(idp, "name"),
            is_link=not raw.get("rel"),
            leaves=_leaves_of(action.fields),
            facts=tuple(_fact_of(fact) for key in ("requestInfo", "scopes") for fact in read_objects(raw, key)),
        )

    def fields(self, raw: object, outer: tuple[str, ...], depth: int = 0) -> tuple[Field, ...]:
        """The fields of a form. ``outer``: the names of the objects around it."""
        if not isinstance(raw, list) or depth > MAX_DEPTH:
            return ()
        return tuple(self.field(f, outer, depth) for f in raw if isinstance(f, Mapping) and read_text(f, "name"))

    def field(self, raw: Json, outer: tuple[str, ...], depth: int) -> Field:
        name = read_text(raw, "name")
        keys = (*outer, name)
        path = ".".join(keys)
        value, form = raw.get("value"), raw.get("form")
        if isinstance(value, Mapping) and not isinstance(form, Mapping):
            form = value.get("form")
        display, choices = _display(raw)
        fields = self.fields(form.get("value"), keys, depth + 1) if isinstance(form, Mapping) else ()
        return Field(
            name=name,
            keys=keys,
            path=path,
            label=read_text(raw, "label"),
            type="object" if isinstance(form, Mapping) else read_text(raw, "type") or "string",
            required=raw.get("required") is True,
            visible=raw.get("visible") is not False,
            mutable=raw.get("mutable") is not False,
            secret=raw.get("secret") is True,
            value=read_scalar(value),
            min_length=read_number(raw, "minLength"),
            max_length=read_number(raw, "maxLength"),
            hint=read_text(raw, "hint"),
            custom_label=raw.get("customLabel") is True,
            description=read_text(raw, "desc"),
            description_key=read_text(raw, "descKey"),
            display=read_text(display, "inputType"),
            format=read_text(display, "format"),
            fields=fields,
            inner_leaves=_leaves_of(fields),
            options=tuple(self.option(o, keys, depth) for o in choices),
            authenticator=self.related(raw.get("relatesTo")),
            messages=tuple(replace(_message(m), path=path) for m in read_array(raw, "messages")),
        )

    def option(self, raw: Json, outer: tuple[str, ...], depth: int) -> Option:
        value = raw.get("value")
        form = read_mapping(read_mapping(value).get("form"))
        fields = self.fields(form.get("value"), outer, depth + 1)
        return Option(
            label=read_text(raw, "label"),
            value=read_scalar(value),
            fields=fields,
            leaves=_leaves_of(fields),
            authenticator=self.related(raw.get("relatesTo")),
        )

    def related(self, path: object) -> Authenticator | None:
        """The authenticator that ``relatesTo`` points to: ``"$.authenticators.value[0]"``, or a list with one path. A
        path that leads to no authenticator gives None.
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
        # A wrapper that is still there does not hold a single authenticator.
        if not isinstance(node, Mapping) or "value" in node or not read_text(node, "type"):
            return None
        return self.authenticator(node)

    def current_authenticator(self) -> Authenticator | None:
        raw = next((raw for key in CURRENT_AUTHENTICATOR if (raw := read_unwrapped(self.document, key))), None)
        return self.authenticator(raw) if raw else None

    def authenticator(self, raw: Json) -> Authenticator:
        kind, context = read_text(raw, "type"), read_mapping(raw.get("contextualData"))
        key = read_text(raw, "key") or BY_KIND.get(kind, UNKNOWN).key or kind
        activation = context.get("activationData")
        return Authenticator(
            id=read_text(raw, "id"),
            key=key,
            kind=kind or AUTHENTICATORS.get(key, UNKNOWN).kind,
            label=read_text(raw, "displayName"),
            methods=tuple(read_text(m, "type") for m in read_objects(raw, "methods")),
            password_policy=_password_policy(raw.get("settings")),
            question_keys=tuple(
                (read_text(q, "questionKey"), read_text(q, "question")) for q in read_objects(context, "questions")
            ),
            question=read_text(read_mapping(raw.get("profile")), "question"),
            shared_secret=read_text(context, "sharedSecret"),
            qr_image=read_text(read_mapping(context.get("qrcode")), "href", limit=100_000),
            activation=activation if isinstance(activation, Mapping) else None,
            magic_link=context.get("useEmailMagicLink") is not False,
            shown_code=read_text(context, "otp"),
            resend=self.inner_action(raw, "resend"),
            poll=self.inner_action(raw, "poll"),
        )

    def inner_action(self, raw: Json, key: str) -> Action | None:
        inner = read_mapping(raw.get(key))
        return self.action(inner) if read_text(inner, "href") else None

    def captcha(self) -> Captcha | None:
        raw = read_unwrapped(self.document, "captcha")
        return Captcha(read_text(raw, "id"), read_text(raw, "siteKey"), read_text(raw, "type")) if raw else None

    def interaction_code(self) -> str:
        fields = read_objects(read_mapping(self.document.get("successWithInteractionCode")), "value")
        return next((read_text(f, "value") for f in fields if f.get("name") == "interaction_code"), "")


def _fact_of(raw: Json) -> tuple[str, str]:
    return read_text(raw, "label") or read_text(raw, "name"), read_text(raw, "value") or read_text(raw, "desc")


def _leaves_of(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """The innermost fields, in the org's order."""
    return tuple(leaf for field in fields for leaf in (*field.inner_leaves, *([field] if _is_leaf(field) else [])))


def _is_leaf(field: Field) -> bool:
    return field.type != "object" or bool(field.options)


def _messages_of(fields: tuple[Field, ...]) -> Iterator[Message]:
    """The messages of every field at every depth, those of object options included."""
    for field in fields:
        yield from field.messages
        yield from _messages_of(field.fields)
        for option in field.options:
            yield from _messages_of(option.fields)


def _display(raw: Json) -> tuple[Json, list[Json]]:
    """How a field wants to be shown, and its choices: both may stand in ``options`` (docs/protocol.md, section 3.4)."""
    options = read_objects(raw, "options")
    if len(options) == 1 and options[0].get("label") == "display" and isinstance(options[0].get("value"), Mapping):
        inner = options[0]["value"].get("value")
        display = inner if isinstance(inner, Mapping) else options[0]["value"]
        return display, read_objects(display, "options")
    return {}, options


def _password_policy(settings: object) -> PasswordPolicy | None:
    if not isinstance(settings, Mapping):
        return None
    rules, age = read_mapping(settings.get("complexity")), read_mapping(settings.get("age"))
    attributes = rules.get("excludeAttributes")
    return PasswordPolicy(
        min_length=read_number(rules, "minLength") or 0,
        min_lower=read_number(rules, "minLowerCase") or 0,
        min_upper=read_number(rules, "minUpperCase") or 0,
        min_number=read_number(rules, "minNumber") or 0,
        min_symbol=read_number(rules, "minSymbol") or 0,
        max_repeating=read_number(rules, "maxConsecutiveRepeatingCharacters") or 0,
        exclude_username=rules.get("excludeUsername") is True,
        exclude_attributes=tuple(a for a in attributes if isinstance(a, str)) if isinstance(attributes, list) else (),
        active_directory_rules=rules.get("useADComplexityRequirements") is True,
        history_count=read_number(age, "historyCount") or 0,
        min_age_minutes=read_number(age, "minAgeMinutes") or 0,
    )


def _message(raw: Json) -> Message:
    i18n = read_mapping(raw.get("i18n"))
    params = i18n.get("params")
    return Message(
        text=" ".join(filter(None, (read_text(raw, "message"), *_links(raw)))),
        key=read_text(i18n, "key"),
        params=tuple(str(p)[:MAX_TEXT] for p in params if isinstance(p, str | int | float))
        if isinstance(params, list)
        else (),
        severity=(read_text(raw, "class") or "INFO").upper(),
    )


def _links(message: Json) -> list[str]:
    """Links to read on, with their addresses as text."""
    links = read_objects(message, "links")
    return [f"{read_text(link, 'label')}: {read_text(link, 'url')}" for link in links if read_text(link, "url")]


def _messages_anywhere(node: object, depth: int = 0) -> Iterator[Message]:
    """Every message of a document, those of the page first: orgs put them on remediations and authenticators too."""
    if depth > 3 * MAX_DEPTH:
        return
    if isinstance(node, Mapping):
        yield from (_message(m) for m in read_array(node, "messages"))
        node = [inner for key, inner in node.items() if key != "messages"]
    for inner in node if isinstance(node, list) else ():
        yield from _messages_anywhere(inner, depth + 1)


def _unique(messages: list[Message]) -> tuple[Message, ...]:
    """The same words once for each field: a security question repeats its error in every option."""
    return tuple({(m.key, m.text, m.path): m for m in messages}.values())


# Lenient readers for ION, the JSON of the Identity Engine: a value of another type reads as if it were absent.


def read_text(raw: Json, key: str, limit: int = MAX_TEXT) -> str:
    """The text under a key, cut to ``limit`` characters; "" if there is none."""
    value = raw.get(key)
    return value[:limit] if isinstance(value, str) else ""


def read_number(raw: Json, key: str) -> int | None:
    """The whole number under a key, from 0 up to ``MAX_NUMBER``."""
    value = raw.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < MAX_NUMBER else None


def read_scalar(value: object) -> Scalar | None:
    """The value itself unless it is an object, a list or null."""
    return value if isinstance(value, str | int | float | bool) else None


def read_moment(value: object) -> datetime | None:
    """A time in ISO 8601 with its offset from UTC."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo and parsed.year in YEARS else None


def read_mapping(value: object) -> Json:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def read_objects(raw: Json, key: str) -> list[Json]:
    """The objects of the plain list under a key."""
    value = raw.get(key)
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def read_array(raw: Json, key: str) -> list[Json]:
    """The objects of ``{"type": "array", "value": [...]}`` under a key."""
    return read_objects(read_mapping(raw.get(key)), "value")


def read_unwrapped(raw: Json, key: str) -> Json:
    """The object of ``{"type": "object", "value": {...}}`` under a key; an empty one if there is none."""
    return read_mapping(read_mapping(raw.get(key)).get("value"))
