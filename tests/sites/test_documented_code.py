"""The code in the how-to guides, in a site made by the tutorial."""

import json
import re
import time
from collections.abc import Callable

import pytest
import requests

from okta_devorg.testing import OktaOrg
from support.documentation import blocks_of
from support.sites.project import Project, Recipe
from support.sites.wheel import ROOT, run
from support.web_visitor import PASSWORD

pytestmark = pytest.mark.slow

Run = Callable[[Recipe], Project]
SETTINGS, URLS = "mysite/settings.py", "mysite/urls.py"
LINK = re.compile(r"^http://\S+$", re.MULTILINE)
# A user model with the column that is filled in docs/user-models.md.
COMPANY = {
    "people/__init__.py": "",
    "people/models.py": """
from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    company = models.CharField(max_length=100)
""",
    "people/migrations/__init__.py": "",
    "people/migrations/0001_initial.py": """
from django.contrib.auth.models import AbstractUser
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    company = ("company", models.CharField(max_length=100))
    key = ("id", models.AutoField(primary_key=True))
    operations = [migrations.CreateModel("User", [key, company], bases=(AbstractUser,))]
""",
}


def recipe_of(name: str, *pages: str, settings: str = "", urls: str = "", **files: str) -> Recipe:
    """Return a recipe for a site with the code of these pages."""
    texts = {SETTINGS: settings, **files}
    for page in pages:
        for block in blocks_of((ROOT / "docs" / page).read_text()):
            if block.file:
                texts[block.file] = texts.get(block.file, "") + block.text
    return Recipe(name, texts.pop(SETTINGS), urls, texts)


HOOKS = recipe_of(
    "hooks",
    "signals-and-hooks.md",
    urls="""
from mysite.views import invoices

urlpatterns += [path("invoices/", invoices)]
""",
)
MODELS = recipe_of(
    "models",
    "user-models.md",
    settings="""
INSTALLED_APPS += ["people"]
AUTH_USER_MODEL = "people.User"
""",
    **COMPANY,
)
INVITATIONS = recipe_of(
    "invitations", "invitations.md", settings='EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"\n'
)
APPROVAL = recipe_of("approval", "approval.md")
OBSERVED = recipe_of("observed", "observability.md")
TESTED = recipe_of("tested", "testing.md")
MOVED = recipe_of("moved", "moving.md")
TOKEN = "only-for-trying-it-out"


def test_documented_receiver_hook_and_view_for_verified_users_work(runs_site: Run) -> None:
    project = runs_site(HOOKS)
    visitor = project.visitor
    person = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com"}
    visitor.opens(f"{project.url}signup/").submits(**{f"userProfile.{name}": value for name, value in person.items()})
    assert visitor.page.beside("userProfile.email") == ["Please use your partner address."]
    assert "Hello, Ada!" in visitor.signs_up("ada@partner.example").text
    assert "ada@partner.example has signed up" in project.log
    assert visitor.opens(f"{project.url}invoices/").page.html == "No invoices yet."


def test_documented_user_factory_works(runs_site: Run) -> None:
    project = runs_site(MODELS)
    assert "no issues" in project.manage("check")
    assert "Hello, Ada!" in project.visitor.signs_up("ada@example.com").text
    assert (
        project.evaluate("[(u.username[:3], u.email) for u in get_user_model().objects.all()]")
        == "[('00u', 'ada@example.com')]"
    )


def test_documented_invitation_by_email_works(runs_site: Run) -> None:
    project = runs_site(INVITATIONS)
    email = project.manage(
        "shell", "-v", "0", "-c", "from mysite.invitations import *; invite('ada@example.com', 'Ada', 'L')"
    )
    (link,) = LINK.findall(email)
    assert "Hello, Ada!" in project.visitor.goes_on(link, "ada@example.com").text


def test_documented_approval_works(runs_site: Run) -> None:
    project = runs_site(APPROVAL)
    ada, admin = project.visitor, project.visitor
    assert "Your sign-up is being reviewed" in ada.signs_up("ada@example.com").text
    project.evaluate(f"get_user_model().objects.create_superuser('admin', 'admin@example.com', '{PASSWORD}')")
    admin.opens(f"{project.url}admin/").submits(username="admin", password=PASSWORD)
    approve = {"_selected_action": project.evaluate("Registration.objects.get().pk"), "confirmed": "yes"}
    token = {"csrfmiddlewaretoken": admin.browser.cookies["csrftoken"]}
    response = admin.browser.post(f"{project.url}admin/selfreg/registration/act/approve/", approve | token, timeout=60)
    assert "1 sign-up approved." in response.text
    assert "You can sign in to My site now" in project.log
    assert "Hello, Ada!" in ada.signs_in("ada@example.com").text


def test_documented_logging_metrics_and_tracing_work(runs_site: Run) -> None:
    project = runs_site(OBSERVED)
    project.visitor.signs_up("ada@example.com")
    lines = [json.loads(line) for line in project.log.splitlines() if line.startswith('{"time"')]
    completed = next(line for line in lines if line["event"] == "registration.completed")
    assert completed.keys() >= {"time", "level", "logger", "request_id", "registration"}
    url = f"{project.url}signup/metrics"
    assert requests.get(url, timeout=60).status_code == 401
    metrics = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
    assert re.search(r"^selfreg_completed_total 1\.0$", metrics.text, re.MULTILINE)
    assert requests.get(f"{project.url}signup/health/ready", timeout=60).json()["missing"] == []
    for _ in range(100):
        if '"kind": "SpanKind.CLIENT"' in project.log:
            break
        time.sleep(0.2)
    assert '"kind": "SpanKind.CLIENT"' in project.log


def test_documented_script_connects_users_of_mozilla_django_oidc(runs_site: Run) -> None:
    project = runs_site(MOVED)
    OktaOrg(project.org).sign_up("ada@example.com", PASSWORD, firstName="Ada")
    project.evaluate("get_user_model().objects.create_user('hash-of-an-address', 'ADA@example.com').pk")
    project.evaluate(f"get_user_model().objects.create_superuser('boss', 'boss@example.com', '{PASSWORD}').pk")
    output = run("python manage.py shell -v 0 < join.py", project.folder, project.environment)
    assert "connected with user hash-of-an-address" in output
    assert "Hello, Ada!" in project.visitor.signs_in("ada@example.com").text
    assert project.evaluate("get_user_model().objects.count()") == "2"


def test_documented_site_tests_pass(runs_site: Run) -> None:
    project = runs_site(TESTED)
    assert "4 passed" in run(["python", "-m", "pytest", "-q"], project.folder, project.environment)
