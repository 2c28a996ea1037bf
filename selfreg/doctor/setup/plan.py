"""Plans the changes from the org's documents to the desired ones. Pure functions from documents to calls."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

from selfreg.doctor.documents import EMAIL_CALLBACK, OrgDocuments, allowing_rule, hook_url
from selfreg.doctor.evidence import Site
from selfreg.doctor.setup import desired
from selfreg.doctor.setup.diff import content_lines, diff_lines
from selfreg.okta_api.client import Json, value_at

# Placeholders of ids that do not exist until the resource is created.
APP, HOOK, EVENT_HOOK, ACCESS_POLICY, ACCESS_RULE = (
    "{new app}", "{new registration hook}", "{new event hook}", "{new access policy}", "{new access rule}",
)  # fmt: skip
HOOK_URL = ("channel", "config", "uri")
CLIENT_ID = ("credentials", "oauthClient", "client_id")
UNREACHABLE_HINT = "The org must be able to reach this site at that address. Check that the site is running there."


class CannotPlan(Exception):
    """The org lacks something that this command can't create. The text says what, and where to create it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Management API; ``path`` is below ``/api/v1/``."""

    method: str
    path: str
    body: Json | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """Undoes a PUT. Changes that others made since stay, see ``diff.reverted``."""

    path: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Created:
    """A new resource: the placeholder of its id, and how to find it if the answer with the id was lost.

    It is the item of the list at ``list_path`` whose member at the path of keys ``key_path`` is ``value``.
    """

    placeholder: str
    list_path: str
    key_path: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its name, its differences as text, the call, and the steps that undo it.

    ``hint`` says what to check if the org refuses the call.
    """

    name: str
    lines: tuple[str, ...]
    call: Call
    undo: tuple[Call | Restore, ...]
    created: Created | None = None
    hint: str = ""


def plan_changes(site: Site, documents: OrgDocuments) -> tuple[Change, ...]:
    """Return the changes in their order; empty if nothing has to change. The org calls this site in the last ones.

    :raises CannotPlan: the org lacks something that this command can't create
    """
    return tuple(change for planner in PLANNERS for change in planner(site, documents))


def _app(site: Site, documents: OrgDocuments) -> Iterator[Change]:
    if documents.app is None:
        yield _new_app(site)
        return
    before = _without_secret(documents.app)
    yield from _put(f"app “{before.get('label')}”", f"apps/{before['id']}", before, desired.app(before, site))


def _new_app(site: Site) -> Change:
    body = desired.new_app(site)
    undo = (Call("POST", f"apps/{APP}/lifecycle/deactivate"), Call("DELETE", f"apps/{APP}"))
    later = f"{EMAIL_CALLBACK}: {site.email_callback_uri} (afterwards, if the org's API has it)"
    created = Created(APP, "apps", CLIENT_ID, site.client_id)
    lines = (*content_lines(body), later)
    return Change(f"new app “{body['label']}”", lines, Call("POST", "apps", body), undo, created)


def _app_status(_site: Site, documents: OrgDocuments) -> Iterator[Change]:
    if documents.app and documents.app.get("status") != "ACTIVE":
        yield _activation("app: activate", f"apps/{documents.app['id']}")


def _assignment(_site: Site, documents: OrgDocuments) -> Iterator[Change]:
    target_ids = value_at(documents.profile_rule, "actions", "profileEnrollment", "targetGroupIds") or ()
    if {*target_ids, documents.everyone_id} & set(documents.group_ids):
        return
    if not documents.everyone_id:
        raise CannotPlan("The API token can't see the group Everyone. Assign the app to it by hand.")
    path = f"apps/{documents.app['id'] if documents.app else APP}/groups/{documents.everyone_id}"
    yield Change("app: assignment", ("groups: + Everyone",), Call("PUT", path, {}), (Call("DELETE", path),))


def _access_rule(site: Site, documents: OrgDocuments) -> Iterator[Change]:
    """Let the app use Interaction Code: by an existing rule, else by a new one, in a new policy if there is none."""
    if not site.server_id or allowing_rule(documents.access_policies):
        return
    policies = f"authorizationServers/{site.server_id}/policies"
    server = f"authorization server {site.server_id}"
    first = next(iter(documents.access_policies), None)
    policy = next((policy for policy in documents.access_policies if policy.rules), first)
    if policy and policy.rules:
        rule = policy.rules[0]
        name = f"{server}: rule “{rule.get('name')}” of “{policy.policy.get('name')}”"
        yield from _put(name, f"{policy.path}/{rule['id']}", rule, desired.access_rule(rule, site))
        return
    if not policy:
        body = desired.access_policy(site)
        created = Created(ACCESS_POLICY, policies, ("name",), body["name"])
        yield _creation(f"{server}: new access policy “{body['name']}”", created, body)
    body = desired.access_rule(None, site)
    rules = policy.path if policy else f"{policies}/{ACCESS_POLICY}/rules"
    yield _creation(f"{server}: new rule “{body['name']}”", Created(ACCESS_RULE, rules, ("name",), body["name"]), body)


def _registration_hook(site: Site, documents: OrgDocuments) -> Iterator[Change]:
    if not site.hook_url:
        return
    if hook := _hook_to(site.hook_url, documents.hooks):
        if hook.get("status") != "ACTIVE":
            yield _activation(f"registration hook “{hook.get('name')}”", f"inlineHooks/{hook['id']}")
        return
    created = Created(HOOK, "inlineHooks", HOOK_URL, site.hook_url)
    yield _creation("new registration hook", created, desired.registration_hook(site), is_active=True)


def _profile_policy(site: Site, documents: OrgDocuments) -> Iterator[Change]:
    policy, rule = documents.profile_policy, documents.profile_rule
    if policy is None or rule is None:
        raise CannotPlan(
            "The app isn't attached to a user profile policy. Add it to one: Security > User profile policies."
        )
    hook = _hook_to(site.hook_url, documents.hooks)
    hook_id = (str(hook["id"]) if hook else HOOK) if site.hook_url else ""
    others = f" (also that of: {', '.join(documents.sharing)})" if documents.sharing else ""
    after = desired.profile_rule(rule, site, hook_id)
    if unknown := _unknown_attributes(documents, after):
        raise CannotPlan(
            f"The org's user profile has no {', '.join(unknown)}, which SELFREG['ATTRIBUTES'] needs. Add it by hand: "
            "Directory > Profile Editor > User (default) > Add Attribute."
        )
    name = f"user profile policy “{policy.get('name')}”{others}"
    yield from _put(name, f"policies/{policy['id']}/rules/{rule['id']}", rule, after)


def _unknown_attributes(documents: OrgDocuments, rule: Json) -> list[str]:
    """Return attributes of the rule that the user profile lacks; none if the org does not show its schema."""
    parts = [value_at(documents.schema, "definitions", part, "properties") or {} for part in ("base", "custom")]
    attributes = value_at(rule, "actions", "profileEnrollment", "profileAttributes") or ()
    names = [str(value_at(attribute, "name")) for attribute in attributes]
    return [name for name in names if any(parts) and not any(name in part for part in parts)]


def _authenticators(site: Site, documents: OrgDocuments) -> Iterator[Change]:
    for key in site.authenticators:
        authenticator = next((a for a in documents.authenticators if a.get("key") == key), None)
        if authenticator is None:
            raise CannotPlan(f"The org has no authenticator {key}. Add it: Security > Authenticators > Setup.")
        if authenticator.get("status") != "ACTIVE":
            yield _activation(f"authenticator “{authenticator.get('name')}”", f"authenticators/{authenticator['id']}")


def _enrollment_policy(site: Site, documents: OrgDocuments) -> Iterator[Change]:
    policy = documents.enrollment_policy
    if policy is None:
        raise CannotPlan("The org has no enrollment policy. Add one: Security > Authenticators > Enrollment.")
    name = f"authenticator enrollment policy “{policy.get('name')}”"
    yield from _put(name, f"policies/{policy['id']}", policy, desired.enrollment_policy(policy, site))


def _event_hook(site: Site, documents: OrgDocuments) -> Iterator[Change]:
    """Create or correct the event hook. The org verifies it with a call to this site."""
    if not site.event_hook_url:
        return
    hook = _hook_to(site.event_hook_url, documents.event_hooks)
    body = desired.event_hook(hook, site)
    path = f"eventHooks/{hook['id'] if hook else EVENT_HOOK}"
    if hook is None:
        created = Created(EVENT_HOOK, "eventHooks", HOOK_URL, site.event_hook_url)
        yield _creation("new event hook", created, body, is_active=True)
    elif hook.get("status") != "ACTIVE":
        yield _activation(f"event hook “{hook.get('name')}”", path)
    if hook and body["events"] != hook["events"]:
        before = {**body, "events": hook["events"]}
        lines = tuple(diff_lines(hook["events"], body["events"], "events"))
        yield Change(f"event hook “{hook.get('name')}”", lines, Call("PUT", path, body), (Call("PUT", path, before),))
    if value_at(hook, "verificationStatus") != "VERIFIED":
        lines = (f"the org calls {site.event_hook_url} and waits for its answer",)
        call = Call("POST", f"{path}/lifecycle/verify")
        yield Change("event hook: verification", lines, call, (), hint=UNREACHABLE_HINT)


Planner = Callable[[Site, OrgDocuments], Iterator[Change]]
PLANNERS: tuple[Planner, ...] = (
    _app, _app_status, _assignment, _access_rule, _registration_hook, _profile_policy, _authenticators,
    _enrollment_policy, _event_hook,
)  # fmt: skip


def _creation(name: str, created: Created, body: Json, *, is_active: bool = False) -> Change:
    """Return the change that creates a resource.

    :param is_active: whether the new resource is active, so that it has to be deactivated before it can be deleted
    """
    path = f"{created.list_path}/{created.placeholder}"
    deactivation = (Call("POST", f"{path}/lifecycle/deactivate"),) if is_active else ()
    undo = (*deactivation, Call("DELETE", path))
    return Change(name, tuple(content_lines(body)), Call("POST", created.list_path, body), undo, created)


def _put(name: str, path: str, before: Json, after: Json) -> Iterator[Change]:
    """Yield the change of a document, unless nothing differs."""
    if lines := tuple(diff_lines(before, after)):
        yield Change(name, lines, Call("PUT", path, after), (Restore(path, before, after),))


def _activation(name: str, path: str) -> Change:
    undo = (Call("POST", f"{path}/lifecycle/deactivate"),)
    return Change(name, ("status: INACTIVE -> ACTIVE",), Call("POST", f"{path}/lifecycle/activate"), undo)


def _hook_to(url: str, hooks: tuple[Json, ...]) -> Json | None:
    return next((hook for hook in hooks if hook_url(hook) == url), None)


def _without_secret(app: Json) -> Json:
    """Return the app without its secret, which must not be in the journal. A PUT without it does not change it."""
    copy = deepcopy(app)
    (value_at(copy, "credentials", "oauthClient") or {}).pop("client_secret", None)
    return copy
