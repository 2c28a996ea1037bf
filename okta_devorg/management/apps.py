"""Apps and the groups they are assigned to, read from and written to `apps` of the org's settings."""

from dataclasses import replace
from typing import Any

from flask import Request, Response

from okta_devorg.management.groups import find_group
from okta_devorg.management.json_api import (
    api_body,
    is_activation,
    list_reply,
    no_content,
    not_found,
    object_at,
    validation_error,
    value_at,
)
from okta_devorg.management.search import matches
from okta_devorg.policy.serialization import from_json
from okta_devorg.policy.settings import App
from okta_devorg.state.groups import EVERYONE
from okta_devorg.state.org import Org
from okta_devorg.wire.identifiers import new_id, new_token
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

# Okta's published API does not have the Email Verification Experience URI; this org shows and accepts it all the same.
EMAIL_CALLBACK = "email_verification_uri"
# Members of the OAuth client that null removes, and the settings they stand for.
REMOVABLE = {"initiate_login_uri": "initiate_login_uri", EMAIL_CALLBACK: "email_callback_uri"}


def find_app(org: Org, app_id: str) -> App:
    """Return the app with this id.

    :raises ApiError: 404, if there is none.
    """
    app = org.policy.app(app_id)
    if app is None:
        raise not_found(app_id, "AppInstance")
    return app


def app_json(org: Org, app: App) -> Json:
    """Return an app as the API shows it."""
    at = org.clock.iso(org.started)
    method = "private_key_jwt" if app.public_keys else "client_secret_basic" if app.client_secret else "none"
    credentials = {"client_id": app.client_id, "token_endpoint_auth_method": method, "pkce_required": True}
    if app.client_secret:
        credentials["client_secret"] = app.client_secret
    client = {
        "redirect_uris": list(app.redirect_uris),
        "post_logout_redirect_uris": list(app.post_logout_redirect_uris),
        "response_types": ["code"],
        "grant_types": list(app.grants),
        "application_type": "service" if app.grants == ("client_credentials",) else "web",
        "consent_method": "REQUIRED" if org.policy.consent else "TRUSTED",
        "issuer_mode": "ORG_URL",
        EMAIL_CALLBACK: app.email_callback_uri,
    }
    if app.initiate_login_uri:
        client["initiate_login_uri"] = app.initiate_login_uri
    return {
        "id": app.client_id,
        "name": "oidc_client",
        "label": app.label,
        "status": "ACTIVE" if app.active else "INACTIVE",
        "created": at,
        "lastUpdated": at,
        "signOnMode": "OPENID_CONNECT",
        "credentials": {"oauthClient": {**credentials, "autoKeyRotation": True}},
        "settings": {"oauthClient": client},
        "_links": {"groups": {"href": f"{org.base}/api/v1/apps/{app.client_id}/groups"}},
    }


def list_apps(org: Org, request: Request) -> Response:
    """GET apps: by `q` (the start of the label) and `filter`.

    :raises ApiError: 400, if the expression cannot be read.
    """
    query, expression = request.args.get("q", "").casefold(), request.args.get("filter", "")
    apps = [app_json(org, app) for app in org.policy.apps if app.label.casefold().startswith(query)]
    return list_reply(org, request, [app for app in apps if matches(expression, app)])


