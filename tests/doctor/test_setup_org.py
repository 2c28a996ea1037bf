"""`selfreg_setup_org`: from an empty org to a working sign-up, and undo."""

import json
from collections.abc import Callable
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command
from pytest_django.live_server_helper import LiveServer

from okta_devorg import OrgHandle
from okta_devorg.policy.serialization import policy_to_json
from selfreg.conf import conf
from selfreg.doctor.collect import describe_site
from selfreg.doctor.examination import examine
from selfreg.doctor.setup import desired
from selfreg.doctor.setup.plan import CannotPlan, plan_changes
from selfreg.management.commands import selfreg_setup_org
from selfreg.okta_api.scopes import CHANGEABLE, READ_ONLY
from support.local_org.management_api import TOKEN
from support.misconfiguration import change_app
from support.person import Person
from support.service_app import add_service_app, rsa_key

BARE = {
    "apps": [],
    "sign_up": False,
    "interaction_code": {"server": False, "access_policy": None, "access_rule": None},
    "email_verification": False,
    "authenticators": {"okta_email": "disabled", "okta_password": "disabled"},
}
SECRET = "local-demo-secret-not-for-production"
HOOK_SECRET = "canary-hook-" + "h" * 28
EVENTS = [
    "user.mfa.factor.activate",
    "user.lifecycle.deactivate",
    "user.lifecycle.suspend",
    "user.lifecycle.delete.initiated",
    "application.user_membership.remove",
]

Run = Callable[..., str]
ServiceApp = Callable[..., None]


@pytest.fixture
def hook_site(live_server: LiveServer, right_org: OrgHandle, configure: Callable[..., None], settings: Any) -> str:
    """Configure the live server with a hook secret, so that the org can call it, and return its URL."""
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    configure(HOOK_SECRET=HOOK_SECRET, BASE_URL=live_server.url)
    return str(live_server.url)


@pytest.fixture
def setup(right_org: OrgHandle, tmp_path: Path, configure: Callable[..., None]) -> Run:
    """Return a function that runs the command and returns its output."""
    configure(API_TOKEN=TOKEN)

    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("selfreg_setup_org", "--plan-file", str(tmp_path / "plan.json"), *arguments, stdout=out)
        return out.getvalue()

    return run


@pytest.fixture
def empty_org(right_org: OrgHandle) -> OrgHandle:
    """Return an org without any configuration."""
    right_org.patch_policy(BARE)
    return right_org


def test_setup_of_an_empty_org_makes_sign_up_work(empty_org: OrgHandle, setup: Run) -> None:
    output = setup("--yes")
    assert "unknownUserAction: DENY -> REGISTER" in output
    assert "The doctor found nothing" in output
    assert examine(conf()).findings == ()
    person = Person()
    assert person.signs_up(empty_org).is_signed_in


def test_setup_of_an_empty_org_is_idempotent_and_can_be_undone(
    hook_site: str, empty_org: OrgHandle, setup: Run, configure: Callable[..., None]
) -> None:
    configure(ATTRIBUTES=["email", "mobilePhone"], AUTHENTICATORS=["okta_email", "okta_password", "phone_number"])
    before = export(empty_org)
    setup("--yes")
    assert examine(conf()).findings == ()
    after = export(empty_org)
    assert "Nothing to change." in setup("--yes")
    assert export(empty_org) == after
    output = setup("--undo", "--yes")
    assert "undo: new app" in output
    assert "unknownUserAction: REGISTER -> DENY" in output
    assert export(empty_org) == before
    assert "Nothing to undo" in setup("--undo", "--yes")


def test_created_registration_hook_is_called(hook_site: str, empty_org: OrgHandle, setup: Run) -> None:
    setup("--yes")
    # No event hook: its deliveries would run in parallel, and the test site has one connection to SQLite.
    empty_org.patch_policy({"hooks": {"events": []}})
    assert Person().signs_up(empty_org).is_signed_in
    hook = empty_org.policy.hooks.registration
    assert hook is not None
    assert hook.url == f"{hook_site}/signup/hooks/registration/"
    executed = [event for event in empty_org.org.system_log.events if event.event_type == "inline_hook.executed"]
    assert [event.outcome for event in executed] == ["SUCCESS"]


NO_RULE = {"access_rule": None, "server": False}


@pytest.mark.parametrize("server", [{"server": False}, NO_RULE, {**NO_RULE, "access_policy": None}])
def test_missing_access_policy_or_rule_is_created(right_org: OrgHandle, setup: Run, server: Any) -> None:
    right_org.patch_policy({"interaction_code": server})
    before = export(right_org)
    assert "authorization server default: " in setup("--yes")
    assert examine(conf()).findings == ()
    assert "Nothing to change." in setup("--yes")
    setup("--undo", "--yes")
    assert export(right_org) == before


