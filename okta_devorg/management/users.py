"""Users: listing, creating and changing them."""

from flask import Request, Response

from okta_devorg.factors.passwords import password_problems
from okta_devorg.factors.profile_form import NOTHING, is_email
from okta_devorg.idx.steps.activation import mail_activation_token
from okta_devorg.management.access import protected
from okta_devorg.management.json_api import (
    api_body,
    list_reply,
    not_found,
    object_at,
    require_known,
    validation_error,
    value_at,
)
from okta_devorg.management.schemas import BASE_ATTRIBUTES, accepts, schema_attributes
from okta_devorg.management.search import matching
from okta_devorg.management.user_documents import ALWAYS_SHOWN, listed_user_json, user_json
from okta_devorg.state.groups import Group
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status, User
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

ADMINISTRATOR = "00uLocalAdmin0000001"
# What may be sent of a user.
MEMBERS = ("profile", "credentials", "groupIds", "type", "realmId")


def find_user(org: Org, user_id: str) -> User:
    """Return the user with this id or login.

    :raises ApiError: 404, if there is none.
    """
    user = org.users.find(user_id.rstrip("/"))
    if user is None and "/" in user_id.rstrip("/"):  # something below a user that this org does not have
        raise ApiError(404, "E0000007", "Not found: Resource not found.")
    if user is None:
        raise not_found(user_id, "User")
    return user


def list_users(org: Org, request: Request) -> Response:
    """GET users: by `q` (the start of a name or address), `filter` and `search`.

    Without an expression, deactivated users are left out.

    :raises ApiError: 400, if an expression cannot be read.
    """
    expressions = [request.args[name] for name in ("filter", "search") if request.args.get(name)]
    query = request.args.get("q", "").casefold()
    users = [listed_user_json(org, user) for user in org.users if _starts_with(user, query)]
    if not expressions:
        return list_reply(org, request, [user for user in users if user["status"] != Status.DEPROVISIONED])
    return list_reply(org, request, matching(users, *expressions))


def get_user(org: Org, request: Request, user_id: str) -> Response:
    """GET users/{id or login}, also of the administrator whom the API token belongs to.

    :raises ApiError: 404, if there is none.
    """
    if user_id == ADMINISTRATOR:
        return json_reply(_administrator_json(org))
    return json_reply(user_json(org, find_user(org, user_id)))


def get_own_user(org: Org, request: Request) -> Response:
    """GET users/me: who is signed in to the org in this browser, else whom the token belongs to.

    :raises ApiError: 401 or 403, if there is neither; 404, if the token belongs to an app.
    """
    session = org.sign_ins.find_session(request.cookies.get("sid"))
    if session and "Authorization" not in request.headers:
        return json_reply(user_json(org, find_user(org, session.user_id)))
    return _get_owner(org, request)


def _owner(org: Org, request: Request) -> Response:
    if request.headers["Authorization"].startswith("SSWS"):
        return json_reply(_administrator_json(org))
    raise not_found("me", "User")


_get_owner = protected(_owner, "users")


def create_user(org: Org, request: Request) -> Response:
    """POST users: with `activate=false` only staged, else active or invited by mail to set a password.

    :raises ApiError: 400, if the profile or the password is wrong; 404, if there is no such group.
    """
    body = api_body(request)
    require_known(body, dict.fromkeys(MEMBERS), MEMBERS)
    profile = _checked_profile(org, body.get("profile"))
    groups = _requested_groups(org, body)
    now = org.clock.now()
    user = User(new_id("00u"), profile["login"], profile, Status.STAGED, now, now)
    password = _requested_password(org, user, profile, body)
    has_password = password is not None
    if password is not None:
        user.set_password(password, now)
    org.users.add(user)
    org.record("user.lifecycle.create", user)
    for group in groups:
        org.groups.join(group.id, user)
    if request.args.get("activate", "true") != "false":
        must_change = request.args.get("nextLogin") == "changePassword"
        with_password = Status.PASSWORD_EXPIRED if must_change else Status.ACTIVE
        user.move_to(with_password if has_password else Status.PROVISIONED, now)
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
    profile = value_at(body, "profile")
    if isinstance(profile, dict):
        profile = {name: value for name, value in profile.items() if value is not None}
    return _change(org, user, body, profile)


