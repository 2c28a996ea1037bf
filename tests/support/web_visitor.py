"""A visitor of a site that runs in another process, with a local org."""

from typing import Self
from urllib.parse import urljoin

import requests

from support.page import Control, Page

PASSWORD = "Correct-horse-7"
MAX_PAGES = 15


class WebVisitor:
    """Follow links, fill in forms, and take codes from the local org's mailbox.

    :param site: the URL of the home page
    :param org: the URL of the local org
    """

    def __init__(self, site: str, org: str) -> None:
        self.site, self.org = site, org
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.page = Page(site, "")
        self.takes_links = False
        """Whether to open links in emails instead of typing codes."""

    @staticmethod
    def answers(url: str) -> bool:
        """Return whether a server responds at this URL."""
        try:
            requests.get(url, timeout=60)
        except requests.RequestException:
            return False
        return True

    def opens(self, url: str) -> Self:
        """Open a page."""
        return self._show(self.browser.get(urljoin(self.page.url, url), timeout=60))

    def submits(self, **values: str) -> Self:
        """Fill in and submit the first form with visible fields."""
        form = next(f for f in self.page.forms if any(not c.hidden for c in f.controls))
        url = urljoin(self.page.url, form.action)
        return self._show(self.browser.post(url, form.data() | values, headers={"Referer": url}, timeout=60))

    def signs_up(self, email: str) -> Page:
        """Sign up from the link on the home page, and return the last page."""
        self.opens(self.site)
        return self.goes_on(self.page.link("Sign up"), email)

    def signs_in(self, email: str) -> Page:
        """Sign in from the link on the home page with the password of the sign-up, and return the last page."""
        self.opens(self.site)
        return self.goes_on(self.page.link("Sign in"), email)

    def goes_on(self, url: str, email: str) -> Page:
        """Open a page and fill in every form, until the home page or a page without a form."""
        self.opens(url)
        for _ in range(MAX_PAGES):
            controls = next((s for f in self.page.forms if (s := [c for c in f.controls if not c.hidden])), [])
            if self.page.url == self.site or not controls:
                return self.page
            self.submits(**{c.name: self._value_for(c, email) for c in controls if c.type != "radio"})
        raise AssertionError(f"still a form: {self.page.heading}: {self.page.problems()}")

    def message(self, email: str, part: str) -> str:
        """Return the newest code or link that was sent to an address."""
        messages = requests.get(f"{self.org}_devorg/messages", params={"to": email}, timeout=60).json()
        return next(str(m[part]) for m in messages if m[part])

    def _value_for(self, control: Control, email: str) -> str:
        if control.type == "password":
            return PASSWORD
        if control.type == "email" or control.name == "identifier":
            return email
        if control.name == "credentials.passcode":
            return self.message(email, "code")
        return {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace"}.get(control.name, control.value)

    def _show(self, response: requests.Response) -> Self:
        assert response.status_code == 200, f"{response.url}: {response.status_code}"
        self.page = Page(response.url, response.text)
        return self
