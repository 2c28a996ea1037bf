"""Proving what one has: starting it and checking the answer, a table each. IDX and the org's own page share it."""

from collections.abc import Callable
from dataclasses import replace

from okta_devorg.factors import passkeys, questions, totp
from okta_devorg.state.mailbox import CHALLENGE, FORGOTTEN, LOCKED, Template
from okta_devorg.state.org import Org
from okta_devorg.state.transaction import Transaction
from okta_devorg.state.users import Enrollment, Status, User, is_secret
from okta_devorg.verification.codes import (
    Holder,
    check_code,
    refuse_after_too_many,
    refuse_wrong_code,
    send_email_code,
    send_phone_code,
)
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.refusals import IdxRefusal, bad_request

CAN_SIGN_IN = (Status.ACTIVE, Status.PASSWORD_EXPIRED)
MAILS: dict[str, Template] = {"recovery": FORGOTTEN, "unlock": LOCKED}


def start(org: Org, holder: Holder, user: User, enrollment: Enrollment) -> None:
    """Sends what is to be sent. The holder's `method` says whether a phone is texted or called."""
    STARTS.get(enrollment.key, nothing)(org, holder, user, enrollment)


def nothing(org: Org, holder: Holder, user: User, enrollment: Enrollment) -> None:
    """The person has what it takes."""


def start_email(org: Org, holder: Holder, user: User, enrollment: Enrollment) -> None:
    purpose = holder.purpose if isinstance(holder, Transaction) else "sign_in"
    send_email_code(org, holder, user, MAILS.get(purpose, CHALLENGE))


def start_phone(org: Org, holder: Holder, user: User, enrollment: Enrollment) -> None:
    send_phone_code(org, holder, user, str(enrollment.phone))


def start_passkey(org: Org, holder: Holder, user: User, enrollment: Enrollment) -> None:
    holder.passkey_challenge = passkeys.new_challenge()


Start = Callable[[Org, Holder, User, Enrollment], None]
STARTS: dict[str, Start] = {"okta_email": start_email, "phone_number": start_phone, "webauthn": start_passkey}


def check(org: Org, holder: Holder, user: User, credentials: Json, origins: list[str]) -> None:
    """Raises IdxRefusal. `origins`: where a passkey may have been used."""
    if user.status not in (*CAN_SIGN_IN, Status.LOCKED_OUT, Status.RECOVERY):
        raise IdxRefusal(401, sign_in_failed(org, user))
    CHECKS[str(holder.authenticator)](org, holder, user, credentials, origins)


def check_password(org: Org, holder: Holder, user: User, credentials: Json, origins: list[str]) -> None:
    if not is_password(org, user, text(credentials, "passcode")):
        wrong = message("Password is incorrect", "incorrectPassword")
        raise IdxRefusal(org.policy.statuses.wrong_code, fields={"credentials.passcode": [wrong]})


def check_email(org: Org, holder: Holder, user: User, credentials: Json, origins: list[str]) -> None:
    check_code(org, holder, user, text(credentials, "passcode").strip())
    user.email_verified = True


def check_phone(org: Org, holder: Holder, user: User, credentials: Json, origins: list[str]) -> None:
    check_code(org, holder, user, text(credentials, "passcode").strip())


def check_totp(org: Org, holder: Holder, user: User, credentials: Json, origins: list[str]) -> None:
    refuse_after_too_many(org, user)
    secret, now = str(user.enrollments["google_otp"].totp_secret), org.clock.wire(org.clock.now())
    if not totp.is_code(secret, text(credentials, "passcode").strip(), now):
        refuse_wrong_code(org, user)


def check_question(org: Org, holder: Holder, user: User, credentials: Json, origins: list[str]) -> None:
    refuse_after_too_many(org, user)
    known = user.enrollments["security_question"]
    if text(credentials, "questionKey") not in ("", questions.key_of(known)):
        raise bad_request()
    if not is_secret(text(credentials, "answer").strip().casefold(), known.answer_hash):
        user.wrong_codes.append(org.clock.now())
        wrong = message(
            "Your answer doesn't match our records. Please try again.",
            "authfactor.challenge.question_factor.answer_invalid",
        )
        raise IdxRefusal(org.policy.statuses.security_answer, fields={"credentials.answer": [wrong]})


def check_passkey(org: Org, holder: Holder, user: User, credentials: Json, origins: list[str]) -> None:
    known, challenge = user.enrollments["webauthn"], holder.passkey_challenge
    if known.passkey is None:
        raise bad_request()
    used = passkeys.asserted(known.passkey, credentials, challenge or b"", origins, org.policy.statuses.passkey)
    user.enrollments["webauthn"] = replace(known, passkey=used)


Check = Callable[[Org, Holder, User, Json, list[str]], None]
CHECKS: dict[str, Check] = {
    "okta_password": check_password,
    "okta_email": check_email,
    "phone_number": check_phone,
    "google_otp": check_totp,
    "security_question": check_question,
    "webauthn": check_passkey,
}


def is_password(org: Org, user: User | None, typed: str) -> bool:
    """Whether this person gets past the password; counts wrong ones and locks the account after too many."""
    right = is_secret(typed, user.password_hash if user else None)
    if user is None:
        return False
    unlock_when_due(org, user)
    if right and user.status in CAN_SIGN_IN:
        user.wrong_passwords = 0
        return True
    if not right and user.status in CAN_SIGN_IN:
        count_wrong_password(org, user)
    return False


def count_wrong_password(org: Org, user: User) -> None:
    most = org.policy.password.lockout.max_attempts
    user.wrong_passwords += 1
    org.record("user.session.start", user, outcome="FAILURE", reason="INVALID_CREDENTIALS")
    if most and user.wrong_passwords >= most:
        user.status, user.locked_at = Status.LOCKED_OUT, org.clock.now()
        org.record("user.account.lock", user)


def unlock_when_due(org: Org, user: User) -> None:
    minutes = org.policy.password.lockout.auto_unlock_minutes
    if user.status is Status.LOCKED_OUT and minutes and org.clock.now() >= user.locked_at + 60 * minutes:
        unlock(org, user)


def unlock(org: Org, user: User) -> None:
    user.wrong_passwords, user.wrong_codes = 0, []
    if user.status is Status.LOCKED_OUT:
        user.status, user.updated = Status.ACTIVE, org.clock.now()
        org.record("user.account.unlock", user)


def sign_in_failed(org: Org, user: User | None) -> list[Json]:
    """The same for unknown accounts and wrong passwords, and for locked accounts unless the policy tells of them."""
    if user and user.status is Status.LOCKED_OUT and org.policy.password.lockout.show_lockout_failures:
        return [message("Your account is locked. Please contact your administrator.", "errors.E0000119")]
    return [message("Authentication failed", "errors.E0000004")]


def password_expired(org: Org, user: User) -> bool:
    days = org.policy.password.age.max_age_days
    too_old = bool(days) and org.clock.now() >= user.password_changed + 86400 * days
    return user.status is Status.PASSWORD_EXPIRED or too_old


def text(values: Json, name: str) -> str:
    """The value typed, empty when left out. Raises IdxRefusal when it is not text."""
    value = values.get(name, "")
    if not isinstance(value, str):
        raise bad_request()
    return value
