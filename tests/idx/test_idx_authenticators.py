"""The table of authenticators."""

import pytest

from selfreg.idx.authenticators import (
    AUTHENTICATORS,
    BY_KIND,
    EMAIL,
    PASSWORD,
    PHONE,
    UNKNOWN,
    AuthenticatorInfo,
    by_key,
)


def test_every_authenticator_is_found_by_its_key() -> None:
    assert all(by_key(key) is row and row.key == key for key, row in AUTHENTICATORS.items())


@pytest.mark.parametrize("key", ["", "made_up"])
def test_an_unknown_key_returns_the_unknown_authenticator(key: str) -> None:
    assert by_key(key) is UNKNOWN
    assert AuthenticatorInfo() == UNKNOWN


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("phone", PHONE),
        ("security_question", "security_question"),
        ("security_key", "webauthn"),
    ],
)
def test_a_kind_with_one_authenticator_is_found(kind: str, key: str) -> None:
    assert BY_KIND[kind].key == key


@pytest.mark.parametrize("kind", ["", "app", "made_up"])
def test_an_unknown_or_ambiguous_kind_is_not_found(kind: str) -> None:
    assert kind not in BY_KIND


def test_email_and_phone_send_a_code_on_choice_and_verify_their_address() -> None:
    assert {row.key for row in AUTHENTICATORS.values() if row.sends_on_choice} == {EMAIL, PHONE}
    assert (by_key(EMAIL).proves, by_key(PHONE).proves) == ("email", "phone")
    assert {row.proves for row in AUTHENTICATORS.values() if row.key not in (EMAIL, PHONE)} == {""}


def test_only_supported_authenticators_have_pages_and_hints() -> None:
    assert [row.key for row in AUTHENTICATORS.values() if (row.pages or row.hint) and not row.can_be_enrolled] == []
