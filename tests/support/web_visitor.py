"""Somebody with a browser in front of a site that runs in a process of its own, beside a local org."""

from typing import Self
from urllib.parse import urljoin

import requests

from support.page import Control, Page

PASSWORD = "Correct-horse-7"
MOST_PAGES = 15


class WebVisitor:
    """Follows links, fills in forms, and takes codes from the local org's mailbox.

    :param site: the address of the home page
    :param org: the address of the local org
    """

    def __init__(self, site: str, org: str) -> None:
        self.site, self.org = site, org
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.page = Page(site, "")
        self.takes_links = False
        """Whether links in mails are opened, instead of typing their codes."""

    @staticmethod
    def answers(url: str) -> bool:
        """Whether a server answers there."""
        try:
            requests.get(url, timeout=60)
        except requests.RequestException:
            return False
        return True

    def opens(self, url: str) -> Self:
        """Goes there."""
        return self._shows(self.browser.get(urljoin(self.page.url, url), timeout=60))

    def submits(self, **values: str) -> Self:
        """Fills in the first form with something to fill in, by name, and sends it."""
        form = next(f for f in self.page.forms if any(not c.hidden for c in f.controls))
        url = urljoin(self.page.url, form.action)
        return self._shows(self.browser.post(url, form.data() | values, headers={"Referer": url}, timeout=60))

    def signs_up(self, email: str) -> Page:
        """From the home page, by its link, until there is no form to fill in; returns the last page."""
        self.opens(self.site)
        return self.goes_on(self.page.link("Sign up"), email)

    def signs_in(self, email: str) -> Page:
        """The same by the link to sign in, with the password of the sign-up."""
        self.opens(self.site)
        return self.goes_on(self.page.link("Sign in"), email)

    def goes_on(self, url: str, email: str) -> Page:
        """Opens a page and does what it and the next ones ask, until the home page or one that asks nothing."""
        self.opens(url)
        for _ in range(MOST_PAGES):
            controls = next((s for f in self.page.forms if (s := [c for c in f.controls if not c.hidden])), [])
            if self.page.url == self.site or not controls:
                return self.page
            self.submits(**{c.name: self._types(c, email) for c in controls if c.type != "radio"})
        raise AssertionError(f"no end: {self.page.heading}: {self.page.problems()}")

    def message(self, email: str, part: str) -> str:
        """The newest code, or link, that was sent to an address."""
        messages = requests.get(f"{self.org}_devorg/messages", params={"to": email}, timeout=60).json()
        return next(str(m[part]) for m in messages if m[part])

    def _types(self, control: Control, email: str) -> str:
        if control.type == "password":
            return PASSWORD
        if control.type == "email" or control.name == "identifier":
            return email
        if control.name == "credentials.passcode":
            return self.message(email, "code")
        return {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace"}.get(control.name, control.value)

    def _shows(self, answer: requests.Response) -> Self:
        assert answer.status_code == 200, f"{answer.url}: {answer.status_code}"
        self.page = Page(answer.url, answer.text)
        return self
