"""Running an org: in its own process (`python -m okta_devorg`) or in a thread of a test's."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from threading import Thread

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from okta_devorg.app import create_app
from okta_devorg.handle import OrgHandle
from okta_devorg.policy.serialization import Json
from okta_devorg.state.org import Org

IDLE_SECONDS = 75
MAX_BODY = 1 << 20


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with connections kept open. Werkzeug's own handler closes every one, because bodies may be left unread;
    this one reads the body first."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = IDLE_SECONDS

    def log(self, type: str, message: str, *args: object) -> None:
        """Quiet: the org keeps its own log of calls."""

    def finish(self) -> None:
        """What is still to be written when the client has hung up is nobody's trouble."""
        with suppress(OSError):
            super().finish()

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        body = self.read_body(
            environ.get("CONTENT_LENGTH", "0"), environ["wsgi.input"], "wsgi.input_terminated" in environ
        )
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
        head: list[object] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            head[:] = [status, headers]

        pieces = self.server.app(environ, start_response)  # type: ignore[arg-type]
        try:
            self.send(pieces, head)
        except OSError:
            self.close_connection = True
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def read_body(self, length: str, stream: object, chunked: bool) -> bytes:
        """At most one byte more than the app allows, so that it can refuse; then the connection is not used again."""
        wanted = MAX_BODY + 1 if chunked else min(int(length) if length.isdigit() else 0, MAX_BODY + 1)
        body: bytes = stream.read(wanted) if wanted else b""  # type: ignore[attr-defined]
        if len(body) > MAX_BODY:
            self.close_connection = True
        return body

    def send(self, pieces: Iterable[bytes], head: list) -> None:  # type: ignore[type-arg]
        """Nothing is written before the first piece is there, so a piece that fails drops the connection unanswered."""
        started = False
        for piece in pieces:
            if not started:
                self.send_head(*head)
                started = True
            self.wfile.write(piece)
            self.wfile.flush()
        if not started:
            self.send_head(*head)
            self.wfile.flush()

    def send_head(self, status: str, headers: list[tuple[str, str]]) -> None:
        """`Date` comes from the app when a fault says so."""
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        if not any(name.lower() == "date" for name, _ in headers):
            self.send_header("Date", self.date_time_string())
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


def listening_socket(host: str, port: int) -> socket.socket:
    """Raises OSError when the port is taken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def make_org(
    host: str, port: int, site: str, policy: Json | None = None, data: Path | None = None
) -> tuple[Org, BaseWSGIServer]:
    """Binds first: the org must know its own address to write it into every link. Port 0 takes a free one."""
    with listening_socket(host, port) as listener:
        shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host
        org = Org(f"http://{shown}:{listener.getsockname()[1]}", site.rstrip("/"), policy, data)
        server = make_server(host, port, create_app(org), threaded=True, request_handler=Handler, fd=listener.fileno())
    return org, server


@contextmanager
def running_org(
    port: int = 0, policy: Json | None = None, site: str = "http://127.0.0.1:8000", data: Path | None = None
) -> Iterator[OrgHandle]:
    """An org on loopback for as long as the block runs. `policy` is merged into the default policy."""
    org, server = make_org("127.0.0.1", port, site, policy, data)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="okta-devorg", daemon=True)
    thread.start()
    try:
        yield OrgHandle(org)
    finally:
        org.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
