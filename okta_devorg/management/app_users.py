"""Who is assigned to an app: by a group, or because everybody is."""

from flask import Request, Response

from okta_devorg.management.app_documents import app_json
from okta_devorg.management.apps import find_app
from okta_devorg.management.groups import find_group
from okta_devorg.management.json_api import list_reply, not_found
from okta_devorg.management.links import link
from okta_devorg.management.users import find_user
from okta_devorg.policy.settings import App
from okta_devorg.state.groups import EVERYONE
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply


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
    app, user = find_app(org, app_id), find_user(org, user_id)
    if not org.is_assigned(app, user):
        raise not_found(user_id, "AppUser")
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
    at, api = org.clock.iso(user.updated), f"{org.base}/api/v1"
    return {
        "id": user.id,
        "externalId": None,
        "created": org.clock.iso(user.created),
        "lastUpdated": at,
        "scope": "GROUP",
        "status": "ACTIVE",
        "statusChanged": at,
        "passwordChanged": None,
        "syncState": "DISABLED",
        "credentials": {"userName": user.login},
        "profile": {},
        "_links": {
            "app": link(f"{api}/apps/{app.client_id}"),
            "user": link(f"{api}/users/{user.id}"),
        },
    }
