"""What people have enrolled, in the words of the Factors API; of its changes those of the e-mail factor."""

from typing import Any

from flask import Request, Response

from okta_devorg.management.access import Json, body_of, invalid, listing, member, not_found
from okta_devorg.management.users import find
from okta_devorg.policy.settings import App
from okta_devorg.state.mailbox import FACTOR
from okta_devorg.state.org import EmailFactor, Org
from okta_devorg.state.users import ENROLLMENT_PREFIX, Enrollment, Status, User
from okta_devorg.verification.codes import check_code, issue_code, refuse_early_resend
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.refusals import ApiError, IdxRefusal
from okta_devorg.wire.replies import json_reply

FACTORS: dict[str, dict[str, str]] = {
    "okta_email": {"factorType": "email", "provider": "OKTA"},
    "phone_number": {"factorType": "sms", "provider": "OKTA"},
    "security_question": {"factorType": "question", "provider": "OKTA"},
    "google_otp": {"factorType": "token:software:totp", "provider": "GOOGLE"},
    "webauthn": {"factorType": "webauthn", "provider": "FIDO"},
    "okta_verify": {"factorType": "push", "provider": "OKTA"},
}
WRONG = ("E0000068", "Invalid Passcode/Answer", ("Your passcode doesn't match our records. Please try again.",))


def list_factors(org: Org, request: Request, user_id: str) -> Response:
    user = find(org, user_id)
    found = [factor_json(user, key, item.id, "ACTIVE") for key, item in user.enrollments.items() if key in FACTORS]
    pending = org.email_factors.get(user.id)
    if pending and "okta_email" not in user.enrollments:
        found.append(factor_json(user, "okta_email", pending.id, "PENDING_ACTIVATION"))
    return listing(org, request, found)


def factor_json(user: User, key: str, factor_id: str, status: str) -> Json:
    about: Json = {"id": factor_id, **FACTORS[key], "status": status, "vendorName": FACTORS[key]["provider"]}
    return {**about, "profile": {"email": user.email}} if key == "okta_email" else about


def enroll(org: Org, request: Request, user_id: str) -> Response:
    """Mails the code that will activate the factor. With one enrolled already, or another address, nothing is sent."""
    user, body = find(org, user_id), body_of(request)
    if body.get("factorType") != "email" or body.get("provider") != "OKTA":
        raise invalid("factorType: this org makes e-mail factors only")
    if org.policy.authenticators.okta_email == "disabled" or user.status is not Status.ACTIVE:
        raise ApiError(403, "E0000015", "You do not have permission to access the feature you are requesting")
    if "okta_email" in user.enrollments:
        raise invalid("factorEnrollRequest: A factor of this type is already set up.")
    if str(member(body, "profile", "email")).casefold() != user.email.casefold():
        raise invalid("email: The address is none of the user's own")
    factor = org.email_factors.setdefault(user.id, EmailFactor(new_id(ENROLLMENT_PREFIX["okta_email"])))
    mail(org, user, factor)
    return json_reply(factor_json(user, "okta_email", factor.id, "PENDING_ACTIVATION"))


def resend(org: Org, request: Request, user_id: str, factor_id: str) -> Response:
    user = find(org, user_id)
    factor = pending(org, user, factor_id)
    mail(org, user, factor)
    return json_reply(factor_json(user, "okta_email", factor.id, "PENDING_ACTIVATION"))


def activate(org: Org, request: Request, user_id: str, factor_id: str) -> Response:
    user = find(org, user_id)
    factor = pending(org, user, factor_id)
    take(org, user, factor, body_of(request).get("passCode"))
    user.enroll(Enrollment("okta_email", factor.id, ("email",)))
    org.record("user.mfa.factor.activate", user, debug={"factor": "EMAIL_FACTOR"})
    return json_reply(factor_json(user, "okta_email", factor.id, "ACTIVE"))


def verify(org: Org, request: Request, user_id: str, factor_id: str) -> Response:
    """Without a code mails one, with a code takes it."""
    user = find(org, user_id)
    enrolled = user.enrollments.get("okta_email")
    if enrolled is None or enrolled.id != factor_id:
        raise not_found(factor_id, "UserFactor")
    factor, code = org.email_factors.setdefault(user.id, EmailFactor(factor_id)), body_of(request).get("passCode")
    if code is None:
        mail(org, user, factor)
        return json_reply({"factorResult": "CHALLENGE"})
    take(org, user, factor, code)
    return json_reply({"factorResult": "SUCCESS"})


def pending(org: Org, user: User, factor_id: str) -> EmailFactor:
    found = org.email_factors.get(user.id)
    if found is None or found.id != factor_id or "okta_email" in user.enrollments:
        raise not_found(factor_id, "UserFactor")
    return found


def mail(org: Org, user: User, factor: EmailFactor) -> None:
    refuse_early_resend(org, factor)
    lifetime = org.policy.lifetimes.email_code
    try:
        code = issue_code(org, factor, user.email, lifetime)
    except IdxRefusal as refusal:
        raise ApiError(429, "E0000047", "API call exceeded rate limit due to too many requests.") from refusal
    app = next(iter(org.policy.apps), App(""))
    org.send("email", user, FACTOR, app, code=code, minutes=str(lifetime // 60))


def take(org: Org, user: User, factor: EmailFactor, code: Any) -> None:
    """A right code works once, and proves the address."""
    try:
        check_code(org, factor, user, str(code))
    except IdxRefusal as refusal:
        raise ApiError(429 if refusal.status == 429 else 403, *WRONG) from refusal
    factor.codes = []
    user.email_verified = True
    user.updated = org.clock.now()
