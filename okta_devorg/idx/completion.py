"""What follows an answer, and the end: interaction code, "check your mail", or the app's refusal
(docs/protocol.md, sections 4.10, 6).
"""

from okta_devorg.factors.assurance import still_to_prove
from okta_devorg.factors.enrollment import offer_to
from okta_devorg.idx.prompts import next_prompt
from okta_devorg.state.mailbox import ACTIVATION, VERIFICATION
from okta_devorg.state.org import Org
from okta_devorg.state.transaction import Step, Transaction
from okta_devorg.state.users import Status
from okta_devorg.verification.challenge import password_expired, unlock
from okta_devorg.wire.ion import message
from okta_devorg.wire.refusals import IdxRefusal, access_denied

AMR = {
    "okta_password": "pwd",
    "okta_email": "otp",
    "phone_number": "sms",
    "security_question": "kba",
    "google_otp": "otp",
    "webauthn": "hwk",
    "okta_verify": "swk",
    "duo": "mfa",
    "smart_card_idp": "sc",
}


UNLOCKED = message(
    "You can log in using your existing username and password.",
    "selfservice.unlock_user.success.message",
    kind="INFO",
)


def amr_of(proven: tuple[str, ...]) -> tuple[str, ...]:
    """How somebody signed in, in the words of the token (RFC 8176)."""
    return tuple(dict.fromkeys(AMR[key] for key in proven))


def advance(org: Org, tx: Transaction) -> None:
    """To the next thing to prove, to change or to set up; to the end when nothing is left."""
    user = org.user_of(tx)
    if still_to_prove(org.policy, user, tx.purpose, tx.proven):
        tx.to_step(Step.CHOOSE)
    elif tx.purpose == "unlock":
        unlock(org, user)
        tx.end(UNLOCKED)
    elif tx.purpose == "recovery":
        tx.to_step(Step.RESET, "okta_password")
    elif tx.purpose == "sign_in" and "okta_password" in tx.proven and password_expired(org, user):
        tx.to_step(Step.EXPIRED, "okta_password")
    else:
        set_up(org, tx)


def set_up(org: Org, tx: Transaction) -> None:
    tx.to_step(Step.SELECT)
    if offer_to(org.policy, org.user_of(tx), tx).keys:
        return
    if tx.purpose == "sign_up":
        complete(org, tx)
    else:
        org.record("user.session.start", org.user_of(tx))
        finish(org, tx)


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
        tx.user_id, tx.proven = None, ()
        text = message("User is not assigned to this application.", "idx.error.user.not.assigned.to.app")
        raise IdxRefusal(org.policy.statuses.not_assigned, [text])
    user = org.user_of(tx)
    if org.policy.sign_on == "denied":
        raise access_denied()
    lifetime = org.policy.lifetimes.interaction_code
    tx.interaction_code = org.grants.issue("interaction_code", tx.request, user.id, amr_of(tx.proven), lifetime)
    tx.to_step(Step.SUCCESS)
    org.record("user.authentication.sso", user, debug={"client_id": tx.request.client_id})
