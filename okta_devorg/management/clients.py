"""Dynamic client registration (RFC 7591 and 7592): apps, in the words of OAuth."""

from flask import Request, Response

from okta_devorg.management.app_documents import app_json
from okta_devorg.management.apps import check_keys, find_app, new_secret, remove_app, store_app, with_client
from okta_devorg.management.json_api import (
    api_body,
    list_reply,
    no_content,
    require_known,
    required_text,
)
from okta_devorg.policy.settings import App
from okta_devorg.state.org import Org
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

# Members of the OAuth client that Okta's own API has too, under the same names.
SHARED = (
    "client_uri", "logo_uri", "redirect_uris", "post_logout_redirect_uris", "response_types", "grant_types",
    "application_type", "dpop_bound_access_tokens",
)  # fmt: skip
MAY_BE_SENT = ("initiate_login_uri", "client_secret", "jwks", "jwks_uri", "policy_uri", "tos_uri")


def list_clients(org: Org, request: Request) -> Response:
    """GET /oauth2/v1/clients."""
    return list_reply(org, request, [_client_json(org, app) for app in org.policy.apps])


def get_client(org: Org, request: Request, client_id: str) -> Response:
    """GET /oauth2/v1/clients/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(_client_json(org, find_app(org, client_id)))


def register_client(org: Org, request: Request) -> Response:
    """POST /oauth2/v1/clients: a new app that nobody is assigned to. Only this answer shows its secret.

    :raises ApiError: 400, if the name is missing or a member is unknown.
    :raises PolicyError: if a value is wrong.
    """
    body = api_body(request)
    method = body.get("token_endpoint_auth_method")
    secret = new_secret(method)
    app = with_client(App(new_id("0oa"), secret, assigned=False), body, label=required_text(body, "client_name"))
    require_known(body, _client_json(org, app), MAY_BE_SENT)
    check_keys(app, method)
    shown = _client_json(org, store_app(org, app))
    return json_reply({**shown, **({"client_secret": secret} if secret else {})}, 201)


def replace_client(org: Org, request: Request, client_id: str) -> Response:
    """PUT /oauth2/v1/clients/{id}: what is left out stays as it is.

    :raises ApiError: 404; 400, if the name is missing or a member is unknown.
    :raises PolicyError: if a value is wrong.
    """
    app, body = find_app(org, client_id), api_body(request)
    require_known(body, _client_json(org, app), MAY_BE_SENT)
    app = store_app(org, with_client(app, body, label=required_text(body, "client_name")))
    return json_reply(_client_json(org, app))


def delete_client(org: Org, request: Request, client_id: str) -> Response:
    """DELETE /oauth2/v1/clients/{id}: delete the app, active or not.

    :raises ApiError: 404, if there is none.
    """
    remove_app(org, find_app(org, client_id))
    return no_content()


def _client_json(org: Org, app: App) -> Json:
    shown = app_json(org, app)
    client = shown["settings"]["oauthClient"]
    dates = {"client_id_issued_at": int(org.clock.real_time(org.started)), "client_secret_expires_at": 0}
    return {
        "client_id": app.client_id,
        **(dates if app.client_secret else {"client_id_issued_at": dates["client_id_issued_at"]}),
        "client_name": app.label,
        **{name: client[name] for name in SHARED},
        "token_endpoint_auth_method": shown["credentials"]["oauthClient"]["token_endpoint_auth_method"],
        **{name: client[name] for name in ("initiate_login_uri", "jwks") if name in client},
    }
