"""The document of a transaction's current step: a table of steps, and the order of the members.

Sections are those of docs/protocol.md.
"""

from collections.abc import Callable

from okta_devorg.idx.documents import device_steps, remediations, sign_in_steps, sign_up_steps
from okta_devorg.idx.documents.frame import frame, user_json
from okta_devorg.idx.steps.extra_steps import (
    EXTRA_STEPS,
    can_skip_extra_step,
    extra_step_members,
    extra_step_remediation,
)
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.wire.errors import IdxError
from okta_devorg.wire.ion import Json, ion_array, message, with_field_messages

# The order of the members after those of `head`.
MEMBERS = (
    "remediation",
    "authenticatorChallenge",
    "messages",
    "currentAuthenticator",
    "authenticators",
    "authenticatorEnrollments",
    "enrollmentAuthenticator",
    "currentAuthenticatorEnrollment",
    "recoveryAuthenticator",
    "user",
    "cancel",
    "app",
    "uiDisplay",
    "captcha",
    "successWithInteractionCode",
)


def step_document(org: Org, tx: Transaction, error: IdxError | None = None) -> Json:
    """Return the document of the current step.

    The messages of an error are on the page and on the fields of the first remediation.
    """
    members = STEPS[tx.step](org, tx)
    if error and error.messages:
        members["messages"] = ion_array(error.messages)
    for path, messages in (error.field_messages if error else {}).items():
        remediation = members["remediation"]["value"][0]
        remediation["value"] = with_field_messages(remediation["value"], path.split("."), messages)
    return {**head(org, tx), **{key: members[key] for key in MEMBERS if key in members}}


def head(org: Org, tx: Transaction) -> Json:
    """Return the members that every document of a transaction begins with (section 3.1)."""
    expires_at = org.clock.iso(tx.expires_at)
    return {"version": "1.0.0", "stateHandle": tx.state_handle, "expiresAt": expires_at, "intent": "LOGIN"}


def messages_only(messages: list[Json]) -> Json:
    """Return a document with messages and nothing to do."""
    return {"version": "1.0.0", "messages": ion_array(messages)}


def _extra_step_document(org: Org, tx: Transaction) -> Json:
    skip = [remediations.skip(org.base, tx)] if can_skip_extra_step(org, tx) else []
    steps = ion_array([extra_step_remediation(org, tx), *skip])
    return {"remediation": steps, **frame(org, tx), **extra_step_members(tx)}


def _terminal_document(org: Org, tx: Transaction) -> Json:
    return {"messages": ion_array([tx.terminal_message] if tx.terminal_message else [])}


def _check_mail_document(org: Org, tx: Transaction) -> Json:
    """Return the terminal page of an account that waits for the link in the activation mail (section 4.10)."""
    text = message("To finish signing in, check your email.", "idx.email.verification.required", kind="INFO")
    return {"messages": ion_array([text]), "user": user_json(org, tx)}


def _success_document(org: Org, tx: Transaction) -> Json:
    endpoint = org.oauth_base(tx.request.issuer) + "/token"
    return {**frame(org, tx), "successWithInteractionCode": remediations.issue(endpoint, tx)}


STEPS: dict[Step, Callable[[Org, Transaction], Json]] = {
    Step.DEVICE_PROBE: device_steps.probe_document,
    Step.IDENTIFY: sign_in_steps.identify_document,
    Step.IDENTIFY_RECOVERY: sign_in_steps.identify_recovery_document,
    Step.SELECT_UNLOCK: sign_in_steps.select_unlock_document,
    Step.SELECT_AUTHENTICATE: sign_in_steps.challenge_document,
    Step.VERIFICATION_DATA: sign_in_steps.challenge_document,
    Step.CHALLENGE: sign_in_steps.challenge_document,
    Step.RESET: sign_in_steps.new_password_document,
    Step.REENROLL: sign_in_steps.new_password_document,
    Step.ENROLL_PROFILE: sign_up_steps.profile_document,
    Step.SELECT_ENROLL: sign_up_steps.select_enroll_document,
    Step.ENROLLMENT_DATA: sign_up_steps.enrollment_data_document,
    Step.ENROLL: sign_up_steps.enroll_document,
    Step.ENROLL_POLL: sign_up_steps.okta_verify_document,
    Step.ENROLLMENT_CHANNEL_DATA: sign_up_steps.okta_verify_document,
    Step.PROMOTION: sign_up_steps.promotion_document,
    Step.IDENTITY_VERIFICATION: device_steps.identity_verification_document,
    Step.REQUEST_ACTIVATION: sign_up_steps.request_activation_document,
    **{extra_step.step: _extra_step_document for extra_step in EXTRA_STEPS},
    Step.CHECK_MAIL: _check_mail_document,
    Step.SUCCESS: _success_document,
    Step.TERMINAL: _terminal_document,
}
