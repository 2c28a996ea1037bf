"""Steps that an org may add between the last authenticator and the tokens (docs/protocol.md, section 4.11).

Each is a row of a table, in the order in which they come, and comes once in a transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from okta_devorg.idx.steps.progressive_profile import (
    attribute_fields,
    can_skip_attributes,
    lacks_attributes,
    update_profile,
)
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.wire.ion import Json, action, form, ion_object, message, state_handle_field
from okta_devorg.wire.request_values import boolean_value, object_value

SCOPE_LABELS = {
    "email": "View your email address.",
    "profile": "View your profile information.",
    "phone": "View your phone number.",
    "address": "View your address.",
    "offline_access": "Keep you signed in to the app.",
}


@dataclass(frozen=True)
class ExtraStep:
    """One of these steps. `path` is its endpoint below `/idp/idx/`, `name` the name of its remediation."""

    step: Step
    path: str
    name: Callable[[Org], str]
    is_due: Callable[[Org, Transaction], bool]
    fields: Callable[[Org], list[Json]]
    answer: Callable[[Org, Transaction, Json], None]


def next_extra_step(org: Org, tx: Transaction) -> ExtraStep | None:
    """Return the next of these steps for the transaction, None if no more comes."""
    open_steps = (item for item in EXTRA_STEPS if item.step not in tx.answered_extra_steps)
    return next((item for item in open_steps if item.is_due(org, tx)), None)


def extra_step_remediation(org: Org, tx: Transaction) -> Json:
    """Return the remediation of the transaction's current step, which must be one of these."""
    extra_step = next(item for item in EXTRA_STEPS if item.step is tx.step)
    more = {"scopes": _scopes(tx)} if tx.step is Step.CONSENT else {}
    chosen = [_scope_choice(tx)] if tx.step is Step.GRANULAR_CONSENT else []
    fields = [*chosen, *extra_step.fields(org), state_handle_field(tx.state_handle)]
    return action(extra_step.name(org), org.base + "/idp/idx/" + extra_step.path, fields, **more)


def extra_step_members(tx: Transaction) -> Json:
    """Return the members that the step adds to the document."""
    if tx.step is Step.PROFILE_UPDATE:
        return {"uiDisplay": ion_object({"label": "Additional Profile information", "buttonLabel": "Submit"})}
    return {}


def can_skip_extra_step(org: Org, tx: Transaction) -> bool:
    """Return whether the transaction's current step is one of these and can be skipped."""
    return tx.step is Step.PROFILE_UPDATE and can_skip_attributes(org)


def _scopes(tx: Transaction) -> list[Json]:
    scopes = [scope for scope in tx.request.scopes if scope in SCOPE_LABELS]
    return [{"name": scope, "label": SCOPE_LABELS[scope], "value": scope} for scope in scopes]


def _scope_choice(tx: Transaction) -> Json:
    """Return a checkbox for each scope; `openid` cannot be left out."""
    checkboxes = [
        {
            "name": scope,
            "label": SCOPE_LABELS.get(scope, scope),
            "type": "boolean",
            "required": False,
            "mutable": scope != "openid",
            "value": True,
        }
        for scope in tx.request.scopes
    ]
    return {"name": "optedScopes", "type": "object", "form": form(checkboxes)}


def _granular_consent_fields(org: Org) -> list[Json]:
    """Return the field that the buttons of Okta's own page send. It is hidden."""
    return [{"name": "consent", "type": "boolean", "required": True, "visible": False}]


def _answer_granular_consent(org: Org, tx: Transaction, body: Json) -> None:
    """Take away the scopes that were not chosen."""
    chosen = object_value(body, "optedScopes")
    scopes = tuple(s for s in tx.request.scopes if s == "openid" or boolean_value(chosen, s))
    tx.request = replace(tx.request, scopes=scopes)
    _answer_consent(org, tx, body)


def _consent_fields(org: Org) -> list[Json]:
    options = [{"label": "Allow Access", "value": True}, {"label": "Don't Allow", "value": False}]
    return [{"name": "consent", "label": "Consent", "type": "boolean", "required": True, "options": options}]


def _answer_consent(org: Org, tx: Transaction, body: Json) -> None:
    """End the transaction unless the user consents."""
    if not boolean_value(body, "consent"):
        tx.end_with(message("Operation cancelled by user.", "idx.operation.cancelled.by.user"))


def _answer_keep_signed_in(org: Org, tx: Transaction, body: Json) -> None:
    """Only check the answer: the sessions of this org all have the same length."""
    boolean_value(body, "keepMeSignedIn")


EXTRA_STEPS = (
    ExtraStep(
        Step.PROFILE_UPDATE,
        "enroll/update",
        name=lambda org: org.policy.progressive_profile.step,
        is_due=lambda org, tx: lacks_attributes(org, org.user_of(tx)),
        fields=attribute_fields,
        answer=lambda org, tx, body: update_profile(org, org.user_of(tx), body.get("userProfile")),
    ),
    # A step that no client knows. Every answer to it is accepted.
    ExtraStep(
        Step.UNKNOWN,
        "unknown-step",
        name=lambda org: str(org.policy.unknown_step),
        is_due=lambda org, tx: org.policy.unknown_step is not None,
        fields=lambda org: [
            {"name": "acknowledgement", "label": "I have read this", "type": "boolean", "required": False}
        ],
        answer=lambda org, tx, body: None,
    ),
    ExtraStep(
        Step.CONSENT,
        "consent",
        name=lambda org: "consent",
        is_due=lambda org, tx: org.policy.consent,
        fields=_consent_fields,
        answer=_answer_consent,
    ),
    ExtraStep(
        Step.GRANULAR_CONSENT,
        "consent",
        name=lambda org: "granular-consent",
        is_due=lambda org, tx: org.policy.granular_consent,
        fields=_granular_consent_fields,
        answer=_answer_granular_consent,
    ),
    ExtraStep(
        Step.KEEP_SIGNED_IN,
        "keep-me-signed-in",
        name=lambda org: "keep-me-signed-in",
        is_due=lambda org, tx: org.policy.keep_me_signed_in,
        fields=lambda org: [
            {"name": "keepMeSignedIn", "label": "Keep me signed in", "type": "boolean", "required": True}
        ],
        answer=_answer_keep_signed_in,
    ),
)
