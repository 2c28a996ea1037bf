"""What the org's documents should say, each made from the current one. Whatever is not named here stays as it is."""

from copy import deepcopy
from typing import Any

from selfreg.accounts.identities import PROVES_EMAIL
from selfreg.doctor.documents import EMAIL_CALLBACK, INTERACTION_CODE, REGISTRATION_HOOK, grants_of, value_at
from selfreg.doctor.evidence import Site
from selfreg.okta_api.client import Json

GRANTS = ("authorization_code", INTERACTION_CODE)
# Placeholders of secrets, which are only filled in when a call is sent: neither the plan nor the journal holds them.
CLIENT_SECRET, HOOK_SECRET = "{client secret}", "{hook secret}"
AUTH_METHODS = {
    "none": "none",
    "secret_post": "client_secret_post",
    "secret_basic": "client_secret_basic",
}
LABELS = {"firstName": "First name", "lastName": "Last name", "email": "Email", "mobilePhone": "Mobile phone"}


def new_app(site: Site) -> Json:
    """An app with the client ID and secret of this site's settings, so that nothing has to be copied back."""
    secret = {"client_secret": CLIENT_SECRET} if site.confidential else {}
    client = {"client_id": site.client_id, "token_endpoint_auth_method": AUTH_METHODS[site.client_auth], **secret}
    base = {
        "name": "oidc_client",
        "label": site.name,
        "signOnMode": "OPENID_CONNECT",
        "credentials": {"oauthClient": {**client, "pkce_required": True}},
        "settings": {"oauthClient": {"response_types": ["code"], "application_type": "web"}},
    }
    return app(base, site)


def app(current: Json, site: Site) -> Json:
    """The app with this site's addresses and grants; those of other sites and uses stay."""
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
    """Sign-up allowed, this site's attributes on the form, email verification as this site has it, the hook.

    :param hook_id: of the registration hook; "" for a site without one
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
    """This site's authenticators can be enrolled: the password is required, the others stay as set, or are optional."""
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
    """A new one, for an authorization server that has none for this app."""
    return {
        "type": "OAUTH_AUTHORIZATION_POLICY",
        "name": site.name,
        "description": "Sign-up and sign-in",
        "priority": 1,
        "status": "ACTIVE",
        "conditions": {"clients": {"include": [site.client_id]}},
    }


def access_rule(current: Json | None, site: Site) -> Json:
    """The rule with Interaction Code beside its other grants; without a rule, a new one for everybody."""
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
    """A new inline hook that calls this site with the hook secret in its Authorization header."""
    kind = {"name": f"Registration at {site.name}", "type": REGISTRATION_HOOK, "version": "1.0.0"}
    return {**kind, "channel": _channel(site.hook_url)}


def event_hook(current: Json | None, site: Site) -> Json:
    """The event hook for proven addresses, likewise; its other events stay. Without one, a new one."""
    hook = current or {"name": f"Proven addresses at {site.name}", "events": {"type": "EVENT_TYPE", "items": []}}
    events = {**hook["events"], "items": _with(hook["events"].get("items"), PROVES_EMAIL)}
    return {**hook, "events": events, "channel": _channel(site.event_hook_url)}


def _channel(url: str) -> Json:
    """The org never shows the secret again, so every change of a hook sends it."""
    scheme = {"type": "HEADER", "key": "Authorization", "value": HOOK_SECRET}
    config = {"uri": url, "headers": [], "method": "POST", "authScheme": scheme}
    return {"type": "HTTP", "version": "1.0.0", "config": config}


def _level(key: str, site: Site) -> str:
    """A mandatory address is enrolled by proving it."""
    return "REQUIRED" if key == "okta_email" and site.email_is_mandatory else "OPTIONAL"


def _with(present: list[str] | None, *wanted: str) -> list[str]:
    """The list with what it lacks at its end."""
    return list(dict.fromkeys([*(present or []), *wanted]))
