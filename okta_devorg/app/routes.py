"""The table of routes: method, path and view."""

from collections.abc import Callable
from functools import partial

from flask import Response

from okta_devorg import control
from okta_devorg.idx import endpoints, interact
from okta_devorg.management.routes import OPEN_ROUTES
from okta_devorg.management.routes import ROUTES as MANAGEMENT_ROUTES
from okta_devorg.oidc import device, discovery, introspection, logout, tokens, userinfo
from okta_devorg.pages import (
    activate,
    authorize,
    break_page,
    dashboard,
    elsewhere,
    email_links,
    identity_providers,
    okta_verify,
    reset_password,
    sign_in,
)

# Gets the org, the request and the values of the path.
View = Callable[..., Response]
# (methods, path, view).
Route = tuple[str, str, View]

# Below the OAuth base of each issuer, whose views also get the issuer.
OAUTH_ROUTES: tuple[Route, ...] = (
    ("POST", "/interact", interact.interact),
    ("POST", "/token", tokens.token),
    ("GET POST", "/userinfo", userinfo.userinfo),
    ("GET", "/keys", discovery.keys),
    ("POST", "/revoke", tokens.revoke),
    ("POST", "/introspect", introspection.introspect),
    ("POST", "/par", authorize.push_request),
    ("GET POST", "/authorize", authorize.authorize),
    ("POST", "/device/authorize", device.authorize_device),
    ("GET POST", "/logout", logout.logout),
)
PROTOCOL_ROUTES: tuple[Route, ...] = (
    *(("POST", "/idp/idx/" + name, partial(endpoints.answer_idx, name=name)) for name in endpoints.ENDPOINTS),
    ("GET POST", "/api/v1/altcha", endpoints.altcha_task),
    ("GET POST", "/signin/forgot-password", reset_password.forgot_password_page),
    ("GET", "/signin/<attempt_id>", sign_in.sign_in_page),
    ("POST", "/signin/<attempt_id>", sign_in.sign_in),
    ("GET POST", "/signin/reset-password/<token>", reset_password.reset_password_page),
    ("POST", "/sso/idps/<idp_id>", identity_providers.idp_sign_in),
    ("GET POST", "/sso/idps/<idp_id>/enroll", elsewhere.authenticator_page),
    ("GET POST", "/idp/identity-verification", elsewhere.identity_verification_page),
    ("GET", "/email/verify/<app_id>", email_links.code_link),
    ("POST", "/email/verify/<app_id>", email_links.email_consent),
    ("GET POST", "/okta-verify/<token>", okta_verify.pairing_page),
    ("GET", "/tokens/<token>/verify", email_links.registration_link),
    ("GET", "/welcome/<token>", email_links.invitation_link),
    ("GET POST", device.ACTIVATE, activate.activation_page),
    ("GET", device.DONE, activate.activated_page),
    *OPEN_ROUTES,
    *MANAGEMENT_ROUTES,
)
# For this machine only: the control API and the pages for developers.
LOCAL_ROUTES: tuple[Route, ...] = (
    ("GET", "/_devorg/policy", control.get_policy),
    ("PUT", "/_devorg/policy", control.put_policy),
    ("PATCH", "/_devorg/policy", control.patch_policy),
    ("GET", "/_devorg/messages", control.get_messages),
    ("GET", "/_devorg/users", control.get_users),
    ("GET", "/_devorg/calls", control.get_calls),
    ("GET", "/_devorg/faults", control.get_faults),
    ("POST", "/_devorg/faults", control.add_fault),
    ("DELETE", "/_devorg/faults", control.clear_faults),
    ("GET", "/_devorg/clock", control.get_clock),
    ("POST", "/_devorg/clock", control.advance_clock),
    ("POST", "/_devorg/keys", control.rotate_key),
    ("POST", "/_devorg/reset", control.reset),
    ("GET", "/", dashboard.mailbox_page),
    ("GET", "/phone", dashboard.phone_page),
    ("GET", "/users", dashboard.users_page),
    ("GET", "/users/<user_id>", dashboard.user_page),
    ("POST", "/users/<user_id>", dashboard.change_user),
    ("GET", "/policy", dashboard.policy_page),
    ("POST", "/policy", dashboard.save_policy),
    ("GET", "/calls", dashboard.calls_page),
    ("GET", "/break", break_page.break_page),
    ("POST", "/break", break_page.break_something),
)
LOCAL_PATHS = {path for _, path, _ in LOCAL_ROUTES}


def is_local(path: str) -> bool:
    """Return whether the path belongs to the pages for developers or the control API, not to the protocol."""
    return path in LOCAL_PATHS or path.startswith(("/_devorg/", "/static/", "/users/"))
