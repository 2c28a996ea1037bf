"""Django admin in a browser: live updates, actions, accessibility and layout."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from support.browser.demo_site import Site
from support.browser.every_page import ATTRIBUTES
from support.browser.visitor import PHONE, WIDE, Visitor

pytestmark = pytest.mark.browser

LIST = "/admin/selfreg/registration/"
REFRESH_MS = 60_000  # at least as long as between two updates of any page
LOGIN = {"DJANGO_SUPERUSER_USERNAME": "admin", "DJANGO_SUPERUSER_PASSWORD": "admin"}

Open = Callable[..., Visitor]


@pytest.fixture(scope="session")
def site_with_admin(site: Site) -> Site:
    site.environment.update(LOGIN)
    site.manage("createsuperuser", "--noinput", "--email", "admin@example.com")
    return site


@pytest.fixture
def administrator(site_with_admin: Site, opens_window: Open) -> Visitor:
    return log_in(opens_window(viewport=WIDE))


def log_in(visitor: Visitor) -> Visitor:
    return visitor.opens(LIST).fills(Username="admin", Password="admin").presses("Log in").sees("Registrations")


def test_admin_pages_update_live_without_losing_selection_or_scroll_position(
    administrator: Visitor, opens_window: Open
) -> None:
    """Pages update without a click, and keep selection and scroll position."""
    opens_window().goes_to_the_code_page()
    administrator.window.context.clock.install()
    administrator.opens(LIST)
    first_row, rows = (
        administrator.page.locator("#result_list tbody tr").first,
        administrator.page.locator("#result_list"),
    )
    name = first_row.get_by_role("link").get_attribute("href")
    first_row.get_by_role("checkbox").check()
    administrator.page.set_viewport_size({"width": 1280, "height": 300})
    administrator.page.mouse.wheel(0, 60)
    administrator.page.wait_for_function("() => window.scrollY === 60")

    ada = opens_window().goes_to_the_code_page()
    administrator.page.clock.fast_forward(REFRESH_MS)
    newest = rows.locator("tbody tr").first
    expect(newest.get_by_role("link")).not_to_have_attribute("href", name or "")
    expect(newest).to_contain_text("Email code")
    selected_row = rows.locator("tbody tr", has=administrator.page.locator(f'a[href="{name}"]'))
    expect(selected_row.get_by_role("checkbox")).to_be_checked()
    expect(newest.get_by_role("checkbox")).not_to_be_checked()
    assert administrator.page.evaluate("window.scrollY") == 60

    newest.get_by_role("link").click()
    situation = administrator.page.locator("#selfreg-standing")
    expect(situation).to_contain_text("“Check your email” (Email code)")
    ada.types_the_code("000000").sees_a_problem()
    administrator.page.clock.fast_forward(REFRESH_MS)
    expect(situation).to_contain_text("1 wrong code, last try just now")
    ada.types_the_code().sets_a_password().sees_the_home_page()
    administrator.page.clock.fast_forward(REFRESH_MS)
    expect(situation).to_contain_text("Completed")
    expect(administrator.page.locator("#selfreg-timeline")).to_contain_text("The email address was verified")


def test_admin_action_asks_for_confirmation_and_shows_the_result(administrator: Visitor, opens_window: Open) -> None:
    ada = opens_window().goes_to_the_code_page()
    page = administrator.opens(f"{LIST}?status=enrolling").page
    page.locator("#result_list tbody tr").first.get_by_role("link").click()
    administrator.presses("Stop this sign-up").sees("Stop this sign-up").presses("Stop 1 sign-up")
    expect(page.locator(".messagelist")).to_have_text("1 sign-up stopped.")
    expect(page.locator("#selfreg-timeline li", has_text="The sign-up was cancelled")).to_contain_text("admin")
    assert page.url.endswith("/change/?_changelist_filters=status%3Denrolling")
    assert administrator.button("Stop this sign-up").count() == 0
    ada.opens_another_tab().opens("/signup/step/").sees("Sign-up cancelled")

    others = [opens_window().goes_to_the_code_page() for _ in range(2)]
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
def test_admin_pages_are_accessible_and_fit_the_window(
    site_with_admin: Site, opens_window: Open, window: dict[str, object]
) -> None:
    ada = opens_window().goes_to_the_code_page()
    ada.org.patch_policy({"profile": [*ATTRIBUTES, {"name": "boat", "label": "Name of your boat"}]})
    ada.opens("/signup/").org.patch_policy({"profile": ATTRIBUTES})
    ada.opens("/signup/")
    administrator = log_in(opens_window(**window))
    page = administrator.page
    expect(page.locator(".selfreg-notice")).to_contain_text("sign-up form changed")
    page.goto(LIST)
    detail = str(page.locator("#result_list tbody a").first.get_attribute("href"))
    pages = ("/admin/", LIST, f"{LIST}?status=stuck&q=nobody", detail, f"{LIST}funnel/", f"{LIST}form/")
    for path in (*pages, "/admin/selfreg/oktaidentity/", "/admin/selfreg/doctorrun/"):
        assert accessibility_violations(administrator.opens(path)) == set(), path
        assert page.evaluate("document.documentElement.scrollWidth") == page.evaluate("screen.width"), path
    administrator.opens(detail).presses("Mark for erasure").sees("Mark for erasure")
    assert accessibility_violations(administrator) == set()


def test_identity_page_is_accessible(site_with_admin: Site, opens_window: Open) -> None:
    opens_window().goes_to_the_password_page().sets_a_password().sees_the_home_page()
    administrator = log_in(opens_window()).opens("/admin/selfreg/oktaidentity/")
    administrator.page.locator("#result_list tbody a").first.click()
    administrator.sees("View Okta identity")
    assert accessibility_violations(administrator) == set()
    expect(administrator.page.locator("#content-main")).to_contain_text("Last sign-in")


@pytest.mark.parametrize("width", [1440, 1280, 390])
def test_list_of_registrations_fits_the_window(site_with_admin: Site, opens_window: Open, width: int) -> None:
    """The menu is open, and no cell of a row is cut off."""
    opens_window().goes_to_the_code_page()
    page = log_in(opens_window(viewport={"width": width, "height": 900})).page
    table = page.locator("#result_list").evaluate("table => [table.scrollWidth, table.parentElement.clientWidth]")
    assert table[0] <= table[1]
    right = (
        page.locator("#result_list tbody tr")
        .first.locator("td")
        .last.evaluate("cell => cell.getBoundingClientRect().right")
    )
    assert right <= width
    assert width < 1280 or page.evaluate(LINES_OF_TABS) == 1


# Shows the widest counts and the additional tab of sites with approval.
LINES_OF_TABS = """() => {
    const tabs = document.querySelector("#selfreg-tabs");
    tabs.insertBefore(tabs.lastElementChild.cloneNode(true), tabs.lastElementChild);
    tabs.lastElementChild.previousElementSibling.firstElementChild.firstChild.data = "Waiting for approval ";
    for (const count of tabs.querySelectorAll(".selfreg-count")) count.textContent = "1,000+";
    return new Set(Array.from(tabs.children, tab => tab.getBoundingClientRect().top)).size;
}"""


def accessibility_violations(visitor: Visitor) -> set[str]:
    """Return the ids of the accessibility rules that axe reports."""
    results = Axe().run(visitor.page, options={"preload": False})
    return {rule["id"] for rule in results.response["violations"]}
