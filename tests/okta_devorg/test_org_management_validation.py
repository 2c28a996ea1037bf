"""Validation and details of the Management API: users, lists, policies, rules and hooks."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.testing import OktaOrg
from support.local_org.hook_receiver import HookReceiver
from support.local_org.management_api import ManagementApi
from support.local_org.org_journey import ADA, CLIENT, PASSWORD, REDIRECT, SECRET, Journey

Json = Any


def causes(error: Json) -> str:
    return " ".join(cause["errorSummary"] for cause in error["errorCauses"])


# ---- users


@pytest.mark.parametrize(
    "password",
    ["abc", "Correct-horse", "Lovelace-is-7", {"value": 7}, {"value": ""}, {"value": ["x"]}, {"value": "abc"}, 7, []],
)
def test_an_invalid_password_is_refused_at_creation(api: ManagementApi, password: Json) -> None:
    credentials = password if isinstance(password, dict) else {"value": password}
    sent = {"password": password if not isinstance(password, str) else credentials}
    error = api("POST", "users", {"profile": {**ADA, "login": ADA["email"]}, "credentials": sent}, status=400)
    assert (error["errorCode"], error["errorSummary"]) == ("E0000001", "Api validation failed: password")
    api("GET", f"users/{ADA['email']}", status=404)


def test_an_invalid_password_is_refused_at_an_update(org: OrgHandle, api: ManagementApi) -> None:
    path = "users/" + api.user()["id"]
    before = org.users[0].password_hash
    api("POST", path, {"profile": {"nickName": "x"}, "credentials": {"password": {"value": "abc"}}}, status=400)
    assert (org.users[0].password_hash, "nickName" in org.users[0].profile) == (before, False)


@pytest.mark.parametrize(
    ("ids", "status"), [(["00gNobody"], 404), ("00gLocalEveryone0001", 400), ([7], 404), ([None], 404), ({"a": 1}, 400)]
)
def test_unknown_groups_are_refused(org: OrgHandle, api: ManagementApi, ids: Json, status: int) -> None:
    body = {"profile": {**ADA, "login": ADA["email"]}, "groupIds": ids}
    reply = api.http.post(api.base + "users", json=body, timeout=60)
    assert reply.status_code == status
    assert [group["profile"]["name"] for group in api("GET", "groups")] == ["Everyone"]
    assert org.users == []


@pytest.mark.parametrize(("length", "status"), [(255, 200), (256, 400)])
def test_the_name_of_a_group_has_a_maximum_length(api: ManagementApi, length: int, status: int) -> None:
    answer = api("POST", "groups", {"profile": {"name": "x" * length}}, status=status)
    assert answer.get("errorCode") == ("E0000001" if status == 400 else None)


def test_a_body_that_is_not_json_has_status_415(api: ManagementApi) -> None:
    refused = api.http.post(api.base + "groups", data={"name": "x"}, timeout=60)
    assert (refused.status_code, refused.json()["errorCode"]) == (415, "E0000021")


# ---- filter and search


@pytest.fixture
def two_users(api: ManagementApi) -> None:
    api.user("ada@example.com")
    profile = {**ADA, "login": "g@example.com", "email": "g@example.com", "nickName": 'Ann or (Bob) and "Eve"'}
    api("POST", "users", {"profile": profile}, activate="false")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('profile.nickName eq "Ann or (Bob) and \\"Eve\\""', ["g"]),
        ('profile.nickName co " or "', ["g"]),
        ('profile.nickName co "(Bob"', ["g"]),
        ('profile.nickName eq "x)" or profile.login sw "a"', ["ada"]),
        ('(profile.login sw "a" or profile.login sw "g") and status eq "STAGED"', ["g"]),
        ('profile.login sw "a" or (profile.login sw "g" and status eq "ACTIVE")', ["ada"]),
        ('((profile.login sw "a"))', ["ada"]),
        ('profile.login SW "a" OR profile.nickName PR', ["ada", "g"]),
        ("not (profile.nickName pr)", ["ada"]),
        ('profile.login eq "ada@example.com" and profile.nickName eq null', ["ada"]),
        ('created gt "2020-01-01T00:00:00.000Z" and created lt "2099-01-01T00:00:00.000Z"', ["ada", "g"]),
    ],
)
@pytest.mark.usefixtures("two_users")
def test_filter_expressions_support_quoting_nesting_and_operators(
    api: ManagementApi, expression: str, expected: list[str]
) -> None:
    users = api("GET", "users", search=expression)
    assert [user["profile"]["login"].split("@")[0] for user in users] == expected


@pytest.mark.parametrize(
    "expression",
    [
        "status", "status eq", 'status eq "A" and', 'and status eq "A"', '(status eq "A"', 'status eq "A")', '"A"',
        'status eq "A', 'status eq "A" status eq "B"', "()", "(" * 3000, "not " * 3000, "status zz 1", "status eq A",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["users", "groups", "logs"])
def test_invalid_filter_expressions_are_refused(api: ManagementApi, path: str, expression: str) -> None:
    assert api("GET", path, status=400, filter=expression)["errorCode"] == "E0000031"


# ---- policies and rules


def default(api: ManagementApi, kind: str) -> str:
    return str(next(item for item in api("GET", "policies", type=kind) if item["system"])["id"])


def test_an_app_reassigned_to_the_default_policy_is_in_its_list(api: ManagementApi) -> None:
    policy = default(api, "ACCESS_POLICY")
    other = api("POST", "policies", {"type": "ACCESS_POLICY", "name": "Other"})["id"]
    for assigned, lists in ((other, ([], [CLIENT])), (policy, ([CLIENT], []))):
        api("PUT", f"apps/{CLIENT}/policies/{assigned}", status=204)
        assert tuple([app["id"] for app in api("GET", f"policies/{item}/app")] for item in (policy, other)) == lists


def test_a_recreated_app_has_the_default_policy(api: ManagementApi) -> None:
    body = {"name": "oidc_client", "label": "x", "credentials": {"oauthClient": {"client_id": "0oaAgain"}}}
    other = api("POST", "policies", {"type": "ACCESS_POLICY", "name": "Other"})["id"]
    api("POST", "apps", body)
    api("PUT", f"apps/0oaAgain/policies/{other}", status=204)
    api("POST", "apps/0oaAgain/lifecycle/deactivate")
    api("DELETE", "apps/0oaAgain", status=204)
    api("POST", "apps", body)
    assert api("GET", f"policies/{other}/app") == []


def rule(name: str, **more: Json) -> Json:
    return {"name": name, "actions": {"appSignOn": {"access": "ALLOW"}}, **more}


def names(api: ManagementApi, rules: str) -> list[str]:
    return [item["name"] for item in api("GET", rules)]


def test_a_new_rule_is_placed_before_the_catch_all_rule(api: ManagementApi) -> None:
    rules = f"policies/{default(api, 'ACCESS_POLICY')}/rules"
    api("POST", rules, rule("far", priority=70))
    api("POST", rules, rule("next"))
    api("POST", rules, rule("true", priority=True))
    api("POST", rules, rule("last", priority=500))
    assert names(api, rules) == ["far", "next", "true", "last", "Catch-all Rule"]


def test_a_rule_with_a_taken_priority_moves_the_others_down(api: ManagementApi) -> None:
    rules = f"policies/{default(api, 'ACCESS_POLICY')}/rules"
    created = {name: api("POST", rules, rule(name))["id"] for name in "abc"}
    api("POST", rules, rule("new", priority=1))
    assert names(api, rules) == ["a", "new", "b", "c", "Catch-all Rule"]
    api("PUT", f"{rules}/{created['c']}", rule("c", priority=0))
    assert names(api, rules) == ["c", "a", "new", "b", "Catch-all Rule"]
    priorities = [item["priority"] for item in api("GET", rules)]
    assert len(set(priorities)) == len(priorities)


def test_a_policy_can_be_moved_to_the_first_priority(api: ManagementApi) -> None:
    created = [api("POST", "policies", {"type": "PASSWORD", "name": name})["id"] for name in "ab"]
    api("POST", "policies", {"type": "PASSWORD", "name": "first", "priority": 1})
    assert names(api, "policies?type=PASSWORD") == ["first", "a", "b", "Default Policy"]
    api("PUT", f"policies/{created[1]}", {"type": "PASSWORD", "name": "b", "priority": 1})
    assert names(api, "policies?type=PASSWORD") == ["b", "first", "a", "Default Policy"]


# ---- inline hooks


@pytest.fixture
def service() -> Iterator[HookReceiver]:
    receiver = HookReceiver()
    yield receiver
    receiver.close()


def hook_body(url: str) -> Json:
    config = {"uri": url, "authScheme": {"type": "HEADER", "key": "Authorization", "value": "hook-secret"}}
    channel = {"type": "HTTP", "version": "1.0.0", "config": config}
    return {"name": "Hook", "type": "com.okta.user.pre-registration", "version": "1.0.0", "channel": channel}


@pytest.mark.parametrize("kind", ["inlineHooks", "eventHooks"])
def test_the_authentication_header_of_a_hook_is_not_shown(
    org: OrgHandle, api: ManagementApi, service: HookReceiver, kind: str
) -> None:
    body = hook_body(service.url)
    config = body["channel"]["config"]
    config["authScheme"]["key"], config["headers"] = "X-Hook-Key", [{"key": "X-Team", "value": "boats"}]
    sent = body if kind == "inlineHooks" else {**body, "events": {"type": "EVENT_TYPE", "items": ["user.session.end"]}}
    for name in ("type", "version") if kind == "eventHooks" else ():
        del sent[name]
    created = api("POST", kind, sent)
    config_shown = created["channel"]["config"]
    assert config_shown["authScheme"] == {"type": "HEADER", "key": "X-Hook-Key"}
    assert config_shown["headers"] == [{"key": "X-Team", "value": "boats"}]
    api("PUT", f"{kind}/{created['id']}", {**sent, "channel": created["channel"]})
    stored = (
        org.org.inline_hooks[created["id"]]["headers"] if kind == "inlineHooks" else org.policy.hooks.events[0].headers
    )
    assert "hook-secret" in str([header if isinstance(header, dict) else vars(header) for header in stored])
    pages = [requests.get(org.base + path, timeout=60).text for path in ("/calls", "/_devorg/calls", "/policy", "/")]
    assert "hook-secret" not in "".join([*pages, str(api("GET", kind)), str(created)])


@pytest.fixture
def hook_of_a_policy(api: ManagementApi, service: HookReceiver) -> str:
    """The id of a hook that is used by an additional policy of the only app."""
    hook = str(api("POST", "inlineHooks", hook_body(service.url))["id"])
    policy = api("POST", "policies", {"type": "PROFILE_ENROLLMENT", "name": "Other"})["id"]
    catch_all = api("GET", f"policies/{policy}/rules")[0]
    catch_all["actions"]["profileEnrollment"]["preRegistrationInlineHooks"] = [{"inlineHookId": hook}]
    api("PUT", f"policies/{policy}/rules/{catch_all['id']}", catch_all)
    api("PUT", f"apps/{CLIENT}/policies/{policy}", status=204)
    return hook


def test_a_hook_that_is_used_by_a_policy_cannot_be_deleted(
    api: ManagementApi, journey: Journey, service: HookReceiver, hook_of_a_policy: str
) -> None:
    assert api("DELETE", f"inlineHooks/{hook_of_a_policy}", status=403)["errorCode"] == "E0000038"
    journey.registered()
    assert len(service.calls) == 1


def test_an_updated_hook_is_called_at_its_new_url(
    org: OrgHandle, api: ManagementApi, journey: Journey, service: HookReceiver, hook_of_a_policy: str
) -> None:
    moved = HookReceiver()
    try:
        api("PUT", f"inlineHooks/{hook_of_a_policy}", hook_body(moved.url))
        journey.registered()
        assert (len(service.calls), len(moved.calls)) == (0, 1)
    finally:
        moved.close()


def test_a_deactivated_hook_stays_inactive_after_an_update_and_is_not_called(
    api: ManagementApi, journey: Journey, service: HookReceiver, hook_of_a_policy: str
) -> None:
    path = f"inlineHooks/{hook_of_a_policy}"
    api("POST", f"{path}/lifecycle/deactivate")
    assert api("PUT", path, hook_body(service.url))["status"] == "INACTIVE"
    journey.registered()
    assert service.calls == []
    api("POST", f"{path}/lifecycle/activate")
    journey.to_profile().enroll_profile(userProfile={**ADA, "email": "b@example.com"})
    assert len(service.calls) == 1


def test_a_hook_from_the_settings_can_be_deactivated(
    org: OrgHandle, api: ManagementApi, journey: Journey, service: HookReceiver
) -> None:
    org.patch_policy({"hooks": {"registration": {"url": service.url}}})
    (hook,) = api("GET", "inlineHooks", type="com.okta.user.pre-registration")
    path = f"inlineHooks/{hook['id']}"
    assert api("POST", f"{path}/lifecycle/deactivate")["status"] == "INACTIVE"
    journey.registered()
    assert service.calls == []


# ---- event hooks


def test_an_event_hook_with_an_invalid_request_does_not_stop_the_others(
    org: OrgHandle, api: ManagementApi, service: HookReceiver
) -> None:
    bad_header = {"url": service.url, "headers": [{"key": "X-Name", "value": "Adélaïde → Ω"}]}
    bad_url = {"url": "http://" + "a" * 70 + ".example/"}
    events = {"events": ["user.lifecycle.create"], "verified": True}
    hooks = [{**hook, **events} for hook in (bad_header, bad_url, {"url": service.url})]
    org.patch_policy({"hooks": {"events": hooks}})
    api.user()
    assert service.received.get(timeout=60)
    assert len(service.calls) == 0


def test_a_registration_hook_with_an_invalid_header_denies_the_registration(org: OrgHandle, journey: Journey) -> None:
    headers = [{"key": "X-Name", "value": "→"}]
    org.patch_policy({"hooks": {"registration": {"url": "http://127.0.0.1:9/", "headers": headers}}})
    journey.registered()
    assert (journey.status, journey.keys) == (400, ["registration.error.generic"])


def test_an_event_hook_with_an_invalid_header_is_not_verified(org: OrgHandle, api: ManagementApi) -> None:
    hook = {"url": "http://127.0.0.1:9/", "headers": [{"key": "X-Name", "value": "→"}], "events": ["x"]}
    org.patch_policy({"hooks": {"events": [hook]}})
    hook_id = api("GET", "eventHooks")[0]["id"]
    api("POST", f"eventHooks/{hook_id}/lifecycle/verify", status=400)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://x/", "http://", "//x", "x", "", "ftp://x/"])
def test_a_hook_url_must_be_http(org: OrgHandle, url: str) -> None:
    for hooks in ({"registration": {"url": url}}, {"events": [{"url": url, "events": ["x"]}]}):
        reply = requests.patch(org.base + "/_devorg/policy", json={"hooks": hooks}, timeout=60)
        assert (reply.status_code, ".url" in reply.json()["error"]) == (400, True)


# ---- statuses


@pytest.mark.parametrize("status", [400, 422])
def test_the_status_of_an_unsolved_captcha_is_configurable(org: OrgHandle, journey: Journey, status: int) -> None:
    org.patch_policy({"captcha": {"type": "HCAPTCHA"}, "statuses": {"captcha": status, "profile_error": 409}})
    journey.to_profile().enroll_profile()
    assert journey.status == status


def test_an_expired_password_can_be_used_for_its_change(org: OrgHandle, api: ManagementApi) -> None:
    user = OktaOrg(org).sign_up()
    api("POST", f"users/{user.id}/lifecycle/expire_password")
    journey = Journey(org).sign_in(PASSWORD)
    assert journey.steps == ["reenroll-authenticator"]
    journey.close()


# ---- as strict as recorded orgs


def test_an_active_app_cannot_be_deleted(api: ManagementApi) -> None:
    error = api("DELETE", f"apps/{CLIENT}", status=403)
    assert (error["errorCode"], "deactivated" in causes(error)) == ("E0000056", True)
    api("POST", f"apps/{CLIENT}/lifecycle/deactivate")
    api("DELETE", f"apps/{CLIENT}", status=204)


def test_an_authenticator_that_a_policy_requires_cannot_be_deactivated(org: OrgHandle, api: ManagementApi) -> None:
    ids = {item["key"]: item["id"] for item in api("GET", "authenticators")}
    error = api("POST", f"authenticators/{ids['okta_email']}/lifecycle/deactivate", status=403)
    assert (error["errorCode"], causes(error)) == ("E0000148", "Authenticator Enrollment Policies: Default Policy")
    api("POST", f"authenticators/{ids['okta_password']}/lifecycle/deactivate", status=400)
    org.patch_policy({"authenticators": {"okta_email": "optional"}})
    api("POST", f"authenticators/{ids['okta_email']}/lifecycle/deactivate")
    assert org.policy.authenticators.okta_email == "disabled"


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_attribute_outside_the_schema_is_refused(api: ManagementApi, method: str) -> None:
    profile = {**ADA, "login": ADA["email"], "notValid": "x"}
    path = "users"
    if method == "PUT":
        path = "users/" + api.user()["id"]
    error = api(method, path, {"profile": profile}, status=400)
    assert (error["errorCode"], error["errorSummary"]) == ("E0000001", "Api validation failed: newUser")
    assert causes(error) == "Property name 'notValid' is not defined in profile"


def test_unlocking_a_user_that_is_not_locked_is_refused(api: ManagementApi) -> None:
    error = api("POST", f"users/{api.user()['id']}/lifecycle/unlock", status=403)
    assert (error["errorCode"], causes(error)) == ("E0000032", "The user is not locked out.")


@pytest.mark.parametrize(
    "query", [{"after": "zzz"}, {"after": "-1"}, {"after": "0"}, {"after": "9999"}, {"after": "²"}]
)
@pytest.mark.parametrize("path", ["apps", "users", "groups", "authenticators", "eventHooks", "logs"])
def test_an_unknown_cursor_is_refused(api: ManagementApi, path: str, query: dict[str, str]) -> None:
    error = api("GET", path, status=400, **query)
    assert (error["errorCode"], causes(error)) == ("E0000029", "Invalid cursor.")


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "²"])
def test_an_invalid_limit_is_refused(api: ManagementApi, limit: str) -> None:
    assert api("GET", "users", status=400, limit=limit)["errorCode"] == "E0000001"


MISSING_OBJECTS = {
    "users/x": "User",
    "groups/x": "UserGroup",
    "apps/x": "AppInstance",
    "eventHooks/x": "Webhook",
    "inlineHooks/x": "InlineHook",
    "policies/x": "Policy",
    "policies/rstLocalAccessPol001/rules/x": "PolicyRule",
    "users/ada@example.com/factors/x": "UserFactor",
    "users/ada@example.com/sessions": "",
}


@pytest.mark.parametrize("path", MISSING_OBJECTS)
def test_a_missing_object_has_an_error_with_its_type(api: ManagementApi, path: str) -> None:
    api.user()
    reply = api.http.get(api.base + path, timeout=60)
    kind = MISSING_OBJECTS[path]
    detail = f": {path.rpartition('/')[2]} ({kind})" if kind else "."
    assert (reply.status_code, reply.json()["errorSummary"]) == (404, f"Not found: Resource not found{detail}")


def test_every_error_has_a_unique_id(api: ManagementApi) -> None:
    ids = {api("GET", "users/x", status=404)["errorId"] for _ in range(3)}
    assert len(ids) == 3
    assert all(error_id.startswith("oae") for error_id in ids)


def test_a_hook_has_the_version_recorded_from_real_orgs(api: ManagementApi) -> None:
    hook = api("POST", "inlineHooks", {**hook_body("http://127.0.0.1:9/"), "version": "1.0.3"})
    assert hook["version"] == "1.0.2"


def test_updating_a_hook_without_its_secret_keeps_the_secret(
    api: ManagementApi, journey: Journey, service: HookReceiver, hook_of_a_policy: str
) -> None:
    config_shown = api("GET", f"inlineHooks/{hook_of_a_policy}")
    assert "hook-secret" not in str(config_shown)
    api("PUT", f"inlineHooks/{hook_of_a_policy}", config_shown)
    journey.registered()
    headers, _ = service.received.get(timeout=60)
    assert headers["Authorization"] == "hook-secret"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "oidc_client"},
        {"label": "x"},
        {"name": "oidc_client", "label": ""},
        {"name": "oidc_client", "label": "x", "signOnMode": "SAML_2_0"},
        {"name": "oidc_client", "label": "x", "settings": {"oauthClient": {"redirect_uriz": []}}},
        {"name": "oidc_client", "label": "x", "colour": "red"},
        {"name": "oidc_client", "label": "x", "settings": {"oauthClient": {"email_verification_uri": "http://x/"}}},
    ],
)
def test_an_app_with_missing_or_unknown_members_is_refused(api: ManagementApi, body: Json) -> None:
    before = len(api("GET", "apps"))
    assert api("POST", "apps", body, status=400)["errorCode"] == "E0000001"
    assert len(api("GET", "apps")) == before


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (f"apps/{CLIENT}", {"colour": "red"}),
        (f"apps/{CLIENT}", {"settings": {"oauthClient": {"colour": "red"}}}),
        ("policies/00pLocalMfaEnroll001", {"settings": {"colour": "red"}}),
        ("policies/00pLocalPassword0001", {"settings": {"password": {"complexity": {"minColour": 1}}}}),
        ("policies/rstLocalProfileEnr01/rules/rulLocalProfileEnr01", {"actions": {"profileEnrollment": {"colour": 1}}}),
        ("policies/rstLocalAccessPol001/rules/rulLocalAccessPol001", {"actions": {"appSignOn": {"colour": 1}}}),
        ("authenticators/autLocalEmail0000001", {"settings": {"colour": "red"}}),
        ("groups/{group}", {"profile": {"colour": "red", "name": "x"}}),
        ("groups/{group}", {"colour": "red", "profile": {"name": "x"}}),
        ("users/{user}", {"colour": "red"}),
        ("inlineHooks/{inline}", {"colour": "red"}),
        ("inlineHooks/{inline}", {"channel": {"config": {"colour": "red"}}}),
        ("eventHooks/{event}", {"colour": "red"}),
        ("authorizationServers/default/policies/00pLocalServerPol001/rules/0prLocalServerRul001", {"colour": "red"}),
    ],
)
def test_unknown_members_are_refused_with_their_name(api: ManagementApi, path: str, change: Json) -> None:
    events = {"type": "EVENT_TYPE", "items": ["user.lifecycle.create"]}
    created: dict[str, Callable[[], str]] = {
        "group": lambda: api("POST", "groups", {"profile": {"name": "x"}})["id"],
        "user": lambda: api.user()["id"],
        "inline": lambda: api("POST", "inlineHooks", hook_body("http://127.0.0.1:9/"))["id"],
        "event": lambda: api("POST", "eventHooks", {**event_hook_body(), "events": events})["id"],
    }
    for name, make in created.items():
        if f"{{{name}}}" in path:
            path = path.format(**{name: make()})
    before = api("GET", path)
    api("PUT", path, before)
    error = api("PUT", path, merged(before, change), status=400)
    assert (error["errorCode"], "olour" in causes(error)) == ("E0000001", True)
    after = api("GET", path)
    after["lastUpdated"] = before["lastUpdated"]
    assert after == before


def event_hook_body() -> Json:
    return {"name": "Hook", "channel": hook_body("http://127.0.0.1:9/")["channel"]}


def merged(value: Json, change: Json) -> Json:
    if isinstance(value, dict) and isinstance(change, dict):
        return {**value, **{key: merged(value.get(key), item) for key, item in change.items()}}
    return change


def test_next_login_can_require_a_password_change(api: ManagementApi) -> None:
    body = {"profile": {**ADA, "login": ADA["email"]}, "credentials": {"password": {"value": PASSWORD}}}
    assert api("POST", "users", body, nextLogin="changePassword")["status"] == "PASSWORD_EXPIRED"


# ---- as complete


@pytest.mark.parametrize("path", ["users/", "users/ada@example.com/", "apps/", "policies/?type=PASSWORD", "groups/"])
def test_a_trailing_slash_is_accepted_for_reads(api: ManagementApi, path: str) -> None:
    api.user()
    reply = api.http.get(api.base + path, allow_redirects=False, timeout=60)
    assert reply.status_code == 200, reply.text


def test_a_trailing_slash_is_accepted_for_changes(org: OrgHandle, api: ManagementApi) -> None:
    body = {"profile": {**ADA, "login": ADA["email"]}}
    reply = api.http.post(api.base + "users/?activate=false", json=body, allow_redirects=False, timeout=60)
    assert (reply.status_code, reply.json()["status"]) == (200, "STAGED")
    assert [call.path for call in org.calls()] == ["/api/v1/users/"]


def test_every_type_of_policy_has_a_default_policy(api: ManagementApi) -> None:
    for kind in ("OKTA_SIGN_ON", "IDP_DISCOVERY", "PASSWORD", "MFA_ENROLL", "ACCESS_POLICY", "PROFILE_ENROLLMENT"):
        policy = api("GET", "policies", type=kind)[-1]
        assert (policy["system"], policy["type"]) == (True, kind)
        assert api("GET", f"policies/{policy['id']}/rules")
    assert api("GET", "policies", status=400, type="NONSENSE")["errorCode"] == "E0000001"


def test_mappings_list_the_apps_of_a_policy(api: ManagementApi) -> None:
    policy = default(api, "ACCESS_POLICY")
    links = [item["_links"]["application"]["href"] for item in api("GET", f"policies/{policy}/mappings")]
    assert links == [f"{api.base}apps/{CLIENT}"]
    api("POST", f"policies/{policy}/mappings", {"resourceId": CLIENT}, status=400)


def test_users_of_an_app_and_apps_of_a_user_can_be_listed(org: OrgHandle, api: ManagementApi) -> None:
    user = OktaOrg(org).sign_up()
    assert [item["id"] for item in api("GET", f"apps/{CLIENT}/users")] == [user.id]
    assert api("GET", f"apps/{CLIENT}/users/{user.id}")["credentials"] == {"userName": user.email}
    assert [item["label"] for item in api("GET", f"users/{user.id}/appLinks")] == ["Demo site"]
    everyone = api("GET", "groups", q="Everyone")[0]["id"]
    assert [item["id"] for item in api("GET", f"groups/{everyone}/apps")] == [CLIENT]
    api("DELETE", f"apps/{CLIENT}/groups/{everyone}", status=204)
    assert api("GET", f"apps/{CLIENT}/users") == []
    api("GET", f"apps/{CLIENT}/users/{user.id}", status=404)


def test_sessions_of_a_user_can_be_deleted(org: OrgHandle, api: ManagementApi) -> None:
    user = OktaOrg(org).sign_up()
    org.org.sign_ins.start_session(user.id, ("pwd",), 600)
    api("DELETE", f"users/{user.id}/sessions", status=204)
    assert org.org.sign_ins.sessions == {}


def test_credentials_can_be_changed(org: OrgHandle, api: ManagementApi) -> None:
    path = f"users/{OktaOrg(org).sign_up().id}/credentials"
    wrong = {"oldPassword": {"value": "x"}, "newPassword": {"value": "Another-horse-8"}}
    assert api("POST", f"{path}/change_password", wrong, status=403)["errorCode"] == "E0000014"
    weak = {"oldPassword": {"value": PASSWORD}, "newPassword": {"value": "x"}}
    api("POST", f"{path}/change_password", weak, status=400)
    right = {"oldPassword": {"value": PASSWORD}, "newPassword": {"value": "Another-horse-8"}}
    assert "password" in api("POST", f"{path}/change_password", right)
    question = {"question": "Which horse?", "answer": "a brown one"}
    body = {"password": {"value": "Another-horse-8"}, "recovery_question": question}
    config_shown = api("POST", f"{path}/change_recovery_question", body)
    assert config_shown["recovery_question"] == {"question": "Which horse?"}
    assert "reset-password" in api("POST", f"{path}/forgot_password", sendEmail="false")["resetPasswordUrl"]
    journey = Journey(org).sign_in("Another-horse-8")
    assert "successWithInteractionCode" in journey.document
    journey.close()


def test_trusted_origins_change_the_settings(org: OrgHandle, api: ManagementApi) -> None:
    created = api(
        "POST", "trustedOrigins", {"name": "SPA", "origin": "https://spa.example", "scopes": [{"type": "CORS"}]}
    )
    assert list(org.policy.trusted_origins) == ["https://spa.example"]
    assert [item["id"] for item in api("GET", "trustedOrigins")] == [created["id"]]
    api("POST", "trustedOrigins", {"origin": "x"}, status=400)
    api("DELETE", f"trustedOrigins/{created['id']}", status=204)
    assert list(org.policy.trusted_origins) == []


def test_one_brand_and_one_user_type_exist(api: ManagementApi) -> None:
    brand = api("GET", "brands")[0]
    assert api("GET", f"brands/{brand['id']}") == brand
    assert api("GET", "meta/types/user/default")["name"] == "user"


@pytest.mark.parametrize("path", ["api/v1/users", "idp/idx/introspect", "oauth2/v1/keys"])
def test_responses_have_the_headers_of_a_real_org(org: OrgHandle, api: ManagementApi, path: str) -> None:
    reply = api.http.get(f"{org.base}/{path}", timeout=60)
    expected = {"Expires": "0", "Pragma": "no-cache", "Cache-Control": "no-cache, no-store"}
    assert {name: reply.headers.get(name) for name in expected} == expected
    assert reply.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_allowed_identifiers_of_the_enrollment_rule_change_the_settings(org: OrgHandle, api: ManagementApi) -> None:
    path = "policies/rstLocalProfileEnr01/rules/rulLocalProfileEnr01"
    rule_of_org = api("GET", path)
    assert rule_of_org["actions"]["profileEnrollment"]["allowedIdentifiers"] == ["login"]
    rule_of_org["actions"]["profileEnrollment"]["allowedIdentifiers"] = ["login", "mobilePhone"]
    api("PUT", path, rule_of_org)
    assert org.policy.allowed_identifiers == ("login", "mobilePhone")
    rule_of_org["actions"]["profileEnrollment"]["allowedIdentifiers"] = ["nonsense"]
    assert api("PUT", path, rule_of_org, status=400)["errorCode"] == "E0000001"


def test_links_to_pages_are_encoded(org: OrgHandle, api: ManagementApi) -> None:
    org.patch_policy({"apps": [{"client_id": "a\nb é/c", "redirect_uris": [REDIRECT]}]})
    api.user()
    reply = api.http.get(api.base + "apps/a%0Ab%20%C3%A9/users", timeout=60)
    assert reply.status_code == 404
    org.patch_policy({"apps": [{"client_id": "a\nb é", "redirect_uris": [REDIRECT]}]})
    reply = api.http.get(api.base + "apps/a%0Ab%20%C3%A9/users", timeout=60)
    assert reply.links["self"]["url"] == f"{api.base}apps/a%0Ab%20%C3%A9/users"


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("date", ["nonsense", "2026-13-01", "1767225600", "2026-01-01T00:00:00Q"])
def test_an_invalid_date_is_refused(api: ManagementApi, name: str, date: str) -> None:
    error = api("GET", "logs", status=400, **{name: date})
    expected = (
        f"'{name}': The date format in your query is not recognized. Please enter dates using ISO8601 string format."
    )
    assert (error["errorCode"], causes(error)) == ("E0000001", expected)


def test_dates_in_every_format_are_compared_as_times(org: OrgHandle, api: ManagementApi) -> None:
    api.user()
    event = next(item for item in api("GET", "logs") if item["eventType"] == "user.lifecycle.create")
    at = datetime.fromisoformat(event["published"])
    east, before = timezone(timedelta(hours=9)), timedelta(seconds=1)
    for same in (at, at.astimezone(east), at.replace(tzinfo=None)):
        for since, until, is_found in (
            (same, same, True), (same - before, same + before, True), (same + before, same + before, False),
            (same - before, same - before, False),
        ):  # fmt: skip
            events = api("GET", "logs", since=since.isoformat(), until=until.isoformat())
            assert (event in events) is is_found
    whole_second = at.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    assert event in api("GET", "logs", since=whole_second)


@pytest.mark.parametrize(
    "client", [{"redirect_uris": ["x"]}, {"initiate_login_uri": "http://["}, {"post_logout_redirect_uris": ["/"]}]
)
def test_an_app_with_invalid_urls_is_refused(org: OrgHandle, api: ManagementApi, client: Json) -> None:
    body = {"name": "oidc_client", "label": "Another", "settings": {"oauthClient": client}}
    error = api("POST", "apps", body, status=400)
    assert (error["errorCode"], "must be an absolute URI" in causes(error)) == ("E0000001", True)
    api("PUT", f"apps/{CLIENT}", body, status=400)
    assert len(org.policy.apps) == 1


# ---- users of an app


@pytest.fixture
def unassigned_app_users(org: OrgHandle) -> str:
    """The path of the users of an app without assignments."""
    app = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT], "assigned": False}
    org.patch_policy({"apps": [app]})
    return f"apps/{CLIENT}/users"


def test_a_user_can_be_assigned_updated_and_unassigned(
    org: OrgHandle, api: ManagementApi, journey: Journey, unassigned_app_users: str
) -> None:
    user = OktaOrg(org).sign_up()
    journey.sign_in()
    assert journey.keys == ["idx.error.user.not.assigned.to.app"]
    created = api("POST", unassigned_app_users, {"id": user.id, "scope": "USER", "credentials": {"userName": "ada"}})
    assert (created["scope"], created["credentials"], created["profile"]) == ("USER", {"userName": "ada"}, {})
    one = f"{unassigned_app_users}/{user.id}"
    changed = api("POST", one, {"profile": {"ship": "Kestrel"}})
    assert (changed["credentials"], changed["profile"]) == ({"userName": "ada"}, {"ship": "Kestrel"})
    assert api("GET", unassigned_app_users) == [changed] == [api("GET", one)]
    assert "successWithInteractionCode" in journey.sign_in().document
    api("DELETE", one, status=204)
    journey.sign_in()
    assert journey.keys == ["idx.error.user.not.assigned.to.app"]
    for method in ("GET", "POST", "DELETE"):
        api(method, one, {} if method == "POST" else None, status=404)
    assert api("GET", unassigned_app_users) == []


def test_a_group_assignment_can_be_updated_and_not_deleted(org: OrgHandle, api: ManagementApi) -> None:
    user = OktaOrg(org).sign_up()
    one = f"apps/{CLIENT}/users/{user.id}"
    changed = api("POST", one, {"credentials": {"userName": "ada"}})
    assert (changed["scope"], api("GET", one)["credentials"]) == ("GROUP", {"userName": "ada"})
    api("DELETE", one, status=204)
    assert api("GET", one)["credentials"] == {"userName": user.email}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"id": 7}, 400), ({"id": "00uNobody"}, 404), ({"id": ADA["email"], "colour": "red"}, 400),
        ({"id": ADA["email"], "credentials": {"userName": 7}}, 400), ({"id": ADA["email"], "profile": "x"}, 400),
        ({"id": ADA["email"], "credentials": {"password": {"value": "x"}}}, 400),
    ],
)  # fmt: skip
def test_an_invalid_assignment_is_refused(
    org: OrgHandle, api: ManagementApi, unassigned_app_users: str, body: Json, status: int
) -> None:
    OktaOrg(org).sign_up()
    api("POST", unassigned_app_users, body, status=status)
    assert api("GET", unassigned_app_users) == []


def test_deleting_a_user_or_an_app_deletes_its_assignments(
    org: OrgHandle, api: ManagementApi, unassigned_app_users: str
) -> None:
    users = [OktaOrg(org).sign_up(f"{name}@example.com").id for name in ("ada", "grace")]
    for user in users:
        api("POST", unassigned_app_users, {"id": user})
    for _ in range(2):
        api("DELETE", f"users/{users[0]}", status=204)
    api("POST", f"apps/{CLIENT}/lifecycle/deactivate")
    api("DELETE", f"apps/{CLIENT}", status=204)
    assert not any(org.org.app_users.find(CLIENT, user) for user in users)
