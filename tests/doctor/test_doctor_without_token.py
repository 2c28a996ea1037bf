"""The doctor without an API token: one misconfiguration of the org or the site, one finding."""

from collections.abc import Callable
from typing import Any

import pytest

from okta_devorg import OrgHandle
from selfreg.conf import conf
from selfreg.doctor.examination import examine
from support.misconfiguration import LATER, PUBLIC_KEY, Misconfiguration

LOW_RATE_LIMIT = {"X-Rate-Limit-Limit": "600", "X-Rate-Limit-Remaining": "3"}
IMMEDIATELY = {"seconds": 0}

TROUBLES = (
    Misconfiguration("doctor.issuer-unreachable", site={"ISSUER": "http://127.0.0.1:1/oauth2/default"}),
    Misconfiguration("doctor.issuer-unreachable", faults=((".well-known/openid-configuration", "reset", {}),)),
    Misconfiguration("doctor.issuer-tls", site={"ISSUER": "https://{host}/oauth2/default"}),
    Misconfiguration("doctor.issuer-unknown", site={"ISSUER": "{base}/oauth2/other"}),
    Misconfiguration("doctor.issuer-unknown", faults=((".well-known/openid-configuration", "html", {}),)),
    Misconfiguration("doctor.issuer-unknown", faults=((".well-known/openid-configuration", "redirect", {}),)),
    Misconfiguration("doctor.issuer-mismatch", faults=((".well-known/openid-configuration", "foreign-href", {}),)),
    Misconfiguration(
        "doctor.issuer-failing", faults=((".well-known/openid-configuration", "status", {"status": 503}),)
    ),
    Misconfiguration("doctor.issuer-failing", faults=(("/v1/interact", "status", {"status": 500}),)),
    Misconfiguration("doctor.issuer-failing", faults=(("/idp/idx/introspect", "timeout", IMMEDIATELY),)),
    Misconfiguration("doctor.issuer-keys", faults=(("/v1/keys", "html", {}),)),
    Misconfiguration("doctor.issuer-keys", faults=(("/v1/keys", "empty", {}),)),
    Misconfiguration(
        "doctor.clock-difference",
        faults=((".well-known/openid-configuration", "slow", {**IMMEDIATELY, "headers": {"Date": LATER}}),),
    ),
    Misconfiguration("doctor.client-unknown", site={"CLIENT_ID": "0oaSomebodyElse"}),
    Misconfiguration("doctor.client-secret-wrong", site={"CLIENT_SECRET": "another"}),
    Misconfiguration(
        "doctor.client-secret-wrong",
        policy={"unknowns": {"interact_requires_secret": False}},
        app={"client_secret": "another"},
    ),
    Misconfiguration("doctor.client-secret-missing", site={"CLIENT_SECRET": ""}),
    Misconfiguration("doctor.client-auth-method", app={"client_secret": None, "public_keys": [PUBLIC_KEY]}),
    Misconfiguration("doctor.client-public", app={"client_secret": None}, site={"CLIENT_SECRET": ""}),
    Misconfiguration("doctor.grant-app", app={"grants": ["authorization_code", "refresh_token"]}),
    Misconfiguration("doctor.grant-sign-in", app={"grants": ["interaction_code", "refresh_token"]}),
    Misconfiguration("doctor.grant-org", policy={"interaction_code": {"org": False}}),
    Misconfiguration("doctor.grant-server", policy={"interaction_code": {"server": False}}),
    Misconfiguration("doctor.scopes", site={"SCOPES": "openid profile email payroll"}),
    Misconfiguration("doctor.redirect-uri", app={"redirect_uris": ["http://127.0.0.1:8000/oidc/callback"]}),
    Misconfiguration("doctor.redirect-uri", app={"redirect_uris": ["https://127.0.0.1:8000/oidc/callback/"]}),
    Misconfiguration("doctor.sign-out-uri", app={"post_logout_redirect_uris": ["http://127.0.0.1:8000/bye/"]}),
    Misconfiguration("doctor.signup-denied", policy={"sign_up": False}),
    Misconfiguration("doctor.signup-denied", policy={"sign_up_refusal": "at_interact"}),
    Misconfiguration("doctor.signup-unavailable", policy={"sign_up_refusal": "unavailable"}),
    Misconfiguration(
        "doctor.form-without-email",
        policy={
            "profile": [{"name": "login", "label": "Username", "required": True}, {"name": "email", "label": "Email"}]
        },
    ),
    Misconfiguration(
        "doctor.field-unsupported",
        policy={
            "profile": [
                {"name": "email", "label": "Email", "required": True},
                {"name": "teams", "label": "Teams", "type": "array"},
            ]
        },
    ),
    Misconfiguration("doctor.field-missing", site={"ATTRIBUTES": ["email", "mobilePhone"]}),
    Misconfiguration("doctor.captcha", policy={"captcha": {"type": "HCAPTCHA", "site_key": "", "accept_token": "x"}}),
    Misconfiguration("doctor.transaction-lifetime", policy={"lifetimes": {"before_user": 60}}),
    Misconfiguration("doctor.rate-limited", faults=(("/v1/interact", "status", {"status": 429}),)),
    Misconfiguration("doctor.rate-limited", policy={"limits": {"client_per_minute": 1}}),
    Misconfiguration(
        "doctor.rate-limit-low", faults=(("/v1/interact", "slow", {**IMMEDIATELY, "headers": LOW_RATE_LIMIT}),)
    ),
    Misconfiguration("doctor.site-hosts", django={"ALLOWED_HOSTS": ["x.example"]}),
    Misconfiguration("doctor.site-time-zone", django={"USE_TZ": False}),
    Misconfiguration("doctor.site-language", django={"LANGUAGE_CODE": "eo"}),
    Misconfiguration("doctor.site-hook", site={"PROFILE_HOOK": "nowhere.judge"}),
    Misconfiguration("doctor.site-hook", site={"PROFILE_HOOK": "selfreg.conf.LISTS"}),
    Misconfiguration("selfreg.E001", site={"ISUER": "typo"}),
    Misconfiguration("selfreg.E005", site={"ENCRYPTION_KEYS": []}),
    Misconfiguration("selfreg.E006", site={"EMAIL_VERIFICATION": "perhaps"}),
    Misconfiguration("selfreg.E012", site={"CLIENT_AUTH": "private_key", "PRIVATE_KEY": "no PEM"}),
    Misconfiguration("selfreg.E012", site={"CLIENT_AUTH": "perhaps"}),
    Misconfiguration("selfreg.E002", site={"ISSUER": ""}),
    Misconfiguration("selfreg.E002", site={"CLIENT_ID": ""}),
    Misconfiguration("selfreg.E003", site={"ISSUER": "nonsense"}),
    Misconfiguration("selfreg.E010", django={"SESSION_COOKIE_SAMESITE": "Strict"}),
)

pytestmark = pytest.mark.usefixtures("right_org")


def test_correct_org_has_no_findings_without_token(right_org: OrgHandle) -> None:
    report = examine(conf())
    assert report.findings == ()
    assert "asks for: firstName, lastName, email" in [str(fact.detail) for fact in report.facts]


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_each_misconfiguration_is_the_only_finding_without_token(
    trouble: Misconfiguration, right_org: OrgHandle, configure: Callable[..., None], settings: Any
) -> None:
    trouble.make(right_org, configure, settings)
    assert [finding.id for finding in examine(conf()).findings] == [trouble.id]
    assert right_org.users == []
