"""Texts of pages: the app's own translated text by message key, and the org's text only for unknown keys."""

import string

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.template import Context, Template
from django.utils.functional import Promise
from django.utils.translation import override

from selfreg.idx.document import Field, Message
from selfreg.idx.errors import (
    AnswerLost,
    ForeignHref,
    IdxError,
    MalformedAnswer,
    OrgRefused,
    OrgUnreachable,
    RateLimited,
)
from selfreg.texts.labels import label
from selfreg.texts.messages import MESSAGES, notice, say

PATTERN = "registration.error.doesNotMatchPattern"
NOT_UNIQUE = Message("A user with this Email already exists", "registration.error.notUniqueWithinOrg", ("Email",))


@pytest.mark.parametrize("language", ["en", "en-gb", "de", "ar"])
def test_message_with_a_known_key_is_shown_in_the_text_of_the_app(language: str) -> None:
    with override(language):
        assert say(NOT_UNIQUE) == str(MESSAGES[NOT_UNIQUE.key])
        assert NOT_UNIQUE.text not in say(NOT_UNIQUE)


def test_message_without_text_is_built_from_key_and_parameters() -> None:
    wrong = Message("", "registration.error.doesNotMatchPattern", ("Primary email",))
    assert say(wrong) == "“Primary email” isn't in the expected format. Check it and try again."
    with override("de"):
        assert "„Primäre E-Mail-Adresse“" in say(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "Internal Server Error",
        "API call exceeded rate limit due to too many requests.",
        "Unable to initiate factor enrollment: Invalid Phone Number.",
        "User is not assigned to this application.",
        "User is not assigned to the client application.",
        "Registration cannot be completed at this time",
    ],
)
def test_known_message_without_a_key_is_shown_in_the_text_of_the_app(text: str) -> None:
    for language in ("en", "de"):
        with override(language):
            assert text.rstrip(".") not in say(Message(text))
            assert say(Message(text)) in [str(sentence) for sentence in MESSAGES.values()]


def test_message_with_an_unknown_key_is_shown_in_the_text_of_the_org() -> None:
    with override("es"):
        assert say(Message("Custom text of this org", "custom.key")) == "Custom text of this org"


@pytest.mark.parametrize("message", [Message(""), Message("", "unknown.key")])
def test_empty_message_has_a_default_text(message: Message) -> None:
    assert say(message) == "Something went wrong. Try again."


def test_parameter_that_looks_like_a_placeholder_is_not_replaced() -> None:
    assert say(Message("", "selfreg.rate_limited", ("{0}",))) == "Too many attempts. Try again in {0}."


def test_message_without_its_parameter_is_shown_in_the_text_of_the_org() -> None:
    with override("es"):
        assert say(Message("This is wrong", PATTERN)) == "This is wrong"
    assert say(Message("", PATTERN)) == "Something went wrong. Try again."


@pytest.mark.parametrize("key", sorted(MESSAGES))
def test_every_message_is_translatable_with_numbered_placeholders(key: str) -> None:
    text = MESSAGES[key]
    assert isinstance(text, Promise)
    placeholders = [name for _, name, _, _ in string.Formatter().parse(str(text)) if name is not None]
    assert all(placeholder.isdigit() for placeholder in placeholders)


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (OrgUnreachable("x"), "selfreg.unreachable"),
        (AnswerLost("x"), "selfreg.no_answer"),
        (MalformedAnswer("x"), "selfreg.no_answer"),
        (OrgRefused("invalid_client", "Bad secret", 401), "selfreg.refused"),
        (ForeignHref("x"), "selfreg.bad_answer"),
        (IdxError("x"), "selfreg.bad_answer"),
    ],
)
def test_every_client_error_has_a_message(error: IdxError, key: str) -> None:
    text = notice(error)
    assert text.key == key
    assert say(text)


def test_rate_limit_message_contains_the_wait() -> None:
    assert say(notice(RateLimited(42))) == "Too many attempts. Try again in 42 seconds."


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (Field("email", ("userProfile", "email"), label="Primary email"), "Primary email"),
        (Field("phoneNumber", ("authenticator", "phoneNumber")), "Phone number"),
        (Field("zipCode", ("userProfile", "zipCode")), "Zip code"),
        (Field("x", ("x",)), "X"),
    ],
)
def test_field_label_is_that_of_the_org_or_derived_from_the_name(field: Field, expected: str) -> None:
    assert label(field) == expected


@pytest.mark.parametrize(
    ("language", "seconds", "text"),
    [
        ("en", 1, "1 second"),
        ("en", 120, "120 seconds"),
        ("en", 3478, "58 minutes"),
        ("en", 7201, "3 hours"),
        ("de", 42, "42 Sekunden"),
        ("ja", 3478, "58分"),
        ("ar", 600, "10 دقائق"),
    ],
)
def test_wait_is_rounded_up_to_one_unit(language: str, seconds: int, text: str) -> None:
    with override(language):
        assert text in say(Message("", "selfreg.rate_limited", (str(seconds),)))


@pytest.mark.parametrize(
    ("user", "name"), [(User(first_name="Ada", last_name="Lovelace"), "Ada Lovelace"), (AnonymousUser(), "")]
)
def test_full_name_tag_returns_the_name_or_nothing(user: User | AnonymousUser, name: str) -> None:
    page = Template("{% load selfreg %}{% full_name user as name %}{{ name }}")
    assert page.render(Context({"user": user})) == name
