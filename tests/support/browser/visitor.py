"""A visitor with a real browser."""

import itertools
import re
from typing import Any, Self

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, ViewportSize, expect

from okta_devorg import OrgHandle

PASSWORD = "Correct-horse-7"
WIDE = ViewportSize(width=1280, height=900)
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

MAX_STOPS = 20

numbers = itertools.count(1)


class Window:
    """A browser context. It records what must not happen: errors in the console (including violations of the content
    security policy), errors in scripts, and requests of the site's pages to other sites.
    """

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.context, self.site = context, site
        self.allowed_urls: list[str] = []
        self.violations: list[str] = []
        context.on("console", self._console)
        context.on("weberror", lambda error: self.violations.append(f"script: {error.error}"))
        context.on("request", self._request)

    def allows_script(self, url: str, script: str) -> None:
        """Allow this third-party script and serve a replacement, so that nothing leaves the machine."""
        self.allowed_urls.append(url)
        self.context.route(f"{url}**", lambda route: route.fulfill(body=script, content_type="text/javascript"))

    def _console(self, message: ConsoleMessage) -> None:
        own_status = message.text.startswith("Failed to load resource") and "/static/" not in message.location["url"]
        if message.type in ("error", "warning") and not own_status:
            self.violations.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if request.is_navigation_request():  # the link of an email redirects through the org
            return
        known = (f"{self.site}/", *self.allowed_urls)
        if request.frame.url.startswith(f"{self.site}/") and not request.url.startswith(known):
            self.violations.append(f"request to {request.url}")


class Visitor:
    """Each method waits for what it needs and returns the visitor."""

    def __init__(self, window: Window, org: OrgHandle) -> None:
        self.window, self.org = window, org
        self.email = f"ada{next(numbers)}@example.com"
        self.page: Page = window.context.new_page()

    # -- actions

    def opens(self, path: str) -> Self:
        self.page.goto(path)
        return self

    def opens_another_tab(self) -> Self:
        """Open a second tab and keep the first one open."""
        self.page = self.window.context.new_page()
        return self

    def stops_reloading(self) -> Self:
        """Answer further requests of the page with status 204, so that it does not reload."""
        self.page.route("**/signup/step/**", lambda route: route.fulfill(status=204))
        return self

    def fills(self, **values: str) -> Self:
        for label, value in values.items():
            self.field(label.replace("_", " ")).fill(value)
        return self

    def presses(self, words: str) -> Self:
        self.button(words).click()
        return self

    def submits_profile(self) -> Self:
        self.fills(First_name="Ada", Last_name="Lovelace", Email=self.email)
        return self.presses("Sign up")

    def chooses(self, words: str) -> Self:
        self.page.get_by_role("radio", name=re.compile(f"^{words}")).check()
        return self.presses("Continue")

    def types_the_code(self, code: str = "") -> Self:
        """Type the code. The page continues automatically."""
        self.field("Enter code").press_sequentially(code or self.code)
        return self

    def sets_a_password(self, password: str = PASSWORD) -> Self:
        self.password_field.fill(password)
        return self.presses("Continue")

    def goes_to_the_code_page(self) -> Self:
        """Go from the first page to the page for the email code."""
        self.opens("/signup/").submits_profile()
        return self.sees("Check your email")

    def goes_to_the_password_page(self) -> Self:
        self.goes_to_the_code_page().types_the_code()
        return self.sees("Choose a password")

    def tabs_to(self, control: Locator) -> Self:
        """Move the focus to a control by keyboard."""
        for _ in range(MAX_STOPS):
            self.page.keyboard.press("Tab")
            if control.evaluate("control => control === document.activeElement"):
                return self
        raise AssertionError(f"{control} is not among the first {MAX_STOPS} stops")

    def types(self, text: str, *, then: str = "") -> Self:
        self.page.keyboard.type(text)
        if then:
            self.page.keyboard.press(then)
        return self

    def waits_for_call(self, path: str) -> Self:
        """Wait until the org has received a call."""
        while not self.org.calls(path):
            self.page.wait_for_timeout(20)
        return self

    # -- expectations

    def sees(self, heading: str) -> Self:
        """Expect a heading, and wait until the page's scripts are loaded."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        self.page.wait_for_load_state()
        return self

    def sees_a_problem(self) -> Self:
        """Expect an error summary. The focus is on the summary or on the only invalid field."""
        expect(self.page.locator(".error-summary")).to_be_visible()
        self.page.wait_for_load_state()
        expect(self.page.locator(".error-summary:focus, [aria-invalid=true]:focus")).to_be_visible()
        return self

    def sees_the_home_page(self) -> Self:
        """Expect the home page of a logged-in user."""
        return self.sees("Hello, Ada Lovelace")

    @property
    def code(self) -> str:
        """The newest code in the mailbox."""
        return self.org.code(self.email)

    @property
    def link(self) -> str:
        """The link in the newest email."""
        return str(self.org.messages(self.email)[0].link)

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label)

    @property
    def password_field(self) -> Locator:
        """The field for a new password."""
        return self.page.get_by_label("Password", exact=True)

    def button(self, words: str) -> Locator:
        return self.page.get_by_role("button", name=words, exact=True)
