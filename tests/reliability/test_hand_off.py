"""The last call of a sign-up, which redeems its code: what fails without spending the code is tried again."""

from typing import Any

import pytest

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.registration.policy import reset_connections
from selfreg.statuses import Status
from support.person import Person

NOT_SPENT: list[dict[str, Any]] = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "reset"},
    {"kind": "html"},
    {"kind": "empty"},
    {"kind": "timeout", "seconds": 0.0},
]


def recovers(org: OrgHandle) -> None:
    """The org answers again, and the site asks it again."""
    org.org.faults.pending.clear()
    reset_connections()


def at_the_last_step(person: Person, org: OrgHandle) -> Person:
    return person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")


@pytest.mark.parametrize("fault", [f for f in NOT_SPENT if f.get("status") != 429], ids=str)
def test_one_failure_is_not_felt(person: Person, org: OrgHandle, fault: dict[str, Any]) -> None:
    at_the_last_step(person, org)
    org.fail("/token", times=1, **fault)
    person.sets_a_password()
    assert person.is_signed_in


@pytest.mark.parametrize("path", ["/token", "/keys"])
@pytest.mark.parametrize("fault", NOT_SPENT, ids=str)
def test_the_button_of_the_last_page_tries_again_while_the_code_lives(
    person: Person, org: OrgHandle, fault: dict[str, Any], path: str
) -> None:
    at_the_last_step(person, org)
    org.fail(path, times=99, **fault)
    person.sets_a_password()
    assert (person.heading, person.is_signed_in) == ("Your account is ready", False)
    recovers(org)
    assert Registration.objects.get().status == Status.FINISHING
    person.presses("Sign in")
    assert person.is_signed_in


@pytest.mark.parametrize("path", ["/token", "/userinfo"])
def test_a_code_that_was_spent_leads_to_a_sign_in_in_words_of_this_site(
    person: Person, org: OrgHandle, path: str
) -> None:
    at_the_last_step(person, org)
    org.fail(path, "after" if path == "/token" else "reset", times=1 if path == "/token" else 9)
    person.sets_a_password()
    assert person.heading == "Your account is ready"
    assert "interaction code" not in person.page.text.lower()
    recovers(org)
    person.follows("Sign in").signs_in_at_the_org()
    assert person.is_signed_in


def test_a_code_that_ran_out_leads_to_a_sign_in_in_words_of_this_site(person: Person, org: OrgHandle) -> None:
    at_the_last_step(person, org)
    org.fail("/token", "status", status=503, times=9)
    person.sets_a_password()
    recovers(org)
    org.advance(61)
    person.presses("Sign in")
    assert person.heading == "Your account is ready"
    assert "interaction code" not in person.page.text.lower()
