"""Who is assigned to an app: by name, by a group, or because everybody is."""

from flask import Request, Response

from okta_devorg.management.app_documents import app_json
from okta_devorg.management.apps import find_app
from okta_devorg.management.groups import find_group
from okta_devorg.management.json_api import (
    api_body,
    list_reply,
    no_content,
    not_found,
    require_known,
    required_text,
    validation_error,
    value_at,
)
from okta_devorg.management.links import link
from okta_devorg.management.users import find_user
from okta_devorg.policy.settings import App
from okta_devorg.state.app_users import AppUser
from okta_devorg.state.groups import EVERYONE
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

# Its members are the app's own.
MAY_BE_SENT = ("profile",)


def list_users(org: Org, request: Request, app_id: str) -> Response:
    """GET apps/{id}/users.

    :raises ApiError: 404, if there is no such app.
    """
    app = find_app(org, app_id)
    return list_reply(
        org, request, [_app_user_json(org, app, user) for user in org.users if org.is_assigned(app, user)]
    )


def get_user(org: Org, request: Request, app_id: str, user_id: str) -> Response:
    """GET apps/{id}/users/{user}.

    :raises ApiError: 404, if the user is not assigned.
    """
    app, user = _find(org, app_id, user_id)
    return json_reply(_app_user_json(org, app, user))


def assign_user(org: Org, request: Request, app_id: str) -> Response:
    """POST apps/{id}/users: assign the user with the `id` in the body by name.

    :raises ApiError: 404, if there is no such app or user; 400, if the id is missing or a member unknown.
    """
    app, body = find_app(org, app_id), api_body(request)
    user = find_user(org, required_text(body, "id"))
    return _change(org, app, user, body, by_name=True)


def update_user(org: Org, request: Request, app_id: str, user_id: str) -> Response:
    """POST apps/{id}/users/{user}: change `credentials.userName` or `profile`. What is left out stays as it is.

    :raises ApiError: 404, if the user is not assigned; 400, if a member is unknown or a value is wrong.
    """
    app, user = _find(org, app_id, user_id)
    return _change(org, app, user, api_body(request), by_name=False)


def unassign_user(org: Org, request: Request, app_id: str, user_id: str) -> Response:
    """DELETE apps/{id}/users/{user}. Who is assigned by a group as well stays assigned.

    :raises ApiError: 404, if the user is not assigned.
    """
    app, user = _find(org, app_id, user_id)
    org.app_users.remove(app.client_id, user.id)
    return no_content()


def _find(org: Org, app_id: str, user_id: str) -> tuple[App, User]:
    app, user = find_app(org, app_id), find_user(org, user_id)
    if not org.is_assigned(app, user):
        raise not_found(user_id, "AppUser")
    return app, user


def _change(org: Org, app: App, user: User, body: Json, by_name: bool) -> Response:
    require_known(body, _app_user_json(org, app, user), MAY_BE_SENT)
    user_name, profile = value_at(body, "credentials", "userName"), body.get("profile")
    if not isinstance(user_name, str | None) or not isinstance(profile, dict | None):
        raise validation_error("appUser: The field has an invalid value")
    app_user = org.app_users.find_or_add(app.client_id, user.id, org.clock.now())
    app_user.updated = org.clock.now()
    app_user.is_assigned = app_user.is_assigned or by_name
    app_user.user_name = user_name or app_user.user_name
    app_user.profile = {**app_user.profile, **(profile or {})}
    return json_reply(_app_user_json(org, app, user))


def list_apps_of_group(org: Org, request: Request, group_id: str) -> Response:
    """GET groups/{id}/apps.

    :raises ApiError: 404, if there is no such group.
    """
    group = find_group(org, group_id)
    apps = [app for app in org.policy.apps if group.id in app.groups or (group.id == EVERYONE and app.assigned)]
    return list_reply(org, request, [app_json(org, app) for app in apps])


def list_app_links(org: Org, request: Request, user_id: str) -> Response:
    """GET users/{id}/appLinks: the apps that the user may use and that can start a sign-in.

    :raises ApiError: 404, if there is no such user.
    """
    user = find_user(org, user_id)
    apps = [app for app in org.policy.apps if app.initiate_login_uri and app.active and org.is_assigned(app, user)]
    return list_reply(org, request, [_app_link_json(app, order) for order, app in enumerate(apps)])


def _app_link_json(app: App, order: int) -> Json:
    names = {"label": app.label, "linkUrl": app.initiate_login_uri, "appName": "oidc_client"}
    return {"id": app.client_id, **names, "appInstanceId": app.client_id, "hidden": False, "sortOrder": order}


def _app_user_json(org: Org, app: App, user: User) -> Json:
    known = org.app_users.find(app.client_id, user.id) or AppUser(user.created, user.updated)
    at, api = org.clock.iso(known.updated), f"{org.base}/api/v1"
    return {
        "id": user.id,
        "externalId": None,
        "created": org.clock.iso(known.created),
        "lastUpdated": at,
        "scope": "USER" if known.is_assigned else "GROUP",
        "status": "ACTIVE",
        "statusChanged": at,
        "passwordChanged": None,
        "syncState": "DISABLED",
        "credentials": {"userName": known.user_name or user.login},
        "profile": known.profile,
        "_links": {
            "app": link(f"{api}/apps/{app.client_id}"),
            "user": link(f"{api}/users/{user.id}"),
        },
    }
