"""Answering and resending what the current authenticator asks for, be it set up, proven or replaced."""

from collections.abc import Callable

from okta_devorg.factors import passkeys
from okta_devorg.factors.proof import challenged_enrollment
from okta_devorg.idx.steps.enrollment import check_enrollment, resume_enrollment
from okta_devorg.idx.steps.next_step import advance, finish, require_step
from okta_devorg.state.mailbox import FACTOR_VERIFICATION_MAIL
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.verification.challenge import check_challenge, start_challenge
from okta_devorg.verification.codes import require_resend_pause, send_email_code, send_phone_code
from okta_devorg.verification.new_credentials import replace_password
from okta_devorg.wire.errors import access_denied
from okta_devorg.wire.ion import Json
from okta_devorg.wire.request_values import object_value, text_value


def challenge_answer(org: Org, tx: Transaction, body: Json) -> None:
    """POST /idp/idx/challenge/answer: check the answer and move on.

    :raises IdxError: if it is wrong, or the step asks for none.
    """
    require_step(org, tx, tuple(CHECKS))
    step = tx.step
    CHECKS[step](org, tx, object_value(body, "credentials"))
    tx.add_proven(str(tx.authenticator))
    if tx.wanted is not None:
        resume_enrollment(org, tx, tx.wanted)
        return
    (finish if step is Step.PROMOTION else advance)(org, tx)


def challenge_resend(org: Org, tx: Transaction, body: Json) -> None:
    """POST /idp/idx/challenge/resend: send another code (docs/protocol.md, section 4.7).

    :raises IdxError: if the authenticator has no codes, or the address or number has been sent too many.
    :raises ApiError: if the last code was sent too recently.
    """
    require_step(org, tx, (Step.ENROLL, Step.CHALLENGE))
    require_resend_pause(org, tx)
    user = org.user_of(tx)
    if tx.authenticator not in ("okta_email", "phone_number"):
        raise access_denied(org.policy.statuses.step_not_open)
    if tx.step is Step.CHALLENGE:
        start_challenge(org, tx, user, challenged_enrollment(org.policy, user, tx.authenticator))
    elif tx.authenticator == "okta_email":
        send_email_code(org, tx, user, FACTOR_VERIFICATION_MAIL)
    else:
        send_phone_code(org, tx, user, str(tx.phone))


def _check_challenge(org: Org, tx: Transaction, credentials: Json) -> None:
    check_challenge(org, tx, org.user_of(tx), credentials, passkeys.origins_of(org.app_of(tx)))


def _check_new_password(org: Org, tx: Transaction, credentials: Json) -> None:
    """Replace a forgotten or expired password. What was proven for it counts for the sign-in that follows."""
    user = org.user_of(tx)
    replace_password(org, user, text_value(credentials, "passcode"), is_reset=tx.step is Step.RESET)
    if credentials.get("revokeSessions") in (True, "true"):
        org.sign_ins.end_sessions_of(user.id)
    tx.purpose = "sign_in"


CHECKS: dict[Step, Callable[[Org, Transaction, Json], None]] = {
    Step.ENROLL: check_enrollment,
    Step.PROMOTION: check_enrollment,
    Step.CHALLENGE: _check_challenge,
    Step.RESET: _check_new_password,
    Step.REENROLL: _check_new_password,
}
