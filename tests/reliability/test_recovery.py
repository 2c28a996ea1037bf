"""Open registrations are finished or ended by the next visit or by `manage.py selfreg_recover`."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from okta_devorg import OrgHandle
from okta_devorg.state.users import Status as AccountStatus
from selfreg.models import Registration, RegistrationEvent
from selfreg.statuses import Status
from support.person import PASSWORD, SITE, Person

pytestmark = pytest.mark.database

OTHER_KEYS = ("MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",)
TOKEN = "local-api-token-not-for-production"


def recover(*arguments: str) -> str:
    output = io.StringIO()
    call_command("selfreg_recover", *arguments, stdout=output, stderr=output)
    return output.getvalue()


def expire_claim() -> None:
    """As if the worker had died during a call."""
    Registration.objects.update(busy_until=timezone.now() - timedelta(seconds=1))


def set_updated(**ago: float) -> None:
    Registration.objects.update(updated_at=timezone.now() - timedelta(**ago))


@pytest.fixture
def at_code_page(person: Person, org: OrgHandle) -> Person:
    return person.opens_the_sign_up().submits_profile()


def test_recover_reports_none_if_there_is_nothing_to_do(db: None) -> None:
    assert recover().splitlines() == ["in doubt: none", "abandoned: none"]


def test_recover_introspects_a_registration_in_doubt(at_code_page: Person, org: OrgHandle) -> None:
    expire_claim()
    calls = len(org.calls("/introspect"))
    assert "in doubt: 1 enrolling" in recover()
    assert len(org.calls("/introspect")) == calls + 1
    assert not Registration.objects.get().in_doubt
    assert at_code_page.opens("/signup/step/").heading == "Check your email"


def test_recover_detects_a_call_that_was_carried_out(at_code_page: Person, org: OrgHandle) -> None:
    """The answers of the call and of introspect were lost, and the visitor left."""
    org.fail("/challenge/answer", "after")
    org.fail("/introspect", "reset", times=2)
    data = at_code_page.form.data() | {"credentials.passcode": org.code(at_code_page.email)}
    at_code_page.browser.post("/signup/step/", data)
    assert Registration.objects.get().in_doubt
    recover()
    assert Registration.objects.get().step == "select-authenticator-enroll"
    assert org.calls("/challenge/answer")[0].fault == "after"
    assert len(org.calls("/challenge/answer")) == 1


def test_recover_leaves_a_registration_in_doubt_if_the_org_is_unreachable(at_code_page: Person, org: OrgHandle) -> None:
    expire_claim()
    org.fail("/introspect", "reset", times=2)
    with pytest.raises(CommandError, match="answer for 1 registrations"):
        recover()
    assert "1 enrolling" in recover()


def test_recover_expires_a_registration_whose_transaction_expired(at_code_page: Person, org: OrgHandle) -> None:
    expire_claim()
    org.advance(100_000)
    assert "1 expired" in recover()


def test_recover_changes_a_stale_finishing_registration_to_ready(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    org.fail("/token", "timeout", seconds=0.0)
    Registration.objects.update(status=Status.FINISHING)
    set_updated(seconds=61)
    assert "in doubt: 1 ready" in recover()
    row = Registration.objects.get()
    assert (row.status, row.sealed) == (Status.READY, "")


def test_recover_ignores_a_recent_finishing_registration(at_code_page: Person) -> None:
    Registration.objects.update(status=Status.FINISHING)
    set_updated(seconds=30)
    assert "in doubt: none" in recover()


def test_recover_fails_a_registration_in_doubt_whose_key_is_gone(
    at_code_page: Person, configure: Callable[..., None]
) -> None:
    expire_claim()
    configure(ENCRYPTION_KEYS=OTHER_KEYS)
    assert "1 failed" in recover()
    assert Registration.objects.get().failure == "selfreg.unreadable"


def test_recover_expires_abandoned_registrations_whose_key_is_gone(
    at_code_page: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    for email in ("grace@example.com", "joan@example.com"):
        Person(email).opens_the_sign_up().submits_profile()
    configure(ENCRYPTION_KEYS=OTHER_KEYS)
    Person("mary@example.com").opens_the_sign_up().submits_profile()
    set_updated(hours=25)
    assert "abandoned: 4 expired" in recover()
    assert set(Registration.objects.values_list("status", "sealed")) == {(Status.EXPIRED, "")}


def test_two_tabs_both_show_the_end_page_if_the_key_is_gone(
    at_code_page: Person, configure: Callable[..., None]
) -> None:
    configure(ENCRYPTION_KEYS=OTHER_KEYS)
    tab, pending = Person(), [True]
    tab.browser.cookies = at_code_page.browser.cookies

    def open_tab_at_first_update(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        if statement.startswith("UPDATE") and Registration._meta.db_table in statement and pending:
            pending.clear()
            tab.opens("http://testserver/signup/step/")
        return execute(statement, *rest)

    with connection.execute_wrapper(open_tab_at_first_update):
        at_code_page.opens("/signup/step/")
    assert not pending
    assert tab.heading == at_code_page.heading == "We couldn't finish your sign-up"


def test_recover_expires_registrations_after_a_day_without_change(at_code_page: Person) -> None:
    set_updated(hours=23)
    assert "abandoned: none" in recover()
    set_updated(hours=25)
    assert "abandoned: 1 expired" in recover()
    assert Registration.objects.get().sealed == ""


def test_recover_lists_every_registration_with_verbosity_2(at_code_page: Person) -> None:
    set_updated(hours=25)
    assert f"{Registration.objects.get().pk} expired" in recover("--verbosity", "2")


# ---- accounts that were begun at the org


@pytest.fixture
def abandoned(at_code_page: Person, configure: Callable[..., None]) -> Registration:
    configure(API_TOKEN=TOKEN)
    set_updated(hours=25)
    recover()
    return Registration.objects.get()


def test_recover_accounts_requires_an_api_token(db: None, configure: Callable[..., None]) -> None:
    configure(API_TOKEN="")
    with pytest.raises(CommandError, match="API_TOKEN"):
        recover("--accounts", "remove")


def test_recover_accounts_report_changes_nothing(abandoned: Registration, org: OrgHandle) -> None:
    assert "accounts: 1 account is STAGED" in recover("--accounts", "report")
    assert len(org.users) == 1
    assert "accounts: 1 account is STAGED" in recover("--accounts", "report")


def test_recover_accounts_activate_sends_one_email(abandoned: Registration, org: OrgHandle) -> None:
    assert "accounts: 1 activate: ok" in recover("--accounts", "activate")
    assert "accounts: none" in recover("--accounts", "activate")
    assert len(org.messages("ada@example.com")) == 2, "expected one email with the code and one with the link"
    event = RegistrationEvent.objects.get(actor="selfreg_recover")
    assert event.outcome == "activate: ok"


def test_recover_retries_the_activation_email_of_an_account_it_deactivated(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    """Okta failed between the call that deletes the password and the one that mails the link."""
    configure(API_TOKEN=TOKEN)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    set_updated(hours=25)
    recover()
    org.fail(f"/api/v1/users/{Registration.objects.get().okta_user_id}/lifecycle/activate", "status", status=503)
    assert "accounts: 1 not now" in recover("--accounts", "activate")
    assert org.users[0].status == "DEPROVISIONED"
    assert "accounts: 1 activate: ok" in recover("--accounts", "activate")
    assert org.users[0].status == "PROVISIONED"


def test_sign_in_completes_an_expired_registration(abandoned: Registration, org: OrgHandle) -> None:
    """On Okta's own pages, by a link of an administrator there. Then the person signs in here."""
    account, now = org.users[0], timezone.now().timestamp()
    account.set_password(PASSWORD, now)
    account.move_to(AccountStatus.ACTIVE, now)
    account.email_verified = True
    Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    row = Registration.objects.get(pk=abandoned.pk)
    assert (row.status, row.user) == (Status.COMPLETED, User.objects.get())


