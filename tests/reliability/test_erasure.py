"""`manage.py selfreg_erase` deletes the registrations of a person, or all data of the person on this site."""

import io
import os
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import ProtectedError
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.accounts.linking import is_staff
from selfreg.models import CommandRun, OktaIdentity, Registration
from selfreg.monitoring.log import fields_of
from selfreg.registration import retention
from support.existing_user import OLD_PASSWORD, create_existing_user
from support.person import Person

pytestmark = pytest.mark.database

ADA = "ada@example.com"


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("selfreg_erase", *arguments, stdout=output, stderr=output)
    return output.getvalue()


@pytest.fixture
def two_people(person: Person, org: OrgHandle) -> tuple[Person, Person]:
    """Two visitors that signed up and are logged in."""
    person.signs_up(org)
    grace = Person("grace@example.com")
    grace.signs_up(org)
    return person, grace


def is_logged_in(person: Person) -> bool:
    return person.email in person.opens("/").page.text


def test_erase_deletes_registrations_and_keeps_the_user(two_people: tuple[Person, Person]) -> None:
    ada, grace = two_people
    assert "erased 1 registrations" in run(ADA)
    assert Registration.objects.get().email == grace.email
    assert User.objects.count() == 2
    assert is_logged_in(ada)


def test_erase_with_user_deletes_all_data_of_the_person(two_people: tuple[Person, Person]) -> None:
    ada, grace = two_people
    output = run("Ada@EXAMPLE.com", "--with-user")
    assert output.startswith("erased 1 sessions, 1 registrations, 1 identities, 1 users")
    assert User.objects.get().email == grace.email
    assert OktaIdentity.objects.get().user == User.objects.get()
    assert Registration.objects.get().email == grace.email
    store = import_module(settings.SESSION_ENGINE).SessionStore
    assert all(ADA not in str(store(key).load()) for key in Session.objects.values_list("pk", flat=True))
    assert is_logged_in(grace)
    assert not is_logged_in(ada)


def test_a_dry_run_of_erase_lists_everything_and_deletes_nothing(two_people: tuple[Person, Person]) -> None:
    assert run(ADA, "--with-user", "--dry-run").splitlines() == [
        "would erase 1 registrations, 0 of them open",
        "would end 1 sessions",
        "would erase 1 Okta identities",
        "would delete 1 users",
    ]
    assert run(ADA, "--with-sessions", "--dry-run").splitlines()[1:] == ["would end 1 sessions"]
    assert (User.objects.count(), Registration.objects.count()) == (2, 2)
    assert all(is_logged_in(person) for person in two_people)
    assert not CommandRun.objects.exists()


def test_erase_with_sessions_logs_out_and_keeps_the_user(two_people: tuple[Person, Person]) -> None:
    ada, grace = two_people
    run(ADA, "--with-sessions")
    assert (is_logged_in(ada), is_logged_in(grace)) == (False, True)
    assert OktaIdentity.objects.count() == User.objects.count() == 2


def test_ended_sessions_do_not_count_for_the_limit_of_erase(two_people: tuple[Person, Person]) -> None:
    run(ADA, "--with-sessions", "--limit", "1")
    assert [row.email for row in Registration.objects.all()] == [two_people[1].email]


def test_a_user_model_without_permissions_has_no_staff() -> None:
    """Django's permissions are optional in a user model."""
    assert not is_staff(SimpleNamespace(pk=1))
    assert is_staff(SimpleNamespace(pk=1, is_staff=True))


