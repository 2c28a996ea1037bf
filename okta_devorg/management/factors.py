"""What users have set up, as the Factors API shows it. Of the factors, only email can be changed here."""

from collections.abc import Callable

from flask import Request, Response

from okta_devorg.factors.questions import PREDEFINED, question_key
from okta_devorg.management.json_api import api_body, list_reply, not_found, validation_error, value_at
from okta_devorg.management.links import link
from okta_devorg.management.users import find_user
from okta_devorg.state.mailbox import FACTOR_VERIFICATION_MAIL
from okta_devorg.state.org import EmailFactor, Org
from okta_devorg.state.users import ENROLLMENT_ID_PREFIXES, Enrollment, Status, User
from okta_devorg.verification.codes import check_sent_code, issue_code, require_resend_pause
from okta_devorg.wire.errors import ApiError, IdxError, rate_limited
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

# By key of the authenticator.
FACTORS: dict[str, dict[str, str]] = {
    "okta_email": {"factorType": "email", "provider": "OKTA"},
    "phone_number": {"factorType": "sms", "provider": "OKTA"},
    "security_question": {"factorType": "question", "provider": "OKTA"},
    "google_otp": {"factorType": "token:software:totp", "provider": "GOOGLE"},
    "webauthn": {"factorType": "webauthn", "provider": "FIDO"},
    "okta_verify": {"factorType": "push", "provider": "OKTA"},
}


def list_factors(org: Org, request: Request, user_id: str) -> Response:
    """GET users/{id}/factors.

    :raises ApiError: 404, if there is no such user.
    """
    user = find_user(org, user_id)
    factors = [
        _factor_json(org, user, key, item.id, "ACTIVE") for key, item in user.enrollments.items() if key in FACTORS
    ]
    pending = org.email_factors.get(user.id)
    if pending and "okta_email" not in user.enrollments:
        factors.append(_email_factor_json(org, user, pending, "PENDING_ACTIVATION"))
    return list_reply(org, request, factors)


def get_factor(org: Org, request: Request, user_id: str, factor_id: str) -> Response:
    """GET users/{id}/factors/{factor}.

    :raises ApiError: 404, if there is no such user or factor.
    """
    user = find_user(org, user_id)
    for key, enrollment in user.enrollments.items():
        if key in FACTORS and enrollment.id == factor_id:
            return json_reply(_factor_json(org, user, key, factor_id, "ACTIVE"))
    factor = _find_pending(org, user, factor_id)
    return json_reply(_email_factor_json(org, user, factor, "PENDING_ACTIVATION"))


def list_questions(org: Org, request: Request, user_id: str) -> Response:
    """GET users/{id}/factors/questions: the security questions to choose from.

    :raises ApiError: 404, if there is no such user.
    """
    find_user(org, user_id)
    questions = [{"question": key, "questionText": text} for key, text in PREDEFINED.items()]
    return list_reply(org, request, questions)


def enroll_factor(org: Org, request: Request, user_id: str) -> Response:
    """POST users/{id}/factors: mail the code that will activate the email factor.

    :raises ApiError: 404; 403, if mail is disabled or the user not active; 400, if it is another factor, set up
        already, or for another address; 429.
    """
    user, body = find_user(org, user_id), api_body(request)
    if body.get("factorType") != "email" or body.get("provider") != "OKTA":
        raise validation_error("factorType: this org makes email factors only")
    if org.policy.authenticators.okta_email == "disabled" or user.status is not Status.ACTIVE:
        raise ApiError(403, "E0000015", "You do not have permission to access the feature you are requesting")
    if "okta_email" in user.enrollments:
        raise validation_error("factorEnrollRequest: A factor of this type is already set up.")
    if str(value_at(body, "profile", "email")).casefold() != user.email.casefold():
        raise validation_error("email: The address is none of the user's own")
    factor = org.email_factors.setdefault(user.id, EmailFactor(new_id(ENROLLMENT_ID_PREFIXES["okta_email"])))
    _mail_code(org, user, factor)
    return json_reply(_email_factor_json(org, user, factor, "PENDING_ACTIVATION"))


def resend_code(org: Org, request: Request, user_id: str, factor_id: str) -> Response:
    """POST users/{id}/factors/{factor}/resend: mail another code that activates the factor.

    :raises ApiError: 404, if there is no factor to activate; 429.
    """
    user = find_user(org, user_id)
    factor = _find_pending(org, user, factor_id)
    _mail_code(org, user, factor)
    return json_reply(_email_factor_json(org, user, factor, "PENDING_ACTIVATION"))


