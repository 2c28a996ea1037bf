"""What is left lying about is picked up: by the next visit, or by `manage.py selfreg_recover`."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from okta_devorg import OrgHandle
from okta_devorg.state.users import Status as AccountStatus
from selfreg.models import Registration, RegistrationEvent
from selfreg.statuses import Status
from support.person import Person

pytestmark = pytest.mark.database

OTHER_KEYS = ("MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",)
TOKEN = "local-api-token-not-for-production"


def recover(*arguments: str) -> str:
    said = io.StringIO()
    call_command("selfreg_recover", *arguments, stdout=said, stderr=said)
    return said.getvalue()


def left_in_a_call() -> None:
    """As a worker leaves it that died in one."""
    Registration.objects.update(busy_until=timezone.now() - timedelta(seconds=1))


def touched(**ago: float) -> None:
    Registration.objects.update(updated_at=timezone.now() - timedelta(**ago))


@pytest.fixture
def at_the_code(person: Person, org: OrgHandle) -> Person:
    return person.opens_the_sign_up().tells_who_she_is()


def test_nothing_to_do_says_so(db: None) -> None:
    assert recover().splitlines() == ["in doubt: none", "abandoned: none"]


def test_a_row_in_doubt_is_asked_about_and_goes_on(at_the_code: Person, org: OrgHandle) -> None:
    left_in_a_call()
    asked = len(org.calls("/introspect"))
    assert "in doubt: 1 enrolling" in recover()
    assert len(org.calls("/introspect")) == asked + 1
    assert not Registration.objects.get().in_doubt
    assert at_the_code.opens("/signup/step/").heading == "Check your email"


def test_a_change_whose_answer_was_lost_is_seen(at_the_code: Person, org: OrgHandle) -> None:
    """Answer and question were lost; the visitor went away."""
    org.fail("/challenge/answer", "after")
    org.fail("/introspect", "reset", times=2)
    data = at_the_code.form.data() | {"credentials.passcode": org.code(at_the_code.email)}
    at_the_code.browser.post("/signup/step/", data)
    assert Registration.objects.get().in_doubt
    recover()
    assert Registration.objects.get().step == "select-authenticator-enroll"
    assert org.calls("/challenge/answer")[0].fault == "after"
    assert len(org.calls("/challenge/answer")) == 1


def test_an_org_that_is_away_leaves_the_row_in_doubt_for_the_next_run(at_the_code: Person, org: OrgHandle) -> None:
    left_in_a_call()
    org.fail("/introspect", "reset", times=2)
    with pytest.raises(CommandError, match="answer for 1 registrations"):
        recover()
    assert "1 enrolling" in recover()


def test_a_transaction_that_is_over_ends_as_expired(at_the_code: Person, org: OrgHandle) -> None:
    left_in_a_call()
    org.advance(100_000)
    assert "1 expired" in recover()


def test_a_sign_in_that_never_came_through_is_left_to_signing_in(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    org.fail("/token", "timeout", seconds=0.0)
    Registration.objects.update(status=Status.FINISHING)
    touched(seconds=61)
    assert "in doubt: 1 ready" in recover()
    row = Registration.objects.get()
    assert (row.status, row.sealed) == (Status.READY, "")


def test_a_sign_in_that_may_still_come_through_is_left_alone(at_the_code: Person) -> None:
    Registration.objects.update(status=Status.FINISHING)
    touched(seconds=30)
    assert "in doubt: none" in recover()


def test_a_row_whose_key_is_gone_ends_by_name(at_the_code: Person, configure: Callable[..., None]) -> None:
    left_in_a_call()
    configure(ENCRYPTION_KEYS=OTHER_KEYS)
    assert "1 failed" in recover()
    assert Registration.objects.get().failure == "selfreg.unreadable"


def test_rows_whose_key_is_gone_expire_like_others_and_stop_nobody(
    at_the_code: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    for email in ("grace@example.com", "joan@example.com"):
        Person(email).opens_the_sign_up().tells_who_she_is()
    configure(ENCRYPTION_KEYS=OTHER_KEYS)
    Person("mary@example.com").opens_the_sign_up().tells_who_she_is()
    touched(hours=25)
    assert "abandoned: 4 expired" in recover()
    assert set(Registration.objects.values_list("status", "sealed")) == {(Status.EXPIRED, "")}


def test_two_tabs_that_find_the_key_gone_at_once_both_say_so(
    at_the_code: Person, configure: Callable[..., None]
) -> None:
    configure(ENCRYPTION_KEYS=OTHER_KEYS)
    tab, quicker = Person(), [True]
    tab.browser.cookies = at_the_code.browser.cookies

    def at_the_first_change(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        if statement.startswith("UPDATE") and Registration._meta.db_table in statement and quicker:
            quicker.clear()
            tab.opens("http://testserver/signup/step/")
        return execute(statement, *rest)

    with connection.execute_wrapper(at_the_first_change):
        at_the_code.opens("/signup/step/")
    assert not quicker
    assert tab.heading == at_the_code.heading == "We couldn't finish your sign-up"


def test_what_nobody_touched_for_a_day_expires(at_the_code: Person) -> None:
    touched(hours=23)
    assert "abandoned: none" in recover()
    touched(hours=25)
    assert "abandoned: 1 expired" in recover()
    assert Registration.objects.get().sealed == ""


def test_every_registration_can_be_listed(at_the_code: Person) -> None:
    touched(hours=25)
    assert f"{Registration.objects.get().pk} expired" in recover("--verbosity", "2")


# ---- accounts that were begun at the org


@pytest.fixture
def abandoned(at_the_code: Person, configure: Callable[..., None]) -> Registration:
    configure(API_TOKEN=TOKEN)
    touched(hours=25)
    recover()
    return Registration.objects.get()


def test_accounts_need_a_token(db: None, configure: Callable[..., None]) -> None:
    configure(API_TOKEN="")
    with pytest.raises(CommandError, match="API_TOKEN"):
        recover("--accounts", "remove")


def test_a_report_changes_nothing(abandoned: Registration, org: OrgHandle) -> None:
    assert "accounts: 1 account is STAGED" in recover("--accounts", "report")
    assert len(org.users) == 1
    assert "accounts: 1 account is STAGED" in recover("--accounts", "report")


def test_an_unfinished_account_gets_the_orgs_mail_once(abandoned: Registration, org: OrgHandle) -> None:
    assert "accounts: 1 activate: ok" in recover("--accounts", "activate")
    assert "accounts: none" in recover("--accounts", "activate")
    assert len(org.messages("ada@example.com")) == 2, "the code of the sign-up, and the link"
    event = RegistrationEvent.objects.get(actor="selfreg_recover")
    assert event.outcome == "activate: ok"


@responses.activate
def test_an_unfinished_account_can_be_removed(db: None, configure: Callable[..., None]) -> None:
    """By two calls: the first deactivates, the second deletes (Okta, User Lifecycle)."""
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


def test_an_account_that_became_active_is_left_alone(abandoned: Registration, org: OrgHandle) -> None:
    org.users[0].status = AccountStatus.ACTIVE
    assert "accounts: 1 account is ACTIVE" in recover("--accounts", "remove")
    assert len(org.users) == 1


def test_somebodys_account_is_never_touched(person: Person, org: OrgHandle, configure: Callable[..., None]) -> None:
    configure(API_TOKEN=TOKEN)
    person.signs_up(org)
    done = Registration.objects.get()
    Registration.objects.create(
        status=Status.EXPIRED, issuer=done.issuer, okta_user_id=done.okta_user_id, finished_at=timezone.now()
    )
    assert "accounts: none" in recover("--accounts", "remove")
    assert len(org.users) == 1


# ---- people who left half-way


def test_who_comes_back_in_the_same_browser_goes_on(at_the_code: Person, org: OrgHandle) -> None:
    at_the_code.opens_the_sign_up()
    assert "Continue signing up" in at_the_code.page.text
    at_the_code.follows("Continue signing up").chooses("Email").types_the_code_from(org).chooses(
        "Password"
    ).sets_a_password()
    assert at_the_code.is_signed_in


def test_who_types_the_same_address_again_in_the_same_browser_goes_on_instead_of_hearing_that_it_exists(
    at_the_code: Person, org: OrgHandle
) -> None:
    at_the_code.opens_the_sign_up().tells_who_she_is()
    assert at_the_code.heading == "Check your email"
    assert len(org.users) == 1
    at_the_code.chooses("Email").types_the_code_from(org).chooses("Password").sets_a_password()
    assert at_the_code.is_signed_in


def test_who_comes_back_elsewhere_hears_what_helps(at_the_code: Person, org: OrgHandle) -> None:
    other = Person().opens_the_sign_up().tells_who_she_is()
    said = other.page.text
    assert "You already have an account with" in said
    assert "Sign in" in said
    assert "mail" in said.lower()
    assert other.page.link("Sign in").startswith("/oidc/authenticate/")


def test_another_address_in_the_same_browser_is_another_registration(at_the_code: Person, org: OrgHandle) -> None:
    at_the_code.opens_the_sign_up()
    at_the_code.email = "grace@example.com"
    at_the_code.tells_who_she_is()
    assert len(org.users) == 2


def test_an_expired_row_is_named_to_who_comes_back(at_the_code: Person, org: OrgHandle) -> None:
    org.advance(100_000)
    left_in_a_call()
    at_the_code.opens("/signup/step/")
    assert at_the_code.heading == "Your session timed out"
