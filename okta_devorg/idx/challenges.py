"""Enrolling one authenticator: starting it (`credential/enroll`) and proving it (`challenge/answer`), a table each."""

from collections.abc import Callable
from typing import NoReturn

from okta_devorg.factors import passkeys, passwords, phones, questions, totp
from okta_devorg.factors.catalogue import AUTHENTICATORS
from okta_devorg.state.mailbox import FACTOR
from okta_devorg.state.org import Org
from okta_devorg.state.transaction import Step, Transaction
from okta_devorg.state.users import User, hash_secret, new_enrollment
from okta_devorg.verification import okta_verify
from okta_devorg.verification.challenge import text
from okta_devorg.verification.codes import (
    check_code,
    refuse_after_too_many,
    refuse_wrong_code,
    send_email_code,
    send_phone_code,
)
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.refusals import IdxRefusal, bad_request

Enroll = Callable[[Org, Transaction, Json], None]


def start_plain(org: Org, tx: Transaction, chosen: Json) -> None:
    """Nothing happens before the answer."""


def start_email(org: Org, tx: Transaction, chosen: Json) -> None:
    send_email_code(org, tx, org.user_of(tx), FACTOR)


def start_totp(org: Org, tx: Transaction, chosen: Json) -> None:
    tx.totp_secret = totp.new_secret()


def start_passkey(org: Org, tx: Transaction, chosen: Json) -> None:
    tx.passkey_challenge = passkeys.new_challenge()


def start_phone(org: Org, tx: Transaction, chosen: Json) -> None:
    """Asks for what is missing of method and number; with both, texts or calls."""
    method, number = text_or_none(chosen, "methodType"), text_or_none(chosen, "phoneNumber")
    if method not in (None, *AUTHENTICATORS["phone_number"].methods):
        raise bad_request()
    tx.method = method
    if method is None or not number:
        tx.step = Step.DATA
        return
    accepted = phones.acceptable(number, method)
    if accepted is None:
        refuse_phone(org, tx)
    tx.phone = accepted
    send_phone_code(org, tx, org.user_of(tx), accepted)


def refuse_phone(org: Org, tx: Transaction) -> NoReturn:
    """Two behaviours are recorded: thrown back to the choice, or staying on the number."""
    status = org.policy.statuses.bad_phone
    if org.policy.unknowns.phone_refusal == "fall_back":
        tx.to_step(Step.SELECT)
        raise IdxRefusal(status, [message("Unable to initiate factor enrollment: Invalid Phone Number.")])
    tx.step = Step.DATA
    raise IdxRefusal(status, [message("Invalid Phone Number.", "api.factors.error.sms.invalid_phone")])


START: dict[str, Enroll] = {
    "okta_email": start_email,
    "okta_password": start_plain,
    "phone_number": start_phone,
    "security_question": start_plain,
    "google_otp": start_totp,
    "webauthn": start_passkey,
    "okta_verify": okta_verify.start,
    "duo": start_plain,
    "smart_card_idp": start_plain,
}


def start(org: Org, tx: Transaction, key: str, chosen: Json) -> None:
    tx.to_step(Step.ENROLL, key)
    START[key](org, tx, chosen)


def answer_email(org: Org, tx: Transaction, credentials: Json) -> None:
    check_code(org, tx, org.user_of(tx), text(credentials, "passcode"))
    take_email(org, tx)


def take_email(org: Org, tx: Transaction) -> None:
    """The address is the person's: a code was answered, or the mail's link followed."""
    user = org.user_of(tx)
    user.email_verified = True
    if tx.step is Step.ENROLL:
        user.enroll(new_enrollment("okta_email", ("email",)))


def answer_phone(org: Org, tx: Transaction, credentials: Json) -> None:
    user = org.user_of(tx)
    check_code(org, tx, user, text(credentials, "passcode"))
    user.enroll(new_enrollment("phone_number", (str(tx.method),), phone=tx.phone))


def answer_password(org: Org, tx: Transaction, credentials: Json) -> None:
    take_password(org, org.user_of(tx), text(credentials, "passcode"))


def take_password(org: Org, user: User, password: str) -> None:
    """A new password, wherever it is asked for. Raises IdxRefusal when it will not do."""
    found = passwords.problems(org.policy.password, password, user.login, user.profile, user)
    if found:
        raise IdxRefusal(org.policy.statuses.password_rule, fields={"credentials.passcode": found})
    user.set_password(password, org.clock.now())


def answer_totp(org: Org, tx: Transaction, credentials: Json) -> None:
    user = org.user_of(tx)
    refuse_after_too_many(org, user)
    if not totp.is_code(str(tx.totp_secret), text(credentials, "passcode"), org.clock.wire(org.clock.now())):
        refuse_wrong_code(org, user)
    user.enroll(new_enrollment("google_otp", ("otp",), totp_secret=tx.totp_secret))


def answer_passkey(org: Org, tx: Transaction, credentials: Json) -> None:
    """The relying party is the host the app's people come back to; its pages are where the browser made the passkey."""
    passkey = passkeys.attested(
        credentials,
        tx.passkey_challenge or b"",
        passkeys.rp_id_of(tx.request.redirect_uri),
        passkeys.origins_of(org.app_of(tx)),
        org.policy.statuses.passkey,
    )
    org.user_of(tx).enroll(new_enrollment("webauthn", ("webauthn",), passkey=passkey))


def answer_question(org: Org, tx: Transaction, credentials: Json) -> None:
    enroll_question(org, org.user_of(tx), credentials)


def enroll_question(org: Org, user: User, credentials: Json) -> None:
    """Raises IdxRefusal when question or answer will not do."""
    key, answer = text(credentials, "questionKey"), text(credentials, "answer").strip()
    custom = key == "custom"
    if not custom and key not in questions.PREDEFINED:
        raise bad_request()
    question = text(credentials, "question").strip() if custom else questions.PREDEFINED[key]
    errors = question_problems(question, answer)
    if errors:
        raise IdxRefusal(org.policy.statuses.security_answer, fields=errors)
    more = {"question": question, "answer_hash": hash_secret(answer.casefold())}
    user.enroll(new_enrollment("security_question", ("security_question",), **more))


def question_problems(question: str, answer: str) -> dict[str, list[Json]]:
    errors: dict[str, list[Json]] = {}
    if not question:
        errors["credentials.question"] = [message("This field is required", "api.error.field_required")]
    if len(answer) < 4:
        too_short = "The security question answer must be at least 4 characters in length"
        errors["credentials.answer"] = [message(too_short, "securityQuestion.answer.tooShort.arg", [4])]
    elif answer.casefold() in question.casefold():
        part = "The security question answer must not be part of the question"
        errors["credentials.answer"] = [message(part, "securityQuestion.answer.partOfQuestion")]
    elif "<" in answer or ">" in answer:
        errors["credentials.answer"] = [message("Tags are not allowed", "tagsNotAllowed")]
    return errors


def refuse_smart_card(org: Org, tx: Transaction, credentials: Json) -> None:
    """No card reader here. Shape and words are made up: no recording shows them."""
    raise IdxRefusal(400, [message("We were unable to read the smart card.")])


ANSWER: dict[str, Enroll] = {
    "okta_email": answer_email,
    "okta_password": answer_password,
    "phone_number": answer_phone,
    "security_question": answer_question,
    "google_otp": answer_totp,
    "webauthn": answer_passkey,
    "duo": okta_verify.refuse_duo,
    "smart_card_idp": refuse_smart_card,
}


def text_or_none(values: Json, name: str) -> str | None:
    return text(values, name) or None
