"""The registration inline hook: an outside service may refuse or change a sign-up before anybody is created."""

from dataclasses import dataclass, field

from okta_devorg.policy.settings import RegistrationHook
from okta_devorg.state.hook_calls import HookFailed, call, envelope
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.refusals import IdxRefusal

EVENT = "com.okta.user.pre-registration"
FAILED = "There was an error creating your account. Please try registering again."
NOT_NOW = "Registration can't be completed at this time."


@dataclass(frozen=True)
class Words:
    """What differs between a sign-up and a progressive profile."""

    request: str
    path: str
    command: str
    verdict: str
    denied: str
    failed: str
    ends: bool


SIGN_UP = Words(
    "self.service.registration",
    "/idp/idx/enroll/new",
    "com.okta.user.profile.update",
    "registration",
    "Registration denied.",
    NOT_NOW,
    True,
)
UPDATE = Words(
    "progressive.profile",
    "/idp/idx/enroll/update",
    "com.okta.user.progressive.profile.update",
    "progressiveProfile",
    "Profile update denied.",
    "We found some errors. Please review the form and make corrections.",
    False,
)


@dataclass
class Answer:
    """What the hook said, in the terms of the org."""

    allowed: bool = True
    changes: Json = field(default_factory=dict)
    error: str | None = None
    causes: list[tuple[str, str]] = field(default_factory=list)


def ask_about_sign_up(org: Org, profile: Json, login: str) -> Json:
    """The profile to create, with the hook's changes. Raises IdxRefusal in the hook's own words."""
    hook = org.policy.hooks.registration
    if hook is None:
        return profile
    data = {"userProfile": {**told(org, profile), "login": login}, "action": "ALLOW"}
    return {**profile, **judged(org, SIGN_UP, ask(org, hook, SIGN_UP, data, {}))}


def ask_about_update(org: Org, user: User, values: Json) -> Json:
    hook = org.policy.hooks.registration
    if hook is None or not hook.progressive_profile:
        return values
    person = {"user": {"id": user.id, "profile": {"login": user.login, **user.profile}}}
    answer = ask(org, hook, UPDATE, {"userProfileUpdate": told(org, values), "action": "ALLOW"}, person)
    return {**values, **judged(org, UPDATE, answer)}


def told(org: Org, values: Json) -> Json:
    """Without what is marked sensitive."""
    sensitive = {item.name for item in org.policy.profile_schema if item.sensitive}
    return {name: value for name, value in values.items() if name not in sensitive}


def ask(org: Org, hook: RegistrationHook, words: Words, data: Json, context: Json) -> Answer:
    """The org serves others meanwhile: the hook may itself need something of it."""
    where = {"request": {"method": "POST", "ipAddress": "127.0.0.1", "url": {"value": words.path}}}
    body = {**envelope(EVENT, org.base), "cloudEventVersion": "0.1", "requestType": words.request}
    body["data"] = {"context": {**where, **context}, **data}
    try:
        with org.unlocked():
            answer = call(hook.url, hook.headers, body, org.policy.hooks.timeout_seconds)
    except HookFailed as failure:
        org.record("inline_hook.executed", hook_target(hook), "FAILURE", str(failure))
        raise refusal(org, words, message(FAILED, "registration.error.generic")) from failure
    org.record("inline_hook.executed", hook_target(hook))
    if isinstance(answer, dict) and isinstance(answer.get("debugContext"), dict):
        org.record("inline_hook.response.processed", hook_target(hook), debug=answer["debugContext"])
    return read_answer(answer, words)


def hook_target(hook: RegistrationHook) -> Json:
    return {"id": "calLocalRegistration", "type": "InlineHook", "displayName": "Registration hook"}


def read_answer(body: object, words: Words) -> Answer:
    """Nothing, or nothing known, lets the person pass: only words the documentation has count."""
    answer = Answer()
    if not isinstance(body, dict):
        return answer
    if isinstance(body.get("error"), dict):
        error = body["error"]
        answer.error = str(error.get("errorSummary") or "")
        causes = error.get("errorCauses")
        for cause in causes if isinstance(causes, list) else []:
            if isinstance(cause, dict):
                answer.causes.append((str(cause.get("location", "")), str(cause.get("errorSummary", ""))))
    commands = body.get("commands")
    for command in commands if isinstance(commands, list) else []:
        read_command(answer, command, words)
    return answer


def read_command(answer: Answer, command: object, words: Words) -> None:
    value = command.get("value") if isinstance(command, dict) else None
    if not isinstance(command, dict) or not isinstance(value, dict):
        return
    if command.get("type") == "com.okta.action.update":
        answer.allowed = value.get(words.verdict, value.get("registration", "ALLOW")) != "DENY"
    elif command.get("type") == words.command:
        answer.changes.update(value)


def judged(org: Org, words: Words, answer: Answer) -> Json:
    """The changes of a hook that lets the person pass. An error counts even without DENY; its commands do not."""
    if answer.error is None and answer.allowed:
        return {key: value for key, value in answer.changes.items() if isinstance(value, str | int | float | bool)}
    if answer.causes:
        raise at_fields(org, words, answer)
    text = words.denied if answer.error is None else (answer.error or words.failed)
    raise refusal(org, words, message(text))


def at_fields(org: Org, words: Words, answer: Answer) -> IdxRefusal:
    """Each cause beside its field; what names no field of the form goes to the page."""
    texts = [answer.error] if answer.error else []
    fields: dict[str, list[Json]] = {}
    for location, text in answer.causes:
        name = field_of(org, words, location)
        if name:
            fields.setdefault(f"userProfile.{name}", []).append(message(text or words.failed))
        else:
            texts.append(text or words.failed)
    return IdxRefusal(org.policy.statuses.hook_refused, [message(text) for text in texts], fields)


def field_of(org: Org, words: Words, location: str) -> str | None:
    """`data.userProfile.login` names the field that stands for the login."""
    attributes = org.policy.profile if words.ends else org.policy.progressive_profile.attributes
    on_form, name = {attribute.name for attribute in attributes}, location.rpartition(".")[2]
    name = "email" if name == "login" and "login" not in on_form else name
    return name if name in on_form else None


def refusal(org: Org, words: Words, text: Json) -> IdxRefusal:
    """A sign-up that is refused is over; an update may be tried again."""
    return IdxRefusal(org.policy.statuses.hook_refused, [text], page=not words.ends)
