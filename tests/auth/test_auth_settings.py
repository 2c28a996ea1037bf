"""Client authentication at the token endpoint, and system checks of settings for the sign-in."""

import base64
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from selfreg.checks.settings import check_settings
from selfreg.checks.site import check_hand_off
from selfreg.checks.surroundings import check_database
from support.person import SITE, Person
from support.provider.hostile_provider import CLIENT_ID, CLIENT_SECRET, HostileProvider, rsa_key

AUTHENTICATE = f"{SITE}/oidc/authenticate/"
Configure = Callable[..., None]


def token_request(provider: HostileProvider) -> tuple[dict[str, str], str]:
    assert Person().opens(AUTHENTICATE).is_signed_in
    return provider.token_requests[-1]


def test_client_secret_is_sent_in_the_body_by_default(provider: HostileProvider) -> None:
    form, authorization = token_request(provider)
    assert (form["client_id"], form["client_secret"], authorization) == (CLIENT_ID, CLIENT_SECRET, "")


def test_client_auth_secret_basic_sends_the_secret_in_the_header(
    provider: HostileProvider, configure: Configure
) -> None:
    configure(CLIENT_AUTH="secret_basic", CLIENT_SECRET="a:b c%é")
    form, authorization = token_request(provider)
    assert "client_secret" not in form
    assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"{CLIENT_ID}:a%3Ab%20c%25%C3%A9"


def test_client_auth_private_key_sends_a_new_client_assertion_each_time(
    provider: HostileProvider, configure: Configure
) -> None:
    pem = rsa_key("client").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    configure(CLIENT_AUTH="private_key", PRIVATE_KEY=pem, PRIVATE_KEY_ID="app-1", CLIENT_SECRET="")
    first_request, _ = token_request(provider)
    assert "client_secret" not in first_request
    assert first_request["client_assertion_type"].endswith(":jwt-bearer")
    url = f"{provider.issuer}/v1/token"
    claims = jwt.decode(first_request["client_assertion"], rsa_key("client").public_key(), ["RS256"], audience=url)
    assert (claims["iss"], claims["sub"]) == (CLIENT_ID, CLIENT_ID)
    assert claims["exp"] - claims["iat"] <= 3_600
    assert jwt.get_unverified_header(first_request["client_assertion"])["kid"] == "app-1"
    second_request, _ = token_request(provider)
    second_claims = jwt.decode(second_request["client_assertion"], options={"verify_signature": False})
    assert second_claims["jti"] != claims["jti"]


def test_public_app_sends_only_the_code_verifier(provider: HostileProvider, configure: Configure) -> None:
    configure(CLIENT_SECRET="")
    form, authorization = token_request(provider)
    assert (form["client_id"], authorization) == (CLIENT_ID, "")
    assert not {"client_secret", "client_assertion"} & set(form)
    assert form["code_verifier"]


# ---- system checks


def reported_ids() -> set[str | None]:
    return {m.id for check in (check_settings, check_hand_off, check_database) for m in check()}


DEFAULT_BACKEND = "mozilla_django_oidc.auth.OIDCAuthenticationBackend"
OKTA_BACKEND = "selfreg.auth.OktaBackend"
UNSAFE: list[tuple[str, dict[str, Any]]] = [
    ("selfreg.E007", {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]}),
    ("selfreg.E008", {"AUTHENTICATION_BACKENDS": [OKTA_BACKEND, DEFAULT_BACKEND]}),
    ("selfreg.W001", {"OIDC_CALLBACK_CLASS": "mozilla_django_oidc.views.OIDCAuthenticationCallbackView"}),
    ("selfreg.W001", {"OIDC_AUTHENTICATE_CLASS": ""}),
    ("selfreg.E009", {"OIDC_ALLOW_UNSECURED_JWT": True}),
    ("selfreg.E010", {"SESSION_COOKIE_SAMESITE": "Strict"}),
]
UNUSABLE: list[tuple[str, dict[str, Any]]] = [
    ("selfreg.E001", {"ISSUERS": "x"}),
    ("selfreg.E002", {"CLIENT_ID": ""}),
    ("selfreg.E003", {"ISSUER": "http://org.example"}),
    ("selfreg.E003", {"BASE_URL": "ftp://site.example"}),
    ("selfreg.E004", {"ISSUER": "https://org.example/?a=b"}),
    ("selfreg.E004", {"ISSUER": "https://user@org.example"}),
    ("selfreg.E005", {"ENCRYPTION_KEYS": ()}),
    ("selfreg.E005", {"ENCRYPTION_KEYS": ("short",)}),
    ("selfreg.E006", {"EMAIL_VERIFICATION": "maybe"}),
    ("selfreg.E012", {"CLIENT_AUTH": "none"}),
    ("selfreg.E012", {"CLIENT_AUTH": "private_key", "PRIVATE_KEY": "no PEM"}),
]


@pytest.fixture
def valid_settings(configure: Configure) -> None:
    configure(ISSUER="https://org.example/oauth2/default", BASE_URL="https://site.example")
    assert reported_ids() == set()


@pytest.mark.usefixtures("valid_settings")
@pytest.mark.parametrize(("expected", "changes"), UNSAFE)
def test_system_checks_report_unsafe_settings(settings: Any, expected: str, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert expected in reported_ids()


@pytest.mark.usefixtures("valid_settings")
@pytest.mark.parametrize(("expected", "changes"), UNUSABLE)
def test_system_checks_report_unusable_settings(configure: Configure, expected: str, changes: dict[str, Any]) -> None:
    configure(**changes)
    assert expected in reported_ids()
