"""Documents without personal data, for the decoy that another visitor sees."""

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


def page_of_a_person() -> Json:
    """The code page with the data of a person."""
    authenticator = {
        **EMAIL,
        "id": "canary-id",
        "profile": {"email": "canary@example.com"},
        "enrollmentId": "canary-enrolled",
    }
    return {
        **CODE_PAGE,
        "currentAuthenticator": wrapped(authenticator),
        "authenticators": array(authenticator),
        "authenticatorEnrollments": array(authenticator),
        "user": wrapped({"id": "canary-user", "identifier": "canary@example.com"}),
        "expiresAt": "2026-11-21T12:00:00.000Z",
        "messages": array(message("canary message")),
        "somethingNew": "canary",
        "cancel": step("cancel", stateHandle="canary"),
    }


def test_an_anonymous_document_has_no_personal_data() -> None:
    assert "canary" not in str(without_person(page_of_a_person()))
    assert "stateHandle': '" not in str(without_person(page_of_a_person()))


def test_an_anonymous_document_keeps_the_step_and_its_fields() -> None:
    before, after = next_step(parse(page_of_a_person())), next_step(parse(without_person(page_of_a_person())))
    assert isinstance(before, Step)
    assert isinstance(after, Step)
    assert (after.name, after.page) == (before.name, before.page)
    assert [leaf.path for leaf in after.remediation.leaves] == [leaf.path for leaf in before.remediation.leaves]


def test_anonymizing_twice_changes_nothing() -> None:
    anonymous = without_person(SELECT_PAGE)
    assert without_person(anonymous) == anonymous


def test_anonymizing_data_that_is_not_a_document_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        without_person([])


def test_a_message_is_added_to_a_nested_field() -> None:
    response = parse(with_field_message(CODE_PAGE, "passcode", WRONG))
    assert [(m.path, m.text, m.key, m.params, m.severity) for m in response.messages] == [
        ("credentials.passcode", WRONG.text, WRONG.key, ("1",), "ERROR")
    ]


def test_a_message_replaces_the_previous_one_in_a_copy() -> None:
    first = with_field_message(CODE_PAGE, "passcode", Message("Before"))
    twice = with_field_message(first, "passcode", WRONG)
    assert twice == with_field_message(CODE_PAGE, "passcode", WRONG)
    assert "Before" in str(first)


def test_a_message_for_a_missing_field_changes_nothing() -> None:
    assert with_field_message(document(step("enroll-profile")), "passcode", WRONG) == document(step("enroll-profile"))


def test_the_expiry_of_a_document_can_be_set_in_a_copy() -> None:
    moment = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    assert parse(with_expiry(CODE_PAGE, moment)).expires_at == moment
    assert parse(CODE_PAGE).expires_at != moment
