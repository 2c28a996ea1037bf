"""How the Management API shows apps."""

from okta_devorg.management.links import link
from okta_devorg.policy.settings import App
from okta_devorg.state.org import Org
from okta_devorg.wire.ion import Json
from okta_devorg.wire.public_keys import pem_to_jwk

# Okta's published API does not have the Email Verification Experience URI: see `unknowns.apps_have_email_callback`.
EMAIL_CALLBACK = "email_verification_uri"


def app_json(org: Org, app: App) -> Json:
    """Return an app as the API shows it."""
    at = org.clock.iso(org.started)
    return {
        "id": app.client_id,
        "orn": f"orn:okta:idp:{org.id}:apps:oidc_client:{app.client_id}",
        "name": "oidc_client",
        "label": app.label,
        "status": "ACTIVE" if app.active else "INACTIVE",
        "lastUpdated": at,
        "created": at,
        "accessibility": {"selfService": False, "errorRedirectUrl": None, "loginRedirectUrl": None},
        "visibility": {
            "autoLaunch": False,
            "autoSubmitToolbar": False,
            "hide": {"iOS": True, "web": True},
            "appLinks": {"oidc_client_link": True},
        },
        "features": [],
        "signOnMode": "OPENID_CONNECT",
        "credentials": _credentials_json(org, app),
        "settings": _settings_json(org, app),
        "universalLogout": {
            "status": "DISABLED",
            "supportType": "PARTIAL",
            "identityStack": "NOT_SHARED",
            "protocol": "PROPRIETARY",
        },
        "_links": _links(org, app),
    }


def _credentials_json(org: Org, app: App) -> Json:
    method = "private_key_jwt" if app.public_keys else "client_secret_basic" if app.client_secret else "none"
    secret = {"client_secret": app.client_secret} if app.client_secret else {}
    client = {"autoKeyRotation": True, "client_id": app.client_id, **secret, "token_endpoint_auth_method": method}
    return {
        "userNameTemplate": {"template": "${source.login}", "type": "BUILT_IN"},
        "signing": {"kid": org.key.kid},
        "oauthClient": {**client, "pkce_required": True},
    }


def _settings_json(org: Org, app: App) -> Json:
    vpn = {"network": {"connection": "DISABLED"}, "message": None, "helpUrl": None}
    return {
        "app": {},
        "notifications": {"vpn": vpn},
        "manualProvisioning": False,
        "implicitAssignment": False,
        "emOptInStatus": "NONE",
        "notes": {"admin": None, "enduser": None},
        "oauthClient": _client_json(org, app),
    }


def _client_json(org: Org, app: App) -> Json:
    login_uri = {"initiate_login_uri": app.initiate_login_uri} if app.initiate_login_uri else {}
    callback = {EMAIL_CALLBACK: app.email_callback_uri} if org.policy.unknowns.apps_have_email_callback else {}
    return {
        "client_uri": None,
        "logo_uri": None,
        "redirect_uris": list(app.redirect_uris),
        "post_logout_redirect_uris": list(app.post_logout_redirect_uris),
        "response_types": ["code"],
        "grant_types": list(app.grants),
        **login_uri,
        **callback,
        **({"jwks": {"keys": [pem_to_jwk(pem) for pem in app.public_keys]}} if app.public_keys else {}),
        "application_type": "service" if app.grants == ("client_credentials",) else "web",
        "consent_method": "REQUIRED" if org.policy.consent else "TRUSTED",
        "issuer_mode": "ORG_URL",
        "idp_initiated_login": {"mode": "DISABLED", "default_scope": []},
        "wildcard_redirect": "DISABLED",
        "dpop_bound_access_tokens": app.dpop_bound_access_tokens,
        "participate_slo": False,
    }


def _links(org: Org, app: App) -> Json:
    api = f"{org.base}/api/v1"
    href, icon = f"{api}/apps/{app.client_id}", f"{org.base}/static/icon.svg"
    policies = {
        name: link(f"{api}/policies/{org.policies.of_app(policy_type, app.client_id).id}")
        for name, policy_type in (("accessPolicy", "ACCESS_POLICY"), ("profileEnrollment", "PROFILE_ENROLLMENT"))
    }
    change = "deactivate" if app.active else "activate"
    secrets = [{"name": "secrets", **link(href + "/credentials/secrets")}] if app.client_secret else []
    return {
        "uploadLogo": link(href + "/logo", "POST"),
        "appLinks": [{"name": "oidc_client_link", "href": app.initiate_login_uri or org.base, "type": "text/html"}],
        "groups": link(href + "/groups"),
        "logo": [{"name": "medium", "href": icon, "type": "image/png"}],
        "policies": link(href + "/policies", "PUT"),
        "users": link(href + "/users"),
        change: link(f"{href}/lifecycle/{change}"),
        **policies,
        "clientCredentials": secrets,
    }
