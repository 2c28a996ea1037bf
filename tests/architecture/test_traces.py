"""Work per request: the registration is decrypted once, each answer decided once, and the form built once."""

import pytest

from architecture.tracing import Trace, tracing
from okta_devorg import OrgHandle
from support.person import PASSWORD, SITE, Person


def post(person: Person, url: str) -> Trace:
    """Submit the form of the page and return the trace, without that of the next page."""
    form = person.form
    data = form.data() | person.entries
    with tracing() as trace:
        person.browser.post(url, data)
    return trace


@pytest.fixture
def code_page(person: Person, org: OrgHandle) -> Person:
    return person.opens_the_sign_up().submits_profile().chooses("Email")


def test_submitting_a_code_decrypts_once_and_decides_each_answer_once(code_page: Person, org: OrgHandle) -> None:
    trace = post(code_page.fills({"credentials.passcode": org.code(code_page.email)}), "/signup/step/")
    assert trace.count("next_step") == 3  # the page that was submitted, and the org's answers to it and to the choice
    assert trace.count("decrypt") == trace.count("StepForm.__init__") == trace.count("commit") == 1
    assert trace.count("parse") == 3
    assert sum(trace.moves.values()) <= 198, trace.moves
    assert len(trace.files) <= 33, sorted(trace.files)


def test_submitting_the_profile_builds_one_form(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().fills({"First name": "Ada", "Last name": "Lovelace", "Email": person.email})
    trace = post(person, "/signup/")
    assert trace.count("StepForm.__init__") == 1
    assert trace.count("decrypt") <= 2
    assert trace.count("next_step") <= 4  # the page that is shown, the transaction that was opened, both answers


def test_callback_connects_once(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    returning_person = Person().opens(f"{SITE}/oidc/authenticate/")
    returning_person.fills_and_presses({"identifier": person.email}, "Next").fills({"password": PASSWORD})
    with tracing() as trace:
        returning_person.presses("Sign in")
    assert returning_person.is_signed_in
    assert trace.count("OktaBackend.authenticate") == 1
    assert trace.count("connect") == 1
