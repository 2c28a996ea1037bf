"""Bearer values at rest: bound to their place, readable by every key of the ring, by nothing else."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from selfreg import encryption
from selfreg.checks.hardening import check_secrets
from selfreg.conf import conf
from support.person import KEYS

NEW, OLD = KEYS
HERE, THERE = "registration:1:sealed", "registration:2:sealed"
VALUE = {
    "interaction_handle": "canary-handle",
    "draft": {"userProfile.firstName": "Zoë"},
    "n": 1.5,
    "list": [None, True],
}


def encrypt(value: Any) -> str:
    return encryption.encrypt(value, HERE, conf().encryption_keys)


def decrypt(text: str, place: str = HERE) -> Any:
    return encryption.decrypt(text, place, conf().encryption_keys)


@pytest.fixture(autouse=True)
def _ring(configure: Callable[..., None]) -> None:
    """The keys of the tests' settings."""


def test_what_was_sealed_is_what_comes_out() -> None:
    assert decrypt(encrypt(VALUE)) == VALUE


def test_the_sealed_text_tells_nothing_and_is_never_the_same() -> None:
    one, two = encrypt(VALUE), encrypt(VALUE)
    assert one != two
    assert "canary" not in one
    assert b"canary" not in base64.urlsafe_b64decode(one)


def test_moved_to_another_row_it_does_not_open() -> None:
    with pytest.raises(encryption.Unreadable):
        decrypt(encrypt(VALUE), THERE)


def test_a_new_first_key_leaves_what_the_old_one_sealed_readable(configure: Callable[..., None]) -> None:
    configure(ENCRYPTION_KEYS=(OLD,))
    sealed = encrypt(VALUE)
    configure(ENCRYPTION_KEYS=(NEW, OLD))
    assert decrypt(sealed) == VALUE
    resealed = encrypt(VALUE)
    configure(ENCRYPTION_KEYS=(NEW,))
    assert decrypt(resealed) == VALUE
    with pytest.raises(encryption.Unreadable):
        decrypt(sealed)


def test_every_single_damaged_byte_is_noticed() -> None:
    raw = base64.urlsafe_b64decode(encrypt({"a": 1}))
    for position in range(len(raw)):
        damaged = raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
        with pytest.raises(encryption.Unreadable):
            decrypt(base64.urlsafe_b64encode(damaged).decode())


@pytest.mark.parametrize("text", ["", "x", "====", "é", "AAAA", "A" * 1_000, "\x00", "not base64!"])
def test_what_was_never_sealed_is_unreadable(text: str) -> None:
    with pytest.raises(encryption.Unreadable):
        decrypt(text)


def test_cut_short_it_is_unreadable() -> None:
    sealed = encrypt(VALUE)
    for length in (4, 8, 16, 20, len(sealed) - 4):
        with pytest.raises(encryption.Unreadable):
            decrypt(sealed[:length])


def test_without_a_key_nothing_is_sealed(configure: Callable[..., None]) -> None:
    configure(ENCRYPTION_KEYS=())
    with pytest.raises(ValueError, match="ENCRYPTION_KEYS"):
        encrypt(VALUE)


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
    shown = repr(conf())
    assert "canary" not in shown
    assert NEW not in shown


@pytest.mark.parametrize(
    ("django", "site", "wanted"),
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
def test_a_site_with_weak_keys_is_told_outside_debug(
    settings: Any, configure: Callable[..., None], django: dict[str, Any], site: dict[str, Any], wanted: list[str]
) -> None:
    settings.SECRET_KEY = "a-secret-key-of-this-test-0123456789-0123456789-0123456789"
    for name, value in django.items():
        setattr(settings, name, value)
    configure(**site)
    assert [message.id for message in check_secrets()] == wanted
    settings.DEBUG = True
    assert check_secrets() == []


def test_a_site_that_keeps_sessions_in_cookies_is_told(settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    assert "selfreg.W012" in [message.id for message in check_secrets()]
