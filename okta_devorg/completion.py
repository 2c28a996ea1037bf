"""The end of a sign-up: interaction code, or "check your mail", or the app's refusal (protocol 4.10, 6, 7)."""

from .enrollment import next_offer
from .ion import message
from .messages import ACTIVATION, VERIFICATION
from .org import Org
from .prompts import next_prompt
from .refusals import IdxRefusal
from .transaction import Step, Transaction
from .users import Status

AMR = {
    "okta_password": "pwd",
    "okta_email": "otp",
    "phone_number": "sms",
    "security_question": "kba",
    "google_otp": "otp",
    "webauthn": "hwk",
    "okta_verify": "swk",
    "duo": "mfa",
}


def advance(org: Org, tx: Transaction) -> None:
    """To the next choice, or to the end when nothing is left to enroll."""
    tx.to_step(Step.SELECT)
    if not next_offer(org.policy, org.user_of(tx).enrollments, tx.skipped).keys:
        complete(org, tx)


def complete(org: Org, tx: Transaction) -> None:
    user, verified = org.user_of(tx), org.user_of(tx).email_verified
    if org.policy.email_verification and not verified:
        send_registration_link(org, tx, "activation")
        tx.to_step(Step.CHECK_MAIL)
        return
    if not verified:
        send_registration_link(org, tx, "verification")
    if user.status is not Status.ACTIVE:
        user.status = Status.ACTIVE
        org.record("user.lifecycle.activate", user)
    user.updated = org.clock.now()
    finish(org, tx)


def finish(org: Org, tx: Transaction) -> None:
    """The person is known and complete: to the next prompt, or to the interaction code."""
    prompt = next_prompt(org, tx)
    if prompt:
        tx.to_step(prompt.step)
    else:
        succeed(org, tx)


def send_registration_link(org: Org, tx: Transaction, purpose: str) -> None:
    template = ACTIVATION if purpose == "activation" else VERIFICATION
    user = org.user_of(tx)
    token = org.new_link(purpose, user, tx.request, org.policy.lifetimes.activation_link)
    org.send("email", user, template, org.app_of(tx), link=f"{org.base}/tokens/{token}/verify")


def succeed(org: Org, tx: Transaction) -> None:
    """Issues the interaction code. Raises IdxRefusal, back at the first page, when the app is not for this person."""
    if (
        not org.is_assigned(org.app_of(tx), org.user_of(tx))
        and org.policy.unknowns.unassigned_refused_at == "enrollment"
    ):
        tx.to_step(Step.IDENTIFY)
        tx.user_id = None
        text = message("User is not assigned to this application.", "idx.error.user.not.assigned.to.app")
        raise IdxRefusal(org.policy.statuses.not_assigned, [text])
    user = org.user_of(tx)
    amr = tuple(dict.fromkeys(AMR[key] for key in reversed(user.enrollments)))
    tx.interaction_code = org.grants.issue(
        "interaction_code", tx.request, user.id, amr, org.policy.lifetimes.interaction_code
    )
    tx.to_step(Step.SUCCESS)
    org.record("user.authentication.sso", user, debug={"client_id": tx.request.client_id})
