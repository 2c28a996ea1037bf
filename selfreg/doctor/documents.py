"""What the Management API says about one app, as it says it: read here for judging, and by ``setup_org`` for changing.

The only file besides ``setup_org`` that touches raw keys of that API.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from selfreg.doctor.evidence import EventHook, OrgApp, OrgSettings, ProfileField, ProfilePolicy, Site
from selfreg.idx.errors import OrgRefused
from selfreg.okta_api.client import NOT_FOUND, Json, ManagementClient

# Not part of the published API; where an org does not send it, it has to be looked up in the Admin Console.
EMAIL_CALLBACK, SENSITIVE = "email_verification_uri", "sensitive"
EVERYONE, ALL_CLIENTS = "BUILT_IN", "ALL_CLIENTS"
REGISTRATION_HOOK = "com.okta.user.pre-registration"
INTERACTION_CODE = "interaction_code"


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """One that applies to the app, with its active rules, in the order they are tried."""

    path: str
    policy: Json
    rules: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class OrgDocuments:
    """``None``: there is none. ``sharing`` are the labels of other apps under the same profile policy."""

    app: Json | None
    group_ids: tuple[str, ...]
    everyone_id: str
    profile_policy: Json | None
    profile_rule: Json | None
    sharing: tuple[str, ...]
    enrollment_policy: Json | None
    authenticators: tuple[Json, ...]
    hooks: tuple[Json, ...]
    event_hooks: tuple[Json, ...]
    access_policies: tuple[AccessPolicy, ...]
    schema: Json


def read(api: ManagementClient, site: Site) -> OrgDocuments:
    """Asks for everything that concerns sign-ups to one app; for hooks only where the site has a secret for them."""
    app = _app(api, site.client_id)
    policy, apps = _profile_policy(api, app)
    groups = (group for group in api.items("groups", q="Everyone") if group.get("type") == EVERYONE)
    return OrgDocuments(
        app=app,
        group_ids=tuple(str(g.get("id")) for g in api.items(f"apps/{app['id']}/groups")) if app else (),
        everyone_id=next((str(group.get("id")) for group in groups), ""),
        profile_policy=policy,
        profile_rule=next(api.items(f"policies/{policy['id']}/rules"), None) if policy else None,
        sharing=tuple(str(a.get("label")) for a in apps if app is None or a.get("id") != app["id"]),
        enrollment_policy=_enrollment_policy(api),
        authenticators=tuple(api.items("authenticators")),
        hooks=tuple(api.items("inlineHooks", type=REGISTRATION_HOOK)) if site.hook_url else (),
        event_hooks=tuple(api.items("eventHooks")) if site.event_hook_url else (),
        access_policies=tuple(_access_policies(api, site)) if site.server_id else (),
        schema=api.get_or_none("meta/schemas/user/default") or {},
    )


def at(document: Any, *path: str) -> Any:
    """What is at the path, None where there is nothing."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def settings_of(documents: OrgDocuments, site: Site) -> OrgSettings:
    """The typed form, for judging."""
    levels = at(documents.enrollment_policy, "settings", "authenticators") or []
    email = next((a for a in documents.authenticators if a.get("key") == "okta_email"), None)
    return OrgSettings(
        app=_org_app(documents) if documents.app else None,
        profile_policy=_policy(documents) if documents.profile_rule else None,
        enrollment={str(at(a, "key")): str(at(a, "enroll", "self")) for a in levels},
        everyone_id=documents.everyone_id,
        email_minutes=at(email, "settings", "tokenLifetimeInMinutes"),
        inactive=tuple(str(a.get("key")) for a in documents.authenticators if a.get("status") != "ACTIVE"),
        hook_urls={str(h.get("id")): hook_url(h) for h in documents.hooks if h.get("status") == "ACTIVE"},
        event_hooks=tuple(_event_hook(h) for h in documents.event_hooks),
        rule_allows=allowing_rule(documents.access_policies) is not None if site.server_id else None,
        profile=_profile(documents.schema),
    )


def hook_url(hook: Json) -> str:
    """Where an inline or event hook calls."""
    return str(at(hook, "channel", "config", "uri") or "")


def grants_of(rule: Json) -> list[str]:
    """The grants that a rule of an access policy is for."""
    return list(at(rule, "conditions", "grantTypes", "include") or ())


def allowing_rule(policies: tuple[AccessPolicy, ...]) -> Json | None:
    """The first that is for Interaction Code."""
    return next((rule for found in policies for rule in found.rules if INTERACTION_CODE in grants_of(rule)), None)


def _app(api: ManagementClient, client_id: str) -> Json | None:
    """The id of an app is its client ID unless somebody chose another one."""
    by_id = api.get_or_none(f"apps/{client_id}")
    if by_id:
        return by_id
    return next((a for a in api.items("apps") if at(a, "credentials", "oauthClient", "client_id") == client_id), None)


