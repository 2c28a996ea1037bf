"""The hand-off, the last call of a sign-up: it is retried after a failure that does not use up the interaction code."""

from typing import Any

import pytest

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.registration.policy import reset_connections
from selfreg.statuses import Status
from support.person import Person

RETRYABLE_FAULTS: list[dict[str, Any]] = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "reset"},
    {"kind": "html"},
    {"kind": "empty"},
    {"kind": "timeout", "seconds": 0.0},
]


def end_faults(org: OrgHandle) -> None:
    """The org answers again, and the circuit is closed."""
    org.org.faults.pending.clear()
    reset_connections()


def go_to_last_step(person: Person, org: OrgHandle) -> Person:
    return person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")


@pytest.mark.parametrize("fault", [f for f in RETRYABLE_FAULTS if f.get("status") != 429], ids=str)
def test_one_failure_of_the_token_endpoint_is_retried(person: Person, org: OrgHandle, fault: dict[str, Any]) -> None:
    go_to_last_step(person, org)
    org.fail("/token", times=1, **fault)
    person.sets_a_password()
    assert person.is_signed_in


@pytest.mark.parametrize("path", ["/token", "/keys"])
@pytest.mark.parametrize("fault", RETRYABLE_FAULTS, ids=str)
def test_the_sign_in_button_retries_the_hand_off_while_the_interaction_code_is_valid(
    person: Person, org: OrgHandle, fault: dict[str, Any], path: str
) -> None:
    go_to_last_step(person, org)
    org.fail(path, times=99, **fault)
    person.sets_a_password()
    assert (person.heading, person.is_signed_in) == ("Your account is ready", False)
    end_faults(org)
    assert Registration.objects.get().status == Status.FINISHING
    person.presses("Sign in")
    assert person.is_signed_in


@pytest.mark.parametrize("path", ["/token", "/userinfo"])
def test_a_used_interaction_code_leads_to_sign_in_without_technical_terms(
    person: Person, org: OrgHandle, path: str
) -> None:
    go_to_last_step(person, org)
    org.fail(path, "after" if path == "/token" else "reset", times=1 if path == "/token" else 9)
    person.sets_a_password()
    assert person.heading == "Your account is ready"
    assert "interaction code" not in person.page.text.lower()
    end_faults(org)
    person.follows("Sign in").signs_in_at_the_org()
    assert person.is_signed_in


def test_an_expired_interaction_code_leads_to_sign_in_without_technical_terms(person: Person, org: OrgHandle) -> None:
    go_to_last_step(person, org)
    org.fail("/token", "status", status=503, times=9)
    person.sets_a_password()
    end_faults(org)
    org.advance(61)
    person.presses("Sign in")
    assert person.heading == "Your account is ready"
    assert "interaction code" not in person.page.text.lower()
