"""``/signup/health/live`` and ``/signup/health/ready``: for load balancers.

Neither calls the org: while that is down, this server can still serve every other page.
"""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from selfreg import encryption
from selfreg.models import Registration


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """Answers 200: this process runs."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answers 200 if this process can continue registrations, else 503.

    The JSON object has ``status`` (ok, not ready) and ``missing`` (a list of "database" and "encryption keys").
    """
    missing = [name for name, works in (("database", _database_works), ("encryption keys", _keys_work)) if not works()]
    status = "not ready" if missing else "ok"
    return JsonResponse({"status": status, "missing": missing}, status=503 if missing else 200)


def _database_works() -> bool:
    """Whether the database answers, and has this app's tables."""
    try:
        Registration.objects.exists()
    except DatabaseError:
        connection.close_if_unusable_or_obsolete()
        return False
    return True


def _keys_work() -> bool:
    """Whether there is a key to encrypt with."""
    try:
        return bool(encryption.decrypt(encryption.encrypt("ready", "health"), "health") == "ready")
    except (ValueError, encryption.Unreadable):
        return False
