"""Rate limits, counted in the database: all workers share the counters, and they outlive sessions and restarts.

A counter's key is a keyed digest, so the table holds no address, phone number or IP address. Success does not reset a
counter. Refused attempts consume no quota, so a visitor cannot exhaust a shared limit with requests that never ran.
"""

import ipaddress
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connections, router, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from selfreg import cache
from selfreg.conf import DEFAULT, Conf
from selfreg.database_connections import retried
from selfreg.email_addresses import folded
from selfreg.models import RateLimitCounter, Registration
from selfreg.monitoring import events
from selfreg.phone_numbers import region

MINUTE, HOUR, DAY = 60, 3600, 86_400
RELAXED = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """``max_hits`` in a window of ``seconds`` that begins with the first hit.

    Under DEBUG the maximum is ``relaxed``, so that scripts can walk through a site.
    """

    max_hits: int
    seconds: int
    relaxed: int = RELAXED


ONCE = "start by form"
LIMITS: Mapping[str, Limit] = {
    # A form with an address counts once, however often the button is clicked. The next three limits count only if this
    # one does. A corrected address counts again.
    ONCE: Limit(1, DAY, relaxed=1),
    "start by address": Limit(5, HOUR),
    "start by ip": Limit(60, HOUR),
    "start by ip, a day": Limit(300, DAY),
    # Opened links of invitations. Above the limit, the visitor has to press a button, which counts as a start.
    "invitation by ip": Limit(20, HOUR),
    # Forms that were fetched from the org because they were not cached.
    "form by ip": Limit(120, HOUR),
    # Mails and texts of one registration.
    "send by registration": Limit(8, DAY, relaxed=8),
    # Mails that are sent again after the sign-up.
    "send by account": Limit(8, DAY, relaxed=8),
    "send by address": Limit(15, HOUR),
    "send by ip": Limit(120, HOUR),
    # Submitted codes, right or wrong. Each code that is sent is a new challenge.
    "code by challenge": Limit(5, 10 * MINUTE),
    "code by address": Limit(20, HOUR),
    "code by ip": Limit(200, HOUR),
    # Passwords of existing users, tried for account linking.
    "join by account": Limit(5, 15 * MINUTE, relaxed=5),
    # Passwords at the login of Django admin, right or wrong.
    "login by name and ip": Limit(5, 15 * MINUTE),
    "login by name": Limit(50, HOUR),
    "login by ip": Limit(50, HOUR),
    # Texts and calls cost money, of which some owners of numbers get a share (toll fraud).
    "text by number": Limit(5, HOUR),
    "text by number, a day": Limit(10, DAY),
    "text by ip": Limit(20, DAY),
    "text by country": Limit(500, DAY),
    "text": Limit(5_000, DAY),
}

# Okta allows so many calls for one state handle in so many seconds (Okta docs: Rate limits, Identity Engine endpoints).
CALLS, CALLS_SECONDS = 10, 5

UPSERT = """
    INSERT INTO {table} AS counter (key, used, until) VALUES {rows}
    ON CONFLICT (key) DO UPDATE SET
        used = CASE WHEN counter.until <= %s THEN 1 ELSE counter.used + 1 END,
        until = CASE WHEN counter.until <= %s THEN excluded.until ELSE counter.until END
    RETURNING key, used, until
"""
# MySQL and MariaDB assign from left to right, so ``used`` is computed with the old ``until``. MySQL returns no rows.
MYSQL_UPSERT = """
    INSERT INTO {table} (`key`, `used`, `until`) VALUES {rows}
    ON DUPLICATE KEY UPDATE
        `used` = IF(`until` <= %s, 1, `used` + 1),
        `until` = IF(`until` <= %s, VALUES(`until`), `until`)
"""
OPEN_COUNT_SECONDS = 30


def consume(hits: Mapping[str, str], org: str = DEFAULT) -> int:
    """Count one hit of each limit, or nothing if one of them is used up.

    :param hits: name in ``LIMITS`` -> subject: ``{"start by ip": "192.0.2.1"}``
    :param org: each org has its own counters
    :return: 0, or the seconds to wait if a limit is used up
    """
    if not hits:
        return 0
    alias = router.db_for_write(RateLimitCounter)

    def counted() -> int:
        with transaction.atomic(using=alias):
            wait = count(hits, org)
            if wait:
                transaction.set_rollback(True, using=alias)
        return wait

    return retried(counted)


