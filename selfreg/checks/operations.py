"""Checks of what a site needs in production: a cache that cannot hold it up, and the middleware for operations."""

from collections.abc import Callable

from django.conf import settings as django_settings
from django.core.checks import Tags
from django.db import DatabaseError

from selfreg.cache import TIME_LIMITS, Trouble, examine
from selfreg.checks.base import Cases, Check, lineage, positions, register_table
from selfreg.conf import Conf
from selfreg.reports.timers import stale

OPERATIONS = "selfreg.middleware.OperationsMiddleware"


def _cache_without_limits(_settings: Conf) -> Cases:
    cache = django_settings.CACHES.get("default", {})
    kinds = lineage(cache.get("BACKEND", ""))
    options = next((TIME_LIMITS[kind] for kind in kinds if kind in TIME_LIMITS), ())
    missing = [option for option in options if not cache.get("OPTIONS", {}).get(option)]
    return [{"options": " and ".join(missing)}] if missing else []


check_cache = register_table(
    Tags.caches,
    Check("W030", _cache_without_limits,
          "The default cache has no %(options)s, so pages wait for its server if it hangs.",
          "Set them in the OPTIONS of the cache, for example to 0.5 seconds."),
)  # fmt: skip


def _misplaced_middleware(_settings: Conf) -> Cases:
    """Check that the middleware comes before whatever redirects or refuses a request by its scheme or host."""
    places = positions(OPERATIONS)
    if 0 not in places:
        yield {"state": "isn't the first in" if places else "is missing from"}


check_operations = register_table(
    Tags.compatibility,
    Check("W031", _misplaced_middleware,
          f"{OPERATIONS!r} %(state)s MIDDLEWARE. Probes may be redirected or refused, and visitors get an error "
          "page without a way back while the database is away.",
          "Put it first in MIDDLEWARE."),
)  # fmt: skip


# ---- only in ``check --deploy``: the timers, and the cache as it works now


def _stale_timers(_settings: Conf) -> Cases:
    try:
        return [{"command": command, "state": state} for command, state in stale()]
    except DatabaseError:  # not migrated yet
        return []


check_timers = register_table(
    Tags.security,
    Check("W032", _stale_timers, "%(command)s %(state)s.",
          "Run it with a timer: see deploy/systemd and docs/background-work.md."),
    deploy=True,
)  # fmt: skip


def _cache_in_trouble(kind: Trouble) -> Callable[[Conf], Cases]:
    def find(_settings: Conf) -> Cases:
        trouble = None if django_settings.DEBUG else examine()
        return [{"error": trouble[1]}] if trouble and trouble[0] is kind else []

    return find


LIMITS_HOLD = "People can still sign up, and limits against abuse hold, because they are counted in the database."
check_cache_at_work = register_table(
    Tags.caches,
    Check("W035", _cache_in_trouble(Trouble.OF_ONE_PROCESS),
          "The default cache isn't shared between processes, so each one asks the org for the form and its keys.",
          f"Use a database cache, Redis or Memcached. {LIMITS_HOLD}"),
    Check("W036", _cache_in_trouble(Trouble.NO_TABLE),
          "The default cache has no table, so nothing is cached and each form costs calls to the org.",
          f"Run manage.py createcachetable. {LIMITS_HOLD}"),
    Check("W037", _cache_in_trouble(Trouble.AWAY),
          "The default cache doesn't work (%(error)s), so nothing is cached and each form costs calls to the org.",
          f"Start its server, or correct its LOCATION. {LIMITS_HOLD}"),
    deploy=True,
)  # fmt: skip
