"""The lifecycle of users: a table of the changes, the statuses they start from, and what they do."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Request, Response

from okta_devorg.idx.steps import activation, recovery
from okta_devorg.management.json_api import no_content, not_found
from okta_devorg.management.user_documents import user_json
from okta_devorg.management.users import find_user
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status, User
from okta_devorg.verification.sign_in_password import RECOVERABLE, unlock
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.replies import json_reply

NOT_ALLOWED = "This operation is not allowed in the user's current status."
NOT_ACTIVE_YET = (Status.STAGED, Status.PROVISIONED, Status.DEPROVISIONED)
NOT_DEACTIVATED = tuple(status for status in Status if status is not Status.DEPROVISIONED)


@dataclass(frozen=True)
class Change:
    """A change of the lifecycle, the statuses in which it is possible, and the error in all others."""

    possible_from: tuple[Status, ...]
    run: Callable[[Org, Request, User], Response]
    error_text: str = NOT_ALLOWED
    error_code: str = "E0000038"
    causes: tuple[str, ...] = ()


def change_status(org: Org, request: Request, user_id: str, change: str) -> Response:
    """POST users/{id}/lifecycle/{change}.

    :raises ApiError: 404 for an unknown user or change, 403 if the user's status does not allow it.
    """
    user = find_user(org, user_id)
    if change not in CHANGES:
        raise not_found(change, "Lifecycle")
    row = CHANGES[change]
    if user.status not in row.possible_from:
        raise ApiError(403, row.error_code, row.error_text, row.causes)
    return row.run(org, request, user)


def delete_user(org: Org, request: Request, user_id: str) -> Response:
    """DELETE users/{id}: the first time deactivates the user, the second deletes it.

    :raises ApiError: 404, if there is none.
    """
    user = find_user(org, user_id)
    if user.status is not Status.DEPROVISIONED:
        _deactivate(org, request, user)
    else:
        org.record("user.lifecycle.delete.initiated", user)
        org.delete_user(user)
    return no_content()


def _activate(org: Org, request: Request, user: User) -> Response:
    """Activate a user who has a password at once; others are invited."""
    if user.password_hash:
        return _set_status(org, user, Status.ACTIVE, "user.lifecycle.activate")
    user.move_to(Status.PROVISIONED, org.clock.now())
    org.record("user.lifecycle.activate", user)
    return _invite(org, request, user, mails_by_default=True)


def _reactivate(org: Org, request: Request, user: User) -> Response:
    org.record("user.lifecycle.reactivate", user)
    return _invite(org, request, user, mails_by_default=False)


def _invite(org: Org, request: Request, user: User, mails_by_default: bool) -> Response:
    """Mail an activation token, or answer with one, as `sendEmail` says. Older links stop working."""
    user.updated = org.clock.now()
    org.links.remove_of_user(user)
    if request.args.get("sendEmail", str(mails_by_default).lower()) == "true":
        activation.mail_activation_token(org, user)
        return json_reply({})
    token = activation.issue_activation_token(org, user)
    return json_reply({"activationUrl": f"{org.base}/welcome/{token}", "activationToken": token})


def _deactivate(org: Org, request: Request, user: User) -> Response:
    """Deactivate the user. The password is deleted, links in mails stop working, and sessions end."""
    org.sign_ins.end_sessions_of(user.id)
    user.enrollments.clear()
    user.password_hash = None
    org.links.remove_of_user(user)
    return _set_status(org, user, Status.DEPROVISIONED, "user.lifecycle.deactivate")


def _suspend(org: Org, request: Request, user: User) -> Response:
    return _set_status(org, user, Status.SUSPENDED, "user.lifecycle.suspend")


def _unsuspend(org: Org, request: Request, user: User) -> Response:
    return _set_status(org, user, Status.ACTIVE, "user.lifecycle.unsuspend")


def _set_status(org: Org, user: User, status: Status, event: str) -> Response:
    user.move_to(status, org.clock.now())
    org.record(event, user)
    return json_reply({})


def _unlock(org: Org, request: Request, user: User) -> Response:
    unlock(org, user)
    return json_reply({})


def _expire_password(org: Org, request: Request, user: User) -> Response:
    """Make the user set a new password at the next sign-in."""
    _set_status(org, user, Status.PASSWORD_EXPIRED, "user.account.expire_password")
    return json_reply(user_json(org, user))


def _reset_password(org: Org, request: Request, user: User) -> Response:
    """Keep the user out until a new password is set. The token for it is mailed, or with `sendEmail=false` returned."""
    _set_status(org, user, Status.RECOVERY, "user.account.reset_password")
    if request.args.get("sendEmail", "true") == "true":
        recovery.mail_recovery_token(org, user)
        return json_reply({})
    token = recovery.issue_recovery_token(org, user)
    return json_reply({"resetPasswordUrl": f"{org.base}/signin/reset-password/{token}"})


def _reset_factors(org: Org, request: Request, user: User) -> Response:
    """Delete everything that the user has set up, but the password."""
    password = user.enrollments.get("okta_password")
    user.enrollments = {"okta_password": password} if password else {}
    return json_reply({})


# By the last part of the path.
CHANGES: dict[str, Change] = {
    "activate": Change(
        NOT_ACTIVE_YET, _activate, "Activation failed because the user is already active", error_code="E0000016"
    ),
    "reactivate": Change((Status.PROVISIONED,), _reactivate),
    "deactivate": Change(NOT_DEACTIVATED, _deactivate),
    "suspend": Change((Status.ACTIVE,), _suspend, "Cannot suspend a user that is not active"),
    "unsuspend": Change((Status.SUSPENDED,), _unsuspend, "Cannot unsuspend a user that is not suspended"),
    "unlock": Change(
        (Status.LOCKED_OUT,),
        _unlock,
        "Unlock is not allowed for this user.",
        "E0000032",
        ("The user is not locked out.",),
    ),
    "expire_password": Change((Status.ACTIVE,), _expire_password),
    "reset_password": Change(RECOVERABLE, _reset_password),
    "reset_factors": Change(NOT_DEACTIVATED, _reset_factors),
}
