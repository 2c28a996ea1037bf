"""How often something may be done. Counted in the shared database, so no worker, session, or restart has its own count.

What is counted is named by a keyed digest: the table tells nobody's address, number or IP. A count lives on when the
thing counted succeeds. Refused attempts consume no quota: a visitor cannot exhaust a shared limit with requests that
never ran.
"""

import ipaddress
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import phonenumbers
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from selfreg import cache
from selfreg.addresses import folded
from selfreg.models import Allowance, Registration

MINUTE, HOUR, DAY = 60, 3600, 86_400
RELAXED = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """``most`` times within ``seconds`` of the first. Under DEBUG ``relaxed`` times: programs walk a site then."""

    most: int
    seconds: int
    relaxed: int = RELAXED


LIMITS: Mapping[str, Limit] = {
    # One form and one address, however often the button is clicked: it counts below when it is let through, and then no
    # more. An address that is put right later counts anew.
    "start by form": Limit(1, DAY, relaxed=1),
    "start by address": Limit(5, HOUR),
    "start by ip": Limit(60, HOUR),
    "start by ip, a day": Limit(300, DAY),
    # The first mail or text of a page and what is asked for again, until the registration ends.
    "send by registration": Limit(8, DAY, relaxed=8),
    # The same for an address that is proven after the sign-up.
    "send by account": Limit(8, DAY, relaxed=8),
    "send by address": Limit(15, HOUR),
    "send by ip": Limit(120, HOUR),
    # Every code that is submitted, right or wrong. A code that is sent anew is a challenge of its own.
    "code by challenge": Limit(5, 10 * MINUTE),
    "code by address": Limit(20, HOUR),
    "code by ip": Limit(200, HOUR),
    # The password of an account that was here before.
    "join by account": Limit(5, 15 * MINUTE, relaxed=5),
    # Texts and calls cost money, and fraud earns it.
    "text by number": Limit(5, HOUR),
    "text by number, a day": Limit(10, DAY),
    "text by ip": Limit(20, DAY),
    "text by country": Limit(500, DAY),
    "text": Limit(5_000, DAY),
}

# Okta's own limit for one state handle (Identity Engine, rate limits); a person needs fewer.
CALLS, CALLS_SECONDS = 10, 5

UPSERT = """
    INSERT INTO {table} AS kept (key, used, until) VALUES {rows}
    ON CONFLICT (key) DO UPDATE SET
        used = CASE WHEN kept.until <= %s THEN 1 ELSE kept.used + 1 END,
        until = CASE WHEN kept.until <= %s THEN excluded.until ELSE kept.until END
    RETURNING key, used, until
"""
OPEN_COUNTED_FOR = 30


def consume(hits: Mapping[str, str]) -> int:
    """Counts one hit of each limit, or of none when any of them is used up.

    :param hits: names of ``LIMITS`` and whose hit it is: ``{"start by ip": "192.0.2.1"}``
    :return: 0, or how many seconds to wait when any of them is used up
    """
    if not hits:
        return 0
    with transaction.atomic():
        wait = count(hits)
        if wait:
            transaction.set_rollback(True)
    return wait


def count(hits: Mapping[str, str]) -> int:
    """Counts inside a transaction of the caller's, who has to roll it back when any limit is used up.

    :return: 0, or how many seconds to wait
    """
    if not hits:
        return 0
    now, limits = int(time.time()), _by_key(hits)
    # Rows are locked in this order: two requests that use the same limits cannot wait for each other.
    rows = [(key, 1, now + limits[key].seconds) for key in sorted(limits)]
    statement = UPSERT.format(
        table=connection.ops.quote_name(Allowance._meta.db_table), rows=", ".join(["(%s, %s, %s)"] * len(rows))
    )
    # A request that uses the same limits waits for the end of this transaction: the hits are counted then, or undone.
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row] + [now, now])
        counters: list[tuple[str, int, int]] = cursor.fetchall()
    return max(until - now if used > limits[key].most else 0 for key, used, until in counters)


def refund(hits: Mapping[str, str]) -> None:
    """Takes back hits of something that did not happen, so that an outage uses up nobody's limits."""
    if hits:
        Allowance.objects.filter(key__in=_by_key(hits), used__gt=0).update(used=F("used") - 1)