@pytest.mark.parametrize("other", [Status.COMPLETED, Status.FAILED])
def test_sign_in_does_not_complete_an_expired_registration_beside_another_one(
    person: Person, org: OrgHandle, other: Status
) -> None:
    """Otherwise a person would be counted twice, or let an administrator decide twice."""
    person.signs_up(org)
    done = Registration.objects.get()
    Registration.objects.update(status=other)
    left = Registration.objects.create(
        status=Status.EXPIRED, issuer=done.issuer, okta_user_id=done.okta_user_id, finished_at=timezone.now()
    )
    assert Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org().is_signed_in
    left.refresh_from_db()
    assert left.status == Status.EXPIRED


@responses.activate
def test_recover_accounts_remove_deletes_a_staged_account(db: None, configure: Callable[..., None]) -> None:
    """It takes two calls: the first deactivates, the second deletes (Okta, User Lifecycle)."""
    configure(API_TOKEN=TOKEN, ISSUER="https://org.example")
    Registration.objects.create(
        status=Status.EXPIRED, issuer="https://org.example", okta_user_id="00u1", finished_at=timezone.now()
    )
    account = "https://org.example/api/v1/users/00u1"
    responses.get(account, json={"id": "00u1", "status": "STAGED"})
    deletions = [responses.delete(account, status=204), responses.delete(account, status=404, json={})]
    assert "accounts: 1 remove: ok" in recover("--accounts", "remove")
    assert [d.call_count for d in deletions] == [1, 1]
    assert "accounts: none" in recover("--accounts", "remove")


