"""The table of authenticators: what each row says is what the rest of the package goes by."""

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


def test_a_row_is_found_by_its_key() -> None:
    assert all(by_key(key) is row and row.key == key for key, row in AUTHENTICATORS.items())


@pytest.mark.parametrize("key", ["", "made_up"])
def test_nothing_is_known_of_another_key(key: str) -> None:
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
def test_a_kind_that_one_row_has_leads_to_it(kind: str, key: str) -> None:
    assert BY_KIND[kind].key == key


@pytest.mark.parametrize("kind", ["", "app", "made_up"])
def test_an_unknown_or_ambiguous_kind_finds_no_row(kind: str) -> None:
    assert kind not in BY_KIND


def test_what_is_sent_on_choice_proves_where_it_was_sent_to() -> None:
    assert {row.key for row in AUTHENTICATORS.values() if row.sends_on_choice} == {EMAIL, PHONE}
    assert (by_key(EMAIL).proves, by_key(PHONE).proves) == ("email", "phone")
    assert {row.proves for row in AUTHENTICATORS.values() if row.key not in (EMAIL, PHONE)} == {""}


def test_only_what_a_page_can_enroll_has_pages_and_hints() -> None:
    assert [row.key for row in AUTHENTICATORS.values() if (row.pages or row.hint) and not row.can_be_enrolled] == []
