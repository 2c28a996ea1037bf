"""The official `okta` Python SDK against the local org's Management API."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from okta import models
from okta.client import Client

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA
from support.service_app import rsa_key

Work = Callable[[Client], Awaitable[None]]


@pytest.fixture
def manage(org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], None]:
    """Return a function that runs calls of the SDK. The SDK rejects http unless its switch for tests is set."""
    monkeypatch.setenv("OKTA_TESTING_TESTINGDISABLEHTTPSCHECK", "true")

    def run(work: Work) -> None:
        async def session() -> None:
            async with Client({"orgUrl": org.base, "token": org.policy.api_token}) as client:
                await work(client)

        asyncio.run(session())

    return run


def result_of(answer: tuple[Any, ...]) -> Any:
    """Return the result of an SDK call, which is (result, response, error), or (response, error) without a result."""
    assert answer[-1] is None, answer[-1]
    return answer[0]


def new_user(**more: Any) -> Any:
    profile = models.UserProfile(**{**ADA, "login": ADA["email"], **more})
    return models.CreateUserRequest(profile=profile)


def test_sdk_creates_activates_and_deletes_users(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    async def work(client: Client) -> None:
        user = result_of(await client.create_user(new_user(), activate=False))
        assert user.status == "STAGED"
        token = result_of(await client.activate_user(user.id, send_email=False))
        assert token.activation_token
        assert result_of(await client.get_user(ADA["email"])).status == "PROVISIONED"
        users = result_of(await client.list_users(search=f'profile.email eq "{ADA["email"]}"'))
        assert [item.id for item in users] == [user.id]
        result_of(await client.reactivate_user(user.id, send_email=False))
        result_of(await client.deactivate_user(user.id))
        result_of(await client.delete_user(user.id))
        assert result_of(await client.list_users(search='profile.email eq "nobody@example.com"')) == []

    manage(work)
    assert org.users == []


def test_sdk_manages_groups_and_app_assignments(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    async def work(client: Client) -> None:
        profile = models.OktaUserGroupProfile(name="Members", description="People who pay")
        group = result_of(await client.add_group(models.AddGroupRequest(profile=profile)))
        user = result_of(await client.create_user(new_user(), activate=False))
        result_of(await client.assign_user_to_group(group.id, user.id))
        assert [item.id for item in result_of(await client.list_group_users(group.id))] == [user.id]
        app = result_of(await client.list_applications())[0]
        result_of(await client.assign_group_to_application(app.id, group.id))
        assigned = [item.id for item in result_of(await client.list_application_group_assignments(app.id))]
        assert group.id in assigned
        result_of(await client.unassign_application_from_group(app.id, group.id))
        result_of(await client.delete_group(group.id))

    manage(work)


def test_sdk_changes_policies_and_rules(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    async def work(client: Client) -> None:
        policy = result_of(await client.list_policies(type="PROFILE_ENROLLMENT"))[0]
        rule = result_of(await client.list_policy_rules(policy.id))[0]
        action = rule.actions.profile_enrollment
        action.unknown_user_action = "DENY"
        action.profile_attributes[0].label = "Given name"
        result_of(await client.replace_policy_rule(policy.id, rule.id, rule))
        policy = result_of(await client.list_policies(type="MFA_ENROLL"))[0]
        for item in policy.settings.authenticators:
            if item.key == "phone_number":
                item.enroll.var_self = models.AuthenticatorEnrollmentPolicyAuthenticatorStatus.OPTIONAL
        result_of(await client.replace_policy(policy.id, policy))
        for kind in ("ACCESS_POLICY", "PASSWORD"):
            policy = result_of(await client.list_policies(type=kind))[0]
            assert result_of(await client.get_policy(policy.id)).type == kind
            rules = result_of(await client.list_policy_rules(policy.id))
            result_of(await client.replace_policy_rule(policy.id, rules[0].id, rules[0]))

    manage(work)
    assert (org.policy.sign_up, org.policy.profile[0].label) == (False, "Given name")
    assert org.policy.authenticators.phone_number == "optional"


def test_sdk_creates_and_deletes_a_policy_for_a_group(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    async def work(client: Client) -> None:
        profile = models.OktaUserGroupProfile(name="Staff")
        group = result_of(await client.add_group(models.AddGroupRequest(profile=profile)))
        people = {"people": {"groups": {"include": [group.id]}}}
        body = {"type": "PASSWORD", "name": "Staff", "conditions": people}
        body["settings"] = {"password": {"complexity": {"minLength": 16}}}
        policy = result_of(await client.create_policy(models.PasswordPolicy.from_dict(body)))
        assert policy.settings.password.complexity.min_length == 16
        rule = models.PasswordPolicyRule.from_dict({"type": "PASSWORD", "name": "All of them"})
        created = result_of(await client.create_policy_rule(policy.id, rule))
        assert [item.id for item in result_of(await client.list_policy_rules(policy.id))] == [created.id]
        await client.deactivate_policy(policy.id)
        assert result_of(await client.get_policy(policy.id)).status == "INACTIVE"
        await client.delete_policy(policy.id)
        assert len(result_of(await client.list_policies(type="PASSWORD"))) == 1

    manage(work)


def test_sdk_lists_authenticators_hooks_and_log_events(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    async def work(client: Client) -> None:
        authenticators = result_of(await client.list_authenticators())
        keys = {str(getattr(item.key, "value", item.key)) for item in authenticators}
        assert {"okta_email", "okta_password", "webauthn"} <= keys
        result_of(await client.create_user(new_user(), activate=False))
        log = result_of(await client.list_log_events())
        assert [item.event_type for item in log] == ["user.lifecycle.create"]
        assert result_of(await client.list_event_hooks()) == []
        assert result_of(await client.list_inline_hooks()) == []
        assert result_of(await client.get_user("me")).status == "ACTIVE"

    manage(work)


def test_sdk_can_send_back_what_it_read(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    """The SDK uses its own member names and omits null values. The org must accept that."""

    async def work(client: Client) -> None:
        app = result_of(await client.list_applications())[0]
        result_of(await client.replace_application(app.id, app))
        for kind in ("ACCESS_POLICY", "PASSWORD", "MFA_ENROLL", "OKTA_SIGN_ON", "PROFILE_ENROLLMENT", "IDP_DISCOVERY"):
            policy = result_of(await client.list_policies(type=kind))[0]
            result_of(await client.replace_policy(policy.id, policy))
            rule = result_of(await client.list_policy_rules(policy.id))[0]
            result_of(await client.replace_policy_rule(policy.id, rule.id, rule))
        for authenticator in result_of(await client.list_authenticators()):
            result_of(await client.replace_authenticator(authenticator.id, authenticator))
        policy = result_of(await client.list_authorization_server_policies("default"))[0]
        assert result_of(await client.list_authorization_server_policy_rules("default", policy.id))

    before = org.policy
    manage(work)
    assert org.policy == before


def test_sdk_authenticates_as_service_app_with_dpop(org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_TESTING_TESTINGDISABLEHTTPSCHECK", "true")
    key = rsa_key()
    public = load_pem_private_key(key.encode(), None).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    app = {"client_id": "0oaService", "public_keys": [pem], "grants": ["client_credentials"]}
    org.patch_policy({"apps": [{**app, "dpop_bound_access_tokens": True}]})
    service = {
        "orgUrl": org.base,
        "authorizationMode": "PrivateKey",
        "clientId": "0oaService",
        "scopes": ["okta.users.read"],
        "privateKey": key,
        "dpopEnabled": True,
    }

    async def work() -> None:
        async with Client(service) as client:
            assert result_of(await client.list_users()) == []

    asyncio.run(work())
    (token,) = org.calls("/oauth2/v1/token")[-1:]
    assert token.status == 200
    (call,) = org.calls("/api/v1/users")[-1:]
    assert call.status == 200
