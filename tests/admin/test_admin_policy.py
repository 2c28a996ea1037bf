"""The org's form as visitors would get it, and what its administrators changed in it."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from okta_devorg import OrgHandle
from selfreg.conf import conf
from selfreg.idx.client import Visitor
from selfreg.models import PolicyVersion, Registration
from selfreg.registration.policy import connect, open_transaction
from selfreg.registration.policy_history import difference
from support.person import Person
from support.staff import LIST

pytestmark = pytest.mark.database

PHONE = {"name": "mobilePhone", "label": "Phone", "type": "string", "required": True}


def field(name: str, **more: Any) -> dict[str, Any]:
    plain = {"name": name, "label": name.title(), "type": "string", "required": False, "display": "", "options": []}
    return plain | more


def form(browser: Client) -> str:
    cache.clear()
    return browser.get(f"{LIST}form/").content.decode()


def test_it_shows_the_form_and_creates_nobody(manager: Client, org: OrgHandle) -> None:
    page = form(manager)
    assert "userProfile.lastName" in page
    assert not org.users
    assert not Registration.objects.exists()


def test_a_change_at_the_org_is_told_in_words(manager: Client, org: OrgHandle) -> None:
    form(manager)
    org.patch_policy({"profile": [*(vars_of(f) for f in org.policy.profile), PHONE]})
    page = form(manager)
    assert "“Phone” was added and is required." in page
    assert PolicyVersion.objects.count() == 2


def vars_of(attribute: Any) -> dict[str, Any]:
    return {name: getattr(attribute, name) for name in ("name", "label", "type", "required")}


def test_a_form_that_is_known_is_written_down_once(person: Person, org: OrgHandle) -> None:
    for _ in range(3):
        cache.clear()
        person.opens_the_sign_up()
    assert PolicyVersion.objects.count() == 1


def test_a_version_that_two_visitors_wrote_down_at_once_is_no_change(manager: Client, org: OrgHandle) -> None:
    """The first two of a new site, say."""
    form(manager)
    written = PolicyVersion.objects.get()
    written.pk, written.seen_at = None, written.seen_at + timedelta(milliseconds=1)
    written.save(force_insert=True)
    assert "sign-up form changed" not in manager.get(LIST).content.decode()
    page = form(manager)
    assert page.count(f"?policy={written.fingerprint}") == 1
    assert "The first that was seen." in page


def test_a_known_form_costs_no_query(db: None, org: OrgHandle) -> None:
    org_of_the_site = connect(conf(), Visitor(language="en"))
    open_transaction(org_of_the_site)
    with CaptureQueriesContext(connection) as captured:
        open_transaction(org_of_the_site)
    assert not captured.captured_queries
    assert PolicyVersion.objects.count() == 1


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "html"}, {"kind": "reset"}])
def test_an_org_that_does_not_answer_is_a_sentence_on_the_page(
    manager: Client, org: OrgHandle, fault: dict[str, Any]
) -> None:
    org.fail("*", times=9, **fault)
    answer = manager.get(f"{LIST}form/")
    assert answer.status_code == 200
    assert "errornote" in answer.content.decode()


def test_an_org_without_sign_up_is_told(manager: Client, org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    assert "errornote" in form(manager)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([], [field("zip")], "“Zip” was added and is optional."),
        ([field("zip")], [], "“Zip” was removed."),
        ([field("zip")], [field("zip", required=True)], "“Zip” is now required."),
        ([field("zip", required=True)], [field("zip")], "“Zip” is now optional."),
        ([field("zip")], [field("zip", label="Postcode")], "zip: label “Zip” became “Postcode”."),
        ([field("c", options=["A (a)"])], [field("c", options=["A (a)", "B (b)"])], "“C” now offers: B (b)."),
        ([field("c", options=["A (a)"])], [field("c")], "“C” no longer offers: A (a)."),
        ([field("a"), field("b")], [field("b"), field("a")], "The order of the fields changed."),
        ([field("a")], [field("a")], None),
    ],
)
def test_each_kind_of_change_has_a_sentence(before: Any, after: Any, said: str | None) -> None:
    assert difference(before, after) == ((said,) if said else ())
