"""Watches the calls to the org: a log line for each that failed, metrics and a span for all."""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from selfreg.idx.errors import IdxError
from selfreg.idx.transport import Observer, Seen
from selfreg.monitoring import log, metrics, traces

logger = logging.getLogger("selfreg.okta")

# Ids in paths are replaced, because each path is a separate metric.
ID = re.compile(r"/(?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{12,}(?=/|$)")
# Answers of the Identity Engine with these statuses are often pages; the rest of a 4xx is a refusal of this site.
IDX = "/idp/idx/"


@contextmanager
def watched(method: str, path: str) -> Iterator[Seen]:
    """Surround one call to the org. ``idx.transport`` sets the result."""
    path, seen, started, error = ID.sub("/:id", path), Seen(), time.monotonic(), ""
    with traces.span(f"Okta {method} {path}", **{"http.request.method": method, "url.path": path}) as span:
        try:
            yield seen
        except IdxError as problem:
            error = type(problem).__name__
            raise
        finally:
            _record(method, path, seen, time.monotonic() - started, error)
            if span is not None:
                span.set_attribute("http.response.status_code", seen.status)
                span.set_attribute("okta.request_id", seen.request_id)


def _record(method: str, path: str, seen: Seen, seconds: float, error: str) -> None:
    fields = {
        "method": method,
        "path": path,
        "status": seen.status or None,
        "error": error,
        "okta_request_id": seen.request_id,
        "milliseconds": round(seconds * 1000),
    }
    is_refusal = 400 <= seen.status < 500 and not path.startswith(IDX)
    failed = bool(error) or seen.status >= 500 or seen.status == 429 or is_refusal
    log.write(
        logger, logging.WARNING if failed else logging.DEBUG, "okta.call_failed" if failed else "okta.call", fields
    )
    metrics.calls.labels(method, path, error or str(seen.status)).inc()
    metrics.call_seconds.labels(path).observe(seconds)
    remaining = seen.headers.get("X-Rate-Limit-Remaining", "")
    if remaining.isdecimal():
        metrics.rate_limit_room.labels(path).set(int(remaining))


def circuit_changed(is_open: bool) -> None:
    """Report that the circuit breaker of this process opened or closed."""
    level, event = (logging.ERROR, "okta.circuit_opened") if is_open else (logging.WARNING, "okta.circuit_closed")
    log.write(logger, level, event, {})
    metrics.circuit_open.set(int(is_open))


OBSERVER = Observer(watched=watched, circuit_changed=circuit_changed)
