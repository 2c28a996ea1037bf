"""Encryption at rest: bound to the row, readable with every configured key and with no other."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from selfreg import encryption
from selfreg.checks.hardening import check_secrets
from selfreg.conf import conf
from support.person import KEYS

NEW, OLD = KEYS
ROW_1, ROW_2 = "registration:1:sealed", "registration:2:sealed"
VALUE = {
    "interaction_handle": "canary-handle",
    "draft": {"userProfile.firstName": "Zoë"},
    "n": 1.5,
    "list": [None, True],
}


def encrypt(value: Any) -> str:
    return encryption.encrypt(value, ROW_1, conf().encryption_keys)


def decrypt(text: str, place: str = ROW_1) -> Any:
    return encryption.decrypt(text, place, conf().encryption_keys)


@pytest.fixture(autouse=True)
def _keys(configure: Callable[..., None]) -> None:
    """Configure the encryption keys of the tests."""


def test_decryption_returns_the_encrypted_value() -> None:
    assert decrypt(encrypt(VALUE)) == VALUE


def test_ciphertext_hides_the_value_and_is_different_each_time() -> None:
    one, two = encrypt(VALUE), encrypt(VALUE)
    assert one != two
    assert "canary" not in one
    assert b"canary" not in base64.urlsafe_b64decode(one)


def test_ciphertext_of_another_row_is_unreadable() -> None:
    with pytest.raises(encryption.Unreadable):
        decrypt(encrypt(VALUE), ROW_2)


def test_key_rotation_keeps_old_ciphertexts_readable(configure: Callable[..., None]) -> None:
    configure(ENCRYPTION_KEYS=(OLD,))
    ciphertext = encrypt(VALUE)
    configure(ENCRYPTION_KEYS=(NEW, OLD))
    assert decrypt(ciphertext) == VALUE
    new_ciphertext = encrypt(VALUE)
    configure(ENCRYPTION_KEYS=(NEW,))
    assert decrypt(new_ciphertext) == VALUE
    with pytest.raises(encryption.Unreadable):
        decrypt(ciphertext)


def test_any_damaged_byte_makes_the_ciphertext_unreadable() -> None:
    raw = base64.urlsafe_b64decode(encrypt({"a": 1}))
    for position in range(len(raw)):
        damaged = raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
        with pytest.raises(encryption.Unreadable):
            decrypt(base64.urlsafe_b64encode(damaged).decode())


@pytest.mark.parametrize("text", ["", "x", "====", "é", "AAAA", "A" * 1_000, "\x00", "not base64!"])
def test_other_text_is_unreadable(text: str) -> None:
    with pytest.raises(encryption.Unreadable):
        decrypt(text)


def test_truncated_ciphertext_is_unreadable() -> None:
    ciphertext = encrypt(VALUE)
    for length in (4, 8, 16, 20, len(ciphertext) - 4):
        with pytest.raises(encryption.Unreadable):
            decrypt(ciphertext[:length])


def test_encryption_without_a_key_raises_an_error(configure: Callable[..., None]) -> None:
    configure(ENCRYPTION_KEYS=())
    with pytest.raises(ValueError, match="ENCRYPTION_KEYS"):
        encrypt(VALUE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("c2hvcnQ=", "5 bytes"),
        ("x", "base64"),
        (base64.urlsafe_b64encode(b"x" * 33).decode(), "33 bytes"),
        ("", "0 bytes"),
    ],
)
def test_error_about_an_invalid_key_does_not_contain_the_key(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        encryption.decoded_key(text)
    assert not text or text not in str(error.value)


def test_repr_of_the_settings_contains_no_keys_or_secrets(configure: Callable[..., None]) -> None:
    configure(
        API_TOKEN="canary-token", CLIENT_SECRET="canary-secret", HOOK_SECRET="canary-hook", PRIVATE_KEY="canary-pem"
    )
    text = repr(conf())
    assert "canary" not in text
    assert NEW not in text


@pytest.mark.parametrize(
    ("django", "site", "expected"),
    [
        ({}, {}, []),
        ({}, {"HOOK_SECRET": "a-hook-secret-of-this-test-0123"}, []),
        ({}, {"ENCRYPTION_KEYS": [encryption.DEMO_KEY]}, ["selfreg.E030"]),
        ({}, {"ENCRYPTION_KEYS": [KEYS[0], base64.urlsafe_b64encode(bytes(32)).decode()]}, ["selfreg.E030"]),
        ({}, {"ENCRYPTION_KEYS": [*KEYS, KEYS[0]]}, ["selfreg.E030"]),
        ({"SECRET_KEY": KEYS[1]}, {}, ["selfreg.E030"]),
        ({"SECRET_KEY": encryption.DEMO_SECRET_KEY}, {}, ["selfreg.E031"]),
        ({"SECRET_KEY": "x" * 60}, {}, ["selfreg.E031"]),
        ({}, {"HOOK_SECRET": "a"}, ["selfreg.E032"]),
        (
            {},
            {"HOOK_SECRET": "of-this-test-and-long-enough", "CLIENT_SECRET": "of-this-test-and-long-enough"},
            ["selfreg.E032"],
        ),
        ({"SECRET_KEY": "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"}, {}, ["selfreg.E031"]),
        ({"SECRET_KEY": "1234567890abcXYZ!" * 4}, {}, ["selfreg.E031"]),
        ({"SECRET_KEY_FALLBACKS": [encryption.DEMO_SECRET_KEY]}, {}, ["selfreg.E031"]),
        ({"SECRET_KEY_FALLBACKS": ["of last year"]}, {}, ["selfreg.E031"]),
        ({"SECRET_KEY_FALLBACKS": [KEYS[0]]}, {}, ["selfreg.E030"]),
        ({}, {"ENCRYPTION_KEYS": [base64.urlsafe_b64encode(encryption.decoded_key(KEYS[0])[:16] * 2).decode()]},
         ["selfreg.E030"]),
        ({}, {"ENCRYPTION_KEYS": [base64.urlsafe_b64encode(b"correct horse battery staple, 7!").decode()]},
         ["selfreg.E030"]),
        ({}, {"HOOK_SECRET": "Password1234Password1234"}, ["selfreg.E032"]),
        ({}, {"HOOK_SECRET": KEYS[0]}, ["selfreg.E032"]),
        ({}, {"METRICS_TOKEN": "metrics"}, ["selfreg.E032"]),
        ({}, {"METRICS_TOKEN": "of-this-test-and-long-enough", "HOOK_SECRET": "of-this-test-and-long-enough"},
         ["selfreg.E032"]),
        ({}, {"ISSUER": "https://org.test", "CLIENT_SECRET": encryption.DEMO_CLIENT_SECRET}, ["selfreg.E032"]),
        ({}, {"ISSUER": "https://org.test", "CLIENT_SECRET": "", "API_TOKEN": encryption.DEMO_API_TOKEN},
         ["selfreg.E032"]),
        ({}, {"ORGS": {"partners": {"ENCRYPTION_KEYS": [encryption.DEMO_KEY]}}}, ["selfreg.E030"]),
        ({}, {"ORGS": {"partners": {"ENCRYPTION_KEYS": [KEYS[1]], "HOOK_SECRET": "a-hook-secret-of-this-test-0123"}}},
         []),
        ({}, {"HOOK_SECRET": "a-hook-secret-of-this-test-0123",
              "ORGS": {"other": {"ISSUER": "https://other.test", "HOOK_SECRET": "a-hook-secret-of-this-test-0123"}}},
         ["selfreg.E032"]),
    ],
)  # fmt: skip
def test_system_checks_report_weak_keys_outside_debug(
    settings: Any, configure: Callable[..., None], django: dict[str, Any], site: dict[str, Any], expected: list[str]
) -> None:
    settings.SECRET_KEY = "a-secret-key-of-this-test-0123456789-0123456789-0123456789"
    for name, value in django.items():
        setattr(settings, name, value)
    configure(**site)
    assert [message.id for message in check_secrets()] == expected
    settings.DEBUG = True
    assert check_secrets() == []


def test_system_check_warns_of_sessions_in_signed_cookies(settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    assert "selfreg.W012" in [message.id for message in check_secrets()]
