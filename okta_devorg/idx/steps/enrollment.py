"""Setting up one authenticator: starting it and checking the answer, a table each (docs/protocol.md, section 4.6)."""

from collections.abc import Callable

from okta_devorg.factors import passkeys, phones, totp
from okta_devorg.factors.catalogue import AUTHENTICATORS, authenticator_by_id
from okta_devorg.factors.enrollment_offer import enrollment_offer
from okta_devorg.idx.steps import okta_verify
from okta_devorg.idx.steps.next_step import require_step
from okta_devorg.state.mailbox import FACTOR_VERIFICATION_MAIL
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.state.users import new_enrollment
from okta_devorg.verification.codes import check_sent_code, check_totp_code, send_email_code, send_phone_code
from okta_devorg.verification.new_credentials import set_new_password, set_security_question
from okta_devorg.wire.errors import IdxError, access_denied, bad_request
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.request_values import object_value, text_value

ENROLLMENT_STEPS = (
    Step.SELECT_ENROLL,
    Step.ENROLLMENT_DATA,
    Step.ENROLL,
    Step.ENROLL_POLL,
    Step.ENROLLMENT_CHANNEL_DATA,
)


def credential_enroll(org: Org, tx: Transaction, body: Json) -> None:
    """POST /idp/idx/credential/enroll: the authenticator to set up, with what is needed to start.

    :raises IdxError: if it is not offered, or what was sent with it is wrong.
    """
    require_step(org, tx, ENROLLMENT_STEPS)
    if org.policy.safe_mode:
        tx.move_to(Step.SELECT_ENROLL)
        raise access_denied(org.policy.statuses.step_not_open)
    choice = object_value(body, "authenticator")
    authenticator = authenticator_by_id(choice.get("id"))
    offer = enrollment_offer(org.policy, org.user_of(tx), tx)
    if authenticator is None or authenticator.key not in offer.keys:
        raise bad_request()
    if _must_prove_again(org, tx, authenticator.key):
        tx.move_to(Step.CHALLENGE, "okta_password")
        tx.wanted = choice
        return
    start_enrollment(org, tx, authenticator.key, choice)


def resume_enrollment(org: Org, tx: Transaction, choice: Json) -> None:
    """Go on with what the user wanted to set up before the password was asked for.

    :raises IdxError: if what was sent about it is wrong.
    """
    tx.wanted, tx.proved_again = None, True
    authenticator = authenticator_by_id(choice.get("id"))
    if authenticator is None:
        raise bad_request()
    start_enrollment(org, tx, authenticator.key, choice)


def _must_prove_again(org: Org, tx: Transaction, key: str) -> bool:
    """Return whether the account management policy asks for the password again first (section 4.13)."""
    has_password = "okta_password" in org.user_of(tx).enrollments and key != "okta_password"
    return org.policy.account_management == "password_first" and has_password and not tx.proved_again


# ---- starting


def start_enrollment(org: Org, tx: Transaction, key: str, choice: Json) -> None:
    """Start setting up the authenticator with this key; `choice` is what the user sent about it.

    :raises IdxError: if that is wrong.
    """
    tx.move_to(Step.ENROLL, key)
    start = STARTS.get(key)
    if start:
        start(org, tx, choice)


def _start_email(org: Org, tx: Transaction, choice: Json) -> None:
    send_email_code(org, tx, org.user_of(tx), FACTOR_VERIFICATION_MAIL)


def _start_phone(org: Org, tx: Transaction, choice: Json) -> None:
    """Send the code if method and number are there, else ask for what is missing (section 4.5)."""
    method, number = text_value(choice, "methodType") or None, text_value(choice, "phoneNumber")
    if method not in (None, *AUTHENTICATORS["phone_number"].methods):
        raise bad_request()
    tx.method = method
    if method is None or not number:
        tx.step = Step.ENROLLMENT_DATA
        return
    tx.phone = phones.accepted_number(number, method)
    if tx.phone is None:
        raise _phone_error(org, tx)
    send_phone_code(org, tx, org.user_of(tx), tx.phone)


