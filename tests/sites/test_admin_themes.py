"""The admin pages of this app in third-party admin themes, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from support.browser.pictures import keep_picture
from support.sites.project import Project, Recipe
from support.sites.recipes import JAZZMIN, UNFOLD
from support.web_visitor import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.nightly, pytest.mark.browser]

PAGES = {
    "start page": "",
    "app": "selfreg/",
    "list": "selfreg/registration/",
    "funnel": "selfreg/registration/funnel/",
    "form": "selfreg/registration/form/",
    "identities": "selfreg/oktaidentity/",
    "doctor": "selfreg/doctorrun/",
}
# The right edge of the rightmost button that is not inside a scrolling box.
RIGHTMOST = """() => Math.max(0, ...Array.from(
    document.querySelectorAll(".selfreg-tools a, .selfreg-tabs a, #content-main button"),
    (link) => link.closest(".selfreg-scroll") ? 0 : link.getBoundingClientRect().right))"""


@pytest.fixture(scope="module", params=[UNFOLD, JAZZMIN], ids=lambda recipe: recipe.name)
def project(request: pytest.FixtureRequest, runs_site: Callable[[Recipe], Project]) -> Project:
    """Return a site with a completed registration, one at the code page, and an administrator."""
    project = runs_site(request.param)
    project.visitor.signs_up("ada@example.com")
    names = {"userProfile.firstName": "Grace", "userProfile.lastName": "Hopper", "userProfile.email": "g@example.com"}
    project.visitor.opens(f"{project.url}signup/").submits(**names)
    project.evaluate(f"get_user_model().objects.create_superuser('admin', 'admin@example.com', '{PASSWORD}')")
    project.manage("selfreg_doctor")
    return project


@pytest.mark.parametrize("width", [1440, 390])
def test_admin_pages_fit_the_window_in_other_themes(project: Project, chromium: Browser, width: int) -> None:
    page = chromium.new_page(base_url=project.url, viewport={"width": width, "height": 900})
    log_in(page)
    keys = project.evaluate("[str(r.pk) for r in Registration.objects.all()]")
    details = {f"registration {n}": f"selfreg/registration/{key}/change/" for n, key in enumerate(eval(keys))}
    for name, path in (PAGES | details).items():
        answer = page.goto(f"admin/{path}", wait_until="networkidle")
        assert answer is not None
        assert answer.status == 200, name
        keep_picture(page, f"{project.recipe.name}, {name}, {width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.evaluate(RIGHTMOST) <= width, name


def log_in(page: Page) -> None:
    page.goto("admin/login/?next=/admin/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/admin/")
