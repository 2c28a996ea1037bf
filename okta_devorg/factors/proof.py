"""Which authenticators a returning user has to prove. Pure: settings, user and what is proven already decide."""

from okta_devorg.factors.catalogue import POSSESSION
from okta_devorg.policy.settings import Policy
from okta_devorg.state.transactions import Purpose
from okta_devorg.state.users import Enrollment, User

# What the org can challenge, in the order in which it offers them.
CHALLENGEABLE = ("okta_password", "webauthn", "okta_email", "phone_number", "google_otp", "security_question")


def challengeable_enrollments(policy: Policy, user: User) -> dict[str, Enrollment]:
    """Return what the user can be challenged with, by authenticator key.

    The address of the account, if it has one, counts as set up, unless mail is disabled and there is another factor.
    """
    enrollments = {key: user.enrollments[key] for key in CHALLENGEABLE if key in user.enrollments}
    has_possession = any(key in POSSESSION for key in enrollments)
    if (
        user.email
        and "okta_email" not in enrollments
        and (policy.authenticators.okta_email != "disabled" or not has_possession)
    ):
        enrollments["okta_email"] = email_enrollment(user)
    return {key: enrollments[key] for key in CHALLENGEABLE if key in enrollments}


def email_enrollment(user: User) -> Enrollment:
    """Return an enrollment for the address of the account, which every user can be challenged with."""
    return Enrollment("okta_email", "eae" + user.id[3:], ("email",))


def challenged_enrollment(policy: Policy, user: User, key: str) -> Enrollment:
    """Return the enrollment of a running challenge: for a recovery the address, even if mail is disabled."""
    return challengeable_enrollments(policy, user).get(key) or email_enrollment(user)


def still_to_prove(policy: Policy, user: User, purpose: Purpose, proven: tuple[str, ...]) -> tuple[Enrollment, ...]:
    """Return the enrollments of which the user must prove one; empty if enough is proven, or nothing can be.

    `proven` are the keys of the authenticators that are proven already.
    """
    if purpose == "sign_up":
        return ()
    enrollments = challengeable_enrollments(policy, user)
    if purpose == "sign_in":
        return _at_sign_in(policy, enrollments, proven)
    return _at_recovery(policy, user, enrollments, proven)


def _at_sign_in(policy: Policy, enrollments: dict[str, Enrollment], proven: tuple[str, ...]) -> tuple[Enrollment, ...]:
    if policy.sign_on != "password_and_another":
        return () if proven else tuple(enrollments.values())
    if "okta_password" in enrollments and "okta_password" not in proven:
        return (enrollments["okta_password"],)
    if any(key != "okta_password" for key in proven):
        return ()
    return tuple(enrollment for key, enrollment in enrollments.items() if key != "okta_password")


def _at_recovery(
    policy: Policy, user: User, enrollments: dict[str, Enrollment], proven: tuple[str, ...]
) -> tuple[Enrollment, ...]:
    """Mail or phone first; then the security question, if the policy asks for it and the user has one."""
    recovery = policy.password.recovery
    if not set(proven) & set(recovery.authenticators):
        reachable = {**({"okta_email": email_enrollment(user)} if user.email else {}), **enrollments}
        return tuple(reachable[key] for key in recovery.authenticators if key in reachable)
    question = enrollments.get("security_question") if recovery.security_question else None
    return (question,) if question and "security_question" not in proven else ()
