"""Users: listing, creating and changing them."""

from flask import Request, Response

from okta_devorg.factors.profile_form import is_email
from okta_devorg.idx.steps.activation import mail_activation_token
from okta_devorg.management.json_api import (
    api_body,
    list_at,
    list_reply,
    not_found,
    object_at,
    validation_error,
    value_at,
)
from okta_devorg.management.search import matches
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status, User
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply


def find_user(org: Org, user_id: str) -> User:
    """Return the user with this id or login.

    :raises ApiError: 404, if there is none.
    """
    user = org.users.find(user_id)
    if user is None:
        raise not_found(user_id, "User")
    return user


def user_json(org: Org, user: User) -> Json:
    """Return a user as the API shows it."""
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


def list_users(org: Org, request: Request) -> Response:
    """GET users: by `q` (the start of a name or address), `filter` and `search`.

    Without an expression, deactivated users are left out.

    :raises ApiError: 400, if an expression cannot be read.
    """
    expressions = [request.args[name] for name in ("filter", "search") if request.args.get(name)]
    query = request.args.get("q", "").casefold()
    users = [user_json(org, user) for user in org.users if _starts_with(user, query)]
    if not expressions:
        return list_reply(org, request, [user for user in users if user["status"] != Status.DEPROVISIONED])
    return list_reply(org, request, [user for user in users if all(matches(text, user) for text in expressions)])


def get_user(org: Org, request: Request, user_id: str) -> Response:
    """GET users/{id or login}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(user_json(org, find_user(org, user_id)))


def create_user(org: Org, request: Request) -> Response:
    """POST users: with `activate=false` only staged, else active or invited by mail to set a password.

    :raises ApiError: 400, if the profile is wrong.
    """
    body = api_body(request)
    profile = _checked_profile(org, body.get("profile"))
    now = org.clock.now()
    user = User(new_id("00u"), profile["login"], profile, Status.STAGED, now, now)
    has_password = _set_password(org, user, body)
    org.users.add(user)
    org.record("user.lifecycle.create", user)
    for group_id in list_at(body, "groupIds"):
        org.groups.join(str(group_id), user)
    if request.args.get("activate", "true") != "false":
        user.status = Status.ACTIVE if has_password else Status.PROVISIONED
        if user.status is Status.PROVISIONED:
            mail_activation_token(org, user)
        org.record("user.lifecycle.activate", user)
    return json_reply(user_json(org, user))


def update_user(org: Org, request: Request, user_id: str) -> Response:
    """POST users/{id}: change what is sent; null removes an attribute.

    :raises ApiError: 404 or 400.
    """
    user = find_user(org, user_id)
    body = api_body(request)
    profile = {**user.profile, "login": user.login, **object_at(body, "profile")}
    return _change(org, user, body, {name: value for name, value in profile.items() if value is not None})


def replace_user(org: Org, request: Request, user_id: str) -> Response:
    """PUT users/{id}: the profile becomes exactly what is sent.

    :raises ApiError: 404 or 400.
    """
    user = find_user(org, user_id)
    body = api_body(request)
    return _change(org, user, body, value_at(body, "profile"))


def _starts_with(user: User, query: str) -> bool:
    texts = (user.email, user.login, user.profile.get("firstName"), user.profile.get("lastName"))
    return any(str(text or "").casefold().startswith(query) for text in texts)


def _checked_profile(org: Org, profile: object, user: User | None = None) -> Json:
    """Check that login and e-mail are addresses, and the login is not another user's."""
    if not isinstance(profile, dict):
        raise validation_error("profile: The field cannot be left blank")
    for name in ("login", "email"):
        if not is_email(profile.get(name)):
            raise validation_error(f"{name}: Username must be in the form of an email address")
    other = org.users.find(profile["login"])
    if other is not None and other is not user:
        raise validation_error("login: An object with this field already exists in the current organization")
    return profile


def _change(org: Org, user: User, body: Json, profile: object) -> Response:
    checked = _checked_profile(org, profile, user)
    org.users.rename(user, checked["login"])
    if checked["email"] != user.email:
        user.email_verified = False
    user.profile = checked
    _set_password(org, user, body)
    user.updated = org.clock.now()
    org.record("user.account.update_profile", user)
    return json_reply(user_json(org, user))


def _set_password(org: Org, user: User, body: Json) -> bool:
    """Set the password in the body; return whether there is one."""
    password = value_at(body, "credentials", "password", "value")
    if isinstance(password, str):
        user.set_password(password, org.clock.now())
    return bool(password)
