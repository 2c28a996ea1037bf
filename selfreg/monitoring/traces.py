"""Spans of the OpenTelemetry API, if it is installed. The site chooses SDK and exporter."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

trace: Any
try:
    from opentelemetry import trace
except ImportError:
    trace = None


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[Any]:
    """Surround a piece of work with a span, and yield it; None without OpenTelemetry. Exceptions are not recorded,
    since their text may be the org's.
    """
    if trace is None:
        yield None
        return
    tracer = trace.get_tracer("selfreg")
    with tracer.start_as_current_span(
        name, kind=trace.SpanKind.CLIENT, attributes=attributes, record_exception=False
    ) as current:
        yield current
