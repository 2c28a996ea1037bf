"""What somebody who comes back has to prove. Pure: the policy, the person and what is proven already decide."""

from okta_devorg.factors.catalogue import POSSESSION
from okta_devorg.policy.settings import Policy
from okta_devorg.state.transaction import Purpose
from okta_devorg.state.users import Enrollment, User

# What the org can challenge, in the order it offers them: first what cannot be phished.
PROVABLE = ("okta_password", "webauthn", "okta_email", "phone_number", "google_otp", "security_question")


def provable(policy: Policy, user: User) -> dict[str, Enrollment]:
    """What the person enrolled, and the account's address: unless mail is disabled and something else is there."""
    found = {key: user.enrollments[key] for key in PROVABLE if key in user.enrollments}
    has_other = any(key in POSSESSION for key in found)
    if "okta_email" not in found and (policy.authenticators.okta_email != "disabled" or not has_other):
        found["okta_email"] = address_of(user)
    return {key: found[key] for key in PROVABLE if key in found}


def address_of(user: User) -> Enrollment:
    return Enrollment("okta_email", "eae" + user.id[3:], ("email",))


def still_to_prove(policy: Policy, user: User, purpose: Purpose, proven: tuple[str, ...]) -> tuple[Enrollment, ...]:
    """To choose one of; none: enough is proven."""
    if purpose == "sign_up":
        return ()
    has = provable(policy, user)
    return at_sign_in(policy, has, proven) if purpose == "sign_in" else at_recovery(policy, user, has, proven)


def enrollment_in_hand(policy: Policy, user: User, key: str) -> Enrollment:
    """Of a challenge: the address of the account can be proven for a recovery though mail is disabled."""
    return provable(policy, user).get(key) or address_of(user)


def at_sign_in(policy: Policy, has: dict[str, Enrollment], proven: tuple[str, ...]) -> tuple[Enrollment, ...]:
    if policy.sign_on != "password_and_another":
        return () if proven else tuple(has.values())
    if "okta_password" in has and "okta_password" not in proven:
        return (has["okta_password"],)
    if any(key != "okta_password" for key in proven):
        return ()
    return tuple(item for key, item in has.items() if key != "okta_password")


def at_recovery(
    policy: Policy, user: User, has: dict[str, Enrollment], proven: tuple[str, ...]
) -> tuple[Enrollment, ...]:
    """Mail or phone, then the security question where the policy wants it and there is one."""
    recovery = policy.password.recovery
    if not set(proven) & set(recovery.authenticators):
        reachable = {"okta_email": address_of(user), **has}
        return tuple(reachable[key] for key in recovery.authenticators if key in reachable)
    question = has.get("security_question") if recovery.security_question else None
    return (question,) if question and "security_question" not in proven else ()
