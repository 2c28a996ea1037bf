"""A page adds what it shows to the site's Content-Security-Policy, whichever middleware sends that."""

from importlib.util import find_spec
from typing import Any

import pytest
from django.conf import settings as django_settings

from support.idx.documents import document, profile_field, step, wrapped
from support.idx.scripted_org import ScriptedOrg
from support.person import Person

OF_DJANGO_CSP = "csp.middleware.CSPMiddleware"
OF_DJANGO = "django.middleware.csp.ContentSecurityPolicyMiddleware"
SENDERS = [
    OF_DJANGO_CSP,
    pytest.param(OF_DJANGO, marks=pytest.mark.skipif(not find_spec("django.middleware.csp"), reason="Django 5.2")),
]
HCAPTCHA = "https://hcaptcha.com"


@pytest.fixture(params=SENDERS)
def sender(request: pytest.FixtureRequest, settings: Any) -> str:
    others = [path for path in django_settings.MIDDLEWARE if path != OF_DJANGO_CSP]
    settings.MIDDLEWARE = [*others, request.param]
    return str(request.param)


def policy_of_a_page_with_a_captcha(
    ada: Person, scripted: ScriptedOrg, settings: Any, sender: str, policy: dict[str, Any]
) -> dict[str, list[str]]:
    settings.SECURE_CSP = policy if sender == OF_DJANGO else {}
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": policy}
    token = {"name": "captchaToken", "required": True, "visible": False, "hint": "captcha"}
    check = {"name": "captchaVerify", "form": {"value": [token]}}
    captcha = wrapped({"id": "cap1", "siteKey": "key", "type": "HCAPTCHA"})
    scripted.answers_with(document(step("enroll-profile", profile_field("boat"), check), captcha=captcha))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert "h-captcha" in ada.page.html
    header = next(line for line in ada.seen[-1].headers.splitlines() if line.startswith("Content-Security-Policy:"))
    directives = [part.split() for part in header.partition(": ")[2].split(";")]
    return {name: sources for name, *sources in directives}


def test_a_captcha_is_added_to_the_policy_of_the_site(
    ada: Person, scripted: ScriptedOrg, settings: Any, sender: str
) -> None:
    own = {"default-src": ["'none'"], "script-src": ["'self'"], "style-src": {"'self'"}, "connect-src": "'self'"}
    policy = policy_of_a_page_with_a_captcha(ada, scripted, settings, sender, own)
    assert policy["default-src"] == ["'none'"]
    for name in ("script-src", "style-src", "connect-src"):
        assert {"'self'", HCAPTCHA} <= set(policy[name]), name
    assert HCAPTCHA in policy["frame-src"]
    assert "'none'" not in policy["frame-src"]


def test_a_captcha_keeps_the_default_src_of_the_site_for_its_own_scripts_and_styles(
    ada: Person, scripted: ScriptedOrg, settings: Any, sender: str
) -> None:
    policy = policy_of_a_page_with_a_captcha(ada, scripted, settings, sender, {"default-src": ["'self'"]})
    for name in ("script-src", "style-src", "connect-src", "frame-src"):
        assert {"'self'", HCAPTCHA} <= set(policy[name]), name


def test_a_captcha_adds_no_script_src_to_a_policy_without_one(
    ada: Person, scripted: ScriptedOrg, settings: Any, sender: str
) -> None:
    own = {"default-src": None, "frame-ancestors": ["'none'"]}
    policy = policy_of_a_page_with_a_captcha(ada, scripted, settings, sender, own)
    assert policy == {"frame-ancestors": ["'none'"]}
