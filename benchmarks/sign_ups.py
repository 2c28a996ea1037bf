"""Visitors who sign up as fast as a site lets them, over kept connections. They read its forms, and know no site."""

import html
import http.client
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import local
from urllib.parse import urlencode, urljoin, urlsplit

PASSWORD = "Correct-horse-7"
MAX_REQUESTS = 30
FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
FIELD = re.compile(r"<(input|select|button)\b([^>]*)>")
ATTRIBUTE = re.compile(r'([\w.-]+)(?:="([^"]*)")?')
# What is typed into a field, by its name.
TYPED = {
    "userProfile.firstName": "Ada",
    "userProfile.lastName": "Lovelace",
    "credentials.passcode": PASSWORD,
    "password": PASSWORD,
    "password1": PASSWORD,
    "password2": PASSWORD,
}


@dataclass
class Request:
    """One request: what was asked, how long it took, and how many queries the site counted."""

    name: str
    seconds: float
    queries: int


@dataclass
class SignUp:
    """One visitor's way through. ``problem`` says why it ended before the visitor was signed in, "" if it did not."""

    email: str
    seconds: float = 0.0
    problem: str = ""
    requests: list[Request] = field(default_factory=list)


@dataclass(frozen=True)
class Site:
    """What visitors have to know.

    :param start: path of the first page
    :param signed_in: what the page has where somebody is through
    :param mailed: what the site, or its org, mailed to an address: a code or a path
    """

    port: int
    start: str
    signed_in: str
    mailed: Callable[[str], str]


def sign_ups(site: Site, emails: list[str], at_once: int) -> list[SignUp]:
    """Lets the owner of each address sign up, so many at once."""
    own = local()

    def one(email: str) -> SignUp:
        if not hasattr(own, "connection"):
            own.connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
        return Browser(site, own.connection, email).sign_up()

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, emails))


class Browser:
    """One visitor: cookies, the present page, and what to do with it."""

    def __init__(self, site: Site, connection: http.client.HTTPConnection, email: str) -> None:
        self.site, self.connection, self.email = site, connection, email
        self.cookies: dict[str, str] = {}
        self.record = SignUp(email)
        self.status, self.url, self.page = 0, site.start, ""

    def sign_up(self) -> SignUp:
        """Goes from the first page to the one where a visitor can sign out."""
        started = time.perf_counter()
        try:
            self.go("GET", self.site.start)
            while not self.is_signed_in():
                if len(self.record.requests) > MAX_REQUESTS or self.status >= 400:
                    self.record.problem = f"{self.status} at {self.url}: {re.sub('<[^>]*>', ' ', self.page)[:300]}"
                    break
                self.press()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.record.problem = repr(error)
        self.record.seconds = time.perf_counter() - started
        return self.record

    def is_signed_in(self) -> bool:
        """Whether this is the last page."""
        return self.site.signed_in in self.page

    def press(self) -> None:
        """Fills in the form of the page and submits it; follows the mailed link where there is none."""
        forms = [(attributes(head), body) for head, body in FORM.findall(self.page)]
        forms = [(a, body) for a, body in forms if a.get("method", "").lower() == "post" and "i18n" not in str(a)]
        if not forms:
            return self.go("GET", self.site.mailed(self.email))
        head, body = forms[0]
        values: dict[str, str] = {}
        for tag, found in FIELD.findall(body):
            given = attributes(found)
            name, kind = given.get("name", ""), given.get("type", "")
            if tag == "button":
                if given.get("value") == "skip" and "credentials.passcode" not in values:
                    values["action"] = "skip"
            elif kind == "radio":
                values.setdefault(name, given.get("value", ""))
            elif name and kind != "checkbox":
                values[name] = self.typed(name, kind, given.get("value", ""))
        self.go("POST", urljoin(self.url, html.unescape(head.get("action", ""))), values)

    def typed(self, name: str, kind: str, value: str) -> str:
        """What this visitor types."""
        if kind == "hidden":
            return value
        if name in ("userProfile.email", "email"):
            return self.email
        if name == "username":
            return self.email.partition("@")[0]
        if kind != "password" and name in ("credentials.passcode", "code"):
            return self.site.mailed(self.email)
        return TYPED.get(name, value)

    def go(self, method: str, url: str, values: dict[str, str] | None = None) -> None:
        """There, and wherever that redirects to."""
        body = urlencode(values) if values is not None else None
        for _ in range(6):
            location = self.request(method, url, body)
            if not location:
                return
            url, method, body = urljoin(url, location), "GET", None
        self.status = 508

    def request(self, method: str, url: str, body: str | None) -> str:
        """One request; returns where it redirects to."""
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        number = abs(hash(self.email))
        headers = {
            "Host": "signup.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            "Referer": f"https://signup.example{path}",
            "User-Agent": "Mozilla/5.0 (benchmark)",
            "Accept-Language": "en",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        started = time.perf_counter()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        seconds, queries = time.perf_counter() - started, int(answer.headers.get("X-Queries", 0))
        self.record.requests.append(Request(f"{method} {parts.path}", seconds, queries))
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name.strip()] = value
        self.status, self.url, self.page = answer.status, url, content.decode()
        return answer.headers.get("Location", "") if answer.status in (301, 302, 303, 307) else ""


def attributes(text: str) -> dict[str, str]:
    """The attributes of a tag."""
    return {name: html.unescape(value) for name, value in ATTRIBUTE.findall(text)}
