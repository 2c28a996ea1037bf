"""How long registrations are kept. Erased registrations stay counted in the funnel.

Each batch is one transaction, so a run can be killed at any time. Rows that another run or a request has locked are
skipped.
"""

import uuid
from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from selfreg.addresses import canonical
from selfreg.conf import conf
from selfreg.models import RateLimitCounter, Registration, RegistrationEvent, RegistrationQuerySet, waits_for_link
from selfreg.reports import counts
from selfreg.statuses import FINAL, OPEN, Status

BATCH = 500
# Columns that are emptied in completed registrations. Status, times, issuer and ids stay.
PERSONAL = ("email", "email_canonical", "browser", "next_url", "country", "language", "failure_text")


def abandoned() -> RegistrationQuerySet:
    """Returns registrations to erase: not completed and too old, or marked by an administrator.

    See ``SELFREG["ERASE_ABANDONED_AFTER_SECONDS"]``.
    """
    moment = timezone.now() - timedelta(seconds=conf().erase_abandoned_after_seconds)
    exempt = Q(status__in=(Status.COMPLETED, Status.AWAITING_APPROVAL))
    marked = Q(erase_asked_at__isnull=False) & ~Q(status__in=OPEN)
    ended = Q(status__in=FINAL, finished_at__lt=moment) & ~exempt
    untouched = Q(status__in=OPEN, updated_at__lt=moment) & ~exempt & ~waits_for_link()
    return Registration.objects.filter(ended | untouched | marked)


def finished() -> RegistrationQuerySet:
    """Returns completed registrations whose personal data is to be removed.

    See ``SELFREG["REDUCE_FINISHED_AFTER_SECONDS"]``.
    """
    moment = timezone.now() - timedelta(seconds=conf().reduce_finished_after_seconds)
    has_personal_data = Q()
    for name in PERSONAL:
        has_personal_data |= Q(**{f"{name}__gt": ""})
    return Registration.objects.filter(has_personal_data, status=Status.COMPLETED, finished_at__lt=moment)


def of(address: str) -> RegistrationQuerySet:
    """Returns all registrations with an e-mail address, in any spelling of it."""
    return Registration.objects.filter(email_canonical=canonical(address) or address)


def erase(rows: RegistrationQuerySet, batch: int = BATCH) -> Iterator[int]:
    """Deletes registrations and their events. Yields the size of each batch."""
    while ids := _erase_batch(rows, batch):
        yield ids


def reduce(rows: RegistrationQuerySet, batch: int = BATCH) -> Iterator[int]:
    """Removes personal data from registrations, and deletes their events. Yields the size of each batch."""
    while ids := _reduce_batch(rows, batch):
        yield ids


def completed() -> RegistrationQuerySet:
    """Returns completed registrations that the funnel still counts by their events, although none will be added."""
    return Registration.objects.filter(status=Status.COMPLETED, tallied=False)


def count(rows: RegistrationQuerySet, batch: int = BATCH) -> Iterator[int]:
    """Moves registrations into ``TalliedHour``, so that the funnel is quick. Yields the size of each batch."""
    while ids := _count_batch(rows, batch):
        yield ids


def delete_old_counters() -> int:
    """Deletes rate limit counters whose window is over, and returns how many."""
    deleted, _ = RateLimitCounter.objects.filter(until__lt=timezone.now().timestamp()).delete()
    return deleted


def _erase_batch(rows: RegistrationQuerySet, batch: int) -> int:
    with transaction.atomic():
        ids = _locked(rows, batch)
        counts.tally_for_good(ids)
        RegistrationEvent.objects.filter(registration__in=ids).delete()
        Registration.objects.filter(pk__in=ids).delete()
    return len(ids)


def _reduce_batch(rows: RegistrationQuerySet, batch: int) -> int:
    with transaction.atomic():
        ids = _locked(rows, batch)
        counts.tally_for_good(ids)
        RegistrationEvent.objects.filter(registration__in=ids).delete()
        Registration.objects.filter(pk__in=ids).update(version=F("version") + 1, **dict.fromkeys(PERSONAL, ""))
    return len(ids)


def _count_batch(rows: RegistrationQuerySet, batch: int) -> int:
    with transaction.atomic():
        ids = _locked(rows, batch)
        counts.tally_for_good(ids)
    return len(ids)


def _locked(rows: RegistrationQuerySet, batch: int) -> list[uuid.UUID]:
    """Locks some of the rows that are not locked, and returns their ids. SQLite has one writer and no row locks."""
    locked = rows.select_for_update(skip_locked=True, of=("self",)) if _locks_rows() else rows
    return list(locked.order_by().values_list("pk", flat=True)[:batch])


def _locks_rows() -> bool:
    return bool(transaction.get_connection().features.has_select_for_update_skip_locked)
