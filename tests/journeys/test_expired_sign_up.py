"""Expiry of the org's transaction: after two hours without an account, after five minutes between later steps."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.statuses import Status
from support.person import Person

pytestmark = pytest.mark.database


def test_a_step_submitted_after_the_transaction_expired_shows_the_timeout_page(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    org.advance(301)
    person.types_the_code_from(org)
    assert person.heading == "Your session timed out"
    row = Registration.objects.get()
    assert (row.status, row.sealed) == (Status.EXPIRED, "")


def test_start_again_after_a_timeout_shows_the_form_with_the_earlier_values(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    org.advance(301)
    person.types_the_code_from(org).follows("Start again")
    assert person.heading == "Create your account"
    assert person.page.typed("First name") == "Ada"
    assert person.page.typed("Last name") == "Lovelace"
    assert person.page.typed("Email") == "ada@example.com"


def test_the_timeout_page_mentions_saved_values_only_if_they_are_saved(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    Registration.objects.update(updated_at=timezone.now() - timedelta(days=2))
    call_command("selfreg_recover", verbosity=0)
    assert person.opens("/signup/step/").heading == "Your session timed out"
    assert "saved" not in person.page.text
    person.follows("Start again").submits_profile(Email="grace@example.com")
    person.email = "grace@example.com"
    org.advance(301)
    assert "What you typed on the first page is saved." in person.types_the_code_from(org).page.text


def test_a_get_of_an_expired_step_introspects_the_transaction(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().types_the_code_from(org)
    assert person.heading == "Choose a password"
    org.advance(301)
    Registration.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert person.opens("/signup/step/").heading == "Your session timed out"


def test_a_step_that_is_expired_only_by_the_clock_of_the_site_stays_open(person: Person, org: OrgHandle) -> None:
    """The clock of the site is fast."""
    person.opens_the_sign_up().submits_profile().fills_and_presses({"Enter code": "000000"})
    problems, calls = person.page.problems(), len(org.calls())
    Registration.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert person.opens("/signup/step/").page.problems() == problems
    assert len(org.calls()) == calls + 1
    assert person.types_the_code_from(org).heading == "Choose a password"


def test_start_again_after_a_timeout_completes_if_the_org_resumes_the_staged_account(
    person: Person, org: OrgHandle
) -> None:
    org.patch_policy({"unknowns": {"staged_user_signs_up_again": "resume"}})
    person.opens_the_sign_up("?next=/members/").submits_profile().chooses("Email")
    org.advance(301)
    person.types_the_code_from(org).completes_the_sign_up(org)
    assert person.is_signed_in
    assert person.path == "/members/"
    assert len(org.users) == 1


def test_a_form_left_open_for_hours_keeps_its_values_and_can_be_submitted(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    org.advance(7_201)
    person.submits_profile()
    assert person.heading == "Your session timed out"
    person.follows("Start again")
    assert person.page.typed("Email") == "ada@example.com"
    person.presses("Sign up")
    assert person.heading == "Check your email"
    assert len(org.users) == 1


def test_each_step_extends_the_lifetime_of_the_transaction(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    org.advance(250)
    person.types_the_code_from(org)
    org.advance(250)
    assert person.sets_a_password().is_signed_in


def test_a_get_of_the_step_page_does_not_detect_the_expiry_and_the_next_post_does(
    person: Person, org: OrgHandle
) -> None:
    """A GET makes no call to the org."""
    person.opens_the_sign_up().submits_profile()
    org.advance(301)
    assert person.opens("/signup/step/").heading == "Check your email"
    assert person.types_the_code_from(org).heading == "Your session timed out"


@pytest.mark.parametrize("button", ["Cancel sign-up"])
def test_an_expired_sign_up_can_still_be_cancelled(person: Person, org: OrgHandle, button: str) -> None:
    person.opens_the_sign_up().submits_profile()
    org.advance(301)
    assert person.presses(button).heading == "Sign-up cancelled"


def test_an_expired_interaction_code_leads_to_sign_in_at_okta(person: Person, org: OrgHandle) -> None:
    """The account is complete at the org; only the hand-off was too late."""
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    org.fail("/token", "status", status=429)
    person.sets_a_password()
    assert person.heading == "Your account is ready"
    org.advance(61)
    person.presses("Sign in")
    assert person.heading == "Your account is ready"
    assert Registration.objects.get().status == Status.READY
    person.follows("Sign in").signs_in_at_the_org()
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED


def test_a_step_submitted_without_a_session_shows_the_form_with_a_timeout_message(
    person: Person, org: OrgHandle
) -> None:
    person.opens_the_sign_up().submits_profile()
    person.browser.cookies.pop("sessionid")
    assert person.types_the_code_from(org).heading == "Create your account"
    assert "Your session timed out." in person.page.text
    assert "timed out" not in person.opens_the_sign_up().page.text
