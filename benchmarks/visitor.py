"""Somebody who wants an account: reads what a page shows, does what it asks, and tries again when something breaks.

Knows nothing of the site but HTML over HTTP. Stands, for the site, behind one proxy that ends HTTPS and hands every
request to another server.
"""

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import DefaultCookiePolicy
from http.cookies import SimpleCookie
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

PASSWORD = "Correct-horse-7"
MOST_PAGES = 120
FINE = (200, 302, 303, 429, 503)
# Of a page from before somebody else's click, or of a sign-in that the org did not see through. Fine if one can go on.
REFUSED = (400, 403)
# Links to follow when a page asks for nothing else, in this order.
WAYS_ON = ("Check now", "Try again", "Start again", "Sign in", "I've confirmed my email", "Sign up")


@dataclass
class Form:
    action: str
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    radios: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Name -> value and label of each."""
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """Forms (but for the language switch), links and the heading of one page."""

    def __init__(self, url: str, html: str) -> None:
        super().__init__()
        self.url, self.heading = url, ""
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.notices: list[str] = []
        self.wait = 0
        self._labels: dict[str, str] = {}
        self._radios: list[tuple[Form, str, str, str]] = []
        self._text, self._open = "", dict[str, dict[str, str]]()
        self.feed(html)
        for form, name, value, id in self._radios:
            form.radios.setdefault(name, []).append((value, self._labels.get(id, "")))
        self.forms = [f for f in self.forms if "language" not in f.fields]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("a", "h1", "label", "button", "p"):
            self._text, self._open[tag] = "", given
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        elif tag in ("input", "select", "textarea") and self.forms and given.get("name"):
            self._control(given, tag)
        if "data-countdown" in given and given.get("role") == "timer" and tag == "p":
            self.wait = int(given["data-countdown"])

    def _control(self, given: dict[str, str], tag: str) -> None:
        form, kind, name = self.forms[-1], given.get("type", tag), given["name"]
        if kind == "radio":
            self._radios.append((form, name, given.get("value", "on"), given.get("id", "")))
        elif kind != "checkbox":
            form.fields[name], form.types[name] = given.get("value", ""), kind

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        given, words = self._open.pop(tag, None), " ".join(self._text.split())
        if given is None:
            return
        if tag == "a" and given.get("href"):
            self.links.setdefault(words, given["href"])
        elif tag == "h1":
            self.heading = words
        elif tag == "label":
            self._labels[given.get("for", "")] = words
        elif tag == "p" and words:
            self.notices.append(words)
        elif tag == "button" and self.forms and given.get("name") == "action":
            self.forms[-1].buttons.append((given.get("value", ""), words))


class FromAddress(HTTPAdapter):
    """Sends from an address of this machine."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, source_address=(self.address, 0))


class Broken(Exception):
    """What a visitor must never see. The text says where and what."""


def leads_on(url: str, html: str) -> bool:
    """Whether a page has something to press: no error may be the end."""
    page = Page(url, html)
    return bool(set(WAYS_ON) & set(page.links)) or any(form.method == "post" for form in page.forms)


