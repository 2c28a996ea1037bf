"""The changes that lead from what the org says to what it should say. Pure: the documents in, the calls out."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

from selfreg.doctor.documents import EMAIL_CALLBACK, OrgDocuments, allowing_rule, at, hook_url
from selfreg.doctor.evidence import Site
from selfreg.doctor.setup import desired
from selfreg.doctor.setup.diff import contents, difference
from selfreg.okta_api.client import Json

# Stand for ids that are only known once the thing is made.
APP, HOOK, EVENT_HOOK, ACCESS_POLICY, ACCESS_RULE = (
    "{new app}", "{new registration hook}", "{new event hook}", "{new access policy}", "{new access rule}",
)  # fmt: skip
HOOK_URL = ("channel", "config", "uri")
CLIENT_ID = ("credentials", "oauthClient", "client_id")
REACH = "The org must be able to reach this site there: is the site up, and at that address?"


class CannotPlan(Exception):
    """The org lacks something that this command does not make; the text says what and who can."""


@dataclass(frozen=True, slots=True)
class Call:
    """One change at the Management API."""

    method: str
    path: str
    body: Json | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """The way back of a PUT. What others changed meanwhile stays: see ``restored``."""

    path: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Made:
    """A new thing: the placeholder of its id, and how it is found in a list when the answer with its id was lost."""

    placeholder: str
    within: str
    path: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """``lines`` is the difference in words; ``hint`` what to look at when the org refuses."""

    name: str
    lines: tuple[str, ...]
    call: Call
    undo: tuple[Call | Restore, ...]
    made: Made | None = None
    hint: str = ""


def plan(site: Site, now: OrgDocuments) -> tuple[Change, ...]:
    """In the order to be carried out; empty when the org is as it should be. What the org itself calls comes last.

    :raises CannotPlan: there is nothing to change, because there is nothing there
    """
    return tuple(change for part in PARTS for change in part(site, now))


def _app(site: Site, now: OrgDocuments) -> Iterator[Change]:
    if now.app is None:
        if site.client_auth not in desired.AUTH_METHODS:
            raise CannotPlan(f"There is no app {site.client_id}. An app with a private key has to be made by hand.")
        body = desired.new_app(site)
        undo = (Call("POST", f"apps/{APP}/lifecycle/deactivate"), Call("DELETE", f"apps/{APP}"))
        if_it_can = f"{EMAIL_CALLBACK}: {site.email_callback_uri} (afterwards, where the org's API has it)"
        lines = (*contents(body), if_it_can)
        made = Made(APP, "apps", CLIENT_ID, site.client_id)
        yield Change(f"new app “{body['label']}”", lines, Call("POST", "apps", body), undo, made)
        return
    before = _without_secret(now.app)
    yield from _put(f"app “{before.get('label')}”", f"apps/{before['id']}", before, desired.app(before, site))


def _active(_site: Site, now: OrgDocuments) -> Iterator[Change]:
    if now.app and now.app.get("status") != "ACTIVE":
        yield _switched_on("app: switch on", f"apps/{now.app['id']}")


def _assignment(_site: Site, now: OrgDocuments) -> Iterator[Change]:
    joined = set(at(now.profile_rule, "actions", "profileEnrollment", "targetGroupIds") or ()) | {now.everyone_id}
    if joined & set(now.group_ids):
        return
    if not now.everyone_id:
        raise CannotPlan("The group Everyone cannot be seen. Assign the app to it by hand.")
    path = f"apps/{now.app['id'] if now.app else APP}/groups/{now.everyone_id}"
    yield Change("app: assignment", ("groups: + Everyone",), Call("PUT", path, {}), (Call("DELETE", path),))


def _access(site: Site, now: OrgDocuments) -> Iterator[Change]:
    """A rule that lets the app use Interaction Code: one that is there, else a new one, if need be of a new policy."""
    if not site.server_id or allowing_rule(now.access_policies):
        return
    policies = f"authorizationServers/{site.server_id}/policies"
    where = next((policy for policy in now.access_policies if policy.rules), next(iter(now.access_policies), None))
    if where and where.rules:
        rule = where.rules[0]
        name = f"authorization server {site.server_id}: rule “{rule.get('name')}” of “{where.policy.get('name')}”"
        yield from _put(name, f"{where.path}/{rule['id']}", rule, desired.access_rule(rule))
        return
    if not where:
        body = desired.access_policy(site)
        name = f"authorization server {site.server_id}: new access policy “{body['name']}”"
        yield _new(name, Made(ACCESS_POLICY, policies, ("name",), body["name"]), body)
    rules = where.path if where else f"{policies}/{ACCESS_POLICY}/rules"
    body = desired.access_rule(None)
    name = f"authorization server {site.server_id}: new rule “{body['name']}”"
    yield _new(name, Made(ACCESS_RULE, rules, ("name",), body["name"]), body)


def _hook(site: Site, now: OrgDocuments) -> Iterator[Change]:
    if not site.hook_url:
        return
    if known := _calling(site.hook_url, now.hooks):
        if known.get("status") != "ACTIVE":
            yield _switched_on(f"registration hook “{known.get('name')}”", f"inlineHooks/{known['id']}")
        return
    made = Made(HOOK, "inlineHooks", HOOK_URL, site.hook_url)
    yield _new("new registration hook", made, desired.registration_hook(site), switched_off=True)


def _profile(site: Site, now: OrgDocuments) -> Iterator[Change]:
    if now.profile_policy is None or now.profile_rule is None:
        raise CannotPlan(
            "The app is attached to no user profile policy. Add it to one: Security > User profile policies."
        )
    policy, rule = now.profile_policy, now.profile_rule
    known = _calling(site.hook_url, now.hooks)
    hook_id = (str(known["id"]) if known else HOOK) if site.hook_url else ""
    others = f" (also that of: {', '.join(now.sharing)})" if now.sharing else ""
    name = f"user profile policy “{policy.get('name')}”{others}"
    after = desired.profile_rule(rule, site, hook_id)
    if unknown := _not_in_the_profile(now, after):
        raise CannotPlan(
            f"The org's user profile has no {', '.join(unknown)}, which SELFREG['ATTRIBUTES'] names. Add it by hand: "
            "Directory > Profile Editor > User (default) > Add Attribute."
        )
    yield from _put(name, f"policies/{policy['id']}/rules/{rule['id']}", rule, after)


def _not_in_the_profile(now: OrgDocuments, rule: Json) -> list[str]:
    """Of the attributes that the rule asks for; nothing where the org does not show its schema."""
    parts = [at(now.schema, "definitions", part, "properties") or {} for part in ("base", "custom")]
    asked = [str(at(a, "name")) for a in at(rule, "actions", "profileEnrollment", "profileAttributes") or ()]
    return [name for name in asked if any(parts) and not any(name in part for part in parts)]


def _authenticators(site: Site, now: OrgDocuments) -> Iterator[Change]:
    for key in site.authenticators:
        item = next((a for a in now.authenticators if a.get("key") == key), None)
        if item is None:
            raise CannotPlan(f"The org has no authenticator {key}. Add it: Security > Authenticators > Setup.")
        if item.get("status") != "ACTIVE":
            yield _switched_on(f"authenticator “{item.get('name')}”", f"authenticators/{item['id']}")


def _enrollment(site: Site, now: OrgDocuments) -> Iterator[Change]:
    policy = now.enrollment_policy
    if policy is None:
        raise CannotPlan("There is no authenticator enrollment policy: Security > Authenticators > Enrollment.")
    after = desired.enrollment_policy(policy, site)
    yield from _put(
        f"authenticator enrollment policy “{policy.get('name')}”", f"policies/{policy['id']}", policy, after
    )


def _event_hook(site: Site, now: OrgDocuments) -> Iterator[Change]:
    """The org asks the site once, before it sends anything."""
    if not site.event_hook_url:
        return
    known = _calling(site.event_hook_url, now.event_hooks)
    body = desired.event_hook(known, site)
    path = f"eventHooks/{known['id'] if known else EVENT_HOOK}"
    if known is None:
        made = Made(EVENT_HOOK, "eventHooks", HOOK_URL, site.event_hook_url)
        yield _new("new event hook", made, body, switched_off=True)
    elif known.get("status") != "ACTIVE":
        yield _switched_on(f"event hook “{known.get('name')}”", path)
    if known and body["events"] != known["events"]:
        before = {**body, "events": known["events"]}
        lines = tuple(difference(known["events"], body["events"], "events"))
        yield Change(f"event hook “{known.get('name')}”", lines, Call("PUT", path, body), (Call("PUT", path, before),))
    if at(known, "verificationStatus") != "VERIFIED":
        lines = (f"the org calls {site.event_hook_url} and waits for its answer",)
        yield Change("event hook: verification", lines, Call("POST", f"{path}/lifecycle/verify"), (), hint=REACH)


Part = Callable[[Site, OrgDocuments], Iterator[Change]]
PARTS: tuple[Part, ...] = (
    _app, _active, _assignment, _access, _hook, _profile, _authenticators, _enrollment, _event_hook,
)  # fmt: skip


def _new(name: str, made: Made, body: Json, *, switched_off: bool = False) -> Change:
    """``switched_off``: what is active cannot be deleted."""
    path = f"{made.within}/{made.placeholder}"
    first = (Call("POST", f"{path}/lifecycle/deactivate"),) if switched_off else ()
    undo = (*first, Call("DELETE", path))
    return Change(name, tuple(contents(body)), Call("POST", made.within, body), undo, made)


def _put(name: str, path: str, before: Json, after: Json) -> Iterator[Change]:
    if lines := tuple(difference(before, after)):
        yield Change(name, lines, Call("PUT", path, after), (Restore(path, before, after),))


def _switched_on(name: str, path: str) -> Change:
    undo = (Call("POST", f"{path}/lifecycle/deactivate"),)
    return Change(name, ("status: INACTIVE -> ACTIVE",), Call("POST", f"{path}/lifecycle/activate"), undo)


def _calling(url: str, hooks: tuple[Json, ...]) -> Json | None:
    return next((hook for hook in hooks if hook_url(hook) == url), None)


def _without_secret(app: Json) -> Json:
    """The org keeps the secret that a PUT leaves out; a plan on disk must not hold it."""
    after = deepcopy(app)
    (at(after, "credentials", "oauthClient") or {}).pop("client_secret", None)
    return after
