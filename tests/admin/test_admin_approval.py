"""Sites where an administrator has the last word."""

import re
from collections.abc import Callable

import django
import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from okta_devorg import OrgHandle
from okta_devorg.testing import OktaOrg
from selfreg.conf import conf
from selfreg.models import OktaIdentity, Registration, RegistrationEvent
from selfreg.statuses import Status
from support.person import PASSWORD, Person
from support.staff import LIST

pytestmark = pytest.mark.database

HAS_MAILERS = django.VERSION >= (6, 1)


@pytest.fixture
def waiting(person: Person, org: OrgHandle, configure: Callable[..., None]) -> Registration:
    """Ada's, who has done all that the org asks for."""
    configure(APPROVAL=True)
    person.signs_up(org)
    return Registration.objects.get()


def press(browser: Client, act: str, registration: Registration, **more: str) -> list[str]:
    form = {"_selected_action": str(registration.pk), "confirmed": "yes", **more}
    answer = browser.post(f"{LIST}act/{act}/", form, follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_a_person_who_is_done_waits_and_is_told_so(waiting: Registration, person: Person) -> None:
    assert waiting.status == Status.AWAITING_APPROVAL
    assert waiting.sealed == ""
    assert not person.is_signed_in
    assert person.heading == "Your sign-up is being reviewed"


def test_signing_in_at_the_org_does_not_go_around_it(waiting: Registration, person: Person) -> None:
    person.opens("/oidc/authenticate/").signs_in_at_the_org()
    assert not person.is_signed_in
    assert "being reviewed" in person.page.text


def test_people_who_wait_when_approval_is_turned_off_are_not_forgotten(
    waiting: Registration, manager: Client, configure: Callable[..., None]
) -> None:
    configure(APPROVAL=False)
    start, every = manager.get("/admin/").content.decode(), manager.get(LIST)
    tab = next(tab for tab in every.context["tabs"] if "awaiting_approval" in tab.url)
    assert ("status=awaiting_approval" in start, tab.count) == (True, "1")
    listed = manager.get(f"{LIST}?status=awaiting_approval").content.decode()
    assert [name in listed for name in ('value="approve"', 'value="reject"')] == [True, True]
    assert "act/approve/" in manager.get(f"{LIST}{waiting.pk}/change/").content.decode()
    assert press(manager, "approve", waiting) == ["1 sign-up approved."]
    gone = manager.get(LIST).content.decode()
    assert 'value="approve"' not in gone
    assert "awaiting_approval" not in gone.partition("selfreg-tabs")[2].partition("</nav>")[0]


def test_who_is_approved_gets_a_mail_and_can_sign_in(waiting: Registration, person: Person, manager: Client) -> None:
    assert press(manager, "approve", waiting) == ["1 sign-up approved."]
    waiting.refresh_from_db()
    assert (waiting.status, OktaIdentity.objects.get().approval) == (Status.COMPLETED, "given")
    assert [(m.to, "can sign in" in m.subject) for m in mail.outbox] == [(["ada@example.com"], True)]
    person.opens("/oidc/authenticate/").signs_in_at_the_org()
    assert person.is_signed_in


def test_an_older_account_that_signs_in_for_the_first_time_is_decided_on_too(
    person: Person, org: OrgHandle, manager: Client, configure: Callable[..., None]
) -> None:
    OktaOrg(org).sign_up(person.email, PASSWORD)
    configure(APPROVAL=True)
    person.opens("/oidc/authenticate/").signs_in_at_the_org().opens("/oidc/authenticate/")
    assert not person.is_signed_in
    registration = Registration.objects.get()
    assert (registration.status, registration.email) == (Status.AWAITING_APPROVAL, person.email)
    press(manager, "approve", registration)
    assert mail.outbox[0].to == [person.email]
    assert person.opens("/oidc/authenticate/").is_signed_in


@pytest.mark.parametrize("end", ["expire", "cancel", "erase"])
def test_who_signs_in_after_the_waiting_was_ended_waits_again(
    waiting: Registration, person: Person, manager: Client, end: str
) -> None:
    press(manager, end, waiting)
    person.opens("/oidc/authenticate/").signs_in_at_the_org()
    assert not person.is_signed_in
    assert Registration.objects.filter(status=Status.AWAITING_APPROVAL).count() == 1


def test_an_account_that_is_complete_at_okta_is_not_called_unfinished(
    waiting: Registration, manager: Client, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN="local-api-token-not-for-production")
    page = manager.get(f"{LIST}{waiting.pk}/change/").content.decode()
    assert re.findall(r'id="selfreg-act-([a-z-]+)"', page) == ["approve", "expire", "reject", "cancel", "erase"]


def test_who_is_rejected_gets_the_reason_and_stays_out(waiting: Registration, person: Person, manager: Client) -> None:
    press(manager, "reject", waiting, reason="We do not know you")
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure, waiting.failure_text) == (
        Status.FAILED,
        "selfreg.rejected",
        "We do not know you",
    )
    assert "We do not know you" in mail.outbox[0].body
    assert "We do not know you" in manager.get(f"{LIST}{waiting.pk}/change/").content.decode()
    person.opens("/oidc/authenticate/").signs_in_at_the_org()
    assert not person.is_signed_in


