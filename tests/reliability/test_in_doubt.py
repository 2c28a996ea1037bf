"""A registration is in doubt if the answer of a call was lost. Until the site has asked the org for the current step,
no action of the visitor repeats the call.
"""

from collections.abc import Callable

import pytest
from django.test import Client

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import Person
from support.staff import LIST

pytestmark = pytest.mark.database


def submit(person: Person, button: dict[str, str] | None = None) -> None:
    """Submits the form without following the redirect."""
    person.browser.post(person.form.action, person.form.data() | person.entries | (button or {}))


def submit_with_lost_answer(person: Person, org: OrgHandle, path: str, button: dict[str, str] | None = None) -> None:
    """Submits the form. The org carries out the call, and both its answer and the answer of introspect are lost."""
    org.fail(path, "after")
    org.fail("/introspect", "reset", times=2)
    submit(person, button)
    assert Registration.objects.get().in_doubt


@pytest.fixture
def at_code_page(person: Person, configure: Callable[..., None]) -> Person:
    configure(RESEND_SECONDS=0)
    return person.opens_the_sign_up().submits_profile()


@pytest.fixture
def code_in_doubt(at_code_page: Person, org: OrgHandle) -> Person:
    """The org accepted the code, and the answer was lost."""
    at_code_page.fills({"credentials.passcode": org.code(at_code_page.email)})
    submit_with_lost_answer(at_code_page, org, "/challenge/answer")
    return at_code_page


def test_submitting_the_profile_form_again_makes_no_second_call(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().fills({"First name": "Ada", "Last name": "Lovelace", "Email": person.email})
    submit_with_lost_answer(person, org, "/enroll/new")
    person.opens_the_sign_up().submits_profile()
    assert person.heading == "Secure your account"
    assert len(org.calls("/enroll/new")) == 1


def test_changing_the_language_keeps_a_registration_in_doubt(code_in_doubt: Person) -> None:
    submit(code_in_doubt, {"action": "language", "language": "de"})
    assert Registration.objects.get().in_doubt


def test_a_failed_poll_keeps_a_registration_in_doubt(code_in_doubt: Person, org: OrgHandle) -> None:
    org.fail("/challenge/poll", "reset")
    submit(code_in_doubt, {"action": "poll"})
    assert org.calls("/challenge/poll")
    code_in_doubt.types_the_code_from(org)
    assert code_in_doubt.heading == "Choose a password"
    assert len(org.calls("/challenge/answer")) == 1


def test_the_link_in_the_email_does_not_submit_the_code_again(code_in_doubt: Person, org: OrgHandle) -> None:
    code_in_doubt.opens_the_email_link(org).presses()
    assert code_in_doubt.heading == "Choose a password"
    assert len(org.calls("/challenge/answer")) == 1


def test_the_resend_action_of_the_admin_makes_no_call_for_a_registration_in_doubt(
    at_code_page: Person, org: OrgHandle, admin_client: Client
) -> None:
    submit_with_lost_answer(at_code_page, org, "/challenge/resend", {"action": "resend"})
    pk = str(Registration.objects.get().pk)
    admin_client.post(f"{LIST}act/resend/", {"_selected_action": [pk], "confirmed": "yes"})
    assert len(org.calls("/challenge/resend")) == 1
    assert not Registration.objects.get().in_doubt


def test_a_registration_in_doubt_that_expired_keeps_the_profile_values(code_in_doubt: Person, org: OrgHandle) -> None:
    org.advance(10_000)
    assert code_in_doubt.opens("/signup/step/").heading == "Your session timed out"
    assert code_in_doubt.follows("Start again").page.typed("First name") == "Ada"


def test_status_429_of_introspect_keeps_a_registration_in_doubt(code_in_doubt: Person, org: OrgHandle) -> None:
    org.fail("/introspect", "status", status=429)
    code_in_doubt.opens("/signup/step/")
    assert Registration.objects.get().in_doubt