def activate_factor(org: Org, request: Request, user_id: str, factor_id: str) -> Response:
    """POST users/{id}/factors/{factor}/lifecycle/activate: with the code in `passCode`.

    :raises ApiError: 404, if there is no factor to activate; 403, if the code is wrong; 429.
    """
    user = find_user(org, user_id)
    factor = _find_pending(org, user, factor_id)
    _check_code(org, user, factor, api_body(request).get("passCode"))
    user.enroll(Enrollment("okta_email", factor.id, ("email",)))
    org.record("user.mfa.factor.activate", user, debug={"factor": "EMAIL_FACTOR"})
    return json_reply(_email_factor_json(org, user, factor, "ACTIVE"))


def verify_factor(org: Org, request: Request, user_id: str, factor_id: str) -> Response:
    """POST users/{id}/factors/{factor}/verify: with `passCode` check it, without one mail a code.

    :raises ApiError: 404, if there is no active factor; 403, if the code is wrong; 429.
    """
    user = find_user(org, user_id)
    enrollment = user.enrollments.get("okta_email")
    if enrollment is None or enrollment.id != factor_id:
        raise not_found(factor_id, "UserFactor")
    factor = org.email_factors.setdefault(user.id, EmailFactor(factor_id))
    code = api_body(request).get("passCode")
    if code is None:
        _mail_code(org, user, factor)
        return json_reply({"factorResult": "CHALLENGE"})
    _check_code(org, user, factor, code)
    return json_reply({"factorResult": "SUCCESS"})


def _factor_json(org: Org, user: User, key: str, factor_id: str, status: str) -> Json:
    at, href = org.clock.iso(user.updated), f"{org.base}/api/v1/users/{user.id}"
    own = f"{href}/factors/{factor_id}"
    profile = PROFILES.get(key)
    return {
        "id": factor_id,
        **FACTORS[key],
        "vendorName": FACTORS[key]["provider"],
        "status": status,
        "created": at,
        "lastUpdated": at,
        **({"profile": profile(user)} if profile else {}),
        "_links": {
            **_factor_actions(org, key, own, status),
            "self": link(own, "GET"),
            "user": link(href, "GET"),
        },
    }


def _factor_actions(org: Org, key: str, href: str, status: str) -> Json:
    """Return the links to what can be done with a factor."""
    if key == "security_question":
        return {"questions": link(href.rpartition("/")[0] + "/questions", "GET")}
    if status == "PENDING_ACTIVATION":
        resend = [{"name": "email", **link(href + "/resend", "POST")}]
        return {"activate": link(href + "/lifecycle/activate", "POST"), "resend": resend}
    return {"verify": link(href + "/verify", "POST")} if key in ("okta_email", "google_otp") else {}


def _question_profile(user: User) -> Json:
    enrollment = user.enrollments["security_question"]
    return {"question": question_key(enrollment), "questionText": enrollment.question}


# By key: the profile of a factor.
PROFILES: dict[str, Callable[[User], Json]] = {
    "okta_email": lambda user: {"email": user.email},
    "phone_number": lambda user: {"phoneNumber": user.enrollments["phone_number"].phone},
    "security_question": _question_profile,
    "google_otp": lambda user: {"credentialId": user.login},
}


def _email_factor_json(org: Org, user: User, factor: EmailFactor, status: str) -> Json:
    return _factor_json(org, user, "okta_email", factor.id, status)


def _find_pending(org: Org, user: User, factor_id: str) -> EmailFactor:
    """Return the factor that waits for its first code."""
    factor = org.email_factors.get(user.id)
    if factor is None or factor.id != factor_id or "okta_email" in user.enrollments:
        raise not_found(factor_id, "UserFactor")
    return factor


def _mail_code(org: Org, user: User, factor: EmailFactor) -> None:
    require_resend_pause(org, factor)
    lifetime = org.policy.lifetimes.email_code
    try:
        code = issue_code(org, factor, user.email, lifetime, org.policy.email_code)
    except IdxError as error:
        raise rate_limited() from error
    minutes = str(lifetime // 60)
    org.send("email", user, FACTOR_VERIFICATION_MAIL, org.policy.main_app, code=code, minutes=minutes)


def _check_code(org: Org, user: User, factor: EmailFactor, code: object) -> None:
    """Check a code, use it up and mark the address as verified."""
    try:
        check_sent_code(org, factor, user, str(code))
    except IdxError as error:
        cause = "Your passcode doesn't match our records. Please try again."
        status = 429 if error.status == 429 else 403
        raise ApiError(status, "E0000068", "Invalid Passcode/Answer", (cause,)) from error
    factor.codes = []
    user.email_verified = True
    user.updated = org.clock.now()