def test_org_authorization_server_needs_no_access_rule(
    right_org: OrgHandle, setup: Run, configure: Callable[..., None]
) -> None:
    configure(ISSUER=right_org.base)
    right_org.patch_policy({"interaction_code": {"server": False}})
    assert "Nothing to change." in setup("--yes")


WRONG_HOOKS = ({"events": ["user.session.start"]}, {"active": False}, {"verified": False})


@pytest.mark.parametrize("wrong", WRONG_HOOKS)
def test_existing_event_hook_is_corrected_and_keeps_its_events(
    hook_site: str, right_org: OrgHandle, setup: Run, wrong: dict[str, Any]
) -> None:
    setup("--yes")
    hook = {**policy_to_json(right_org.policy)["hooks"]["events"][0], **wrong}
    right_org.patch_policy({"hooks": {"events": [hook]}})
    output = setup("--yes")
    corrected = right_org.policy.hooks.events[0]
    assert (corrected.active, corrected.verified) == (True, True)
    assert corrected.events == tuple(dict.fromkeys([*hook["events"], *EVENTS]))
    assert corrected.headers[0].value == HOOK_SECRET
    assert HOOK_SECRET not in output
    assert examine(conf()).findings == ()


def test_undoing_a_corrected_event_hook_keeps_its_secret(
    hook_site: str, right_org: OrgHandle, setup: Run, tmp_path: Path
) -> None:
    setup("--yes")
    hook = {**policy_to_json(right_org.policy)["hooks"]["events"][0], "events": ["user.session.start"]}
    right_org.patch_policy({"hooks": {"events": [hook]}})
    before = export(right_org)
    second = str(tmp_path / "second.json")
    setup("--yes", "--plan-file", second)
    assert export(right_org) != before
    setup("--undo", "--yes", "--plan-file", second)
    assert export(right_org) == before


def test_unreachable_site_is_reported_and_the_other_changes_are_made(
    empty_org: OrgHandle, setup: Run, configure: Callable[..., None]
) -> None:
    configure(HOOK_SECRET=HOOK_SECRET, BASE_URL="http://127.0.0.1:1")
    for _ in ("made anew", "what a new app shows by itself"):
        with pytest.raises(CommandError, match=r"verification: this change was NOT made\. The org must be able"):
            setup("--yes")
    assert [finding.id for finding in examine(conf()).findings] == ["doctor.event-hook-missing"]


def test_attribute_missing_in_the_profile_schema_is_reported(
    empty_org: OrgHandle, setup: Run, configure: Callable[..., None]
) -> None:
    configure(ATTRIBUTES=["email", "badge"])
    before = export(empty_org)
    with pytest.raises(CommandError, match=r"no badge.*Profile Editor"):
        setup("--yes")
    assert export(empty_org) == before


def test_unwritable_plan_file_is_reported_and_nothing_is_changed(
    empty_org: OrgHandle, setup: Run, tmp_path: Path
) -> None:
    before = export(empty_org)
    with pytest.raises(CommandError, match="can't be written"):
        setup("--yes", "--plan-file", str(tmp_path / "nowhere" / "plan.json"))
    assert export(empty_org) == before


# Path of each created object -> number of earlier GETs of this path.
READS_BEFORE = {
    "/apps": 1,
    "/inlineHooks": 1,
    "/eventHooks": 1,
    "/default/policies": 1,
    "00pLocalServerPol001/rules": 0,
}


@pytest.mark.parametrize("path", READS_BEFORE)
@pytest.mark.parametrize("run_again", [False, True], ids=["undo at once", "run again before undo"])
def test_change_whose_response_was_lost_can_be_undone(
    hook_site: str, empty_org: OrgHandle, setup: Run, path: str, run_again: bool
) -> None:
    before = export(empty_org)
    if READS_BEFORE[path]:
        empty_org.fail(path, "slow", seconds=0, times=READS_BEFORE[path])
    empty_org.fail(path, "after")
    with pytest.raises(CommandError, match="MAY HAVE BEEN MADE"):
        setup("--yes")
    assert export(empty_org) != before
    if run_again:
        setup("--yes")
        assert examine(conf()).findings == ()
    setup("--undo", "--yes")
    assert export(empty_org) == before


