"""When the site starts an authenticator without asking the visitor. Needs documents only."""

import json
from typing import Any

import pytest

from selfreg.idx.client import Answer, Transaction
from selfreg.idx.parser import parse
from selfreg.models import RegistrationEvent
from selfreg.registration import transition as transitions
from selfreg.registration.commands import obvious_choice
from selfreg.registration.state import EnrollmentState
from selfreg.registration.transition_types import Command, Position
from selfreg.secret import Secret
from selfreg.statuses import Status
from support.idx.documents import CODE_PAGE, PASSWORD, PROFILE_PAGE, SELECT_PAGE, SUCCESS, array, message, step

Json = dict[str, Any]
SUBMITTED = Command(RegistrationEvent.Kind.ANSWERED)


def choosing(*labels: str, skip: bool = False, enrolled: tuple[Json, ...] = ()) -> Json:
    """A page that offers these authenticators."""
    page: Json = json.loads(json.dumps(SELECT_PAGE))
    page["authenticators"]["value"].append(PASSWORD)
    selector = page["remediation"]["value"][0]["value"][0]
    constant = {"name": "id", "required": True, "value": PASSWORD["id"], "mutable": False}
    password = {
        "label": "Password",
        "relatesTo": "$.authenticators.value[2]",
        "value": {"form": {"value": [constant]}},
    }
    options = {o["label"]: o for o in (*selector["options"], password)}
    selector["options"] = [options[label] for label in labels]
    page["remediation"]["value"] += [step("skip", path="/idp/idx/skip")] * skip
    return page | ({"authenticatorEnrollments": array(*enrolled)} if enrolled else {})


def position(page: Json) -> Position:
    transaction = Transaction(*map(Secret, ("handle", "state", "nonce", "verifier")))
    state = EnrollmentState(transaction, Secret(json.dumps(page)), parse(page))
    return Position(
        state, transitions.step_of(state), Status.ENROLLING, "", "", resend_seconds=30, in_doubt=False, now=0.0
    )


def started_label(first: Json, after: Json, *, may_skip_email: bool = True) -> str | None:
    """The label of the authenticator that is started, or None if the visitor has to choose."""
    before_step = position(first)
    transition = transitions.advance(
        before_step, Answer(parse(after), Secret(json.dumps(after)), 200, "", 0.1), SUBMITTED
    )
    choice = obvious_choice(before_step, transition, may_skip_email=may_skip_email)
    return choice and choice[1].label


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (choosing("Password"), "Password"),
        (choosing("Password", "Email"), "Email"),
        (choosing("Phone", "Password"), "Password"),
        (choosing("Phone"), "Phone"),
        (choosing("Password", skip=True), None),
        (choosing("Phone", "Email", skip=True), None),
        (CODE_PAGE, None),
        (SUCCESS, None),
        (choosing("Email") | {"messages": array(message("No.", "no"))}, None),
    ],
    ids=["one", "all required", "no email", "with details", "optional", "two optional", "no choice", "end", "an error"],
)
def test_an_authenticator_is_started_if_the_page_leaves_no_choice(page: Json, expected: str | None) -> None:
    assert started_label(PROFILE_PAGE, page) == expected


def test_the_email_is_started_if_its_verification_is_mandatory() -> None:
    assert started_label(PROFILE_PAGE, choosing("Phone", "Email", skip=True), may_skip_email=False) == "Email"
    assert started_label(PROFILE_PAGE, choosing("Phone", skip=True), may_skip_email=False) is None


def test_the_next_required_authenticator_is_started() -> None:
    required = choosing("Password", "Phone", "Email")
    assert started_label(required, choosing("Password", "Phone", enrolled=(PASSWORD,))) == "Password"


def test_authenticators_offered_after_an_enrollment_may_be_alternatives_and_are_not_started() -> None:
    """A sign-on policy may require any second factor."""
    alternatives = choosing("Email", "Phone", enrolled=(PASSWORD,))
    assert started_label(choosing("Password"), alternatives) is None
    assert started_label(PROFILE_PAGE, alternatives) is None
    assert started_label(choosing("Password"), alternatives, may_skip_email=False) == "Email"
    assert started_label(choosing("Password"), choosing("Phone", enrolled=(PASSWORD,))) == "Phone"
