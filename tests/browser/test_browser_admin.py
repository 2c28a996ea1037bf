"""An administrator watches in one window what somebody does in another, and presses what can be pressed."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from support.browser.demo_site import Site
from support.browser.every_page import ATTRIBUTES
from support.browser.visitor import PHONE, WIDE, Visitor

pytestmark = pytest.mark.browser

LIST = "/admin/selfreg/registration/"
LOGIN = {"DJANGO_SUPERUSER_USERNAME": "admin", "DJANGO_SUPERUSER_PASSWORD": "admin"}

Open = Callable[..., Visitor]


@pytest.fixture(scope="session")
def staffed(site: Site) -> Site:
    site.environment.update(LOGIN)
    site.manage("createsuperuser", "--noinput", "--email", "admin@example.com")
    return site


@pytest.fixture
def administrator(staffed: Site, opens_window: Open) -> Visitor:
    return logs_in(opens_window(viewport=WIDE))


def logs_in(somebody: Visitor) -> Visitor:
    return somebody.opens(LIST).fills(Username="admin", Password="admin").presses("Log in").sees("Registrations")


def test_a_registration_is_watched_from_start_to_end(administrator: Visitor, opens_window: Open) -> None:
    """Without a click: what is selected stays selected, and nothing moves under the administrator's eyes."""
    opens_window().is_at_the_code()
    administrator.opens(LIST)
    earlier, rows = (
        administrator.page.locator("#result_list tbody tr").first,
        administrator.page.locator("#result_list"),
    )
    name = earlier.get_by_role("link").get_attribute("href")
    earlier.get_by_role("checkbox").check()
    administrator.page.set_viewport_size({"width": 1280, "height": 300})
    administrator.page.mouse.wheel(0, 60)
    administrator.page.wait_for_function("() => window.scrollY === 60")

    ada = opens_window().is_at_the_code()
    newest = rows.locator("tbody tr").first
    expect(newest.get_by_role("link")).not_to_have_attribute("href", name or "")
    expect(newest).to_contain_text("Email code")
    chosen = rows.locator("tbody tr", has=administrator.page.locator(f'a[href="{name}"]'))
    expect(chosen.get_by_role("checkbox")).to_be_checked()
    expect(newest.get_by_role("checkbox")).not_to_be_checked()
    assert administrator.page.evaluate("window.scrollY") == 60

    newest.get_by_role("link").click()
    standing = administrator.page.locator("#selfreg-standing")
    expect(standing).to_contain_text("“Check your email” (Email code)")
    ada.types_the_code("000000").sees_a_problem()
    expect(standing).to_contain_text("1 wrong code, last try just now")
    ada.types_the_code().sets_a_password().is_welcome()
    expect(standing).to_contain_text("Completed")
    expect(administrator.page.locator("#selfreg-timeline")).to_contain_text("The email address was verified")


def test_an_action_asks_back_and_tells_how_it_went(administrator: Visitor, opens_window: Open) -> None:
    ada = opens_window().is_at_the_code()
    page = administrator.opens(f"{LIST}?status=enrolling").page
    page.locator("#result_list tbody tr").first.get_by_role("link").click()
    administrator.presses("Stop this sign-up").sees("Stop this sign-up").presses("Stop 1 sign-up")
    expect(page.locator(".messagelist")).to_have_text("1 sign-up stopped.")
    expect(page.locator("#selfreg-timeline li", has_text="The sign-up was cancelled")).to_contain_text("admin")
    assert page.url.endswith("/change/?_changelist_filters=status%3Denrolling")
    assert administrator.button("Stop this sign-up").count() == 0
    ada.opens_another_tab().opens("/signup/step/").sees("Sign-up cancelled")

    others = [opens_window().is_at_the_code() for _ in range(2)]
    administrator.opens(LIST)
    for row in (0, 1, 2):
        page.locator("#result_list input.action-select").nth(row).check()
    expect(page.locator(".action-counter")).to_contain_text("3 / ")
    page.get_by_label("Action:").select_option("Expire now")
    administrator.presses("Go").sees("Expire 2 sign-ups")
    expect(page.locator("#content-main")).to_contain_text("Left out")
    administrator.presses("Expire 2 sign-ups")
    expect(page.locator(".messagelist")).to_have_text("2 sign-ups expired.")
    for other in others:
        other.opens_another_tab().opens("/signup/step/").sees("Your session timed out")


@pytest.mark.parametrize(
    "window", [{"viewport": WIDE}, {**PHONE, "color_scheme": "dark"}], ids=["wide and light", "phone and dark"]
)
def test_a_page_is_accessible_and_no_wider_than_the_window(
    staffed: Site, opens_window: Open, window: dict[str, object]
) -> None:
    ada = opens_window().is_at_the_code()
    ada.org.patch_policy({"profile": [*ATTRIBUTES, {"name": "boat", "label": "Name of your boat"}]})
    ada.opens("/signup/").org.patch_policy({"profile": ATTRIBUTES})
    ada.opens("/signup/")
    administrator = logs_in(opens_window(**window))
    page = administrator.page
    expect(page.locator(".selfreg-notice")).to_contain_text("sign-up form changed")
    page.goto(LIST)
    detail = str(page.locator("#result_list tbody a").first.get_attribute("href"))
    pages = ("/admin/", LIST, f"{LIST}?status=stuck&q=nobody", detail, f"{LIST}funnel/", f"{LIST}form/")
    for path in (*pages, "/admin/selfreg/oktaidentity/", "/admin/selfreg/doctorrun/"):
        assert complaints(administrator.opens(path)) == set(), path
        assert page.evaluate("document.documentElement.scrollWidth") == page.evaluate("screen.width"), path
    administrator.opens(detail).presses("Mark for erasure").sees("Mark for erasure")
    assert complaints(administrator) == set()


@pytest.mark.parametrize("width", [1440, 1280, 390])
def test_the_list_fits(staffed: Site, opens_window: Open, width: int) -> None:
    """With the menu beside it; nothing of a row is beyond the edge."""
    opens_window().is_at_the_code()
    page = logs_in(opens_window(viewport={"width": width, "height": 900})).page
    table = page.locator("#result_list").evaluate("table => [table.scrollWidth, table.parentElement.clientWidth]")
    assert table[0] <= table[1]
    right = (
        page.locator("#result_list tbody tr")
        .first.locator("td")
        .last.evaluate("cell => cell.getBoundingClientRect().right")
    )
    assert right <= width
    assert width < 1280 or page.evaluate(LINES_OF_TABS) == 1


# With as many digits as a count has, and the tab of sites that approve sign-ups.
LINES_OF_TABS = """() => {
    const tabs = document.querySelector("#selfreg-tabs");
    tabs.insertBefore(tabs.lastElementChild.cloneNode(true), tabs.lastElementChild);
    tabs.lastElementChild.previousElementSibling.firstElementChild.firstChild.data = "Waiting for approval ";
    for (const count of tabs.querySelectorAll(".selfreg-count")) count.textContent = "1,000+";
    return new Set(Array.from(tabs.children, tab => tab.getBoundingClientRect().top)).size;
}"""


def complaints(somebody: Visitor) -> set[str]:
    """The rules that axe finds broken."""
    found = Axe().run(somebody.page, options={"preload": False})
    return {rule["id"] for rule in found.response["violations"]}
