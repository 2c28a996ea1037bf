"""All admin actions in a browser, on one and on several registrations."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from okta_devorg import OrgHandle
from selfreg.admin.actions import ACTIONS_BY_NAME
from support.browser.demo_site import Site, another_site
from support.browser.visitor import WIDE, Visitor, Window
from support.staff import LIST, MANAGER

pytestmark = pytest.mark.browser

Open = Callable[..., Visitor]

ROLES = """
from django.contrib.auth import get_user_model
from selfreg.admin.roles import make_groups
for name, group in make_groups().items():
    user, _made = get_user_model().objects.get_or_create(username=name, defaults={"is_staff": True})
    user.set_password("admin")
    user.save()
    user.groups.set([group])
"""
# Removes the pause before a resend. Retries, because pages that are being closed may just have polled.
NO_WAIT = """
from dataclasses import replace
from selfreg.admin.explanation import open_for_admin
from selfreg.models import Conflict, Registration
from selfreg.registration.state import seal
for pk in list(Registration.objects.open().values_list("pk", flat=True)):
    for _attempt in range(9):
        row = Registration.objects.get(pk=pk)
        state = replace(open_for_admin(row).state, resend_at=0.0, calls=())
        try:
            row.commit(sealed=seal(state, row.pk, row.settings.encryption_keys))
            break
        except Conflict:
            continue
"""
# Action -> button and message for one registration, button and message for two.
BUTTONS_AND_MESSAGES = {
    "resend": (
        "Send again to 1 person",
        "Sent again to 1 person.",
        "Send again to 2 people",
        "Sent again to 2 people.",
    ),
    "repair": (
        *("Send 1 activation email", "1 activation email sent."),
        *("Send 2 activation emails", "2 activation emails sent."),
    ),
    "expire": ("Expire 1 sign-up", "1 sign-up expired.", "Expire 2 sign-ups", "2 sign-ups expired."),
    "cancel": ("Stop 1 sign-up", "1 sign-up stopped.", "Stop 2 sign-ups", "2 sign-ups stopped."),
    "remove-account": (
        *("Delete 1 unfinished Okta account", "1 unfinished Okta account deleted."),
        *("Delete 2 unfinished Okta accounts", "2 unfinished Okta accounts deleted."),
    ),
    "erase": (
        *("Mark 1 registration for erasure", "1 registration marked for erasure."),
        *("Mark 2 registrations for erasure", "2 registrations marked for erasure."),
    ),
}


@pytest.fixture(scope="session")
def site_with_roles(site: Site) -> Site:
    site.manage("shell", "-v", "0", "-c", ROLES)
    return site


def log_in(visitor: Visitor, role: str) -> Page:
    visitor.opens(LIST).fills(Username=role, Password="admin").presses("Log in").sees("Registrations")
    return visitor.page


def run_on_two_rows(page: Page, name: str) -> None:
    """Run the action on the two newest rows of a filtered list. The filter must be kept."""
    _one, _message, button, message = BUTTONS_AND_MESSAGES[name]
    page.goto(f"{LIST}?period=day")
    for row in (0, 1):
        page.locator("#result_list input.action-select").nth(row).check()
    page.get_by_label("Action:").select_option(name)
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("link", name="Go back")).to_be_visible()
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".messagelist")).to_have_text(message)
    assert page.url.endswith("?period=day")


def run_on_one_row(page: Page, name: str) -> None:
    """Run the action on the page of the third row."""
    button, message, *_two = BUTTONS_AND_MESSAGES[name]
    page.goto(f"{LIST}?period=day")
    page.locator("#result_list tbody a").nth(2).click()
    page.locator(f"#selfreg-act-{name}").click()
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".messagelist")).to_have_text(message)
    expect(page.locator("#selfreg-timeline")).to_contain_text(str(ACTIONS_BY_NAME[name].label))
    assert re.search(r"/change/\?_changelist_filters=period%3Dday$", page.url)


@pytest.mark.parametrize("actions", [["resend", "expire", "repair", "remove-account", "erase"], ["cancel"]])
def test_each_action_works_for_one_and_for_two_registrations(
    site_with_roles: Site, opens_window: Open, actions: list[str]
) -> None:
    for _ in range(3):
        opens_window().goes_to_the_code_page().page.close()
    site_with_roles.manage("shell", "-v", "0", "-c", NO_WAIT)
    page = log_in(opens_window(viewport=WIDE), MANAGER)
    for name in actions:
        run_on_two_rows(page, name)
        run_on_one_row(page, name)


@pytest.fixture
def opens_window_with_approval(
    chromium: Browser, org: OrgHandle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Visitor]]:
    """Return a function that opens windows on a site with approval."""
    with another_site(org, tmp_path_factory.mktemp("approval"), APPROVAL="true") as site:
        site.manage("shell", "-v", "0", "-c", ROLES)
        windows: list[Window] = []

        def open_window() -> Visitor:
            context = chromium.new_context(base_url=site.url, locale="en-US", viewport=WIDE)
            windows.append(Window(context, site.url))
            return Visitor(windows[-1], org)

        yield open_window
        assert [violation for window in windows for violation in window.violations] == []


def test_a_manager_can_approve_and_reject(opens_window_with_approval: Callable[[], Visitor]) -> None:
    people = [opens_window_with_approval().goes_to_the_password_page() for _ in range(4)]
    for person in people:
        person.sets_a_password().sees("Your sign-up is being reviewed")
    page = log_in(opens_window_with_approval(), MANAGER)
    run_on_two_newest_rows(page, "approve", "Approve 2 sign-ups", "2 sign-ups approved.")
    page.locator("#result_list tbody a").nth(2).click()
    page.locator("#selfreg-act-reject").click()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_label("Reason").fill("We do not know you")
    page.get_by_role("button", name="Reject 1 sign-up", exact=True).click()
    expect(page.locator(".messagelist")).to_have_text("1 sign-up rejected.")
    expect(page.locator("#selfreg-standing")).to_contain_text("We do not know you")
    page.goto(f"{LIST}?status=awaiting_approval")
    page.locator("#result_list tbody a").first.click()
    page.locator("#selfreg-act-approve").click()
    page.get_by_role("button", name="Approve 1 sign-up", exact=True).click()
    expect(page.locator(".messagelist")).to_have_text("1 sign-up approved.")
    expect(page.locator("#selfreg-standing")).to_contain_text("Completed")


def run_on_two_newest_rows(page: Page, name: str, button: str, message: str) -> None:
    """Approve or reject the two newest registrations."""
    for row in (0, 1):
        page.locator("#result_list input.action-select").nth(row).check()
    page.get_by_label("Action:").select_option(name)
    page.get_by_role("button", name="Go").click()
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".messagelist")).to_have_text(message)


def test_button_runs_the_doctor(site_with_roles: Site, opens_window: Open) -> None:
    page = log_in(opens_window(viewport=WIDE), MANAGER)
    page.goto("/admin/")
    page.get_by_role("link", name="Doctor").first.click()
    page.get_by_role("button", name="Examine now").click()
    expect(page.locator(".messagelist")).to_contain_text("Examined: ")
    expect(page.locator("#selfreg-doctor")).to_contain_text("just now")
