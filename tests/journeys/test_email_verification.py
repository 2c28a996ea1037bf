"""The two workflows: the address is verified before the hand-off (B37, B38) or later (B41)."""

import pytest
from django.contrib.auth.models import User

from okta_devorg import OrgHandle
from selfreg.models import OktaIdentity, Registration
from selfreg.statuses import Status
from support.person import SITE, Person

pytestmark = pytest.mark.database

LINK_ONLY = {"email_verification": True, "authenticators": {"okta_email": "disabled"}}
NO_VERIFICATION = {"email_verification": False, "authenticators": {"okta_email": "disabled"}}


@pytest.fixture
def awaiting(person: Person, org: OrgHandle) -> Person:
    """A visitor whose org sends a link and gives no session until the link is opened."""
    org.patch_policy(LINK_ONLY)
    return person.opens_the_sign_up("?next=/members/").submits_profile().chooses("Password").sets_a_password()


def test_the_link_is_sent_immediately_and_the_page_shows_the_address(awaiting: Person, org: OrgHandle) -> None:
    assert awaiting.heading == "Check your email"
    assert "ada@example.com" in awaiting.page.text
    assert len(org.messages("ada@example.com")) == 1
    assert not awaiting.is_signed_in
    assert not User.objects.exists()
    assert Registration.objects.get().status == Status.AWAITING_EMAIL


def test_a_sign_up_that_ends_with_a_link_makes_six_calls(awaiting: Person, org: OrgHandle) -> None:
    assert len(org.calls()) == 6


def test_sign_in_fails_before_the_link_is_opened(awaiting: Person) -> None:
    awaiting.follows("I've confirmed my email").signs_in_at_the_org()
    assert not awaiting.is_signed_in


def test_sign_in_after_opening_the_link_completes_the_registration(awaiting: Person, org: OrgHandle) -> None:
    awaiting.opens_the_email_link(org).signs_in_at_the_org()
    assert awaiting.is_signed_in
    row = Registration.objects.get()
    assert (row.status, row.user) == (Status.COMPLETED, User.objects.get())
    assert OktaIdentity.objects.get().email_verified_at is not None


def test_the_link_can_be_opened_on_another_device_and_repeatedly(awaiting: Person, org: OrgHandle) -> None:
    Person().opens_the_email_link(org, "ada@example.com")
    Person().opens_the_email_link(org, "ada@example.com")
    awaiting.follows("I've confirmed my email").signs_in_at_the_org()
    assert awaiting.is_signed_in
    assert awaiting.path == "/members/"


def test_the_waiting_page_can_be_opened_again_without_a_call(awaiting: Person, org: OrgHandle) -> None:
    before = len(org.calls())
    assert awaiting.opens("/signup/step/").heading == "Check your email"
    assert awaiting.opens("/signup/done/").heading == "Check your email"
    assert len(org.calls()) == before


# ---- optional


def test_optional_verification_signs_in_immediately_and_shows_the_address_as_unverified(
    person: Person, org: OrgHandle, configure: object
) -> None:
    configure(EMAIL_VERIFICATION="optional")  # type: ignore[operator]
    org.patch_policy(NO_VERIFICATION)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    assert person.is_signed_in
    assert "Not verified yet" in person.page.text
    assert OktaIdentity.objects.get().email_verified_at is None


def test_opening_the_link_later_verifies_the_address_at_the_next_sign_in(
    person: Person, org: OrgHandle, configure: object
) -> None:
    configure(EMAIL_VERIFICATION="optional")  # type: ignore[operator]
    org.patch_policy(NO_VERIFICATION)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    later = Person().opens_the_email_link(org)
    if later.page.url.startswith(org.base):
        later.signs_in_at_the_org()
    assert later.is_signed_in
    assert "Not verified yet" not in later.opens(SITE).page.text
    assert OktaIdentity.objects.get().email_verified_at is not None


# ---- a site that is stricter than its org


def test_mandatory_verification_gives_no_session_if_the_org_does_not_verify(person: Person, org: OrgHandle) -> None:
    org.patch_policy(NO_VERIFICATION)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    assert not person.is_signed_in
    assert person.heading == "Check your email"
    assert not User.objects.exists()
    assert Registration.objects.get().status == Status.AWAITING_EMAIL


def test_mandatory_verification_refuses_sign_in_until_the_link_is_opened(person: Person, org: OrgHandle) -> None:
    org.patch_policy(NO_VERIFICATION)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    again = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert (again.is_signed_in, "confirmed yet" in again.page.text) == (False, True)
    again.opens_the_email_link(org)
    if again.page.url.startswith(org.base):
        again.signs_in_at_the_org()
    assert again.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED
