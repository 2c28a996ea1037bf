"""The settings of several orgs, and the system checks for them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from selfreg.checks.several_orgs import check_includes
from selfreg.conf import UnknownOrg, conf, orgs
from selfreg.web.orgs import page_url
from support.person import KEYS

Configure = Callable[..., None]
OTHER = {"ISSUER": "https://other.example.com", "CLIENT_ID": "0oaOther"}


@pytest.fixture(autouse=True)
def _site(configure: Configure) -> None:
    """Configure a site with one org and all credentials."""
    configure(
        ISSUER="https://dev-1.example.com/oauth2/default",
        BASE_URL="https://www.example.com",
        API_TOKEN="token-of-the-site",
        HOOK_SECRET="hook-secret-of-the-site-0123",
        PRIVATE_KEY="key-of-the-site",
        SUPPORT="help@example.com",
    )


def check_messages() -> list[str]:
    messages: list[CheckMessage] = run_checks(databases=[])
    return [f"{m.id} {m.msg}" for m in messages if (m.id or "").startswith("selfreg.")]


def test_missing_settings_of_an_org_are_those_of_the_site(configure: Configure) -> None:
    configure(ORGS={"partners": {**OTHER, "SITE_NAME": "Partners", "PHONE_COUNTRIES": ["DE"]}})
    assert list(orgs()) == ["default", "partners"]
    partners = conf("partners")
    assert (partners.org, partners.name, partners.phone_countries) == ("partners", "Partners", ("DE",))
    assert (partners.base_url, partners.support) == ("https://www.example.com", "help@example.com")
    assert [key.reveal() for key in partners.encryption_keys] == list(KEYS)
    assert conf().org == "default"
    assert conf().issuer == "https://dev-1.example.com/oauth2/default"
    with pytest.raises(UnknownOrg):
        conf("nobody")


@pytest.mark.parametrize(
    ("org_settings", "inherited"),
    [
        (OTHER, []),
        ({"CLIENT_ID": "0oaSecond"}, ["api_token", "hook_secret"]),
        ({"ISSUER": "https://dev-1.example.com"}, ["client_secret", "private_key", "api_token", "hook_secret"]),
        ({"ISSUER": "https://evil.example.com/dev-1.example.com"}, []),
    ],
)
def test_credentials_are_not_inherited_by_another_app_or_org(
    configure: Configure, org_settings: dict[str, str], inherited: list[str]
) -> None:
    configure(ORGS={"other": org_settings})
    of_site, of_other = conf(), conf("other")
    names = ["client_secret", "private_key", "api_token", "hook_secret"]
    assert [n for n in names if getattr(of_other, n)] == inherited
    assert [getattr(of_other, n) for n in inherited] == [getattr(of_site, n) for n in inherited]


def test_system_checks_name_the_wrong_org(configure: Configure) -> None:
    configure(
        ORGS={
            "partners": {
                "ISSUER": "http://other.example.com",
                "CLIENT_ID": "0oaOther",
                "EMAIL_VERIFICATION": "perhaps",
            },
            "brand": {
                "RESEND_SECOND": 1,
                "ENCRYPTION_KEYS": "text",
                "LINK_EXISTING": "yes",
                "PROFILE_HOOK": "no.where",
            },
            "lost": {"ISSUER": "https://lost.example.com"},
        }
    )
    expected = [
        "selfreg.E003 Org 'partners': SELFREG['ISSUER'] isn't an https URL.",
        "selfreg.E006 Org 'partners': SELFREG['EMAIL_VERIFICATION'] must be 'mandatory' or 'optional'.",
        "selfreg.E001 Org 'brand': SELFREG has an unknown key 'RESEND_SECOND'.",
        "selfreg.E023 Org 'brand': SELFREG['ENCRYPTION_KEYS'] must be a list of strings.",
        "selfreg.E024 Org 'brand': SELFREG['LINK_EXISTING'] is 'yes', but must be True or False.",
        "selfreg.E002 Org 'lost': SELFREG['CLIENT_ID'] is not set.",
    ]
    messages = check_messages()
    assert [m for m in expected if m not in messages] == []
    assert any(m.startswith("selfreg.E025 Org 'brand': ") for m in messages)


def test_problems_of_the_site_are_reported_once(configure: Configure, settings: Any) -> None:
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    configure(ORGS={"partners": OTHER}, SUPPORT="nowhere")
    assert len([m for m in check_messages() if "selfreg.E010" in m]) == 1
    assert len([m for m in check_messages() if "selfreg.E026" in m]) == 1


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (
            {"ORGS": {"Big Name": OTHER}},
            "selfreg.E050 SELFREG['ORGS']['Big Name'] can't be used: invalid name.",
        ),
        (
            {"ORGS": {"default": OTHER}},
            "selfreg.E050 SELFREG['ORGS']['default'] can't be used: invalid name.",
        ),
        ({"ORGS": {3: OTHER}}, "selfreg.E050 SELFREG['ORGS'][3] can't be used: invalid name."),
        ({"ORGS": {"partners": "0oa"}}, "selfreg.E050 SELFREG['ORGS']['partners'] can't be used: it isn't a dict."),
        ({"ORGS": ["partners"]}, "selfreg.E050 SELFREG['ORGS'][''] can't be used: it isn't a dict."),
        (
            {"ORGS": {"partners": {**OTHER, "METRICS_TOKEN": "a"}}},
            "selfreg.E051 SELFREG['ORGS']['partners'] has 'METRICS_TOKEN', which applies to all orgs.",
        ),
        (
            {"ORG_RESOLVER": "no.where"},
            "selfreg.E052 SELFREG['ORG_RESOLVER'] is 'no.where', which can't be used: No module named 'no'. "
            "Every page answers 404.",
        ),
    ],
)
def test_system_checks_report_unusable_orgs(configure: Configure, setting: dict[str, Any], expected: str) -> None:
    configure(**setting)
    assert expected in check_messages()
    assert conf().client_id


def test_system_checks_report_wrong_includes(configure: Configure, settings: Any) -> None:
    configure(ORGS={"partners": OTHER, "brand": {"CLIENT_ID": "0oaBrand"}})
    settings.ROOT_URLCONF = "support.org_urls"
    assert [m.id for m in check_includes()] == ["selfreg.E053"]
    assert "'nobody'" in check_includes()[0].msg
    assert page_url("partners", "step") == "/partners/signup/step/"
    assert page_url("brand", "step") == "/brand/signup/step/"
    assert page_url("default", "step") == "/signup/step/"
    settings.ROOT_URLCONF = "support.org_urls_wrong"
    assert [(m.id, "'partners'" in m.msg) for m in check_includes()] == [
        ("selfreg.E054", True),
        ("selfreg.E055", False),
    ]
    settings.ROOT_URLCONF = "project.urls"
    assert [m.id for m in check_includes()] == ["selfreg.W050", "selfreg.W050"]


def test_site_with_one_org_has_no_messages_about_several() -> None:
    assert [m for m in check_messages() if m[8:12] in ("E050", "E051", "E052", "E053", "E054", "E055", "W050")] == []
