"""Sites with other servers and packages, made by `startproject` with the built wheel."""

from collections.abc import Callable

import pytest

from support.sites.project import Project, Recipe
from support.sites.recipes import ALLAUTH, ASGI, JAZZMIN, OTP, PLAIN, UNFOLD
from support.web_visitor import PASSWORD, WebVisitor

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

Run = Callable[[Recipe], Project]
ADMIN = (
    "",
    "selfreg/",
    "selfreg/registration/",
    "selfreg/registration/funnel/",
    "selfreg/registration/form/",
    "selfreg/oktaidentity/",
    "selfreg/doctorrun/",
)


def admin_pages(project: Project) -> list[str]:
    """Return the URLs of this app's admin pages, including one registration."""
    key = project.evaluate("Registration.objects.first().pk")
    return [f"{project.url}admin/{path}" for path in (*ADMIN, f"selfreg/registration/{key}/change/")]


def administrator(project: Project) -> WebVisitor:
    """Create a superuser and return a visitor at the admin login."""
    project.evaluate(f"get_user_model().objects.create_superuser('admin', 'admin@example.com', '{PASSWORD}')")
    return project.visitor.opens(f"{project.url}admin/")


@pytest.mark.parametrize("recipe", [PLAIN, *ASGI, OTP, ALLAUTH, UNFOLD, JAZZMIN], ids=lambda recipe: recipe.name)
def test_sign_up_and_sign_in_work_with_other_servers_and_packages(runs_site: Run, recipe: Recipe) -> None:
    project = runs_site(recipe)
    assert "no issues" in project.manage("check")
    assert "Hello, Ada!" in project.visitor.signs_up("neighbour@example.com").text
    assert "Hello, Ada!" in project.visitor.signs_in("neighbour@example.com").text
    registrations = "Registration.objects.filter(email='neighbour@example.com')"
    assert project.evaluate(f"[r.status for r in {registrations}]") == "['completed']"


def test_admin_requires_a_second_factor_with_django_otp(runs_site: Run) -> None:
    project = runs_site(OTP)
    project.visitor.signs_up("grace@example.com")
    visitor = administrator(project)
    assert "otp_token" in visitor.page.names()
    user = "get_user_model().objects.get(username='admin')"
    project.manage("addstatictoken", "-t", "letmein", "admin")
    device = project.evaluate(f"{user}.staticdevice_set.get().persistent_id")
    visitor.submits(username="admin", password=PASSWORD, otp_device=device, otp_token="letmein")
    for url in admin_pages(project):
        assert "Log out" in visitor.opens(url).page.text


def test_allauth_user_can_be_linked_to_an_okta_account(runs_site: Run) -> None:
    project = runs_site(ALLAUTH)
    bob = project.visitor.opens(f"{project.url}accounts/signup/")
    bob.submits(username="bob", email="bob@example.com", password1=PASSWORD, password2=PASSWORD)
    returning_visitor = project.visitor.opens(f"{project.url}accounts/login/").submits(login="bob", password=PASSWORD)
    assert "Sign out" in returning_visitor.page.text
    assert "Hello, Ada!" in project.visitor.signs_up("bob@example.com").text
    identities = "OktaIdentity.objects.filter(user__email='bob@example.com')"
    assert project.evaluate(f"[(i.user.username, bool(i.linked_at)) for i in {identities}]") == "[('bob', True)]"
