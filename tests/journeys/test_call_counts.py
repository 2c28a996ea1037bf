"""Calls to the org and database queries of one registration; the calls are the fewest that the protocol allows."""

from collections.abc import Callable
from typing import Any

import pytest

from okta_devorg import OrgHandle
from support.person import Person

PHONE_REQUIRED = {"authenticators": {"phone_number": "required"}}
PHONE_OPTIONAL = {"authenticators": {"phone_number": "optional"}}
EMAIL_ONLY = {"authenticators": {"okta_password": "disabled"}}
EMAIL_THEN_PASSWORD = {"authenticators": {"okta_password": "optional"}}
NOT_COUNTED = ("/userinfo", "/keys", "/.well-known/openid-configuration")


def protocol_calls(org: OrgHandle) -> list[str]:
    """The calls from interact to token, without userinfo, keys and discovery."""
    return [c.path.rsplit("/idp/idx", 1)[-1] for c in org.calls() if not c.path.endswith(NOT_COUNTED)]


@pytest.fixture
def cost(org: OrgHandle) -> Callable[[], int]:
    """Returns the number of calls to the org since it was last called."""
    seen = [0]

    def since() -> int:
        before, seen[0] = seen[0], len(org.calls())
        return seen[0] - before

    return since


def test_email_and_password_make_nine_calls(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    assert protocol_calls(org) == [
        "/oauth2/default/v1/interact", "/introspect", "/enroll", "/enroll/new",
        "/credential/enroll", "/challenge/answer", "/credential/enroll", "/challenge/answer",
        "/oauth2/default/v1/token",
    ]  # fmt: skip


def test_skipping_an_optional_phone_makes_ten_calls(person: Person, org: OrgHandle) -> None:
    org.patch_policy(PHONE_OPTIONAL)
    person.signs_up(org).presses("Skip for now")
    assert person.is_signed_in
    assert len(protocol_calls(org)) == 10


def test_email_alone_makes_six_calls(person: Person, org: OrgHandle) -> None:
    org.patch_policy(EMAIL_ONLY)
    person.opens_the_sign_up().submits_profile().types_the_code_from(org)
    assert person.is_signed_in
    assert len(protocol_calls(org)) == 6


def test_skipping_an_optional_password_makes_seven_calls(person: Person, org: OrgHandle) -> None:
    org.patch_policy(EMAIL_THEN_PASSWORD)
    person.opens_the_sign_up().submits_profile().types_the_code_from(org).presses("Skip for now")
    assert person.is_signed_in
    assert len(protocol_calls(org)) == 7


def test_email_password_and_phone_make_eleven_calls(person: Person, org: OrgHandle) -> None:
    org.patch_policy(PHONE_REQUIRED)
    person.signs_up(org).chooses("Phone")
    person.fills_and_presses({"authenticator.phoneNumber": "+1 415 555 0100"}).types_the_code_from(org, "+14155550100")
    assert person.is_signed_in
    assert len(protocol_calls(org)) == 11


def test_a_password_on_the_form_makes_six_calls(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"password_on_form": True})
    person.opens_the_sign_up().fills({"credentials.passcode": "Correct-horse-7"})
    person.submits_profile()
    person.types_the_code_from(org)
    assert person.is_signed_in
    assert len(protocol_calls(org)) == 6


def test_reopening_a_step_makes_no_call(person: Person, org: OrgHandle, cost: Callable[[], int]) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    cost()
    for _ in range(3):
        assert person.opens("/signup/step/").heading == "Check your email"
    assert cost() == 0


def test_submitting_a_step_makes_one_call(
    person: Person, org: OrgHandle, cost: Callable[[], int], configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.opens_the_sign_up().submits_profile().presses("Choose a different method")
    cost()
    person.chooses("Email")
    assert cost() == 1
    person.fills_and_presses({"credentials.passcode": "000000"})
    assert cost() == 1
    person.presses("Resend code")
    assert cost() == 1


def test_a_password_refused_by_this_site_makes_no_call(person: Person, org: OrgHandle, cost: Callable[[], int]) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Password")
    cost()
    person.sets_a_password("")
    assert cost() == 0


def test_the_form_is_shown_without_a_call_while_it_is_cached(
    person: Person, org: OrgHandle, cost: Callable[[], int]
) -> None:
    person.opens_the_sign_up()
    assert cost() == 3
    Person().opens_the_sign_up()
    Person().opens_the_sign_up()
    assert cost() == 0


def test_submitting_a_cached_form_makes_nine_calls_too(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    before = len(protocol_calls(org))
    other = Person("grace@example.com")
    other.signs_up(org)
    assert other.is_signed_in
    assert len(protocol_calls(org)) - before == 9


def test_the_signing_keys_are_fetched_once_for_many_registrations(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    Person("grace@example.com").signs_up(org)
    assert len(org.calls("/keys")) == 1


def test_a_cached_form_needs_no_query(person: Person, django_assert_num_queries: Any) -> None:
    person.opens_the_sign_up()
    stranger = Person()
    with django_assert_num_queries(0):
        stranger.opens_the_sign_up()


def test_showing_a_step_needs_two_queries(person: Person, django_assert_num_queries: Any) -> None:
    """One for the session, one for the row."""
    person.opens_the_sign_up().submits_profile()
    with django_assert_num_queries(2):
        person.opens("/signup/step/")


def test_showing_the_end_page_needs_two_queries(person: Person, django_assert_num_queries: Any) -> None:
    person.opens_the_sign_up().submits_profile().presses("Cancel sign-up")
    with django_assert_num_queries(2):
        person.opens("/signup/done/")


@pytest.mark.django_db(transaction=True)
def test_submitting_a_step_needs_at_most_twelve_queries(person: Person, django_assert_max_num_queries: Any) -> None:
    """Session and row; limits and claim; change and event; then session and row of the page that follows. Each of the
    two transactions has a begin and an end.
    """
    person.opens_the_sign_up().submits_profile()
    with django_assert_max_num_queries(12):
        person.fills_and_presses({"credentials.passcode": "000000"})
