"""What a step tells about itself: what its code proves, and whether a choice makes the org send something."""

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


def at(remediation: str, authenticator: Json | None) -> Step:
    related: Json = {"relatesTo": ["$.currentAuthenticator"]} if authenticator else {}
    holder: Json = {"currentAuthenticator": wrapped(authenticator)} if authenticator else {}
    passcode = {"name": "credentials", "form": {"value": [{"name": "passcode"}]}}
    return step_of(document(step(remediation, passcode, **related), **holder))


def test_the_code_of_the_mail_proves_the_address() -> None:
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
    ids=["a phone's code", "a password", "a code to sign in with", "details of an address", "nobody's code"],
)
def test_nothing_else_proves_it(remediation: str, authenticator: Json | None) -> None:
    assert not at(remediation, authenticator).proves_email


def test_a_choice_of_e_mail_or_phone_makes_the_org_send_a_code() -> None:
    assert {o.label: sends_on_choice(o) for o in step_of(SELECT_PAGE).choices} == {"Email": True, "Phone": True}


@pytest.mark.parametrize("kind", ["password", "security_question", "app", "security_key", "", "made_up"])
def test_another_choice_makes_it_send_nothing(kind: str) -> None:
    assert not sends_on_choice(Option("x", authenticator=Authenticator("autX", "x", kind, "X")))


def test_an_option_without_an_authenticator_sends_nothing() -> None:
    assert not sends_on_choice(Option("x", "value"))
