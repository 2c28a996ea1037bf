"""The device authorization grant (RFC 8628): a device asks, somebody signs in elsewhere, the device gets tokens."""

from flask import Request, Response

from okta_devorg.oidc.authorization_request import check_scopes
from okta_devorg.oidc.client_authentication import authenticate_client, require_grant_type
from okta_devorg.policy.settings import DEVICE_GRANT, App
from okta_devorg.state.device_requests import INTERVAL, LIFETIME
from okta_devorg.state.grants import Grant
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import OAuthError
from okta_devorg.wire.replies import json_reply

ACTIVATE, DONE = "/activate", "/activate/done"


def authorize_device(org: Org, request: Request, issuer: str) -> Response:
    """POST {issuer}/v1/device/authorize: the codes of a device, and where somebody types the one for people.

    :raises OAuthError: if the app is not authenticated or may not use the grant, or a scope is wrong.
    """
    app = authenticate_client(org, request)
    require_grant_type(app, DEVICE_GRANT)
    scopes = check_scopes(request.form.get("scope", ""))
    device = org.device_requests.start(app.client_id, issuer, org.base + DONE, scopes)
    page = org.base + ACTIVATE
    return json_reply(
        {
            "device_code": device.device_code,
            "user_code": device.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={device.user_code}",
            "expires_in": LIFETIME,
            "interval": INTERVAL,
        }
    )


def redeem_device_code(org: Org, app: App, request: Request) -> Grant:
    """Return the grant of a device whose code was typed.

    :raises OAuthError: while nobody has, if that takes too long, or if the device asks too often.
    """
    device, now = org.device_requests.find(request.form.get("device_code", "")), org.clock.now()
    if device is None or device.request.client_id != app.client_id:
        raise OAuthError(400, "invalid_grant", "The device code is invalid or has expired.")
    too_soon, device.asked_at = now < device.asked_at + INTERVAL, now
    if device.denied:
        raise OAuthError(400, "access_denied", "The user denied the request.")
    if device.grant is None and not org.device_requests.is_open(device):
        raise OAuthError(400, "expired_token", "The device code is invalid or has expired.")
    if too_soon:
        raise OAuthError(400, "slow_down", "The device asks too often.")
    if device.grant is None:
        text = "The device authorization is pending. Please try again later."
        raise OAuthError(400, "authorization_pending", text)
    org.device_requests.remove(device)
    return device.grant
