"""``/signup/health/live`` and ``/signup/health/ready``: for load balancers. Neither asks the org: it being away is no
reason to take a server out of service, which still serves every other page.
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
    """This process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """This process can carry registrations on: 200, or 503 with what is missing."""
    missing = [name for name, works in (("database", _database), ("encryption keys", _keys)) if not works()]
    status = "not ready" if missing else "ok"
    return JsonResponse({"status": status, "missing": missing}, status=503 if missing else 200)


def _database() -> bool:
    """It answers, and has our tables."""
    try:
        Registration.objects.exists()
    except DatabaseError:
        connection.close_if_unusable_or_obsolete()
        return False
    return True


def _keys() -> bool:
    try:
        return bool(encryption.decrypt(encryption.encrypt("ready", "health"), "health") == "ready")
    except (ValueError, encryption.Unreadable):
        return False
