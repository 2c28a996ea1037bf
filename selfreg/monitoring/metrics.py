"""Prometheus metrics, where prometheus-client is installed (``django-selfreg[metrics]``).

They are in the client's default registry, and so among the metrics of a site that has some already. With
``PROMETHEUS_MULTIPROC_DIR`` in the environment they count for all processes of a server. ``views.metrics`` shows them.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from selfreg.conf import has_several_orgs

try:
    import prometheus_client
    from prometheus_client import multiprocess
    from prometheus_client.core import GaugeMetricFamily
except ImportError:
    prometheus_client = multiprocess = GaugeMetricFamily = None  # type: ignore[assignment,misc]

is_available = prometheus_client is not None
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
UNSAFE = re.compile(r"[^\w.:/ -]")


class _Nothing:
    """A metric that counts nothing, because the client is not installed."""

    def labels(self, *_: object) -> "_Nothing":
        return self

    def inc(self) -> None:
        """Do nothing."""

    def set(self, value: float) -> None:
        """Do nothing."""

    def observe(self, value: float) -> None:
        """Do nothing."""


def _counter(name: str, what: str, *labels: str) -> Any:
    return prometheus_client.Counter(f"selfreg_{name}", what, labels) if is_available else _Nothing()


def _histogram(name: str, what: str, *labels: str) -> Any:
    return prometheus_client.Histogram(f"selfreg_{name}", what, labels, buckets=SECONDS) if is_available else _Nothing()


def _gauge(name: str, what: str, mode: Literal["mostrecent", "livemax"], *labels: str) -> Any:
    if not is_available:
        return _Nothing()
    return prometheus_client.Gauge(f"selfreg_{name}", what, labels, multiprocess_mode=mode)


# Whether metrics have the label is decided when the process starts.
_ORG = ("org",) if has_several_orgs() else ()
started = _counter("started", "Registrations that were started", *_ORG)
completed = _counter("completed", "Registrations whose visitor was logged in", *_ORG)
ended = _counter("ended", "Registrations that ended without a login", "kind", "reason", *_ORG)
events = _counter("events", "What happened to registrations", "kind", "step", "outcome", *_ORG)
step_seconds = _histogram("step_seconds", "Time that the org took for a step", "step")
calls = _counter("okta_calls", "Calls to the org", "method", "path", "status")
call_seconds = _histogram("okta_call_seconds", "Time of calls to the org", "path")
rate_limit_room = _gauge(
    "okta_rate_limit_remaining", "Calls that the org still allows in this window", "mostrecent", "path"
)
circuit_open = _gauge("okta_circuit_open", "1 in a process that does not call the org for a while", "livemax")
limit_refusals = _counter("limit_refusals", "Requests that a limit of this site refused", "limit")
form_refusals = _counter("form_refusals", "Forms that a script seems to have sent, or that are too old", "reason")
unavailable = _counter("unavailable", "Sign-up pages without a form", "reason")
request_seconds = _histogram("request_seconds", "Time of requests to the sign-up", "view", "method", "status")
outages = _counter("database_outages", "Requests that failed because the database was away")
cache_down = _gauge("cache_down", "1 in a process whose last call of the cache failed", "livemax")


def of_org(counter: Any, org: str, *labels: str) -> Any:
    """Return the counter of registrations for these labels, and for the org if there are several."""
    values = (*labels, org) if _ORG else labels
    return counter.labels(*values) if values else counter


def label(text: object) -> str:
    """Return a text that is short and harmless enough to be the value of a label."""
    return UNSAFE.sub("", str(text))[:80]


# Compared by identity: a registry of prometheus-client keeps its collectors in a dict.
@dataclass(frozen=True, slots=True, eq=False)
class Gauge:
    """A number that is the same for all processes. ``values`` are by the value of its only label, or ""."""

    name: str
    what: str
    label: str
    values: Mapping[str, float]

    def collect(self) -> Iterator[Any]:
        """Yield the metric for prometheus-client."""
        family = GaugeMetricFamily(f"selfreg_{self.name}", self.what, labels=[self.label] if self.label else [])
        for value_of_label, value in self.values.items():
            family.add_metric([value_of_label] if self.label else [], value)
        yield family


def exposition(gauges: Iterable[Gauge]) -> tuple[bytes, str]:
    """Return all metrics of this server in Prometheus' text format, and its content type.

    :param gauges: further ones
    """
    registry = prometheus_client.REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = prometheus_client.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    text = prometheus_client.generate_latest(registry)
    further = prometheus_client.CollectorRegistry()
    for gauge in gauges:
        further.register(gauge)
    return text + prometheus_client.generate_latest(further), prometheus_client.CONTENT_TYPE_LATEST
