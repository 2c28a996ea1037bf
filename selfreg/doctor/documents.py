"""The documents of one app in the Management API, and their typed form for the checks.

In the doctor, only this module, ``setup``, and for one log event ``collect`` read raw keys of that API.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from selfreg.doctor.evidence import EventHook, OrgApp, OrgSettings, ProfileField, ProfilePolicy, Site
from selfreg.idx.errors import OrgRefused
from selfreg.okta_api.client import NOT_FOUND, Json, ManagementClient, value_at

# Not in Okta's API reference. If an org does not send them, only the Admin Console shows them.
EMAIL_CALLBACK, SENSITIVE = "email_verification_uri", "sensitive"
EVERYONE, ALL_CLIENTS = "BUILT_IN", "ALL_CLIENTS"
REGISTRATION_HOOK = "com.okta.user.pre-registration"
TELEPHONY_HOOK = "com.okta.telephony.provider"
PHONE = "phone_number"
INTERACTION_CODE = "interaction_code"
# Values of an authenticator's ``settings.allowedFor`` that exclude signing up and in.
NOT_FOR_SIGN_IN = ("recovery", "none")


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """An access policy that applies to the app, with its active rules in the order in which the org tries them.

    ``path`` is that of its rules.
    """

    path: str
    policy: Json
    rules: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class OrgDocuments:
    """The documents of one app. What the org does not have is None.

    ``sharing`` are the labels of other apps with the same profile policy. ``unattached`` are the names of profile
    policies that allow sign-up and have no app, if the app's own policy does not allow it.
    """

    app: Json | None
    group_ids: tuple[str, ...]
    everyone_id: str
    profile_policy: Json | None
    profile_rule: Json | None
    sharing: tuple[str, ...]
    unattached: tuple[str, ...]
    enrollment_policy: Json | None
    authenticators: tuple[Json, ...]
    hooks: tuple[Json, ...]
    lacks_telephony: bool
    event_hooks: tuple[Json, ...]
    access_policies: tuple[AccessPolicy, ...]
    schema: Json


def read_documents(client: ManagementClient, site: Site) -> OrgDocuments:
    """Read everything about sign-ups with one app. Hooks are only read if the site has a secret for them.

    :raises IdxError: see ``idx.errors``; ``OrgRefused`` if the token has no right to read one of the documents
    """
    app = _find_app(client, site.client_id)
    policies = list(client.items("policies", type="PROFILE_ENROLLMENT"))
    authenticators = tuple(client.items("authenticators"))
    policy, apps = _profile_policy(client, app, policies)
    rule = next(client.items(f"policies/{policy['id']}/rules"), None) if policy else None
    groups = (group for group in client.items("groups", q="Everyone") if group.get("type") == EVERYONE)
    return OrgDocuments(
        app=app,
        group_ids=tuple(str(g.get("id")) for g in client.items(f"apps/{app['id']}/groups")) if app else (),
        everyone_id=next((str(group.get("id")) for group in groups), ""),
        profile_policy=policy,
        profile_rule=rule,
        sharing=tuple(str(a.get("label")) for a in apps if app is None or a.get("id") != app["id"]),
        unattached=tuple(_unattached(client, policy, policies)) if rule and not _allows_sign_up(rule) else (),
        enrollment_policy=_enrollment_policy(client),
        authenticators=authenticators,
        hooks=tuple(client.items("inlineHooks", type=REGISTRATION_HOOK)) if site.hook_url else (),
        lacks_telephony=PHONE in site.authenticators and _lacks_telephony(client, authenticators),
        event_hooks=tuple(client.items("eventHooks")) if site.event_hook_url else (),
        access_policies=tuple(_access_policies(client, site)) if site.server_id else (),
        schema=client.get_or_none("meta/schemas/user/default") or {},
    )


def org_settings_of(documents: OrgDocuments, site: Site) -> OrgSettings:
    """Return the documents as typed values, for the checks."""
    levels = value_at(documents.enrollment_policy, "settings", "authenticators") or []
    email = next((a for a in documents.authenticators if a.get("key") == "okta_email"), None)
    return OrgSettings(
        app=_org_app(documents) if documents.app else None,
        profile_policy=_policy(documents) if documents.profile_rule else None,
        enrollment={str(value_at(a, "key")): str(value_at(a, "enroll", "self")) for a in levels},
        everyone_id=documents.everyone_id,
        email_minutes=value_at(email, "settings", "tokenLifetimeInMinutes"),
        inactive=tuple(str(a.get("key")) for a in documents.authenticators if a.get("status") != "ACTIVE"),
        recovery_only=tuple(
            str(a.get("key"))
            for a in documents.authenticators
            if value_at(a, "settings", "allowedFor") in NOT_FOR_SIGN_IN
        ),
        unattached=documents.unattached,
        lacks_telephony=documents.lacks_telephony,
        promotes_passkeys=any(value_at(a, "enroll", "promotion") for a in levels),
        hook_urls={str(h.get("id")): hook_url(h) for h in documents.hooks if h.get("status") == "ACTIVE"},
        event_hooks=tuple(_event_hook(h) for h in documents.event_hooks),
        rule_allows=allowing_rule(documents.access_policies) is not None if site.server_id else None,
        profile=_profile(documents.schema),
    )


def hook_url(hook: Json) -> str:
    """Return the URL of an inline or event hook."""
    return str(value_at(hook, "channel", "config", "uri") or "")


def grants_of(rule: Json) -> list[str]:
    """Return the grant types of a rule of an access policy."""
    return list(value_at(rule, "conditions", "grantTypes", "include") or ())


def allowing_rule(policies: tuple[AccessPolicy, ...]) -> Json | None:
    """Return the first rule that allows Interaction Code; None if there is none."""
    rules = (rule for policy in policies for rule in policy.rules)
    return next((rule for rule in rules if INTERACTION_CODE in grants_of(rule)), None)


def _find_app(client: ManagementClient, client_id: str) -> Json | None:
    """Find the app by its id, which usually is the client ID, or else among all apps."""
    if app := client.get_or_none(f"apps/{client_id}"):
        return app
    path = ("credentials", "oauthClient", "client_id")
    return next((app for app in client.items("apps") if value_at(app, *path) == client_id), None)


def _profile_policy(client: ManagementClient, app: Json | None, policies: list[Json]) -> tuple[Json | None, list[Json]]:
    """Return the app's policy, or the default one if there is no app yet, and all apps of the policy."""
    linked = str(value_at(app, "_links", "profileEnrollment", "href") or "").partition("?")[0]
    for policy in policies:
        if linked.endswith(f"/{policy['id']}") or (app is None and policy.get("system")):
            return policy, _apps_of(client, policy)
    for policy in policies if app else ():
        apps = _apps_of(client, policy)
        if app and app["id"] in [a.get("id") for a in apps]:
            return policy, apps
    return None, []


