"""Rate limits, counted in the database: all workers share the counters, and they outlive sessions and restarts.

A counter's key is a keyed digest, so the table holds no address, phone number or IP address. Success does not reset a
counter. Refused attempts consume no quota, so a visitor cannot exhaust a shared limit with requests that never ran.
"""

import ipaddress
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import phonenumbers
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from selfreg import cache
from selfreg.addresses import folded
from selfreg.models import RateLimitCounter, Registration

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


LIMITS: Mapping[str, Limit] = {
    # A form and an address count once, however often the button is clicked; the limits below are consumed with that hit
    # only. An address that is corrected later is another hit.
    "start by form": Limit(1, DAY, relaxed=1),
    "start by address": Limit(5, HOUR),
    "start by ip": Limit(60, HOUR),
    "start by ip, a day": Limit(300, DAY),
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
OPEN_COUNT_SECONDS = 30


def consume(hits: Mapping[str, str]) -> int:
    """Counts one hit of each limit, or nothing if one of them is used up.

    :param hits: name in ``LIMITS`` -> subject: ``{"start by ip": "192.0.2.1"}``
    :return: 0, or the seconds to wait if a limit is used up
    """
    if not hits:
        return 0
    with transaction.atomic():
        wait = count(hits)
        if wait:
            transaction.set_rollback(True)
    return wait


def count(hits: Mapping[str, str]) -> int:
    """Counts one hit of each limit in the caller's transaction, which the caller rolls back if a limit is used up.

    :param hits: see ``consume``
    :return: 0, or the seconds to wait if a limit is used up
    """
    if not hits:
        return 0
    now, limits = int(timezone.now().timestamp()), _limits_by_key(hits)
    # Sorted, so that two requests lock the same rows in the same order and cannot deadlock.
    rows = [(key, 1, now + limits[key].seconds) for key in sorted(limits)]
    statement = UPSERT.format(
        table=connection.ops.quote_name(RateLimitCounter._meta.db_table), rows=", ".join(["(%s, %s, %s)"] * len(rows))
    )
    # The rows stay locked until the caller commits or rolls back, and concurrent requests for the same limits wait.
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row] + [now, now])
        counters: list[tuple[str, int, int]] = cursor.fetchall()
    return max(until - now if used > limits[key].max_hits else 0 for key, used, until in counters)


def refund(hits: Mapping[str, str]) -> None:
    """Takes back hits of something that did not happen, so that an outage uses up nobody's limits."""
    if hits:
        RateLimitCounter.objects.filter(key__in=_limits_by_key(hits), used__gt=0).update(used=F("used") - 1)


def seconds_until_free(hits: Mapping[str, str]) -> int:
    """Returns the seconds until ``consume`` would count these hits, 0 if it would now. Counts nothing."""
    now, limits = int(timezone.now().timestamp()), _limits_by_key(hits)
    counters = RateLimitCounter.objects.filter(key__in=limits, until__gt=now).values_list("key", "used", "until")
    return max((until - now for key, used, until in counters if used >= limits[key].max_hits), default=0)


def pace(calls: Sequence[float], more: int = 1) -> int:
    """Returns the seconds to wait before ``more`` calls of one transaction, so that they stay within Okta's own limit.

    :param calls: when the last calls were made, seconds since the epoch, oldest first
    """
    if settings.DEBUG or len(calls) + more <= CALLS:
        return 0
    return max(0, math.ceil(calls[more - CALLS - 1] + CALLS_SECONDS - timezone.now().timestamp()))


def consume_start(form: str, address: str, ip: str) -> int:
    """Counts the start of a registration, or its change to another address, once for each form and address.

    :param form: id of the submitted form, which is that of its registration
    :return: 0, or the seconds to wait
    """
    once = _once_per_form(form, address)
    if seconds_until_free(once):
        return 0
    wait = consume(_hits_of_start(form, address, ip))
    # A concurrent submission of the same form may have counted it meanwhile.
    return 0 if wait and seconds_until_free(once) else wait


def refund_start(form: str, address: str, ip: str) -> None:
    """Takes back what ``consume_start`` counted: the org could not be asked."""
    refund(_hits_of_start(form, address, ip))


def _once_per_form(form: str, address: str) -> dict[str, str]:
    return {"start by form": f"{form} {folded(address)}"}


def _hits_of_start(form: str, address: str, ip: str) -> dict[str, str]:
    by_ip = {"start by ip": ip, "start by ip, a day": ip}
    by_address = {"start by address": folded(address)} if address else {}
    return _once_per_form(form, address) | by_ip | by_address


def address_in(profile: Mapping[str, Any]) -> str:
    """Returns the address of a profile, where the org will send its mail; "" if there is none."""
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


def hits_of(effect: Effect, registration: str, address: str, ip: str) -> dict[str, str]:
    """Returns the hits of a command for one registration, see ``consume``.

    :param registration: its id
    :param address: its e-mail address, "" when there is none yet
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


def count_effect(effect: Effect, registration: str, address: str, ip: str) -> int:
    """Counts the hits of a command in the caller's transaction, see ``count`` and ``hits_of``."""
    return count(hits_of(effect, registration, address, ip)) if effect != NO_EFFECT else 0


def refund_effect(effect: Effect, registration: str, address: str, ip: str) -> None:
    """Takes back the hits of a command that did not reach the org."""
    refund(hits_of(effect, registration, address, ip))


def hits_of_later_mail(subject: str, address: str, ip: str) -> dict[str, str]:
    """Returns the hits of a mail that is sent again after the sign-up. ``subject`` is the Okta user id."""
    return {"send by account": subject, "send by address": folded(address), "send by ip": ip}


def hits_of_later_code(subject: str, address: str, ip: str, challenge: str) -> dict[str, str]:
    """Returns the hits of submitting the code of a mail that was sent again after the sign-up."""
    return {"code by challenge": f"{subject} {challenge}", "code by address": folded(address), "code by ip": ip}


def region(number: str) -> str:
    """Returns the country of an E.164 number (``US``), else its calling code (``+800``); "" if it cannot be parsed."""
    try:
        parsed = phonenumbers.parse(number.partition("x")[0])
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(parsed) or f"+{parsed.country_code}"


def is_full(max_open: int) -> bool:
    """Returns whether there are ``max_open`` open registrations. The count is up to ``OPEN_COUNT_SECONDS`` old."""
    count = cache.get("selfreg:open")
    if count is None:
        count = Registration.objects.under_way().count()
        cache.keep("selfreg:open", count, OPEN_COUNT_SECONDS)
    return bool(count >= max_open)


def _limits_by_key(hits: Mapping[str, str]) -> dict[str, Limit]:
    return {_key(name, subject): _limit(name) for name, subject in hits.items()}


def _limit(name: str) -> Limit:
    limit = LIMITS[name]
    return Limit(limit.relaxed, limit.seconds) if settings.DEBUG else limit


def _key(name: str, subject: str) -> str:
    return salted_hmac("selfreg.limits", f"{name}\n{_normalized(name, subject)}", algorithm="sha256").hexdigest()


def _normalized(name: str, subject: str) -> str:
    """Ignores phone extensions and groups IPv6 addresses by /64, since one visitor can use any number of either."""
    if " by number" in name:
        return subject.partition("x")[0]
    return _network(subject) if " by ip" in name else subject


def _network(ip: str) -> str:
    """Returns the /64 of an IPv6 address; an IPv4 address, or text that is no address, as it is."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return ip
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.IPv6Network((address.packed, 64), strict=False))