def _phone_error(org: Org, tx: Transaction) -> IdxError:
    """Move to the step where a wrong number is refused, and return the error. Recordings show two such steps."""
    status = org.policy.statuses.bad_phone
    if org.policy.unknowns.phone_refusal == "fall_back":
        tx.move_to(Step.SELECT_ENROLL)
        return IdxError(status, [message("Unable to initiate factor enrollment: Invalid Phone Number.")])
    tx.step = Step.ENROLLMENT_DATA
    return IdxError(status, [message("Invalid Phone Number.", "api.factors.error.sms.invalid_phone")])


def _start_totp(org: Org, tx: Transaction, choice: Json) -> None:
    tx.totp_secret = totp.new_secret()


def _start_passkey(org: Org, tx: Transaction, choice: Json) -> None:
    tx.passkey_challenge = passkeys.new_challenge()


# By key. Nothing happens at the start of the others.
STARTS: dict[str, Callable[[Org, Transaction, Json], None]] = {
    "okta_email": _start_email,
    "phone_number": _start_phone,
    "google_otp": _start_totp,
    "webauthn": _start_passkey,
    "okta_verify": okta_verify.start_pairing,
}


# ---- checking the answer


def check_enrollment(org: Org, tx: Transaction, credentials: Json) -> None:
    """Check the answer to the authenticator that is being set up, and enroll it.

    :raises IdxError: if the answer is wrong.
    """
    check = CHECKS.get(str(tx.authenticator))
    if check is None:
        raise access_denied(org.policy.statuses.step_not_open)
    check(org, tx, credentials)
    org.record("user.mfa.factor.activate", org.user_of(tx), debug={"factor": tx.authenticator})


def confirm_email(org: Org, tx: Transaction) -> None:
    """Mark the address as verified, after the code or the link of a mail; enroll it if it is being set up."""
    user = org.user_of(tx)
    user.email_verified = True
    if tx.step is Step.ENROLL:
        user.enroll(new_enrollment("okta_email", ("email",)))


def _check_email(org: Org, tx: Transaction, credentials: Json) -> None:
    check_sent_code(org, tx, org.user_of(tx), text_value(credentials, "passcode"))
    confirm_email(org, tx)


def _check_phone(org: Org, tx: Transaction, credentials: Json) -> None:
    user = org.user_of(tx)
    check_sent_code(org, tx, user, text_value(credentials, "passcode"))
    user.enroll(new_enrollment("phone_number", (str(tx.method),), phone=tx.phone))


def _check_password(org: Org, tx: Transaction, credentials: Json) -> None:
    set_new_password(org, org.user_of(tx), text_value(credentials, "passcode"))


def _check_question(org: Org, tx: Transaction, credentials: Json) -> None:
    set_security_question(org, org.user_of(tx), credentials)


def _check_totp(org: Org, tx: Transaction, credentials: Json) -> None:
    user = org.user_of(tx)
    check_totp_code(org, user, str(tx.totp_secret), text_value(credentials, "passcode"))
    user.enroll(new_enrollment("google_otp", ("otp",), totp_secret=tx.totp_secret))


def _check_passkey(org: Org, tx: Transaction, credentials: Json) -> None:
    """Check a new passkey. It is made on the app's pages, so the relying party is the host of the redirect URI."""
    passkey = passkeys.verify_new_passkey(
        credentials,
        tx.passkey_challenge or b"",
        passkeys.rp_id_of(tx.request.redirect_uri),
        passkeys.origins_of(org.app_of(tx)),
        org.policy.statuses.passkey,
    )
    org.user_of(tx).enroll(new_enrollment("webauthn", ("webauthn",), passkey=passkey))


def _refuse_duo(org: Org, tx: Transaction, credentials: Json) -> None:
    """Duo cannot be set up here: its script belongs to another company."""
    raise IdxError(400, [message("We were unable to verify with Duo. Try again.", "oie.duo.verify.error")])


# By key. Okta Verify is not here, because the phone answers for it, nor is what is set up behind a link.
CHECKS: dict[str, Callable[[Org, Transaction, Json], None]] = {
    "okta_email": _check_email,
    "okta_password": _check_password,
    "phone_number": _check_phone,
    "security_question": _check_question,
    "google_otp": _check_totp,
    "webauthn": _check_passkey,
    "duo": _refuse_duo,
}
