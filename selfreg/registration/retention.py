"""Erases old registrations and personal data. Erased registrations still count in the funnel.

Each batch is one transaction, so a run can be killed at any time. Rows that another run or a request has locked are
skipped.
"""

import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from functools import reduce as fold
from operator import or_
from typing import TypeVar

from django.db import connections, router, transaction
from django.db.models import F, Model, Q, QuerySet
from django.db.models.signals import post_delete, pre_delete
from django.utils import timezone

from selfreg.conf import Conf, orgs
from selfreg.email_addresses import canonical
from selfreg.models import Registration, RegistrationEvent, RegistrationQuerySet, belongs_to, waits_for_link
from selfreg.reports import counts
from selfreg.statuses import FINAL, OPEN, Status

BATCH = 1_000
Row = TypeVar("Row", bound=Model)
# A part of the registrations, and the column of an index that orders them.
Part = tuple[RegistrationQuerySet, str]
# Columns that are emptied in completed registrations. Status, times, issuer and ids stay.
PERSONAL = ("email", "email_canonical", "browser", "next_url", "country", "language", "failure_text")


def to_erase() -> RegistrationQuerySet:
    """Return registrations to erase: not completed and too old, or marked by an administrator.

    See ``ERASE_ABANDONED_AFTER_SECONDS`` of their org.
    """
    return Registration.objects.filter(fold(or_, (part for part, _column in _conditions_to_erase())))


def to_erase_in_parts() -> list[Part]:
    """Return ``to_erase`` in parts, each with the column that orders it."""
    return [(Registration.objects.filter(part), column) for part, column in _conditions_to_erase()]


def _conditions_to_erase() -> Iterator[tuple[Q, str]]:
    for settings in orgs().values():
        moment = timezone.now() - timedelta(seconds=settings.erase_abandoned_after_seconds)
        own = belongs_to(settings)
        for status in sorted(FINAL - {Status.COMPLETED}):
            yield own & Q(status=status, finished_at__lt=moment), "finished_at"
        untouched = Q(status__in=sorted(OPEN - {Status.AWAITING_APPROVAL}), updated_at__lt=moment)
        yield own & untouched & ~waits_for_link(settings), "created_at"
    yield Q(erase_asked_at__isnull=False) & ~Q(status__in=OPEN), "erase_asked_at"


def finished() -> RegistrationQuerySet:
    """Return completed registrations whose personal data is to be removed.

    See ``REDUCE_FINISHED_AFTER_SECONDS`` of their org.
    """
    has_personal_data = fold(or_, (Q(**{f"{name}__gt": ""}) for name in PERSONAL))
    is_old = fold(or_, map(_finished, orgs().values()))
    return Registration.objects.filter(has_personal_data, is_old, status=Status.COMPLETED)


def _finished(settings: Conf) -> Q:
    moment = timezone.now() - timedelta(seconds=settings.reduce_finished_after_seconds)
    return Q(finished_at__lt=moment) & belongs_to(settings)


def of(address: str) -> RegistrationQuerySet:
    """Return all registrations with an email address, in any spelling of it."""
    wanted = canonical(address) or address
    candidates = Registration.objects.filter(Q(email_canonical=wanted) | Q(email=address.strip())).only("pk", "email")
    # Some databases ignore accents when they compare.
    same = [row.pk for row in candidates if (canonical(row.email) or row.email) == wanted]
    return Registration.objects.filter(pk__in=same)


def completed() -> RegistrationQuerySet:
    """Return completed registrations that the funnel still counts by their events, although no more will come."""
    return Registration.objects.filter(status=Status.COMPLETED, tallied=False)


def _in_batches(
    work: Callable[[list[uuid.UUID]], object],
    rows: RegistrationQuerySet,
    batch: int = BATCH,
    column: str = "",
    limit: int | None = None,
) -> Iterator[int]:
    """Process batch after batch, and yield the size of each.

    A batch begins where the last one ended, because reading past deleted rows would take longer with each batch.

    :param column: see ``Part``
    :param limit: how many registrations at most; None for all
    """
    left, rest, database = sys.maxsize if limit is None else limit, rows, router.db_for_write(Registration)
    while left > 0:
        with transaction.atomic(using=database):
            found = _locked(rest, column, min(batch, left))
            if not found:
                return
            ids = [person[0] for person, _tallied in found]
            if column:
                border = Registration.objects.using(database).values_list(column, flat=True).get(pk=ids[-1])
                rest = rows.filter(**{f"{column}__gte": border})
            counts.tally_for_good([person for person, tallied in found if not tallied])
            work(ids)
        yield len(found)
        left -= len(found)


def _erase(ids: list[uuid.UUID]) -> None:
    _events(ids).delete()
    if _is_used_by_the_site():
        Registration.objects.filter(pk__in=ids).delete()
    else:
        _delete(ids)


def _events(ids: list[uuid.UUID]) -> QuerySet[RegistrationEvent]:
    return RegistrationEvent.objects.filter(registration_id__in=counts.listed(ids))


def _is_used_by_the_site() -> bool:
    """Return whether the site has foreign keys to registrations, or signal receivers for their deletion.

    Only Django's own ``delete`` handles both.
    """
    signals = (pre_delete, post_delete)
    return len(Registration._meta.related_objects) > 1 or any(s.has_listeners(Registration) for s in signals)


def _delete(ids: list[uuid.UUID]) -> None:
    """Delete registrations in one statement. Django would read all of them first, because they have events."""
    connection = connections[router.db_for_write(Registration)]
    table, values = connection.ops.quote_name(Registration._meta.db_table), counts.listed(ids).sql
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id IN ({values})")  # noqa: S608  (hexadecimal digits)


def _reduce(ids: list[uuid.UUID]) -> None:
    _events(ids).delete()
    emptied = dict.fromkeys(PERSONAL, "")
    Registration.objects.filter(pk__in=ids).update(version=F("version") + 1, tallied=True, **emptied)


def _count(ids: list[uuid.UUID]) -> None:
    Registration.objects.filter(pk__in=ids).update(tallied=True)


def _locked(rows: RegistrationQuerySet, column: str, size: int) -> list[tuple[counts.Person, bool]]:
    """Lock ``unlocked`` rows. Return what the funnel needs of each, and whether it was counted already."""
    ordered = unlocked(rows.using(router.db_for_write(Registration))).order_by(*([column] if column else []))
    found = ordered.values_list(*counts.PERSON_COLUMNS, "tallied")[:size]
    return [(person, tallied) for *person, tallied in found]


def unlocked(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Return the rows that nobody else has locked, and lock them. SQLite has a single writer and no row locks."""
    can_skip = connections[rows.db].features.has_select_for_update_skip_locked
    return rows.select_for_update(skip_locked=True) if can_skip else rows


erase = partial(_in_batches, _erase)
"""Deletes registrations and their events, see ``_in_batches``."""
reduce = partial(_in_batches, _reduce)
"""Removes personal data from registrations, and deletes their events."""
count = partial(_in_batches, _count)
"""Counts registrations in ``TalliedHour``, which makes the funnel faster."""
