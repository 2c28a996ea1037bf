"""The SELFREG settings, and the system checks for them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from selfreg.checks.base import CHECKS
from selfreg.conf import SETTING_NAMES, Conf, conf
from selfreg.secret import Secret
from support.person import KEYS

HTTPS = {"ISSUER": "https://dev-1.example.com", "BASE_URL": "https://www.example.com", "CLIENT_SECRET": "made-by-okta"}


@pytest.fixture(autouse=True)
def _correct_settings(configure: Callable[..., None], settings: Any) -> None:
    """Configure a correct site."""
    configure(**HTTPS)


def check_messages() -> dict[str, CheckMessage]:
    return {str(m.id): m for m in run_checks(databases=[]) if str(m.id).startswith("selfreg.")}


# ---- reading


def test_missing_settings_have_defaults(settings: Any) -> None:
    settings.SELFREG = {}
    assert conf() == Conf()


def test_trailing_slashes_of_urls_are_removed(configure: Callable[..., None]) -> None:
    configure(ISSUER="https://dev-1.example.com/oauth2/default/", BASE_URL="https://www.example.com/")
    assert conf().issuer == "https://dev-1.example.com/oauth2/default"
    assert conf().base_url == "https://www.example.com"


def test_changed_setting_takes_effect(configure: Callable[..., None]) -> None:
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
def test_verification_is_mandatory_if_the_setting_or_the_registration_requires_it(
    configure: Callable[..., None], setting: str, workflow: str, mandatory: bool
) -> None:
    configure(EMAIL_VERIFICATION=setting)
    assert conf().email_is_mandatory(workflow) is mandatory
    assert conf().email_is_mandatory() is (setting == "mandatory")


def test_unknown_key_raises_no_error(configure: Callable[..., None]) -> None:
    configure(ISSUERR="x")
    assert conf().issuer == "https://dev-1.example.com"


# ---- checks


@pytest.mark.parametrize("missing_page", ["/accounts/profile/", "no-such-name"])
def test_system_check_warns_if_the_landing_page_does_not_exist(missing_page: str, settings: Any) -> None:
    settings.LOGIN_REDIRECT_URL = missing_page
    assert set(check_messages()) == {"selfreg.W003"}
    assert missing_page in check_messages()["selfreg.W003"].msg
    settings.LOGIN_REDIRECT_URL = "https://elsewhere.example.com/"
    assert check_messages() == {}


def test_after_setting_has_priority_over_login_redirect_url(configure: Callable[..., None], settings: Any) -> None:
    settings.LOGIN_REDIRECT_URL = "/accounts/profile/"
    configure(AFTER="/members/")
    assert check_messages() == {}


def test_integer_is_accepted_for_a_setting_in_seconds(configure: Callable[..., None]) -> None:
    configure(MINIMUM_FILL_SECONDS=2, API_TOKEN=None)
    assert check_messages() == {}


def test_correct_settings_pass_all_system_checks() -> None:
    assert check_messages() == {}


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
        ("selfreg.E024", {"ISSUER": "https://[your-org].okta.com"}, "ISSUER"),
        ("selfreg.E024", {"ORGS": {"partners": {"ISSUER": "https://[your-org].okta.com"}}}, "partners"),
        ("selfreg.E024", {"PROXY": "http://[proxy"}, "PROXY"),
        ("selfreg.E025", {"PROFILE_HOOK": "no.such.hook"}, "no.such.hook"),
        ("selfreg.E026", {"SUPPORT": "call us"}, "SUPPORT"),
        ("selfreg.E026", {"TERMS_URL": "javascript:alert(1)"}, "TERMS_URL"),
        ("selfreg.E026", {"PRIVACY_URL": "help@example.com"}, "PRIVACY_URL"),
        ("selfreg.E026", {"RESET_PASSWORD_URL": "forgot-password"}, "RESET_PASSWORD_URL"),
        ("selfreg.E025", {"PROFILE_HOOK": "selfreg.conf.LISTS"}, "selfreg.conf.LISTS"),
    ],
)
def test_system_checks_name_the_wrong_setting(
    configure: Callable[..., None], id_: str, changes: dict[str, Any], named: str
) -> None:
    configure(**changes)
    assert named in check_messages()[id_].msg


def reported() -> str:
    return " ".join(message.msg for check in CHECKS for message in check.run(conf()))


@pytest.mark.parametrize("value", [["a"], {"a": 1}, 5, 0.5, True, "text", b"text"], ids=repr)
def test_system_checks_name_values_of_another_type(db: None, configure: Callable[..., None], value: object) -> None:
    for name in sorted(SETTING_NAMES):
        configure(**{name: value})
        assert hash(conf())
        kind = type(getattr(Conf(), name.lower()))
        fits = {float: (int, float), tuple: (list,), Secret: (str,)}.get(kind, (kind,))
        assert type(value) in fits or name in reported(), name
        configure(**{name: getattr(Conf(), name.lower())})


def test_none_means_not_set(db: None, configure: Callable[..., None]) -> None:
    """A variable of the environment may be missing."""
    for name in sorted(SETTING_NAMES - {"ORGS"}):
        before = getattr(conf(), name.lower())
        configure(**{name: None})
        assert getattr(conf(), name.lower()) == getattr(Conf(), name.lower()), name
        reported()
        configure(**{name: before})


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
        ("selfreg.E010", "SESSION_COOKIE_SAMESITE", "strict"),
    ],
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_system_checks_report_harmful_django_settings(settings: Any, id_: str, name: str, value: object) -> None:
    setattr(settings, name, value)
    assert set(check_messages()) == {id_}


def test_http_on_loopback_is_accepted_under_debug(configure: Callable[..., None], settings: Any) -> None:
    settings.DEBUG = True
    configure(ISSUER="http://127.0.0.1:9000/oauth2/default", BASE_URL="http://localhost:8000")
    assert check_messages() == {}


def test_system_check_messages_contain_no_secret(configure: Callable[..., None]) -> None:
    configure(
        ENCRYPTION_KEYS=("canary-key",), CLIENT_SECRET="canary-secret", ISSUER="http://x", CLIENT_AUTH="private_key"
    )
    configure(PRIVATE_KEY="canary-pem", API_TOKEN=b"canary-token", PROXY="http://user:canary@[proxy")
    assert {"selfreg.E003", "selfreg.E005", "selfreg.E012", "selfreg.E024"} <= set(check_messages())
    assert "canary" not in " ".join(f"{m.msg} {m.hint}" for m in check_messages().values())
