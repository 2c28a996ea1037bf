"""Reads IDX documents (JSON) into the objects of ``document``. The only module that knows keys of the wire format.

The shapes are in docs/protocol.md, section 3. Defaults follow the protocol, not intuition: ``mutable`` and
``visible`` are true when absent, ``required`` is false.

A member of the wrong type counts as absent (a label that is a number becomes ""); something that is not a document of
the protocol at all raises ``MalformedAnswer``. Lists keep every entry, because names may repeat: ``redirect-idp`` and
``userProfile`` may occur several times.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from selfreg.idx import authenticators, ion
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
    walk_fields,
)
from selfreg.idx.errors import MalformedAnswer

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
        offered = [*ion.array(raw, "remediation"), *links]
        remediations = tuple(self.remediation(r) for r in offered if ion.text(r, "name"))
        of_fields = [m for r in remediations for f in walk_fields(r.fields) for m in f.messages]
        at_fields = {(m.key, m.text) for m in of_fields}
        of_page = [m for m in _messages_anywhere(raw) if (m.key, m.text) not in at_fields]
        user, ui, client = ion.unwrapped(raw, "user"), ion.unwrapped(raw, "uiDisplay"), ion.unwrapped(raw, "client")
        cancel = raw.get("cancel")
        return IdxResponse(
            state_handle=ion.text(raw, "stateHandle"),
            expires_at=ion.moment(raw.get("expiresAt")),
            intent=ion.text(raw, "intent").upper(),
            remediations=remediations,
            messages=_unique([m for m in [*of_page, *of_fields] if m.text or m.key]),
            current_authenticator=self.current_authenticator(),
            authenticators=tuple(self.authenticator(a) for a in ion.array(raw, "authenticators")),
            enrolled=tuple(self.authenticator(a) for a in ion.array(raw, "authenticatorEnrollments")),
            user_id=ion.text(user, "id"),
            user_identifier=ion.text(user, "identifier"),
            app_label=ion.text(ion.unwrapped(raw, "app"), "label"),
            title=ion.text(ui, "label"),
            button_label=ion.text(ui, "buttonLabel"),
            captcha=self.captcha(),
            cancel=self.action(cancel) if isinstance(cancel, Mapping) else None,
            requested_from=tuple(t for t in (ion.text(client, "browser"), ion.text(client, "os")) if t),
            interaction_code=self.interaction_code(),
        )

    def action(self, raw: Json) -> Action:
        return Action(
            name=ion.text(raw, "name"),
            href=ion.text(raw, "href"),
            method=(ion.text(raw, "method") or "POST").upper(),
            accepts=ion.text(raw, "accepts"),
            fields=self.fields(raw.get("value"), ()),
            refresh_ms=ion.number(raw, "refresh") or 0,
        )

    def remediation(self, raw: Json) -> Remediation:
        action, idp = self.action(raw), ion.mapping(raw.get("idp"))
        return Remediation(
            name=action.name,
            href=action.href,
            method=action.method,
            accepts=action.accepts,
            fields=action.fields,
            refresh_ms=action.refresh_ms,
            authenticator=self.related(raw.get("relatesTo")),
            kind=ion.text(raw, "type"),
            idp_id=ion.text(idp, "id"),
            idp_name=ion.text(idp, "name"),
            is_link=not raw.get("rel"),
            facts=tuple(
                (ion.text(fact, "label") or ion.text(fact, "name"), ion.text(fact, "value") or ion.text(fact, "desc"))
                for key in ("requestInfo", "scopes")
                for fact in ion.objects(raw, key)
            ),
        )

    def fields(self, raw: object, outer: tuple[str, ...], depth: int = 0) -> tuple[Field, ...]:
        """The fields of a form. ``outer``: the names of the objects around it."""
        if not isinstance(raw, list) or depth > MAX_DEPTH:
            return ()
        return tuple(self.field(f, outer, depth) for f in raw if isinstance(f, Mapping) and ion.text(f, "name"))

    def field(self, raw: Json, outer: tuple[str, ...], depth: int) -> Field:
        name = ion.text(raw, "name")
        keys = (*outer, name)
        value, form = raw.get("value"), raw.get("form")
        if isinstance(value, Mapping) and not isinstance(form, Mapping):
            form = value.get("form")
        display, choices = _display(raw)
        return Field(
            name=name,
            keys=keys,
            label=ion.text(raw, "label"),
            type="object" if isinstance(form, Mapping) else ion.text(raw, "type") or "string",
            required=raw.get("required") is True,
            visible=raw.get("visible") is not False,
            mutable=raw.get("mutable") is not False,
            secret=raw.get("secret") is True,
            value=ion.scalar(value),
            min_length=ion.number(raw, "minLength"),
            max_length=ion.number(raw, "maxLength"),
            hint=ion.text(raw, "hint"),
            custom_label=raw.get("customLabel") is True,
            description=ion.text(raw, "desc"),
            description_key=ion.text(raw, "descKey"),
            display=ion.text(display, "inputType"),
            format=ion.text(display, "format"),
            fields=self.fields(form.get("value"), keys, depth + 1) if isinstance(form, Mapping) else (),
            options=tuple(self.option(o, keys, depth) for o in choices),
            authenticator=self.related(raw.get("relatesTo")),
            messages=tuple(replace(_message(m), path=".".join(keys)) for m in ion.array(raw, "messages")),
        )

    def option(self, raw: Json, outer: tuple[str, ...], depth: int) -> Option:
        value = raw.get("value")
        form = ion.mapping(ion.mapping(value).get("form"))
        return Option(
            label=ion.text(raw, "label"),
            value=ion.scalar(value),
            fields=self.fields(form.get("value"), outer, depth + 1),
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
        if not isinstance(node, Mapping) or "value" in node or not ion.text(node, "type"):
            return None
        return self.authenticator(node)

    def current_authenticator(self) -> Authenticator | None:
        raw = next((raw for key in CURRENT_AUTHENTICATOR if (raw := ion.unwrapped(self.document, key))), None)
        return self.authenticator(raw) if raw else None

    def authenticator(self, raw: Json) -> Authenticator:
        kind, context = ion.text(raw, "type"), ion.mapping(raw.get("contextualData"))
        key = ion.text(raw, "key") or authenticators.by_kind(kind).key or kind
        activation = context.get("activationData")
        return Authenticator(
            id=ion.text(raw, "id"),
            key=key,
            kind=kind or authenticators.by_key(key).kind,
            label=ion.text(raw, "displayName"),
            methods=tuple(ion.text(m, "type") for m in ion.objects(raw, "methods")),
            password_policy=_password_policy(raw.get("settings")),
            question_keys=tuple(
                (ion.text(q, "questionKey"), ion.text(q, "question")) for q in ion.objects(context, "questions")
            ),
            question=ion.text(ion.mapping(raw.get("profile")), "question"),
            shared_secret=ion.text(context, "sharedSecret"),
            qr_image=ion.text(ion.mapping(context.get("qrcode")), "href", limit=100_000),
            activation=activation if isinstance(activation, Mapping) else None,
            magic_link=context.get("useEmailMagicLink") is not False,
            shown_code=ion.text(context, "otp"),
            resend=self.inner_action(raw, "resend"),
            poll=self.inner_action(raw, "poll"),
        )

    def inner_action(self, raw: Json, key: str) -> Action | None:
        inner = ion.mapping(raw.get(key))
        return self.action(inner) if ion.text(inner, "href") else None

    def captcha(self) -> Captcha | None:
        raw = ion.unwrapped(self.document, "captcha")
        return Captcha(ion.text(raw, "id"), ion.text(raw, "siteKey"), ion.text(raw, "type")) if raw else None

    def interaction_code(self) -> str:
        fields = ion.objects(ion.mapping(self.document.get("successWithInteractionCode")), "value")
        return next((ion.text(f, "value") for f in fields if f.get("name") == "interaction_code"), "")


def _display(raw: Json) -> tuple[Json, list[Json]]:
    """How a field wants to be shown, and its choices: both may stand in ``options`` (docs/protocol.md, section 3.4)."""
    options = ion.objects(raw, "options")
    if len(options) == 1 and options[0].get("label") == "display" and isinstance(options[0].get("value"), Mapping):
        inner = options[0]["value"].get("value")
        display = inner if isinstance(inner, Mapping) else options[0]["value"]
        return display, ion.objects(display, "options")
    return {}, options


def _password_policy(settings: object) -> PasswordPolicy | None:
    if not isinstance(settings, Mapping):
        return None
    rules, age = ion.mapping(settings.get("complexity")), ion.mapping(settings.get("age"))
    attributes = rules.get("excludeAttributes")
    return PasswordPolicy(
        min_length=ion.number(rules, "minLength") or 0,
        min_lower=ion.number(rules, "minLowerCase") or 0,
        min_upper=ion.number(rules, "minUpperCase") or 0,
        min_number=ion.number(rules, "minNumber") or 0,
        min_symbol=ion.number(rules, "minSymbol") or 0,
        max_repeating=ion.number(rules, "maxConsecutiveRepeatingCharacters") or 0,
        exclude_username=rules.get("excludeUsername") is True,
        exclude_attributes=tuple(a for a in attributes if isinstance(a, str)) if isinstance(attributes, list) else (),
        active_directory_rules=rules.get("useADComplexityRequirements") is True,
        history_count=ion.number(age, "historyCount") or 0,
        min_age_minutes=ion.number(age, "minAgeMinutes") or 0,
    )


def _message(raw: Json) -> Message:
    i18n = ion.mapping(raw.get("i18n"))
    params = i18n.get("params")
    return Message(
        text=" ".join(filter(None, (ion.text(raw, "message"), *_links(raw)))),
        key=ion.text(i18n, "key"),
        params=tuple(str(p)[: ion.MAX_TEXT] for p in params if isinstance(p, str | int | float))
        if isinstance(params, list)
        else (),
        severity=(ion.text(raw, "class") or "INFO").upper(),
    )


def _links(message: Json) -> list[str]:
    """Links to read on, with their addresses as text."""
    links = ion.objects(message, "links")
    return [f"{ion.text(link, 'label')}: {ion.text(link, 'url')}" for link in links if ion.text(link, "url")]


def _messages_anywhere(node: object, depth: int = 0) -> Iterator[Message]:
    """Every message of a document, those of the page first: orgs put them on remediations and authenticators too."""
    if depth > 3 * MAX_DEPTH:
        return
    if isinstance(node, Mapping):
        yield from (_message(m) for m in ion.array(node, "messages"))
        node = [inner for key, inner in node.items() if key != "messages"]
    for inner in node if isinstance(node, list) else ():
        yield from _messages_anywhere(inner, depth + 1)


def _unique(messages: list[Message]) -> tuple[Message, ...]:
    """The same words once for each field: a security question repeats its error in every option."""
    return tuple({(m.key, m.text, m.path): m for m in messages}.values())
