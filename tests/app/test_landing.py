"""The redirect target after a sign-up: always a path of this site, whatever `next` contains."""

from collections.abc import Callable
from typing import Any

import pytest

from selfreg.conf import conf
from selfreg.web.redirects import landing, safe_path

HOSTILE = [
    "https://evil.example", "https://evil.example/", "http://evil.example", "HTTPS://EVIL.EXAMPLE", "//evil.example",
    "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example",
    "//\\evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example", "http:\\\\evil.example",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,<script>", "vbscript:x",
    "file:///etc/passwd", "ftp://evil.example", "mailto:a@evil.example", "evil.example", "www.evil.example/path",
    "\t//evil.example", " //evil.example", "\n//evil.example", "\r//evil.example", "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example", "/ /evil.example", "\x00//evil.example", "/\x00/evil.example", "/\x0b/evil.example",
    "/%09/evil.example", "/%0a/evil.example", "/%0d%0aLocation:%20https://evil.example", "/%00", "/%2509/evil.example",
    "/%5cevil.example", "/%5C%5Cevil.example", "/%2fevil.example", "/%2F%2Fevil.example", "/%252f/../%5cevil",
    "/members/\r\nSet-Cookie: a=b", "/members/%0d%0aSet-Cookie:%20a=b", "http://testserver.evil.example/",
    "http://testserver@evil.example/", "http://evil.example#http://testserver/", "http://testserver\\@evil.example/",
    "http://testserver:80@evil.example/", "https://testserver/", "http://testserver", "//testserver/members/",
    "http://testserver//evil.example", "http://testserver/\\evil.example", "?next=/", "#members", "members/", ".", "..",
    "/\u2028/evil.example", "/\u0085/evil", "/" + "a" * 2_000, "", None,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _site(configure: Callable[..., None]) -> None:
    """Configure the site http://testserver."""


@pytest.mark.parametrize("url", HOSTILE)
def test_unsafe_redirect_targets_are_dropped(url: str | None) -> None:
    assert safe_path(url, conf()) == ""


@pytest.mark.parametrize(
    "url",
    [
        "/", "/members/", "/members/?a=1&b=2", "/members/#top", "/a%20b/", "/?q=two%20words", "/wiki/C%2B%2B",
        "/ünïcode/",
        "/?url=https://evil.example/", "/@ada", "/a:b", "/..;/x",
        "/members//twice",
    ],
)  # fmt: skip
def test_paths_of_this_site_are_kept(url: str) -> None:
    assert safe_path(url, conf()) == url


def test_absolute_url_of_this_site_is_reduced_to_its_path() -> None:
    assert safe_path("http://testserver/members/?a=1", conf()) == "/members/?a=1"


@pytest.mark.parametrize(
    ("requested", "after", "expected"),
    [
        ("/members/", "/welcome/", "/members/"),
        ("https://evil.example", "/welcome/", "/welcome/"),
        ("", "/welcome/", "/welcome/"),
        ("", "", "/"),
        ("", "https://evil.example", "/"),
    ],
)
def test_landing_page_is_the_requested_path_or_the_setting(
    configure: Callable[..., None], settings: Any, requested: str, after: str, expected: str
) -> None:
    settings.LOGIN_REDIRECT_URL = "/"
    configure(AFTER=after)
    assert landing(requested, conf()) == expected
