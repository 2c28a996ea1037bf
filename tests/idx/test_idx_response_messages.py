"""Messages of the org, collected from the page and its fields without duplicates (docs/protocol.md, section 3.6)."""

import pytest

from selfreg.idx.document import Message
from selfreg.idx.parser import parse
from support.idx.documents import array, document, message, step

WRONG = message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID", [])


def nested(name: str, *messages: dict[str, object]) -> dict[str, object]:
    return {"name": "credentials", "form": {"value": [{"name": name, "messages": array(*messages)}]}}


def test_a_message_of_the_page_has_no_field_path() -> None:
    page = document(messages=array(message("Too many requests", "tooManyRequests")))
    assert parse(page).messages == (Message("Too many requests", "tooManyRequests"),)


def test_a_message_of_a_field_has_the_path_of_the_field() -> None:
    page = document(step("identify", {"name": "identifier", "messages": array(WRONG)}))
    assert [m.path for m in parse(page).messages] == ["identifier"]


def test_a_message_of_a_nested_field_has_a_dotted_path() -> None:
    page = document(step("enroll-authenticator", nested("passcode", WRONG)))
    response = parse(page)
    assert [(m.path, m.key) for m in response.messages] == [
        ("credentials.passcode", "api.authn.error.PASSCODE_INVALID")
    ]
    assert response.remediations[0].fields[0].fields[0].messages == response.messages


def test_a_message_repeated_in_every_option_is_listed_once() -> None:
    short = message("At least 4 characters", "securityQuestion.answer.tooShort.arg", [4])
    option = {"label": "x", "value": {"form": {"value": [{"name": "answer", "messages": array(short)}]}}}
    page = document(step("enroll-authenticator", {"name": "credentials", "options": [option, option]}))
    assert [(m.path, m.params) for m in parse(page).messages] == [("credentials.answer", ("4",))]


def test_a_message_of_both_page_and_field_is_listed_for_the_field() -> None:
    page = document(step("enroll-authenticator", nested("passcode", WRONG)), messages=array(WRONG))
    assert [m.path for m in parse(page).messages] == ["credentials.passcode"]


def test_the_same_message_of_two_fields_is_listed_for_both() -> None:
    needed = message("This field cannot be left blank", "model.validation.field.blank")
    page = document(
        step("enroll-profile", {"name": "a", "messages": array(needed)}, {"name": "b", "messages": array(needed)})
    )
    assert [m.path for m in parse(page).messages] == ["a", "b"]


def test_two_messages_of_one_field_are_listed_in_order() -> None:
    first, second = message("one", "k.one"), message("two", "k.two")
    page = document(step("enroll-profile", {"name": "email", "messages": array(first, second)}))
    assert [m.text for m in parse(page).messages] == ["one", "two"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"message": "bare"}, Message("bare", severity="INFO")),
        ({"message": "old", "class": "ERROR"}, Message("old")),
        ({"message": "", "i18n": {"key": "idx.return.stale"}}, Message("", "idx.return.stale", severity="INFO")),
        ({"message": "x", "i18n": {"key": "k"}, "class": "error"}, Message("x", "k")),
        ({"i18n": {"key": "k", "params": ["A", 4, None, {}]}, "class": "ERROR"}, Message("", "k", ("A", "4"))),
        ({"message": 7, "i18n": "k", "class": "ERROR", "extra": 1}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_any_part_of_a_message_may_be_missing(raw: dict[str, object], expected: Message | None) -> None:
    assert parse(document(messages=array(raw))).messages == ((expected,) if expected else ())


def test_a_message_key_is_found_at_any_level() -> None:
    response = parse(document(step("enroll-authenticator", nested("passcode", WRONG))))
    assert response.has_message("api.authn.error.PASSCODE_INVALID")
    assert not response.has_message("idx.session.expired")
