"""Which authenticators a user is to set up next (docs/protocol.md, section 4.4). Pure: settings and user decide."""

from collections.abc import Collection
from dataclasses import dataclass

from okta_devorg.factors.catalogue import AUTHENTICATORS, POSSESSION
from okta_devorg.factors.proof import challengeable_enrollments
from okta_devorg.policy.settings import Policy, Requirement
from okta_devorg.state.transactions import Transaction
from okta_devorg.state.users import User


@dataclass(frozen=True)
class EnrollmentOffer:
    """The keys of the authenticators to choose from; none if there is nothing left to set up."""

    keys: tuple[str, ...]
    can_skip: bool = False


def enrollment_offer(policy: Policy, user: User, tx: Transaction) -> EnrollmentOffer:
    """Return what the user is offered in this transaction.

    At sign-in only what is required is asked for, and the address of the account counts as set up.
    """
    if tx.purpose == "sign_up":
        return _offer(policy, user, user.enrollments, user.enrollments, tx.optional_skipped)
    challengeable = challengeable_enrollments(policy, user)
    return _offer(policy, user, {**user.enrollments, **challengeable}, challengeable, optional_skipped=True)


def starts_with_email(policy: Policy, user: User) -> bool:
    """Return whether the org starts the email step by itself, as the only one required (sections 4.2 and 5.4)."""
    missing = _missing(policy, user, user.enrollments, "required")
    return policy.auto_select_single_required and missing == ("okta_email",)


def _offer(
    policy: Policy, user: User, enrollments: Collection[str], factors: Collection[str], optional_skipped: bool
) -> EnrollmentOffer:
    """`enrollments` are the keys of what is set up, `factors` of what counts as a factor at sign-in."""
    can_wait = policy.grace_period.authenticators
    missing = _missing(policy, user, enrollments, "required")
    required = tuple(key for key in missing if key not in can_wait)
    waiting = (key for key in missing if key in can_wait)
    optional = (*waiting, *_missing(policy, user, enrollments, "optional"))
    if required:
        password_alone = policy.order == "password_first" and "okta_password" in required
        return EnrollmentOffer(("okta_password",) if password_alone else required)
    if _lacks_second_factor(policy, factors):
        possession = tuple(key for key in optional if key in POSSESSION)
        if possession:
            return EnrollmentOffer(possession)
    return EnrollmentOffer(() if optional_skipped else optional, can_skip=True)


def _missing(policy: Policy, user: User, enrollments: Collection[str], requirement: Requirement) -> tuple[str, ...]:
    """Nobody without an address is asked to prove one."""
    usable = (key for key in AUTHENTICATORS if key not in policy.recovery_only and policy.offers(key))
    keys = (key for key in usable if key != "okta_email" or user.email)
    return tuple(k for k in keys if getattr(policy.authenticators, k) == requirement and k not in enrollments)


def _lacks_second_factor(policy: Policy, factors: Collection[str]) -> bool:
    return policy.sign_on == "password_and_another" and not any(key in factors for key in POSSESSION)