@pytest.mark.parametrize("engine", ["cache", "cached_db"])
def test_erase_with_sessions_works_with_cache_engines(
    person: Person, org: OrgHandle, settings: Any, configure: Callable[..., None], engine: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    person.signs_up(org)
    assert is_logged_in(person)
    run(ADA, "--with-sessions")
    assert not is_logged_in(person)


def test_erase_with_identities_keeps_the_user(two_people: tuple[Person, Person]) -> None:
    run(ADA, "--with-identities")
    assert User.objects.count() == 2
    assert [i.user.email for i in OktaIdentity.objects.all()] == ["grace@example.com"]


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "signed_cookies"])
def test_erase_with_identities_ends_sessions_of_users_with_a_password(
    person: Person, org: OrgHandle, settings: Any, configure: Callable[..., None], engine: str
) -> None:
    """Such a user keeps the password, and with it the hash that sessions depend on."""
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    configure(LINK_EXISTING=True)
    create_existing_user(person.email)
    person.signs_up(org).fills_and_presses({"password": OLD_PASSWORD})
    assert is_logged_in(person)
    run(ADA, "--with-identities")
    assert not is_logged_in(person)
    assert User.objects.get().check_password(OLD_PASSWORD)


def test_erase_finds_reduced_registrations_by_their_user(two_people: tuple[Person, Person]) -> None:
    Registration.objects.update(finished_at=timezone.now() - timedelta(days=31))
    sum(retention.reduce(retention.finished()))
    run(ADA, "--with-user")
    assert list(Registration.objects.values_list("user__email", flat=True)) == ["grace@example.com"]


def test_erase_with_user_keeps_a_user_whose_address_changed(two_people: tuple[Person, Person]) -> None:
    """Another person may own the address now. The former owner must not be erased with them."""
    User.objects.filter(email=ADA).update(email="lovelace@example.com")
    assert "users" not in run(ADA, "--with-user")
    assert User.objects.count() == 2


def test_erase_with_user_keeps_users_without_an_identity(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    User.objects.create_user("ada", ADA, "a password")
    run(ADA, "--with-user")
    assert [user.username for user in User.objects.all()] == ["ada"]


def test_erase_with_user_refuses_to_delete_staff(two_people: tuple[Person, Person]) -> None:
    User.objects.filter(email=ADA).update(is_staff=True)
    with pytest.raises(CommandError, match="is staff"):
        run(ADA, "--with-user")
    assert Registration.objects.count() == 2


def test_erase_with_user_names_protected_objects(
    two_people: tuple[Person, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a table of orders that has on_delete=PROTECT."""

    def refuse(user: User) -> None:
        raise ProtectedError("protected", {user})

    monkeypatch.setattr(User, "delete", refuse)
    with pytest.raises(CommandError, match=r"depends on it: auth\.User"):
        run(ADA, "--with-user")


def test_erase_is_recorded_without_personal_data(
    two_people: tuple[Person, Person], caplog: pytest.LogCaptureFixture
) -> None:
    run(ADA, "--with-user")
    (line,) = (record for record in caplog.records if record.getMessage() == "person.erased")
    assert fields_of(line).items() >= {"registrations": 1, "sessions": 1, "identities": 1, "users": 1}.items()
    recorded = CommandRun.objects.get()
    assert recorded.finished_at is not None
    assert recorded.counts["erased: users"] == 1
    assert ADA not in str(vars(line)) + str(recorded.counts)


def test_erase_leaves_a_row_that_changes_concurrently_to_the_next_run(person: Person, org: OrgHandle) -> None:
    """A request of the visitor changes the row at the same moment."""
    person.opens_the_sign_up().submits_profile()

    def change_first(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        if statement.startswith("UPDATE") and "selfreg_registration" in statement:
            with connection.cursor() as cursor:
                execute("UPDATE selfreg_registration SET version = version + 1", None, False, {"cursor": cursor})
        return execute(statement, *rest)

    with connection.execute_wrapper(change_first), pytest.raises(CommandError, match="Run this again") as failure:
        run(ADA)
    assert failure.value.returncode == os.EX_TEMPFAIL
    assert "erased 1 registrations" in run(ADA)


def test_erase_with_a_limit_leaves_the_other_rows_and_the_user(two_people: tuple[Person, Person]) -> None:
    Person(ADA).opens_the_sign_up().submits_profile()
    with pytest.raises(CommandError, match="Run this again"):
        run(ADA, "--with-user", "--limit", "1")
    assert User.objects.filter(email=ADA).exists()
    run(ADA, "--with-user")
    assert not User.objects.filter(email=ADA).exists()
