"""Shared code of the tests with Okta's clients. Missing programs skip tests, and fail them under CI."""

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
CLIENT = {"client_id": "0oaClients", "client_secret": None, "redirect_uris": ["http://127.0.0.1:8000/callback"]}


def missing(description: str) -> None:
    reason = f"skipped: {description}"
    pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


class Files(http.server.SimpleHTTPRequestHandler):
    """Serve the files of a package, and pages added by tests."""

    pages: dict[str, str] = {}

    def do_GET(self) -> None:
        if self.path not in self.pages:
            return super().do_GET()
        payload = self.pages[self.path].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def served(package: str) -> Iterator[str]:
    """Serve the ``dist`` folder of a package of node_modules, and yield the origin."""
    dist = CLIENTS / "node_modules" / package / "dist"
    if not dist.exists():
        missing("tests/clients/node_modules is missing (make test-clients installs it)")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(dist)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()
