"""Reads IDX documents (JSON) into the objects of ``document``.

Only this module, ``contextual_data`` and ``document_edits`` know keys of the wire format. Its shapes are in
docs/protocol.md, section 3. Defaults follow the protocol, not intuition: ``mutable`` and ``visible`` are true when
absent, ``required`` is false.

A member of the wrong type counts as absent (a label that is a number becomes ""); something that is not a document of
the protocol at all raises ``MalformedAnswer``. Lists keep every entry, because names may repeat: ``redirect-idp`` and
``userProfile`` may occur several times.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from selfreg.idx.authenticators import AUTHENTICATORS, BY_KIND, UNKNOWN
from selfreg.idx.contextual_data import context_members
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
    leaves_of,
)
from selfreg.idx.errors import MalformedAnswer
from selfreg.idx.ion import (
    MAX_TEXT,
    as_text,
    is_not_false,
    is_true,
    read_array,
    read_mapping,
    read_moment,
    read_number,
    read_objects,
    read_plain,
    read_scalar,
    read_text,
    read_unwrapped,
)
from selfreg.secret import NOTHING, Secret

MAX_DEPTH = 12
# What a consent is about -> the member that says more than the label. The value of a scope is a technical name.
VALUES_OF_FACTS = {"requestInfo": "value", "scopes": "desc"}
CONTAINERS = (dict, list)
# Older orgs have links to Okta's own pages next to the remediations (docs/protocol.md, section 3.1).
LINKS_BESIDE_REMEDIATIONS = ("success", "failure")
# The authenticator in use, the first of these that the document has.
CURRENT_AUTHENTICATOR = ("currentAuthenticator", "currentAuthenticatorEnrollment", "enrollmentAuthenticator")
# Remediations that look for Okta Verify on the visitor's device, and those of a page that has more to offer.
PROBES = frozenset({"device-challenge-poll", "device-apple-sso-extension"})
BESIDE_PROBES = frozenset({"identify", "select-enroll-profile", "enroll-profile"})
# The remediation that ends such a search, and its default path (docs/protocol.md, section 4.13).
END_OF_PROBE = "cancel-polling"
END_OF_PROBE_PATH = "/idp/idx/authenticators/poll/cancel"
# A captcha without a provider, and the default path of its task (docs/protocol.md, section 4.2).
PROOF_OF_WORK = "ALTCHA"
CHALLENGE_PATH = "/api/v1/altcha"
# The link that verifies an identity.
VERIFY_IDENTITY = "redirect-idverify"
# Password policy: a number of its rules or of its rules about age -> the member of ``PasswordPolicy``.
PASSWORD_NUMBERS = {
    "minLength": "min_length", "maxLength": "max_length", "minLowerCase": "min_lower", "minUpperCase": "min_upper",
    "minNumber": "min_number", "minSymbol": "min_symbol", "maxConsecutiveRepeatingCharacters": "max_repeating",
    "historyCount": "history_count", "minAgeMinutes": "min_age_minutes",
}  # fmt: skip
# Password policy: a flag -> the attribute that it excludes.
EXCLUDING_FLAGS = (("excludeFirstName", "firstName"), ("excludeLastName", "lastName"))

# Key of a field -> member of ``Field``, and how to read it. Absent keys get the defaults of ``Field``; most fields have
# only two or three of the keys.
FIELD_MEMBERS: dict[str, tuple[str, Callable[[Json, str], Any]]] = {
    "label": ("label", read_plain),
    "required": ("required", is_true),
    "visible": ("visible", is_not_false),
    "mutable": ("mutable", is_not_false),
    "secret": ("secret", is_true),
    "minLength": ("min_length", read_number),
    "maxLength": ("max_length", read_number),
    "hint": ("hint", read_text),
    "customLabel": ("custom_label", is_true),
    "desc": ("description", read_plain),
}


def parse(document: object) -> IdxResponse:
    """Read one IDX document.

    :param document: the decoded JSON body
    :raises MalformedAnswer: it is not an object with a ``version``
    """
    if not isinstance(document, Mapping) or not document.get("version"):
        raise MalformedAnswer("not an IDX document")
    return _Document(document).response()


class _Document:
    """A document that is being read. ``relatesTo`` points to other parts of it."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._authenticators: dict[int, Authenticator] = {}

    def response(self) -> IdxResponse:
        raw = self.document
        links = [raw[key] for key in LINKS_BESIDE_REMEDIATIONS if isinstance(raw.get(key), Mapping)]
        offered = [*read_array(raw, "remediation"), *links]
        remediations = tuple(self.remediation(r) for r in offered if read_text(r, "name"))
        of_fields = [m for r in remediations for m in _messages_of(r.fields)]
        at_fields = {(m.key, m.text) for m in of_fields}
        of_page = [m for m in _messages_anywhere(raw) if (m.key, m.text) not in at_fields]
        of_page += _device_messages(read_unwrapped(raw, "deviceEnrollment"))
        user, ui = read_unwrapped(raw, "user"), read_unwrapped(raw, "uiDisplay")
        cancel = raw.get("cancel")
        return IdxResponse(
            state_handle=Secret(read_text(raw, "stateHandle")),
            expires_at=read_moment(raw.get("expiresAt")),
            remediations=remediations,
            messages=_unique([m for m in [*of_page, *of_fields] if m.text or m.key]),
            current_authenticator=self.current_authenticator(),
            authenticators=tuple(self.authenticator(a) for a in read_array(raw, "authenticators")),
            enrolled=tuple(self.authenticator(a) for a in read_array(raw, "authenticatorEnrollments")),
            user_id=read_text(user, "id"),
            user_identifier=read_text(user, "identifier"),
            app_label=read_text(read_unwrapped(raw, "app"), "label"),
            title=read_plain(ui, "label"),
            button_label=read_plain(ui, "buttonLabel"),
            captcha=self.captcha(),
            cancel=self.action(cancel) if isinstance(cancel, Mapping) else None,
            end_of_probe=self.end_of_probe(remediations),
            interaction_code=self.interaction_code(),
        )

    def action_members(self, raw: Json) -> dict[str, Any]:
        return {
            "name": read_text(raw, "name"),
            "href": read_text(raw, "customExpiredPasswordURL") or read_text(raw, "href"),
            "method": (read_text(raw, "method") or "POST").upper(),
            "fields": self.fields(raw.get("value"), ()),
            "refresh_ms": read_number(raw, "refresh") or 0,
        }

    def action(self, raw: Json) -> Action:
        return Action(**self.action_members(raw))

    def remediation(self, raw: Json) -> Remediation:
        members, idp = self.action_members(raw), read_mapping(raw.get("idp"))
        related = self.related(raw.get("relatesTo"))
        alone = VERIFY_IDENTITY if members["name"] == VERIFY_IDENTITY else ""
        return Remediation(
            **members,
            authenticator=related,
            kind=read_text(raw, "type"),
            # A link that is a step is identified by its authenticator, or is the only one of its name.
            idp_id=read_text(idp, "id") or (related.id if related else alone),
            idp_name=read_text(idp, "name") or read_text(raw, "customExpiredPasswordName"),
            is_link=not raw.get("rel"),
            leaves=tuple(leaves_of(members["fields"])),
            facts=tuple(_fact_of(fact, key) for key in VALUES_OF_FACTS for fact in read_objects(raw, key)),
        )

    def fields(self, raw: object, outer: tuple[str, ...], depth: int = 0) -> tuple[Field, ...]:
        """Return the fields of a form. ``outer``: the names of the objects around it."""
        if not isinstance(raw, list) or depth > MAX_DEPTH:
            return ()
        return tuple(self.field(f, outer, depth) for f in raw if isinstance(f, Mapping) and read_text(f, "name"))

    def field(self, raw: Json, outer: tuple[str, ...], depth: int) -> Field:
        name = read_text(raw, "name")
        keys = (*outer, name)
        path = ".".join(keys)
        value, form = raw.get("value"), raw.get("form")
        if isinstance(value, dict) and not isinstance(form, dict):
            form = value.get("form")
        display, choices = _display(raw)
        fields = self.fields(form.get("value"), keys, depth + 1) if isinstance(form, dict) else ()
        present = {member: read(raw, key) for key, (member, read) in FIELD_MEMBERS.items() if key in raw}
        return Field(
            name=name,
            keys=keys,
            path=path,
            type="object" if isinstance(form, dict) else read_text(raw, "type") or _type_of(value, outer),
            value=read_scalar(value),
            display=read_text(display, "inputType"),
            format=read_text(display, "format") or read_text(raw, "format"),
            fields=fields,
            options=tuple(self.option(o, keys, depth) for o in choices) if choices else (),
            authenticator=self.related(raw["relatesTo"]) if "relatesTo" in raw else None,
            messages=tuple(replace(_message(m), path=path) for m in read_array(raw, "messages"))
            if "messages" in raw
            else (),
            **present,
        )

    def option(self, raw: Json, outer: tuple[str, ...], depth: int) -> Option:
        value = raw.get("value")
        form = read_mapping(read_mapping(value).get("form"))
        fields = self.fields(form.get("value"), outer, depth + 1)
        return Option(
            label=read_plain(raw, "label"),
            value=read_scalar(value),
            fields=fields,
            leaves=tuple(leaves_of(fields)),
            authenticator=self.related(raw.get("relatesTo")),
        )

    def related(self, path: object) -> Authenticator | None:
        """Return the authenticator that ``relatesTo`` points to, or None.

        :param path: ``"$.authenticators.value[0]"``, or a list with one such path
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
        """Return an authenticator. Several parts of a document may point to the same one, which is read once."""
        known = self._authenticators.get(id(raw))
        if known is None:
            known = self._authenticators[id(raw)] = self._read_authenticator(raw)
        return known

    def _read_authenticator(self, raw: Json) -> Authenticator:
        kind, context, grace = read_text(raw, "type"), read_mapping(raw.get("contextualData")), raw.get("gracePeriod")
        key = read_text(raw, "key") or BY_KIND.get(kind, UNKNOWN).key or kind
        profile, enrolled = read_mapping(raw.get("profile")), read_array(self.document, "authenticatorEnrollments")
        return Authenticator(
            id=read_text(raw, "id"),
            key=key,
            kind=kind or AUTHENTICATORS.get(key, UNKNOWN).kind,
            label=read_text(raw, "displayName"),
            password_policy=_password_policy(raw.get("settings")),
            question=read_plain(profile, "question"),
            contact=read_text(profile, "phoneNumber") or read_text(profile, "email"),
            required_from=read_moment(read_mapping(grace).get("expiry")),
            skips_left=read_number(read_mapping(grace), "remainingSkips") or 0,
            resend=self.inner_action(raw, "resend"),
            poll=self.inner_action(raw, "poll"),
            **context_members(context, enrolled) if context else {},
        )

    def inner_action(self, raw: Json, key: str) -> Action | None:
        inner = read_mapping(raw.get(key))
        return self.action(inner) if read_text(inner, "href") else None

    def end_of_probe(self, remediations: tuple[Remediation, ...]) -> Action | None:
        """Return the action that ends the search for Okta Verify, if the page is nothing but this search."""
        names = {r.name for r in remediations}
        if not remediations or remediations[0].name not in PROBES or names & BESIDE_PROBES:
            return None
        challenge = read_mapping(self.document.get("authenticatorChallenge"))
        own = self.inner_action(read_mapping(challenge.get("value")) or challenge, "cancel")
        listed = next((r for r in remediations if r.name == END_OF_PROBE), None)
        return own or listed or Action(END_OF_PROBE, END_OF_PROBE_PATH, fields=remediations[0].fields)

    def captcha(self) -> Captcha | None:
        raw = read_unwrapped(self.document, "captcha")
        if not raw:
            return None
        kind, challenge = read_text(raw, "type"), self.inner_action(raw, "challengeUrlForm")
        if kind == PROOF_OF_WORK and challenge is None:
            challenge = Action(name="challenge", href=CHALLENGE_PATH, method="GET")
        return Captcha(read_text(raw, "id"), read_text(raw, "siteKey"), kind, challenge)

    def interaction_code(self) -> Secret[str]:
        fields = read_objects(read_mapping(self.document.get("successWithInteractionCode")), "value")
        return next((Secret(read_text(f, "value")) for f in fields if f.get("name") == "interaction_code"), NOTHING)


def _device_messages(enrollment: Json) -> list[Message]:
    """Return the message of an organization that only accepts devices that it manages or knows."""
    link = read_text(enrollment, "enrollmentLink") or read_text(enrollment, "signInUrl")
    key = "idx.device_enrollment.link" if link else "idx.device_enrollment"
    return [Message("", key, (link,) if link else ())] if enrollment else []


def _type_of(value: object, outer: tuple[str, ...]) -> str:
    """Return the type of a field that has none. The scopes of a consent are booleans."""
    return "boolean" if isinstance(value, bool) or outer[:1] == ("optedScopes",) else "string"


def _fact_of(raw: Json, key: str) -> tuple[str, str]:
    return read_plain(raw, "label") or read_text(raw, "name"), read_plain(raw, VALUES_OF_FACTS[key])


def _messages_of(fields: tuple[Field, ...]) -> Iterator[Message]:
    """Return the messages of every field at every depth, including those of object options."""
    for field in fields:
        yield from field.messages
        yield from _messages_of(field.fields)
        for option in field.options:
            yield from _messages_of(option.fields)


def _display(raw: Json) -> tuple[Json, list[Json]]:
    """Return how to show a field, and its choices: both may be in ``options`` (docs/protocol.md, section 3.4)."""
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
    numbers = {**rules, **age}
    return PasswordPolicy(
        **{member: read_number(numbers, key) or 0 for key, member in PASSWORD_NUMBERS.items()},
        exclude_username=rules.get("excludeUsername") is True,
        exclude_attributes=_excluded_attributes(rules),
        active_directory_rules=rules.get("useADComplexityRequirements") is True,
    )


def _excluded_attributes(rules: Json) -> tuple[str, ...]:
    """Return the excluded attributes. Older orgs send a flag for each instead of a list (docs/protocol.md, 4.6)."""
    listed = rules.get("excludeAttributes")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return tuple(dict.fromkeys([*names, *(name for flag, name in EXCLUDING_FLAGS if rules.get(flag) is True)]))


def _message(raw: Json) -> Message:
    i18n = read_mapping(raw.get("i18n"))
    params = i18n.get("params")
    return Message(
        text=" ".join(filter(None, (read_plain(raw, "message"), *_links(raw)))),
        key=read_text(i18n, "key"),
        params=tuple(as_text(str(p)[:MAX_TEXT]) for p in params if isinstance(p, str | int | float))
        if isinstance(params, list)
        else (),
        severity=(read_text(raw, "class") or "INFO").upper(),
    )


def _links(message: Json) -> list[str]:
    """Return the links of a message, with their URLs as text."""
    links = [(read_plain(link, "label"), read_text(link, "url")) for link in read_objects(message, "links")]
    return [": ".join(filter(None, link)) for link in links if link[1]]


def _messages_anywhere(node: object, depth: int = 0) -> list[Message]:
    """Return all messages of a document, those of the page first. Remediations and authenticators have some, too."""
    if depth > 3 * MAX_DEPTH:
        return []
    messages, inside = [], node if isinstance(node, list) else ()
    if isinstance(node, dict):
        messages = [_message(m) for m in read_array(node, "messages")] if "messages" in node else []
        inside = [inner for key, inner in node.items() if key != "messages"]
    for inner in inside:
        if type(inner) in CONTAINERS:
            messages += _messages_anywhere(inner, depth + 1)
    return messages


def _unique(messages: list[Message]) -> tuple[Message, ...]:
    """Return each message once per field: a security question repeats its error in every option."""
    return tuple({(m.key, m.text, m.path): m for m in messages}.values())
