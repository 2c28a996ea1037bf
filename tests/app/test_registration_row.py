"""The row: it moves along the table only, one request at a time, and forgets its secrets at the end."""

import uuid
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from selfreg.conf import conf
from selfreg.models import (
    Conflict,
    ForbiddenTransition,
    OktaIdentity,
    Registration,
    RegistrationEvent,
)
from selfreg.statuses import FINAL, TRANSITIONS, Status
from support.sealed import sealed, stored_state

pytestmark = [pytest.mark.database, pytest.mark.django_db]
PAIRS = list(product(Status, Status))
ALLOWED = [(a, b) for a, b in PAIRS if b in TRANSITIONS[a]]
REFUSED = [(a, b) for a, b in PAIRS if b not in TRANSITIONS[a]]


@pytest.fixture(autouse=True)
def _keys(configure: Any) -> None:
    """Keys for sealing."""


def row(status: Status = Status.STARTED, **values: Any) -> Registration:
    made = Registration(issuer="https://dev-1.example.com", status=status, okta_user_id="00u1", **values)
    if status in FINAL:
        made.finished_at = timezone.now()
    else:
        made.sealed = sealed(made, {"handle": "canary-handle"})
    made.save(force_insert=True)
    return made


@pytest.mark.parametrize(("before", "after"), ALLOWED)
def test_an_allowed_step_is_made_and_saved(before: Status, after: Status) -> None:
    registration = row(before)
    registration.commit(to=after)
    saved = Registration.objects.get()
    assert registration.status == saved.status == after
    assert registration.version == saved.version == 1


@pytest.mark.parametrize(("before", "after"), REFUSED)
def test_any_other_step_is_refused_and_nothing_is_saved(before: Status, after: Status) -> None:
    registration = row(before)
    with pytest.raises(ForbiddenTransition):
        registration.commit(to=after, step="elsewhere")
    saved = Registration.objects.get()
    assert (saved.status, saved.step, saved.version) == (before, "", 0)


@pytest.mark.parametrize("end", sorted(FINAL & TRANSITIONS[Status.ENROLLING]))
def test_an_end_wipes_what_was_sealed_and_is_dated(end: Status) -> None:
    registration = row(Status.ENROLLING)
    registration.claim(30)
    registration.commit(to=end)
    saved = Registration.objects.get()
    assert (saved.sealed, saved.busy_until, saved.unsure) == ("", None, False)
    assert saved.finished_at is not None


def test_the_database_itself_keeps_no_secret_in_a_finished_row() -> None:
    registration = row(Status.CANCELLED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(sealed="secret")
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(finished_at=None)


def test_the_database_itself_knows_no_open_row_with_an_end() -> None:
    registration = row()
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(finished_at=timezone.now())


def test_a_completed_row_has_an_okta_user() -> None:
    registration = row(Status.FINISHING)
    with pytest.raises(IntegrityError), transaction.atomic():
        registration.commit(to=Status.COMPLETED, okta_user_id="")


# ---- one at a time


def test_of_two_that_saw_the_same_row_the_second_loses_and_saves_nothing() -> None:
    first, second = row(), Registration.objects.get()
    first.commit(step="first")
    with pytest.raises(Conflict):
        second.commit(step="second")
    assert Registration.objects.get().step == "first"
    assert second.step == ""


def test_a_row_changes_again_and_again_by_the_one_who_keeps_up() -> None:
    registration = row()
    for number in range(3):
        registration.commit(step=str(number))
    assert Registration.objects.get().version == 3


def test_a_claimed_row_cannot_be_claimed_until_the_claim_runs_out() -> None:
    registration = row()
    registration.claim(30)
    other = Registration.objects.get()
    assert other.is_busy
    assert not other.in_doubt
    with pytest.raises(Conflict):
        other.claim(30)
    Registration.objects.update(busy_until=timezone.now() - timedelta(seconds=1))
    other = Registration.objects.get()
    assert not other.is_busy
    assert other.in_doubt
    other.claim(30)


def test_two_claims_at_once_are_one() -> None:
    first, second = row(), Registration.objects.get()
    first.claim(30)
    with pytest.raises(Conflict), transaction.atomic():
        second.claim(30)


def test_an_unsure_row_is_in_doubt() -> None:
    registration = row()
    assert not registration.in_doubt
    registration.commit(unsure=True)
    assert Registration.objects.get().in_doubt


# ---- what is sealed


def test_what_is_kept_is_sealed_in_the_row_and_comes_back() -> None:
    registration = row()
    saved = Registration.objects.get()
    assert "canary" not in saved.sealed
    assert stored_state(saved) == stored_state(registration) == {"handle": "canary-handle"}


def test_what_is_kept_does_not_open_in_another_row() -> None:
    other = row()
    other.sealed = row().sealed
    with pytest.raises(Exception, match="encrypted for another place"):
        stored_state(other)


# ---- questions


def test_open_ones_are_found_and_finished_ones_are_not() -> None:
    open_row = row(Status.AWAITING_EMAIL)
    row(Status.COMPLETED)
    assert list(Registration.objects.open()) == [open_row]


def test_those_that_nobody_touched_are_found() -> None:
    old = row()
    row()
    Registration.objects.filter(pk=old.pk).update(updated_at=timezone.now() - timedelta(days=2))
    assert list(Registration.objects.untouched_since(timezone.now() - timedelta(days=1), conf())) == [old]


# ---- names


def test_a_row_shows_a_masked_address_only() -> None:
    assert str(row(email="ada@example.com")) == "a•••@example.com (Started)"
    nameless = row()
    assert str(nameless) == f"{nameless.pk} (Started)"
    assert "ada@" not in repr(row(email="ada@example.com"))


def test_an_event_belongs_to_the_step_at_which_it_was_noted() -> None:
    registration = row(step="enroll-profile")
    event = registration.note(RegistrationEvent.Kind.ANSWERED, outcome="ok", milliseconds=12, request_id="req")
    assert (event.step, event.outcome, event.milliseconds) == ("enroll-profile", "ok", 12)
    assert "Step submitted enroll-profile ok" in str(event)


def test_an_okta_account_is_one_django_users(django_user_model: Any) -> None:
    ada, grace = django_user_model.objects.create_user("ada"), django_user_model.objects.create_user("grace")
    OktaIdentity.objects.create(issuer="https://a", subject="00u1", user=ada)
    OktaIdentity.objects.create(issuer="https://b", subject="00u1", user=grace)
    with pytest.raises(IntegrityError), transaction.atomic():
        OktaIdentity.objects.create(issuer="https://a", subject="00u1", user=grace)


def test_ids_cannot_be_guessed() -> None:
    assert isinstance(row().pk, uuid.UUID)
    assert row().pk.version == 4
