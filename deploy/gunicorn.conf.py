"""gunicorn in production: ``gunicorn -c deploy/gunicorn.conf.py project.wsgi``.

A worker does what its first visitor would wait for before it serves anybody (``post_worker_init``). ``kill -HUP``
(``systemctl reload``) starts new workers with the code of now, while the old ones end what they are at.
"""

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gunicorn.glogging import Logger

# Prometheus' counters of all workers. It has to be set before anything imports prometheus_client.
METRICS = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(Path(tempfile.gettempdir()) / "selfreg-metrics")))

bind = os.environ.get("BIND", "127.0.0.1:8000")
# One process for each core: a sign-up spends 0.2 s of processor time, and waits for the rest.
workers = int(os.environ.get("WEB_CONCURRENCY", str(os.cpu_count() or 2)))
worker_class = "gthread"
# More than SELFREG["CALLS_AT_ONCE"] (16), so that pages are served while Okta hangs.
threads = int(os.environ.get("WEB_THREADS", "24"))
# Longer than nginx keeps its connections to this server (60 s): who closes first must be nginx.
keepalive = 75
timeout = 60
graceful_timeout = 30
# Memory that is not given back costs nothing in the long run. The jitter keeps workers from ending at once.
max_requests, max_requests_jitter = 20_000, 2_000


class Log(Logger):
    """Writes paths as they are in URLs: a decoded one may hold line ends and quotes."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        """Return the values of a line in the access log."""
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return atoms | {"U": quote(environ.get("PATH_INFO", ""), errors="replace")}


logger_class = Log
# A path without its query: that of the link in a mail holds a code.
accesslog = os.environ.get("ACCESS_LOG", "-")
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms %({x-request-id}o)s'
loglevel = "info"


def on_starting(server: Any) -> None:
    """Begins with empty counters: those of processes that ended long ago would be added up for ever."""
    shutil.rmtree(METRICS, ignore_errors=True)
    METRICS.mkdir(parents=True)


def post_worker_init(worker: Any) -> None:
    """Make a new worker as quick as one that has been serving for a while."""
    from selfreg.boot import warm_up  # noqa: PLC0415  (the app is loaded by now; it cannot be any earlier)

    warm_up()


def child_exit(server: Any, worker: Any) -> None:
    """Forgets the gauges of a worker that ended, and keeps its counters."""
    try:
        from prometheus_client import multiprocess  # noqa: PLC0415  (it reads the environment when it is imported)
    except ImportError:
        return
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
