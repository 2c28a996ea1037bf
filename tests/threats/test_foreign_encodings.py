"""A request that names another encoding than UTF-8: Django refuses such a form while it handles the refusal, too."""

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


def sends(browser: Client, path: str, content_type: str, body: bytes = b"a=1", method: str = "POST") -> Any:
    return browser.generic(method, path, body, content_type=content_type)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("form", FORMS, ids=["urlencoded", "multipart"])
def test_a_form_in_a_foreign_encoding_is_refused_with_a_page(browser: Client, codec: str, form: str) -> None:
    for path in PATHS:
        answer = sends(browser, path, f"{form}; charset={codec}", BODIES[form])
        assert (answer.status_code, path) == (400, path)
        assert "Something went wrong" in answer.content.decode()
        assert "default-src 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("kind", ["text/plain", "application/json", *FORMS], ids=str)
def test_what_is_in_the_url_is_utf_8_whatever_the_body_is(browser: Client, codec: str, kind: str) -> None:
    for path in ("/signup/?next=/%C3%A9", "/oidc/callback/?code=%C3%A9&state=x", "/signup/verify/?otp=1&state=2"):
        assert sends(browser, path, f"{kind}; charset={codec}", b"", "GET").status_code != 500


@pytest.mark.parametrize("name", ["utf-8", "UTF-8", "utf8", "UTF_8", '"utf-8"', "no-such-codec", ""])
def test_utf_8_by_any_name_is_a_form(browser: Client, name: str) -> None:
    answer = sends(browser, "/signup/", f"application/x-www-form-urlencoded; charset={name}")
    assert answer.status_code == 403  # as far as the CSRF check, which reads the form


def test_one_line_is_logged(browser: Client, caplog: pytest.LogCaptureFixture) -> None:
    sends(browser, "/signup/", "application/x-www-form-urlencoded; charset=utf-16")
    assert [r.getMessage() for r in caplog.records] == ["Bad Request: /signup/"]
    assert not any(r.exc_info for r in caplog.records)


def test_a_site_without_the_middleware_is_told(settings: Any) -> None:
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
def test_a_form_that_cannot_be_read_is_an_answer_also_where_no_view_reads_it(
    browser: Client, path: str, form: str
) -> None:
    browser.raise_request_exception = False
    assert 400 <= sends(browser, path, *UNREADABLE[form]).status_code < 500


@pytest.mark.parametrize(
    "kind", ["text/plain; charset*=utf-8''utf%00", "multipart/form-data; boundary*=unknown''x", "a; b*=hex''aa"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_content_type_that_django_cannot_read_counts_as_missing(kind: str, method: str) -> None:
    """Django raises while it makes the request, before any middleware."""
    environ = RequestFactory().generic(method, "/signup/step/", b"a=1", content_type="text/plain").environ
    answered: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
        answered.append(status)

    application({**environ, "CONTENT_TYPE": kind}, start_response)
    assert answered[0][0] in "234"
