"""An account that is deactivated, suspended or deleted at Okta: its sessions end here, within a day at the latest."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from okta_devorg import OrgHandle
from okta_devorg.state.logs.system_log import event_json
from selfreg.models import OktaIdentity
from support.local_org.management_api import ManagementApi
from support.older_account import OLD_PASSWORD, an_older_account
from support.person import SITE, Person

pytestmark = pytest.mark.database
SECRET = "canary-hook-secret-long-enough-for-a-site"
EVENTS = "/signup/hooks/events/"


@pytest.fixture
def okta(configure: Callable[..., None], org: OrgHandle) -> Client:
    configure(HOOK_SECRET=SECRET)
    return Client(headers={"Authorization": SECRET})


def tell(okta: Client, *events: Any) -> None:
    body = {"data": {"events": list(events)}}
    assert okta.post(EVENTS, json.dumps(body), content_type="application/json").status_code == 204


def event(kind: str, subject: str = "", **more: Any) -> dict[str, Any]:
    subject = subject or OktaIdentity.objects.get().subject
    target = [{"type": "User", "id": subject}]
    return {"uuid": f"{kind} {subject}", "eventType": kind, "target": target, "outcome": {"result": "SUCCESS"}, **more}


def is_in(person: Person) -> bool:
    return "Sign out" in person.opens("/").page.text


ENDS = ["user.lifecycle.deactivate", "user.lifecycle.suspend", "user.lifecycle.delete.initiated", "user.session.clear"]


@pytest.mark.parametrize("kind", ENDS)
def test_an_account_that_ends_at_okta_ends_its_sessions_here(
    person: Person, org: OrgHandle, okta: Client, kind: str
) -> None:
    person.signs_up(org)
    elsewhere = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    grace = Person("grace@example.com").signs_up(org)
    subject = OktaIdentity.objects.order_by("created_at")[0].subject
    tell(okta, event(kind, subject))
    assert [is_in(p) for p in (person, elsewhere, grace)] == [False, False, True]


def lost_app(subject: str = "", app: str = "0oaLocalDemoApp0000") -> dict[str, Any]:
    gone = event("application.user_membership.remove", subject)
    return {**gone, "target": [*gone["target"], {"type": "AppUser", "id": "0ua1"}, {"type": "AppInstance", "id": app}]}


def test_who_loses_the_app_loses_the_sessions_here(person: Person, org: OrgHandle, okta: Client) -> None:
    person.signs_up(org)
    tell(okta, lost_app(app="0oaOfAnotherSite"))
    assert is_in(person)
    tell(okta, {**lost_app(), "uuid": "another one"})
    assert not is_in(person)


def test_an_account_ends_at_every_server_of_its_org(
    person: Person, org: OrgHandle, okta: Client, configure: Callable[..., None]
) -> None:
    """Each authorization server is an issuer of its own, and the hook may be set up for one of them only."""
    person.signs_up(org)
    org_issuer = org.issuer.partition("/oauth2/")[0]
    configure(ORGS={"staff": {"ISSUER": org.issuer}, "other": {"ISSUER": "https://other.test"}}, ISSUER=org_issuer)
    identity = OktaIdentity.objects.create(
        issuer="https://other.test", subject=OktaIdentity.objects.get().subject, user=User.objects.create_user("other")
    )
    tell(okta, event("user.lifecycle.deactivate", identity.subject))
    configure(ISSUER=org.issuer)
    assert not is_in(person)
    identity.refresh_from_db()
    assert identity.closed_at is None


@pytest.mark.parametrize("change", ["deactivate", "suspend"])
def test_the_orgs_own_event_does_it(person: Person, org: OrgHandle, okta: Client, change: str) -> None:
    person.signs_up(org)
    subject = OktaIdentity.objects.get().subject
    ManagementApi(org)("POST", f"users/{subject}/lifecycle/{change}")
    state = org.org
    tell(okta, *[event_json(state.clock, e) for e in state.system_log.events])
    assert not is_in(person)


def test_after_the_account_works_again_old_sessions_stay_ended(person: Person, org: OrgHandle, okta: Client) -> None:
    person.signs_up(org)
    tell(okta, event("user.lifecycle.suspend"))
    again = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert (is_in(again), is_in(person)) == (True, False)


def test_a_user_with_a_password_of_the_site_keeps_it_and_is_out_until_the_next_sign_in(
    person: Person, org: OrgHandle, okta: Client, configure: Callable[..., None]
) -> None:
    configure(LINK_EXISTING=True)
    old = an_older_account(person.email)
    person.signs_up(org)
    person.fills_and_presses({"password": OLD_PASSWORD})
    assert is_in(person)
    tell(okta, event("user.lifecycle.deactivate"))
    assert not is_in(person)
    assert User.objects.get(pk=old.pk).check_password(OLD_PASSWORD)
    again = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert is_in(again)
    assert OktaIdentity.objects.get().closed_at is None


@pytest.mark.parametrize(
    "harmless",
    [
        {"outcome": {"result": "FAILURE"}},
        {"eventType": "user.lifecycle.unsuspend"},
        {"eventType": "user.lifecycle.deactivated"},
        {"eventType": ["user.lifecycle.deactivate"]},
        {"target": [{"type": "AppUser", "id": "x"}]},
        {"published": "2001-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_other_events_end_nothing(person: Person, org: OrgHandle, okta: Client, harmless: dict[str, Any]) -> None:
    person.signs_up(org)
    tell(okta, event("user.lifecycle.deactivate", **harmless))
    assert is_in(person)


def test_without_the_secret_nobody_is_logged_out(person: Person, org: OrgHandle, okta: Client) -> None:
    person.signs_up(org)
    body = json.dumps({"data": {"events": [event("user.lifecycle.deactivate")]}})
    for headers in ({}, {"Authorization": "x"}):
        assert Client(headers=headers).post(EVENTS, body, content_type="application/json").status_code == 401
    assert is_in(person)


def ends_at(person: Person) -> datetime:
    moment: datetime = person.browser.session.get_expiry_date()
    return moment


def test_a_session_ends_after_a_day_whatever_happens_in_it(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(SESSION_IDLE_SECONDS=0)
    person.signs_up(org)
    start = timezone.now()
    assert timedelta(hours=23) < ends_at(person) - start <= timedelta(hours=24)
    with time_machine.travel(start + timedelta(hours=20)):
        assert is_in(person)
        session = person.browser.session
        session["something"] = "of the site"
        session.save()
    with time_machine.travel(start + timedelta(hours=25)):
        assert not is_in(person)


def test_the_site_decides_how_long_a_session_lasts(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(SESSION_SECONDS=3600)
    person.signs_up(org)
    assert ends_at(person) - timezone.now() <= timedelta(hours=1)
    configure(SESSION_SECONDS=0)
    other = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert ends_at(other) - timezone.now() > timedelta(days=13)


def test_a_session_that_ends_with_the_browser_still_does(person: Person, org: OrgHandle, settings: Any) -> None:
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    person.signs_up(org)
    assert person.browser.cookies["sessionid"]["max-age"] == ""