def export(org: OrgHandle) -> str:
    """Return all settings of the org as text."""
    hooks = requests.get(f"{org.base}/api/v1/inlineHooks", headers={"Authorization": f"SSWS {TOKEN}"}, timeout=60)
    return json.dumps(policy_to_json(org.policy)) + hooks.text


def test_existing_app_keeps_its_other_settings(right_org: OrgHandle, setup: Run) -> None:
    other = ["https://other.example/callback"]
    change_app(right_org, redirect_uris=other, grants=["refresh_token"], initiate_login_uri=None, assigned=False)
    before = policy_to_json(right_org.policy)
    setup("--yes")
    app = right_org.policy.apps[0]
    assert app.redirect_uris == (*other, "http://127.0.0.1:8000/oidc/callback/")
    assert app.grants == ("refresh_token", "authorization_code", "interaction_code")
    assert app.client_secret == SECRET
    assert examine(conf()).findings == ()
    setup("--undo", "--yes")
    assert policy_to_json(right_org.policy) == before


def test_without_a_terminal_the_plan_is_only_shown(empty_org: OrgHandle, setup: Run) -> None:
    before = policy_to_json(empty_org.policy)
    output = setup()
    assert "new app" in output
    assert "Nothing was changed." in output
    assert policy_to_json(empty_org.policy) == before


def test_dry_run_changes_nothing_even_with_yes(empty_org: OrgHandle, setup: Run) -> None:
    before = policy_to_json(empty_org.policy)
    assert "Nothing was changed." in setup("--dry-run", "--yes")
    assert policy_to_json(empty_org.policy) == before


def test_output_and_plan_file_contain_no_secret(
    hook_site: str, empty_org: OrgHandle, setup: Run, tmp_path: Path
) -> None:
    output = setup("--yes") + (tmp_path / "plan.json").read_text()
    assert "new event hook" in output
    assert [secret for secret in (TOKEN, SECRET, HOOK_SECRET) if secret in output] == []


def test_wrong_api_token_is_reported_and_nothing_is_changed(
    empty_org: OrgHandle, setup: Run, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN="another")
    with pytest.raises(CommandError, match=r"Nothing was changed.*doesn't accept the API token"):
        setup("--yes")


@pytest.mark.parametrize("wrong", [{"CLIENT_ID": ""}, {"ISSUER": ""}, {"CLIENT_AUTH": "perhaps"}])
def test_settings_without_which_no_call_is_possible_are_reported(
    empty_org: OrgHandle, setup: Run, configure: Callable[..., None], wrong: dict[str, str]
) -> None:
    configure(**wrong)
    with pytest.raises(CommandError, match=rf"selfreg\.E\d+ .*{next(iter(wrong))}"):
        setup("--yes")


def test_missing_api_token_is_reported(empty_org: OrgHandle, setup: Run, configure: Callable[..., None]) -> None:
    configure(API_TOKEN="")
    with pytest.raises(CommandError, match="This command needs SELFREG"):
        setup()


def test_api_token_without_rights_is_reported_with_the_changes_made(empty_org: OrgHandle, setup: Run) -> None:
    empty_org.fail("/groups/00gLocalEveryone0001", "status", status=403)
    with pytest.raises(CommandError) as error:
        setup("--yes")
    output = str(error.value)
    assert "needs more rights" in output
    assert "done: new app" in output
    assert "app: assignment: this change was NOT made" in output
    assert "not started: authorization server default: new access policy" in output


@pytest.mark.parametrize("kind", ["status", "after", "reset", "html"])
def test_interrupted_setup_continues_when_run_again(empty_org: OrgHandle, setup: Run, kind: str) -> None:
    empty_org.fail("/rules/rulLocalProfileEnr01", kind, times=1, **({"status": 500} if kind == "status" else {}))
    with pytest.raises(CommandError, match="MAY HAVE BEEN MADE"):
        setup("--yes")
    setup("--yes")
    assert examine(conf()).findings == ()


def test_interrupted_setup_can_be_undone(empty_org: OrgHandle, setup: Run) -> None:
    before = policy_to_json(empty_org.policy)
    empty_org.fail("/rules/rulLocalProfileEnr01", "after")
    with pytest.raises(CommandError, match="Stopped in the middle"):
        setup("--yes")
    setup("--undo", "--yes")
    assert policy_to_json(empty_org.policy) == before


def test_resumed_setup_can_be_undone(empty_org: OrgHandle, setup: Run) -> None:
    before = policy_to_json(empty_org.policy)
    empty_org.fail("/api/v1/policies/00pLocalMfaEnroll001", "reset")
    with pytest.raises(CommandError, match="Stopped in the middle"):
        setup("--yes")
    setup("--yes")
    setup("--undo", "--yes")
    assert policy_to_json(empty_org.policy) == before


