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
    # A form and an address count once, however often the button is clicked; the limits below are consumed with that hit
    # only. An address that is corrected later is another hit.
    ONCE: Limit(1, DAY, relaxed=1),
    "start by address": Limit(5, HOUR),
    "start by ip": Limit(60, HOUR),
    "start by ip, a day": Limit(300, DAY),
    # Links of invitations that were opened. Over it the visitor has to press a button, which counts as a start.
    "invitation by ip": Limit(20, HOUR),
    # Forms that had to be fetched from the org for showing them.
    "form by ip": Limit(120, HOUR),
    # Mails and texts of one registration: the first of each page, and those sent again.
    "send by registration": Limit(8, DAY, relaxed=8),
    # Mails of "send again" after the sign-up.
    "send by account": Limit(8, DAY, relaxed=8),
    "send by address": Limit(15, HOUR),
    "send by ip": Limit(120, HOUR),
    # Submitted codes, right or wrong. A new code is a new challenge.
    "code by challenge": Limit(5, 10 * MINUTE),
    "code by address": Limit(20, HOUR),
    "code by ip": Limit(200, HOUR),
    # Tries of the password of an existing account of this site, for account linking.
    "join by account": Limit(5, 15 * MINUTE, relaxed=5),
    # Tries of a password at the sign-in of Django admin, right or wrong.
    "login by name and ip": Limit(5, 15 * MINUTE),
    "login by name": Limit(50, HOUR),
    "login by ip": Limit(50, HOUR),
    # Texts and calls cost money, and some numbers earn their owner a share of it (toll fraud).
    "text by number": Limit(5, HOUR),
    "text by number, a day": Limit(10, DAY),
    "text by ip": Limit(20, DAY),
    "text by country": Limit(500, DAY),
    "text": Limit(5_000, DAY),
}

# Okta's limit of calls for one state handle in so many seconds (Okta docs: Rate limits, Identity Engine endpoints).
CALLS, CALLS_SECONDS = 10, 5

UPSERT = """
    INSERT INTO {table} AS counter (key, used, until) VALUES {rows}
    ON CONFLICT (key) DO UPDATE SET
        used = CASE WHEN counter.until <= %s THEN 1 ELSE counter.used + 1 END,
        until = CASE WHEN counter.until <= %s THEN excluded.until ELSE counter.until END
    RETURNING key, used, until
"""
# MySQL and MariaDB assign from left to right, so ``used`` is judged by the window of before. MySQL returns no rows.
MYSQL_UPSERT = """
    INSERT INTO {table} (`key`, `used`, `until`) VALUES {rows}
    ON DUPLICATE KEY UPDATE
        `used` = IF(`until` <= %s, 1, `used` + 1),
        `until` = IF(`until` <= %s, VALUES(`until`), `until`)
"""
OPEN_COUNT_SECONDS = 30
# Between the name of a limit and of a further org.
ORG_MARK = " of org "


def consume(hits: Mapping[str, str]) -> int:
    """Count one hit of each limit, or nothing if one of them is used up.

    :param hits: name in ``LIMITS`` -> subject: ``{"start by ip": "192.0.2.1"}``
    :return: 0, or the seconds to wait if a limit is used up
    """
    if not hits:
        return 0
    alias = router.db_for_write(RateLimitCounter)
    with transaction.atomic(using=alias):
        wait = count(hits)
        if wait:
            transaction.set_rollback(True, using=alias)
    return wait


def count(hits: Mapping[str, str]) -> int:
    """Count one hit of each limit in the caller's transaction, which the caller rolls back if a limit is used up.

    :param hits: see ``consume``
    :return: 0, or the seconds to wait if a limit is used up
    """
    if not hits:
        return 0
    now, limits = int(timezone.now().timestamp()), _limits_by_key(hits)
    # Sorted, so that two requests lock the same rows in the same order and cannot deadlock.
    rows = [(key, 1, now + limits[key].seconds) for key in sorted(limits)]
    counters = _upsert(rows, now)
    waits = {key: until - now for key, used, until in counters if used > limits[key].max_hits}
    _report(hits, waits)
    return max(waits.values(), default=0)


def _upsert(rows: Sequence[tuple[str, int, int]], now: int) -> list[tuple[str, int, int]]:
    """Count one hit in each row, or begin its window, and return the rows as they are then.

    They stay locked until the caller commits or rolls back, and concurrent requests for the same limits wait.
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


def _report(hits: Mapping[str, str], waits: Mapping[str, int]) -> None:
    """Report the limits that are used up. A form that is submitted twice reaches its own limit, and is not refused."""
    for name, subject in hits.items() if waits else ():
        seconds = waits.get(_key(name, subject), 0)
        if seconds and name.partition(ORG_MARK)[0] != ONCE:
            events.limit_reached(name, seconds)


def of_org(hits: dict[str, str], org: str) -> dict[str, str]:
    """Return the hits of an org: each counts its own."""
    return hits if org == DEFAULT else {f"{name}{ORG_MARK}{org}": subject for name, subject in hits.items()}


def refund(hits: Mapping[str, str]) -> None:
    """Take back hits of something that did not happen, so that an outage uses up nobody's limits."""
    if hits:
        RateLimitCounter.objects.filter(key__in=_limits_by_key(hits), used__gt=0).update(used=F("used") - 1)