def _unattached(client: ManagementClient, own: Json | None, policies: list[Json]) -> Iterator[str]:
    """Yield the names of active policies that allow sign-up and have no app."""
    for policy in policies:
        if own is not None and policy["id"] == own["id"]:
            continue
        rules = client.items(f"policies/{policy['id']}/rules")
        if policy.get("status") == "ACTIVE" and not _apps_of(client, policy) and any(map(_allows_sign_up, rules)):
            yield str(policy.get("name"))


def _lacks_telephony(client: ManagementClient, authenticators: tuple[Json, ...]) -> bool:
    """Return whether the phone is off and no hook sends texts; False if the token may not read hooks."""
    if any(a.get("key") == PHONE and a.get("status") == "ACTIVE" for a in authenticators):
        return False
    try:
        return not any(hook.get("status") == "ACTIVE" for hook in client.items("inlineHooks", type=TELEPHONY_HOOK))
    except OrgRefused:
        return False


def _allows_sign_up(rule: Json) -> bool:
    action = value_at(rule, "actions", "profileEnrollment") or {}
    return action.get("access") == "ALLOW" and action.get("unknownUserAction") == "REGISTER"


def _apps_of(client: ManagementClient, policy: Json) -> list[Json]:
    """Return the apps of a policy. The call is deprecated; if an org refuses it, the list is empty."""
    try:
        return list(client.items(f"policies/{policy['id']}/app"))
    except OrgRefused as refusal:
        if refusal.status in (401, 403):
            raise
        return []


