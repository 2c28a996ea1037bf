"""What is kept how long: `manage.py selfreg_purge` and `manage.py selfreg_erase`."""

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

pytestmark = pytest.mark.database


def run(command: str, *arguments: str) -> str:
    said = io.StringIO()
    call_command(command, *arguments, stdout=said, stderr=said)
    return said.getvalue()


def row(status: Status = Status.EXPIRED, *, hours: float = 0, **values: Any) -> Registration:
    then = timezone.now() - timedelta(hours=hours)
    ended = {} if status not in (Status.EXPIRED, Status.COMPLETED, Status.FAILED) else {"finished_at": then}
    made = Registration.objects.create(
        status=status, updated_at=then, issuer="https://org.example", okta_user_id="00u1", **ended, **values
    )
    made.note(RegistrationEvent.Kind.STARTED)
    return made


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.FAILED, Status.STARTED, Status.ENROLLING, Status.READY])
def test_what_came_to_nothing_is_erased_after_a_day_with_its_events(db: None, status: Status) -> None:
    young = row(status, hours=23)
    row(status, hours=25)
    assert "erased 1 registrations" in run("selfreg_purge")
    assert list(Registration.objects.all()) == [young]
    assert [e.registration for e in RegistrationEvent.objects.all()] == [young]


@pytest.mark.parametrize("model", [Registration, RegistrationEvent])
def test_a_receiver_of_the_site_hears_of_every_row_that_is_erased(
    db: None, model: type[Registration | RegistrationEvent]
) -> None:
    """Django also looks after the site's own tables then, whose rows may point to a registration."""
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


def test_what_waits_for_an_administrator_is_kept(db: None) -> None:
    row(Status.AWAITING_APPROVAL, hours=25)
    run("selfreg_purge")
    assert Registration.objects.count() == 1


def test_a_finished_one_loses_the_person_after_thirty_days_and_keeps_the_record(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    Registration.objects.update(finished_at=timezone.now() - timedelta(days=29))
    assert "reduced none" in run("selfreg_purge")
    Registration.objects.update(finished_at=timezone.now() - timedelta(days=31))
    assert "reduced 1 registrations" in run("selfreg_purge")
    assert "reduced none" in run("selfreg_purge")
    kept = Registration.objects.get()
    assert {getattr(kept, name) for name in retention.PERSONAL} == {""}
    assert not RegistrationEvent.objects.exists()
    assert (kept.status, kept.user) == (Status.COMPLETED, User.objects.get())
    assert kept.okta_user_id == org.users[0].id


def test_both_times_are_settings(db: None, configure: Callable[..., None]) -> None:
    configure(ERASE_ABANDONED_AFTER_SECONDS=3600, REDUCE_FINISHED_AFTER_SECONDS=3600)
    row(hours=2)
    row(Status.COMPLETED, hours=2, email="ada@example.com")
    said = run("selfreg_purge")
    assert "erased 1 registrations" in said
    assert "reduced 1 registrations" in said


def test_a_registration_is_kept_as_long_as_the_link_it_waits_for(db: None, configure: Callable[..., None]) -> None:
    row(Status.AWAITING_EMAIL, hours=6 * 24)
    run("selfreg_recover")
    run("selfreg_purge")
    assert Registration.objects.get().status == Status.AWAITING_EMAIL
    configure(ACTIVATION_LINK_DAYS=5)
    run("selfreg_purge")
    assert not Registration.objects.exists()


def test_what_an_administrator_marked_is_erased_at_once(db: None) -> None:
    row(Status.COMPLETED, email="ada@example.com", erase_asked_at=timezone.now())
    run("selfreg_purge")
    assert not Registration.objects.exists()


def test_a_dry_run_only_counts(db: None) -> None:
    row(hours=25)
    row(Status.COMPLETED, hours=24 * 31, email="ada@example.com")
    assert run("selfreg_purge", "--dry-run") == "would erase 1 and reduce 1 registrations\n"
    assert Registration.objects.count() == 2


def test_it_goes_in_batches_and_says_how_many_they_were(db: None) -> None:
    for _ in range(5):
        row(hours=25)
    said = run("selfreg_purge", "--batch", "2").splitlines()
    assert said[0] == "erased 5 registrations"


def test_a_run_that_was_stopped_is_gone_on_with_by_the_next(db: None) -> None:
    for _ in range(5):
        row(hours=25)
    batches = retention.erase(retention.to_erase(), 2)
    assert next(batches) == 2
    batches.close()  # type: ignore[attr-defined]
    assert Registration.objects.count() == 3
    assert "erased 3 registrations" in run("selfreg_purge")


def test_a_row_that_is_touched_meanwhile_is_not_erased(person: Person, org: OrgHandle) -> None:
    """Somebody comes back between two batches."""
    person.opens_the_sign_up().tells_who_she_is()
    Registration.objects.update(updated_at=timezone.now() - timedelta(hours=25))
    row(hours=26)
    batches = retention.erase(retention.to_erase().order_by("updated_at"), 1)
    person.fills_and_presses({"credentials.passcode": "000000"})
    assert sum(batches) == 1
    assert person.types_the_code_from(org).heading == "Choose a password"


def test_counts_of_limits_whose_time_is_over_are_forgotten(db: None) -> None:
    consume({"start by address": "a"})
    RateLimitCounter.objects.create(key="old", used=3, until=1)
    assert "deleted 1 old rate-limit counters" in run("selfreg_purge")
    assert RateLimitCounter.objects.count() == 1


def test_a_person_is_erased_by_address_however_it_is_spelled(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    other = Person("grace@example.com").opens_the_sign_up().tells_who_she_is()
    Person("ada@example.com").opens_the_sign_up().tells_who_she_is()
    assert "erased 2 registrations" in run("selfreg_erase", "ADA@Example.com")
    assert [r.email for r in Registration.objects.all()] == [other.email]
    assert User.objects.count() == 1


def test_an_open_registration_is_given_up_at_the_org_before_it_is_erased(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    run("selfreg_erase", person.email)
    assert len(org.calls("/cancel")) == 1
    assert person.opens("/signup/step/").heading == "Create your account"
