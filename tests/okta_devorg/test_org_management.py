"""The Management API: users, groups, apps, hooks, the System Log, and policies as views of the org's policy."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.hook_receiver import HookReceiver
from support.local_org.management_api import ManagementApi
from support.local_org.org_journey import ADA, CLIENT, REDIRECT, Journey

Json = Any


def test_the_lifecycle_of_a_user(org: OrgHandle, api: ManagementApi) -> None:
    user = api.user(activate="false")
    path = f"users/{user['id']}"
    states = [user["status"]]
    for change in ("activate", "reactivate", "deactivate", "activate"):
        api("POST", f"{path}/lifecycle/{change}", sendEmail="false")
        states.append(api("GET", path)["status"])
    assert states == ["STAGED", "PROVISIONED", "PROVISIONED", "DEPROVISIONED", "PROVISIONED"]
    api("DELETE", path, status=204)
    assert api("GET", path)["status"] == "DEPROVISIONED"
    api("DELETE", path, status=204)
    assert api("GET", path, status=404)["errorCode"] == "E0000007"
    assert org.users == []


def test_lifecycle_changes_that_do_not_fit_the_status_are_refused(api: ManagementApi, journey: Journey) -> None:
    journey.signed_up()
    path = "users/ada@example.com/lifecycle/"
    assert api("POST", path + "activate", status=403)["errorCode"] == "E0000016"
    assert api("POST", path + "unsuspend", status=403)["errorCode"] == "E0000038"
    api("POST", path + "suspend")
    assert api("GET", "users/ada@example.com")["status"] == "SUSPENDED"
    api("POST", path + "unsuspend")
    api("POST", path + "fly", status=404)


def test_a_profile_is_merged_by_post_and_replaced_by_put(api: ManagementApi) -> None:
    path = "users/" + api.user()["id"]
    api("POST", path, {"profile": {"nickName": "Countess", "lastName": None}})
    profile = api("GET", path)["profile"]
    assert (profile["nickName"], profile["lastName"], profile["firstName"]) == ("Countess", None, "Ada")
    api("PUT", path, {"profile": {"login": "new@example.com", "email": "new@example.com"}})
    profile = {name: value for name, value in api("GET", "users/new@example.com")["profile"].items() if value}
    assert profile == {"login": "new@example.com", "email": "new@example.com"}
    api("GET", "users/ada@example.com", status=404)


def test_a_login_is_unique(api: ManagementApi) -> None:
    api.user()
    body = {"profile": {**ADA, "login": "ADA@example.com"}}
    error = api("POST", "users", body, status=400)
    assert error["errorCode"] == "E0000001"
    assert "already exists" in error["errorCauses"][0]["errorSummary"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"search": 'profile.email eq "grace@example.com"'}, ["grace"]),
        ({"filter": 'status eq "STAGED" or status eq "ACTIVE"'}, ["ada"]),
        ({"search": 'profile.email sw "a" and status eq "STAGED"'}, ["ada"]),
        ({"search": "profile.nickName pr"}, []),
        ({"q": "gra"}, ["grace"]),
        ({}, ["ada", "grace"]),
    ],
)
def test_users_can_be_filtered(api: ManagementApi, query: dict[str, Any], expected: list[str]) -> None:
    api.user("ada@example.com", activate="false")
    api.user("grace@example.com")
    deleted = api.user("gone@example.com")["id"]
    api("DELETE", f"users/{deleted}", status=204)
    assert [item["profile"]["login"].split("@")[0] for item in api("GET", "users", **query)] == expected


def test_an_invalid_filter_is_refused(api: ManagementApi) -> None:
    api.user()
    assert api("GET", "users", status=400, filter="status ~ ACTIVE")["errorCode"] == "E0000031"


def test_long_lists_are_paged(org: OrgHandle, api: ManagementApi) -> None:
    for name in "abc":
        api.user(f"{name}@example.com")
    first = api.http.get(api.base + "users", params={"limit": "2"}, timeout=60)
    following = api.http.get(first.links["next"]["url"], timeout=60)
    assert (len(first.json()), len(following.json()), "next" in following.links) == (2, 1, False)


def test_apps_are_assigned_by_group(org: OrgHandle, api: ManagementApi, journey: Journey) -> None:
    everyone = api("GET", "groups", q="Everyone")[0]
    group = api("POST", "groups", {"profile": {"name": "Members"}})
    api("POST", "groups", {"profile": {"name": "members"}}, status=400)
    api("DELETE", f"apps/{CLIENT}/groups/{everyone['id']}", status=204)
    journey.signed_up()
    assert journey.keys == ["idx.error.user.not.assigned.to.app"]
    api("PUT", f"apps/{CLIENT}/groups/{group['id']}")
    assert [item["id"] for item in api("GET", f"apps/{CLIENT}/groups")] == [group["id"]]
    api("PUT", f"groups/{group['id']}/users/{org.users[0].id}", status=204)
    assert [item["profile"]["name"] for item in api("GET", "users/ada@example.com/groups")] == ["Everyone", "Members"]
    journey.begin().take("identify", identifier=ADA["email"], credentials={"passcode": "Correct-horse-7"})
    assert "successWithInteractionCode" in journey.document


def test_new_users_are_added_to_the_target_group(org: OrgHandle, api: ManagementApi, journey: Journey) -> None:
    org.patch_policy({"target_group": "Newcomers"})
    journey.registered()
    group = api("GET", "groups", q="Newcomers")[0]
    assert [item["profile"]["login"] for item in api("GET", f"groups/{group['id']}/users")] == [ADA["email"]]


def test_an_app_can_be_created_used_and_deleted(org: OrgHandle, api: ManagementApi) -> None:
    body = {
        "name": "oidc_client",
        "label": "Second app",
        "signOnMode": "OPENID_CONNECT",
        "credentials": {"oauthClient": {"token_endpoint_auth_method": "client_secret_post"}},
        "settings": {"oauthClient": {"redirect_uris": [REDIRECT], "grant_types": ["interaction_code"]}},
    }
    app = api("POST", "apps", body)
    client = app["credentials"]["oauthClient"]
    journey = Journey(org)
    credentials = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    assert journey.interact(**credentials).status_code == 200
    api("POST", f"apps/{app['id']}/lifecycle/deactivate")
    assert journey.interact(**credentials).status_code == 401
    api("DELETE", f"apps/{app['id']}", status=204)
    assert [item["label"] for item in api("GET", "apps")] == ["Demo site"]
    journey.close()


def policy_of(api: ManagementApi, kind: str) -> tuple[Json, Json]:
    """The policy and its rule."""
    policy = api("GET", "policies", type=kind)[0]
    return policy, api("GET", f"policies/{policy['id']}/rules")[0]


def test_the_profile_enrollment_rule_changes_the_sign_up_policy(org: OrgHandle, api: ManagementApi) -> None:
    policy, rule = policy_of(api, "PROFILE_ENROLLMENT")
    action = rule["actions"]["profileEnrollment"]
    assert (action["unknownUserAction"], action["activationRequirements"]) == ("REGISTER", {"emailVerification": True})
    action["unknownUserAction"] = "DENY"
    action["profileAttributes"][0]["label"] = "Given name"
    action["activationRequirements"]["emailVerification"] = False
    action["enrollAuthenticatorTypes"] = ["password"]
    api("PUT", f"policies/{policy['id']}/rules/{rule['id']}", rule)
    assert (org.policy.sign_up, org.policy.email_verification, org.policy.password_on_form) == (False, False, True)
    first = org.policy.profile[0]
    assert (first.label, first.max_length) == ("Given name", 50)


def test_other_policies_change_the_policy_of_the_org(org: OrgHandle, api: ManagementApi) -> None:
    policy, _ = policy_of(api, "MFA_ENROLL")
    phone = next(item for item in policy["settings"]["authenticators"] if item["key"] == "phone_number")
    phone["enroll"]["self"] = "OPTIONAL"
    api("PUT", f"policies/{policy['id']}", policy)
    assert org.policy.authenticators.phone_number == "optional"
    policy, _ = policy_of(api, "PASSWORD")
    policy["settings"]["password"]["complexity"]["minLength"] = 14
    api("PUT", f"policies/{policy['id']}", policy)
    assert org.policy.password.complexity.min_length == 14
    policy, rule = policy_of(api, "ACCESS_POLICY")
    rule["actions"]["appSignOn"]["verificationMethod"]["factorMode"] = "2FA"
    api("PUT", f"policies/{policy['id']}/rules/{rule['id']}", rule)
    assert org.policy.sign_on == "password_and_another"


def test_an_invalid_policy_is_refused_and_nothing_changes(org: OrgHandle, api: ManagementApi) -> None:
    policy, rule = policy_of(api, "PROFILE_ENROLLMENT")
    rule["actions"]["profileEnrollment"]["profileAttributes"] = [{"name": "nickName", "label": "Nick"}]
    error = api("PUT", f"policies/{policy['id']}/rules/{rule['id']}", rule, status=400)
    assert "email" in error["errorCauses"][0]["errorSummary"]
    assert len(org.policy.profile) == 3


def test_a_profile_form_can_only_use_attributes_of_the_schema(org: OrgHandle, api: ManagementApi) -> None:
    policy, rule = policy_of(api, "PROFILE_ENROLLMENT")
    path, shown = f"policies/{policy['id']}/rules/{rule['id']}", {"name": "badge", "label": "Badge"}
    rule["actions"]["profileEnrollment"]["profileAttributes"].append(shown)
    assert "badge" in api("PUT", path, rule, status=400)["errorCauses"][0]["errorSummary"]
    org.patch_policy({"profile_schema": [{"name": "badge", "permission": "HIDE", "source": "OVERRIDE"}]})
    api("PUT", path, rule)
    schema = api("GET", "meta/schemas/user/default")["definitions"]
    assert schema["custom"]["properties"]["badge"]["permissions"] == [{"principal": "SELF", "action": "HIDE"}]
    assert schema["custom"]["properties"]["badge"]["master"] == {"type": "OVERRIDE"}
    assert schema["base"]["properties"]["mobilePhone"]["permissions"] == [{"principal": "SELF", "action": "READ_WRITE"}]


def test_the_access_policy_of_an_authorization_server_can_be_changed_and_deleted(
    org: OrgHandle, api: ManagementApi, journey: Journey
) -> None:
    policies = f"authorizationServers/{api('GET', 'authorizationServers')[0]['id']}/policies"
    rules = f"{policies}/{api('GET', policies)[0]['id']}/rules"
    rule = api("GET", rules)[0]
    rule["conditions"]["grantTypes"]["include"].remove("interaction_code")
    api("PUT", f"{rules}/{rule['id']}", rule)
    assert journey.interact().status_code == 401
    api("DELETE", f"{rules}/{rule['id']}", status=204)
    assert api("GET", rules) == []
    api("DELETE", rules.removesuffix("/rules"), status=204)
    assert api("GET", policies) == []
    api("POST", policies, {"name": "Ours"}, status=201)
    assert journey.interact().status_code == 401
    rule["conditions"]["grantTypes"]["include"].append("interaction_code")
    api("POST", rules, rule, status=201)
    assert journey.interact().status_code == 200


def test_authenticators_can_be_activated(org: OrgHandle, api: ManagementApi) -> None:
    listed = {item["key"]: item for item in api("GET", "authenticators")}
    assert (listed["okta_email"]["status"], listed["webauthn"]["status"]) == ("ACTIVE", "INACTIVE")
    api("POST", f"authenticators/{listed['webauthn']['id']}/lifecycle/activate")
    api("POST", f"authenticators/{listed['okta_email']['id']}/lifecycle/activate")
    assert (org.policy.authenticators.webauthn, org.policy.authenticators.okta_email) == ("optional", "required")


@pytest.fixture
def service() -> Iterator[HookReceiver]:
    receiver = HookReceiver()
    yield receiver
    receiver.close()


def hook_body(service: HookReceiver, **more: Any) -> Json:
    scheme = {"type": "HEADER", "key": "Authorization", "value": "hook-secret"}
    channel = {"type": "HTTP", "version": "1.0.0", "config": {"uri": service.url, "headers": [], "authScheme": scheme}}
    return {"name": "My hook", "channel": channel, **more}


def test_a_registration_hook_is_called_if_a_rule_refers_to_it(
    api: ManagementApi, service: HookReceiver, journey: Journey
) -> None:
    hook = api("POST", "inlineHooks", hook_body(service, type="com.okta.user.pre-registration", version="1.0.0"))
    assert "hook-secret" not in str(hook)
    policy, rule = policy_of(api, "PROFILE_ENROLLMENT")
    rule["actions"]["profileEnrollment"]["preRegistrationInlineHooks"] = [{"inlineHookId": hook["id"]}]
    api("PUT", f"policies/{policy['id']}/rules/{rule['id']}", rule)
    journey.registered()
    headers, body = service.received.get(timeout=2)
    assert (headers["Authorization"], body["requestType"]) == ("hook-secret", "self.service.registration")
    assert [item["id"] for item in api("GET", "inlineHooks", type=hook["type"])] == [hook["id"]]
    api("DELETE", f"inlineHooks/{hook['id']}", status=403)


def test_an_event_hook_is_verified_by_its_challenge(
    api: ManagementApi, service: HookReceiver, journey: Journey
) -> None:
    events = {"type": "EVENT_TYPE", "items": ["user.lifecycle.create"]}
    hook = api("POST", "eventHooks", hook_body(service, events=events))
    verify = f"eventHooks/{hook['id']}/lifecycle/verify"
    service.honest = False
    api("POST", verify, status=400)
    service.honest = True
    assert api("POST", verify)["verificationStatus"] == "VERIFIED"
    journey.registered()
    _, body = service.received.get(timeout=60)
    assert body["data"]["events"][0]["eventType"] == "user.lifecycle.create"


def test_the_system_log_contains_the_events_of_a_sign_up(api: ManagementApi, journey: Journey) -> None:
    journey.signed_up()
    kinds = [item["eventType"] for item in api("GET", "logs") if item["eventType"].startswith("user.")]
    assert kinds[0] == "user.lifecycle.create"
    assert kinds.count("user.mfa.factor.activate") == 2
    assert kinds[-2:] == ["user.lifecycle.activate", "user.authentication.sso"]
    created = api("GET", "logs", filter='eventType eq "user.lifecycle.create"')
    assert [item["target"][0]["alternateId"] for item in created] == [ADA["email"]]
    assert "Correct-horse-7" not in str(api("GET", "logs"))


def service_token(org: OrgHandle, scope: str) -> str:
    app = {"client_id": "service", "client_secret": "s", "grants": ["client_credentials"]}
    org.patch_policy({"apps": [app]})
    form = {"grant_type": "client_credentials", "scope": scope}
    reply = requests.post(org.base + "/oauth2/v1/token", data=form, auth=("service", "s"), timeout=60)
    return str(reply.json()["access_token"])


def test_a_bearer_token_is_limited_to_its_scopes(org: OrgHandle, api: ManagementApi) -> None:
    api.http.headers["Authorization"] = "Bearer " + service_token(org, "okta.users.read")
    assert api("GET", "users") == []
    assert api("GET", "groups", status=403)["errorCode"] == "E0000006"
    api("POST", "users", {}, status=403)
    api.http.headers["Authorization"] = "Bearer made-up"
    assert api("GET", "users", status=401)["errorCode"] == "E0000011"


@pytest.mark.parametrize("path", ["users", "groups", "apps", "policies?type=PASSWORD", "authenticators", "logs"])
def test_a_request_without_a_token_is_refused(org: OrgHandle, path: str) -> None:
    reply = requests.get(f"{org.base}/api/v1/{path}", timeout=60)
    assert (reply.status_code, reply.json()["errorCode"]) == (401, "E0000011")


BODIES: list[object] = [None, [], 7, {"profile": 3}, {"profile": {"login": [], "email": {}}}, {"settings": [1]}]
CHANGES = ("POST users", "POST groups", "POST apps", "POST inlineHooks", "POST eventHooks")


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("change", CHANGES)
def test_malformed_bodies_are_refused(api: ManagementApi, change: str, body: object) -> None:
    method, path = change.split()
    reply = api.http.request(method, api.base + path, json=body, timeout=60)
    assert reply.status_code == 400 or (path == "apps" and reply.status_code == 200)


def for_each_policy(api: ManagementApi, change: Callable[[str], object]) -> None:
    for kind in ("PROFILE_ENROLLMENT", "MFA_ENROLL", "ACCESS_POLICY", "PASSWORD"):
        policy, rule = policy_of(api, kind)
        for path in (f"policies/{policy['id']}", f"policies/{policy['id']}/rules/{rule['id']}"):
            change(path)


def test_malformed_policies_cause_no_500(api: ManagementApi) -> None:
    bodies = [{"actions": 1}, {"settings": {"password": {"complexity": 7}, "authenticators": [3, {"key": []}]}}]
    bodies += [{"actions": {"profileEnrollment": {"profileAttributes": [1], "preRegistrationInlineHooks": [2]}}}]
    for body in bodies:
        for_each_policy(api, partial(put_without_500, api, body))


def put_without_500(api: ManagementApi, body: object, path: str) -> None:
    assert api.http.put(api.base + path, json=body, timeout=60).status_code < 500


def test_zones_features_and_identity_providers_can_be_read(org: OrgHandle, api: ManagementApi) -> None:
    org.patch_policy({"idps": [{"id": "0oaHarbour", "name": "Harbour", "type": "OIDC"}]})
    assert [idp["name"] for idp in api("GET", "idps", type="OIDC")] == ["Harbour"]
    assert api("GET", "idps", type="GOOGLE") == []
    assert api("GET", "idps/0oaHarbour")["status"] == "ACTIVE"
    zones = api("GET", "zones")
    assert [zone["usage"] for zone in zones] == ["POLICY", "BLOCKLIST"]
    assert api("GET", f"zones/{zones[0]['id']}") == zones[0]
    assert api("GET", "features") == []
    for path in ("idps/x", "zones/x", "features/x", "sessions/x"):
        assert api("GET", path, status=404)["errorCode"] == "E0000007"
