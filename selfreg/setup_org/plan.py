"""The changes that lead from what the org says to what it should say. Pure: the documents in, the calls out."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from selfreg.doctor.documents import EMAIL_CALLBACK, OrgDocuments, at
from selfreg.doctor.evidence import Site
from selfreg.doctor.management_api import Json
from selfreg.setup_org import wanted
from selfreg.setup_org.difference import difference

# Stand for ids that are only known once the thing is made.
APP, HOOK = "{app}", "{hook}"


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
class Change:
    """``lines`` is the difference in words; ``makes`` the placeholder that the id in the answer stands for."""

    name: str
    lines: tuple[str, ...]
    call: Call
    undo: tuple[Call | Restore, ...]
    makes: str = ""


def plan(site: Site, now: OrgDocuments) -> tuple[Change, ...]:
    """In the order to be carried out; empty when the org is as it should be.

    :raises CannotPlan: there is nothing to change, because there is nothing there
    """
    everything = (_app(site, now), _active(now), _assignment(now), _hook(site, now), _profile(site, now))
    return tuple(c for changes in (*everything, _authenticators(site, now), _enrollment(site, now)) for c in changes)


def _app(site: Site, now: OrgDocuments) -> Iterator[Change]:
    if now.app is None:
        if site.client_auth not in wanted.AUTH_METHODS:
            raise CannotPlan(f"There is no app {site.client_id}. An app with a private key has to be made by hand.")
        body = wanted.new_app(site)
        undo = (Call("POST", f"apps/{APP}/lifecycle/deactivate"), Call("DELETE", f"apps/{APP}"))
        if_it_can = f"{EMAIL_CALLBACK}: (nothing) -> {site.email_callback_uri} (afterwards, where the org's API has it)"
        lines = (*difference({}, body), if_it_can)
        yield Change(f"new app “{body['label']}”", lines, Call("POST", "apps", body), undo, makes=APP)
        return
    before = _without_secret(now.app)
    yield from _put(f"app “{before.get('label')}”", f"apps/{before['id']}", before, wanted.app(before, site))


def _active(now: OrgDocuments) -> Iterator[Change]:
    if now.app and now.app.get("status") != "ACTIVE":
        path = f"apps/{now.app['id']}/lifecycle"
        undo = (Call("POST", f"{path}/deactivate"),)
        yield Change("app: switch on", ("status: INACTIVE -> ACTIVE",), Call("POST", f"{path}/activate"), undo)


def _assignment(now: OrgDocuments) -> Iterator[Change]:
    joined = set(at(now.profile_rule, "actions", "profileEnrollment", "targetGroupIds") or ()) | {now.everyone_id}
    if joined & set(now.group_ids):
        return
    if not now.everyone_id:
        raise CannotPlan("The group Everyone cannot be seen. Assign the app to it by hand.")
    path = f"apps/{now.app['id'] if now.app else APP}/groups/{now.everyone_id}"
    yield Change("app: assignment", ("groups: + Everyone",), Call("PUT", path, {}), (Call("DELETE", path),))


def _hook(site: Site, now: OrgDocuments) -> Iterator[Change]:
    if site.hook_url and not _known_hook(site, now):
        body = wanted.hook(site)
        path = f"inlineHooks/{HOOK}"
        undo = (Call("POST", f"{path}/lifecycle/deactivate"), Call("DELETE", path))
        lines = tuple(difference({}, body))
        yield Change("new registration hook", lines, Call("POST", "inlineHooks", body), undo, makes=HOOK)


def _known_hook(site: Site, now: OrgDocuments) -> str:
    hooks = (h for h in now.hooks if at(h, "channel", "config", "uri") == site.hook_url)
    return next((str(h["id"]) for h in hooks), "")


def _profile(site: Site, now: OrgDocuments) -> Iterator[Change]:
    if now.profile_policy is None or now.profile_rule is None:
        raise CannotPlan(
            "The app is attached to no user profile policy. Add it to one: Security > User profile policies."
        )
    policy, rule = now.profile_policy, now.profile_rule
    hook_id = (_known_hook(site, now) or HOOK) if site.hook_url else ""
    others = f" (also that of: {', '.join(now.sharing)})" if now.sharing else ""
    name = f"user profile policy “{policy.get('name')}”{others}"
    yield from _put(name, f"policies/{policy['id']}/rules/{rule['id']}", rule, wanted.profile_rule(rule, site, hook_id))


def _authenticators(site: Site, now: OrgDocuments) -> Iterator[Change]:
    for item in now.authenticators:
        if item.get("key") in site.authenticators and item.get("status") != "ACTIVE":
            path, lines = f"authenticators/{item['id']}/lifecycle", ("status: INACTIVE -> ACTIVE",)
            undo = (Call("POST", f"{path}/deactivate"),)
            yield Change(f"authenticator “{item.get('name')}”", lines, Call("POST", f"{path}/activate"), undo)


def _enrollment(site: Site, now: OrgDocuments) -> Iterator[Change]:
    policy = now.enrollment_policy
    if policy is None:
        raise CannotPlan("There is no authenticator enrollment policy: Security > Authenticators > Enrollment.")
    after = wanted.enrollment_policy(policy, site)
    yield from _put(
        f"authenticator enrollment policy “{policy.get('name')}”", f"policies/{policy['id']}", policy, after
    )


def _put(name: str, path: str, before: Json, after: Json) -> Iterator[Change]:
    if lines := tuple(difference(before, after)):
        yield Change(name, lines, Call("PUT", path, after), (Restore(path, before, after),))


def _without_secret(app: Json) -> Json:
    """The org keeps the secret that a PUT leaves out; a plan on disk must not hold it."""
    after = deepcopy(app)
    (at(after, "credentials", "oauthClient") or {}).pop("client_secret", None)
    return after