def count(hits: Mapping[str, str], org: str = DEFAULT) -> int:
    """Count one hit of each limit. The caller has a transaction open, and rolls it back if the result is not 0.

    :return: 0, or the seconds to wait if a limit is used up
    """
    if not hits:
        return 0
    now, limits = int(timezone.now().timestamp()), _limits_by_key(hits, org)
    # Sorted, so that two requests lock the same rows in the same order and cannot deadlock.
    rows = [(key, 1, now + limits[key].seconds) for key in sorted(limits)]
    counters = _upsert(rows, now)
    waits = {key: until - now for key, used, until in counters if used > limits[key].max_hits}
    _report(hits, org, waits)
    return max(waits.values(), default=0)


def _upsert(rows: Sequence[tuple[str, int, int]], now: int) -> list[tuple[str, int, int]]:
    """Count one hit in each row, starting a new window if the old one is over, and return the new rows.

    They stay locked until the caller commits or rolls back, so concurrent requests for the same limits wait.
    """
    alias = router.db_for_write(RateLimitCounter)
    connection, is_mysql = connections[alias], connections[alias].vendor == "mysql"
    statement = (MYSQL_UPSERT if is_mysql else UPSERT).format(
        table=connection.ops.quote_name(RateLimitCounter._meta.db_table), rows=", ".join(["(%s, %s, %s)"] * len(rows))
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row] + [now, now])
        if not is_mysql:
            return list(cursor.fetchall())
    written = RateLimitCounter.objects.using(alias).filter(key__in=[key for key, *_ in rows])
    return list(written.values_list("key", "used", "until"))


def _report(hits: Mapping[str, str], org: str, waits: Mapping[str, int]) -> None:
    """Report the limits that are used up, but not that a form was submitted twice, which is not refused."""
    for name, subject in hits.items() if waits else ():
        if name != ONCE and (seconds := waits.get(_key(name, subject, org))):
            events.limit_reached(_name_of(name, org), seconds)


def refund(hits: Mapping[str, str], org: str = DEFAULT) -> None:
    """Take back hits of something that did not happen, so that an outage uses up nobody's limits."""

    def give_back() -> None:
        with transaction.atomic(using=counters.db):
            keys = list(counters.values_list("key", flat=True))
            counters.filter(key__in=keys).update(used=F("used") - 1)

    if hits:
        # Locked in the same order as in ``count``.
        counters = RateLimitCounter.objects.select_for_update().order_by("key")
        counters = counters.filter(key__in=_limits_by_key(hits, org), used__gt=0)
        retried(give_back)


def seconds_until_free(hits: Mapping[str, str], org: str = DEFAULT) -> int:
    """Return the seconds until ``consume`` would count these hits, 0 if it would now. Counts nothing."""
    now, limits = int(timezone.now().timestamp()), _limits_by_key(hits, org)
    counters = RateLimitCounter.objects.filter(key__in=limits, until__gt=now).values_list("key", "used", "until")
    return max((until - now for key, used, until in counters if used >= limits[key].max_hits), default=0)


def pace(calls: Sequence[float], more: int = 1) -> int:
    """Return the seconds to wait before ``more`` calls of one transaction, so that they stay within Okta's own limit.

    :param calls: when the last calls were made, seconds since the epoch, oldest first
    """
    if settings.DEBUG or len(calls) + more <= CALLS:
        return 0
    return max(0, math.ceil(calls[more - CALLS - 1] + CALLS_SECONDS - timezone.now().timestamp()))


@dataclass(frozen=True, slots=True)
class StartCount:
    """The result of counting a start.

    :param wait: seconds to wait; 0 if the registration may start
    :param is_repeated: whether this form and address were counted before
    """

    wait: int = 0
    is_repeated: bool = False


