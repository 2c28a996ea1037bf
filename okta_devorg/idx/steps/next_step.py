"""Which step comes next in a transaction, and at the end the interaction code (docs/protocol.md, section 6)."""

from okta_devorg.factors import passkeys
from okta_devorg.factors.catalogue import amr_of
from okta_devorg.factors.enrollment_offer import enrollment_offer
from okta_devorg.factors.proof import still_to_prove
from okta_devorg.idx.steps.activation import activate
from okta_devorg.idx.steps.extra_steps import next_extra_step
from okta_devorg.state.links import LinkPurpose
from okta_devorg.state.mailbox import ACTIVATION_MAIL, VERIFICATION_MAIL, Template
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.verification.sign_in_password import is_password_expired, may_sign_in, sign_in_failed, unlock
from okta_devorg.wire.errors import IdxError, access_denied
from okta_devorg.wire.ion import message

UNLOCKED = message(
    "You can log in using your existing username and password.",
    "selfservice.unlock_user.success.message",
    kind="INFO",
)


def require_step(org: Org, tx: Transaction, steps: tuple[Step, ...]) -> None:
    """Refuse a request that does not belong to the current step.

    :raises IdxError: if the transaction is in none of these steps.
    """
    if tx.step not in steps:
        raise access_denied(org.policy.statuses.step_not_open)


def advance(org: Org, tx: Transaction) -> None:
    """Move to the next thing that the user has to prove, change or set up, and to the end if there is none.

    :raises IdxError: if the user may not use the app.
    """
    user = org.user_of(tx)
    if still_to_prove(org.policy, user, tx.purpose, tx.proven):
        tx.move_to(Step.SELECT_AUTHENTICATE)
    elif tx.purpose == "unlock":
        unlock(org, user)
        tx.end_with(UNLOCKED)
    elif tx.purpose == "recovery":
        tx.move_to(Step.RESET, "okta_password")
    elif tx.purpose == "sign_in" and "okta_password" in tx.proven and is_password_expired(org, user):
        tx.move_to(Step.REENROLL, "okta_password")
    else:
        _advance_enrollment(org, tx)


def finish(org: Org, tx: Transaction) -> None:
    """Move to the next extra step, and to success if there is none. The user has proven and set up everything.

    :raises IdxError: if the user may not use the app.
    """
    extra_step = next_extra_step(org, tx)
    if _is_passkey_promoted(org, tx):
        tx.answered_extra_steps.add(Step.PROMOTION)
        tx.move_to(Step.PROMOTION, "webauthn")
        tx.passkey_challenge = passkeys.new_challenge()
    elif org.policy.identity_verification and Step.IDENTITY_VERIFICATION not in tx.answered_extra_steps:
        tx.move_to(Step.IDENTITY_VERIFICATION)
    elif extra_step:
        tx.move_to(extra_step.step)
    else:
        _succeed(org, tx)


def _is_passkey_promoted(org: Org, tx: Transaction) -> bool:
    """Once for a transaction, to users who may have a passkey and have none."""
    may_have_one = org.policy.authenticators.webauthn == "optional" and "webauthn" not in org.user_of(tx).enrollments
    return org.policy.passkey_promotion and may_have_one and Step.PROMOTION not in tx.answered_extra_steps


def _advance_enrollment(org: Org, tx: Transaction) -> None:
    tx.move_to(Step.SELECT_ENROLL)
    if enrollment_offer(org.policy, org.user_of(tx), tx).keys:
        return
    if tx.purpose == "sign_up":
        _complete_sign_up(org, tx)
    else:
        org.record("user.session.start", org.user_of(tx))
        finish(org, tx)


def _complete_sign_up(org: Org, tx: Transaction) -> None:
    """Activate the user. If the address must be verified first, mail the link that does both (section 4.10)."""
    user = org.user_of(tx)
    must_verify = bool(user.email) and not user.email_verified
    if org.policy.email_verification and must_verify:
        _mail_link(org, tx, "activation", ACTIVATION_MAIL)
        tx.move_to(Step.CHECK_MAIL)
        return
    activate(org, user)
    if must_verify:
        _mail_link(org, tx, "verification", VERIFICATION_MAIL)
    user.updated = org.clock.now()
    finish(org, tx)


def _mail_link(org: Org, tx: Transaction, purpose: LinkPurpose, template: Template) -> None:
    user = org.user_of(tx)
    token = org.links.issue(purpose, user, org.policy.lifetimes.activation_link, tx.request)
    org.send("email", user, template, org.app_of(tx), link=f"{org.base}/tokens/{token}/verify")


def _succeed(org: Org, tx: Transaction) -> None:
    """Issue the interaction code. If the app is not assigned to the user, go back to the first page with an error."""
    user, app = org.user_of(tx), org.app_of(tx)
    if not org.is_assigned(app, user) and org.policy.unknowns.unassigned_refused_at == "enrollment":
        tx.move_to(Step.IDENTIFY)
        tx.user_id, tx.proven = None, ()
        text = message("User is not assigned to this application.", "idx.error.user.not.assigned.to.app")
        raise IdxError(org.policy.statuses.not_assigned, [text])
    if not may_sign_in(org, user):
        raise sign_in_failed(org, user)
    if org.policy.sign_on == "denied":
        raise access_denied()
    lifetime = org.policy.lifetimes.interaction_code
    tx.interaction_code = org.grants.issue("interaction_code", tx.request, user.id, amr_of(tx.proven), lifetime)
    tx.move_to(Step.SUCCESS)
    user.last_login = org.clock.now()
    org.record("user.authentication.sso", user, debug={"client_id": tx.request.client_id})
