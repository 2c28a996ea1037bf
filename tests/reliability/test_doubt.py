"""A registration in doubt: the org may have carried out a call whose answer was lost. Until the org has said where the
registration stands, nothing that the visitor does repeats the call.
"""

from collections.abc import Callable

import pytest
from django.test import Client

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import Person
from support.staff import LIST

pytestmark = pytest.mark.database


def sends(person: Person, button: dict[str, str] | None = None) -> None:
    """Submits the form, and looks at nothing after it."""
    person.browser.post(person.form.action, person.form.data() | person.entries | (button or {}))


def loses(person: Person, org: OrgHandle, path: str, button: dict[str, str] | None = None) -> None:
    """Submits the form, whose call is carried out; its answer is lost, and the answer to the question about it."""
    org.fail(path, "after")
    org.fail("/introspect", "reset", times=2)
    sends(person, button)
    assert Registration.objects.get().in_doubt


@pytest.fixture
def at_the_code(person: Person, configure: Callable[..., None]) -> Person:
    configure(RESEND_SECONDS=0)
    return person.opens_the_sign_up().tells_who_she_is()


@pytest.fixture
def code_in_doubt(at_the_code: Person, org: OrgHandle) -> Person:
    """The org accepted the code, and the site does not know it."""
    at_the_code.fills({"credentials.passcode": org.code(at_the_code.email)})
    loses(at_the_code, org, "/challenge/answer")
    return at_the_code


def test_a_form_that_is_filled_in_anew_is_not_sent_twice(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().fills({"First name": "Ada", "Last name": "Lovelace", "Email": person.email})
    loses(person, org, "/enroll/new")
    person.opens_the_sign_up().tells_who_she_is()
    assert person.heading == "Secure your account"
    assert len(org.calls("/enroll/new")) == 1


def test_another_language_keeps_the_doubt(code_in_doubt: Person) -> None:
    sends(code_in_doubt, {"action": "language", "language": "de"})
    assert Registration.objects.get().in_doubt


def test_a_poll_that_fails_keeps_the_doubt(code_in_doubt: Person, org: OrgHandle) -> None:
    org.fail("/challenge/poll", "reset")
    sends(code_in_doubt, {"action": "poll"})
    assert org.calls("/challenge/poll")
    code_in_doubt.types_the_code_from(org)
    assert code_in_doubt.heading == "Choose a password"
    assert len(org.calls("/challenge/answer")) == 1


def test_the_link_in_the_email_is_not_sent_after_its_code(code_in_doubt: Person, org: OrgHandle) -> None:
    code_in_doubt.opens_the_link_in_the_mail(org).presses()
    assert code_in_doubt.heading == "Choose a password"
    assert len(org.calls("/challenge/answer")) == 1


def test_an_administrator_does_not_send_again_what_may_be_on_its_way(
    at_the_code: Person, org: OrgHandle, admin_client: Client
) -> None:
    loses(at_the_code, org, "/challenge/resend", {"action": "resend"})
    pk = str(Registration.objects.get().pk)
    admin_client.post(f"{LIST}act/resend/", {"_selected_action": [pk], "confirmed": "yes"})
    assert len(org.calls("/challenge/resend")) == 1
    assert not Registration.objects.get().in_doubt


def test_a_page_that_learns_that_time_ran_out_keeps_what_was_typed(code_in_doubt: Person, org: OrgHandle) -> None:
    org.advance(10_000)
    assert code_in_doubt.opens("/signup/step/").heading == "Your session timed out"
    assert code_in_doubt.follows("Start again").page.typed("First name") == "Ada"


def test_an_org_that_is_too_busy_to_say_leaves_the_doubt(code_in_doubt: Person, org: OrgHandle) -> None:
    org.fail("/introspect", "status", status=429)
    code_in_doubt.opens("/signup/step/")
    assert Registration.objects.get().in_doubt