def _access_policies(client: ManagementClient, site: Site) -> Iterator[AccessPolicy]:
    """Yield the policies for the app; none if there is no such authorization server, which other checks report."""
    path = f"authorizationServers/{site.server_id}/policies"
    try:
        policies = sorted(client.items(path), key=_priority)
    except OrgRefused as refusal:
        if refusal.status != NOT_FOUND:
            raise
        return
    for policy in policies:
        clients = value_at(policy, "conditions", "clients", "include") or ()
        if policy.get("status") == "ACTIVE" and {ALL_CLIENTS, site.client_id} & set(clients):
            below = f"{path}/{policy['id']}/rules"
            rules = sorted((r for r in client.items(below) if r.get("status") == "ACTIVE"), key=_priority)
            yield AccessPolicy(below, policy, tuple(rules))


def _priority(document: Json) -> int:
    return int(document.get("priority") or 0)


def _event_hook(hook: Json) -> EventHook:
    ready = hook.get("status") == "ACTIVE" and hook.get("verificationStatus") == "VERIFIED"
    return EventHook(hook_url(hook), ready, tuple(value_at(hook, "events", "items") or ()))


def _profile(schema: Json) -> dict[str, ProfileField]:
    attributes = {
        str(name): item
        for part in ("base", "custom")
        for name, item in (value_at(schema, "definitions", part, "properties") or {}).items()
    }
    return {name: _profile_field(item) for name, item in attributes.items()}


def _profile_field(item: Json) -> ProfileField:
    """Read a property of the user schema. For users who sign up, the master ``PROFILE_MASTER`` is Okta."""
    own = [str(value_at(p, "action")) for p in item.get("permissions") or () if value_at(p, "principal") == "SELF"]
    permission = "READ_ONLY" if item.get("mutability") == "READ_ONLY" else next(iter(own), "READ_WRITE")
    return ProfileField(permission, value_at(item, "master", "type") != "OVERRIDE", item.get(SENSITIVE) is True)


def _enrollment_policy(client: ManagementClient) -> Json | None:
    """Return the policy that applies to everybody: the system's, or the last one."""
    policies = list(client.items("policies", type="MFA_ENROLL"))
    return next((p for p in policies if p.get("system")), policies[-1] if policies else None)


def _org_app(documents: OrgDocuments) -> OrgApp:
    app = documents.app
    client = value_at(app, "settings", "oauthClient") or {}
    return OrgApp(
        id=str(value_at(app, "id")),
        label=str(value_at(app, "label")),
        active=value_at(app, "status") == "ACTIVE",
        auth_method=str(value_at(app, "credentials", "oauthClient", "token_endpoint_auth_method")),
        grants=tuple(client.get("grant_types") or ()),
        redirect_uris=tuple(client.get("redirect_uris") or ()),
        sign_out_uris=tuple(client.get("post_logout_redirect_uris") or ()),
        initiate_login_uri=str(client.get("initiate_login_uri") or ""),
        email_callback_uri=str(client[EMAIL_CALLBACK] or "") if EMAIL_CALLBACK in client else None,
        group_ids=documents.group_ids,
    )


def _policy(documents: OrgDocuments) -> ProfilePolicy:
    action = value_at(documents.profile_rule, "actions", "profileEnrollment") or {}
    return ProfilePolicy(
        id=str(value_at(documents.profile_policy, "id")),
        name=str(value_at(documents.profile_policy, "name")),
        sign_up=documents.profile_rule is not None and _allows_sign_up(documents.profile_rule),
        email_verification=bool(value_at(action, "activationRequirements", "emailVerification")),
        target_group_ids=tuple(action.get("targetGroupIds") or ()),
        attributes=tuple(str(value_at(a, "name")) for a in action.get("profileAttributes") or ()),
        hook_ids=tuple(str(value_at(h, "inlineHookId")) for h in action.get("preRegistrationInlineHooks") or ()),
        identifiers=tuple(str(i) for i in action.get("allowedIdentifiers") or ()),
    )
