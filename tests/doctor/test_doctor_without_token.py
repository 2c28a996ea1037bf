"""The doctor without an API token: one misconfiguration of the org or the site, one finding."""

from collections.abc import Callable
from typing import Any

import pytest

from okta_devorg import OrgHandle
from selfreg.conf import conf
from selfreg.doctor.examination import examine
from support.trouble import LATER, PUBLIC_KEY, Trouble

LOW_RATE_LIMIT = {"X-Rate-Limit-Limit": "600", "X-Rate-Limit-Remaining": "3"}
IMMEDIATELY = {"seconds": 0}

TROUBLES = (
    Trouble("doctor.issuer-unreachable", site={"ISSUER": "http://127.0.0.1:1/oauth2/default"}),
    Trouble("doctor.issuer-unreachable", faults=((".well-known/openid-configuration", "reset", {}),)),
    Trouble("doctor.issuer-tls", site={"ISSUER": "https://{host}/oauth2/default"}),
    Trouble("doctor.issuer-unknown", site={"ISSUER": "{base}/oauth2/other"}),
    Trouble("doctor.issuer-unknown", faults=((".well-known/openid-configuration", "html", {}),)),
    Trouble("doctor.issuer-unknown", faults=((".well-known/openid-configuration", "redirect", {}),)),
    Trouble("doctor.issuer-mismatch", faults=((".well-known/openid-configuration", "foreign-href", {}),)),
    Trouble("doctor.issuer-failing", faults=((".well-known/openid-configuration", "status", {"status": 503}),)),
    Trouble("doctor.issuer-failing", faults=(("/v1/interact", "status", {"status": 500}),)),
    Trouble("doctor.issuer-failing", faults=(("/idp/idx/introspect", "timeout", IMMEDIATELY),)),
    Trouble("doctor.issuer-keys", faults=(("/v1/keys", "html", {}),)),
    Trouble("doctor.issuer-keys", faults=(("/v1/keys", "empty", {}),)),
    Trouble(
        "doctor.clock-difference",
        faults=((".well-known/openid-configuration", "slow", {**IMMEDIATELY, "headers": {"Date": LATER}}),),
    ),
    Trouble("doctor.client-unknown", site={"CLIENT_ID": "0oaSomebodyElse"}),
    Trouble("doctor.client-secret-wrong", site={"CLIENT_SECRET": "another"}),
    Trouble(
        "doctor.client-secret-wrong",
        policy={"unknowns": {"interact_requires_secret": False}},
        app={"client_secret": "another"},
    ),
    Trouble("doctor.client-secret-missing", site={"CLIENT_SECRET": ""}),
    Trouble("doctor.client-auth-method", app={"client_secret": None, "public_keys": [PUBLIC_KEY]}),
    Trouble("doctor.client-public", app={"client_secret": None}, site={"CLIENT_SECRET": ""}),
    Trouble("doctor.grant-app", app={"grants": ["authorization_code", "refresh_token"]}),
    Trouble("doctor.grant-sign-in", app={"grants": ["interaction_code", "refresh_token"]}),
    Trouble("doctor.grant-org", policy={"interaction_code": {"org": False}}),
    Trouble("doctor.grant-server", policy={"interaction_code": {"server": False}}),
    Trouble("doctor.scopes", site={"SCOPES": "openid profile email payroll"}),
    Trouble("doctor.redirect-uri", app={"redirect_uris": ["http://127.0.0.1:8000/oidc/callback"]}),
    Trouble("doctor.redirect-uri", app={"redirect_uris": ["https://127.0.0.1:8000/oidc/callback/"]}),
    Trouble("doctor.sign-out-uri", app={"post_logout_redirect_uris": ["http://127.0.0.1:8000/bye/"]}),
    Trouble("doctor.signup-denied", policy={"sign_up": False}),
    Trouble("doctor.signup-denied", policy={"sign_up_refusal": "at_interact"}),
    Trouble("doctor.signup-unavailable", policy={"sign_up_refusal": "unavailable"}),
    Trouble(
        "doctor.form-without-email",
        policy={
            "profile": [{"name": "login", "label": "Username", "required": True}, {"name": "email", "label": "Email"}]
        },
    ),
    Trouble(
        "doctor.field-unsupported",
        policy={
            "profile": [
                {"name": "email", "label": "Email", "required": True},
                {"name": "teams", "label": "Teams", "type": "array"},
            ]
        },
    ),
    Trouble("doctor.field-missing", site={"ATTRIBUTES": ["email", "mobilePhone"]}),
    Trouble("doctor.captcha", policy={"captcha": {"type": "HCAPTCHA", "site_key": "", "accept_token": "x"}}),
    Trouble("doctor.transaction-lifetime", policy={"lifetimes": {"before_user": 60}}),
    Trouble("doctor.rate-limited", faults=(("/v1/interact", "status", {"status": 429}),)),
    Trouble("doctor.rate-limited", policy={"limits": {"client_per_minute": 1}}),
    Trouble("doctor.rate-limit-low", faults=(("/v1/interact", "slow", {**IMMEDIATELY, "headers": LOW_RATE_LIMIT}),)),
    Trouble("doctor.site-hosts", django={"ALLOWED_HOSTS": ["x.example"]}),
    Trouble("doctor.site-time-zone", django={"USE_TZ": False}),
    Trouble("doctor.site-language", django={"LANGUAGE_CODE": "eo"}),
    Trouble("doctor.site-hook", site={"PROFILE_HOOK": "nowhere.judge"}),
    Trouble("doctor.site-hook", site={"PROFILE_HOOK": "selfreg.conf.LISTS"}),
    Trouble("selfreg.E001", site={"ISUER": "typo"}),
    Trouble("selfreg.E005", site={"ENCRYPTION_KEYS": []}),
    Trouble("selfreg.E006", site={"EMAIL_VERIFICATION": "perhaps"}),
    Trouble("selfreg.E012", site={"CLIENT_AUTH": "private_key", "PRIVATE_KEY": "no PEM"}),
    Trouble("selfreg.E012", site={"CLIENT_AUTH": "perhaps"}),
    Trouble("selfreg.E002", site={"ISSUER": ""}),
    Trouble("selfreg.E002", site={"CLIENT_ID": ""}),
    Trouble("selfreg.E003", site={"ISSUER": "nonsense"}),
    Trouble("selfreg.E010", django={"SESSION_COOKIE_SAMESITE": "Strict"}),
)

pytestmark = pytest.mark.usefixtures("right_org")


def test_correct_org_has_no_findings_without_token(right_org: OrgHandle) -> None:
    report = examine(conf())
    assert report.findings == ()
    assert "asks for: firstName, lastName, email" in [str(fact.detail) for fact in report.facts]


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_each_misconfiguration_is_the_only_finding_without_token(
    trouble: Trouble, right_org: OrgHandle, configure: Callable[..., None], settings: Any
) -> None:
    trouble.make(right_org, configure, settings)
    assert [finding.id for finding in examine(conf()).findings] == [trouble.id]
    assert right_org.users == []