def test_the_reason_is_in_no_log_line_and_no_event(
    waiting: Registration, manager: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        press(manager, "reject", waiting, reason="Lives at 5 Elm Street")
    (event,) = RegistrationEvent.objects.filter(kind="administered")
    assert event.outcome == "reject: ok"
    assert waiting.events.exclude(outcome__contains="Elm").count() == waiting.events.count()
    assert "Elm" not in "".join(repr(vars(record)) for record in caplog.records)
    assert "Lives at 5 Elm Street" in manager.get(f"{LIST}{waiting.pk}/change/").content.decode()


def test_rejecting_needs_a_reason(waiting: Registration, manager: Client) -> None:
    answer = manager.post(
        f"{LIST}act/reject/", {"_selected_action": str(waiting.pk), "confirmed": "yes", "reason": " "}
    )
    assert "Enter a reason" in answer.content.decode()
    waiting.refresh_from_db()
    assert waiting.status == Status.AWAITING_APPROVAL


def test_a_decision_is_made_once(waiting: Registration, manager: Client) -> None:
    press(manager, "approve", waiting)
    assert "not possible" in press(manager, "reject", waiting, reason="late")[0]
    waiting.refresh_from_db()
    assert waiting.status == Status.COMPLETED


def test_a_mail_server_that_is_away_is_told_and_the_decision_stands(
    waiting: Registration, manager: Client, settings: object
) -> None:
    smtp = "django.core.mail.backends.smtp.EmailBackend"
    if HAS_MAILERS:
        server = {"host": "127.0.0.1", "port": 1}
        settings.MAILERS = {"default": {"BACKEND": smtp, "OPTIONS": server}}  # type: ignore[attr-defined]
    else:
        settings.EMAIL_BACKEND, settings.EMAIL_PORT = smtp, 1  # type: ignore[attr-defined]
    assert "email to the person couldn't be sent" in press(manager, "approve", waiting)[0]
    waiting.refresh_from_db()
    assert waiting.status == Status.COMPLETED


@pytest.mark.skipif(not HAS_MAILERS, reason="Django has MAILERS from 6.1 on")
def test_a_site_without_a_default_mailer_is_told_too(waiting: Registration, manager: Client, settings: object) -> None:
    settings.MAILERS = {}  # type: ignore[attr-defined]
    assert "email to the person couldn't be sent" in press(manager, "approve", waiting)[0]
    waiting.refresh_from_db()
    assert waiting.status == Status.COMPLETED


def test_waiting_for_approval_does_not_count_as_abandoned(waiting: Registration) -> None:
    assert not Registration.objects.untouched_since(waiting.updated_at.replace(year=9000), conf()).exists()


def test_without_the_setting_nobody_waits(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    assert person.is_signed_in
    assert OktaIdentity.objects.get().approval == ""
    assert User.objects.count() == 1
