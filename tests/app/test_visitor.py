"""Data about the visitor: IP address, user agent, device token, country and language."""

from collections.abc import Callable

import pytest
from django.test import RequestFactory

from okta_devorg import OrgHandle
from selfreg.conf import conf
from selfreg.web.visitor import browser_name, client_ip, country_of, visitor_of, was_unreadable
from support.person import SITE, Person


@pytest.fixture
def ip_behind_proxies(configure: Callable[..., None]) -> Callable[..., str]:
    """Return a function that gets the client IP address behind a number of trusted proxies."""

    def get_ip(proxies: int, forwarded: str, socket: str = "10.0.0.1") -> str:
        configure(TRUSTED_PROXIES=proxies)
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        return client_ip(RequestFactory().get("/", headers=headers, REMOTE_ADDR=socket), conf())

    return get_ip


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "", "10.0.0.1"),
        (0, "203.0.113.7", "10.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, " 203.0.113.7 ", "203.0.113.7"),
        (1, "", ""),
        (2, "203.0.113.7", ""),
        (1, "unknown", ""),
        (1, "203.0.113.7:4711", "203.0.113.7"),
        (1, "6.6.6.6:1, 203.0.113.7:443", "203.0.113.7"),
        (1, "[2001:db8::7]:4711", "2001:db8::7"),
        (1, "[2001:db8::7]", "2001:db8::7"),
        (1, '"[2001:DB8::7]:4711"', "2001:db8::7"),
        (1, "fe80::7%eth0", "fe80::7"),
        (1, "[fe80::7%25eth0]:80", "fe80::7"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "[::ffff:203.0.113.7]:80", "203.0.113.7"),
        (1, "::FFFF:cb00:7107", "203.0.113.7"),
        (1, "203.0.113.7:", ""),
        (1, "203.0.113.7:80:80", ""),
        (1, "[203.0.113.7", ""),
        (1, "203.0.113.07", ""),
        (1, "0xcb007107", ""),
        (1, "3405803783", ""),
        (1, "203.0.113.7 evil", ""),
        (1, "203.0.113.7\t", "203.0.113.7"),
        (1, "_hidden", ""),
        (1, "[" * 5_000, ""),
        (1, "1" * 5_000 + ":80", ""),
        (1, "<script>", ""),
        (1, ",", ""),
        (1, ", ".join(["6.6.6.6"] * 500 + ["203.0.113.7"]), "203.0.113.7"),
    ],
)
def test_client_ip_is_taken_only_from_trusted_proxies(
    ip_behind_proxies: Callable[..., str], proxies: int, forwarded: str, expected: str
) -> None:
    assert ip_behind_proxies(proxies, forwarded) == expected


@pytest.mark.parametrize("agent", ["Mozilla\r\nX-Evil: 1", "Fire\x00fox", "Fïrefox", "x" * 5_000])
def test_user_agent_is_cleaned_for_use_in_a_header(configure: Callable[..., None], agent: str) -> None:
    sent = visitor_of(RequestFactory().get("/", headers={"User-Agent": agent}), conf()).user_agent
    assert sent.isascii()
    assert sent.isprintable()
    assert len(sent) <= 500


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537 Chrome/140.0 Safari/537 Edg/140.0", "Edge, Linux"),
        ("curl/8", ""),
        ("", ""),
    ],
)
def test_browser_name_is_browser_and_system(agent: str, expected: str) -> None:
    assert browser_name(RequestFactory().get("/", headers={"User-Agent": agent})) == expected


