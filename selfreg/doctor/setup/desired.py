"""The desired documents of the org, each made from the current one. All other members stay as they are."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from selfreg.accounts.okta_events import ENDS_ACCOUNT, PROVES_EMAIL
from selfreg.doctor.documents import EMAIL_CALLBACK, INTERACTION_CODE, REGISTRATION_HOOK, grants_of
from selfreg.doctor.evidence import Site
from selfreg.okta_api.client import Json, value_at

GRANTS = ("authorization_code", INTERACTION_CODE)
# Placeholders of secrets, replaced when a call is sent, so that neither the plan nor the journal holds a secret.
CLIENT_SECRET, HOOK_SECRET = "{client secret}", "{hook secret}"
AUTHORIZATION = "Authorization"
AUTH_METHODS = {
    "none": "none",
    "secret_post": "client_secret_post",
    "secret_basic": "client_secret_basic",
    "private_key": "private_key_jwt",
}
LABELS = {"firstName": "First name", "lastName": "Last name", "email": "Email", "mobilePhone": "Mobile phone"}


def new_app(site: Site) -> Json:
    """Return a new app with the client ID of this site's settings, and with the secret or the public key."""
    secret = {"client_secret": CLIENT_SECRET} if site.client_auth.startswith("secret") else {}
    keys = {"jwks": {"keys": [site.public_key]}} if site.public_key else {}
    client = {"client_id": site.client_id, "token_endpoint_auth_method": AUTH_METHODS[site.client_auth], **secret}
    base = {
        "name": "oidc_client",
        "label": site.name,
        "signOnMode": "OPENID_CONNECT",
        "credentials": {"oauthClient": {**client, "pkce_required": True}},
        "settings": {"oauthClient": {"response_types": ["code"], "application_type": "web", **keys}},
    }
    return app(base, site)


def app(current: Json, site: Site) -> Json:
    """Return the app with this site's URIs and grants added."""
    after = deepcopy(current)
    client = after["settings"]["oauthClient"]
    client["redirect_uris"] = _with(client.get("redirect_uris"), site.redirect_uri)
    client["post_logout_redirect_uris"] = _with(client.get("post_logout_redirect_uris"), site.sign_out_uri)
    client["grant_types"] = _with(client.get("grant_types"), *GRANTS)
    client["initiate_login_uri"] = site.initiate_login_uri
    if EMAIL_CALLBACK in client:
        client[EMAIL_CALLBACK] = site.email_callback_uri
    return after


def profile_rule(current: Json, site: Site, hook_id: str) -> Json:
    """Return the rule with sign-up allowed, and this site's attributes, email verification and hook.

    :param hook_id: id of the registration hook; "" for a site without one
    """
    after = deepcopy(current)
    action = after["actions"]["profileEnrollment"]
    action |= {"access": "ALLOW", "unknownUserAction": "REGISTER"}
    action["activationRequirements"] = {
        **(action.get("activationRequirements") or {}),
        "emailVerification": site.email_is_mandatory,
    }
    attributes = action.get("profileAttributes") or []
    names = [value_at(attribute, "name") for attribute in attributes]
    missing = [name for name in site.attributes if name not in names]
    added = [{"name": name, "label": LABELS.get(name, name), "required": True} for name in missing]
    action["profileAttributes"] = [*attributes, *added]
    if hook_id:
        action["preRegistrationInlineHooks"] = [{"inlineHookId": hook_id}]
    return after


def enrollment_policy(current: Json, site: Site) -> Json:
    """Return the policy with this site's authenticators: the password becomes required, and others that were not
    allowed become optional.
    """
    after = deepcopy(current)
    levels: list[Any] = value_at(after, "settings", "authenticators") or []
    for key in site.authenticators:
        entry = next((a for a in levels if value_at(a, "key") == key), None)
        if entry is None:
            entry = {"key": key, "enroll": {"self": "NOT_ALLOWED"}}
            levels.append(entry)
        if key == "okta_password":
            entry["enroll"] = {**entry["enroll"], "self": "REQUIRED"}
        elif value_at(entry, "enroll", "self") == "NOT_ALLOWED":
            entry["enroll"] = {**entry["enroll"], "self": _level(key, site)}
    return {**after, "settings": {**(after.get("settings") or {}), "authenticators": levels}}


def access_policy(site: Site) -> Json:
    """Return a new access policy, for an authorization server that has none for this app."""
    return {
        "type": "OAUTH_AUTHORIZATION_POLICY",
        "name": site.name,
        "description": "Sign-up and sign-in",
        "priority": 1,
        "status": "ACTIVE",
        "conditions": {"clients": {"include": [site.client_id]}},
    }


def access_rule(current: Json | None, site: Site) -> Json:
    """Return the rule with Interaction Code added to its grants; a new rule for everybody if there is none."""
    if current is None:
        people = {"users": {"include": [], "exclude": []}, "groups": {"include": ["EVERYONE"], "exclude": []}}
        current = {
            "type": "RESOURCE_ACCESS",
            "name": site.name,
            "priority": 1,
            "status": "ACTIVE",
            "conditions": {"people": people, "grantTypes": {"include": list(GRANTS[:1])}, "scopes": {"include": ["*"]}},
            "actions": {"token": {"accessTokenLifetimeMinutes": 60}},
        }
    after = deepcopy(current)
    after["conditions"]["grantTypes"]["include"] = _with(grants_of(current), INTERACTION_CODE)
    return after


def registration_hook(site: Site) -> Json:
    """Return a new inline hook, which sends the hook secret in the Authorization header."""
    kind = {"name": f"Registration at {site.name}", "type": REGISTRATION_HOOK, "version": "1.0.0"}
    return {**kind, "channel": _channel(site.hook_url)}


def event_hook(current: Json | None, site: Site) -> Json:
    """Return the event hook with the events that this site handles added; a new hook if there is none."""
    hook = current or {"name": f"Accounts at {site.name}", "events": {"type": "EVENT_TYPE", "items": []}}
    events = {**hook["events"], "items": _with(hook["events"].get("items"), PROVES_EMAIL, *ENDS_ACCOUNT)}
    headers = [h for h in value_at(current, "channel", "config", "headers") or [] if h.get("key") != AUTHORIZATION]
    return {**hook, "events": events, "channel": _channel(site.event_hook_url, headers)}


def _channel(url: str, headers: Iterable[Json] = ()) -> Json:
    """Return the channel of a hook. It always has the secret, because the org never returns it.

    :param headers: further headers that the org sends
    """
    scheme = {"type": "HEADER", "key": AUTHORIZATION, "value": HOOK_SECRET}
    config = {"uri": url, "headers": list(headers), "method": "POST", "authScheme": scheme}
    return {"type": "HTTP", "version": "1.0.0", "config": config}


def _level(key: str, site: Site) -> str:
    """Return whether an authenticator must be required. Enrolling the email authenticator verifies the address."""
    return "REQUIRED" if key == "okta_email" and site.email_is_mandatory else "OPTIONAL"


def _with(present: list[str] | None, *items: str) -> list[str]:
    """Return the list with the items that it lacks added."""
    return list(dict.fromkeys([*(present or []), *items]))
