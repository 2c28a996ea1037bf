"""The part of the Management API sign-up needs: make a person and hand out an activation token (protocol 5.7)."""

import re
from typing import Any

from flask import Request, Response

from .activation import issue_token, mail_token
from .identifiers import new_id
from .org import Org
from .profile_form import is_email
from .refusals import ApiError
from .replies import json_reply, parse_json
from .users import Status, User

SEARCH = re.compile(r'profile\.(email|login) eq "([^"]*)"')


def require_token(org: Org, request: Request) -> None:
    """`SSWS <token>`; the Python SDK leaves the space out."""
    given = request.headers.get("Authorization", "")
    if not given.startswith("SSWS") or given[4:].strip() != org.policy.api_token:
        raise ApiError(401, "E0000011", "Invalid token provided")


def list_users(org: Org, request: Request) -> Response:
    require_token(org, request)
    search = SEARCH.search(request.args.get("search") or request.args.get("filter") or "")
    found = [user for user in org.users if not search or wanted(user, search[1], search[2])]
    return json_reply([user_json(org, user) for user in found])


def wanted(user: User, attribute: str, value: str) -> bool:
    return value.casefold() == (user.email if attribute == "email" else user.login).casefold()


def get_user(org: Org, request: Request, id_or_login: str) -> Response:
    require_token(org, request)
    return json_reply(user_json(org, find(org, id_or_login)))


def find(org: Org, id_or_login: str) -> User:
    user = org.users.find(id_or_login)
    if user is None:
        raise ApiError(404, "E0000007", f"Not found: Resource not found: {id_or_login} (User)")
    return user


def create_user(org: Org, request: Request) -> Response:
    require_token(org, request)
    parsed = parse_json(request.get_data())
    body = parsed if isinstance(parsed, dict) else {}
    profile = body.get("profile")
    if not isinstance(profile, dict) or not is_email(profile.get("login")) or not is_email(profile.get("email")):
        raise ApiError(400, "E0000001", "Api validation failed: login")
    if org.users.find(profile["login"]):
        text = "Api validation failed: login: An object with this field already exists in the current organization"
        raise ApiError(400, "E0000001", text)
    now = org.clock.now()
    user = User(new_id("00u"), profile["login"], profile, Status.STAGED, now, now)
    password = password_of(body)
    if password:
        user.set_password(password)
    if request.args.get("activate", "true") != "false":
        user.status = Status.ACTIVE if password else Status.PROVISIONED
    org.users.add(user)
    return json_reply(user_json(org, user))


def password_of(body: dict[str, Any]) -> str | None:
    value = body.get("credentials")
    for key in ("password", "value"):
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def activate_user(org: Org, request: Request, id_or_login: str) -> Response:
    """The token for the app's own mail; with `sendEmail` (the default) the org mails it and the body is empty."""
    require_token(org, request)
    user = find(org, id_or_login)
    if user.status is Status.ACTIVE:
        raise ApiError(403, "E0000016", "Activation failed because the user is already active")
    user.status = Status.PROVISIONED
    if request.args.get("sendEmail", "true") == "false":
        token = issue_token(org, user)
        return json_reply({"activationUrl": f"{org.base}/welcome/{token}", "activationToken": token})
    mail_token(org, user)
    return json_reply({})


def user_json(org: Org, user: User) -> dict[str, Any]:
    activated = org.clock.iso(user.updated) if user.status is Status.ACTIVE else None
    return {
        "id": user.id,
        "status": user.status,
        "created": org.clock.iso(user.created),
        "activated": activated,
        "statusChanged": activated,
        "lastLogin": None,
        "lastUpdated": org.clock.iso(user.updated),
        "passwordChanged": None,
        "type": {"id": "oty" + "LocalDevOrg000001"},
        "profile": {"login": user.login, **user.profile},
        "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
        "_links": {"self": {"href": f"{org.base}/api/v1/users/{user.id}"}},
    }
