"""Sessions of an account that is deactivated, suspended or deleted at Okta end, within a day at the latest."""

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
from support.existing_user import OLD_PASSWORD, create_existing_user
from support.local_org.management_api import ManagementApi
from support.person import SITE, Person

pytestmark = pytest.mark.database
SECRET = "canary-hook-secret-long-enough-for-a-site"
EVENTS = "/signup/hooks/events/"


@pytest.fixture
def okta(configure: Callable[..., None], org: OrgHandle) -> Client:
    configure(HOOK_SECRET=SECRET)
    return Client(headers={"Authorization": SECRET})


def deliver(okta: Client, *events: Any) -> None:
    body = {"data": {"events": list(events)}}
    assert okta.post(EVENTS, json.dumps(body), content_type="application/json").status_code == 204


def event(kind: str, subject: str = "", **more: Any) -> dict[str, Any]:
    subject = subject or OktaIdentity.objects.get().subject
    target = [{"type": "User", "id": subject}]
    return {"uuid": f"{kind} {subject}", "eventType": kind, "target": target, "outcome": {"result": "SUCCESS"}, **more}


def is_logged_in(person: Person) -> bool:
    return "Sign out" in person.opens("/").page.text


ENDING_EVENTS = [
    "user.lifecycle.deactivate",
    "user.lifecycle.suspend",
    "user.lifecycle.delete.initiated",
    "user.session.clear",
]


@pytest.mark.parametrize("kind", ENDING_EVENTS)
def test_event_hook_for_an_ended_account_ends_all_its_sessions(
    person: Person, org: OrgHandle, okta: Client, kind: str
) -> None:
    person.signs_up(org)
    second_browser = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    grace = Person("grace@example.com").signs_up(org)
    subject = OktaIdentity.objects.order_by("created_at")[0].subject
    deliver(okta, event(kind, subject))
    assert [is_logged_in(p) for p in (person, second_browser, grace)] == [False, False, True]


def app_removed_event(subject: str = "", app: str = "0oaLocalDemoApp0000") -> dict[str, Any]:
    removed = event("application.user_membership.remove", subject)
    return {
        **removed,
        "target": [*removed["target"], {"type": "AppUser", "id": "0ua1"}, {"type": "AppInstance", "id": app}],
    }


def test_event_hook_for_a_removed_app_assignment_ends_the_sessions(
    person: Person, org: OrgHandle, okta: Client
) -> None:
    person.signs_up(org)
    deliver(okta, app_removed_event(app="0oaOfAnotherSite"))
    assert is_logged_in(person)
    deliver(okta, {**app_removed_event(), "uuid": "another one"})
    assert not is_logged_in(person)


def test_event_ends_sessions_of_all_authorization_servers_of_the_org(
    person: Person, org: OrgHandle, okta: Client, configure: Callable[..., None]
) -> None:
    """Each authorization server is a separate issuer, and the hook may be configured for only one of them."""
    person.signs_up(org)
    org_issuer = org.issuer.partition("/oauth2/")[0]
    configure(ORGS={"staff": {"ISSUER": org.issuer}, "other": {"ISSUER": "https://other.test"}}, ISSUER=org_issuer)
    identity = OktaIdentity.objects.create(
        issuer="https://other.test", subject=OktaIdentity.objects.get().subject, user=User.objects.create_user("other")
    )
    deliver(okta, event("user.lifecycle.deactivate", identity.subject))
    configure(ISSUER=org.issuer)
    assert not is_logged_in(person)
    identity.refresh_from_db()
    assert identity.closed_at is None


@pytest.mark.parametrize("change", ["deactivate", "suspend"])
def test_event_sent_by_the_local_org_ends_the_sessions(
    person: Person, org: OrgHandle, okta: Client, change: str
) -> None:
    person.signs_up(org)
    subject = OktaIdentity.objects.get().subject
    ManagementApi(org)("POST", f"users/{subject}/lifecycle/{change}")
    state = org.org
    deliver(okta, *[event_json(state.clock, e) for e in state.system_log.events])
    assert not is_logged_in(person)


def test_ended_sessions_do_not_work_again_after_reactivation(person: Person, org: OrgHandle, okta: Client) -> None:
    person.signs_up(org)
    deliver(okta, event("user.lifecycle.suspend"))
    returning_person = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert (is_logged_in(returning_person), is_logged_in(person)) == (True, False)


def test_user_with_a_local_password_keeps_it_when_the_account_ends(
    person: Person, org: OrgHandle, okta: Client, configure: Callable[..., None]
) -> None:
    configure(LINK_EXISTING=True)
    existing_user = create_existing_user(person.email)
    person.signs_up(org)
    person.fills_and_presses({"password": OLD_PASSWORD})
    assert is_logged_in(person)
    deliver(okta, event("user.lifecycle.deactivate"))
    assert not is_logged_in(person)
    assert User.objects.get(pk=existing_user.pk).check_password(OLD_PASSWORD)
    returning_person = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert is_logged_in(returning_person)
    assert OktaIdentity.objects.get().closed_at is None


@pytest.mark.parametrize(
    "changes",
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
def test_irrelevant_events_end_no_sessions(
    person: Person, org: OrgHandle, okta: Client, changes: dict[str, Any]
) -> None:
    person.signs_up(org)
    deliver(okta, event("user.lifecycle.deactivate", **changes))
    assert is_logged_in(person)


def test_event_without_the_hook_secret_ends_no_sessions(person: Person, org: OrgHandle, okta: Client) -> None:
    person.signs_up(org)
    body = json.dumps({"data": {"events": [event("user.lifecycle.deactivate")]}})
    for headers in ({}, {"Authorization": "x"}):
        assert Client(headers=headers).post(EVENTS, body, content_type="application/json").status_code == 401
    assert is_logged_in(person)


def session_expiry(person: Person) -> datetime:
    moment: datetime = person.browser.session.get_expiry_date()
    return moment


def test_session_expires_after_a_day_even_if_it_is_used(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(SESSION_IDLE_SECONDS=0)
    person.signs_up(org)
    start = timezone.now()
    assert timedelta(hours=23) < session_expiry(person) - start <= timedelta(hours=24)
    with time_machine.travel(start + timedelta(hours=20)):
        assert is_logged_in(person)
        session = person.browser.session
        session["something"] = "of the site"
        session.save()
    with time_machine.travel(start + timedelta(hours=25)):
        assert not is_logged_in(person)


def test_session_seconds_setting_limits_the_session(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(SESSION_SECONDS=3600)
    person.signs_up(org)
    assert session_expiry(person) - timezone.now() <= timedelta(hours=1)
    configure(SESSION_SECONDS=0)
    second_browser = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert session_expiry(second_browser) - timezone.now() > timedelta(days=13)


def test_session_expire_at_browser_close_is_respected(person: Person, org: OrgHandle, settings: Any) -> None:
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    person.signs_up(org)
    assert person.browser.cookies["sessionid"]["max-age"] == ""
