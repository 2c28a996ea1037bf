"""Approval of new users by an administrator."""

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
def awaiting_approval(person: Person, org: OrgHandle, configure: Callable[..., None]) -> Registration:
    """Return a registration that awaits approval."""
    configure(APPROVAL=True)
    person.signs_up(org)
    return Registration.objects.get()


def press(browser: Client, action: str, registration: Registration, **more: str) -> list[str]:
    form = {"_selected_action": str(registration.pk), "confirmed": "yes", **more}
    response = browser.post(f"{LIST}act/{action}/", form, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_completed_sign_up_awaits_approval_without_login(awaiting_approval: Registration, person: Person) -> None:
    assert awaiting_approval.status == Status.AWAITING_APPROVAL
    assert awaiting_approval.sealed == ""
    assert not person.is_signed_in
    assert person.heading == "Your sign-up is being reviewed"


def test_signing_in_at_the_org_does_not_bypass_approval(awaiting_approval: Registration, person: Person) -> None:
    person.opens("/oidc/authenticate/").signs_in_at_the_org()
    assert not person.is_signed_in
    assert "being reviewed" in person.page.text


def test_registrations_awaiting_approval_stay_listed_after_approval_is_turned_off(
    awaiting_approval: Registration, manager: Client, configure: Callable[..., None]
) -> None:
    configure(APPROVAL=False)
    start, every = manager.get("/admin/").content.decode(), manager.get(LIST)
    tab = next(tab for tab in every.context["tabs"] if "awaiting_approval" in tab.url)
    assert ("status=awaiting_approval" in start, tab.count) == (True, "1")
    listed = manager.get(f"{LIST}?status=awaiting_approval").content.decode()
    assert [name in listed for name in ('value="approve"', 'value="reject"')] == [True, True]
    assert "act/approve/" in manager.get(f"{LIST}{awaiting_approval.pk}/change/").content.decode()
    assert press(manager, "approve", awaiting_approval) == ["1 sign-up approved."]
    gone = manager.get(LIST).content.decode()
    assert 'value="approve"' not in gone
    assert "awaiting_approval" not in gone.partition("selfreg-tabs")[2].partition("</nav>")[0]


def test_approved_person_gets_an_email_and_can_sign_in(
    awaiting_approval: Registration, person: Person, manager: Client
) -> None:
    assert press(manager, "approve", awaiting_approval) == ["1 sign-up approved."]
    awaiting_approval.refresh_from_db()
    assert (awaiting_approval.status, OktaIdentity.objects.get().approval) == (Status.COMPLETED, "given")
    assert [(m.to, "can sign in" in m.subject) for m in mail.outbox] == [(["ada@example.com"], True)]
    person.opens("/oidc/authenticate/").signs_in_at_the_org()
    assert person.is_signed_in


def test_existing_account_awaits_approval_at_its_first_sign_in(
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


@pytest.mark.parametrize("action", ["expire", "cancel", "erase"])
def test_sign_in_after_an_ended_registration_awaits_approval_again(
    awaiting_approval: Registration, person: Person, manager: Client, action: str
) -> None:
    press(manager, action, awaiting_approval)
    person.opens("/oidc/authenticate/").signs_in_at_the_org()
    assert not person.is_signed_in
    assert Registration.objects.filter(status=Status.AWAITING_APPROVAL).count() == 1


def test_account_actions_are_not_offered_while_awaiting_approval(
    awaiting_approval: Registration, manager: Client, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN="local-api-token-not-for-production")
    page = manager.get(f"{LIST}{awaiting_approval.pk}/change/").content.decode()
    assert re.findall(r'id="selfreg-act-([a-z-]+)"', page) == ["approve", "expire", "reject", "cancel", "erase"]


def test_rejected_person_gets_the_reason_by_email_and_cannot_sign_in(
    awaiting_approval: Registration, person: Person, manager: Client
) -> None:
    press(manager, "reject", awaiting_approval, reason="We do not know you")
    awaiting_approval.refresh_from_db()
    assert (awaiting_approval.status, awaiting_approval.failure, awaiting_approval.failure_text) == (
        Status.FAILED,
        "selfreg.rejected",
        "We do not know you",
    )
    assert "We do not know you" in mail.outbox[0].body
    assert "We do not know you" in manager.get(f"{LIST}{awaiting_approval.pk}/change/").content.decode()
    person.opens("/oidc/authenticate/").signs_in_at_the_org()
    assert not person.is_signed_in


def test_rejection_reason_is_in_no_log_record_and_no_event(
    awaiting_approval: Registration, manager: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        press(manager, "reject", awaiting_approval, reason="Lives at 5 Elm Street")
    (event,) = RegistrationEvent.objects.filter(kind="administered")
    assert event.outcome == "reject: ok"
    assert awaiting_approval.events.exclude(outcome__contains="Elm").count() == awaiting_approval.events.count()
    assert "Elm" not in "".join(repr(vars(record)) for record in caplog.records)
    assert "Lives at 5 Elm Street" in manager.get(f"{LIST}{awaiting_approval.pk}/change/").content.decode()


def test_reject_action_requires_a_reason(awaiting_approval: Registration, manager: Client) -> None:
    response = manager.post(
        f"{LIST}act/reject/", {"_selected_action": str(awaiting_approval.pk), "confirmed": "yes", "reason": " "}
    )
    assert "Enter a reason" in response.content.decode()
    awaiting_approval.refresh_from_db()
    assert awaiting_approval.status == Status.AWAITING_APPROVAL


def test_approved_registration_cannot_be_rejected(awaiting_approval: Registration, manager: Client) -> None:
    press(manager, "approve", awaiting_approval)
    assert "not possible" in press(manager, "reject", awaiting_approval, reason="late")[0]
    awaiting_approval.refresh_from_db()
    assert awaiting_approval.status == Status.COMPLETED


def test_approval_is_kept_if_the_email_cannot_be_sent(
    awaiting_approval: Registration, manager: Client, settings: object
) -> None:
    smtp = "django.core.mail.backends.smtp.EmailBackend"
    if HAS_MAILERS:
        server = {"host": "127.0.0.1", "port": 1}
        settings.MAILERS = {"default": {"BACKEND": smtp, "OPTIONS": server}}  # type: ignore[attr-defined]
    else:
        settings.EMAIL_BACKEND, settings.EMAIL_PORT = smtp, 1  # type: ignore[attr-defined]
    assert "email to the person couldn't be sent" in press(manager, "approve", awaiting_approval)[0]
    awaiting_approval.refresh_from_db()
    assert awaiting_approval.status == Status.COMPLETED


@pytest.mark.skipif(not HAS_MAILERS, reason="Django has MAILERS from 6.1 on")
def test_approval_is_kept_if_the_site_has_no_default_mailer(
    awaiting_approval: Registration, manager: Client, settings: object
) -> None:
    settings.MAILERS = {}  # type: ignore[attr-defined]
    assert "email to the person couldn't be sent" in press(manager, "approve", awaiting_approval)[0]
    awaiting_approval.refresh_from_db()
    assert awaiting_approval.status == Status.COMPLETED


def test_registration_awaiting_approval_is_not_abandoned(awaiting_approval: Registration) -> None:
    assert not Registration.objects.untouched_since(awaiting_approval.updated_at.replace(year=9000), conf()).exists()


def test_sign_up_needs_no_approval_by_default(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    assert person.is_signed_in
    assert OktaIdentity.objects.get().approval == ""
    assert User.objects.count() == 1
