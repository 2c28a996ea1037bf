"""The admin shows each step of a registration and does not let anyone edit it."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from okta_devorg import OrgHandle
from selfreg.models import OktaIdentity, Registration
from support.person import SITE, Person

pytestmark = pytest.mark.database

LIST = f"{SITE}/admin/selfreg/registration/"


@pytest.fixture
def administrator(db: None) -> Person:
    admin = Person()
    user = User.objects.create_superuser("admin", "admin@example.com", "x")
    admin.browser.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return admin


def row_page() -> str:
    return f"{LIST}{Registration.objects.get().pk}/change/"


def test_admin_shows_the_step_and_the_events_of_a_registration_after_each_step(
    person: Person, administrator: Person, org: OrgHandle
) -> None:
    person.opens_the_sign_up().submits_profile()
    assert "Setting up" in administrator.opens(LIST).page.text
    person.chooses("Email")
    assert "Email code" in administrator.opens(LIST).page.text
    assert "Went on to the next method" in administrator.opens(row_page()).page.text
    person.fills_and_presses({"credentials.passcode": "000000" if org.code(person.email) != "000000" else "111111"})
    assert "1 wrong code, last try just now" in administrator.opens(row_page()).page.text
    person.types_the_code_from(org)
    assert "The email address was verified" in administrator.opens(row_page()).page.text
    person.chooses("Password").sets_a_password()
    page = administrator.opens(row_page()).page
    assert "Completed" in page.text
    assert org.users[0].id in page.text


def test_admin_search_finds_an_address_by_its_prefix(person: Person, administrator: Person) -> None:
    person.opens_the_sign_up().submits_profile()
    assert person.email in administrator.opens(f"{LIST}?q=Ada@Example.com").page.text
    assert person.email in administrator.opens(f"{LIST}?q=ad").page.text
    assert person.email not in administrator.opens(f"{LIST}?q=example.com").page.text


# The page of a registration accepts no POST at all; that of an identity is Django's own.
@pytest.mark.parametrize(("model", "refused"), [("registration", 405), ("oktaidentity", 403)])
def test_admin_does_not_allow_adding_changing_or_deleting(
    person: Person, administrator: Person, org: OrgHandle, model: str, refused: int
) -> None:
    person.signs_up(org)
    row = (Registration if model == "registration" else OktaIdentity).objects.get()
    base = f"/admin/selfreg/{model}/"
    browser = administrator.browser
    page = administrator.opens(f"{SITE}{base}{row.pk}/change/").page
    assert 'name="_save"' not in page.html
    assert not [c for f in page.forms for c in f.controls if c.name in ("status", "email", "user", "subject", "issuer")]
    assert browser.get(f"{base}add/").status_code == 403
    assert browser.get(f"{base}{row.pk}/delete/").status_code == 403
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value} if "csrftoken" in browser.cookies else {}
    assert browser.post(f"{base}{row.pk}/change/", {**token, "status": "failed"}).status_code == refused
    row.refresh_from_db()
    assert getattr(row, "status", "completed") == "completed"


def test_admin_shows_the_country_from_the_configured_header(
    person: Person, administrator: Person, configure: Callable[..., None]
) -> None:
    configure(COUNTRY_HEADER="X-Country")
    person.browser.defaults["HTTP_X_COUNTRY"] = "NZ"
    person.opens_the_sign_up().submits_profile()
    assert "NZ" in administrator.opens(row_page()).page.text
