"""The page on which somebody types the code that a device shows, and signs in for it (RFC 8628, section 3.3)."""

from flask import Request, Response

from okta_devorg.oidc.device import ACTIVATE
from okta_devorg.pages.authorize import continue_or_sign_in
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import OAuthError
from okta_devorg.wire.guards import require_same_site
from okta_devorg.wire.replies import error_page, html_page, message_page

NOT_ACTIVATED = "The device wasn't signed in."


def activation_page(org: Org, request: Request) -> Response:
    """GET and POST /activate: ask for the code, then sign in, or go on with the session that there is.

    :raises ApiError: 403, if another site's page sent it.
    """
    code = request.values.get("user_code", "")
    if request.method == "GET":
        return _page(code)
    require_same_site(request)
    device = org.device_requests.find_open(code)
    app = org.policy.app(device.request.client_id) if device else None
    if device is None or app is None:
        return _page(code, "No device is waiting for this code.", 400)
    try:
        return continue_or_sign_in(org, app, device.request, request)
    except OAuthError as error:
        device.denied = True
        return error_page(error.description)


def activated_page(org: Org, request: Request) -> Response:
    """GET /activate/done: where the sign-in leads. The device gets the grant of the code."""
    device = org.device_requests.find_open(request.args.get("state", ""))
    code = request.args.get("code", "")
    grant = org.grants.find(code, "authorization_code")
    if device is None:
        return error_page(NOT_ACTIVATED)
    if grant is None or grant.request is not device.request:
        device.denied = "error" in request.args
        return error_page(request.args.get("error_description") or NOT_ACTIVATED)
    org.grants.use_up(code)
    device.grant = grant
    return message_page("Your device is signed in", "Continue there. You can close this page.")


def _page(code: str, error: str = "", status: int = 200) -> Response:
    return html_page("activate.html", status, path=ACTIVATE, code=code, error=error)
