"""A receiver for hooks on a real socket, with scripted answers."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class HookReceiver:
    """`answers`: (status, body) for the next POSTs; the last one repeats. Body None: empty."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, object]] = [(200, {})]
        self.delay = 0.0
        self.honest = True
        self.closed = threading.Event()
        self.received: queue.Queue[tuple[dict[str, str], Any]] = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.received.put((dict(self.headers), body))
                receiver.closed.wait(receiver.delay)
                status, answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                self.reply(status, answer)

            def do_GET(self) -> None:
                challenge = self.headers["x-okta-verification-challenge"]
                self.reply(200, {"verification": challenge if receiver.honest else "something else"})

            def reply(self, status: int, answer: object) -> None:
                payload = b"" if answer is None else json.dumps(answer).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(payload)))
                    self.end_headers()
                    self.wfile.write(payload)
                except OSError:
                    pass  # the org has given up waiting

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    @property
    def calls(self) -> list[Any]:
        """The bodies received so far."""
        return [body for _, body in list(self.received.queue)]

    def close(self) -> None:
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
