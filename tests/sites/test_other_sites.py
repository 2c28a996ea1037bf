"""Sites unlike the demo, made by `startproject`: sign-up by code and by link, sign-in, checks and doctor."""

import json
from collections.abc import Callable

import pytest

from support.sites.other_sites import OTHER_SITES, OWN_API, OWN_PEOPLE
from support.sites.project import Project, Recipe
from support.web_visitor import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

Run = Callable[[Recipe], Project]


@pytest.mark.parametrize("recipe", OTHER_SITES, ids=lambda recipe: recipe.name)
def test_sign_up_by_code_and_by_link_and_sign_in_work_on_other_sites(runs_site: Run, recipe: Recipe) -> None:
    project = runs_site(recipe)
    assert project.check_ids() == recipe.checks
    assert "Hello, Ada!" in project.visitor.signs_up("ada@example.com").text
    assert "Hello, Ada!" in project.visitor.signs_in("ada@example.com").text
    follower = project.visitor
    follower.takes_links = True
    assert "Hello, Ada!" in follower.signs_up("grace@example.com").text
    users = "sorted((u.email, u.has_usable_password()) for u in get_user_model().objects.all())"
    assert project.evaluate(users) == "[('ada@example.com', False), ('grace@example.com', False)]"
    assert project.evaluate("{r.status for r in Registration.objects.all()}") == "{'completed'}"
    assert "Traceback" not in project.log


@pytest.mark.parametrize("recipe", OTHER_SITES, ids=lambda recipe: recipe.name)
def test_doctor_reports_only_the_expected_findings(runs_site: Run, recipe: Recipe) -> None:
    report = json.loads(runs_site(recipe).manage("selfreg_doctor", "--json"))
    assert {finding["id"] for finding in report["findings"]} == recipe.checks


def test_additional_user_columns_are_filled(runs_site: Run) -> None:
    project = runs_site(OWN_PEOPLE)
    project.visitor.signs_up("joan@example.com")
    assert project.evaluate("get_user_model().objects.get(email='joan@example.com').shoe_size") == "38"


def test_sites_own_api_and_admin_still_work(runs_site: Run) -> None:
    project = runs_site(OWN_API)
    visitor = project.visitor
    visitor.signs_up("joan@example.com")
    assert visitor.browser.get(f"{project.url}api/me").json() == {"email": "joan@example.com"}
    assert visitor.browser.get(f"{project.url}signup/api/openapi.json").status_code == 200
    project.evaluate(f"get_user_model().objects.create_superuser('admin', 'admin@example.com', '{PASSWORD}')")
    administrator = project.visitor.opens(f"{project.url}admin/").submits(username="admin", password=PASSWORD)
    assert "Our own admin" in administrator.page.text
    assert "Started in the last 24 hours" in administrator.page.text
