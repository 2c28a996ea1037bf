"""Hostile servers on real sockets: time and memory of a call are limited."""

import gzip
import os
import socket
import ssl
import struct
import threading
import time
import traceback
import tracemalloc
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from selfreg.idx import transport
from selfreg.idx.deadline import at_most
from selfreg.idx.errors import AnswerLost, ForeignHref, MalformedAnswer, OrgUnreachable
from selfreg.idx.transport import MAX_BODY, Reply, Transport
from selfreg.secret import Secret
from support.hostile_server import head, hostile, sends

PATH = "/idp/idx/introspect"
DOCUMENT = b'{"version": "1.0.0"}'
GOOD = head(Content_Length=len(DOCUMENT)) + DOCUMENT


# Seconds that an answer takes for which nobody stops waiting. Half of it is a bound that holds on a busy machine too.
WITHOUT_A_DEADLINE = 20.0


@pytest.fixture
def deadline(monkeypatch: pytest.MonkeyPatch) -> float:
    """Sets the total deadline and the read timeout, in seconds."""
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.4)
    monkeypatch.setattr(transport, "READ_SECONDS", 0.4)
    return 0.4


def post(address: str, body: str = "{}") -> Reply:
    org_transport = Transport(address)
    try:
        return org_transport.post(address + PATH, {}, Secret(body))
    finally:
        org_transport.session.close()


def test_a_valid_answer_is_returned() -> None:
    with hostile(sends(head(Content_Length=len(DOCUMENT), X_Okta_Request_Id="r" * 100) + DOCUMENT)) as server:
        reply = post(server.address)
    assert (reply.status, reply.body, reply.text.reveal()) == (200, {"version": "1.0.0"}, DOCUMENT.decode())
    assert reply.request_id == "r" * 64
    assert 0 < reply.seconds < 5


def test_an_answer_over_the_size_limit_is_not_read_completely() -> None:
    """The server announces fifty megabytes, and stops when the client closes the connection."""
    sent: list[int] = []

    def endless(connection: socket.socket) -> None:
        connection.sendall(head(Content_Length=50_000_000))
        while len(sent) < 800:
            connection.sendall(b"x" * 65_536)
            sent.append(1)

    with hostile(endless) as server, pytest.raises(MalformedAnswer, match=str(MAX_BODY)):
        post(server.address)
    assert len(sent) < 800


def test_an_answer_of_exactly_the_size_limit_is_read() -> None:
    body = b'"' + b"x" * (MAX_BODY - 2) + b'"'
    with hostile(sends(head(Content_Length=len(body)) + body)) as server:
        assert len(post(server.address).text.reveal()) == MAX_BODY


def test_a_chunked_answer_over_the_size_limit_is_malformed() -> None:
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with hostile(sends(head(Transfer_Encoding="chunked"), *([chunk] * 100))) as server, pytest.raises(MalformedAnswer):
        post(server.address)


def test_a_decompression_bomb_is_refused_without_unpacking_it_completely() -> None:
    bomb = gzip.compress(b'{"version":"' + b"x" * 100_000_000)
    with hostile(sends(head(Content_Encoding="gzip", Content_Length=len(bomb)) + bomb)) as server:
        tracemalloc.start()
        try:
            with pytest.raises(MalformedAnswer):
                post(server.address)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 30_000_000


def test_corrupt_compression_raises_answer_lost() -> None:
    with (
        hostile(sends(head(Content_Encoding="gzip", Content_Length=5) + b"xxxxx")) as server,
        pytest.raises(AnswerLost),
    ):
        post(server.address)


def drip(piece: bytes, pause: float) -> object:
    stop = threading.Event()

    def behave(connection: socket.socket) -> None:
        for _ in range(int(WITHOUT_A_DEADLINE / pause)):
            connection.sendall(piece)
            if stop.wait(pause):
                return

    return behave


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_slow_body_is_aborted_at_the_total_deadline(deadline: float, framing: str) -> None:
    """Each piece is in time, but the whole body would take `WITHOUT_A_DEADLINE`."""
    start = head(Content_Length=200) if framing == "length" else head(Transfer_Encoding="chunked")
    piece = b"x" if framing == "length" else b"1\r\nx\r\n"

    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        drip(piece, deadline / 4)(connection)  # type: ignore[operator]

    started = time.monotonic()
    with hostile(behave) as server:
        with pytest.raises(AnswerLost):
            post(server.address)
        assert time.monotonic() - started < WITHOUT_A_DEADLINE / 2


