"""Correcting mistakes: a wrong address or phone number, an existing account, an accidental cancel."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.statuses import Status
from support.page import text
from support.person import Person

NUMBER = "authenticator.phoneNumber"
EMAIL_FIELD = {"name": "email", "label": "Email", "required": True}


def test_a_wrong_address_can_be_changed_from_the_code_page(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up("?next=/members/").submits_profile(Email="typo@example.com")
    person.follows("Change it")
    assert person.heading == "Create your account"
    assert [person.page.typed(n) for n in ("First name", "Last name", "Email")] == [
        "Ada",
        "Lovelace",
        "typo@example.com",
    ]
    assert Registration.objects.get().is_open, "opening the form must change nothing"
    person.fills_and_presses({"Email": "ada@example.com"}, "Sign up")
    assert "ada@example.com" in person.page.text
    statuses = {r.email: r.status for r in Registration.objects.all()}
    assert statuses == {"typo@example.com": Status.CANCELLED, "ada@example.com": Status.ENROLLING}
    assert person.types_the_code_from(org).sets_a_password().is_signed_in


def test_submitting_the_same_address_continues_the_same_registration(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().follows("Change it").presses("Sign up")
    assert Registration.objects.count() == len(org.users) == 1
    assert person.types_the_code_from(org).sets_a_password().is_signed_in


def test_another_browser_does_not_see_the_earlier_values(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    other = Person().opens_the_sign_up(f"?change={Registration.objects.get().pk}")
    assert other.page.typed("Email") == ""


def test_a_wrong_phone_number_can_be_changed_from_the_code_page(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.signs_up(org).fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert "We sent a code to +1 ••• 0100" in person.page.text
    assert "4155550100" not in person.page.html
    person.presses("Change the number")
    assert (person.heading, person.page.typed(NUMBER)) == ("Add your phone", "+14155550100")
    person.fills_and_presses({NUMBER: "+1 415 555 0199"}).types_the_code_from(org, "+14155550199")
    assert person.is_signed_in


def test_a_taken_username_is_not_reported_as_an_existing_account_of_the_address(person: Person, org: OrgHandle) -> None:
    login = {"name": "login", "label": "Username", "required": True}
    org.patch_policy({"profile": [login, EMAIL_FIELD], "username_format": "none"})
    Person("grace@example.com").opens_the_sign_up().fills_and_presses({"Username": "ada", "Email": "grace@example.com"})
    person.opens_the_sign_up().fills_and_presses({"Username": "ada", "Email": person.email})
    assert "You already have an account" not in person.page.text
    assert person.page.beside("userProfile.login")
    person.fills_and_presses({"Username": "ada.l"})
    assert person.heading == "Check your email"


def test_an_address_whose_registration_expired_can_start_again(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"unknowns": {"staged_user_signs_up_again": "resume"}})
    person.opens_the_sign_up().submits_profile()
    org.advance(301)
    with time_machine.travel(timezone.now() + timedelta(seconds=301), tick=True):
        person.opens_the_sign_up().submits_profile()
    assert person.heading == "Check your email"
    assert "Continue where you left off" not in person.page.text


def test_an_existing_account_shows_one_box_with_a_sign_in_link_and_login_hint(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    again = Person().opens_the_sign_up("?next=/members/").submits_profile()
    boxes = [*again.page.all("div", "error-summary"), *again.page.all("div", "notice")]
    headings = [text(again.page.all("h2", within=box)[0]) for box in boxes]
    assert headings == [f"You already have an account with {person.email}"]
    again.follows("Sign in")
    assert again.page.url.startswith(org.base)
    parameters = next(parse_qs(urlsplit(s.url).query) for s in again.seen if "/authorize" in s.url)
    assert parameters["login_hint"] == [person.email]
    assert not any(person.email in s.url for s in again.seen if s.url.startswith("http://testserver"))


def submits_existing_address(person: Person, org: OrgHandle) -> Person:
    """Signs up, then submits the same address in another browser."""
    person.signs_up(org)
    return Person().opens_the_sign_up().submits_profile()


def test_a_forgotten_password_is_reset_at_the_org(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESET_PASSWORD_URL=f"{org.base}/signin/forgot-password")
    again = (
        submits_existing_address(person, org).follows("Reset password").fills_and_presses({"identifier": person.email})
    )
    assert again.heading == "Check your email"
    again.opens(org.messages(person.email)[0].link or "").fills_and_presses({"password": "Another-horse-8"})
    again.opens("http://testserver/oidc/authenticate/").fills_and_presses({"identifier": person.email})
    assert again.fills_and_presses({"password": "Another-horse-8"}).is_signed_in


def test_no_password_reset_is_offered_without_a_reset_url(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESET_PASSWORD_URL="")
    assert "Reset password" not in submits_existing_address(person, org).page.text


def test_another_address_can_be_submitted_on_the_page_of_an_existing_account(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    again = Person().opens_the_sign_up().submits_profile()
    again.email = "ada.two@example.com"
    assert again.fills_and_presses({"Email": again.email}, "Sign up").heading == "Check your email"
    assert len(org.users) == 2


@pytest.mark.parametrize("url", ["/signup/step/", "/signup/cancel/"])
def test_start_again_after_a_cancel_shows_the_form_with_the_earlier_values(person: Person, url: str) -> None:
    person.opens_the_sign_up().submits_profile()
    person.posts(url, {"action": "cancel"}).follows("Start again")
    assert person.page.typed("First name") == "Ada"
    assert person.page.typed("Email") == person.email


def test_a_typo_in_a_well_known_domain_is_pointed_out_and_not_corrected(person: Person, org: OrgHandle) -> None:
    person.email = "ada@gmial.com"
    person.opens_the_sign_up().submits_profile()
    assert "Did you mean ada@gmail.com" in person.page.text
    assert org.code("ada@gmial.com")
    assert person.follows("Change it").page.typed("userProfile.email") == "ada@gmial.com"


def test_an_address_without_a_typo_gets_no_suggestion(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    assert "Wrong address?" in person.page.text
    assert "Did you mean" not in person.page.text
