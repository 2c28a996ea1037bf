"""What the org's documents should say, each made from what it says now. Whatever is not named here stays as it is."""

from copy import deepcopy
from typing import Any

from selfreg.accounts.identities import PROVES_EMAIL
from selfreg.conf import conf
from selfreg.doctor.documents import EMAIL_CALLBACK, INTERACTION_CODE, REGISTRATION_HOOK, at, grants_of
from selfreg.doctor.evidence import Site
from selfreg.okta_api.client import Json

GRANTS = ("authorization_code", INTERACTION_CODE)
# Stand for secrets, which are only put in when a call is sent: neither the plan nor its file holds them.
CLIENT_SECRET, HOOK_SECRET = "{client secret}", "{hook secret}"
AUTH_METHODS = {
    "none": "none",
    "secret_post": "client_secret_post",
    "secret_basic": "client_secret_basic",
}
LABELS = {"firstName": "First name", "lastName": "Last name", "email": "Email", "mobilePhone": "Mobile phone"}


def new_app(site: Site) -> Json:
    """An app with the client ID and secret that this site is configured with, so that nothing has to be copied back."""
    secret = {"client_secret": CLIENT_SECRET} if site.confidential else {}
    client = {"client_id": site.client_id, "token_endpoint_auth_method": AUTH_METHODS[site.client_auth], **secret}
    base = {
        "name": "oidc_client",
        "label": conf().name,
        "signOnMode": "OPENID_CONNECT",
        "credentials": {"oauthClient": {**client, "pkce_required": True}},
        "settings": {"oauthClient": {"response_types": ["code"], "application_type": "web"}},
    }
    return app(base, site)


def app(now: Json, site: Site) -> Json:
    """With this site's addresses and grants; those of other sites and uses stay."""
    after = deepcopy(now)
    client = after["settings"]["oauthClient"]
    client["redirect_uris"] = _with(client.get("redirect_uris"), site.redirect_uri)
    client["post_logout_redirect_uris"] = _with(client.get("post_logout_redirect_uris"), site.sign_out_uri)
    client["grant_types"] = _with(client.get("grant_types"), *GRANTS)
    client["initiate_login_uri"] = site.initiate_login_uri
    if EMAIL_CALLBACK in client:
        client[EMAIL_CALLBACK] = site.email_callback_uri
    return after


def profile_rule(now: Json, site: Site, hook_id: str) -> Json:
    """Sign-up allowed, the wanted fields on the form, the proof of the address as the workflow has it, the hook."""
    after = deepcopy(now)
    action = after["actions"]["profileEnrollment"]
    action |= {"access": "ALLOW", "unknownUserAction": "REGISTER"}
    action["activationRequirements"] = {
        **(action.get("activationRequirements") or {}),
        "emailVerification": site.email_is_mandatory,
    }
    asked = action.get("profileAttributes") or []
    missing = [name for name in site.attributes if name not in [at(a, "name") for a in asked]]
    added = [{"name": name, "label": LABELS.get(name, name), "required": True} for name in missing]
    action["profileAttributes"] = [*asked, *added]
    if hook_id:
        action["preRegistrationInlineHooks"] = [{"inlineHookId": hook_id}]
    return after


def enrollment_policy(now: Json, site: Site) -> Json:
    """What this site wants can be enrolled: the password must be, the rest may be, as seen fit by who set it."""
    after = deepcopy(now)
    levels: list[Any] = at(after, "settings", "authenticators") or []
    for key in site.authenticators:
        entry = next((a for a in levels if at(a, "key") == key), None)
        if entry is None:
            entry = {"key": key, "enroll": {"self": "NOT_ALLOWED"}}
            levels.append(entry)
        if key == "okta_password":
            entry["enroll"] = {**entry["enroll"], "self": "REQUIRED"}
        elif at(entry, "enroll", "self") == "NOT_ALLOWED":
            entry["enroll"] = {**entry["enroll"], "self": _level(key, site)}
    return {**after, "settings": {**(after.get("settings") or {}), "authenticators": levels}}


def access_policy(site: Site) -> Json:
    """For a server that has none for this app."""
    return {
        "type": "OAUTH_AUTHORIZATION_POLICY",
        "name": conf().name,
        "description": "Sign-up and sign-in",
        "priority": 1,
        "status": "ACTIVE",
        "conditions": {"clients": {"include": [site.client_id]}},
    }


def access_rule(now: Json | None) -> Json:
    """Interaction Code beside the grants that are there; without a rule, a new one for everybody."""
    if now is None:
        people = {"users": {"include": [], "exclude": []}, "groups": {"include": ["EVERYONE"], "exclude": []}}
        now = {
            "type": "RESOURCE_ACCESS",
            "name": conf().name,
            "priority": 1,
            "status": "ACTIVE",
            "conditions": {"people": people, "grantTypes": {"include": list(GRANTS[:1])}, "scopes": {"include": ["*"]}},
            "actions": {"token": {"accessTokenLifetimeMinutes": 60}},
        }
    after = deepcopy(now)
    after["conditions"]["grantTypes"]["include"] = _with(grants_of(now), INTERACTION_CODE)
    return after


def registration_hook(site: Site) -> Json:
    """Okta's inline hook, calling this site with the secret as its Authorization header."""
    kind = {"name": f"Registration at {conf().name}", "type": REGISTRATION_HOOK, "version": "1.0.0"}
    return {**kind, "channel": _channel(site.hook_url)}


def event_hook(now: Json | None, site: Site) -> Json:
    """Okta's event hook, likewise, for addresses that were proven; other events of one that is there stay."""
    now = now or {"name": f"Proven addresses at {conf().name}", "events": {"type": "EVENT_TYPE", "items": []}}
    events = {**now["events"], "items": _with(now["events"].get("items"), PROVES_EMAIL)}
    return {**now, "events": events, "channel": _channel(site.event_hook_url)}


def _channel(url: str) -> Json:
    """The org never shows the secret again: whoever changes a hook has to send it."""
    scheme = {"type": "HEADER", "key": "Authorization", "value": HOOK_SECRET}
    config = {"uri": url, "headers": [], "method": "POST", "authScheme": scheme}
    return {"type": "HTTP", "version": "1.0.0", "config": config}


def _level(key: str, site: Site) -> str:
    """An address that has to be proven is enrolled by proving it."""
    return "REQUIRED" if key == "okta_email" and site.email_is_mandatory else "OPTIONAL"


def _with(present: list[str] | None, *wanted: str) -> list[str]:
    return list(dict.fromkeys([*(present or []), *wanted]))
