"""Putting the app together."""

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask.json.provider import DefaultJSONProvider

from okta_devorg.app.error_replies import ERROR_HANDLERS
from okta_devorg.app.middleware import after_request, before_request
from okta_devorg.app.routes import LOCAL_ROUTES, OAUTH_ROUTES, PROTOCOL_ROUTES, View
from okta_devorg.oidc import discovery
from okta_devorg.pages import sign_in
from okta_devorg.state.org import Org

# Where templates and static files are.
PACKAGE = Path(__file__).parent.parent
# Bytes of a request's body.
MAX_BODY = 1 << 20


class UnsortedJSONProvider(DefaultJSONProvider):
    """Writes the members of objects in the order they have, which the calls page shows as they were sent."""

    sort_keys = False


def create_app(org: Org) -> Flask:
    """Return the WSGI app of an org."""
    app = Flask("okta_devorg", root_path=str(PACKAGE))
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json = UnsortedJSONProvider(app)
    for issuer in (org.base, org.issuer):
        for document in ("openid-configuration", "oauth-authorization-server"):
            path = f"{urlsplit(issuer).path}/.well-known/{document}"
            _add_route(app, org, "GET", path, partial(discovery.discovery, issuer=issuer))
        oauth_path = urlsplit(org.oauth_base(issuer)).path
        for methods, path, view in OAUTH_ROUTES:
            _add_route(app, org, methods, oauth_path + path, partial(view, issuer=issuer))
    for methods, path, view in (*PROTOCOL_ROUTES, *LOCAL_ROUTES):
        _add_route(app, org, methods, path, view)
    app.before_request(partial(before_request, org))
    app.after_request(partial(after_request, org))
    for error_class, handler in ERROR_HANDLERS.items():
        app.register_error_handler(error_class, handler)
    return app


def _add_route(app: Flask, org: Org, methods: str, path: str, view: View) -> None:
    """Add a route. Its name matters only for the page that `url_for` leads to."""
    name = "sign_in_page" if view is sign_in.sign_in_page else f"{methods} {path}".replace(".", "_")
    # Clients of the Management API write a slash at the end or leave it out.
    strict_slashes = not path.startswith("/api/")
    options = {"provide_automatic_options": False, "strict_slashes": strict_slashes}
    app.add_url_rule(path, name, _locked(org, view), methods=methods.split(), **options)


def _locked(org: Org, view: View) -> View:
    """Return the view as Flask calls it; it runs with the org's lock."""

    def locked_view(**path_values: Any) -> Response:
        with org.lock:
            return view(org, request, **path_values)

    return locked_view
