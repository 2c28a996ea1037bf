"""The Okta Sign-In Widget (both generations) in Chromium against the local org."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from okta_devorg import OrgHandle
from okta_devorg.state.users import Status, User
from okta_devorg.testing import OktaOrg
from support.clients import CLIENT, Files, served
from support.local_org.org_journey import ADA, PASSWORD

GENERATIONS = {"2": "okta-sign-in.min.js", "3": "okta-sign-in.next.js"}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Widget</title>
<link rel="stylesheet" href="/css/okta-sign-in.min.css"><div id="widget"></div><script src="/js/%s"></script>
<script>
const widget = new OktaSignIn(%s);
widget.showSignInToGetTokens({el: "#widget"}).then((tokens) => {
  document.title = JSON.stringify(tokens.idToken.claims);
}).catch((error) => { document.title = "failed: " + error; });
</script></html>"""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Serve the widget's files and return their origin."""
    with served("@okta/okta-signin-widget") as origin:
        yield origin


@pytest.fixture
def page(chromium: Browser) -> Page:
    new_page = chromium.new_page(locale="en-US")
    new_page.set_default_timeout(60_000)
    return new_page


def type_into(field: Locator, value: str) -> None:
    """Click first, which waits until the form has stopped moving: the widget drops what is typed before."""
    field.click()
    field.fill(value)


def retype(page: Page, code: str, what_follows: Locator | None) -> None:
    """Retry, because the widget renders its form again after an error or a poll and drops what was typed."""
    for _ in range(3):
        type_into(page.get_by_label("Enter Code"), code)
        page.get_by_role("button", name="Verify").click()
        if what_follows is None:
            return
        with contextlib.suppress(PlaywrightTimeoutError):
            what_follows.wait_for(timeout=5_000)
            return


class Widget:
    """A page with the widget, as people use it."""

    def __init__(self, page: Page, org: OrgHandle, site: str, generation: str) -> None:
        self.page, self.org, self.generation = page, org, generation
        org.patch_policy({"apps": [{**CLIENT, "redirect_uris": [site + "/callback"]}]})
        options = {
            "issuer": org.issuer,
            "baseUrl": org.base,
            "clientId": CLIENT["client_id"],
            "redirectUri": site + "/callback",
            "scopes": ["openid", "profile", "email"],
            "authScheme": "OAUTH2",
            "language": "en",
            "assets": {"baseUrl": site},
        }
        Files.pages["/widget"] = PAGE % (GENERATIONS[generation], json.dumps(options))
        self.address = site + "/widget"

    def open(self) -> None:
        self.page.goto(self.address)

    def press(self, name: str) -> None:
        """Press a link or a button, because the generations differ."""
        self.named(name).click()

    def named(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name).or_(self.page.get_by_role("button", name=name)).first

    def fill(self, **values: str) -> None:
        for label, value in values.items():
            type_into(self.page.get_by_label(label, exact=True), value)

    def sign_in(self, password: str = PASSWORD) -> None:
        self.open()
        self.fill(Username=ADA["email"], Password=password)
        self.page.get_by_role("button", name="Sign in").click()

    def answer_mail(self, what_follows: Locator | None = None) -> None:
        self.page.get_by_text("Enter a verification code instead").click()
        retype(self.page, self.org.code(ADA["email"]), what_follows)

    def signed_in(self) -> None:
        self.page.wait_for_function("document.title.startsWith('{') || document.title.startsWith('failed')")
        assert not self.page.title().startswith("failed"), self.page.title()
        assert json.loads(self.page.title())["sub"] == self.org.users[0].id
        assert self.org.users[0].status == "ACTIVE"


@pytest.fixture(params=GENERATIONS)
def widget(org: OrgHandle, site: str, page: Page, request: pytest.FixtureRequest) -> Widget:
    return Widget(page, org, site, request.param)


@pytest.fixture
def ada(org: OrgHandle) -> User:
    """Create an account."""
    OktaOrg(org).sign_up()
    return org.users[0]


def test_widget_signs_up_and_gets_tokens(org: OrgHandle, widget: Widget) -> None:
    page = widget.page
    widget.open()
    page.get_by_role("link", name="Sign up").click()
    widget.fill(**{"First name": ADA["firstName"], "Last name": ADA["lastName"], "Email": ADA["email"]})
    page.get_by_role("button", name="Sign Up").click()
    widget.press("Set up Email")
    page.get_by_text("Enter a verification code instead").click()
    type_into(page.get_by_label("Enter Code"), "000000")
    page.get_by_role("button", name="Verify").click()
    page.get_by_text("Invalid code. Try again.").first.wait_for()
    retype(page, org.code(ADA["email"]), widget.named("Set up Password"))
    widget.press("Set up Password")
    widget.fill(**{"Enter password": PASSWORD, "Re-enter password": PASSWORD})
    page.get_by_role("button", name="Next").click()
    widget.signed_in()


@pytest.mark.usefixtures("ada")
def test_widget_signs_in_with_a_second_factor(org: OrgHandle, widget: Widget) -> None:
    org.patch_policy({"sign_on": "password_and_another"})
    widget.sign_in("Wrong-horse-7")
    widget.page.get_by_text("Unable to sign in").first.wait_for()
    widget.sign_in()
    widget.press("Select Email")
    widget.answer_mail()
    widget.signed_in()


@pytest.mark.usefixtures("ada")
def test_widget_resets_a_forgotten_password(org: OrgHandle, widget: Widget) -> None:
    widget.open()
    widget.press("Forgot password?")
    type_into(widget.page.get_by_label("Email or Username"), ADA["email"])
    widget.press("Next")
    widget.press("Select Email")
    field = widget.page.get_by_label("New password", exact=True)
    widget.answer_mail(field)
    widget.fill(**{"New password": "Another-horse-8", "Re-enter password": "Another-horse-8"})
    widget.press("Reset Password")
    widget.signed_in()


def test_widget_unlocks_an_account(org: OrgHandle, widget: Widget, ada: User) -> None:
    org.patch_policy({"password": {"recovery": {"unlock": True}}})
    ada.status = Status.LOCKED_OUT
    widget.open()
    widget.press("Unlock account?")
    type_into(widget.page.get_by_label("Username"), ADA["email"])
    widget.page.get_by_label("Username").press("Tab")  # the widget reads the value when the field loses focus
    # With only one authenticator, generation 3 selects it automatically.
    button, code_link = "Next" if widget.generation == "3" else "Select Email", "Enter a verification code instead"
    for _ in range(3):
        widget.press(button)
        # On a slow machine the button may be pressed before the widget has read the name. Retry.
        with contextlib.suppress(PlaywrightTimeoutError):
            widget.page.get_by_text(code_link).wait_for(timeout=10_000)
            break
    success_message = widget.page.get_by_text("You can log in using your existing username and password.")
    widget.answer_mail(success_message.first)
    assert ada.status is Status.ACTIVE