def consume_start(form: str, address: str, ip: str, org: str = DEFAULT) -> StartCount:
    """Count the start of a registration, or its change to another address, once for each form and address.

    :param form: id of the submitted form, which is that of its registration
    """
    hits = hits_of_start(form, address, ip)
    wait = consume(hits, org)
    return StartCount(is_repeated=True) if wait and seconds_until_free({ONCE: hits[ONCE]}, org) else StartCount(wait)


def hits_of_start(form: str, address: str, ip: str) -> dict[str, str]:
    """Return the hits that ``consume_start`` counts."""
    hits = {ONCE: f"{form} {folded(address)}", "start by ip": ip, "start by ip, a day": ip}
    return hits | ({"start by address": folded(address)} if address else {})


def address_in(profile: Mapping[str, Any]) -> str:
    """Return the address that the org will send mail to; "" if the profile has none."""
    return str(profile.get("email") or profile.get("login") or "")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command does that is limited.

    ``sends`` is whether a mail goes out, or with ``number`` (E.164) a text or call. ``checks`` identifies the challenge
    whose code is checked, or is "".
    """

    sends: bool = False
    number: str = field(default="", repr=False)
    checks: str = ""


NO_EFFECT = Effect()


def hits_of(effect: Effect, registration: str, address: str, ip: str) -> dict[str, str]:
    """Return the hits of a command for one registration, see ``consume``.

    :param registration: its id
    :param address: its email address; "" if there is none yet
    """
    hits: dict[str, str] = {}
    if effect.sends:
        hits |= {"send by registration": registration, "send by ip": ip}
        hits |= {"send by address": folded(address)} if address else {}
    if effect.number:
        hits |= {"text by number": effect.number, "text by number, a day": effect.number, "text by ip": ip, "text": ""}
        hits |= {"text by country": region(effect.number)}
    if effect.checks:
        hits |= {"code by challenge": f"{registration} {effect.checks}", "code by ip": ip}
        hits |= {"code by address": folded(address)} if address else {}
    return hits


def hits_of_later_mail(subject: str, address: str, ip: str) -> dict[str, str]:
    """Return the hits of a mail that is sent again after the sign-up. ``subject`` is the Okta user id."""
    return {"send by account": subject, "send by address": folded(address), "send by ip": ip}


def hits_of_later_code(subject: str, address: str, ip: str, challenge: str) -> dict[str, str]:
    """Return the hits of submitting the code of a mail that was sent again after the sign-up."""
    return {"code by challenge": f"{subject} {challenge}", "code by address": folded(address), "code by ip": ip}


def is_full(settings: Conf) -> bool:
    """Return whether the org has ``MOST_OPEN`` open registrations. The count is up to ``OPEN_COUNT_SECONDS`` old."""
    name = cache.name_of("selfreg:open", settings.org)
    count = cache.get_lately(name)
    if count is None:
        count = Registration.objects.under_way(settings).count()
        cache.keep(name, count, OPEN_COUNT_SECONDS)
    return bool(count >= settings.most_open)


def _limits_by_key(hits: Mapping[str, str], org: str) -> dict[str, Limit]:
    return {_key(name, subject, org): _limit(name) for name, subject in hits.items()}


def _limit(name: str) -> Limit:
    limit = LIMITS[name]
    return Limit(limit.relaxed, limit.seconds) if settings.DEBUG else limit


def _name_of(limit: str, org: str) -> str:
    return limit if org == DEFAULT else f"{limit} of org {org}"


def _key(name: str, subject: str, org: str) -> str:
    value = f"{_name_of(name, org)}\n{_normalized(name, subject)}"
    return salted_hmac("selfreg.limits", value, algorithm="sha256").hexdigest()


def _normalized(name: str, subject: str) -> str:
    """Ignore phone extensions, and group IPv6 addresses by /64, since one visitor can use any number of either."""
    if " by number" in name:
        return subject.partition("x")[0]
    return _network(subject) if " by ip" in name else subject


def _network(ip: str) -> str:
    """Return the /64 of an IPv6 address. Anything else is returned unchanged."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return ip
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.IPv6Network((address.packed, 64), strict=False))
