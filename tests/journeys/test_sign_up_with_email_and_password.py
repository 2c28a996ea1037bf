"""Scenario B1: the address is proven by a code, a password is set, everything optional is skipped."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from okta_devorg import OrgHandle
from selfreg.models import OktaIdentity, Registration
from selfreg.statuses import Status
from support.page import text
from support.person import Person

pytestmark = pytest.mark.database

PHONE_TOO = {"authenticators": {"phone_number": "optional"}}


def test_the_pages_come_in_the_order_the_org_asks_for_them(person: Person, org: OrgHandle) -> None:
    org.patch_policy(PHONE_TOO)
    assert person.opens_the_sign_up().heading == "Create your account"
    assert person.tells_who_she_is().heading == "Check your email"
    assert person.chooses("Email").heading == "Check your email"
    assert person.types_the_code_from(org).heading == "Choose a password"
    assert person.chooses("Password").heading == "Choose a password"
    assert person.sets_a_password().heading == "Secure your account"
    person.presses("Skip for now")
    assert person.is_signed_in
    assert person.path == "/"
    assert person.heading == "Hello, Ada Lovelace"
    assert "ada@example.com" in person.page.text


def test_the_finished_person_is_one_django_user_known_by_issuer_and_subject(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    user, identity = User.objects.get(), OktaIdentity.objects.get()
    (account,) = org.users
    assert (identity.user, identity.issuer, identity.subject) == (user, org.issuer, account.id)
    assert identity.email_verified_at is not None
    assert (user.email, user.first_name, user.last_name) == ("ada@example.com", "Ada", "Lovelace")
    assert not user.has_usable_password()
    assert not user.is_staff
    assert not user.is_superuser
    assert re.fullmatch("okta-[0-9a-f]{32}", user.username)


def test_the_row_is_completed_and_holds_nothing_sealed_any_more(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    row = Registration.objects.get()
    assert row.status == Status.COMPLETED
    assert row.user == User.objects.get()
    assert row.okta_user_id == org.users[0].id
    assert row.sealed == ""
    assert row.email_verified_at is not None
    assert row.finished_at is not None
    assert [e.kind for e in row.events.all()] == [
        "started", "answered", "answered", "answered", "verified", "answered", "answered", "completed",
    ]  # fmt: skip


def test_the_session_that_was_anonymous_does_not_survive_the_sign_in(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    person.tells_who_she_is()
    before = person.browser.cookies["sessionid"].value
    person.chooses("Email").types_the_code_from(org).chooses("Password").sets_a_password()
    assert person.browser.cookies["sessionid"].value != before
    assert "selfreg" not in person.browser.session


def test_who_is_signed_in_is_not_asked_to_sign_up(person: Person, org: OrgHandle) -> None:
    person.signs_up(org).opens_the_sign_up("?next=/members/")
    assert person.path == "/members/"


@pytest.mark.parametrize("issuer", ["the org", "a custom server"])
def test_it_works_with_the_orgs_own_issuer_and_with_a_custom_one(
    person: Person, org: OrgHandle, configure: object, issuer: str
) -> None:
    configure(ISSUER=org.base if issuer == "the org" else org.issuer)  # type: ignore[operator]
    assert person.signs_up(org).is_signed_in


def test_a_public_client_signs_up_without_a_secret(person: Person, org: OrgHandle, configure: object) -> None:
    app = {"client_id": "0oaPublic", "redirect_uris": ["http://testserver/oidc/callback/"]}
    org.patch_policy({"apps": [app]})
    configure(CLIENT_ID="0oaPublic", CLIENT_SECRET="")  # type: ignore[operator]
    assert person.signs_up(org).is_signed_in


def test_a_wrong_code_a_lost_mail_and_a_closed_tab_cost_no_second_beginning(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    person.opens_the_sign_up("?next=/members/").tells_who_she_is().chooses("Email")
    wrong = "000000" if org.code(person.email) != "000000" else "111111"
    person.fills_and_presses({"credentials.passcode": wrong}).presses("Resend code")
    person.opens("/").follows("Sign up").follows("Continue signing up")
    assert person.heading == "Check your email"
    person.types_the_code_from(org).chooses("Password").sets_a_password()
    assert (person.is_signed_in, person.path) == (True, "/members/")
    assert Registration.objects.count() == 1


def test_a_password_that_breaks_the_rules_costs_no_call(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    before = len(org.calls())
    page = person.sets_a_password("short").page
    assert page.beside("credentials.passcode") == [
        "Use a password with: at least 8 characters, an uppercase letter, a number."
    ]
    assert len(org.calls()) == before
    broken = [text(li).removesuffix(" (missing)") for li in page.all("li", "unmet")]
    assert broken == ["At least 8 characters", "An uppercase letter", "A number"]