@dataclass
class Visitor:
    """One person, one browser.

    :param servers: addresses that answer for the site, taken in turn
    :param code: the newest code that was sent to an address, "" if none
    :param seen: counts what happened, shared by all visitors
    :param clumsy: how often, of one, a button is pressed twice at once, or a page reloaded
    """

    email: str
    ip: str
    site: str
    servers: Sequence[str]
    code: Callable[[str], str]
    seen: Counter[str]
    took: list[tuple[float, str]] = field(default_factory=list)
    """Seconds and what of every request to the site, shared like ``seen``."""
    clumsy: float = 0.1
    think_seconds: float = 1.0
    certificate: str = ""
    """File with that of a real proxy: then ``ip`` is where the visitor comes from, not what a header says."""

    over: Event = field(default_factory=Event)
    """Set when nobody needs this visitor any more."""

    def __post_init__(self) -> None:
        self.turns = itertools.cycle(random.sample(list(self.servers), len(self.servers)))
        self.http, self.proxy = requests.Session(), requests.Session()
        self.http.trust_env = self.proxy.trust_env = False
        # Of the site. A jar would keep them from plain HTTP, which is all there is behind the proxy.
        self.proxy.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if self.certificate:
            self.proxy.verify = self.certificate
            self.proxy.mount("https://", FromAddress(self.ip))
        self.cookies: dict[str, str] = {}
        self.page = Page(self.site, "")
        self.trail: list[str] = []

    def signs_up(self, until: float) -> str:
        """Goes on until signed in; returns the heading of the last page.

        :param until: ``time.monotonic()`` of the moment to give up
        :raises Broken: something happened that must not
        """
        self.opens("/signup/")
        return self.signs_on(until)

    def signs_on(self, until: float) -> str:
        """From wherever this visitor is, see ``signs_up``."""
        for _ in range(MOST_PAGES):
            self.trail.append(self.page.heading or self.page.url)
            if self.is_signed_in:
                return self.page.heading
            if time.monotonic() > until or self.over.is_set():
                break
            self.goes_on()
        raise Broken(f"never signed in; the last pages: {self.trail[-15:]}: {self.page.notices[:4]}")

    @property
    def is_signed_in(self) -> bool:
        return any(urlsplit(f.action).path == "/signout/" for f in self.page.forms)

    def goes_on(self) -> None:
        """One press."""
        self.over.wait(min(self.page.wait, 30) + random.uniform(0, self.think_seconds))
        form = next((f for f in self.page.forms if f.method == "post"), None)
        if form is None:
            return self.follows_a_link()
        fields = form.fields
        if any("Then sign in" in words for words in self.page.notices):
            return self.opens(self.page.links["Sign in"])
        if not self.page.url.startswith(self.site) and len(set(self.trail[-3:])) == 1:
            return self.opens(f"{self.site}/signup/")
        if "userProfile.email" in fields:
            # No faster than a person: a form that comes back at once was filled in by a program.
            time.sleep(2.1)
            typed = {
                "userProfile.firstName": "Ada",
                "userProfile.lastName": "Lovelace",
                "userProfile.email": self.email,
            }
            return self.sends(form, typed)
        if "credentials.passcode" in fields and form.types["credentials.passcode"] == "password":
            return self.sends(form, {"credentials.passcode": PASSWORD})
        if "credentials.passcode" in fields:
            return self.sends(form, {"credentials.passcode": self.code(self.email) or "000000"})
        if "authenticator.id" in form.radios:
            choices = {label: value for value, label in form.radios["authenticator.id"]}
            chosen = next((v for words in ("Email", "Password") for label, v in choices.items() if words in label), "")
            return self.sends(form, {"authenticator.id": chosen} if chosen else {"action": "skip"})
        if "password" in fields:
            return self.sends(form, {"password": PASSWORD})
        if "identifier" in fields:
            return self.sends(form, {"identifier": self.email})
        return self.sends(form, {})

    def follows_a_link(self) -> None:
        way = next((self.page.links[words] for words in WAYS_ON if words in self.page.links), "")
        if not way and self.page.url.startswith(self.site) and self.page.heading:
            raise Broken(f"no way on from {self.page.heading!r}: {list(self.page.links)}")
        self.opens(way or f"{self.site}/signup/step/")

    def opens(self, url: str) -> None:
        self.goes("GET", urljoin(self.page.url, url), {})

    def sends(self, form: Form, typed: dict[str, str]) -> None:
        url, data = urljoin(self.page.url, form.action), {**form.fields, **typed}
        if random.random() >= self.clumsy:
            return self.goes("POST", url, data)
        if random.random() < 0.5:
            return self.opens(self.page.url)
        self.seen["presses twice"] += 1
        with ThreadPoolExecutor(1) as beside:
            twin = beside.submit(self.tries, "POST", url, data)
            self.goes("POST", url, data)
        twin.result()

    def goes(self, method: str, url: str, data: dict[str, str]) -> None:
        """There and wherever that leads; a broken connection is tried again, as by reloading the page."""
        for _ in range(60):
            answer = self.tries(method, url, data)
            if answer is None:
                self.seen["interrupted"] += 1
                time.sleep(random.uniform(0.1, 0.5))
                if not url.startswith(self.site):
                    method, url, data = "GET", f"{self.site}/signup/step/", {}
                continue
            if answer.is_redirect:
                method, url, data = "GET", urljoin(url, answer.headers["Location"]), {}
                continue
            self.page = Page(url, answer.text)
            if answer.status_code in (429, 503):
                self.page.wait = self.page.wait or min(int(answer.headers.get("Retry-After", 2)), 30)
            return
        raise Broken(f"in circles at {urlsplit(url).path}")

    def tries(self, method: str, url: str, data: dict[str, str]) -> requests.Response | None:
        """One request; None when the connection broke."""
        began, parts = time.monotonic(), urlsplit(url)
        ours = url.startswith(self.site)
        try:
            answer = self.asks_the_site(method, url, data) if ours else self.asks(self.http, method, url, data)
        except requests.RequestException:
            return None
        if not ours:
            return answer if answer.status_code < 500 else None
        self.seen[f"{method} {answer.status_code}"] += 1
        self.took.append((time.monotonic() - began, f"{method} {parts.path}"))
        may_be = answer.status_code in (*FINE, *REFUSED)
        if not may_be or (answer.status_code >= 400 and not leads_on(url, answer.text)):
            what = " ".join(answer.text.split())[:200]
            raise Broken(f"{method} {parts.path} {sorted(parse_qs(parts.query))} -> {answer.status_code}: {what}")
        return answer

    def asks_the_site(self, method: str, url: str, data: dict[str, str]) -> requests.Response:
        through = url.replace(self.site, next(self.turns), 1)
        headers = {
            "Host": urlsplit(url).netloc,
            "X-Forwarded-For": self.ip,
            "X-Forwarded-Proto": "https",
            "Origin": self.site,
            "Connection": "close",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        answer = self.asks(self.proxy, method, through, data, headers)
        for line in answer.raw.headers.getlist("Set-Cookie"):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return answer

    def asks(
        self, http: requests.Session, method: str, url: str, data: dict[str, str], headers: dict[str, str] | None = None
    ) -> requests.Response:
        return http.request(method, url, data=data or None, headers=headers, allow_redirects=False, timeout=30)