def test_all_calls_for_one_browser_send_the_same_device_token(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    calls = [c for c in org.calls() if "/idp/idx/" in c.path or c.path.endswith("/interact")]
    (device,) = {c.headers.get("X-Device-Token") for c in calls}
    assert device
    assert len(device) <= 32
    Person("grace@example.com").signs_up(org)
    assert {c.headers.get("X-Device-Token") for c in org.calls("/interact")} > {device}


def test_device_cookie_is_http_only_and_same_site_lax(person: Person) -> None:
    person.opens_the_sign_up()
    cookie = person.browser.cookies["selfreg_device"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_sign_up_works_with_an_invalid_device_cookie(person: Person, org: OrgHandle) -> None:
    """For example after a change of SECRET_KEY."""
    person.browser.cookies["selfreg_device"] = "forged-device:x:y"
    assert person.signs_up(org).is_signed_in


def test_visitors_language_is_sent_to_the_org(person: Person, org: OrgHandle) -> None:
    Person(language="de").opens(f"{SITE}/signup/")
    assert org.calls("/introspect")[-1].headers["Accept-Language"] == "de"


@pytest.mark.parametrize(
    ("header", "sent", "expected"),
    [
        ("CF-IPCountry", "DE", "DE"),
        ("CF-IPCountry", "de", "DE"),
        ("CF-IPCountry", "XX", ""),
        ("CF-IPCountry", "T1", ""),
        ("CF-IPCountry", "<b>", ""),
        ("CF-IPCountry", "DEU", ""),
        ("", "DE", ""),
    ],
)
def test_country_is_read_from_the_configured_header(
    configure: Callable[..., None], header: str, sent: str, expected: str
) -> None:
    configure(COUNTRY_HEADER=header)
    assert country_of(RequestFactory().get("/", headers={"CF-IPCountry": sent}), conf()) == expected
    assert country_of(RequestFactory().get("/"), conf()) == ""


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "for=203.0.113.7", "203.0.113.7"),
        (1, 'For="203.0.113.7:4711"', "203.0.113.7"),
        (1, 'for="[2001:db8::7]:4711"', "2001:db8::7"),
        (1, "for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        (1, "by=203.0.113.43 ; for=192.0.2.60", "192.0.2.60"),
        (1, "for=6.6.6.6, for=203.0.113.7", "203.0.113.7"),
        (2, "for=203.0.113.7, for=10.0.0.2", "203.0.113.7"),
        (1, 'for=6.6.6.6;host="a,b", for=203.0.113.7', "203.0.113.7"),
        (1, 'for=203.0.113.7;host="x, for=6.6.6.6"', "203.0.113.7"),
        (1, 'host="x;for=6.6.6.6";for=203.0.113.7', "203.0.113.7"),
        (1, 'host=";for=6.6.6.6;";proto=https;for="203.0.113.7:80"', "203.0.113.7"),
        (1, 'by="\\";for=6.6.6.6";for=203.0.113.7', "203.0.113.7"),
        (1, "for=unknown", ""),
        (1, "for=_secret", ""),
        (1, "for=203.0.113.7, by=10.0.0.2", ""),
        (1, "x-for=203.0.113.7", ""),
        (1, 'for="203.0.113.7', ""),
        (1, "", ""),
        (1, '"' * 5_000, ""),
    ],
)
def test_client_ip_is_read_from_the_forwarded_header(
    configure: Callable[..., None], proxies: int, forwarded: str, expected: str
) -> None:
    configure(TRUSTED_PROXIES=proxies, PROXY_HEADER="Forwarded")
    headers = {"Forwarded": forwarded, "X-Forwarded-For": "6.6.6.6"}
    assert client_ip(RequestFactory().get("/", headers=headers), conf()) == expected


def test_other_proxy_headers_are_ignored(ip_behind_proxies: Callable[..., str]) -> None:
    request = RequestFactory().get("/", headers={"Forwarded": "for=6.6.6.6", "X-Real-IP": "6.6.6.6"})
    ip_behind_proxies(1, "")
    assert client_ip(request, conf()) == ""


def test_unreadable_client_ip_is_logged_once_and_reported_to_the_doctor(
    ip_behind_proxies: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    assert ip_behind_proxies(1, "203.0.113.7") != ""
    assert (caplog.messages, was_unreadable()) == ([], False)
    for _ in range(3):
        ip_behind_proxies(1, "canary-unknown")
    assert len(caplog.messages) == 1
    assert "X-Forwarded-For" in caplog.text
    assert "canary" not in caplog.text
    assert was_unreadable()
