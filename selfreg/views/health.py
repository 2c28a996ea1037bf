"""``/signup/health/live`` and ``/signup/health/ready``: for load balancers.

Neither calls the org: if that is down, this server can still serve all other pages.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

from django.db import DatabaseError, InterfaceError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from selfreg import cache, encryption
from selfreg.conf import orgs
from selfreg.database_connections import ours
from selfreg.models import Registration
from selfreg.registration.policy import is_org_avoided
from selfreg.reports.timers import stale


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """Answer 200: this process runs."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 if this process can serve registrations, else 503.

    The JSON object has ``status`` ("ok", "degraded", "not ready"), ``missing`` (the failing names of ``NEEDED``) and
    ``degraded`` (the failing names of ``NICE_TO_HAVE``, without which visitors can still sign up).
    """
    missing = [name for name, works in NEEDED.items() if not works()]
    degraded = [] if missing else [name for name, works in NICE_TO_HAVE.items() if not works()]
    status = "not ready" if missing else "degraded" if degraded else "ok"
    content = {"status": status, "missing": missing, "degraded": degraded}
    return JsonResponse(content, status=503 if missing else 200)


def _database_works() -> bool:
    """Return whether the database answers, and has this app's tables."""
    try:
        Registration.objects.exists()
    except (DatabaseError, InterfaceError):
        ours().close_if_unusable_or_obsolete()
        return False
    return True


def is_migrated() -> bool:
    """Return whether every migration of this version of the site was applied. There may be newer ones."""
    try:
        applied = MigrationRecorder(ours()).applied_migrations()
        if set(_last_migrations()) <= set(applied):
            return True
        executor = MigrationExecutor(ours())  # knows squashed migrations
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError):
        return True  # reported as "database"


@lru_cache(maxsize=1)
def _last_migrations() -> tuple[tuple[str, str], ...]:
    """Return the last migration of each app. Their files are read only once."""
    return tuple(MigrationLoader(None).graph.leaf_nodes())


def _keys_work() -> bool:
    """Return whether every org has a key to encrypt with."""
    try:
        rings = [settings.encryption_keys for settings in orgs().values()]
        return all(encryption.decrypt(encryption.encrypt("ready", "health", keys), "health", keys) for keys in rings)
    except (ValueError, encryption.Unreadable):
        return False


def _cache_works() -> bool:
    """Return whether the cache answers. If it failed a moment ago, it is not asked again."""
    cache.get("selfreg:ready")
    return not cache.is_down()


# Without these, registrations can't continue. Without the others, they are slower, or have to be tried again.
NEEDED: Mapping[str, Callable[[], bool]] = {
    "database": _database_works,
    "migrations": is_migrated,
    "encryption keys": _keys_work,
}
NICE_TO_HAVE: Mapping[str, Callable[[], bool]] = {
    "cache": _cache_works,
    "org": lambda: not any(map(is_org_avoided, orgs().values())),  # makes no call
    "timers": lambda: not list(stale()),
}