def test_slow_headers_are_aborted_at_the_total_deadline(deadline: float) -> None:
    def behave(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        # So slow that http.client, which gives up at 100 headers, would take longer than the test allows.
        drip(b"X-A: b\r\n", deadline / 2)(connection)  # type: ignore[operator]

    started = time.monotonic()
    with hostile(behave) as server:
        with pytest.raises(AnswerLost):
            post(server.address)
        assert time.monotonic() - started < WITHOUT_A_DEADLINE / 2


def test_a_silent_server_is_aborted_at_the_deadline(deadline: float) -> None:
    finished = threading.Event()
    started = time.monotonic()

    def silent(_: socket.socket) -> None:
        finished.wait(WITHOUT_A_DEADLINE)

    with hostile(silent) as server:
        with pytest.raises(AnswerLost):
            post(server.address)
        finished.set()
    assert time.monotonic() - started < WITHOUT_A_DEADLINE / 2


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_connection_reset_raises_answer_lost_and_is_not_retried() -> None:
    with hostile(reset) as server:
        with pytest.raises(AnswerLost):
            post(server.address)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        head(Content_Length=100) + b"{}",
        head(Content_Length=-5),
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n",
    ],
    ids=["empty", "garbage", "truncated", "negative length", "five hundred headers"],
)  # fmt: skip
def test_an_incomplete_answer_raises_answer_lost(answer: bytes) -> None:
    with hostile(sends(answer)) as server, pytest.raises(AnswerLost):
        post(server.address)


def test_a_refused_connection_raises_org_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(OrgUnreachable):
        post(address)


@pytest.fixture
def connect_timeout(monkeypatch: pytest.MonkeyPatch) -> float:
    """Sets the seconds for name resolution, connection and TLS handshake."""
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.3)
    return 0.3


def test_an_unknown_host_raises_org_unreachable() -> None:
    with pytest.raises(OrgUnreachable, match="NameResolutionError"):
        post("https://org.invalid")


def test_a_hanging_resolver_is_aborted(connect_timeout: float, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: release.wait(WITHOUT_A_DEADLINE) and [])
    started = time.monotonic()
    with pytest.raises(OrgUnreachable):
        post("https://org.example")
    assert time.monotonic() - started < WITHOUT_A_DEADLINE / 2
    release.set()


def test_every_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with hostile(sends(GOOD)) as server:
        port = int(server.address.rpartition(":")[2])
        addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (9, 8, 1)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: addresses)
        assert post(f"http://org.example:{port}").status == 200


