"""Apps and the groups they are assigned to, read from and written to `apps` of the org's settings."""

from dataclasses import replace
from typing import Any

from flask import Request, Response

from okta_devorg.management.app_documents import EMAIL_CALLBACK, app_json
from okta_devorg.management.groups import find_group
from okta_devorg.management.json_api import (
    api_body,
    is_activation,
    list_reply,
    no_content,
    not_found,
    object_at,
    require_known,
    required_text,
    validation_error,
    value_at,
)
from okta_devorg.management.search import matching
from okta_devorg.policy.serialization import from_json, to_json
from okta_devorg.policy.settings import App
from okta_devorg.state.groups import EVERYONE
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import ApiError
from okta_devorg.wire.identifiers import new_id, new_token
from okta_devorg.wire.ion import Json
from okta_devorg.wire.public_keys import jwk_to_pem
from okta_devorg.wire.replies import json_reply

# Members of the OAuth client that null removes, and the settings they stand for.
REMOVABLE = {"initiate_login_uri": "initiate_login_uri", EMAIL_CALLBACK: "email_callback_uri"}
# All members of the OAuth client that are settings.
MEMBERS = {
    "redirect_uris": "redirect_uris",
    "post_logout_redirect_uris": "post_logout_redirect_uris",
    "grant_types": "grants",
    "dpop_bound_access_tokens": "dpop_bound_access_tokens",
    **REMOVABLE,
}


# What a new app needs.
REQUIRED = ("name", "label")
# Members that the API knows and does not show of every app.
MAY_BE_SENT = (
    "credentials.oauthClient.client_secret", "settings.oauthClient.initiate_login_uri", "settings.oauthClient.jwks",
    "settings.oauthClient.jwks_uri", "settings.oauthClient.refresh_token", "settings.oauthClient.policy_uri",
    "settings.oauthClient.tos_uri", "settings.app", "profile", "licensing", "visibility.appLinks",
)  # fmt: skip


def find_app(org: Org, app_id: str) -> App:
    """Return the app with this id.

    :raises ApiError: 404, if there is none.
    """
    app = org.policy.app(app_id)
    if app is None:
        raise not_found(app_id, "AppInstance")
    return app


def list_apps(org: Org, request: Request) -> Response:
    """GET apps: by `q` (the start of the label) and `filter`.

    :raises ApiError: 400, if the expression cannot be read.
    """
    expand = request.args.get("expand", "")
    if expand and not expand.startswith("user/"):
        raise ApiError(400, "E0000001", "Api validation failed: RequestParams", ("Expand query is malformed.",))
    query = request.args.get("q", "").casefold()
    apps = [app_json(org, app) for app in org.policy.apps if app.label.casefold().startswith(query)]
    return list_reply(org, request, matching(apps, request.args.get("filter", "")))


