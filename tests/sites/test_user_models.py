"""Sites with custom user models, each in its own process (`support.sites.walk`)."""

import json
import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from support.sites.walk_process import INDEPENDENT_OF_SETTINGS, walk_in_process

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(INDEPENDENT_OF_SETTINGS)

FACTORY = "support.sites.people.factories.colleague"
BACKEND = "support.sites.people.factories.OwnBackend"
DEFAULT_BACKEND = "django.contrib.auth.backends.ModelBackend"
LONG = "augusta.ada.king.countess.of.lovelace@example.com"


def run_site(user: str, job: Mapping[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """Return what ``walk.main`` returns of a site with this user model and these settings.

    Each site has a process of its own, forked from one that has imported what no setting changes.
    """
    receiver, sender = PROCESSES.Pipe(duplex=False)
    arguments = (sender, {"SITE_USER": user, "SITE_SETTINGS": json.dumps(settings)}, job or {})
    process = PROCESSES.Process(target=walk_in_process, args=arguments)
    process.start()
    sender.close()
    try:
        result: dict[str, Any] | str = receiver.recv()
    except EOFError:
        result = "it ended without a result"
    process.join()
    assert isinstance(result, dict), result
    return result


@dataclass(frozen=True)
class Site:
    """A user model, the expected row of a new user, and the expected system check messages."""

    user: str
    row: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


SITES_FOLDER = "support.sites"
MEMORY = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
MIGRATED: Mapping[str, Any] = {"MIGRATION_MODULES": {}}
TWO_DATABASES = {"default": MEMORY, "people": MEMORY}
ADA = {"first_name": "Ada", "last_name": "Lovelace"}
EMAIL = {"email": "ada@example.com"}
SITES = (
    Site("", ADA | EMAIL),
    Site("", ADA | EMAIL, settings=MIGRATED),
    Site(
        "",
        ADA | EMAIL,
        settings={"DATABASES": TWO_DATABASES, "DATABASE_ROUTERS": [f"{SITES_FOLDER}.routers.PeopleElsewhere"]},
    ),
    Site("email_login", EMAIL),
    Site("email_login", EMAIL, settings=MIGRATED),
    Site("email_login_beside_username", ADA | EMAIL),
    Site("email_login_without_username", ADA | EMAIL),
    Site("address_by_another_name", {"login_address": "ada@example.com"}),
    Site("one_name", EMAIL | {"name": "Ada Lovelace"}),
    Site("full_name", EMAIL | {"full_name": "Ada Lovelace"}),
    Site("short_username", ADA | EMAIL),
    Site("unique_address", ADA | EMAIL),
    Site("unique_address_in_any_case", ADA | EMAIL),
    Site("validates_names", ADA | EMAIL),
    Site("bare", {}),
    Site("child", EMAIL | {"first_name": "Ada"}),
    Site("proxy", EMAIL),
    Site("key_of_a_parent", EMAIL),
    Site("unique_address_of_the_living", ADA | EMAIL),
    Site("deleted_softly", ADA | EMAIL),
    Site("unique_address_by_tenant", ADA | EMAIL),
    Site("with_a_profile", ADA | EMAIL),
    Site("phone_login", EMAIL, ("validators refuse user names like 'okta-0123456789a'",)),
    Site("address_as_key", EMAIL, ("'email'",)),
    Site(
        "required_columns",
        EMAIL | {"first_name": "ADA", "company": "Lovelace of mandatory", "birthday": "1815-12-10"},
        settings={"SELFREG": {"USER_FACTORY": FACTORY}},
    ),
    Site(
        "required_columns", EMAIL | {"company": "Own"}, settings={"AUTHENTICATION_BACKENDS": [BACKEND, DEFAULT_BACKEND]}
    ),
)


def site_id(site: Site) -> str:
    return "-".join([site.user or "django", *(name.lower() for name in site.settings)])


@pytest.mark.parametrize("site", SITES, ids=site_id)
def test_sign_up_and_changed_address_work_with_each_user_model(site: Site) -> None:
    """Two people sign up, and one of them signs in again with another address."""
    result = run_site(site.user, {"then": ["second_person_signs_up", "changes_address"]}, **site.settings)
    assert [page["signed_in"] for page in result["pages"]] == [True, True, True], result["pages"][-1]
    assert result["failures"] == ["", ""]
    assert result["proven"] == [True, True]
    assert (result["log"], [c for c in result["checks"] if not any(w in c for w in site.warnings)]) == ("", [])
    ada = next(row for row in result["users"] if "grace@example.com" not in row.values())
    assert all(len(value) < 255 for value in ada.values())
    address_is_fixed = site.user == "address_as_key"
    changed = {k: v if address_is_fixed else v.replace("ada@", "ada.king@") for k, v in site.row.items()}
    # The factory only creates users; the backend makes later changes.
    changed |= {"first_name": "Ada"} if site.row.get("first_name") == "ADA" else {}
    assert {name: ada[name] for name in changed} == changed
    assert len(result["users"]) == 2


UNUSABLE = {
    "required_columns": ("'birthday'", "'employer'", "'company'"),
    "unique_columns": ("'phone'",),
    "unique_name": ("'full_name'",),
    "number_login": ("'number'",),
    "validates_in_save": ("'company'",),
    "short_address": ("'email'",),
}


@pytest.mark.parametrize("user", UNUSABLE)
def test_unusable_user_model_is_reported_and_shows_an_error_page(user: str) -> None:
    result = run_site(user, {"then": ["second_person_signs_up"]})
    assert all(any(column in check for check in result["checks"]) for column in UNUSABLE[user]), result["checks"]
    assert len(result["checks"]) == len(UNUSABLE[user])
    last_page = result["pages"][-1]
    assert (last_page["signed_in"], last_page["status"]) == (False, 200)
    assert "this site couldn't set it up" in last_page["text"]
    assert result["failures"][-1] == "selfreg.user_not_created"
    assert "Traceback" in result["log"]
    assert len(result["users"]) == len([page for page in result["pages"] if page["signed_in"]])


@pytest.mark.parametrize(
    ("user", "settings"),
    [
        ("unlucky_signal", {}),
        ("address_of_our_company", {}),
        ("", {"SELFREG": {"USER_FACTORY": "support.sites.people.factories.nobody"}}),
    ],
)
def test_failing_code_of_the_site_shows_a_page_and_is_logged(user: str, settings: dict[str, Any]) -> None:
    result = run_site(user, **settings)
    assert result["failures"] == ["selfreg.user_not_created"]
    assert (result["pages"][0]["status"], result["users"]) == (200, [])
    assert "Traceback" in result["log"]


def test_system_check_reports_a_missing_user_factory() -> None:
    result = run_site("", {}, SELFREG={"USER_FACTORY": "nowhere.to.be.found"})
    assert any("USER_FACTORY" in check for check in result["checks"])


UNIQUE = (
    "unique_address",
    "unique_address_in_any_case",
    "unique_address_of_the_living",
    "deleted_softly",
    "unique_address_by_tenant",
    "key_of_a_parent",
    "email_login",
    "address_as_key",
)


@pytest.mark.parametrize("user", UNIQUE)
def test_taken_address_is_reported_only_for_a_real_conflict(user: str) -> None:
    result = run_site(user, {"before": ["ada@example.com"]})
    assert result["failures"] == ["selfreg.address_taken"]
    assert "already has an account with this email address" in result["pages"][0]["text"]
    assert (len(result["users"]), result["log"]) == (1, "registration.failed\n")


def test_user_hidden_by_the_default_manager_is_disabled() -> None:
    result = run_site("deleted_softly", {"then": ["leaves_and_signs_in_again"]})
    assert [page["signed_in"] for page in result["pages"]] == [True, False]
    assert "account is disabled" in result["pages"][1]["text"]


def test_address_of_a_hidden_user_is_taken() -> None:
    result = run_site("deleted_softly", {"then": ["another_signs_up_with_the_address_of_who_left"]})
    assert result["failures"] == ["", "selfreg.address_taken"]
    assert "Traceback" not in result["log"]


@pytest.mark.parametrize("user", ["unique_address", "unique_address_in_any_case", "email_login", "proxy"])
@pytest.mark.parametrize("workflow", ["mandatory", "optional"])
def test_verified_owner_gets_the_address_of_an_unverified_user(user: str, workflow: str) -> None:
    result = run_site(user, {"held": "unproven"}, SELFREG={"EMAIL_VERIFICATION": workflow})
    assert result["pages"][0]["signed_in"]
    holder, ada = (row["email"] for row in result["users"])
    assert (holder.endswith("@unproven.invalid"), ada, result["proven"]) == (True, "ada@example.com", [False, True])
    assert "ada@example.com" not in result["log"]


@pytest.mark.parametrize("how", ["proven", "linked", "with a password"])
def test_possibly_verified_address_is_not_taken_away(how: str) -> None:
    result = run_site("unique_address", {"held": how}, SELFREG={"EMAIL_VERIFICATION": "optional"})
    assert result["failures"] == ["selfreg.address_taken"]
    assert [row["email"] for row in result["users"]] == ["ada@example.com"]


@pytest.mark.parametrize("user", ["unique_address", "email_login", "proxy"])
@pytest.mark.parametrize("workflow", ["mandatory", "optional"])
def test_change_to_a_taken_address_keeps_the_old_one_and_signs_in(user: str, workflow: str) -> None:
    """The old address and its verification are kept."""
    job = {"then": ["changes_to_address_of_another_user"]}
    result = run_site(user, job, SELFREG={"EMAIL_VERIFICATION": workflow})
    assert result["pages"][-1]["signed_in"]
    assert sorted(row["email"] for row in result["users"]) == ["ada@example.com", "bob@example.com"]
    assert result["proven"] == [True]
    assert "the old one stays" in result["log"]
    assert "Traceback" not in result["log"]


def test_too_long_address_keeps_the_old_one() -> None:
    """The column is short. A change to a long address keeps the old one."""
    result = run_site("short_column", {"then": ["changes_to_a_long_address"]})
    assert [page["signed_in"] for page in result["pages"]] == [True, True]
    assert [row["email"] for row in result["users"]] == ["ada@example.com"]
    assert f"{len(LONG)} characters" in result["log"]


def test_name_rejected_by_the_site_keeps_the_old_one_and_signs_in() -> None:
    result = run_site("validates_names", {"then": ["changes_name"]})
    assert [page["signed_in"] for page in result["pages"]] == [True, True]
    assert result["users"][0]["last_name"] == "Lovelace"
    assert "Another name." in result["log"]
