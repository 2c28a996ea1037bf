"""Users: create, find, change, and their lifecycle."""

from collections.abc import Callable
from typing import Any

from flask import Request, Response

from okta_devorg.factors.profile_form import is_email
from okta_devorg.idx import recovery
from okta_devorg.idx.activation import issue_token, mail_token
from okta_devorg.management.access import Json, body_of, invalid, items, listing, member, no_content, not_found, objects
from okta_devorg.management.search import matches
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status, User
from okta_devorg.verification.challenge import unlock
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.refusals import ApiError
from okta_devorg.wire.replies import json_reply


def list_users(org: Org, request: Request) -> Response:
    """By `q` (start of a name or address), `filter` and `search`. Without a filter the deactivated are left out."""
    expressions = [request.args[name] for name in ("filter", "search") if request.args.get(name)]
    query = request.args.get("q", "").casefold()
    shown = [user_json(org, user) for user in org.users if starts(user, query)]
    if not expressions:
        return listing(org, request, [item for item in shown if item["status"] != Status.DEPROVISIONED])
    return listing(org, request, [item for item in shown if all(matches(text, item) for text in expressions)])


def starts(user: User, query: str) -> bool:
    words = (user.email, user.login, user.profile.get("firstName"), user.profile.get("lastName"))
    return any(str(word or "").casefold().startswith(query) for word in words)


def get_user(org: Org, request: Request, user_id: str) -> Response:
    return json_reply(user_json(org, find(org, user_id)))


def find(org: Org, user_id: str) -> User:
    user = org.users.find(user_id)
    if user is None:
        raise not_found(user_id, "User")
    return user


def create_user(org: Org, request: Request) -> Response:
    body = body_of(request)
    profile = checked_profile(org, body.get("profile"), None)
    now = org.clock.now()
    user = User(new_id("00u"), profile["login"], profile, Status.STAGED, now, now)
    password = member(body, "credentials", "password", "value")
    if isinstance(password, str):
        user.set_password(password, now)
    org.users.add(user)
    org.record("user.lifecycle.create", user)
    for group_id in items(body, "groupIds"):
        org.groups.join(str(group_id), user)
    if request.args.get("activate", "true") != "false":
        user.status = Status.ACTIVE if password else Status.PROVISIONED
        if user.status is Status.PROVISIONED:
            mail_token(org, user)
        org.record("user.lifecycle.activate", user)
    return json_reply(user_json(org, user))


def checked_profile(org: Org, profile: object, user: User | None) -> Json:
    """Raises ApiError: login and email must be addresses, the login nobody else's."""
    if not isinstance(profile, dict):
        raise invalid("profile: The field cannot be left blank")
    for name in ("login", "email"):
        if not is_email(profile.get(name)):
            raise invalid(f"{name}: Username must be in the form of an email address")
    other = org.users.find(profile["login"])
    if other is not None and other is not user:
        raise invalid("login: An object with this field already exists in the current organization")
    return profile


def update_user(org: Org, request: Request, user_id: str) -> Response:
    """POST: what is given; null takes away."""
    user = find(org, user_id)
    given = objects(body_of(request), "profile")
    merged = {**user.profile, "login": user.login, **given}
    return change(org, request, user, {name: value for name, value in merged.items() if value is not None})


def replace_user(org: Org, request: Request, user_id: str) -> Response:
    """PUT: exactly what is given."""
    return change(org, request, find(org, user_id), member(body_of(request), "profile"))


def change(org: Org, request: Request, user: User, profile: object) -> Response:
    checked = checked_profile(org, profile, user)
    org.users.rename(user, checked["login"])
    if checked["email"] != user.email:
        user.email_verified = False
    user.profile = checked
    password = member(body_of(request), "credentials", "password", "value")
    if isinstance(password, str):
        user.set_password(password, org.clock.now())
    user.updated = org.clock.now()
    org.record("user.account.update_profile", user)
    return json_reply(user_json(org, user))


def delete_user(org: Org, request: Request, user_id: str) -> Response:
    """The first time deactivates, the second deletes."""
    user = find(org, user_id)
    if user.status is not Status.DEPROVISIONED:
        deactivate(org, user)
    else:
        org.record("user.lifecycle.delete.initiated", user)
        org.groups.leave_all(user)
        org.users.remove(user)
    return no_content()


# ---- lifecycle: what each change needs to start from, and what it does


def lifecycle(org: Org, request: Request, user_id: str, change: str) -> Response:
    user = find(org, user_id)
    if change not in CHANGES:
        raise not_found(change, "Lifecycle")
    allowed, refusal, work = CHANGES[change]
    if user.status not in allowed:
        raise ApiError(403, "E0000016" if change == "activate" else "E0000038", refusal)
    return work(org, request, user)


