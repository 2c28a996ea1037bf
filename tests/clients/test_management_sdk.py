"""The official `okta` Python SDK manages the org."""

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
    """The SDK refuses http; this is its own switch for tests."""
    monkeypatch.setenv("OKTA_TESTING_TESTINGDISABLEHTTPSCHECK", "true")

    def run(work: Work) -> None:
        async def session() -> None:
            async with Client({"orgUrl": org.base, "token": org.policy.api_token}) as client:
                await work(client)

        asyncio.run(session())

    return run


def good(answer: tuple[Any, ...]) -> Any:
    """The SDK answers (result, response, error), or (response, error) where there is no result."""
    assert answer[-1] is None, answer[-1]
    return answer[0]


def new_user(**more: Any) -> Any:
    profile = models.UserProfile(**{**ADA, "login": ADA["email"], **more})
    return models.CreateUserRequest(profile=profile)


def test_people_from_first_to_last_day(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    async def work(client: Client) -> None:
        user = good(await client.create_user(new_user(), activate=False))
        assert user.status == "STAGED"
        token = good(await client.activate_user(user.id, send_email=False))
        assert token.activation_token
        assert good(await client.get_user(ADA["email"])).status == "PROVISIONED"
        found = good(await client.list_users(search=f'profile.email eq "{ADA["email"]}"'))
        assert [item.id for item in found] == [user.id]
        good(await client.reactivate_user(user.id, send_email=False))
        good(await client.deactivate_user(user.id))
        good(await client.delete_user(user.id))
        assert good(await client.list_users(search='profile.email eq "nobody@example.com"')) == []

    manage(work)
    assert org.users == []


def test_groups_and_apps(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    async def work(client: Client) -> None:
        profile = models.OktaUserGroupProfile(name="Members", description="People who pay")
        group = good(await client.add_group(models.AddGroupRequest(profile=profile)))
        user = good(await client.create_user(new_user(), activate=False))
        good(await client.assign_user_to_group(group.id, user.id))
        assert [item.id for item in good(await client.list_group_users(group.id))] == [user.id]
        app = good(await client.list_applications())[0]
        good(await client.assign_group_to_application(app.id, group.id))
        assigned = [item.id for item in good(await client.list_application_group_assignments(app.id))]
        assert group.id in assigned
        good(await client.unassign_application_from_group(app.id, group.id))
        good(await client.delete_group(group.id))

    manage(work)


def test_policies_are_the_orgs_policy(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    async def work(client: Client) -> None:
        policy = good(await client.list_policies(type="PROFILE_ENROLLMENT"))[0]
        rule = good(await client.list_policy_rules(policy.id))[0]
        action = rule.actions.profile_enrollment
        action.unknown_user_action = "DENY"
        action.profile_attributes[0].label = "Given name"
        good(await client.replace_policy_rule(policy.id, rule.id, rule))
        policy = good(await client.list_policies(type="MFA_ENROLL"))[0]
        for item in policy.settings.authenticators:
            if item.key == "phone_number":
                item.enroll.var_self = models.AuthenticatorEnrollmentPolicyAuthenticatorStatus.OPTIONAL
        good(await client.replace_policy(policy.id, policy))
        for kind in ("ACCESS_POLICY", "PASSWORD"):
            policy = good(await client.list_policies(type=kind))[0]
            assert good(await client.get_policy(policy.id)).type == kind
            rules = good(await client.list_policy_rules(policy.id))
            good(await client.replace_policy_rule(policy.id, rules[0].id, rules[0]))

    manage(work)
    assert (org.policy.sign_up, org.policy.profile[0].label) == (False, "Given name")
    assert org.policy.authenticators.phone_number == "optional"


def test_a_policy_for_some_people(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    async def work(client: Client) -> None:
        profile = models.OktaUserGroupProfile(name="Staff")
        group = good(await client.add_group(models.AddGroupRequest(profile=profile)))
        people = {"people": {"groups": {"include": [group.id]}}}
        body = {"type": "PASSWORD", "name": "Staff", "conditions": people}
        body["settings"] = {"password": {"complexity": {"minLength": 16}}}
        policy = good(await client.create_policy(models.PasswordPolicy.from_dict(body)))
        assert policy.settings.password.complexity.min_length == 16
        rule = models.PasswordPolicyRule.from_dict({"type": "PASSWORD", "name": "All of them"})
        made = good(await client.create_policy_rule(policy.id, rule))
        assert [item.id for item in good(await client.list_policy_rules(policy.id))] == [made.id]
        await client.deactivate_policy(policy.id)
        assert good(await client.get_policy(policy.id)).status == "INACTIVE"
        await client.delete_policy(policy.id)
        assert len(good(await client.list_policies(type="PASSWORD"))) == 1

    manage(work)


def test_authenticators_hooks_and_the_log(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    async def work(client: Client) -> None:
        listed = good(await client.list_authenticators())
        keys = {str(getattr(item.key, "value", item.key)) for item in listed}
        assert {"okta_email", "okta_password", "webauthn"} <= keys
        good(await client.create_user(new_user(), activate=False))
        log = good(await client.list_log_events())
        assert [item.event_type for item in log] == ["user.lifecycle.create"]
        assert good(await client.list_event_hooks()) == []
        assert good(await client.list_inline_hooks()) == []
        assert good(await client.get_user("me")).status == "ACTIVE"

    manage(work)


def test_what_is_read_can_be_sent_back(org: OrgHandle, manage: Callable[[Work], None]) -> None:
    """An SDK writes its own names of members, and leaves out what is null: nothing of it is unknown to the org."""

    async def work(client: Client) -> None:
        app = good(await client.list_applications())[0]
        good(await client.replace_application(app.id, app))
        for kind in ("ACCESS_POLICY", "PASSWORD", "MFA_ENROLL", "OKTA_SIGN_ON", "PROFILE_ENROLLMENT", "IDP_DISCOVERY"):
            policy = good(await client.list_policies(type=kind))[0]
            good(await client.replace_policy(policy.id, policy))
            rule = good(await client.list_policy_rules(policy.id))[0]
            good(await client.replace_policy_rule(policy.id, rule.id, rule))
        for authenticator in good(await client.list_authenticators()):
            good(await client.replace_authenticator(authenticator.id, authenticator))
        policy = good(await client.list_authorization_server_policies("default"))[0]
        assert good(await client.list_authorization_server_policy_rules("default", policy.id))

    before = org.policy
    manage(work)
    assert org.policy == before


def test_a_service_app_proves_its_key(org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
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
            assert good(await client.list_users()) == []

    asyncio.run(work())
    (token,) = org.calls("/oauth2/v1/token")[-1:]
    assert token.status == 200
    (call,) = org.calls("/api/v1/users")[-1:]
    assert call.status == 200
