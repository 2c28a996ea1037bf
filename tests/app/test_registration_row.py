"""The Registration model: transitions, compare-and-set, claims, and encrypted state."""

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
FORBIDDEN = [(a, b) for a, b in PAIRS if b not in TRANSITIONS[a]]


@pytest.fixture(autouse=True)
def _keys(configure: Any) -> None:
    """Configure the encryption keys."""


def row(status: Status = Status.STARTED, **values: Any) -> Registration:
    registration = Registration(issuer="https://dev-1.example.com", status=status, okta_user_id="00u1", **values)
    if status in FINAL:
        registration.finished_at = timezone.now()
    else:
        registration.sealed = sealed(registration, {"handle": "canary-handle"})
    registration.save(force_insert=True)
    return registration


@pytest.mark.parametrize(("before", "after"), ALLOWED)
def test_allowed_transition_is_saved(before: Status, after: Status) -> None:
    registration = row(before)
    registration.commit(to=after)
    saved = Registration.objects.get()
    assert registration.status == saved.status == after
    assert registration.version == saved.version == 1


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_forbidden_transition_raises_an_error_and_saves_nothing(before: Status, after: Status) -> None:
    registration = row(before)
    with pytest.raises(ForbiddenTransition):
        registration.commit(to=after, step="elsewhere")
    saved = Registration.objects.get()
    assert (saved.status, saved.step, saved.version) == (before, "", 0)


@pytest.mark.parametrize("end", sorted(FINAL & TRANSITIONS[Status.ENROLLING]))
def test_final_status_wipes_the_state_and_sets_finished_at(end: Status) -> None:
    registration = row(Status.ENROLLING)
    registration.claim(30)
    registration.commit(to=end)
    saved = Registration.objects.get()
    assert (saved.sealed, saved.busy_until, saved.unsure) == ("", None, False)
    assert saved.finished_at is not None


def test_database_constraint_rejects_state_in_a_finished_row() -> None:
    registration = row(Status.CANCELLED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(sealed="secret")
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(finished_at=None)


def test_database_constraint_rejects_finished_at_in_an_open_row() -> None:
    registration = row()
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(finished_at=timezone.now())


def test_database_constraint_requires_an_okta_user_id_in_a_completed_row() -> None:
    registration = row(Status.FINISHING)
    with pytest.raises(IntegrityError), transaction.atomic():
        registration.commit(to=Status.COMPLETED, okta_user_id="")


# ---- compare-and-set and claims


def test_commit_of_a_stale_row_raises_conflict_and_saves_nothing() -> None:
    first, second = row(), Registration.objects.get()
    first.commit(step="first")
    with pytest.raises(Conflict):
        second.commit(step="second")
    assert Registration.objects.get().step == "first"
    assert second.step == ""


def test_same_instance_can_commit_repeatedly() -> None:
    registration = row()
    for number in range(3):
        registration.commit(step=str(number))
    assert Registration.objects.get().version == 3


def test_claimed_row_can_be_claimed_again_after_the_claim_runs_out() -> None:
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


def test_concurrent_second_claim_raises_conflict() -> None:
    first, second = row(), Registration.objects.get()
    first.claim(30)
    with pytest.raises(Conflict), transaction.atomic():
        second.claim(30)


def test_unsure_row_is_in_doubt() -> None:
    registration = row()
    assert not registration.in_doubt
    registration.commit(unsure=True)
    assert Registration.objects.get().in_doubt


# ---- encrypted state


def test_state_is_encrypted_in_the_row_and_decrypted_again() -> None:
    registration = row()
    saved = Registration.objects.get()
    assert "canary" not in saved.sealed
    assert stored_state(saved) == stored_state(registration) == {"handle": "canary-handle"}


def test_state_cannot_be_decrypted_in_another_row() -> None:
    other = row()
    other.sealed = row().sealed
    with pytest.raises(Exception, match="encrypted for another place"):
        stored_state(other)


# ---- querysets


def test_open_queryset_excludes_finished_rows() -> None:
    open_row = row(Status.AWAITING_EMAIL)
    row(Status.COMPLETED)
    assert list(Registration.objects.open()) == [open_row]


def test_untouched_since_returns_only_old_rows() -> None:
    old_row = row()
    row()
    Registration.objects.filter(pk=old_row.pk).update(updated_at=timezone.now() - timedelta(days=2))
    assert list(Registration.objects.untouched_since(timezone.now() - timedelta(days=1), conf())) == [old_row]


# ---- display, events, identities


def test_str_and_repr_of_a_row_show_no_full_address() -> None:
    assert str(row(email="ada@example.com")) == "a•••@example.com (Started)"
    without_email = row()
    assert str(without_email) == f"{without_email.pk} (Started)"
    assert "ada@" not in repr(row(email="ada@example.com"))


def test_event_has_the_step_at_which_it_was_recorded() -> None:
    registration = row(step="enroll-profile")
    event = registration.note(RegistrationEvent.Kind.ANSWERED, outcome="ok", milliseconds=12, request_id="req")
    assert (event.step, event.outcome, event.milliseconds) == ("enroll-profile", "ok", 12)
    assert "Step submitted enroll-profile ok" in str(event)


def test_identity_is_unique_by_issuer_and_subject(django_user_model: Any) -> None:
    ada, grace = django_user_model.objects.create_user("ada"), django_user_model.objects.create_user("grace")
    OktaIdentity.objects.create(issuer="https://a", subject="00u1", user=ada)
    OktaIdentity.objects.create(issuer="https://b", subject="00u1", user=grace)
    with pytest.raises(IntegrityError), transaction.atomic():
        OktaIdentity.objects.create(issuer="https://a", subject="00u1", user=grace)


def test_registration_ids_are_random_uuids() -> None:
    assert isinstance(row().pk, uuid.UUID)
    assert row().pk.version == 4
