"""Retention periods: `manage.py selfreg_purge` and `manage.py selfreg_erase`."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models.signals import pre_delete
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.models import RateLimitCounter, Registration, RegistrationEvent
from selfreg.rate_limits import consume
from selfreg.registration import retention
from selfreg.statuses import Status
from support.person import Person

pytestmark = [pytest.mark.database, pytest.mark.every_database]


def run(command: str, *arguments: str) -> str:
    output = io.StringIO()
    call_command(command, *arguments, stdout=output, stderr=output)
    return output.getvalue()


def row(status: Status = Status.EXPIRED, *, hours: float = 0, **values: Any) -> Registration:
    then = timezone.now() - timedelta(hours=hours)
    finished = {} if status not in (Status.EXPIRED, Status.COMPLETED, Status.FAILED) else {"finished_at": then}
    registration = Registration.objects.create(
        status=status, updated_at=then, issuer="https://org.example", okta_user_id="00u1", **finished, **values
    )
    registration.note(RegistrationEvent.Kind.STARTED)
    return registration


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.FAILED, Status.STARTED, Status.ENROLLING, Status.READY])
def test_purge_deletes_abandoned_registrations_with_their_events_after_a_day(db: None, status: Status) -> None:
    recent = row(status, hours=23)
    row(status, hours=25)
    assert "erased 1 registrations" in run("selfreg_purge")
    assert list(Registration.objects.all()) == [recent]
    assert [e.registration for e in RegistrationEvent.objects.all()] == [recent]


@pytest.mark.parametrize("model", [Registration, RegistrationEvent])
def test_purge_sends_pre_delete_for_every_row(db: None, model: type[Registration | RegistrationEvent]) -> None:
    """Django then also handles the site's own tables with foreign keys to registrations."""
    erased: list[object] = []

    def receive(instance: Registration | RegistrationEvent, **_kwargs: Any) -> None:
        erased.append(instance.pk)

    row(hours=25)
    expected = list(model.objects.values_list("pk", flat=True))
    pre_delete.connect(receive, sender=model)
    try:
        assert "erased 1 registrations" in run("selfreg_purge")
    finally:
        pre_delete.disconnect(receive, sender=model)
    assert erased == expected
    assert not RegistrationEvent.objects.exists()


def test_purge_keeps_registrations_that_await_approval(db: None) -> None:
    row(Status.AWAITING_APPROVAL, hours=25)
    run("selfreg_purge")
    assert Registration.objects.count() == 1


def test_purge_removes_personal_data_of_completed_registrations_after_thirty_days(
    person: Person, org: OrgHandle
) -> None:
    person.signs_up(org)
    Registration.objects.update(finished_at=timezone.now() - timedelta(days=29))
    assert "reduced none" in run("selfreg_purge")
    Registration.objects.update(finished_at=timezone.now() - timedelta(days=31))
    assert "reduced 1 registrations" in run("selfreg_purge")
    assert "reduced none" in run("selfreg_purge")
    row = Registration.objects.get()
    assert {getattr(row, name) for name in retention.PERSONAL} == {""}
    assert not RegistrationEvent.objects.exists()
    assert (row.status, row.user) == (Status.COMPLETED, User.objects.get())
    assert row.okta_user_id == org.users[0].id


def test_both_retention_periods_are_configurable(db: None, configure: Callable[..., None]) -> None:
    configure(ERASE_ABANDONED_AFTER_SECONDS=3600, REDUCE_FINISHED_AFTER_SECONDS=3600)
    row(hours=2)
    row(Status.COMPLETED, hours=2, email="ada@example.com")
    output = run("selfreg_purge")
    assert "erased 1 registrations" in output
    assert "reduced 1 registrations" in output


def test_purge_keeps_registrations_that_await_email_until_the_link_expires(
    db: None, configure: Callable[..., None]
) -> None:
    row(Status.AWAITING_EMAIL, hours=6 * 24)
    run("selfreg_recover")
    run("selfreg_purge")
    assert Registration.objects.get().status == Status.AWAITING_EMAIL
    configure(ACTIVATION_LINK_DAYS=5)
    run("selfreg_purge")
    assert not Registration.objects.exists()


def test_purge_deletes_registrations_marked_for_erasure_immediately(db: None) -> None:
    row(Status.COMPLETED, email="ada@example.com", erase_asked_at=timezone.now())
    run("selfreg_purge")
    assert not Registration.objects.exists()


def test_a_dry_run_of_purge_only_counts(db: None) -> None:
    row(hours=25)
    row(Status.COMPLETED, hours=24 * 31, email="ada@example.com")
    assert run("selfreg_purge", "--dry-run") == "would erase 1 and reduce 1 registrations\n"
    assert Registration.objects.count() == 2


def test_purge_deletes_all_rows_in_batches(db: None) -> None:
    for _ in range(5):
        row(hours=25)
    output = run("selfreg_purge", "--batch", "2").splitlines()
    assert output[0] == "erased 5 registrations"


def test_the_next_purge_continues_after_a_stopped_one(db: None) -> None:
    for _ in range(5):
        row(hours=25)
    batches = retention.erase(retention.to_erase(), 2)
    assert next(batches) == 2
    batches.close()  # type: ignore[attr-defined]
    assert Registration.objects.count() == 3
    assert "erased 3 registrations" in run("selfreg_purge")


def test_purge_keeps_a_row_that_was_used_between_two_batches(person: Person, org: OrgHandle) -> None:
    """The visitor returns between two batches."""
    person.opens_the_sign_up().submits_profile()
    Registration.objects.update(updated_at=timezone.now() - timedelta(hours=25))
    row(hours=26)
    batches = retention.erase(retention.to_erase().order_by("updated_at"), 1)
    person.fills_and_presses({"credentials.passcode": "000000"})
    assert sum(batches) == 1
    assert person.types_the_code_from(org).heading == "Choose a password"


def test_purge_deletes_expired_rate_limit_counters(db: None) -> None:
    consume({"start by address": "a"})
    RateLimitCounter.objects.create(key="old", used=3, until=1)
    assert "deleted 1 old rate-limit counters" in run("selfreg_purge")
    assert RateLimitCounter.objects.count() == 1


def test_erase_ignores_the_case_of_the_address(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    other = Person("grace@example.com").opens_the_sign_up().submits_profile()
    Person("ada@example.com").opens_the_sign_up().submits_profile()
    assert "erased 2 registrations" in run("selfreg_erase", "ADA@Example.com")
    assert [r.email for r in Registration.objects.all()] == [other.email]
    assert User.objects.count() == 1


def test_erase_cancels_an_open_registration_at_the_org(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    run("selfreg_erase", person.email)
    assert len(org.calls("/cancel")) == 1
    assert person.opens("/signup/step/").heading == "Create your account"
