"""Scenario B1: verify the address with a code, set a password, skip everything optional."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from okta_devorg import OrgHandle
from selfreg.models import OktaIdentity, Registration
from selfreg.statuses import Status
from support.page import text
from support.person import Person

pytestmark = [pytest.mark.database, pytest.mark.every_database]

PHONE_OPTIONAL = {"authenticators": {"phone_number": "optional"}}


def test_pages_appear_in_the_order_of_the_policy(person: Person, org: OrgHandle) -> None:
    org.patch_policy(PHONE_OPTIONAL)
    assert person.opens_the_sign_up().heading == "Create your account"
    assert person.submits_profile().heading == "Check your email"
    assert person.chooses("Email").heading == "Check your email"
    assert person.types_the_code_from(org).heading == "Choose a password"
    assert person.chooses("Password").heading == "Choose a password"
    assert person.sets_a_password().heading == "Secure your account"
    person.presses("Skip for now")
    assert person.is_signed_in
    assert person.path == "/"
    assert person.heading == "Hello, Ada Lovelace"
    assert "ada@example.com" in person.page.text


def test_a_completed_sign_up_creates_one_user_with_issuer_and_subject(person: Person, org: OrgHandle) -> None:
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


def test_a_completed_registration_has_no_sealed_state_and_all_its_events(person: Person, org: OrgHandle) -> None:
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


def test_the_session_key_changes_at_login(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    person.submits_profile()
    before = person.browser.cookies["sessionid"].value
    person.chooses("Email").types_the_code_from(org).chooses("Password").sets_a_password()
    assert person.browser.cookies["sessionid"].value != before
    assert "selfreg" not in person.browser.session


def test_a_signed_in_visitor_is_redirected_from_the_sign_up_page(person: Person, org: OrgHandle) -> None:
    person.signs_up(org).opens_the_sign_up("?next=/members/")
    assert person.path == "/members/"


@pytest.mark.parametrize("issuer", ["the org", "a custom server"])
def test_sign_up_works_with_the_org_issuer_and_with_a_custom_authorization_server(
    person: Person, org: OrgHandle, configure: object, issuer: str
) -> None:
    configure(ISSUER=org.base if issuer == "the org" else org.issuer)  # type: ignore[operator]
    assert person.signs_up(org).is_signed_in


def test_sign_up_works_with_a_public_client_without_a_secret(person: Person, org: OrgHandle, configure: object) -> None:
    app = {"client_id": "0oaPublic", "redirect_uris": ["http://testserver/oidc/callback/"]}
    org.patch_policy({"apps": [app]})
    configure(CLIENT_ID="0oaPublic", CLIENT_SECRET="")  # type: ignore[operator]
    assert person.signs_up(org).is_signed_in


def test_a_wrong_code_a_resend_and_a_closed_tab_keep_the_same_registration(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    person.opens_the_sign_up("?next=/members/").submits_profile().chooses("Email")
    wrong = "000000" if org.code(person.email) != "000000" else "111111"
    person.fills_and_presses({"credentials.passcode": wrong}).presses("Resend code")
    person.opens("/").follows("Sign up").follows("Continue signing up")
    assert person.heading == "Check your email"
    person.types_the_code_from(org).chooses("Password").sets_a_password()
    assert (person.is_signed_in, person.path) == (True, "/members/")
    assert Registration.objects.count() == 1


def test_a_password_that_breaks_the_rules_is_rejected_without_a_call(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    before = len(org.calls())
    page = person.sets_a_password("short").page
    assert page.beside("credentials.passcode") == [
        "Use a password with: at least 8 characters, an uppercase letter, a number."
    ]
    assert len(org.calls()) == before
    unmet = [text(li).removesuffix(" (missing)") for li in page.all("li", "unmet")]
    assert unmet == ["At least 8 characters", "An uppercase letter", "A number"]
