"""The admin page with the org's profile form and the history of its changes."""

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
    defaults = {"name": name, "label": name.title(), "type": "string", "required": False, "display": "", "options": []}
    return defaults | more


def load_page(browser: Client) -> str:
    cache.clear()
    return browser.get(f"{LIST}form/").content.decode()


def test_page_shows_the_form_without_creating_an_account(manager: Client, org: OrgHandle) -> None:
    page = load_page(manager)
    assert "userProfile.lastName" in page
    assert not org.users
    assert not Registration.objects.exists()


def test_changed_form_is_described(manager: Client, org: OrgHandle) -> None:
    load_page(manager)
    org.patch_policy({"profile": [*(profile_field_of(f) for f in org.policy.profile), PHONE]})
    page = load_page(manager)
    assert "“Phone” was added and is required." in page
    assert PolicyVersion.objects.count() == 2


def profile_field_of(attribute: Any) -> dict[str, Any]:
    return {name: getattr(attribute, name) for name in ("name", "label", "type", "required")}


def test_known_form_is_stored_once(person: Person, org: OrgHandle) -> None:
    for _ in range(3):
        cache.clear()
        person.opens_the_sign_up()
    assert PolicyVersion.objects.count() == 1


def test_policy_version_stored_twice_is_not_shown_as_a_change(manager: Client, org: OrgHandle) -> None:
    """For example, the first two visitors of a new site."""
    load_page(manager)
    version = PolicyVersion.objects.get()
    version.pk, version.seen_at = None, version.seen_at + timedelta(milliseconds=1)
    version.save(force_insert=True)
    assert "sign-up form changed" not in manager.get(LIST).content.decode()
    page = load_page(manager)
    assert page.count(f"?policy={version.fingerprint}") == 1
    assert "The first that was seen." in page


def test_known_form_needs_no_query(db: None, org: OrgHandle) -> None:
    org_of_the_site = connect(conf(), Visitor(language="en"))
    open_transaction(org_of_the_site)
    with CaptureQueriesContext(connection) as captured:
        open_transaction(org_of_the_site)
    assert not captured.captured_queries
    assert PolicyVersion.objects.count() == 1


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "html"}, {"kind": "reset"}])
def test_page_shows_an_error_if_the_org_fails(manager: Client, org: OrgHandle, fault: dict[str, Any]) -> None:
    org.fail("*", times=9, **fault)
    response = manager.get(f"{LIST}form/")
    assert response.status_code == 200
    assert "errornote" in response.content.decode()


def test_page_shows_an_error_if_the_org_denies_sign_up(manager: Client, org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    assert "errornote" in load_page(manager)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
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
def test_each_kind_of_change_is_described(before: Any, after: Any, expected: str | None) -> None:
    assert difference(before, after) == ((expected,) if expected else ())