def _profile_policy(api: ManagementClient, app: Json | None) -> tuple[Json | None, list[Json]]:
    """The policy that the app is attached to, and the apps of that policy; for no app yet, the default policy."""
    linked = str(at(app, "_links", "profileEnrollment", "href") or "")
    for policy in api.items("policies", type="PROFILE_ENROLLMENT"):
        apps = _apps_of(api, policy)
        named = urlsplit(linked).path.endswith(f"/{policy['id']}") if linked else False
        if named or (app is None and policy.get("system")) or (app and app["id"] in [a.get("id") for a in apps]):
            return policy, apps
    return None, []


def _apps_of(api: ManagementClient, policy: Json) -> list[Json]:
    """Not every org lists them: the call is deprecated."""
    try:
        return list(api.items(f"policies/{policy['id']}/app"))
    except OrgRefused as refusal:
        if refusal.status in (401, 403):
            raise
        return []


def _access_policies(api: ManagementClient, site: Site) -> Iterator[AccessPolicy]:
    """None for a server that does not exist: what the org answers to an app tells that."""
    path = f"authorizationServers/{site.server_id}/policies"
    try:
        policies = sorted(api.items(path), key=_priority)
    except OrgRefused as refusal:
        if refusal.status != NOT_FOUND:
            raise
        return
    for policy in policies:
        clients = at(policy, "conditions", "clients", "include") or ()
        if policy.get("status") == "ACTIVE" and {ALL_CLIENTS, site.client_id} & set(clients):
            below = f"{path}/{policy['id']}/rules"
            rules = sorted((r for r in api.items(below) if r.get("status") == "ACTIVE"), key=_priority)
            yield AccessPolicy(below, policy, tuple(rules))


def _priority(document: Json) -> int:
    return int(document.get("priority") or 0)


def _event_hook(hook: Json) -> EventHook:
    ready = hook.get("status") == "ACTIVE" and hook.get("verificationStatus") == "VERIFIED"
    return EventHook(hook_url(hook), ready, tuple(at(hook, "events", "items") or ()))


def _profile(schema: Json) -> dict[str, ProfileField]:
    everything = {
        str(name): item
        for part in ("base", "custom")
        for name, item in (at(schema, "definitions", part, "properties") or {}).items()
    }
    return {name: _profile_field(item) for name, item in everything.items()}


def _profile_field(item: Json) -> ProfileField:
    """``PROFILE_MASTER`` leaves it to Okta for people whom no other directory feeds: those who sign up."""
    allowed = [str(at(p, "action")) for p in item.get("permissions") or () if at(p, "principal") == "SELF"]
    permission = "READ_ONLY" if item.get("mutability") == "READ_ONLY" else next(iter(allowed), "READ_WRITE")
    return ProfileField(permission, at(item, "master", "type") != "OVERRIDE", item.get(SENSITIVE) is True)


def _enrollment_policy(api: ManagementClient) -> Json | None:
    """The one for everybody: the last in order."""
    policies = list(api.items("policies", type="MFA_ENROLL"))
    return next((p for p in policies if p.get("system")), policies[-1] if policies else None)


def _org_app(documents: OrgDocuments) -> OrgApp:
    app = documents.app
    client = at(app, "settings", "oauthClient") or {}
    return OrgApp(
        id=str(at(app, "id")),
        label=str(at(app, "label")),
        active=at(app, "status") == "ACTIVE",
        auth_method=str(at(app, "credentials", "oauthClient", "token_endpoint_auth_method")),
        grants=tuple(client.get("grant_types") or ()),
        redirect_uris=tuple(client.get("redirect_uris") or ()),
        sign_out_uris=tuple(client.get("post_logout_redirect_uris") or ()),
        initiate_login_uri=str(client.get("initiate_login_uri") or ""),
        email_callback_uri=str(client[EMAIL_CALLBACK] or "") if EMAIL_CALLBACK in client else None,
        group_ids=documents.group_ids,
    )


def _policy(documents: OrgDocuments) -> ProfilePolicy:
    action = at(documents.profile_rule, "actions", "profileEnrollment") or {}
    return ProfilePolicy(
        id=str(at(documents.profile_policy, "id")),
        name=str(at(documents.profile_policy, "name")),
        sign_up=action.get("access") == "ALLOW" and action.get("unknownUserAction") == "REGISTER",
        email_verification=bool(at(action, "activationRequirements", "emailVerification")),
        target_group_ids=tuple(action.get("targetGroupIds") or ()),
        attributes=tuple(str(at(a, "name")) for a in action.get("profileAttributes") or ()),
        hook_ids=tuple(str(at(h, "inlineHookId")) for h in action.get("preRegistrationInlineHooks") or ()),
    )
