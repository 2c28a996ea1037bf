"""What an org may still ask between the last proof and the tokens (docs/protocol.md, section 4.11): one row of a table
each.

A prompt is put once per transaction. The order of the table is the order of the questions.
"""

from collections.abc import Callable
from dataclasses import dataclass

from okta_devorg.factors.profile_form import field_json, read_profile
from okta_devorg.idx.registration_hook import ask_about_update
from okta_devorg.policy.settings import Attribute
from okta_devorg.state.org import Org
from okta_devorg.state.transaction import Step, Transaction
from okta_devorg.state.users import User
from okta_devorg.wire.ion import Json, action, form, handle_field, message, obj
from okta_devorg.wire.refusals import IdxRefusal, bad_request


@dataclass(frozen=True)
class Prompt:
    step: Step
    path: str
    is_due: Callable[[Org, Transaction], bool]
    name: Callable[[Org], str]
    fields: Callable[[Org, Transaction], list[Json]]
    answer: Callable[[Org, Transaction, Json], None]


def next_prompt(org: Org, tx: Transaction) -> Prompt | None:
    return next((item for item in PROMPTS if item.step not in tx.prompted and item.is_due(org, tx)), None)


def remediation(org: Org, tx: Transaction) -> Json:
    prompt = next(item for item in PROMPTS if item.step is tx.step)
    more = {"scopes": scopes(tx)} if tx.step is Step.CONSENT else {}
    fields = [*prompt.fields(org, tx), handle_field(tx.state_handle)]
    return action(prompt.name(org), org.base + "/idp/idx/" + prompt.path, fields, **more)


def extras(org: Org, tx: Transaction) -> Json:
    """What stands beside the step in the document."""
    if tx.step is Step.UPDATE:
        return {"uiDisplay": obj({"label": "Additional Profile information", "buttonLabel": "Submit"})}
    return {}


# ---- progressive profile


def asked_attributes(org: Org) -> tuple[Attribute, ...]:
    return org.policy.progressive_profile.attributes


def lacks_attributes(org: Org, user: User) -> bool:
    return any(attribute.name not in user.profile for attribute in asked_attributes(org))


def may_leave_out(org: Org) -> bool:
    """Only where every attribute is optional."""
    return not any(attribute.required for attribute in asked_attributes(org))


def can_skip(org: Org, tx: Transaction) -> bool:
    return tx.step is Step.UPDATE and may_leave_out(org)


def profile_fields(org: Org, tx: Transaction) -> list[Json]:
    """`profile-update` has one `userProfile` for each attribute, `enroll-profile` one for all."""
    fields = [field_json(attribute) for attribute in asked_attributes(org)]
    groups = [[field] for field in fields] if org.policy.progressive_profile.step == "profile-update" else [fields]
    return [{"name": "userProfile", "form": form(group)} for group in groups]


def update_profile(org: Org, user: User, typed: object) -> None:
    """Raises IdxRefusal in the words of the form, or of the registration hook."""
    values, errors = read_profile(asked_attributes(org), typed)
    if errors:
        raise IdxRefusal(org.policy.statuses.profile_error, fields=errors)
    changed = ask_about_update(org, user, values)
    user.profile.update(changed)
    user.updated = org.clock.now()
    org.record("user.account.update_profile", user)


# ---- consent

SCOPE_LABELS = {
    "email": "View your email address.",
    "profile": "View your profile information.",
    "phone": "View your phone number.",
    "address": "View your address.",
    "offline_access": "Keep you signed in to the app.",
}


def scopes(tx: Transaction) -> list[Json]:
    wanted = [scope for scope in tx.request.scopes if scope in SCOPE_LABELS]
    return [{"name": scope, "label": SCOPE_LABELS[scope], "value": scope} for scope in wanted]


def consent_fields(org: Org, tx: Transaction) -> list[Json]:
    options = [{"label": "Allow Access", "value": True}, {"label": "Don't Allow", "value": False}]
    return [{"name": "consent", "label": "Consent", "type": "boolean", "required": True, "options": options}]


def take_consent(org: Org, tx: Transaction, body: Json) -> None:
    """Refused, the transaction is over."""
    if not read_boolean(body, "consent"):
        tx.end(message("Operation cancelled by user.", "idx.operation.cancelled.by.user"))


# ---- keep me signed in, and a step no client knows


def keep_fields(org: Org, tx: Transaction) -> list[Json]:
    return [{"name": "keepMeSignedIn", "label": "Keep me signed in", "type": "boolean", "required": True}]


def take_keep(org: Org, tx: Transaction, body: Json) -> None:
    """The local org's own session has one length, so the answer is only checked."""
    read_boolean(body, "keepMeSignedIn")


def unknown_fields(org: Org, tx: Transaction) -> list[Json]:
    return [{"name": "acknowledgement", "label": "I have read this", "type": "boolean", "required": False}]


def take_anything(org: Org, tx: Transaction, body: Json) -> None:
    """Whoever can answer an unknown step has answered it."""


def read_boolean(body: Json, name: str) -> bool:
    """Radio buttons send the texts "true" and "false"."""
    value = {"true": True, "false": False}.get(str(body.get(name)).lower())
    if value is None:
        raise bad_request()
    return value


PROMPTS = (
    Prompt(
        Step.UPDATE,
        "enroll/update",
        lambda org, tx: lacks_attributes(org, org.user_of(tx)),
        lambda org: org.policy.progressive_profile.step,
        profile_fields,
        lambda org, tx, body: update_profile(org, org.user_of(tx), body.get("userProfile")),
    ),
    Prompt(
        Step.UNKNOWN,
        "unknown-step",
        lambda org, tx: org.policy.unknown_step is not None,
        lambda org: str(org.policy.unknown_step),
        unknown_fields,
        take_anything,
    ),
    Prompt(
        Step.CONSENT, "consent", lambda org, tx: org.policy.consent, lambda org: "consent", consent_fields, take_consent
    ),
    Prompt(
        Step.KEEP,
        "keep-me-signed-in",
        lambda org, tx: org.policy.keep_me_signed_in,
        lambda org: "keep-me-signed-in",
        keep_fields,
        take_keep,
    ),
)
