"""The registration inline hook: a service that may refuse or change a sign-up, or an update of the profile."""

from dataclasses import dataclass, field

from okta_devorg.policy.settings import RegistrationHook
from okta_devorg.state.hook_calls import HookFailed, call_hook, hook_envelope
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.errors import IdxError
from okta_devorg.wire.ion import Json, message

EVENT_TYPE = "com.okta.user.pre-registration"
HOOK_FAILED = "There was an error creating your account. Please try registering again."


@dataclass(frozen=True)
class Occasion:
    """What the hook is called for, and how that differs on the wire.

    `decision_key` and `update_command` are what the answer calls its decision and its changes. `denied_text` is for a
    refusal, `error_text` for an error without a text of its own. With `ends_flow` a refusal ends the transaction.
    """

    request_type: str
    path: str
    update_command: str
    decision_key: str
    denied_text: str
    error_text: str
    ends_flow: bool


SIGN_UP = Occasion(
    request_type="self.service.registration",
    path="/idp/idx/enroll/new",
    update_command="com.okta.user.profile.update",
    decision_key="registration",
    denied_text="Registration denied.",
    error_text="Registration can't be completed at this time.",
    ends_flow=True,
)
PROFILE_UPDATE = Occasion(
    request_type="progressive.profile",
    path="/idp/idx/enroll/update",
    update_command="com.okta.user.progressive.profile.update",
    decision_key="progressiveProfile",
    denied_text="Profile update denied.",
    error_text="We found some errors. Please review the form and make corrections.",
    ends_flow=False,
)


@dataclass
class HookAnswer:
    """The answer of the hook. `causes` are pairs of a location, such as `data.userProfile.login`, and a text."""

    allowed: bool = True
    changes: Json = field(default_factory=dict)
    error: str | None = None
    causes: list[tuple[str, str]] = field(default_factory=list)


def approved_sign_up(org: Org, profile: Json, login: str) -> Json:
    """Return the profile to create, with the changes of the hook.

    :raises IdxError: if the hook refuses or fails.
    """
    hook = org.registration_hook
    if hook is None:
        return profile
    data = {"userProfile": {**_without_sensitive(org, profile), "login": login}, "action": "ALLOW"}
    answer = _call(org, hook, SIGN_UP, data, {})
    return {**profile, **_accepted_changes(org, SIGN_UP, answer)}


def approved_update(org: Org, user: User, values: Json) -> Json:
    """Return the values to add to the user's profile, with the changes of the hook.

    :raises IdxError: if the hook refuses or fails.
    """
    hook = org.registration_hook
    if hook is None or not hook.progressive_profile:
        return values
    context = {"user": {"id": user.id, "profile": {"login": user.login, **user.profile}}}
    data = {"userProfileUpdate": _without_sensitive(org, values), "action": "ALLOW"}
    answer = _call(org, hook, PROFILE_UPDATE, data, context)
    return {**values, **_accepted_changes(org, PROFILE_UPDATE, answer)}


def _without_sensitive(org: Org, values: Json) -> Json:
    sensitive = {attribute.name for attribute in org.policy.profile_schema if attribute.sensitive}
    return {name: value for name, value in values.items() if name not in sensitive}


def _call(org: Org, hook: RegistrationHook, occasion: Occasion, data: Json, context: Json) -> HookAnswer:
    """Call the hook. The org serves other requests meanwhile: the hook itself may call it."""
    request = {"request": {"method": "POST", "ipAddress": "127.0.0.1", "url": {"value": occasion.path}}}
    body = {**hook_envelope(EVENT_TYPE, org.base), "cloudEventVersion": "0.1", "requestType": occasion.request_type}
    body["data"] = {"context": {**request, **context}, **data}
    target = {"id": "calLocalRegistration", "type": "InlineHook", "displayName": "Registration hook"}
    try:
        with org.unlocked():
            answer = call_hook(hook.url, hook.headers, body, org.policy.hooks.timeout_seconds)
    except HookFailed as failure:
        org.record("inline_hook.executed", target, "FAILURE", str(failure))
        raise _refusal(org, occasion, message(HOOK_FAILED, "registration.error.generic")) from failure
    org.record("inline_hook.executed", target)
    if isinstance(answer, dict) and isinstance(answer.get("debugContext"), dict):
        org.record("inline_hook.response.processed", target, debug=answer["debugContext"])
    return _read_answer(answer, occasion)


def _read_answer(body: object, occasion: Occasion) -> HookAnswer:
    """Read an answer as Okta documents it. An empty or unknown one allows the sign-up."""
    answer = HookAnswer()
    if not isinstance(body, dict):
        return answer
    error = body.get("error")
    if isinstance(error, dict):
        answer.error = str(error.get("errorSummary") or "")
        answer.causes = [
            (str(cause.get("location", "")), str(cause.get("errorSummary", "")))
            for cause in _objects(error.get("errorCauses"))
        ]
    for command in _objects(body.get("commands")):
        _read_command(answer, command, occasion)
    return answer


def _objects(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _read_command(answer: HookAnswer, command: Json, occasion: Occasion) -> None:
    value = command.get("value")
    if not isinstance(value, dict):
        return
    if command.get("type") == "com.okta.action.update":
        answer.allowed = value.get(occasion.decision_key, value.get("registration", "ALLOW")) != "DENY"
    elif command.get("type") == occasion.update_command:
        answer.changes.update(value)


def _accepted_changes(org: Org, occasion: Occasion, answer: HookAnswer) -> Json:
    """Return the changes of an answer that allows the sign-up or update. An error refuses it even without DENY."""
    if answer.error is None and answer.allowed:
        return {key: value for key, value in answer.changes.items() if isinstance(value, str | int | float | bool)}
    if answer.causes:
        raise _field_errors(org, occasion, answer)
    text = occasion.denied_text if answer.error is None else (answer.error or occasion.error_text)
    raise _refusal(org, occasion, message(text))


def _field_errors(org: Org, occasion: Occasion, answer: HookAnswer) -> IdxError:
    """Return the error with each cause on its field, or on the page if it names no field of the form."""
    page_texts = [answer.error] if answer.error else []
    field_messages: dict[str, list[Json]] = {}
    for location, text in answer.causes:
        name = _field_name(org, occasion, location)
        if name:
            messages = field_messages.setdefault(f"userProfile.{name}", [])
            messages.append(message(text or occasion.error_text))
        else:
            page_texts.append(text or occasion.error_text)
    return IdxError(org.policy.statuses.hook_refused, [message(text) for text in page_texts], field_messages)


def _field_name(org: Org, occasion: Occasion, location: str) -> str | None:
    """Return the field of the form that the location names. The login is in the field `email` if it has none itself."""
    attributes = org.policy.profile if occasion is SIGN_UP else org.policy.progressive_profile.attributes
    names = {attribute.name for attribute in attributes}
    name = location.rpartition(".")[2]
    if name == "login" and "login" not in names:
        name = "email"
    return name if name in names else None


def _refusal(org: Org, occasion: Occasion, text: Json) -> IdxError:
    """Return the error of a refusal: a sign-up is over, an update may be tried again."""
    return IdxError(org.policy.statuses.hook_refused, [text], repeats_step=not occasion.ends_flow)