def test_recover_accounts_remove_keeps_an_active_account(abandoned: Registration, org: OrgHandle) -> None:
    org.users[0].status = AccountStatus.ACTIVE
    assert "accounts: 1 account is ACTIVE" in recover("--accounts", "remove")
    assert len(org.users) == 1


def test_recover_accounts_remove_keeps_an_account_with_an_identity(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN=TOKEN)
    person.signs_up(org)
    completed = Registration.objects.get()
    Registration.objects.create(
        status=Status.EXPIRED, issuer=completed.issuer, okta_user_id=completed.okta_user_id, finished_at=timezone.now()
    )
    assert "accounts: none" in recover("--accounts", "remove")
    assert len(org.users) == 1


# ---- people who left half-way


def test_a_visitor_can_continue_in_the_same_browser(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.opens_the_sign_up()
    assert "Continue signing up" in at_code_page.page.text
    at_code_page.follows("Continue signing up").chooses("Email").types_the_code_from(org).chooses(
        "Password"
    ).sets_a_password()
    assert at_code_page.is_signed_in


def test_submitting_the_same_address_in_the_same_browser_continues_the_registration(
    at_code_page: Person, org: OrgHandle
) -> None:
    at_code_page.opens_the_sign_up().submits_profile()
    assert at_code_page.heading == "Check your email"
    assert len(org.users) == 1
    at_code_page.chooses("Email").types_the_code_from(org).chooses("Password").sets_a_password()
    assert at_code_page.is_signed_in


def test_another_browser_shows_the_existing_account_with_a_sign_in_link(at_code_page: Person, org: OrgHandle) -> None:
    other = Person().opens_the_sign_up().submits_profile()
    output = other.page.text
    assert "You already have an account with" in output
    assert "Sign in" in output
    assert "mail" in output.lower()
    assert other.page.link("Sign in").startswith("/oidc/authenticate/")


def test_another_address_in_the_same_browser_starts_another_registration(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.opens_the_sign_up()
    at_code_page.email = "grace@example.com"
    at_code_page.submits_profile()
    assert len(org.users) == 2


def test_a_returning_visitor_sees_that_the_registration_expired(at_code_page: Person, org: OrgHandle) -> None:
    org.advance(100_000)
    expire_claim()
    at_code_page.opens("/signup/step/")
    assert at_code_page.heading == "Your session timed out"
