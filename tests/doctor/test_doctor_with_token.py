"""The doctor with an API token, which also reads the app and the policies: one misconfiguration, one finding."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from selfreg.conf import conf
from selfreg.doctor.examination import examine
from selfreg.okta_api.client import ManagementClient
from support.local_org.management_api import TOKEN
from support.misconfiguration import PUBLIC_KEY, Misconfiguration

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
    Misconfiguration("doctor.token-refused", site={"API_TOKEN": "another"}),
    Misconfiguration("doctor.token-refused", policy={"api_token": "rotated"}),
    Misconfiguration("doctor.token-rights", faults=(("/api/v1/authenticators", "status", {"status": 403}),)),
    Misconfiguration("doctor.issuer-failing", faults=(("/api/v1/groups", "status", {"status": 500}),)),
    Misconfiguration("doctor.rate-limited", faults=(("/api/v1/groups", "status", {"status": 429}),)),
    Misconfiguration("doctor.client-unknown", site={"CLIENT_ID": "0oaSomebodyElse"}),
    Misconfiguration("doctor.client-secret-wrong", site={"CLIENT_SECRET": "another"}),
    Misconfiguration("doctor.client-secret-missing", site={"CLIENT_SECRET": ""}),
    Misconfiguration("doctor.client-public", app={"client_secret": None}, site={"CLIENT_SECRET": ""}),
    Misconfiguration("doctor.client-public", app={"client_secret": None}),
    Misconfiguration("doctor.grant-app", app={"grants": ["authorization_code", "refresh_token"]}),
    Misconfiguration("doctor.grant-sign-in", app={"grants": ["interaction_code", "refresh_token"]}),
    Misconfiguration("doctor.grant-org", policy={"interaction_code": {"org": False}}),
    Misconfiguration("doctor.grant-server", policy={"interaction_code": {"server": False}}),
    Misconfiguration("doctor.redirect-uri", app={"redirect_uris": ["http://127.0.0.1:8000/oidc/callback"]}),
    Misconfiguration("doctor.sign-out-uri", app={"post_logout_redirect_uris": []}),
    Misconfiguration("doctor.initiate-login-uri", app={"initiate_login_uri": None}),
    Misconfiguration("doctor.initiate-login-uri", app={"initiate_login_uri": "http://127.0.0.1:8000/"}),
    Misconfiguration("doctor.email-callback-uri", policy=CALLBACK_URI_IN_API, app={"email_callback_uri": None}),
    Misconfiguration(
        "doctor.email-callback-uri",
        policy=CALLBACK_URI_IN_API,
        app={"email_callback_uri": "http://127.0.0.1:8000/verify/"},
    ),
    Misconfiguration("doctor.signup-denied", policy={"sign_up": False}),
    Misconfiguration("doctor.signup-denied", policy={"sign_up_refusal": "at_interact"}),
    Misconfiguration("doctor.signup-unavailable", policy={"sign_up_refusal": "unavailable"}),
    Misconfiguration("doctor.app-not-assigned", app={"assigned": False}),
    Misconfiguration("doctor.app-inactive", app={"active": False}),
    Misconfiguration("doctor.client-auth-method", app={"client_secret": None, "public_keys": [PUBLIC_KEY]}),
    Misconfiguration("doctor.email-disabled", policy={"authenticators": {"okta_email": "disabled"}}),
    Misconfiguration("doctor.password-not-required", policy={"authenticators": {"okta_password": "optional"}}),
    Misconfiguration("doctor.password-not-required", policy={"authenticators": {"okta_password": "disabled"}}),
    Misconfiguration("doctor.authenticator-disabled", site={"AUTHENTICATORS": ["google_otp"]}),
    Misconfiguration("doctor.authenticator-unsupported", policy={"authenticators": {"duo": "required"}}),
    Misconfiguration("doctor.email-verification-off", policy={"email_verification": False}),
    Misconfiguration("doctor.email-verification-on", site={"EMAIL_VERIFICATION": "optional"}),
    Misconfiguration("doctor.email-lifetime", policy={"lifetimes": {"email_code": 1800}}),
    Misconfiguration("doctor.field-missing", site={"ATTRIBUTES": ["email", "mobilePhone"]}),
    Misconfiguration("doctor.grant-server", policy={"interaction_code": {"access_rule": None}}),
    Misconfiguration("doctor.grant-server", policy={"interaction_code": {"access_policy": None}}),
    Misconfiguration("doctor.field-unknown", site={"ATTRIBUTES": ["email", "badge"]}),
    Misconfiguration("doctor.field-read-only", policy=schema(permission="READ_ONLY")),
    Misconfiguration("doctor.field-read-only", policy=schema(permission="HIDE")),
    Misconfiguration("doctor.field-source", policy=schema(source="OVERRIDE")),
    Misconfiguration("doctor.field-sensitive", policy={**schema(sensitive=True), "hooks": HOOKS_SET_UP}, site=SECRET),
    Misconfiguration("doctor.hook-missing", policy={"hooks": {**HOOKS_SET_UP, "registration": None}}, site=SECRET),
    Misconfiguration("doctor.event-hook-missing", policy={"hooks": {**HOOKS_SET_UP, "events": []}}, site=SECRET),
    Misconfiguration(
        "doctor.event-hook-missing",
        policy={"hooks": {**HOOKS_SET_UP, "events": [{**EVENT_HOOK, "active": False}]}},
        site=SECRET,
    ),
    Misconfiguration(
        "doctor.event-hook-missing",
        policy={"hooks": {**HOOKS_SET_UP, "events": [{**EVENT_HOOK, "verified": False}]}},
        site=SECRET,
    ),
    Misconfiguration(
        "doctor.event-hook-missing",
        policy={"hooks": {**HOOKS_SET_UP, "events": [{**EVENT_HOOK, "events": EVENTS[:3]}]}},
        site=SECRET,
    ),
    Misconfiguration("doctor.authenticator-recovery", policy={"recovery_only": ["okta_email"]}),
    Misconfiguration(
        "doctor.telephony",
        policy={"telephony": False, "authenticators": {"phone_number": "required"}},
        site={"AUTHENTICATORS": ["okta_email", "okta_password", "phone_number"]},
    ),
    Misconfiguration(
        "doctor.promotion", policy={"passkey_promotion": True, "authenticators": {"webauthn": "optional"}}
    ),
    Misconfiguration("doctor.identifiers", policy={"allowed_identifiers": ["login", "memberNumber"]}),
    Misconfiguration("doctor.hook-tells", policy={"hooks": HOOKS_SET_UP}, site={**SECRET, "ENUMERATION": "neutral"}),
    Misconfiguration("doctor.visitor-address", policy={"trusted_proxy": False}),
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
    trouble: Misconfiguration, right_org: OrgHandle, configure: Callable[..., None], settings: Any
) -> None:
    trouble.make(right_org, configure, settings)
    assert [finding.id for finding in examine(conf()).findings] == [trouble.id]
    assert right_org.users == []


def test_unreadable_system_log_hides_no_other_finding(right_org: OrgHandle) -> None:
    right_org.patch_policy(schema(permission="HIDE"))
    right_org.fail("/api/v1/logs", "status", status=500, times=9)
    assert [finding.id for finding in examine(conf()).findings] == ["doctor.field-read-only"]


@pytest.mark.parametrize("document", [{}, {"id": "1", "priority": "first"}], ids=str)
def test_document_of_unexpected_shape_is_a_finding(
    right_org: OrgHandle, monkeypatch: pytest.MonkeyPatch, document: dict[str, Any]
) -> None:
    monkeypatch.setattr(ManagementClient, "items", lambda *_, **__: iter([document]))
    (found,) = examine(conf()).findings
    assert found.id == "doctor.issuer-failing"


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
    policy = requests.post(api, json=body, headers=headers, timeout=60).json()
    rule = requests.get(f"{api}/{policy['id']}/rules", headers=headers, timeout=60).json()[0]
    rule["actions"]["profileEnrollment"]["unknownUserAction"] = "REGISTER"
    url = f"{api}/{policy['id']}/rules/{rule['id']}"
    assert requests.put(url, json=rule, headers=headers, timeout=60).status_code == 200
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
    assert requests.post(url, json=hook, headers=headers, timeout=60).status_code == 200
    assert [finding.id for finding in examine(conf()).findings] == ["doctor.phone-disabled"]


def test_telephony_hook_is_fetched_only_if_the_phone_is_needed(
    right_org: OrgHandle, configure: Callable[..., None]
) -> None:
    right_org.patch_policy({"telephony": False})
    assert examine(conf()).findings == ()
    configure(AUTHENTICATORS=["okta_email", "okta_password", "phone_number"])
    right_org.fail("/api/v1/inlineHooks", "status", status=403, times=9)
    assert [finding.id for finding in examine(conf()).findings] == ["doctor.phone-disabled"]
