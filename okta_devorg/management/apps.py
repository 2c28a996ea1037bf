"""Apps and who is assigned to them: views on the `apps` of the org's policy."""

from dataclasses import replace
from typing import Any

from flask import Request, Response

from okta_devorg.management.access import Json, body_of, invalid, listing, member, no_content, not_found, objects
from okta_devorg.management.groups import find as find_group
from okta_devorg.management.search import matches
from okta_devorg.policy.serialization import read as read_policy
from okta_devorg.policy.settings import App
from okta_devorg.state.groups import EVERYONE
from okta_devorg.state.org import Org
from okta_devorg.wire.identifiers import new_bearer, new_id
from okta_devorg.wire.replies import json_reply

# Okta's published API leaves the Email Verification Experience URI out; this org takes and shows it all the same.
EMAIL_CALLBACK = "email_verification_uri"
CLEARABLE = {"initiate_login_uri": "initiate_login_uri", EMAIL_CALLBACK: "email_callback_uri"}


def find(org: Org, app_id: str) -> App:
    app = org.policy.app(app_id)
    if app is None:
        raise not_found(app_id, "AppInstance")
    return app


def keep(org: Org, app: App) -> None:
    """In the place of the one with its id, or as a new one."""
    others = [app if item.client_id == app.client_id else item for item in org.policy.apps]
    org.own_policy = replace(org.own_policy, apps=tuple(others if app in others else [*others, app]))


def list_apps(org: Org, request: Request) -> Response:
    query, expression = request.args.get("q", "").casefold(), request.args.get("filter", "")
    found = [app_json(org, app) for app in org.policy.apps if app.label.casefold().startswith(query)]
    return listing(org, request, [item for item in found if not expression or matches(expression, item)])


def get_app(org: Org, request: Request, app_id: str) -> Response:
    return json_reply(app_json(org, find(org, app_id)))


def create_app(org: Org, request: Request) -> Response:
    body = body_of(request)
    method = member(body, "credentials", "oauthClient", "token_endpoint_auth_method") or "client_secret_basic"
    wanted = member(body, "credentials", "oauthClient", "client_id")
    client_id = wanted if isinstance(wanted, str) and wanted else new_id("0oa")
    if org.policy.app(client_id):
        raise invalid("client_id: An object with this field already exists in the current organization")
    secret = None if method == "none" else new_bearer(size=30)
    keep(org, changed(App(client_id, secret, assigned=False), body))
    return json_reply(app_json(org, find(org, client_id)))


def replace_app(org: Org, request: Request, app_id: str) -> Response:
    keep(org, changed(find(org, app_id), body_of(request)))
    return get_app(org, request, app_id)


def changed(app: App, body: Json) -> App:
    """The app with what the body says. Raises PolicyError for values that make no sense."""
    client = objects(body, "settings", "oauthClient")
    given: dict[str, Any] = {"label": body.get("label")}
    for name in ("redirect_uris", "post_logout_redirect_uris", "initiate_login_uri"):
        given[name] = client.get(name)
    given["grants"] = client.get("grant_types")
    given["email_callback_uri"] = client.get(EMAIL_CALLBACK)
    secret = member(body, "credentials", "oauthClient", "client_secret")
    given["client_secret"] = secret
    known = {name: value for name, value in given.items() if value is not None}
    # Left out means "as it is", null means "none".
    known |= {name: None for key, name in CLEARABLE.items() if key in client and client[key] is None}
    checked: App = read_policy(App, {"client_id": app.client_id, **known}, "app")
    return replace(app, **{name: getattr(checked, name) for name in known})


def delete_app(org: Org, request: Request, app_id: str) -> Response:
    app = find(org, app_id)
    org.own_policy = replace(org.own_policy, apps=tuple(item for item in org.policy.apps if item is not app))
    return no_content()


def set_active(org: Org, request: Request, app_id: str, change: str) -> Response:
    if change not in ("activate", "deactivate"):
        raise not_found(change, "Lifecycle")
    keep(org, replace(find(org, app_id), active=change == "activate"))
    return json_reply({})


# ---- group assignments: "Everyone" is the app's `assigned`


def assigned_groups(app: App) -> list[str]:
    return [*([EVERYONE] if app.assigned else []), *app.groups]


def assignment_json(org: Org, app: App, group_id: str) -> Json:
    links = {"group": {"href": f"{org.base}/api/v1/groups/{group_id}"}}
    return {"id": group_id, "priority": 0, "profile": {}, "_links": links}


def list_groups(org: Org, request: Request, app_id: str) -> Response:
    app = find(org, app_id)
    return listing(org, request, [assignment_json(org, app, group_id) for group_id in assigned_groups(app)])


def get_group(org: Org, request: Request, app_id: str, group_id: str) -> Response:
    app = find(org, app_id)
    if group_id not in assigned_groups(app):
        raise not_found(group_id, "UserGroup")
    return json_reply(assignment_json(org, app, group_id))


def assign_group(org: Org, request: Request, app_id: str, group_id: str) -> Response:
    app, group = find(org, app_id), find_group(org, group_id)
    if group.id == EVERYONE:
        app = replace(app, assigned=True)
    elif group.id not in app.groups:
        app = replace(app, groups=(*app.groups, group.id))
    keep(org, app)
    return json_reply(assignment_json(org, app, group.id))


def remove_group(org: Org, request: Request, app_id: str, group_id: str) -> Response:
    app = find(org, app_id)
    if group_id == EVERYONE:
        keep(org, replace(app, assigned=False))
    else:
        keep(org, replace(app, groups=tuple(item for item in app.groups if item != group_id)))
    return no_content()


def app_json(org: Org, app: App) -> Json:
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
    }
    client[EMAIL_CALLBACK] = app.email_callback_uri
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
