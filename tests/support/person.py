"""A visitor with a browser. The site is called with Django's test client, and all other URLs over the network.

It reads forms like a browser, follows redirects, and records all responses, for tests that search them for secrets.
"""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
from django.test import Client

from okta_devorg import OrgHandle
from support.page import Form, Page

# How the tests set the site up. Two keys, the newer first; made up.
SITE = "http://testserver"
KEYS = ("Qrkg8nFzccdX1emOMx3QJt1qQR3_U3WDXV5gEBNGhRY=", "o1usH0IPyNvWPLLhwfUKptenTuHIDPCtWfrDLDkmz2c=")
PASSWORD = "Correct-horse-7"
AUTHENTICATOR_KEYS = {
    "Email": "okta_email",
    "Password": "okta_password",
    "Phone": "phone_number",
    "Security Question": "security_question",
    "Google Authenticator": "google_otp",
    "Passkey": "webauthn",
    "RSA SecurID": "rsa_token",
}
MAX_REDIRECTS = 10
MAX_PAGES = 15


@dataclass(frozen=True)
class Shown:
    """One response."""

    method: str
    url: str
    status: int
    headers: str
    body: str
    location: str = ""


class Person:
    def __init__(self, email: str = "ada@example.com", language: str = "en") -> None:
        self.email = email
        self.browser = Client(enforce_csrf_checks=True, headers={"Accept-Language": language})
        self.elsewhere = requests.Session()
        self.elsewhere.trust_env = False
        self.seen: list[Shown] = []
        self.page = Page(SITE, "")
        self.entries: dict[str, str] = {}
        self.left_out: set[str] = set()

    # -- what people do

    def opens(self, url: str) -> Self:
        """Opens a page, and follows redirects."""
        return self._follow(self._get(urljoin(self.page.url, url)))

    def follows(self, words: str) -> Self:
        """Clicks the link with this text."""
        return self.opens(self.page.link(words))

    def fills(self, values: dict[str, str]) -> Self:
        """Fills in fields by label or name. A radio button is chosen by its label or value."""
        for key, value in values.items():
            self._enter(key, value)
        return self

    def ticks(self, label_or_name: str) -> Self:
        (control,) = self.form.find(label_or_name)
        self.entries[control.name] = control.value
        return self

    def picks(self, words: str) -> Self:
        """Chooses the radio button with this label."""
        control = next(c for c in self.form.find(words) if c.type == "radio")
        self.entries[control.name] = control.value
        return self

    def presses(self, words: str = "") -> Self:
        """Presses the button with this text, by default the first one, and follows redirects."""
        for form in self.page.forms:
            for name, value, label in form.buttons:
                if words in ("", label):
                    return self._submit(form, {name: value} if name else {})
        raise LookupError(f"no button {words!r} on {self.page.heading!r}")

    def fills_and_presses(self, values: dict[str, str], words: str = "") -> Self:
        return self.fills(values).presses(words)

    def posts(self, url: str, data: dict[str, str]) -> Self:
        """Posts any data with the CSRF token of this browser."""
        token = {"csrfmiddlewaretoken": self.browser.cookies["csrftoken"].value}
        return self._follow(self._post(urljoin(SITE, url), token | data))

    # -- the sign-up, in a person's words

    def opens_the_sign_up(self, query: str = "") -> Self:
        return self.opens(f"{SITE}/signup/{query}")

    def submits_profile(self, **more: str) -> Self:
        names = {"First name": "Ada", "Last name": "Lovelace", "Email": self.email}
        return self.fills_and_presses(names | more, "Sign up")

    def chooses(self, authenticator: str) -> Self:
        """Starts an authenticator, unless the site has started it already."""
        if self.is_setting_up(authenticator):
            return self
        self._goes_back_to_the_choice()
        if self.is_setting_up(authenticator):
            return self
        return self.picks(authenticator).presses("Continue")

    def is_setting_up(self, authenticator: str) -> bool:
        """Whether the page is for this authenticator, according to the step name in its form."""
        return any(AUTHENTICATOR_KEYS[authenticator] in f.data().get("step", "") for f in self.page.forms)

    def _goes_back_to_the_choice(self) -> None:
        back = [(f, {n: v}) for f in self.page.forms for n, v, _label in f.buttons if v == "back"]
        if back:
            self._submit(*back[0])

    def types_the_code_from(self, org: OrgHandle, to: str = "") -> Self:
        return self.fills_and_presses({"credentials.passcode": org.code(to or self.email)})

    def sets_a_password(self, password: str = PASSWORD, repeated: str | None = None) -> Self:
        again = {} if repeated is None else {"confirm_passcode": repeated}
        return self.fills_and_presses({"credentials.passcode": password, **again})

    def signs_up(self, org: OrgHandle) -> Self:
        """Completes a sign-up with email and password."""
        self.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org)
        return self.chooses("Password").sets_a_password()

    def signs_in_at_the_org(self, password: str = PASSWORD) -> Self:
        """Signs in on the sign-in page of the org, which must be open."""
        self.fills_and_presses({"identifier": self.email}, "Next")
        return self.fills_and_presses({"password": password}, "Sign in")

    def opens_the_email_link(self, org: OrgHandle, email: str = "") -> Self:
        link = next(m.link for m in org.messages(email or self.email) if m.link)
        return self.opens(link)

    def completes_the_sign_up(self, org: OrgHandle) -> Self:
        """Submits page after page until the visitor is signed in or the page has no known form."""
        answers = {
            "Create your account": lambda: self.submits_profile(),
            "Secure your account": lambda: self.presses("Continue"),
            "Check your email": lambda: self.types_the_code_from(org),
            "Choose a password": lambda: self.sets_a_password(),
            "Your account is ready": lambda: self.presses("Sign in"),
            "Sign-up isn't available": lambda: self.follows("Try again"),
            "Your session timed out": lambda: self.follows("Start again"),
        }
        for _ in range(MAX_PAGES):
            if self.is_signed_in or self.heading not in answers:
                return self
            answers[self.heading]()
        raise AssertionError(f"no end of the sign-up after {MAX_PAGES} pages: {self.heading}, {self.page.notices()}")

    # -- what people see

    @property
    def form(self) -> Form:
        return next(f for f in self.page.forms if any(not c.hidden for c in f.controls))

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def heading(self) -> str:
        return self.page.heading

    @property
    def status(self) -> int:
        """The status code of the last response."""
        return self.seen[-1].status

    @property
    def is_signed_in(self) -> bool:
        return "_auth_user_id" in self.browser.session

    # -- the browser

    def _enter(self, key: str, value: str) -> None:
        controls = self.form.find(key)
        radio = next((c for c in controls if c.type == "radio" and value in (c.value, c.label)), None)
        if controls[0].type == "radio" and radio is None:
            raise LookupError(f"no choice {value!r}")
        self.entries[controls[0].name] = radio.value if radio else value

    def _submit(self, form: Form, button: dict[str, str]) -> Self:
        url = urljoin(self.page.url, form.action)
        data = {k: v for k, v in (form.data() | self.entries | button).items() if k not in self.left_out}
        return self._follow(self._post(url, data))

    def _follow(self, shown: Shown) -> Self:
        for _ in range(MAX_REDIRECTS):
            if not shown.location:
                break
            shown = self._get(urljoin(shown.url, shown.location))
        else:
            raise AssertionError(f"redirect loop: {shown.url}")
        self.entries, self.left_out = {}, set()
        self.page = Page(shown.url, shown.body)
        return self

    def _get(self, url: str) -> Shown:
        url = urldefrag(url).url
        if not is_site_url(url):
            return self._remember("GET", url, self.elsewhere.get(url, allow_redirects=False, timeout=60))
        return self._remember("GET", url, self.browser.get(url.removeprefix(SITE) or "/"))

    def _post(self, url: str, data: dict[str, str]) -> Shown:
        if not is_site_url(url):
            return self._remember("POST", url, self.elsewhere.post(url, data=data, allow_redirects=False, timeout=60))
        return self._remember("POST", url, self.browser.post(url.removeprefix(SITE), data))

    def _remember(self, method: str, url: str, answer: object) -> Shown:
        headers: dict[str, str] = dict(answer.headers.items())  # type: ignore[attr-defined]
        cookies = "\n".join(c.OutputString() for c in getattr(answer, "cookies", {}).values() if hasattr(c, "key"))
        body = answer.content.decode()  # type: ignore[attr-defined]
        lines = "\n".join(f"{k}: {v}" for k, v in headers.items())
        status: int = answer.status_code  # type: ignore[attr-defined]
        assert status < 500 or status == 503, f"{method} {url} -> {status}"
        location = headers.get("Location", "") if 300 <= status < 400 else ""
        self.seen.append(Shown(method, url, status, f"{lines}\n{cookies}", body, location))
        return self.seen[-1]


def is_site_url(url: str) -> bool:
    return url.startswith(f"{SITE}/") or url == SITE or url.startswith("/")
