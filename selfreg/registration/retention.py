"""How long registrations are kept. Every batch is a transaction of its own, so a run that is killed has lost nothing,
two runs do not meet, and a request that holds a row keeps it. Who is erased stays counted in the funnel.
"""

import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from selfreg.addresses import canonical
from selfreg.conf import conf
from selfreg.models import Allowance, Registration, RegistrationEvent, RegistrationQuerySet, waits_for_link
from selfreg.reports import counts
from selfreg.statuses import FINAL, OPEN, Status

BATCH = 500
# What a finished registration is reduced by. Status, times, issuer and ids stay: they are the record.
PERSONAL = ("email", "email_canonical", "browser", "next_url", "country", "language", "failure_text")


def abandoned() -> RegistrationQuerySet:
    """Not completed and not touched for ``erase_abandoned_after_seconds``; and what an administrator marked."""
    moment = timezone.now() - timedelta(seconds=conf().erase_abandoned_after_seconds)
    kept = Q(status__in=(Status.COMPLETED, Status.AWAITING_APPROVAL))
    marked = Q(erase_asked_at__isnull=False) & ~Q(status__in=OPEN)
    ended = Q(status__in=FINAL, finished_at__lt=moment) & ~kept
    untouched = Q(status__in=OPEN, updated_at__lt=moment) & ~kept & ~waits_for_link()
    return Registration.objects.filter(ended | untouched | marked)


def finished() -> RegistrationQuerySet:
    """Completed longer than ``reduce_finished_after_seconds`` ago, and still telling who it was."""
    moment = timezone.now() - timedelta(seconds=conf().reduce_finished_after_seconds)
    telling = Q()
    for name in PERSONAL:
        telling |= Q(**{f"{name}__gt": ""})
    return Registration.objects.filter(telling, status=Status.COMPLETED, finished_at__lt=moment)


def of(address: str) -> RegistrationQuerySet:
    """All of one person's registrations, by their canonical address."""
    return Registration.objects.filter(email_canonical=canonical(address) or address)


def erase(rows: RegistrationQuerySet, batch: int = BATCH) -> Iterator[int]:
    """Deletes rows and their events; yields the size of every batch."""
    while ids := _erase_batch(rows, batch):
        yield ids


def reduce(rows: RegistrationQuerySet, batch: int = BATCH) -> Iterator[int]:
    """Takes the person out of finished rows and their events away; yields the size of every batch."""
    while ids := _reduce_batch(rows, batch):
        yield ids


def completed() -> RegistrationQuerySet:
    """Completed, and still counted event by event: nothing can happen to them that the funnel counts."""
    return Registration.objects.filter(status=Status.COMPLETED, tallied=False)


def count(rows: RegistrationQuerySet, batch: int = BATCH) -> Iterator[int]:
    """Counts rows for good, so that the funnel need not read their events; yields the size of every batch."""
    while ids := _count_batch(rows, batch):
        yield ids


def forget_allowances() -> int:
    """Deletes counts whose time is over."""
    deleted, _ = Allowance.objects.filter(until__lt=time.time()).delete()
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
    """Ids of some of the rows, none of them in another's hands. SQLite has one writer at a time and needs no locks."""
    locked = rows.select_for_update(skip_locked=True, of=("self",)) if _locks_rows() else rows
    return list(locked.order_by().values_list("pk", flat=True)[:batch])


def _locks_rows() -> bool:
    return bool(transaction.get_connection().features.has_select_for_update_skip_locked)