def get_app(org: Org, request: Request, app_id: str) -> Response:
    """GET apps/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(app_json(org, find_app(org, app_id)))


def create_app(org: Org, request: Request) -> Response:
    """POST apps: an app with a new secret, or none if it authenticates by `none`; nobody is assigned to it.

    :raises ApiError: 400, if the client id is taken.
    :raises PolicyError: if a value is wrong.
    """
    body = api_body(request)
    requested_id = value_at(body, "credentials", "oauthClient", "client_id")
    client_id = requested_id if isinstance(requested_id, str) and requested_id else new_id("0oa")
    if org.policy.app(client_id):
        raise validation_error("client_id: An object with this field already exists in the current organization")
    method = value_at(body, "credentials", "oauthClient", "token_endpoint_auth_method") or "client_secret_basic"
    secret = None if method == "none" else new_token(size=30)
    app = _store(org, _with_body(App(client_id, secret, assigned=False), body))
    return json_reply(app_json(org, app))


def replace_app(org: Org, request: Request, app_id: str) -> Response:
    """PUT apps/{id}: what is left out stays as it is.

    :raises ApiError: 404, if there is none.
    :raises PolicyError: if a value is wrong.
    """
    app = _store(org, _with_body(find_app(org, app_id), api_body(request)))
    return json_reply(app_json(org, app))


def delete_app(org: Org, request: Request, app_id: str) -> Response:
    """DELETE apps/{id}.

    :raises ApiError: 404, if there is none.
    """
    app = find_app(org, app_id)
    org.own_policy = replace(org.own_policy, apps=tuple(item for item in org.policy.apps if item is not app))
    return no_content()


def set_app_active(org: Org, request: Request, app_id: str, change: str) -> Response:
    """POST apps/{id}/lifecycle/activate and deactivate.

    :raises ApiError: 404, if there is no such app or change.
    """
    active = is_activation(change)
    _store(org, replace(find_app(org, app_id), active=active))
    return json_reply({})


def _store(org: Org, app: App) -> App:
    """Add the app, or replace the one with its id; return it."""
    apps = [app if item.client_id == app.client_id else item for item in org.policy.apps]
    org.own_policy = replace(org.own_policy, apps=tuple(apps if app in apps else [*apps, app]))
    return app


def _with_body(app: App, body: Json) -> App:
    """Return the app with the values of the body: one that is left out stays, null removes what can be removed."""
    client = object_at(body, "settings", "oauthClient")
    values: dict[str, Any] = {
        "label": body.get("label"),
        "redirect_uris": client.get("redirect_uris"),
        "post_logout_redirect_uris": client.get("post_logout_redirect_uris"),
        "initiate_login_uri": client.get("initiate_login_uri"),
        "grants": client.get("grant_types"),
        "email_callback_uri": client.get(EMAIL_CALLBACK),
        "client_secret": value_at(body, "credentials", "oauthClient", "client_secret"),
    }
    changes = {name: value for name, value in values.items() if value is not None}
    changes |= {name: None for key, name in REMOVABLE.items() if key in client and client[key] is None}
    checked: App = from_json(App, {"client_id": app.client_id, **changes}, "app")
    return replace(app, **{name: getattr(checked, name) for name in changes})


# ---- assignments to groups; the group "Everyone" is the setting `assigned`


def list_assignments(org: Org, request: Request, app_id: str) -> Response:
    """GET apps/{id}/groups.

    :raises ApiError: 404, if there is no such app.
    """
    group_ids = _assigned_groups(find_app(org, app_id))
    return list_reply(org, request, [_assignment_json(org, group_id) for group_id in group_ids])


def get_assignment(org: Org, request: Request, app_id: str, group_id: str) -> Response:
    """GET apps/{id}/groups/{group}.

    :raises ApiError: 404, if there is no such assignment.
    """
    if group_id not in _assigned_groups(find_app(org, app_id)):
        raise not_found(group_id, "UserGroup")
    return json_reply(_assignment_json(org, group_id))


def assign_group(org: Org, request: Request, app_id: str, group_id: str) -> Response:
    """PUT apps/{id}/groups/{group}.

    :raises ApiError: 404, if there is no such app or group.
    """
    app, group = find_app(org, app_id), find_group(org, group_id)
    if group.id == EVERYONE:
        app = replace(app, assigned=True)
    elif group.id not in app.groups:
        app = replace(app, groups=(*app.groups, group.id))
    _store(org, app)
    return json_reply(_assignment_json(org, group.id))


def unassign_group(org: Org, request: Request, app_id: str, group_id: str) -> Response:
    """DELETE apps/{id}/groups/{group}.

    :raises ApiError: 404, if there is no such app.
    """
    app = find_app(org, app_id)
    if group_id == EVERYONE:
        _store(org, replace(app, assigned=False))
    else:
        _store(org, replace(app, groups=tuple(item for item in app.groups if item != group_id)))
    return no_content()


def _assigned_groups(app: App) -> list[str]:
    return [*([EVERYONE] if app.assigned else []), *app.groups]


def _assignment_json(org: Org, group_id: str) -> Json:
    links = {"group": {"href": f"{org.base}/api/v1/groups/{group_id}"}}
    return {"id": group_id, "priority": 0, "profile": {}, "_links": links}
