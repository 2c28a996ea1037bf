"""Requests in another encoding than UTF-8. Django fails on such a form again while it renders the error page."""

from typing import Any

import pytest
from django.test import Client, RequestFactory

from project.wsgi import application
from selfreg.checks.hardening import check_middleware

CODECS = [
    "utf-16", "utf-16-le", "utf-32", "utf-7", "latin-1", "iso-8859-15", "windows-1252", "cp037", "shift_jis", "big5",
    "rot13", "rot_13", "idna", "punycode", "base64", "hex", "zlib", "bz2", "uu", "quopri", "unicode_escape",
    "undefined", "UTF-16", "Latin1", "us-ascii", "charmap", "utf-8-sig",
]  # fmt: skip
FORMS = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
PATHS = [
    "/signup/",
    "/signup/step/",
    "/signup/cancel/",
    "/signup/link/",
    "/i18n/setlang/",
    "/admin/login/",
    "/signout/",
]
BODIES = {
    FORMS[0]: b"a=1&csrfmiddlewaretoken=x",
    FORMS[1]: b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    client = Client(enforce_csrf_checks=True, raise_request_exception=True)
    client.cookies["csrftoken"] = "a" * 32
    return client


def send(browser: Client, path: str, content_type: str, body: bytes = b"a=1", method: str = "POST") -> Any:
    return browser.generic(method, path, body, content_type=content_type)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("form", FORMS, ids=["urlencoded", "multipart"])
def test_form_in_another_encoding_than_utf8_gets_an_error_page_with_status_400(
    browser: Client, codec: str, form: str
) -> None:
    for path in PATHS:
        response = send(browser, path, f"{form}; charset={codec}", BODIES[form])
        assert (response.status_code, path) == (400, path)
        assert "Something went wrong" in response.content.decode()
        assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("kind", ["text/plain", "application/json", *FORMS], ids=str)
def test_urls_are_decoded_as_utf8_whatever_the_charset_of_the_body(browser: Client, codec: str, kind: str) -> None:
    for path in ("/signup/?next=/%C3%A9", "/oidc/callback/?code=%C3%A9&state=x", "/signup/verify/?otp=1&state=2"):
        assert send(browser, path, f"{kind}; charset={codec}", b"", "GET").status_code != 500


@pytest.mark.parametrize("name", ["utf-8", "UTF-8", "utf8", "UTF_8", '"utf-8"', "no-such-codec", ""])
def test_utf8_under_any_alias_and_unknown_charsets_are_accepted(browser: Client, name: str) -> None:
    response = send(browser, "/signup/", f"application/x-www-form-urlencoded; charset={name}")
    assert response.status_code == 403  # the form was read: the request got as far as the CSRF check


def test_form_in_another_encoding_logs_one_line_without_traceback(
    browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    send(browser, "/signup/", "application/x-www-form-urlencoded; charset=utf-16")
    assert [r.getMessage() for r in caplog.records] == ["Bad Request: /signup/"]
    assert not any(r.exc_info for r in caplog.records)


def test_system_check_warns_if_the_encoding_middleware_is_missing_or_last(settings: Any) -> None:
    assert check_middleware() == []
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if "selfreg" not in m]
    assert [m.id for m in check_middleware()] == ["selfreg.W010"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "selfreg.middleware.FormEncodingMiddleware"]
    assert [m.id for m in check_middleware()] == ["selfreg.W010"]


UNREADABLE = {
    "no boundary": ("multipart/form-data", b"a=1"),
    "a boundary that is none": ("multipart/form-data; boundary=" + "b" * 300, b"a=1"),
    "a file in bad base64": (
        FORMS[1],
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n=a%\r\n--x--",
    ),
    "too many files": (FORMS[1], b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n1\r\n' * 200),
    "too many fields": (FORMS[0], b"a=1&" * 2_000),
    "too many bytes": (FORMS[0], b"a=" + b"b" * 3_000_000),
}


@pytest.mark.parametrize(
    "path", [*PATHS, "/nowhere/", "/signup/hooks/events/", "/signup/hooks/registration/", "/admin/"]
)
@pytest.mark.parametrize("form", UNREADABLE)
def test_unreadable_form_gets_a_4xx_response_on_every_path(browser: Client, path: str, form: str) -> None:
    browser.raise_request_exception = False
    assert 400 <= send(browser, path, *UNREADABLE[form]).status_code < 500


@pytest.mark.parametrize(
    "kind", ["text/plain; charset*=utf-8''utf%00", "multipart/form-data; boundary*=unknown''x", "a; b*=hex''aa"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unparsable_content_type_is_treated_as_missing(kind: str, method: str) -> None:
    """Django raises the exception while it creates the request, before any middleware runs."""
    environ = RequestFactory().generic(method, "/signup/step/", b"a=1", content_type="text/plain").environ
    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
        statuses.append(status)

    application({**environ, "CONTENT_TYPE": kind}, start_response)
    assert statuses[0][0] in "234"
