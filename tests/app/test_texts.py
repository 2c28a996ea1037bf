"""What the pages say: our own sentence by key in every language, the org's words only where we have none."""

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
TAKEN = Message("A user with this Email already exists", "registration.error.notUniqueWithinOrg", ("Email",))


@pytest.mark.parametrize("language", ["en", "en-gb", "de", "ar"])
def test_a_known_key_is_told_in_our_own_words_in_every_language(language: str) -> None:
    with override(language):
        assert say(TAKEN) == str(MESSAGES[TAKEN.key])
        assert TAKEN.text not in say(TAKEN)


def test_a_message_without_words_is_said_by_its_key_with_its_parameters() -> None:
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
def test_what_orgs_are_known_to_say_without_a_key_is_told_in_our_words(text: str) -> None:
    for language in ("en", "de"):
        with override(language):
            assert text.rstrip(".") not in say(Message(text))
            assert say(Message(text)) in [str(sentence) for sentence in MESSAGES.values()]


def test_a_message_without_a_known_key_is_said_in_the_orgs_words_in_any_language() -> None:
    with override("es"):
        assert say(Message("Custom text of this org", "custom.key")) == "Custom text of this org"


@pytest.mark.parametrize("message", [Message(""), Message("", "unknown.key")])
def test_a_message_without_anything_says_something_all_the_same(message: Message) -> None:
    assert say(message) == "Something went wrong. Try again."


def test_a_parameter_that_looks_like_a_placeholder_stays_what_it_is() -> None:
    assert say(Message("", "selfreg.rate_limited", ("{0}",))) == "Too many attempts. Try again in {0}."


def test_a_message_that_lacks_its_parameter_is_said_in_the_orgs_words() -> None:
    with override("es"):
        assert say(Message("This is wrong", PATTERN)) == "This is wrong"
    assert say(Message("", PATTERN)) == "Something went wrong. Try again."


@pytest.mark.parametrize("key", sorted(MESSAGES))
def test_every_message_is_translatable_and_has_only_numbered_places(key: str) -> None:
    text = MESSAGES[key]
    assert isinstance(text, Promise)
    places = [name for _, name, _, _ in string.Formatter().parse(str(text)) if name is not None]
    assert all(place.isdigit() for place in places)


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
def test_every_failure_has_words(error: IdxError, key: str) -> None:
    said = notice(error)
    assert said.key == key
    assert say(said)


def test_a_limit_says_how_long_to_wait() -> None:
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
def test_a_field_has_the_orgs_label_else_a_readable_one(field: Field, expected: str) -> None:
    assert label(field) == expected


@pytest.mark.parametrize(
    ("language", "seconds", "said"),
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
def test_a_wait_is_said_in_one_unit_and_never_too_short(language: str, seconds: int, said: str) -> None:
    with override(language):
        assert said in say(Message("", "selfreg.rate_limited", (str(seconds),)))


@pytest.mark.parametrize(
    ("user", "name"), [(User(first_name="Ada", last_name="Lovelace"), "Ada Lovelace"), (AnonymousUser(), "")]
)
def test_a_page_for_everybody_can_show_the_name_of_who_is_signed_in(user: User | AnonymousUser, name: str) -> None:
    page = Template("{% load selfreg %}{% full_name user as name %}{{ name }}")
    assert page.render(Context({"user": user})) == name