def activate(org: Org, request: Request, user: User) -> Response:
    """The token for the app's own mail; with `sendEmail` (the default) the org mails it and the body is empty.

    Who has a password is active at once: there is nothing left that a link would be needed for.
    """
    if user.password_hash:
        return set_status(org, user, Status.ACTIVE, "user.lifecycle.activate")
    user.status = Status.PROVISIONED
    org.record("user.lifecycle.activate", user)
    return hand_out_token(org, request, user, "true")


def reactivate(org: Org, request: Request, user: User) -> Response:
    org.record("user.lifecycle.reactivate", user)
    return hand_out_token(org, request, user, "false")


def hand_out_token(org: Org, request: Request, user: User, mailed_by_default: str) -> Response:
    user.updated = org.clock.now()
    org.forget_links(user)
    if request.args.get("sendEmail", mailed_by_default) == "true":
        mail_token(org, user)
        return json_reply({})
    token = issue_token(org, user)
    return json_reply({"activationUrl": f"{org.base}/welcome/{token}", "activationToken": token})


def deactivate(org: Org, user: User) -> None:
    """The password is deleted for good, and links that were mailed are dead."""
    user.status, user.updated = Status.DEPROVISIONED, org.clock.now()
    user.enrollments.clear()
    user.password_hash = None
    org.forget_links(user)
    org.record("user.lifecycle.deactivate", user)


def deactivated(org: Org, request: Request, user: User) -> Response:
    deactivate(org, user)
    return json_reply({})


def suspend(org: Org, request: Request, user: User) -> Response:
    return set_status(org, user, Status.SUSPENDED, "user.lifecycle.suspend")


def unsuspend(org: Org, request: Request, user: User) -> Response:
    return set_status(org, user, Status.ACTIVE, "user.lifecycle.unsuspend")


def set_status(org: Org, user: User, status: Status, event: str) -> Response:
    user.status, user.updated = status, org.clock.now()
    org.record(event, user)
    return json_reply({})


def unlocked(org: Org, request: Request, user: User) -> Response:
    unlock(org, user)
    return json_reply({})


def expire_password(org: Org, request: Request, user: User) -> Response:
    """A new password is asked at the next sign-in."""
    user.status, user.updated = Status.PASSWORD_EXPIRED, org.clock.now()
    org.record("user.account.expire_password", user)
    return json_reply(user_json(org, user))


def reset_password(org: Org, request: Request, user: User) -> Response:
    """Nobody signs in until a new one is set: by the org's mail, or with the token by the app's own."""
    user.status, user.updated = Status.RECOVERY, org.clock.now()
    org.record("user.account.reset_password", user)
    if request.args.get("sendEmail", "true") == "true":
        recovery.mail_token(org, user)
        return json_reply({})
    return json_reply({"resetPasswordUrl": f"{org.base}/signin/reset-password/{recovery.issue_token(org, user)}"})


def reset_factors(org: Org, request: Request, user: User) -> Response:
    kept = user.enrollments.get("okta_password")
    user.enrollments = {"okta_password": kept} if kept else {}
    return json_reply({})


WAITING = (Status.STAGED, Status.PROVISIONED, Status.DEPROVISIONED)
LIVING = tuple(status for status in Status if status is not Status.DEPROVISIONED)
Work = Callable[[Org, Request, User], Response]
CHANGES: dict[str, tuple[tuple[Status, ...], str, Work]] = {
    "activate": (WAITING, "Activation failed because the user is already active", activate),
    "reactivate": ((Status.PROVISIONED,), "This operation is not allowed in the user's current status.", reactivate),
    "deactivate": (LIVING, "This operation is not allowed in the user's current status.", deactivated),
    "suspend": ((Status.ACTIVE,), "Cannot suspend a user that is not active", suspend),
    "unsuspend": ((Status.SUSPENDED,), "Cannot unsuspend a user that is not suspended", unsuspend),
    "unlock": (LIVING, "This operation is not allowed in the user's current status.", unlocked),
    "expire_password": (
        (Status.ACTIVE,),
        "This operation is not allowed in the user's current status.",
        expire_password,
    ),
    "reset_password": (
        recovery.RECOVERABLE,
        "This operation is not allowed in the user's current status.",
        reset_password,
    ),
    "reset_factors": (LIVING, "This operation is not allowed in the user's current status.", reset_factors),
}


def user_json(org: Org, user: User) -> dict[str, Any]:
    activated = org.clock.iso(user.updated) if user.status is Status.ACTIVE else None
    provider = {"type": "OKTA", "name": "OKTA"}
    return {
        "id": user.id,
        "status": str(user.status),
        "created": org.clock.iso(user.created),
        "activated": activated,
        "statusChanged": activated,
        "lastLogin": None,
        "lastUpdated": org.clock.iso(user.updated),
        "passwordChanged": org.clock.iso(user.updated) if user.password_hash else None,
        "type": {"id": "oty" + "LocalDevOrg000001"},
        "profile": {**user.profile, "login": user.login},
        "credentials": {**({"password": {}} if user.password_hash else {}), "provider": provider},
        "_links": {"self": {"href": f"{org.base}/api/v1/users/{user.id}"}},
    }
