"""Sites that strangers made by `startproject`: people sign up by code and by link, sign in, and nothing is reported."""

import json
from collections.abc import Callable

import pytest

from support.sites.project import Project, Recipe
from support.sites.strangers import OWN_API, OWN_PEOPLE, STRANGERS
from support.web_visitor import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

Run = Callable[[Recipe], Project]


@pytest.mark.parametrize("recipe", STRANGERS, ids=lambda recipe: recipe.name)
def test_people_sign_up_by_code_and_by_link_and_sign_in(runs_site: Run, recipe: Recipe) -> None:
    project = runs_site(recipe)
    assert project.reported() == recipe.checks
    assert "Hello, Ada!" in project.visitor.signs_up("ada@example.com").text
    assert "Hello, Ada!" in project.visitor.signs_in("ada@example.com").text
    follower = project.visitor
    follower.takes_links = True
    assert "Hello, Ada!" in follower.signs_up("grace@example.com").text
    users = "sorted((u.email, u.has_usable_password()) for u in get_user_model().objects.all())"
    assert project.asks(users) == "[('ada@example.com', False), ('grace@example.com', False)]"
    assert project.asks("{r.status for r in Registration.objects.all()}") == "{'completed'}"
    assert "Traceback" not in project.log


@pytest.mark.parametrize("recipe", STRANGERS, ids=lambda recipe: recipe.name)
def test_the_doctor_has_nothing_else_to_say(runs_site: Run, recipe: Recipe) -> None:
    report = json.loads(runs_site(recipe).manage("selfreg_doctor", "--json"))
    assert {finding["id"] for finding in report["findings"]} == recipe.checks


def test_columns_of_a_users_own_are_filled(runs_site: Run) -> None:
    project = runs_site(OWN_PEOPLE)
    project.visitor.signs_up("joan@example.com")
    assert project.asks("get_user_model().objects.get(email='joan@example.com').shoe_size") == "38"


def test_an_api_and_an_admin_of_the_sites_own_stay_what_they_are(runs_site: Run) -> None:
    project = runs_site(OWN_API)
    visitor = project.visitor
    visitor.signs_up("joan@example.com")
    assert visitor.browser.get(f"{project.url}api/me").json() == {"email": "joan@example.com"}
    assert visitor.browser.get(f"{project.url}signup/api/openapi.json").status_code == 200
    project.asks(f"get_user_model().objects.create_superuser('admin', 'admin@example.com', '{PASSWORD}')")
    boss = project.visitor.opens(f"{project.url}admin/").submits(username="admin", password=PASSWORD)
    assert "Our own admin" in boss.page.text
    assert "Started in the last 24 hours" in boss.page.text
