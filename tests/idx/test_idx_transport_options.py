"""Options of a transport: allowed paths, empty answers, and an observer for replies."""

import re

import pytest

from selfreg.idx.errors import ForeignHref, MalformedAnswer
from selfreg.idx.transport import Observer, Reply, Transport
from selfreg.secret import Secret
from support.hostile_server import head, hostile, sends

EMPTY = head(Content_Length=0)
DOCUMENT = b'{"id": "00u1"}'


def test_only_allowed_paths_are_called() -> None:
    with hostile(sends(EMPTY)) as server:
        transport = Transport(server.address, paths=re.compile(r"/api/v1/[a-z/]+"), may_be_empty=True)
        transport.request("DELETE", f"{server.address}/api/v1/users", {}, repeatable=False)
        for path in ("/idp/idx/introspect", "/api/v1/../x", "/api/v1//x", "/api/v1/UPPER"):
            with pytest.raises(ForeignHref):
                transport.request("DELETE", server.address + path, {}, repeatable=False)
        transport.session.close()
        assert [request.split()[:2] for request in server.requests] == [[b"DELETE", b"/api/v1/users"]]


def test_an_empty_answer_is_malformed_unless_allowed() -> None:
    with hostile(sends(EMPTY)) as server:
        for may_be_empty in (True, False):
            transport = Transport(server.address, may_be_empty=may_be_empty)
            url = f"{server.address}/idp/idx/introspect"
            if may_be_empty:
                assert transport.get(url, {}).body == {}
            else:
                with pytest.raises(MalformedAnswer):
                    transport.get(url, {})
            transport.session.close()


def test_the_observer_gets_every_complete_reply() -> None:
    seen: list[Reply] = []
    with hostile(sends(head(Content_Length=len(DOCUMENT), X_Rate_Limit_Limit="600") + DOCUMENT)) as server:
        transport = Transport(server.address, observer=Observer(on_reply=seen.append))
        reply = transport.post(f"{server.address}/idp/idx/introspect", {}, Secret("{}"))
        transport.session.close()
    assert seen == [reply]
    assert seen[0].headers["X-Rate-Limit-Limit"] == "600"


def test_fetch_returns_pages_and_redirects_unchanged() -> None:
    page = b"<h1>Sign in</h1>"
    answer = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: %d\r\n\r\n" % len(page)
    with hostile(sends(answer + page)) as server:
        transport = Transport(server.address)
        raw = transport.fetch("GET", f"{server.address}/oauth2/v1/authorize", {})
        with pytest.raises(ForeignHref):
            transport.fetch("GET", "https://elsewhere.example/oauth2/v1/authorize", {})
        transport.session.close()
    assert (raw.status, raw.body.reveal(), raw.headers["Location"]) == (302, page, "/login")
