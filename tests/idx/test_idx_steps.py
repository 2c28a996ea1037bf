"""Properties of steps: whether the code verifies the address, and whether an option makes the org send a code."""

from typing import Any

import pytest

from selfreg.idx.document import Authenticator, Option
from selfreg.idx.parser import parse
from selfreg.idx.steps import Step, next_step, sends_on_choice
from support.idx.documents import CODE_PAGE, EMAIL, PASSWORD, PHONE, SELECT_PAGE, document, step, wrapped

Json = dict[str, Any]


def step_of(page: Json, picked: str = "") -> Step:
    outcome = next_step(parse(page), picked)
    assert isinstance(outcome, Step)
    return outcome


def step_with(remediation: str, authenticator: Json | None) -> Step:
    related: Json = {"relatesTo": ["$.currentAuthenticator"]} if authenticator else {}
    current: Json = {"currentAuthenticator": wrapped(authenticator)} if authenticator else {}
    passcode = {"name": "credentials", "form": {"value": [{"name": "passcode"}]}}
    return step_of(document(step(remediation, passcode, **related), **current))


def test_enrolling_the_email_verifies_the_address() -> None:
    assert step_of(CODE_PAGE).proves_email


@pytest.mark.parametrize(
    ("remediation", "authenticator"),
    [
        ("enroll-authenticator", PHONE),
        ("enroll-authenticator", PASSWORD),
        ("challenge-authenticator", EMAIL),
        ("authenticator-enrollment-data", EMAIL),
        ("enroll-authenticator", None),
    ],
    ids=["phone code", "password", "code of a challenge", "enrollment data", "no authenticator"],
)
def test_other_steps_do_not_verify_the_address(remediation: str, authenticator: Json | None) -> None:
    assert not step_with(remediation, authenticator).proves_email


def test_choosing_email_or_phone_makes_the_org_send_a_code() -> None:
    assert {o.label: sends_on_choice(o) for o in step_of(SELECT_PAGE).choices} == {"Email": True, "Phone": True}


@pytest.mark.parametrize("kind", ["password", "security_question", "app", "security_key", "", "made_up"])
def test_choosing_another_authenticator_sends_nothing(kind: str) -> None:
    assert not sends_on_choice(Option("x", authenticator=Authenticator("autX", "x", kind, "X")))


def test_choosing_an_option_without_an_authenticator_sends_nothing() -> None:
    assert not sends_on_choice(Option("x", "value"))
