"""How the app proves itself at the token endpoint, and which settings the system checks refuse."""

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


def test_by_secret_in_the_body(provider: HostileProvider) -> None:
    form, authorization = token_request(provider)
    assert (form["client_id"], form["client_secret"], authorization) == (CLIENT_ID, CLIENT_SECRET, "")


def test_by_secret_in_the_header(provider: HostileProvider, configure: Configure) -> None:
    configure(CLIENT_AUTH="secret_basic", CLIENT_SECRET="a:b c%é")
    form, authorization = token_request(provider)
    assert "client_secret" not in form
    assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"{CLIENT_ID}:a%3Ab%20c%25%C3%A9"


def test_by_private_key(provider: HostileProvider, configure: Configure) -> None:
    pem = rsa_key("client").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    configure(CLIENT_AUTH="private_key", PRIVATE_KEY=pem, PRIVATE_KEY_ID="app-1", CLIENT_SECRET="")
    first, _ = token_request(provider)
    assert "client_secret" not in first
    assert first["client_assertion_type"].endswith(":jwt-bearer")
    url = f"{provider.issuer}/v1/token"
    claims = jwt.decode(first["client_assertion"], rsa_key("client").public_key(), ["RS256"], audience=url)
    assert (claims["iss"], claims["sub"]) == (CLIENT_ID, CLIENT_ID)
    assert claims["exp"] - claims["iat"] <= 3_600
    assert jwt.get_unverified_header(first["client_assertion"])["kid"] == "app-1"
    second, _ = token_request(provider)
    again = jwt.decode(second["client_assertion"], options={"verify_signature": False})
    assert again["jti"] != claims["jti"]


def test_a_public_app_proves_itself_by_pkce_alone(provider: HostileProvider, configure: Configure) -> None:
    configure(CLIENT_SECRET="")
    form, authorization = token_request(provider)
    assert (form["client_id"], authorization) == (CLIENT_ID, "")
    assert not {"client_secret", "client_assertion"} & set(form)
    assert form["code_verifier"]


# ---- system checks


def ids() -> set[str | None]:
    return {m.id for check in (check_settings, check_hand_off, check_database) for m in check()}


STOCK = "mozilla_django_oidc.auth.OIDCAuthenticationBackend"
OURS = "selfreg.auth.OktaBackend"
UNSAFE: list[tuple[str, dict[str, Any]]] = [
    ("selfreg.E007", {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]}),
    ("selfreg.E008", {"AUTHENTICATION_BACKENDS": [OURS, STOCK]}),
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
def fine(configure: Configure) -> None:
    configure(ISSUER="https://org.example/oauth2/default", BASE_URL="https://site.example")
    assert ids() == set()


@pytest.mark.usefixtures("fine")
@pytest.mark.parametrize(("expected", "changes"), UNSAFE)
def test_a_check_refuses_what_is_unsafe(settings: Any, expected: str, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert expected in ids()


@pytest.mark.usefixtures("fine")
@pytest.mark.parametrize(("expected", "changes"), UNUSABLE)
def test_a_check_refuses_what_cannot_work(configure: Configure, expected: str, changes: dict[str, Any]) -> None:
    configure(**changes)
    assert expected in ids()
