"""Checking the password at sign-in: lockout after wrong ones, unlocking, expiry."""

from okta_devorg.state.org import Org
from okta_devorg.state.users import Status, User, matches_hash
from okta_devorg.wire.errors import IdxError
from okta_devorg.wire.ion import Json, message

CAN_SIGN_IN = (Status.ACTIVE, Status.PASSWORD_EXPIRED)
# Users who may reset their password or unlock their account.
RECOVERABLE = (*CAN_SIGN_IN, Status.LOCKED_OUT, Status.RECOVERY)


def may_sign_in(org: Org, user: User) -> bool:
    """Return whether the account is open: active and not locked. A lock that has run out is removed first."""
    _unlock_if_due(org, user)
    return user.status in CAN_SIGN_IN


def sign_in_failed(org: Org, user: User | None) -> IdxError:
    """Return the error of a failed sign-in."""
    return IdxError(401, sign_in_failed_messages(org, user))


def is_right_password(org: Org, user: User | None, password: str) -> bool:
    """Return whether this is the user's password and the user may sign in; None is an unknown user.

    Counts wrong passwords and locks the account after too many.
    """
    is_right = matches_hash(password, user.password_hash if user else None)
    if user is None:
        return False
    if not may_sign_in(org, user):
        return False
    if is_right:
        user.wrong_passwords = 0
    else:
        _count_wrong_password(org, user)
    return is_right


def unlock(org: Org, user: User) -> None:
    """Unlock the account, if it is locked, and forget all wrong passwords and codes."""
    user.wrong_passwords, user.wrong_codes = 0, []
    if user.status is Status.LOCKED_OUT:
        user.move_to(Status.ACTIVE, org.clock.now())
        org.record("user.account.unlock", user)


def sign_in_failed_messages(org: Org, user: User | None) -> list[Json]:
    """Return the messages of a failed sign-in.

    They are the same for unknown users and wrong passwords, and for locked accounts unless the policy shows those.
    """
    if shows_lockout(org, user):
        return [message("Your account is locked. Please contact your administrator.", "errors.E0000119")]
    return [message("Authentication failed", "errors.E0000004")]


def shows_lockout(org: Org, user: User | None) -> bool:
    """Return whether the account is locked and the policy lets the user know."""
    is_locked = user is not None and user.status is Status.LOCKED_OUT
    return is_locked and org.policy.password.lockout.show_lockout_failures


def is_password_expired(org: Org, user: User) -> bool:
    """Return whether the user must set a new password: it is too old, or an administrator has expired it."""
    days = org.policy.password.age.max_age_days
    is_too_old = bool(days) and org.clock.now() >= user.password_changed + 86400 * days
    return user.status is Status.PASSWORD_EXPIRED or is_too_old


def _count_wrong_password(org: Org, user: User) -> None:
    limit = org.policy.password.lockout.max_attempts
    user.wrong_passwords += 1
    org.record("user.session.start", user, outcome="FAILURE", reason="INVALID_CREDENTIALS")
    if limit and user.wrong_passwords >= limit:
        user.locked_at = org.clock.now()
        user.move_to(Status.LOCKED_OUT, user.locked_at)
        org.record("user.account.lock", user)


def _unlock_if_due(org: Org, user: User) -> None:
    minutes = org.policy.password.lockout.auto_unlock_minutes
    if user.status is Status.LOCKED_OUT and minutes and org.clock.now() >= user.locked_at + 60 * minutes:
        unlock(org, user)
