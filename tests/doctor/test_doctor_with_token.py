"""The doctor with an API token, which also reads the app and the policies: one misconfiguration, one finding."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from selfreg.conf import conf
from selfreg.doctor.examination import examine
from support.local_org.management_api import TOKEN
from support.trouble import PUBLIC_KEY, Trouble

HOOKS = "http://127.0.0.1:8000/signup/hooks"
EVENTS = [
    "user.mfa.factor.activate",
    "user.lifecycle.deactivate",
    "user.lifecycle.suspend",
    "user.lifecycle.delete.initiated",
    "application.user_membership.remove",
]
EVENT_HOOK = {"url": f"{HOOKS}/events/", "events": EVENTS, "verified": True}
HOOKS_SET_UP = {"registration": {"url": f"{HOOKS}/registration/"}, "events": [EVENT_HOOK]}
SECRET = {"HOOK_SECRET": "of-this-test-and-long-enough-for-a-site"}
# An org whose API includes the email verification callback URI.
CALLBACK_URI_IN_API = {"unknowns": {"apps_have_email_callback": True}}


def schema(**changes: object) -> dict[str, object]:
    return {"profile_schema": [{"name": "lastName", **changes}]}


TROUBLES = (
    Trouble("doctor.token-refused", site={"API_TOKEN": "another"}),
    Trouble("doctor.token-refused", policy={"api_token": "rotated"}),
    Trouble("doctor.token-rights", faults=(("/api/v1/authenticators", "status", {"status": 403}),)),
    Trouble("doctor.issuer-failing", faults=(("/api/v1/groups", "status", {"status": 500}),)),
    Trouble("doctor.rate-limited", faults=(("/api/v1/groups", "status", {"status": 429}),)),
    Trouble("doctor.client-unknown", site={"CLIENT_ID": "0oaSomebodyElse"}),
    Trouble("doctor.client-secret-wrong", site={"CLIENT_SECRET": "another"}),
    Trouble("doctor.client-secret-missing", site={"CLIENT_SECRET": ""}),
    Trouble("doctor.client-public", app={"client_secret": None}, site={"CLIENT_SECRET": ""}),
    Trouble("doctor.client-public", app={"client_secret": None}),
    Trouble("doctor.grant-app", app={"grants": ["authorization_code", "refresh_token"]}),
    Trouble("doctor.grant-sign-in", app={"grants": ["interaction_code", "refresh_token"]}),
    Trouble("doctor.grant-org", policy={"interaction_code": {"org": False}}),
    Trouble("doctor.grant-server", policy={"interaction_code": {"server": False}}),
    Trouble("doctor.redirect-uri", app={"redirect_uris": ["http://127.0.0.1:8000/oidc/callback"]}),
    Trouble("doctor.sign-out-uri", app={"post_logout_redirect_uris": []}),
    Trouble("doctor.initiate-login-uri", app={"initiate_login_uri": None}),
    Trouble("doctor.initiate-login-uri", app={"initiate_login_uri": "http://127.0.0.1:8000/"}),
    Trouble("doctor.email-callback-uri", policy=CALLBACK_URI_IN_API, app={"email_callback_uri": None}),
    Trouble(
        "doctor.email-callback-uri",
        policy=CALLBACK_URI_IN_API,
        app={"email_callback_uri": "http://127.0.0.1:8000/verify/"},
    ),
    Trouble("doctor.signup-denied", policy={"sign_up": False}),
    Trouble("doctor.signup-denied", policy={"sign_up_refusal": "at_interact"}),
    Trouble("doctor.signup-unavailable", policy={"sign_up_refusal": "unavailable"}),
    Trouble("doctor.app-not-assigned", app={"assigned": False}),
    Trouble("doctor.app-inactive", app={"active": False}),
    Trouble("doctor.client-auth-method", app={"client_secret": None, "public_keys": [PUBLIC_KEY]}),
    Trouble("doctor.email-disabled", policy={"authenticators": {"okta_email": "disabled"}}),
    Trouble("doctor.password-not-required", policy={"authenticators": {"okta_password": "optional"}}),
    Trouble("doctor.password-not-required", policy={"authenticators": {"okta_password": "disabled"}}),
    Trouble("doctor.authenticator-disabled", site={"AUTHENTICATORS": ["google_otp"]}),
    Trouble("doctor.authenticator-unsupported", policy={"authenticators": {"duo": "required"}}),
    Trouble("doctor.email-verification-off", policy={"email_verification": False}),
    Trouble("doctor.email-verification-on", site={"EMAIL_VERIFICATION": "optional"}),
    Trouble("doctor.email-lifetime", policy={"lifetimes": {"email_code": 1800}}),
    Trouble("doctor.field-missing", site={"ATTRIBUTES": ["email", "mobilePhone"]}),
    Trouble("doctor.grant-server", policy={"interaction_code": {"access_rule": None}}),
    Trouble("doctor.grant-server", policy={"interaction_code": {"access_policy": None}}),
    Trouble("doctor.field-unknown", site={"ATTRIBUTES": ["email", "badge"]}),
    Trouble("doctor.field-read-only", policy=schema(permission="READ_ONLY")),
    Trouble("doctor.field-read-only", policy=schema(permission="HIDE")),
    Trouble("doctor.field-source", policy=schema(source="OVERRIDE")),
    Trouble("doctor.field-sensitive", policy={**schema(sensitive=True), "hooks": HOOKS_SET_UP}, site=SECRET),
    Trouble("doctor.hook-missing", policy={"hooks": {**HOOKS_SET_UP, "registration": None}}, site=SECRET),
    Trouble("doctor.event-hook-missing", policy={"hooks": {**HOOKS_SET_UP, "events": []}}, site=SECRET),
    Trouble(
        "doctor.event-hook-missing",
        policy={"hooks": {**HOOKS_SET_UP, "events": [{**EVENT_HOOK, "active": False}]}},
        site=SECRET,
    ),
    Trouble(
        "doctor.event-hook-missing",
        policy={"hooks": {**HOOKS_SET_UP, "events": [{**EVENT_HOOK, "verified": False}]}},
        site=SECRET,
    ),
    Trouble(
        "doctor.event-hook-missing",
        policy={"hooks": {**HOOKS_SET_UP, "events": [{**EVENT_HOOK, "events": EVENTS[:3]}]}},
        site=SECRET,
    ),
    Trouble("doctor.authenticator-recovery", policy={"recovery_only": ["okta_email"]}),
    Trouble(
        "doctor.telephony",
        policy={"telephony": False, "authenticators": {"phone_number": "required"}},
        site={"AUTHENTICATORS": ["okta_email", "okta_password", "phone_number"]},
    ),
    Trouble("doctor.promotion", policy={"passkey_promotion": True, "authenticators": {"webauthn": "optional"}}),
    Trouble("doctor.identifiers", policy={"allowed_identifiers": ["login", "memberNumber"]}),
    Trouble("doctor.hook-tells", policy={"hooks": HOOKS_SET_UP}, site={**SECRET, "ENUMERATION": "neutral"}),
    Trouble("doctor.visitor-address", policy={"trusted_proxy": False}),
)

pytestmark = pytest.mark.usefixtures("right_org")


@pytest.fixture(autouse=True)
def _token(right_org: OrgHandle, configure: Callable[..., None]) -> None:
    configure(API_TOKEN=TOKEN)


def test_correct_org_has_no_findings_with_token(right_org: OrgHandle) -> None:
    report = examine(conf())
    assert report.findings == ()
    assert "the policy requires: okta_email, okta_password" in [str(fact.detail) for fact in report.facts]


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_each_misconfiguration_is_the_only_finding_with_token(
    trouble: Trouble, right_org: OrgHandle, configure: Callable[..., None], settings: Any
) -> None:
    trouble.make(right_org, configure, settings)
    assert [finding.id for finding in examine(conf()).findings] == [trouble.id]
    assert right_org.users == []


def test_unreadable_system_log_hides_no_other_finding(right_org: OrgHandle) -> None:
    right_org.patch_policy(schema(permission="HIDE"))
    right_org.fail("/api/v1/logs", "status", status=500, times=9)
    assert [finding.id for finding in examine(conf()).findings] == ["doctor.field-read-only"]


def test_each_unknown_setting_is_a_finding(right_org: OrgHandle, configure: Callable[..., None]) -> None:
    configure(CUSTOMER=1, CLIENT="x")
    sentences = {str(f.kind.sentence) for f in examine(conf()).findings if f.id == "selfreg.E001"}
    assert sentences == {"SELFREG has an unknown key 'CLIENT'.", "SELFREG has an unknown key 'CUSTOMER'."}


def test_org_with_correct_hooks_has_no_findings(right_org: OrgHandle, configure: Callable[..., None]) -> None:
    configure(**SECRET)
    right_org.patch_policy({"hooks": HOOKS_SET_UP})
    assert examine(conf()).findings == ()


def test_sensitive_attribute_is_no_finding_without_a_hook(right_org: OrgHandle) -> None:
    right_org.patch_policy(schema(sensitive=True))
    assert examine(conf()).findings == ()


def test_enrollment_policy_without_app_is_a_finding(right_org: OrgHandle) -> None:
    api = right_org.base + "/api/v1/policies"
    headers = {"Authorization": f"SSWS {TOKEN}"}
    right_org.patch_policy({"sign_up": False})
    body = {"type": "PROFILE_ENROLLMENT", "name": "For visitors", "status": "ACTIVE"}
    policy = requests.post(api, json=body, headers=headers, timeout=5).json()
    rule = requests.get(f"{api}/{policy['id']}/rules", headers=headers, timeout=5).json()[0]
    rule["actions"]["profileEnrollment"]["unknownUserAction"] = "REGISTER"
    url = f"{api}/{policy['id']}/rules/{rule['id']}"
    assert requests.put(url, json=rule, headers=headers, timeout=5).status_code == 200
    (finding,) = examine(conf()).findings
    assert finding.id == "doctor.signup-unattached"
    assert "For visitors" in str(finding.detail)


def test_policies_are_fetched_once_even_if_sign_up_is_denied(right_org: OrgHandle) -> None:
    right_org.patch_policy({"sign_up": False})
    examine(conf())
    list_calls = [call for call in right_org.calls("/api/v1/policies") if call.query == {"type": "PROFILE_ENROLLMENT"}]
    assert len(list_calls) == 1


def test_phone_is_reported_as_disabled_if_a_telephony_hook_exists(
    right_org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(AUTHENTICATORS=["okta_email", "okta_password", "phone_number"])
    channel = {"type": "HTTP", "version": "1.0.0", "config": {"uri": "http://127.0.0.1:9/"}}
    hook = {"name": "Texts", "type": "com.okta.telephony.provider", "version": "1.0.0", "channel": channel}
    url, headers = right_org.base + "/api/v1/inlineHooks", {"Authorization": f"SSWS {TOKEN}"}
    assert requests.post(url, json=hook, headers=headers, timeout=5).status_code == 200
    assert [finding.id for finding in examine(conf()).findings] == ["doctor.phone-disabled"]


def test_telephony_hook_is_fetched_only_if_the_phone_is_needed(
    right_org: OrgHandle, configure: Callable[..., None]
) -> None:
    right_org.patch_policy({"telephony": False})
    assert examine(conf()).findings == ()
    configure(AUTHENTICATORS=["okta_email", "okta_password", "phone_number"])
    right_org.fail("/api/v1/inlineHooks", "status", status=403, times=9)
    assert [finding.id for finding in examine(conf()).findings] == ["doctor.phone-disabled"]
