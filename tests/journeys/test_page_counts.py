"""How many pages and button presses a sign-up takes: no page offers a choice that has only one answer."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from okta_devorg import OrgHandle
from selfreg import rate_limits
from selfreg.models import RegistrationEvent
from support.app_client import AppClient
from support.person import SITE, Person

HOME = f"{SITE}/"
NUMBER = "authenticator.phoneNumber"
REQUIRED = {"authenticators": {"phone_number": "required", "security_question": "required"}}


@dataclass
class Cost:
    """Pages that a browser loads, from the home page to the page after the sign-up, and buttons pressed."""

    pages: int
    presses: int


def cost(person: Person) -> Cost:
    return Cost(
        len([s for s in person.seen if s.method == "GET" and s.status == 200]),
        len([s for s in person.seen if s.method == "POST"]),
    )


@pytest.fixture
def at_home(person: Person) -> Person:
    return person.opens(HOME)


def fills_in_the_form(person: Person) -> Person:
    """Follows the link on the home page: one more page, no button."""
    return person.follows("Sign up").submits_profile()


def test_email_and_password_take_five_pages_and_three_presses(at_home: Person, org: OrgHandle) -> None:
    fills_in_the_form(at_home).types_the_code_from(org).sets_a_password()
    assert at_home.is_signed_in
    assert cost(at_home) == Cost(pages=5, presses=3)


def test_a_password_on_the_form_takes_four_pages_and_two_presses(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"password_on_form": True})
    person.opens(HOME).follows("Sign up")
    person.fills({"credentials.passcode": "Correct-horse-7"})
    person.submits_profile().types_the_code_from(org)
    assert person.is_signed_in
    assert cost(person) == Cost(pages=4, presses=2)


def test_skipping_an_optional_phone_takes_six_pages_and_four_presses(at_home: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    fills_in_the_form(at_home).types_the_code_from(org).sets_a_password().presses("Skip for now")
    assert at_home.is_signed_in
    assert cost(at_home) == Cost(pages=6, presses=4)


def test_required_authenticators_are_started_without_a_choice_page(at_home: Person, org: OrgHandle) -> None:
    org.patch_policy(REQUIRED)
    fills_in_the_form(at_home).types_the_code_from(org).sets_a_password()
    assert at_home.heading == "Add your phone"
    at_home.fills_and_presses({NUMBER: "+1 415 555 0100"}).types_the_code_from(org, "+14155550100")
    assert at_home.heading == "Set up a security question"
    assert at_home.fills_and_presses({"credentials.answer": "Pickled beetroot"}).is_signed_in
    assert cost(at_home) == Cost(pages=8, presses=6)


def test_the_password_page_follows_the_form_if_only_a_password_is_required(at_home: Person, org: OrgHandle) -> None:
    org.patch_policy({"email_verification": False, "authenticators": {"okta_email": "disabled"}})
    fills_in_the_form(at_home)
    assert at_home.heading == "Choose a password"


def test_events_record_whether_the_site_or_the_visitor_chose_an_authenticator(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    person.signs_up(org).picks("Phone").presses("Continue")
    person.fills_and_presses({NUMBER: "+1 415 555 0100"}).types_the_code_from(org, "+14155550100")
    assert person.is_signed_in
    chosen = RegistrationEvent.objects.filter(step__startswith="select-authenticator-enroll").values_list(
        "outcome", "actor"
    )
    assert list(chosen) == [("ok", "this site"), ("ok", "this site"), ("ok", "")]


def test_several_optional_authenticators_are_offered_as_a_choice(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional", "security_question": "optional"}})
    person.signs_up(org)
    assert [c.label for c in person.form.find("authenticator.id")] == ["Phone", "Security Question"]


@pytest.mark.django_db
@pytest.mark.parametrize("by_token", [False, True], ids=["session", "token"])
def test_an_api_client_gets_the_next_step_immediately_and_can_go_back_to_the_choice(
    org: OrgHandle, by_token: bool
) -> None:
    ada = AppClient(by_token=by_token).begins()
    assert (ada.status, ada.step["page"], ada.step["authenticator"]) == (201, "code", "okta_email")
    assert "back" in ada.actions()
    ada.post("step/", step=ada.step["mark"], action="back")
    assert (ada.status, ada.step["page"]) == (200, "password")
    ada.sets_a_password()
    assert ada.step["page"] == "code"
    assert "back" not in ada.actions()
    assert ada.submits(credentials__passcode=org.code(ada.email)).answer["signed_in"]


def test_alternative_second_factors_are_offered_as_a_choice(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    """The sign-on policy requires any second factor beside the password."""
    configure(EMAIL_VERIFICATION="optional")
    second = dict.fromkeys(("okta_email", "phone_number", "security_question"), "optional")
    org.patch_policy({"email_verification": False, "sign_on": "password_and_another", "authenticators": second})
    person.opens_the_sign_up().submits_profile().sets_a_password()
    assert person.heading == "Secure your account"
    assert "Skip for now" not in person.page.text
    assert len(person.form.find("authenticator.id")) > 1


def test_an_automatic_email_counts_for_the_rate_limit_and_the_page_shows_when_it_is_reached(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "send by ip", rate_limits.Limit(1, rate_limits.HOUR))
    Person("grace@example.com").opens_the_sign_up().submits_profile()
    person.opens_the_sign_up().submits_profile()
    assert person.heading == "Secure your account"
    assert "Too many attempts" in person.page.text
    assert org.messages(person.email) == []
    assert person.chooses("Password").sets_a_password().heading == "Secure your account"
    assert len(org.calls("/credential/enroll")) == 2