def get_app(org: Org, request: Request, app_id: str) -> Response:
    """GET apps/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(app_json(org, find_app(org, app_id)))


def create_app(org: Org, request: Request) -> Response:
    """POST apps: an app with a new secret, unless it authenticates by `none` or a key; nobody is assigned to it.

    :raises ApiError: 400, if something is missing or unknown, or the client id is taken.
    :raises PolicyError: if a value is wrong.
    """
    body = api_body(request)
    if body.get("signOnMode", "OPENID_CONNECT") != "OPENID_CONNECT":
        raise validation_error("signOnMode: This org has apps for OpenID Connect only")
    for name in REQUIRED:
        required_text(body, name)
    requested_id = value_at(body, "credentials", "oauthClient", "client_id")
    client_id = requested_id if isinstance(requested_id, str) and requested_id else new_id("0oa")
    if org.policy.app(client_id):
        raise validation_error("client_id: An object with this field already exists in the current organization")
    method = value_at(body, "credentials", "oauthClient", "token_endpoint_auth_method")
    app = _with_body(App(client_id, new_secret(method), assigned=False), body)
    require_known(body, app_json(org, app), MAY_BE_SENT)
    check_keys(app, method)
    store_app(org, app)
    return json_reply(app_json(org, app))


def new_secret(method: object) -> str | None:
    """Return a secret for a new app that authenticates by this method, None if it needs none."""
    return None if method in ("none", "private_key_jwt") else new_token(size=30)


def check_keys(app: App, method: object) -> None:
    """Refuse an app that is to authenticate by a key and has none. This org fetches no keys from a `jwks_uri`.

    :raises ApiError: 400.
    """
    if method == "private_key_jwt" and not app.public_keys:
        raise validation_error("jwks: The field cannot be left blank")


def replace_app(org: Org, request: Request, app_id: str) -> Response:
    """PUT apps/{id}: what is left out stays as it is.

    :raises ApiError: 404, if there is none.
    :raises PolicyError: if a value is wrong.
    """
    old, body = find_app(org, app_id), api_body(request)
    require_known(body, app_json(org, old), MAY_BE_SENT)
    app = store_app(org, _with_body(old, body))
    return json_reply(app_json(org, app))


def delete_app(org: Org, request: Request, app_id: str) -> Response:
    """DELETE apps/{id}.

    :raises ApiError: 404, if there is none; 403, if it is active.
    """
    app = find_app(org, app_id)
    if app.active:
        cause = "The application must be deactivated before deletion."
        raise ApiError(403, "E0000056", "Delete application forbidden.", (cause,))
    remove_app(org, app)
    return no_content()


def remove_app(org: Org, app: App) -> None:
    """Delete an app, with everything that was said about it."""
    org.policies.unassign(app.client_id)
    org.app_users.remove_all_of(app.client_id)
    org.own_policy = replace(org.own_policy, apps=tuple(item for item in org.policy.apps if item is not app))


def set_app_active(org: Org, request: Request, app_id: str, change: str) -> Response:
    """POST apps/{id}/lifecycle/activate and deactivate.

    :raises ApiError: 404, if there is no such app or change.
    """
    active = is_activation(change)
    store_app(org, replace(find_app(org, app_id), active=active))
    return json_reply({})


def store_app(org: Org, app: App) -> App:
    """Add the app, or replace the one with its id; return it.

    :raises PolicyError: if the app makes no sense.
    """
    apps = [app if item.client_id == app.client_id else item for item in org.policy.apps]
    org.patch_policy({"apps": [to_json(item) for item in (apps if app in apps else [*apps, app])]})
    return app


def _with_body(app: App, body: Json) -> App:
    secret = value_at(body, "credentials", "oauthClient", "client_secret")
    client = object_at(body, "settings", "oauthClient")
    return with_client(app, client, label=body.get("label"), client_secret=secret)


def _pem_of(keys: object) -> list[str] | None:
    """Return public keys (RFC 7517) as PEM, None if there are none.

    :raises ApiError: 400, if one cannot be read.
    """
    if not isinstance(keys, list):
        return None
    try:
        return [jwk_to_pem(key) for key in keys]
    except ValueError as error:
        raise validation_error("jwks: The key is invalid") from error


def with_client(app: App, client: Json, **values: Any) -> App:
    """Return the app with the members of an OAuth client, and other settings as `values`.

    One that is left out stays, null removes what can be removed.

    :raises PolicyError: if a value is wrong.
    """
    values |= {setting: client.get(name) for name, setting in MEMBERS.items()}
    values["public_keys"] = _pem_of(value_at(client, "jwks", "keys"))
    changes = {name: value for name, value in values.items() if value is not None}
    changes |= {name: None for key, name in REMOVABLE.items() if key in client and client[key] is None}
    checked: App = from_json(App, {"client_id": app.client_id, **changes}, "app")
    return replace(app, **{name: getattr(checked, name) for name in changes})


def list_secrets(org: Org, request: Request, app_id: str) -> Response:
    """GET apps/{id}/credentials/secrets.

    :raises ApiError: 404, if there is no such app.
    """
    app, at = find_app(org, app_id), org.clock.iso(org.started)
    secret = {"id": "ocs" + app.client_id[3:], "client_secret": app.client_secret, "status": "ACTIVE"}
    return list_reply(org, request, [{**secret, "created": at, "lastUpdated": at}] if app.client_secret else [])


def list_tokens(org: Org, request: Request, app_id: str) -> Response:
    """GET apps/{id}/tokens: refresh tokens are not shown here.

    :raises ApiError: 404, if there is no such app.
    """
    find_app(org, app_id)
    return list_reply(org, request, [])


def find_token(org: Org, request: Request, app_id: str, token_id: str) -> Response:
    """GET and DELETE apps/{id}/tokens/{token}: there is none that could be named.

    :raises ApiError: 404.
    """
    find_app(org, app_id)
    raise not_found(token_id, "OAuth2RefreshTokenTx")


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
    store_app(org, app)
    return json_reply(_assignment_json(org, group.id))


def unassign_group(org: Org, request: Request, app_id: str, group_id: str) -> Response:
    """DELETE apps/{id}/groups/{group}.

    :raises ApiError: 404, if there is no such app.
    """
    app = find_app(org, app_id)
    if group_id == EVERYONE:
        store_app(org, replace(app, assigned=False))
    else:
        store_app(org, replace(app, groups=tuple(item for item in app.groups if item != group_id)))
    return no_content()


def _assigned_groups(app: App) -> list[str]:
    return [*([EVERYONE] if app.assigned else []), *app.groups]


def _assignment_json(org: Org, group_id: str) -> Json:
    links = {"group": {"href": f"{org.base}/api/v1/groups/{group_id}"}}
    return {"id": group_id, "priority": 0, "profile": {}, "_links": links}