def test_undo_keeps_changes_made_by_others(empty_org: OrgHandle, setup: Run) -> None:
    setup("--yes")
    change_app(empty_org, label="Renamed")
    empty_org.patch_policy({"password_on_form": True, "authenticators": {"phone_number": "optional"}})
    setup("--undo", "--yes")
    assert (empty_org.policy.apps, empty_org.policy.sign_up) == ((), False)
    assert empty_org.policy.password_on_form
    assert empty_org.policy.authenticators.phone_number == "optional"
    assert empty_org.policy.authenticators.okta_password == "disabled"


def test_plan_file_of_another_org_is_rejected(empty_org: OrgHandle, setup: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"issuer": "https://other.okta.com", "entries": []}))
    with pytest.raises(CommandError, match=r"is about https://other\.okta\.com.*--plan-file"):
        setup("--undo", "--yes")


READ = tuple(f"okta.{name}.read" for name in (*CHANGEABLE, *READ_ONLY))
MANAGE = tuple(f"okta.{name}.manage" for name in CHANGEABLE)


def test_new_app_gets_the_public_key_of_the_site(
    empty_org: OrgHandle, setup: Run, configure: Callable[..., None]
) -> None:
    configure(CLIENT_AUTH="private_key", PRIVATE_KEY=rsa_key(), PRIVATE_KEY_ID="key-1", CLIENT_SECRET="")
    output = setup("--yes")
    assert "The doctor found nothing" in output
    assert "PRIVATE" not in output
    app = empty_org.org.policy.app(conf().client_id)
    assert app is not None
    assert app.client_secret is None
    assert Person().signs_up(empty_org).is_signed_in


def test_setup_works_with_a_service_app(empty_org: OrgHandle, setup: Run, service_app: ServiceApp) -> None:
    service_app(READ + MANAGE)
    assert "The doctor found nothing" in setup("--yes")
    assert examine(conf()).findings == ()
    assert Person().signs_up(empty_org).is_signed_in


def test_read_only_service_app_is_enough_for_the_doctor_but_not_for_the_setup(
    right_org: OrgHandle, setup: Run, service_app: ServiceApp
) -> None:
    service_app(READ)
    assert examine(conf()).findings == ()
    right_org.patch_policy({"sign_up": False})
    with pytest.raises(CommandError, match=r"needs more rights \(policies/") as error:
        setup("--yes")
    assert "done: nothing" in str(error.value)
    assert "this change was NOT made" in str(error.value)


@pytest.mark.parametrize(
    ("scopes", "key", "expected"),
    [
        ((), None, "token-rights"),
        (("okta.apps.read",), None, "token-rights"),
        (READ, "another", "token-refused"),
        (READ, "no key at all", "token-refused"),
    ],
)
def test_service_app_without_rights_is_a_finding(
    right_org: OrgHandle, setup: Run, service_app: ServiceApp, scopes: Any, key: str | None, expected: str
) -> None:
    service_app(scopes, rsa_key() if key == "another" else key)
    assert [finding.id for finding in examine(conf()).findings] == [f"doctor.{expected}"]
    with pytest.raises(CommandError, match="Nothing was changed"):
        setup("--yes")


@pytest.fixture
def service_app(right_org: OrgHandle, configure: Callable[..., None]) -> ServiceApp:
    """Return a function that adds a service app with some scopes to the org and configures its key, or another one."""
    return partial(add_service_app, right_org, configure)


def test_corrected_event_hook_keeps_its_other_headers() -> None:
    headers = [{"key": "X-Env", "value": "staging"}]
    existing = {"name": "theirs", "events": {"items": []}, "channel": {"config": {"uri": "x", "headers": headers}}}
    assert desired.event_hook(existing, describe_site(conf()))["channel"]["config"]["headers"] == headers


def test_failure_of_the_second_plan_reports_the_changes_already_made(
    empty_org: OrgHandle, setup: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new app has no policy, so the second plan is impossible."""
    plans: list[tuple[Any, ...]] = []

    def plan_once(*arguments: Any) -> Any:
        plans.append(arguments)
        if len(plans) > 1:
            raise CannotPlan("The app isn't attached to a user profile policy.")
        return plan_changes(*arguments)

    monkeypatch.setattr(selfreg_setup_org, "plan_changes", plan_once)
    with pytest.raises(CommandError, match="attached to a user profile policy") as error:
        setup("--yes")
    assert "Only the changes shown above were made" in str(error.value)
    assert "--undo" in str(error.value)
    assert len(empty_org.policy.apps) == 1
