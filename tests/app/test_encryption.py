"""Bearer values at rest: bound to their place, readable by every key of the ring, by nothing else."""

import base64
from collections.abc import Callable

import pytest

from selfreg import encryption
from support.person import KEYS

NEW, OLD = KEYS
HERE, THERE = "registration:1:sealed", "registration:2:sealed"
VALUE = {
    "interaction_handle": "canary-handle",
    "draft": {"userProfile.firstName": "Zoë"},
    "n": 1.5,
    "list": [None, True],
}


@pytest.fixture(autouse=True)
def _ring(configure: Callable[..., None]) -> None:
    """The keys of the tests' settings."""


def test_what_was_sealed_is_what_comes_out() -> None:
    assert encryption.decrypt(encryption.encrypt(VALUE, HERE), HERE) == VALUE


def test_the_sealed_text_tells_nothing_and_is_never_the_same() -> None:
    one, two = encryption.encrypt(VALUE, HERE), encryption.encrypt(VALUE, HERE)
    assert one != two
    assert "canary" not in one
    assert b"canary" not in base64.urlsafe_b64decode(one)


def test_moved_to_another_row_it_does_not_open() -> None:
    with pytest.raises(encryption.Unreadable):
        encryption.decrypt(encryption.encrypt(VALUE, HERE), THERE)


def test_a_new_first_key_leaves_what_the_old_one_sealed_readable(configure: Callable[..., None]) -> None:
    configure(ENCRYPTION_KEYS=(OLD,))
    sealed = encryption.encrypt(VALUE, HERE)
    configure(ENCRYPTION_KEYS=(NEW, OLD))
    assert encryption.decrypt(sealed, HERE) == VALUE
    resealed = encryption.encrypt(VALUE, HERE)
    configure(ENCRYPTION_KEYS=(NEW,))
    assert encryption.decrypt(resealed, HERE) == VALUE
    with pytest.raises(encryption.Unreadable):
        encryption.decrypt(sealed, HERE)


def test_every_single_damaged_byte_is_noticed() -> None:
    raw = base64.urlsafe_b64decode(encryption.encrypt({"a": 1}, HERE))
    for position in range(len(raw)):
        damaged = raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
        with pytest.raises(encryption.Unreadable):
            encryption.decrypt(base64.urlsafe_b64encode(damaged).decode(), HERE)


@pytest.mark.parametrize("text", ["", "x", "====", "é", "AAAA", "A" * 1_000, "\x00", "not base64!"])
def test_what_was_never_sealed_is_unreadable(text: str) -> None:
    with pytest.raises(encryption.Unreadable):
        encryption.decrypt(text, HERE)


def test_cut_short_it_is_unreadable() -> None:
    sealed = encryption.encrypt(VALUE, HERE)
    for length in (4, 8, 16, 20, len(sealed) - 4):
        with pytest.raises(encryption.Unreadable):
            encryption.decrypt(sealed[:length], HERE)


def test_without_a_key_nothing_is_sealed(configure: Callable[..., None]) -> None:
    configure(ENCRYPTION_KEYS=())
    with pytest.raises(ValueError, match="ENCRYPTION_KEYS"):
        encryption.encrypt(VALUE, HERE)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("c2hvcnQ=", "5 bytes"),
        ("x", "base64"),
        (base64.urlsafe_b64encode(b"x" * 33).decode(), "33 bytes"),
        ("", "0 bytes"),
    ],
)
def test_a_key_of_the_wrong_kind_is_refused_without_being_told(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refusal:
        encryption.decoded_key(text)
    assert not text or text not in str(refusal.value)


def test_the_settings_do_not_show_keys_or_secrets(configure: Callable[..., None]) -> None:
    configure(
        API_TOKEN="canary-token", CLIENT_SECRET="canary-secret", HOOK_SECRET="canary-hook", PRIVATE_KEY="canary-pem"
    )
    shown = repr(encryption.conf())
    assert "canary" not in shown
    assert NEW not in shown