def seconds_until_free(hits: Mapping[str, str]) -> int:
    """How many seconds to wait before ``consume`` would count these hits; counts nothing."""
    now, limits = int(time.time()), _by_key(hits)
    counters = Allowance.objects.filter(key__in=limits, until__gt=now).values_list("key", "used", "until")
    return max((until - now for key, used, until in counters if used >= limits[key].most), default=0)


def pace(calls: Sequence[float], more: int = 1) -> int:
    """Seconds until so many more calls of a transaction may be made, by the times of its last ones, oldest first."""
    if settings.DEBUG or len(calls) + more <= CALLS:
        return 0
    return max(0, math.ceil(calls[more - CALLS - 1] + CALLS_SECONDS - time.time()))


def consume_start(form: str, address: str, ip: str) -> int:
    """Counts the start of a registration, or its going on with another address, once for each form and address.

    :param form: an id of the form that was submitted: that of the registration
    :return: 0, or how many seconds to wait
    """
    once = _once_per_form(form, address)
    if seconds_until_free(once):
        return 0
    wait = consume(_hits_of_start(form, address, ip))
    # The same form, sent twice at once, may have been counted meanwhile.
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
    """Where the org will write to, "" if the profile does not say."""
    return str(profile.get("email") or profile.get("login") or "")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command does that costs something.

    ``sends``: a mail goes out, or with ``number`` (E.164) a text or call; ``checks``: a code is checked, of this
    challenge.
    """

    sends: bool = False
    number: str = field(default="", repr=False)
    checks: str = ""


NO_EFFECT = Effect()


def hits_of(effect: Effect, registration: str, address: str, ip: str) -> dict[str, str]:
    """The hits of a command of one registration.

    :param registration: its id
    :param address: its e-mail address, "" when it is not known
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
    """Counts the hits of a command, see ``count``."""
    return count(hits_of(effect, registration, address, ip)) if effect != NO_EFFECT else 0


def refund_effect(effect: Effect, registration: str, address: str, ip: str) -> None:
    """Takes back the hits of a command that did not reach the org."""
    refund(hits_of(effect, registration, address, ip))


def hits_of_later_mail(subject: str, address: str, ip: str) -> dict[str, str]:
    """The hits of a mail to somebody whose sign-up is over."""
    return {"send by account": subject, "send by address": folded(address), "send by ip": ip}


def hits_of_later_code(subject: str, address: str, ip: str, challenge: str) -> dict[str, str]:
    """The hits of submitting the code from such a mail."""
    return {"code by challenge": f"{subject} {challenge}", "code by address": folded(address), "code by ip": ip}


def region(number: str) -> str:
    """The country of an E.164 number (``US``), or its calling code when that is no country's; "" when unknown."""
    try:
        parsed = phonenumbers.parse(number.partition("x")[0])
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(parsed) or f"+{parsed.country_code}"


def is_full(max_open: int) -> bool:
    """Whether there are as many open registrations as the site wants to keep. Counted at most every half minute."""
    count = cache.get("selfreg:open")
    if count is None:
        count = Registration.objects.under_way().count()
        cache.keep("selfreg:open", count, OPEN_COUNTED_FOR)
    return bool(count >= max_open)


def _by_key(hits: Mapping[str, str]) -> dict[str, Limit]:
    return {_key(name, subject): _limit(name) for name, subject in hits.items()}


def _limit(name: str) -> Limit:
    limit = LIMITS[name]
    return Limit(limit.relaxed, limit.seconds) if settings.DEBUG else limit


def _key(name: str, subject: str) -> str:
    return salted_hmac("selfreg.limits", f"{name}\n{_normalized(name, subject)}", algorithm="sha256").hexdigest()


def _normalized(name: str, subject: str) -> str:
    """Ignores phone extensions, and groups IPv6 addresses by /64: a visitor has as many as they like."""
    if " by number" in name:
        return subject.partition("x")[0]
    return _network(subject) if " by ip" in name else subject


def _network(ip: str) -> str:
    """An IPv6 visitor has a whole /64 to choose addresses from."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return ip
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.IPv6Network((address.packed, 64), strict=False))
