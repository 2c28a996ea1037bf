"""What a registration costs: the least number of calls the protocol allows (interact to token), and few queries."""

from collections.abc import Callable
from typing import Any

import pytest

from okta_devorg import OrgHandle
from support.person import Person

PHONE_REQUIRED = {"authenticators": {"phone_number": "required"}}
PHONE_OPTIONAL = {"authenticators": {"phone_number": "optional"}}
EMAIL_ONLY = {"authenticators": {"okta_password": "disabled"}}
EMAIL_THEN_PASSWORD = {"authenticators": {"okta_password": "optional"}}
APART = ("/userinfo", "/keys", "/.well-known/openid-configuration")


def protocol_calls(org: OrgHandle) -> list[str]:
    """Interact to token; userinfo, keys and discovery do not count."""
    return [c.path.rsplit("/idp/idx", 1)[-1] for c in org.calls() if not c.path.endswith(APART)]


@pytest.fixture
def cost(org: OrgHandle) -> Callable[[], int]:
    """How many calls have been made since it was asked last."""
    known = [0]

    def since() -> int:
        before, known[0] = known[0], len(org.calls())
        return known[0] - before

    return since


def test_email_and_password_cost_nine_calls(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    assert protocol_calls(org) == [
        "/oauth2/default/v1/interact", "/introspect", "/enroll", "/enroll/new",
        "/credential/enroll", "/challenge/answer", "/credential/enroll", "/challenge/answer",
        "/oauth2/default/v1/token",
    ]  # fmt: skip


def test_an_optional_rest_that_is_skipped_makes_it_ten_calls(person: Person, org: OrgHandle) -> None:
    org.patch_policy(PHONE_OPTIONAL)
    person.signs_up(org).presses("Skip for now")
    assert person.is_signed_in
    assert len(protocol_calls(org)) == 10


def test_email_alone_costs_six_calls(person: Person, org: OrgHandle) -> None:
    org.patch_policy(EMAIL_ONLY)
    person.opens_the_sign_up().tells_who_she_is().types_the_code_from(org)
    assert person.is_signed_in
    assert len(protocol_calls(org)) == 6


def test_email_and_a_skipped_optional_password_cost_seven_calls(person: Person, org: OrgHandle) -> None:
    org.patch_policy(EMAIL_THEN_PASSWORD)
    person.opens_the_sign_up().tells_who_she_is().types_the_code_from(org).presses("Skip for now")
    assert person.is_signed_in
    assert len(protocol_calls(org)) == 7


def test_a_phone_as_well_costs_eleven_calls(person: Person, org: OrgHandle) -> None:
    org.patch_policy(PHONE_REQUIRED)
    person.signs_up(org).chooses("Phone")
    person.fills_and_presses({"authenticator.phoneNumber": "+1 415 555 0100"}).types_the_code_from(org, "+14155550100")
    assert person.is_signed_in
    assert len(protocol_calls(org)) == 11


def test_a_password_on_the_first_page_leaves_one_authenticator_and_six_calls(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"password_on_form": True})
    person.opens_the_sign_up().fills({"credentials.passcode": "Correct-horse-7"})
    person.tells_who_she_is()
    person.types_the_code_from(org)
    assert person.is_signed_in
    assert len(protocol_calls(org)) == 6


def test_looking_at_a_step_again_costs_no_call(person: Person, org: OrgHandle, cost: Callable[[], int]) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    cost()
    for _ in range(3):
        assert person.opens("/signup/step/").heading == "Check your email"
    assert cost() == 0


def test_a_posted_step_costs_one_call(
    person: Person, org: OrgHandle, cost: Callable[[], int], configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.opens_the_sign_up().tells_who_she_is().presses("Choose a different method")
    cost()
    person.chooses("Email")
    assert cost() == 1
    person.fills_and_presses({"credentials.passcode": "000000"})
    assert cost() == 1
    person.presses("Resend code")
    assert cost() == 1


def test_what_the_site_itself_refuses_costs_no_call(person: Person, org: OrgHandle, cost: Callable[[], int]) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Password")
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


def test_a_cached_form_and_the_first_one_cost_the_same_to_submit(person: Person, org: OrgHandle) -> None:
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


def test_the_form_from_the_cache_needs_no_query(person: Person, django_assert_num_queries: Any) -> None:
    person.opens_the_sign_up()
    stranger = Person()
    with django_assert_num_queries(0):
        stranger.opens_the_sign_up()


def test_a_step_is_shown_with_two_queries(person: Person, django_assert_num_queries: Any) -> None:
    """The session, the row."""
    person.opens_the_sign_up().tells_who_she_is()
    with django_assert_num_queries(2):
        person.opens("/signup/step/")


def test_the_end_is_shown_with_two_queries(person: Person, django_assert_num_queries: Any) -> None:
    person.opens_the_sign_up().tells_who_she_is().presses("Cancel sign-up")
    with django_assert_num_queries(2):
        person.opens("/signup/done/")


@pytest.mark.django_db(transaction=True)
def test_a_posted_step_needs_few_queries(person: Person, django_assert_max_num_queries: Any) -> None:
    """Session and row; limits and claim; change and event; then session and row of the page that follows. Each of the
    two transactions has a begin and an end.
    """
    person.opens_the_sign_up().tells_who_she_is()
    with django_assert_max_num_queries(12):
        person.fills_and_presses({"credentials.passcode": "000000"})