def seconds_until_free(hits: Mapping[str, str]) -> int:
    """Return the seconds until ``consume`` would count these hits, 0 if it would now. Counts nothing."""
    now, limits = int(timezone.now().timestamp()), _limits_by_key(hits)
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
    """What counting a start came to.

    :param wait: seconds to wait; 0 if it may go on
    :param is_repeated: this form and address were counted before, and count no more
    """

    wait: int = 0
    is_repeated: bool = False


def consume_start(form: str, address: str, ip: str, org: str = DEFAULT) -> StartCount:
    """Count the start of a registration, or its change to another address, once for each form and address.

    :param form: id of the submitted form, which is that of its registration
    """
    wait = consume(of_org(_hits_of_start(form, address, ip), org))
    if wait and seconds_until_free(of_org(_once_per_form(form, address), org)):
        return StartCount(is_repeated=True)
    return StartCount(wait)


def refund_start(form: str, address: str, ip: str, org: str = DEFAULT) -> None:
    """Take back what ``consume_start`` counted: the org could not be asked."""
    refund(of_org(_hits_of_start(form, address, ip), org))


def _once_per_form(form: str, address: str) -> dict[str, str]:
    return {ONCE: f"{form} {folded(address)}"}


def _hits_of_start(form: str, address: str, ip: str) -> dict[str, str]:
    by_ip = {"start by ip": ip, "start by ip, a day": ip}
    by_address = {"start by address": folded(address)} if address else {}
    return _once_per_form(form, address) | by_ip | by_address


def address_in(profile: Mapping[str, Any]) -> str:
    """Return the address of a profile, where the org will send its mail; "" if there is none."""
    return str(profile.get("email") or profile.get("login") or "")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command does that is limited.

    ``sends`` is whether a mail goes out, or with ``number`` (E.164) a text or call. ``checks`` identifies the challenge
    whose code is checked; "" where no code is.
    """

    sends: bool = False
    number: str = field(default="", repr=False)
    checks: str = ""


NO_EFFECT = Effect()


def hits_of(effect: Effect, registration: str, address: str, ip: str, org: str = DEFAULT) -> dict[str, str]:
    """Return the hits of a command for one registration, see ``consume``.

    :param registration: its id
    :param address: its email address, "" when there is none yet
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
    return of_org(hits, org)


def hits_of_later_mail(subject: str, address: str, ip: str, org: str = DEFAULT) -> dict[str, str]:
    """Return the hits of a mail that is sent again after the sign-up. ``subject`` is the Okta user id."""
    return of_org({"send by account": subject, "send by address": folded(address), "send by ip": ip}, org)


def hits_of_later_code(subject: str, address: str, ip: str, challenge: str, org: str = DEFAULT) -> dict[str, str]:
    """Return the hits of submitting the code of a mail that was sent again after the sign-up."""
    hits = {"code by challenge": f"{subject} {challenge}", "code by address": folded(address), "code by ip": ip}
    return of_org(hits, org)


def is_full(settings: Conf) -> bool:
    """Return whether the org has ``MOST_OPEN`` open registrations. The count is up to ``OPEN_COUNT_SECONDS`` old."""
    name = cache.name_of("selfreg:open", settings.org)
    count = cache.get_lately(name)
    if count is None:
        count = Registration.objects.under_way(settings).count()
        cache.keep(name, count, OPEN_COUNT_SECONDS)
    return bool(count >= settings.most_open)


def _limits_by_key(hits: Mapping[str, str]) -> dict[str, Limit]:
    return {_key(name, subject): _limit(name) for name, subject in hits.items()}


def _limit(name: str) -> Limit:
    limit = LIMITS[name.partition(ORG_MARK)[0]]
    return Limit(limit.relaxed, limit.seconds) if settings.DEBUG else limit


def _key(name: str, subject: str) -> str:
    return salted_hmac("selfreg.limits", f"{name}\n{_normalized(name, subject)}", algorithm="sha256").hexdigest()


def _normalized(name: str, subject: str) -> str:
    """Ignore phone extensions, and group IPv6 addresses by /64, since one visitor can use any number of either."""
    if " by number" in name:
        return subject.partition("x")[0]
    return _network(subject) if " by ip" in name else subject


def _network(ip: str) -> str:
    """Return the /64 of an IPv6 address; an IPv4 address, or text that is no address, as it is."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return ip
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.IPv6Network((address.packed, 64), strict=False))
