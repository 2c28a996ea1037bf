"""Running an org: in its own process (`python -m okta_devorg`) or in a thread of a test's."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import BinaryIO

from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from okta_devorg.app.factory import MAX_BODY, create_app
from okta_devorg.handle import OrgHandle
from okta_devorg.state.org import Org
from okta_devorg.wire.identifiers import new_token
from okta_devorg.wire.ion import Json
from okta_devorg.wire.numbers import whole_number
from okta_devorg.wire.urls import is_loopback

IDLE_SECONDS = 75
Headers = list[tuple[str, str]]


class KeepAliveHandler(WSGIRequestHandler):
    """HTTP/1.1 with connections that stay open.

    Werkzeug's own handler closes every connection, because a body may be left unread. This one reads the body first.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = IDLE_SECONDS

    def log(self, type: str, message: str, *args: object) -> None:
        """Print nothing: the org keeps its own log of calls."""

    def finish(self) -> None:
        """Close the connection, whether the client still reads the rest or not."""
        with suppress(OSError):
            super().finish()

    def run_wsgi(self) -> None:
        """Answer one request."""
        environ = self.make_environ()
        body = self._read_body(
            environ.get("CONTENT_LENGTH", "0"), environ["wsgi.input"], "wsgi.input_terminated" in environ
        )
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
        head: list[tuple[str, Headers]] = []

        def start_response(status: str, headers: Headers, exc_info: object = None) -> None:
            head[:] = [(status, headers)]

        pieces = self.server.app(environ, start_response)  # type: ignore[arg-type]
        try:
            self._send(pieces, head)
        except OSError:
            self.close_connection = True
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def _read_body(self, length: str, stream: BinaryIO, is_chunked: bool) -> bytes:
        """Read the body, but at most one byte more than the app accepts: then it refuses and the connection ends."""
        declared = whole_number(length or "0")
        size = MAX_BODY + 1 if is_chunked else min(declared or 0, MAX_BODY + 1)
        body = stream.read(size) if size else b""
        if declared is None or len(body) > MAX_BODY:
            self.close_connection = True
        return body

    def _send(self, pieces: Iterable[bytes], head: list[tuple[str, Headers]]) -> None:
        """Send the answer. Nothing is sent before the first piece: if that fails, the connection ends unanswered."""
        is_started = False
        for piece in pieces:
            if not is_started:
                self._send_head(*head[0])
                is_started = True
            self.wfile.write(piece)
            self.wfile.flush()
        if not is_started:
            self._send_head(*head[0])
            self.wfile.flush()

    def _send_head(self, status: str, headers: Headers) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        # A fault may have set the date.
        if not any(name.lower() == "date" for name, _ in headers):
            self.send_header("Date", self.date_time_string())
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


def make_org(
    host: str, port: int, site: str, policy: Json | None = None, data: Path | None = None, *, url: str = ""
) -> tuple[Org, BaseWSGIServer]:
    """Return an org and its server, which listens already; port 0 takes a free one. For the rest see `Org`.

    `url` is the origin by which others know the org, where a proxy stands before it; the proxy sets `Host` and
    `X-Forwarded-Proto`. Unless others cannot reach the org, the API token is a new one: everybody knows the usual one.

    :raises OSError: if the port is taken.
    :raises PolicyError: for a wrong `policy`.
    :raises UsersFileError: if the file `data` contains something else.
    """
    # The org must know its own address before it starts: it is in every link.
    with _listening_socket(host, port) as listener:
        url_host = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host
        is_public = bool(url) or not is_loopback(host)
        if is_public:
            policy = {"api_token": new_token(), **(policy or {})}
        org = Org(url or f"http://{url_host}:{listener.getsockname()[1]}", site.rstrip("/"), policy, data)
        org.is_public = is_public
        app = create_app(org)
        if url:
            app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=1)  # type: ignore[method-assign]
        server = make_server(host, port, app, threaded=True, request_handler=KeepAliveHandler, fd=listener.fileno())
    return org, server


@contextmanager
def running_org(
    port: int = 0,
    policy: Json | None = None,
    site: str = "http://127.0.0.1:8000",
    data: Path | None = None,
    *,
    url: str = "",
) -> Iterator[OrgHandle]:
    """Run an org on this machine for as long as the block runs.

    `port` 0 takes a free one. `policy` is merged into the default settings, `site` is the origin of the tested site,
    `data` a file for the users, `url` the org's own origin behind a proxy.

    :raises OSError: if the port is taken.
    :raises PolicyError: for a wrong `policy`.
    """
    org, server = make_org("127.0.0.1", port, site, policy, data, url=url)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="okta-devorg", daemon=True)
    thread.start()
    try:
        yield OrgHandle(org)
    finally:
        org.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _listening_socket(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