def _administrator_json(org: Org) -> Json:
    """Return the administrator whom the API token belongs to: not among the users, who all signed up or were made."""
    email = "administrator@localhost.example"
    profile = {"firstName": "Local", "lastName": "Administrator", "email": email}
    user = User(ADMINISTRATOR, email, profile, Status.STAGED, org.started, org.started)
    user.move_to(Status.ACTIVE, org.started)
    return user_json(org, user)


def _starts_with(user: User, query: str) -> bool:
    texts = (user.email, user.login, user.profile.get("firstName"), user.profile.get("lastName"))
    return any(str(text or "").casefold().startswith(query) for text in texts)


def _checked_profile(org: Org, profile: object, user: User | None = None) -> Json:
    """Check that all attributes are in the schema, login and email are addresses, and nobody else has an identifier.

    A login need not be one if the settings say so, and an email address may be missing if the form does not ask for it.
    """
    if not isinstance(profile, dict):
        raise validation_error("profile: The field cannot be left blank")
    _check_schema(org, profile, user)
    if not isinstance(profile.get("login"), str) or not profile["login"].strip():
        raise validation_error("login: The field cannot be left blank")
    if org.policy.username_format == "email" and not is_email(profile["login"]):
        raise validation_error("login: Username must be in the form of an email address")
    needs_email = any(attribute.name == "email" and attribute.required for attribute in org.policy.profile)
    if not is_email(profile.get("email")) and (needs_email or profile.get("email") is not None):
        raise validation_error("email: Does not match required pattern")
    allowed = ("login", *org.policy.allowed_identifiers)
    for name in allowed:
        other = org.users.find_by_identifier(str(profile.get(name) or ""), allowed)
        if other is not None and other is not user:
            raise validation_error(f"{name}: An object with this field already exists in the current organization")
    return profile


def _check_schema(org: Org, profile: Json, user: User | None) -> None:
    """Check that the schema has all attributes, that their values fit, and that no required custom one is missing."""
    attributes = schema_attributes(org)
    # A hook may have set others.
    known = {*attributes, *ALWAYS_SHOWN, *(user.profile if user else ())}
    for name, value in profile.items():
        if name not in known:
            cause = f"Property name '{name}' is not defined in profile"
            raise ApiError(400, "E0000001", "Api validation failed: newUser", (cause,))
        if name in attributes and not accepts(attributes[name], value):
            raise validation_error(f"{name}: Does not match required pattern")
    for name, attribute in attributes.items():
        if attribute.required and name not in BASE_ATTRIBUTES and profile.get(name) in NOTHING:
            raise validation_error(f"{name}: The field cannot be left blank")


def _change(org: Org, user: User, body: Json, profile: object) -> Response:
    require_known(body, user_json(org, user), MEMBERS)
    checked = _checked_profile(org, profile, user)
    password = _requested_password(org, user, checked, body)
    org.users.rename(user, checked["login"])
    if checked.get("email") != user.email:
        user.email_verified = False
    user.profile = checked
    user.updated = org.clock.now()
    if password is not None:
        user.set_password(password, user.updated)
    org.record("user.account.update_profile", user)
    return json_reply(user_json(org, user))


def _requested_password(org: Org, user: User, profile: Json, body: Json) -> str | None:
    """Return the password in the body, None if there is none. Imported hashes are not supported."""
    credentials = object_at(body, "credentials")
    if credentials.get("password") in (None, {}):
        return None
    password = value_at(credentials, "password", "value")
    if not isinstance(password, str):
        raise validation_error("password: The field has an invalid value")
    problems = password_problems(org.policy_for("", user).password, password, profile["login"], profile, user)
    if problems:
        raise validation_error(f"password: {problems[0]['message']}")
    return password


def _requested_groups(org: Org, body: Json) -> list[Group]:
    ids = body.get("groupIds") or []
    if not isinstance(ids, list):
        raise validation_error("groupIds: The field has an invalid value")
    names = [str(group_id) for group_id in ids]
    unknown = next((name for name in names if name not in org.groups.by_id), None)
    if unknown is not None:
        raise not_found(unknown, "UserGroup")
    return [org.groups.by_id[name] for name in names]
