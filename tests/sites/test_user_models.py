"""Sites with user models of their own: each is walked in a process of its own (`support.sites.walk`)."""

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
STOCK = "django.contrib.auth.backends.ModelBackend"
LONG = "augusta.ada.king.countess.of.lovelace@example.com"


def walked(user: str, job: Mapping[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
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
    """A user model with which people sign up, what its row is then, and what ``check`` says."""

    user: str
    row: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


SITES_FOLDER = "support.sites"
MEMORY = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
TWO_DATABASES = {"default": MEMORY, "people": MEMORY}
ADA = {"first_name": "Ada", "last_name": "Lovelace"}
EMAIL = {"email": "ada@example.com"}
SITES = (
    Site("", ADA | EMAIL),
    Site(
        "",
        ADA | EMAIL,
        settings={"DATABASES": TWO_DATABASES, "DATABASE_ROUTERS": [f"{SITES_FOLDER}.routers.PeopleElsewhere"]},
    ),
    Site("email_login", EMAIL),
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
    Site("unique_address_by_tenant", ADA | EMAIL),
    Site("with_a_profile", ADA | EMAIL),
    Site("phone_login", EMAIL, ("validators refuse user names like 'okta-0123456789a'",)),
    Site("address_as_key", EMAIL, ("'email'",)),
    Site(
        "required_columns",
        EMAIL | {"first_name": "ADA", "company": "Lovelace of mandatory", "birthday": "1815-12-10"},
        settings={"SELFREG": {"USER_FACTORY": FACTORY}},
    ),
    Site("required_columns", EMAIL | {"company": "Own"}, settings={"AUTHENTICATION_BACKENDS": [BACKEND, STOCK]}),
)


def named(site: Site) -> str:
    return "-".join([site.user or "django", *(name.lower() for name in site.settings)])


@pytest.mark.parametrize("site", SITES, ids=named)
def test_people_sign_up_and_a_changed_address_arrives(site: Site) -> None:
    """Two people, so that nothing only works once; and one of them signs in again, with another address."""
    done = walked(site.user, {"then": ["second_person_signs_up", "changes_address"]}, **site.settings)
    assert [page["signed_in"] for page in done["pages"]] == [True, True, True], done["pages"][-1]
    assert done["failures"] == ["", ""]
    assert done["proven"] == [True, True]
    assert (done["log"], [c for c in done["checks"] if not any(w in c for w in site.warnings)]) == ("", [])
    ada = next(row for row in done["users"] if "grace@example.com" not in row.values())
    assert all(len(value) < 255 for value in ada.values())
    stays = site.user == "address_as_key"
    changed = {k: v if stays else v.replace("ada@", "ada.king@") for k, v in site.row.items()}
    # A factory makes users; later changes are the backend's.
    changed |= {"first_name": "Ada"} if site.row.get("first_name") == "ADA" else {}
    assert {name: ada[name] for name in changed} == changed
    assert len(done["users"]) == 2


UNUSABLE = {
    "required_columns": ("'birthday'", "'employer'", "'company'"),
    "unique_columns": ("'phone'",),
    "unique_name": ("'full_name'",),
    "number_login": ("'number'",),
    "validates_in_save": ("'company'",),
    "short_address": ("'email'",),
}


@pytest.mark.parametrize("user", UNUSABLE)
def test_a_check_names_each_column_and_a_failure_is_a_page_with_its_own_words(user: str) -> None:
    done = walked(user, {"then": ["second_person_signs_up"]})
    assert all(any(column in check for check in done["checks"]) for column in UNUSABLE[user]), done["checks"]
    assert len(done["checks"]) == len(UNUSABLE[user])
    last = done["pages"][-1]
    assert (last["signed_in"], last["status"]) == (False, 200)
    assert "this site couldn't set it up" in last["text"]
    assert done["failures"][-1] == "selfreg.user_not_created"
    assert "Traceback" in done["log"]
    assert len(done["users"]) == len([page for page in done["pages"] if page["signed_in"]])


@pytest.mark.parametrize(
    ("user", "settings"),
    [
        ("unlucky_signal", {}),
        ("address_of_our_company", {}),
        ("", {"SELFREG": {"USER_FACTORY": "support.sites.people.factories.nobody"}}),
    ],
)
def test_code_of_the_site_that_fails_is_a_page_and_in_the_log(user: str, settings: dict[str, Any]) -> None:
    done = walked(user, **settings)
    assert done["failures"] == ["selfreg.user_not_created"]
    assert (done["pages"][0]["status"], done["users"]) == (200, [])
    assert "Traceback" in done["log"]


def test_a_factory_that_is_not_there_is_named_by_a_check() -> None:
    done = walked("", {}, SELFREG={"USER_FACTORY": "nowhere.to.be.found"})
    assert any("USER_FACTORY" in check for check in done["checks"])


UNIQUE = (
    "unique_address",
    "unique_address_in_any_case",
    "unique_address_of_the_living",
    "unique_address_by_tenant",
    "key_of_a_parent",
    "email_login",
    "address_as_key",
)


@pytest.mark.parametrize("user", UNIQUE)
def test_only_a_real_clash_of_the_address_says_so(user: str) -> None:
    done = walked(user, {"before": ["ada@example.com"]})
    assert done["failures"] == ["selfreg.address_taken"]
    assert "already has an account with this email address" in done["pages"][0]["text"]
    assert (len(done["users"]), done["log"]) == (1, "registration.failed\n")


@pytest.mark.parametrize("user", ["unique_address", "unique_address_in_any_case", "email_login", "proxy"])
@pytest.mark.parametrize("workflow", ["mandatory", "optional"])
def test_an_address_belongs_to_who_proved_it_not_to_who_claimed_it_first(user: str, workflow: str) -> None:
    done = walked(user, {"held": "unproven"}, SELFREG={"EMAIL_VERIFICATION": workflow})
    assert done["pages"][0]["signed_in"]
    held, ada = (row["email"] for row in done["users"])
    assert (held.endswith("@unproven.invalid"), ada, done["proven"]) == (True, "ada@example.com", [False, True])
    assert "ada@example.com" not in done["log"]


@pytest.mark.parametrize("how", ["proven", "linked", "with a password"])
def test_an_address_that_its_user_may_have_proved_is_not_taken_away(how: str) -> None:
    done = walked("unique_address", {"held": how}, SELFREG={"EMAIL_VERIFICATION": "optional"})
    assert done["failures"] == ["selfreg.address_taken"]
    assert [row["email"] for row in done["users"]] == ["ada@example.com"]


@pytest.mark.parametrize("user", ["unique_address", "email_login", "proxy"])
@pytest.mark.parametrize("workflow", ["mandatory", "optional"])
def test_an_address_that_becomes_somebody_elses_locks_nobody_out(user: str, workflow: str) -> None:
    """Her old address stays, and is as proven as it was; her name changes all the same."""
    job = {"then": ["changes_to_somebody_elses_address"]}
    done = walked(user, job, SELFREG={"EMAIL_VERIFICATION": workflow})
    assert done["pages"][-1]["signed_in"]
    assert sorted(row["email"] for row in done["users"]) == ["ada@example.com", "bob@example.com"]
    assert done["proven"] == [True]
    assert "the old one stays" in done["log"]
    assert "Traceback" not in done["log"]


def test_an_address_that_does_not_fit_is_neither_cut_nor_proven() -> None:
    """The column has room for "a@b.example" and no more: a change to a long address leaves the old one."""
    done = walked("short_column", {"then": ["changes_to_a_long_address"]})
    assert [page["signed_in"] for page in done["pages"]] == [True, True]
    assert [row["email"] for row in done["users"]] == ["ada@example.com"]
    assert f"{len(LONG)} characters" in done["log"]


def test_a_name_that_the_site_refuses_locks_nobody_out() -> None:
    done = walked("validates_names", {"then": ["changes_name"]})
    assert [page["signed_in"] for page in done["pages"]] == [True, True]
    assert done["users"][0]["last_name"] == "Lovelace"
    assert "Another name." in done["log"]
