"""The options of a transport: which paths it calls, whether answers may be empty, and who sees each reply."""

import re

import pytest

from selfreg.idx.errors import ForeignHref, MalformedAnswer
from selfreg.idx.transport import Observer, Reply, Transport
from selfreg.secret import Secret
from support.hostile_server import head, hostile, sends

EMPTY = head(Content_Length=0)
DOCUMENT = b'{"id": "00u1"}'


def test_only_the_paths_that_were_named_are_called() -> None:
    with hostile(sends(EMPTY)) as server:
        wire = Transport(server.address, paths=re.compile(r"/api/v1/[a-z/]+"), may_be_empty=True)
        wire.request("DELETE", f"{server.address}/api/v1/users", {}, repeatable=False)
        for path in ("/idp/idx/introspect", "/api/v1/../x", "/api/v1//x", "/api/v1/UPPER"):
            with pytest.raises(ForeignHref):
                wire.request("DELETE", server.address + path, {}, repeatable=False)
        wire.session.close()
        assert [request.split()[:2] for request in server.requests] == [[b"DELETE", b"/api/v1/users"]]


def test_an_empty_answer_is_an_empty_object_only_where_that_was_said() -> None:
    with hostile(sends(EMPTY)) as server:
        for may_be_empty in (True, False):
            wire = Transport(server.address, may_be_empty=may_be_empty)
            url = f"{server.address}/idp/idx/introspect"
            if may_be_empty:
                assert wire.get(url, {}).body == {}
            else:
                with pytest.raises(MalformedAnswer):
                    wire.get(url, {})
            wire.session.close()


def test_every_whole_answer_is_seen() -> None:
    seen: list[Reply] = []
    with hostile(sends(head(Content_Length=len(DOCUMENT), X_Rate_Limit_Limit="600") + DOCUMENT)) as server:
        wire = Transport(server.address, observer=Observer(on_reply=seen.append))
        reply = wire.post(f"{server.address}/idp/idx/introspect", {}, Secret("{}"))
        wire.session.close()
    assert seen == [reply]
    assert seen[0].headers["X-Rate-Limit-Limit"] == "600"


def test_a_page_or_a_redirect_can_be_fetched_as_it_is() -> None:
    page = b"<h1>Sign in</h1>"
    answer = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: %d\r\n\r\n" % len(page)
    with hostile(sends(answer + page)) as server:
        wire = Transport(server.address)
        raw = wire.fetch("GET", f"{server.address}/oauth2/v1/authorize", {})
        with pytest.raises(ForeignHref):
            wire.fetch("GET", "https://elsewhere.example/oauth2/v1/authorize", {})
        wire.session.close()
    assert (raw.status, raw.body.reveal(), raw.headers["Location"]) == (302, page, "/login")
