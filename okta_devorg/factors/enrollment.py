"""What is to be set up next. Pure: the policy and the person's enrollments decide (docs/protocol.md, section 4.4)."""

from dataclasses import dataclass

from okta_devorg.factors.assurance import provable
from okta_devorg.factors.catalogue import AUTHENTICATORS, POSSESSION
from okta_devorg.policy.settings import Policy, Requirement
from okta_devorg.state.transaction import Transaction
from okta_devorg.state.users import Enrollment, User


@dataclass(frozen=True)
class Offer:
    """Authenticators to choose from; none: the enrollment is complete."""

    keys: tuple[str, ...]
    can_skip: bool = False


def offer_to(policy: Policy, user: User, tx: Transaction) -> Offer:
    """At sign-in only what must be there is asked for, and the account's address counts as enrolled."""
    if tx.purpose == "sign_up":
        return next_offer(policy, user.enrollments, tx.skipped)
    return next_offer(policy, provable(policy, user), skipped=True)


def next_offer(policy: Policy, enrolled: dict[str, Enrollment], skipped: bool) -> Offer:
    required = still_open(policy, enrolled, "required")
    optional = still_open(policy, enrolled, "optional")
    if required:
        return Offer(("okta_password",) if password_alone(policy, required) else required)
    if needs_second_factor(policy, enrolled):
        second = tuple(key for key in optional if key in POSSESSION)
        if second:
            return Offer(second)
    return Offer(() if skipped else optional, can_skip=True)


def still_open(policy: Policy, enrolled: dict[str, Enrollment], requirement: Requirement) -> tuple[str, ...]:
    return tuple(
        key for key in AUTHENTICATORS if getattr(policy.authenticators, key) == requirement and key not in enrolled
    )


def password_alone(policy: Policy, required: tuple[str, ...]) -> bool:
    return policy.order == "password_first" and "okta_password" in required


def needs_second_factor(policy: Policy, enrolled: dict[str, Enrollment]) -> bool:
    return policy.sign_on == "password_and_another" and not any(key in enrolled for key in POSSESSION)


def selected_without_asking(policy: Policy, enrolled: dict[str, Enrollment]) -> bool:
    """A single open requirement, the e-mail, is started by the org itself (docs/protocol.md, sections 4.2, 5.4)."""
    return policy.auto_select_single_required and still_open(policy, enrolled, "required") == ("okta_email",)
