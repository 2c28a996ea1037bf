"""Challenging a user with an authenticator: starting it and checking the answer, a table each."""

from collections.abc import Callable
from dataclasses import replace

from okta_devorg.factors import passkeys, questions
from okta_devorg.factors.proof import still_to_prove
from okta_devorg.state.mailbox import FORGOT_PASSWORD_MAIL, SIGN_IN_MAIL, UNLOCK_ACCOUNT_MAIL, Template
from okta_devorg.state.org import Org
from okta_devorg.state.sign_ins import Flow
from okta_devorg.state.transactions import Purpose
from okta_devorg.state.users import Enrollment, User, matches_hash
from okta_devorg.verification.codes import (
    check_sent_code,
    check_totp_code,
    require_few_wrong_codes,
    send_email_code,
    send_phone_code,
)
from okta_devorg.verification.sign_in_password import RECOVERABLE, is_right_password, may_sign_in, sign_in_failed
from okta_devorg.wire.errors import IdxError, bad_request
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.request_values import text_value

MAILS: dict[Purpose, Template] = {"recovery": FORGOT_PASSWORD_MAIL, "unlock": UNLOCK_ACCOUNT_MAIL}
# What somebody reads who has nothing with which to reset the password or unlock the account.
CANNOT_PROVE: dict[Purpose, Json] = {
    "recovery": message(
        "Reset password is not allowed at this time. Please contact support for assistance.",
        "oie.selfservice.reset.password.not.allowed",
    ),
    "unlock": message(
        "We are unable to unlock your account at this time, please contact your administrator",
        "selfservice.unlock_user.failed.message",
    ),
}


def require_something_to_prove(org: Org, user: User, purpose: Purpose) -> None:
    """Refuse a user who has nothing with which to prove that the account is theirs.

    :raises IdxError: if so.
    """
    if still_to_prove(org.policy, user, purpose, ()):
        return
    if purpose in CANNOT_PROVE:
        raise IdxError(400, [CANNOT_PROVE[purpose]])
    raise sign_in_failed(org, user)


def start_challenge(org: Org, flow: Flow, user: User, enrollment: Enrollment) -> None:
    """Send what the challenge needs: a code, or a new value to sign with a passkey. Most need nothing.

    :raises IdxError: if the address or number has been sent too many codes.
    """
    start = STARTS.get(enrollment.key)
    if start:
        start(org, flow, user, enrollment)


def _start_email(org: Org, flow: Flow, user: User, enrollment: Enrollment) -> None:
    send_email_code(org, flow, user, MAILS.get(flow.purpose, SIGN_IN_MAIL))


def _start_phone(org: Org, flow: Flow, user: User, enrollment: Enrollment) -> None:
    send_phone_code(org, flow, user, str(enrollment.phone))


def _start_passkey(org: Org, flow: Flow, user: User, enrollment: Enrollment) -> None:
    flow.passkey_challenge = passkeys.new_challenge()


Start = Callable[[Org, Flow, User, Enrollment], None]
STARTS: dict[str, Start] = {"okta_email": _start_email, "phone_number": _start_phone, "webauthn": _start_passkey}


def require_open_account(org: Org, flow: Flow, user: User) -> None:
    """Refuse a proof for an account that is shut. A locked one can be recovered and unlocked, not signed in to.

    :raises IdxError: 401.
    """
    is_open = may_sign_in(org, user) if flow.purpose == "sign_in" else user.status in RECOVERABLE
    if flow.purpose != "sign_up" and not is_open:
        raise sign_in_failed(org, user)


def check_challenge(org: Org, flow: Flow, user: User, credentials: Json, origins: list[str]) -> None:
    """Check the answer to the challenge of the flow. `origins`: of the pages where a passkey may be used.

    :raises IdxError: if it is wrong.
    """
    require_open_account(org, flow, user)
    CHECKS[str(flow.authenticator)](org, flow, user, credentials, origins)


def _check_password(org: Org, flow: Flow, user: User, credentials: Json, origins: list[str]) -> None:
    password = text_value(credentials, "passcode")
    # The account of a sign-up is not open yet, and its password may be asked for once more.
    is_sign_up = flow.purpose == "sign_up"
    is_right = matches_hash(password, user.password_hash) if is_sign_up else is_right_password(org, user, password)
    if not is_right:
        wrong = message("Password is incorrect", "incorrectPassword")
        raise IdxError(org.policy.statuses.wrong_code, field_messages={"credentials.passcode": [wrong]})


def _check_email(org: Org, flow: Flow, user: User, credentials: Json, origins: list[str]) -> None:
    check_sent_code(org, flow, user, text_value(credentials, "passcode").strip())
    user.email_verified = True


def _check_phone(org: Org, flow: Flow, user: User, credentials: Json, origins: list[str]) -> None:
    check_sent_code(org, flow, user, text_value(credentials, "passcode").strip())


def _check_totp(org: Org, flow: Flow, user: User, credentials: Json, origins: list[str]) -> None:
    secret = str(user.enrollments["google_otp"].totp_secret)
    check_totp_code(org, user, secret, text_value(credentials, "passcode").strip())


def _check_question(org: Org, flow: Flow, user: User, credentials: Json, origins: list[str]) -> None:
    require_few_wrong_codes(org, user)
    enrollment = user.enrollments["security_question"]
    if text_value(credentials, "questionKey") not in ("", questions.question_key(enrollment)):
        raise bad_request()
    if not matches_hash(text_value(credentials, "answer").strip().casefold(), enrollment.answer_hash):
        user.wrong_codes.append(org.clock.now())
        wrong = message(
            "Your answer doesn't match our records. Please try again.",
            "authfactor.challenge.question_factor.answer_invalid",
        )
        raise IdxError(org.policy.statuses.security_answer, field_messages={"credentials.answer": [wrong]})


def _check_passkey(org: Org, flow: Flow, user: User, credentials: Json, origins: list[str]) -> None:
    enrollment, challenge = user.enrollments["webauthn"], flow.passkey_challenge or b""
    if enrollment.passkey is None:
        raise bad_request()
    status = org.policy.statuses.passkey
    passkey = passkeys.verify_passkey_use(enrollment.passkey, credentials, challenge, origins, status)
    user.enrollments["webauthn"] = replace(enrollment, passkey=passkey)


Check = Callable[[Org, Flow, User, Json, list[str]], None]
CHECKS: dict[str, Check] = {
    "okta_password": _check_password,
    "okta_email": _check_email,
    "phone_number": _check_phone,
    "google_otp": _check_totp,
    "security_question": _check_question,
    "webauthn": _check_passkey,
}
