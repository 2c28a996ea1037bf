"""How often something may be done. Counted in the shared database, so no worker, session, or restart has its own count.

What is counted is named by a keyed digest: the table tells nobody's address, number or IP. A count lives on when the
thing counted succeeds. What is refused counts for nothing: most limits are shared, and nobody may use them up for
others by what is not done anyway.
"""

import ipaddress
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import phonenumbers
from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from selfreg import cache
from selfreg.addresses import folded
from selfreg.conf import conf
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


def wait_for(uses: Mapping[str, str]) -> int:
    """Counts one use of each limit, or of none when any of them is used up.

    :param uses: names of ``LIMITS`` and whose use it is: ``{"start by ip": "192.0.2.1"}``
    :return: 0, or how many seconds to wait when any of them is used up
    """
    if not uses:
        return 0
    now, named = int(time.time()), _named(uses)
    # Rows are locked in this order: two requests that use the same limits cannot wait for each other.
    rows = [(key, 1, now + named[key].seconds) for key in sorted(named)]
    statement = UPSERT.format(
        table=connection.ops.quote_name(Allowance._meta.db_table), rows=", ".join(["(%s, %s, %s)"] * len(rows))
    )
    # Whoever uses the same meanwhile waits for the end of this: then it is counted, or it never was.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row] + [now, now])
        counts: list[tuple[str, int, int]] = cursor.fetchall()
        wait = max(until - now if used > named[key].most else 0 for key, used, until in counts)
        if wait:
            transaction.set_rollback(True)
    return wait


def used_up(uses: Mapping[str, str]) -> int:
    """The same, counting nothing."""
    now, named = int(time.time()), _named(uses)
    kept = Allowance.objects.filter(key__in=named, until__gt=now).values_list("key", "used", "until")
    return max((until - now for key, used, until in kept if used >= named[key].most), default=0)


def pace(calls: Sequence[float], more: int = 1) -> int:
    """Seconds until so many more calls of a transaction may be made, by the times of its last ones, oldest first."""
    if settings.DEBUG or len(calls) + more <= CALLS:
        return 0
    return max(0, math.ceil(calls[more - CALLS - 1] + CALLS_SECONDS - time.time()))


def wait_to_start(form: str, address: str, ip: str) -> int:
    """Counts the beginning of a registration, or its going on with another address; how many seconds it has to wait.

    :param form: an id of the form that was submitted: that of the registration
    """
    once = {"start by form": f"{form} {folded(address)}"}
    if used_up(once):
        return 0
    wait = wait_for(once | _starting(address, ip))
    # The same form, sent twice at once, may have been counted meanwhile.
    return 0 if wait and used_up(once) else wait


def address_in(profile: Mapping[str, Any]) -> str:
    """Where the org will write to, "" if the profile does not say."""
    return str(profile.get("email") or profile.get("login") or "")


def _starting(address: str, ip: str) -> dict[str, str]:
    by_ip = {"start by ip": ip, "start by ip, a day": ip}
    return {"start by address": folded(address), **by_ip} if address else by_ip


def sending(registration: Registration, ip: str, number: str = "") -> dict[str, str]:
    """The uses of having a mail sent, or a text or call to ``number`` (E.164)."""
    uses = {"send by registration": str(registration.pk), "send by ip": ip}
    if registration.email:
        uses["send by address"] = folded(registration.email)
    if number:
        text = {"text by number": number, "text by number, a day": number, "text by ip": ip, "text": ""}
        uses |= text | {"text by country": region(number)}
    return uses


def trying(registration: Registration, challenge: str, ip: str) -> dict[str, str]:
    """The uses of submitting a code."""
    uses = {"code by challenge": f"{registration.pk} {challenge}", "code by ip": ip}
    return uses | ({"code by address": folded(registration.email)} if registration.email else {})


def sending_later(subject: str, address: str, ip: str) -> dict[str, str]:
    """The uses of having a mail sent to somebody whose sign-up is over."""
    return {"send by account": subject, "send by address": folded(address), "send by ip": ip}


def trying_later(subject: str, address: str, ip: str, challenge: str) -> dict[str, str]:
    """The uses of submitting the code from such a mail."""
    return {"code by challenge": f"{subject} {challenge}", "code by address": folded(address), "code by ip": ip}


def region(number: str) -> str:
    """The country of an E.164 number (``US``), or its calling code when that is no country's; "" when unknown."""
    try:
        parsed = phonenumbers.parse(number.partition("x")[0])
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(parsed) or f"+{parsed.country_code}"


def is_full() -> bool:
    """Whether there are as many open registrations as the site wants to keep. Counted at most every half minute."""
    count = cache.get("selfreg:open")
    if count is None:
        count = Registration.objects.under_way().count()
        cache.keep("selfreg:open", count, OPEN_COUNTED_FOR)
    return bool(count >= conf().most_open)


def _named(uses: Mapping[str, str]) -> dict[str, Limit]:
    return {_key(name, subject): _limit(name) for name, subject in uses.items()}


def _limit(name: str) -> Limit:
    limit = LIMITS[name]
    return Limit(limit.relaxed, limit.seconds) if settings.DEBUG else limit


def _key(name: str, subject: str) -> str:
    return salted_hmac("selfreg.limits", f"{name}\n{_one(name, subject)}", algorithm="sha256").hexdigest()


def _one(name: str, subject: str) -> str:
    """What costs something to have another of: a line of the phone, whatever its extensions, and a network."""
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
