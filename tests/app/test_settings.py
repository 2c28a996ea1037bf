"""The settings dict, and the system checks that say what is wrong with it before the first visitor does."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from selfreg.conf import Conf, conf
from support.person import KEYS

HTTPS = {"ISSUER": "https://dev-1.example.com", "BASE_URL": "https://www.example.com", "CLIENT_SECRET": "made-by-okta"}


@pytest.fixture(autouse=True)
def _fine(configure: Callable[..., None], settings: Any) -> None:
    """A site that is set up well."""
    configure(**HTTPS)


def found() -> dict[str, CheckMessage]:
    return {str(m.id): m for m in run_checks(databases=[]) if str(m.id).startswith("selfreg.")}


# ---- reading


def test_what_is_not_set_has_its_default(settings: Any) -> None:
    settings.SELFREG = {}
    assert conf() == Conf()


def test_a_trailing_slash_makes_no_other_issuer(configure: Callable[..., None]) -> None:
    configure(ISSUER="https://dev-1.example.com/oauth2/default/", BASE_URL="https://www.example.com/")
    assert conf().issuer == "https://dev-1.example.com/oauth2/default"
    assert conf().base_url == "https://www.example.com"


def test_a_changed_setting_is_read_anew(configure: Callable[..., None]) -> None:
    configure(SITE_NAME="One")
    assert conf().name == "One"
    configure(SITE_NAME="")
    assert conf().name == "www.example.com"


@pytest.mark.parametrize(
    ("setting", "workflow", "mandatory"),
    [
        ("mandatory", "", True),
        ("mandatory", "optional", True),
        ("optional", "", False),
        ("optional", "optional", False),
        ("optional", "mandatory", True),
        ("perhaps", "", False),
    ],
)
def test_an_address_is_proven_first_if_the_site_or_the_registration_says_so(
    configure: Callable[..., None], setting: str, workflow: str, mandatory: bool
) -> None:
    configure(EMAIL_VERIFICATION=setting)
    assert conf().email_is_mandatory(workflow) is mandatory
    assert conf().email_is_mandatory() is (setting == "mandatory")


def test_an_unknown_key_does_not_stop_a_request(configure: Callable[..., None]) -> None:
    configure(ISSUERR="x")
    assert conf().issuer == "https://dev-1.example.com"


# ---- checks


@pytest.mark.parametrize("nowhere", ["/accounts/profile/", "no-such-name"])
def test_a_page_to_land_on_that_does_not_exist_is_a_warning(nowhere: str, settings: Any) -> None:
    settings.LOGIN_REDIRECT_URL = nowhere
    assert set(found()) == {"selfreg.W003"}
    assert nowhere in found()["selfreg.W003"].msg
    settings.LOGIN_REDIRECT_URL = "https://elsewhere.example.com/"
    assert found() == {}


def test_the_page_of_this_app_s_own_setting_counts_first(configure: Callable[..., None], settings: Any) -> None:
    settings.LOGIN_REDIRECT_URL = "/accounts/profile/"
    configure(AFTER="/members/")
    assert found() == {}


def test_a_whole_number_of_seconds_is_a_number_too(configure: Callable[..., None]) -> None:
    configure(MINIMUM_FILL_SECONDS=2, API_TOKEN=None)
    assert found() == {}


def test_a_site_that_is_set_up_well_has_nothing_to_put_right() -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("id_", "changes", "named"),
    [
        ("selfreg.E001", {"ISSUERR": "x"}, "ISSUERR"),
        ("selfreg.E002", {"ISSUER": ""}, "ISSUER"),
        ("selfreg.E002", {"CLIENT_ID": ""}, "CLIENT_ID"),
        ("selfreg.E002", {"BASE_URL": ""}, "BASE_URL"),
        ("selfreg.E003", {"ISSUER": "http://dev-1.example.com"}, "ISSUER"),
        ("selfreg.E003", {"ISSUER": "dev-1.example.com"}, "ISSUER"),
        ("selfreg.E003", {"BASE_URL": "http://www.example.com"}, "BASE_URL"),
        ("selfreg.E003", {"ISSUER": "http://127.0.0.1:9000"}, "ISSUER"),
        ("selfreg.E004", {"ISSUER": "https://dev-1.example.com?x=1"}, "ISSUER"),
        ("selfreg.E004", {"BASE_URL": "https://user@www.example.com"}, "BASE_URL"),
        ("selfreg.E005", {"ENCRYPTION_KEYS": ()}, "ENCRYPTION_KEYS"),
        ("selfreg.E005", {"ENCRYPTION_KEYS": (KEYS[0], "short")}, "[1]"),
        ("selfreg.E006", {"EMAIL_VERIFICATION": "sometimes"}, "EMAIL_VERIFICATION"),
        ("selfreg.E012", {"CLIENT_AUTH": "magic"}, "CLIENT_AUTH"),
        ("selfreg.E023", {"ENCRYPTION_KEYS": KEYS[0]}, "ENCRYPTION_KEYS"),
        ("selfreg.E023", {"PHONE_COUNTRIES": "DE"}, "PHONE_COUNTRIES"),
        ("selfreg.E023", {"AUTHENTICATORS": "okta_email,okta_password"}, "AUTHENTICATORS"),
        ("selfreg.E023", {"ATTRIBUTES": "email"}, "ATTRIBUTES"),
        ("selfreg.E012", {"CLIENT_AUTH": "private_key", "PRIVATE_KEY": "no pem"}, "PRIVATE_KEY"),
        ("selfreg.E023", {"AUTHENTICATORS": None}, "AUTHENTICATORS"),
        ("selfreg.E023", {"PHONE_COUNTRIES": 5}, "PHONE_COUNTRIES"),
        ("selfreg.E024", {"TRUSTED_PROXIES": "1"}, "TRUSTED_PROXIES"),
        ("selfreg.E024", {"TRUSTED_PROXIES": True}, "TRUSTED_PROXIES"),
        ("selfreg.E024", {"MINIMUM_FILL_SECONDS": "2.0"}, "MINIMUM_FILL_SECONDS"),
        ("selfreg.E024", {"APPROVAL": "false"}, "APPROVAL"),
        ("selfreg.E025", {"PROFILE_HOOK": "no.such.hook"}, "no.such.hook"),
        ("selfreg.E026", {"SUPPORT": "call us"}, "SUPPORT"),
        ("selfreg.E026", {"TERMS_URL": "javascript:alert(1)"}, "TERMS_URL"),
        ("selfreg.E026", {"PRIVACY_URL": "help@example.com"}, "PRIVACY_URL"),
        ("selfreg.E026", {"RESET_PASSWORD_URL": "forgot-password"}, "RESET_PASSWORD_URL"),
        ("selfreg.E025", {"PROFILE_HOOK": "selfreg.conf.LISTS"}, "selfreg.conf.LISTS"),
    ],
)
def test_a_wrong_key_of_the_dict_is_named(
    configure: Callable[..., None], id_: str, changes: dict[str, Any], named: str
) -> None:
    configure(**changes)
    assert named in found()[id_].msg


@pytest.mark.parametrize(
    ("id_", "name", "value"),
    [
        ("selfreg.E007", "AUTHENTICATION_BACKENDS", ["django.contrib.auth.backends.ModelBackend"]),
        (
            "selfreg.E008",
            "AUTHENTICATION_BACKENDS",
            ["selfreg.auth.OktaBackend", "mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
        ),
        ("selfreg.W001", "OIDC_CALLBACK_CLASS", "mozilla_django_oidc.views.OIDCAuthenticationCallbackView"),
        ("selfreg.W001", "OIDC_AUTHENTICATE_CLASS", ""),
        ("selfreg.E009", "OIDC_ALLOW_UNSECURED_JWT", True),
        ("selfreg.E010", "SESSION_COOKIE_SAMESITE", "Strict"),
    ],
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_a_setting_of_django_that_would_do_harm_is_named(settings: Any, id_: str, name: str, value: object) -> None:
    setattr(settings, name, value)
    assert set(found()) == {id_}


def test_plain_http_on_loopback_is_fine_under_debug(configure: Callable[..., None], settings: Any) -> None:
    settings.DEBUG = True
    configure(ISSUER="http://127.0.0.1:9000/oauth2/default", BASE_URL="http://localhost:8000")
    assert found() == {}


def test_no_check_tells_a_secret(configure: Callable[..., None]) -> None:
    configure(
        ENCRYPTION_KEYS=("canary-key",), CLIENT_SECRET="canary-secret", ISSUER="http://x", CLIENT_AUTH="private_key"
    )
    configure(PRIVATE_KEY="canary-pem")
    assert found()
    assert "canary" not in " ".join(f"{m.msg} {m.hint}" for m in found().values())
