"""A page of the org that is shown to somebody else: nothing of the person it was made for is left in it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from selfreg.idx.document import Message
from selfreg.idx.document_edits import with_expiry, with_field_message, without_person
from selfreg.idx.errors import MalformedAnswer
from selfreg.idx.parser import parse
from selfreg.idx.steps import Step, next_step
from support.idx.documents import CODE_PAGE, EMAIL, SELECT_PAGE, array, document, message, step, wrapped

Json = dict[str, Any]
WRONG = Message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID", params=("1",))


def persons_page() -> Json:
    """The page for the code, as it is for somebody."""
    holder = {**EMAIL, "id": "canary-id", "profile": {"email": "canary@example.com"}, "enrollmentId": "canary-enrolled"}
    return {
        **CODE_PAGE,
        "currentAuthenticator": wrapped(holder),
        "authenticators": array(holder),
        "authenticatorEnrollments": array(holder),
        "user": wrapped({"id": "canary-user", "identifier": "canary@example.com"}),
        "expiresAt": "2026-11-21T12:00:00.000Z",
        "messages": array(message("canary message")),
        "somethingNew": "canary",
        "cancel": step("cancel", stateHandle="canary"),
    }


def test_nothing_of_the_person_is_left() -> None:
    assert "canary" not in str(without_person(persons_page()))
    assert "stateHandle': '" not in str(without_person(persons_page()))


def test_the_page_is_still_the_same_page() -> None:
    before, after = next_step(parse(persons_page())), next_step(parse(without_person(persons_page())))
    assert isinstance(before, Step)
    assert isinstance(after, Step)
    assert (after.name, after.page) == (before.name, before.page)
    assert [leaf.path for leaf in after.remediation.leaves] == [leaf.path for leaf in before.remediation.leaves]


def test_what_is_without_a_person_stays_as_it_is() -> None:
    once = without_person(SELECT_PAGE)
    assert without_person(once) == once


def test_something_that_is_no_document_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        without_person([])


def test_a_message_is_put_at_its_field_wherever_that_is() -> None:
    response = parse(with_field_message(CODE_PAGE, "passcode", WRONG))
    assert [(m.path, m.text, m.key, m.params, m.severity) for m in response.messages] == [
        ("credentials.passcode", WRONG.text, WRONG.key, ("1",), "ERROR")
    ]


def test_a_message_takes_the_place_of_the_one_before_and_changes_nothing_else() -> None:
    once = with_field_message(CODE_PAGE, "passcode", Message("Before"))
    twice = with_field_message(once, "passcode", WRONG)
    assert twice == with_field_message(CODE_PAGE, "passcode", WRONG)
    assert "Before" in str(once)


def test_a_message_for_a_field_that_is_not_there_changes_nothing() -> None:
    assert with_field_message(document(step("enroll-profile")), "passcode", WRONG) == document(step("enroll-profile"))


def test_a_document_can_be_made_to_end_at_a_moment() -> None:
    moment = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    assert parse(with_expiry(CODE_PAGE, moment)).expires_at == moment
    assert parse(CODE_PAGE).expires_at != moment
