"""``/signup/metrics``: for Prometheus, which authenticates with a bearer token."""

from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from selfreg import cache
from selfreg.conf import conf
from selfreg.database_connections import let_go
from selfreg.monitoring import metrics as monitoring
from selfreg.reports.gauges import gauges


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics of this server, and those from the database if it is reachable.

    :raises Http404: there is no ``SELFREG["METRICS_TOKEN"]``, or prometheus-client is not installed
    """
    token = conf().metrics_token
    if not token or not monitoring.is_available:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token.reveal()}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    monitoring.cache_down.set(int(cache.is_down()))
    try:
        of_database = gauges()
    except (DatabaseError, InterfaceError):
        let_go()
        of_database = []
    text, content_type = monitoring.exposition(of_database)
    return HttpResponse(text, content_type=content_type)