def test_a_hanging_tls_handshake_raises_org_unreachable(connect_timeout: float) -> None:
    finished, received = threading.Event(), list[bytes]()

    def hello_only(connection: socket.socket) -> bytes:
        received.append(connection.recv(65_536))
        finished.wait(WITHOUT_A_DEADLINE)
        return b""

    started = time.monotonic()
    with hostile(lambda connection: None, read=hello_only) as server:
        with pytest.raises(OrgUnreachable):
            post(server.address.replace("http:", "https:"))
        assert time.monotonic() - started < WITHOUT_A_DEADLINE / 2
        finished.set()
    # The first byte of a handshake; nothing at all if a busy machine used up the time before it.
    assert [hello[:1] for hello in received] in ([b"\x16"], [b""])


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    subject_name = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    pem = builder.add_extension(subject_name, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path / "server.pem"
    path.write_bytes(private + pem.public_bytes(Encoding.PEM))
    return path


def test_an_untrusted_certificate_raises_org_unreachable(certificate: Path) -> None:
    received: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(connection: socket.socket) -> bytes:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            received.append(secure.recv(65_536))
        return b""

    with hostile(lambda connection: None, read=serve) as server, pytest.raises(OrgUnreachable, match="TLS"):
        post(server.address.replace("http:", "https:"))
    assert received == []


def test_an_unresponsive_address_leaves_time_for_the_next_one(
    connect_timeout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hostile(sends(GOOD)) as server, socket.socket() as silent, ExitStack() as stack:
        port = int(server.address.rpartition(":")[2])
        silent.bind(("127.0.0.9", port))
        silent.listen(0)
        while True:  # a full backlog: whoever connects next gets no answer
            client = stack.enter_context(socket.socket())
            client.settimeout(0.1)
            if client.connect_ex(("127.0.0.9", port)):
                break
        addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (9, 1)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: addresses)
        assert post(f"http://org.example:{port}").status == 200


def test_an_aborted_call_is_not_sent_later(connect_timeout: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver answers only after the call has failed as not sent."""
    release = threading.Event()
    with hostile(sends(GOOD)) as server:
        port = int(server.address.rpartition(":")[2])
        address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda *_args, **_options: release.wait(WITHOUT_A_DEADLINE) and [address]
        )
        with pytest.raises(OrgUnreachable):
            post(f"http://org.example:{port}")
        release.set()
        for thread in threads_of_calls():
            thread.join(10)
    assert server.requests in ([], [b""])


def threads_of_calls() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("selfreg")]


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n", head(Content_Length=2_000)], ids=["headers", "body"])
def test_a_slow_server_does_not_keep_a_thread_busy(deadline: float, start: bytes) -> None:
    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        drip(b"X-A: b\r\n", deadline / 4)(connection)  # type: ignore[operator]

    with hostile(behave) as server:
        with pytest.raises(AnswerLost):
            post(server.address)
        for thread in threads_of_calls():
            thread.join(5 * deadline)
        assert threads_of_calls() == []


def test_the_deadline_works_in_a_process_forked_after_a_call(deadline: float) -> None:
    """As with a server that preloads the application: forked workers do not inherit threads."""
    with hostile(sends(GOOD)) as server:
        assert post(server.address).status == 200

    def behave(connection: socket.socket) -> None:
        connection.sendall(head(Content_Length=2_000))
        drip(b"x", deadline / 4)(connection)  # type: ignore[operator]

    with hostile(behave) as server:
        started, child = time.monotonic(), os.fork()
        if child == 0:
            try:
                post(server.address)
            except AnswerLost:
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert time.monotonic() - started < WITHOUT_A_DEADLINE / 2


def test_a_call_with_an_earlier_deadline_is_aborted_first(deadline: float) -> None:
    started, finished = threading.Event(), threading.Event()

    def silent(connection: socket.socket) -> None:
        started.set()
        finished.wait(WITHOUT_A_DEADLINE)

    with hostile(silent) as server:
        org_transport, ends = Transport(server.address), list[str]()

        def call(name: str, seconds: float) -> None:
            with at_most(seconds), suppress(AnswerLost):
                org_transport.post(server.address + PATH, {}, Secret("{}"))
            ends.append(name)

        first = threading.Thread(target=call, args=("long", deadline))
        first.start()
        assert started.wait(10)
        call("short", deadline / 8)
        first.join(10)
        finished.set()
        org_transport.session.close()
    assert ends == ["short", "long"]


def test_a_tls_failure_after_sending_raises_answer_lost(certificate: Path) -> None:
    """The org may have carried out the call."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def send_garbage(connection: socket.socket) -> bytes:
        secure = context.wrap_socket(connection.dup(), server_side=True)
        received = secure.recv(65_536)
        connection.sendall(b"this is no TLS record " * 10)
        secure.detach()
        return received

    with hostile(lambda connection: None, read=send_garbage) as server:
        org_transport = Transport(server.address.replace("http:", "https:"))
        org_transport.session.verify = str(certificate)
        with pytest.raises(AnswerLost):
            org_transport.post(org_transport.origin + PATH, {}, Secret("{}"))
        org_transport.session.close()
        assert b"POST" in server.requests[0]


def test_a_redirect_is_not_followed() -> None:
    with hostile(sends(GOOD)) as elsewhere, hostile(sends(head(302, Location=elsewhere.address + PATH))) as server:
        with pytest.raises(MalformedAnswer, match="redirect"):
            post(server.address)
        assert elsewhere.requests == []


def test_cookies_of_an_answer_are_not_sent_with_later_calls() -> None:
    with hostile(sends(head(Content_Length=20, Set_Cookie="dt=canary; Path=/") + DOCUMENT)) as server:
        org_transport = Transport(server.address)
        org_transport.post(server.address + PATH, {}, Secret("{}"))
        org_transport.post(server.address + PATH, {}, Secret("{}"))
        org_transport.session.close()
        assert len(server.requests) == 2
        assert b"cookie" not in server.requests[1].lower()


def test_environment_variables_and_netrc_do_not_change_a_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with hostile(sends(GOOD)) as server:
        assert post(server.address).status == 200
        assert b"authorization" not in server.requests[0].lower()


def test_only_protocol_paths_of_the_origin_are_called() -> None:
    with hostile(sends(GOOD)) as server:
        org_transport = Transport(server.address)
        for url in (f"{server.address}/api/v1/users", f"{server.address}/idp/idx/../x", "http://127.0.0.1:1/idp/idx/x"):
            with pytest.raises(ForeignHref):
                org_transport.post(url, {}, Secret("{}"))
        org_transport.session.close()
        assert server.requests == []


def test_several_threads_can_call_concurrently() -> None:
    replies: list[Reply] = []
    with hostile(sends(GOOD)) as server:
        org_transport = Transport(server.address)
        threads = [
            threading.Thread(target=lambda: replies.append(org_transport.post(server.address + PATH, {}, Secret("{}"))))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        org_transport.session.close()
    assert [r.status for r in replies] == [200] * 8


def test_an_invalid_header_raises_an_error_without_its_value() -> None:
    """For example a token with a trailing newline."""
    headers = {"Authorization": "SSWS canary\n"}
    with pytest.raises(OrgUnreachable) as error:
        Transport("http://127.0.0.1:9").get("http://127.0.0.1:9/oauth2/v1/keys", headers)
    assert "header" in str(error.value)
    assert "canary" not in "".join(traceback.format_exception(error.value))
