"""`selfreg_setup_org`: from a bare org to a working sign-up, and back."""

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
from support.person import Person
from support.service_app import add_service_app, rsa_key
from support.trouble import change_app

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
def hooked(live_server: LiveServer, right_org: OrgHandle, configure: Callable[..., None], settings: Any) -> str:
    """The site where the org can call it, with a secret for the org's hooks; gives its address."""
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    configure(HOOK_SECRET=HOOK_SECRET, BASE_URL=live_server.url)
    return str(live_server.url)


@pytest.fixture
def setup(right_org: OrgHandle, tmp_path: Path, configure: Callable[..., None]) -> Run:
    """Runs the command and gives what it said."""
    configure(API_TOKEN=TOKEN)

    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("selfreg_setup_org", "--plan-file", str(tmp_path / "plan.json"), *arguments, stdout=out)
        return out.getvalue()

    return run


@pytest.fixture
def bare(right_org: OrgHandle) -> OrgHandle:
    """An org in which nobody did anything yet."""
    right_org.patch_policy(BARE)
    return right_org


def test_a_bare_org_is_set_up_so_that_people_can_sign_up(bare: OrgHandle, setup: Run) -> None:
    said = setup("--yes")
    assert "unknownUserAction: DENY -> REGISTER" in said
    assert "The doctor found nothing" in said
    assert examine(conf()).findings == ()
    person = Person()
    assert person.signs_up(bare).is_signed_in


def test_a_bare_org_is_set_up_with_everything_once_and_undone_is_as_before(
    hooked: str, bare: OrgHandle, setup: Run, configure: Callable[..., None]
) -> None:
    configure(ATTRIBUTES=["email", "mobilePhone"], AUTHENTICATORS=["okta_email", "okta_password", "phone_number"])
    before = export(bare)
    setup("--yes")
    assert examine(conf()).findings == ()
    after = export(bare)
    assert "Nothing to change." in setup("--yes")
    assert export(bare) == after
    said = setup("--undo", "--yes")
    assert "undo: new app" in said
    assert "unknownUserAction: REGISTER -> DENY" in said
    assert export(bare) == before
    assert "Nothing to undo" in setup("--undo", "--yes")


def test_the_registration_hook_it_makes_is_called(hooked: str, bare: OrgHandle, setup: Run) -> None:
    setup("--yes")
    # Its deliveries come while the person goes on, and the site of the tests has one connection to SQLite.
    bare.patch_policy({"hooks": {"events": []}})
    assert Person().signs_up(bare).is_signed_in
    asked = bare.policy.hooks.registration
    assert asked is not None
    assert asked.url == f"{hooked}/signup/hooks/registration/"
    executed = [event for event in bare.org.system_log.events if event.event_type == "inline_hook.executed"]
    assert [event.outcome for event in executed] == ["SUCCESS"]


NO_RULE = {"access_rule": None, "server": False}


@pytest.mark.parametrize("server", [{"server": False}, NO_RULE, {**NO_RULE, "access_policy": None}])
def test_a_server_whose_rules_do_not_allow_it_gets_one(right_org: OrgHandle, setup: Run, server: Any) -> None:
    right_org.patch_policy({"interaction_code": server})
    before = export(right_org)
    assert "authorization server default: " in setup("--yes")
    assert examine(conf()).findings == ()
    assert "Nothing to change." in setup("--yes")
    setup("--undo", "--yes")
    assert export(right_org) == before


def test_the_org_s_own_server_has_no_rules(right_org: OrgHandle, setup: Run, configure: Callable[..., None]) -> None:
    configure(ISSUER=right_org.base)
    right_org.patch_policy({"interaction_code": {"server": False}})
    assert "Nothing to change." in setup("--yes")


WRONG_HOOKS = ({"events": ["user.session.start"]}, {"active": False}, {"verified": False})


@pytest.mark.parametrize("wrong", WRONG_HOOKS)
def test_an_event_hook_that_is_there_is_put_right_and_keeps_its_events(
    hooked: str, right_org: OrgHandle, setup: Run, wrong: dict[str, Any]
) -> None:
    setup("--yes")
    hook = {**policy_to_json(right_org.policy)["hooks"]["events"][0], **wrong}
    right_org.patch_policy({"hooks": {"events": [hook]}})
    said = setup("--yes")
    put_right = right_org.policy.hooks.events[0]
    assert (put_right.active, put_right.verified) == (True, True)
    assert put_right.events == tuple(dict.fromkeys([*hook["events"], *EVENTS]))
    assert put_right.headers[0].value == HOOK_SECRET
    assert HOOK_SECRET not in said
    assert examine(conf()).findings == ()


def test_an_event_hook_put_right_and_undone_still_knows_the_secret(
    hooked: str, right_org: OrgHandle, setup: Run, tmp_path: Path
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


def test_a_site_that_the_org_cannot_reach_is_said_and_the_rest_is_done(
    bare: OrgHandle, setup: Run, configure: Callable[..., None]
) -> None:
    configure(HOOK_SECRET=HOOK_SECRET, BASE_URL="http://127.0.0.1:1")
    for _ in ("made anew", "what a new app shows by itself"):
        with pytest.raises(CommandError, match=r"verification: this change was NOT made\. The org must be able"):
            setup("--yes")
    assert [finding.id for finding in examine(conf()).findings] == ["doctor.event-hook-missing"]


def test_an_attribute_that_the_org_s_profile_lacks_is_said(
    bare: OrgHandle, setup: Run, configure: Callable[..., None]
) -> None:
    configure(ATTRIBUTES=["email", "badge"])
    before = export(bare)
    with pytest.raises(CommandError, match=r"no badge.*Profile Editor"):
        setup("--yes")
    assert export(bare) == before


def test_a_file_that_cannot_be_written_is_said_and_nothing_is_changed(
    bare: OrgHandle, setup: Run, tmp_path: Path
) -> None:
    before = export(bare)
    with pytest.raises(CommandError, match="can't be written"):
        setup("--yes", "--plan-file", str(tmp_path / "nowhere" / "plan.json"))
    assert export(bare) == before


# What the plan makes -> how often its path is read before.
LOST = {"/apps": 1, "/inlineHooks": 1, "/eventHooks": 1, "/default/policies": 1, "00pLocalServerPol001/rules": 0}


@pytest.mark.parametrize("path", LOST)
@pytest.mark.parametrize("again", [False, True], ids=["at once", "run again"])
def test_what_was_made_though_the_answer_was_lost_is_taken_back_too(
    hooked: str, bare: OrgHandle, setup: Run, path: str, again: bool
) -> None:
    before = export(bare)
    if LOST[path]:
        bare.fail(path, "slow", seconds=0, times=LOST[path])
    bare.fail(path, "after")
    with pytest.raises(CommandError, match="MAY HAVE BEEN MADE"):
        setup("--yes")
    assert export(bare) != before
    if again:
        setup("--yes")
        assert examine(conf()).findings == ()
    setup("--undo", "--yes")
    assert export(bare) == before


def export(org: OrgHandle) -> str:
    """Everything that an administrator can set, letter by letter."""
    hooks = requests.get(f"{org.base}/api/v1/inlineHooks", headers={"Authorization": f"SSWS {TOKEN}"}, timeout=5)
    return json.dumps(policy_to_json(org.policy)) + hooks.text


def test_an_app_that_is_there_keeps_what_is_not_ours(right_org: OrgHandle, setup: Run) -> None:
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


def test_away_from_a_terminal_it_only_shows(bare: OrgHandle, setup: Run) -> None:
    before = policy_to_json(bare.policy)
    said = setup()
    assert "new app" in said
    assert "Nothing was changed." in said
    assert policy_to_json(bare.policy) == before


def test_a_dry_run_shows_even_with_yes(bare: OrgHandle, setup: Run) -> None:
    before = policy_to_json(bare.policy)
    assert "Nothing was changed." in setup("--dry-run", "--yes")
    assert policy_to_json(bare.policy) == before


def test_no_secret_is_shown_or_written_down(hooked: str, bare: OrgHandle, setup: Run, tmp_path: Path) -> None:
    said = setup("--yes") + (tmp_path / "plan.json").read_text()
    assert "new event hook" in said
    assert [canary for canary in (TOKEN, SECRET, HOOK_SECRET) if canary in said] == []


def test_a_wrong_token_is_said_and_changes_nothing(bare: OrgHandle, setup: Run, configure: Callable[..., None]) -> None:
    configure(API_TOKEN="another")
    with pytest.raises(CommandError, match=r"Nothing was changed.*doesn't accept the API token"):
        setup("--yes")


@pytest.mark.parametrize("wrong", [{"CLIENT_ID": ""}, {"ISSUER": ""}, {"CLIENT_AUTH": "perhaps"}])
def test_settings_that_no_org_can_be_talked_to_with_are_said(
    bare: OrgHandle, setup: Run, configure: Callable[..., None], wrong: dict[str, str]
) -> None:
    configure(**wrong)
    with pytest.raises(CommandError, match=rf"selfreg\.E\d+ .*{next(iter(wrong))}"):
        setup("--yes")


def test_no_token_is_said(bare: OrgHandle, setup: Run, configure: Callable[..., None]) -> None:
    configure(API_TOKEN="")
    with pytest.raises(CommandError, match="This command needs SELFREG"):
        setup()


def test_a_token_without_rights_is_said_with_what_was_done(bare: OrgHandle, setup: Run) -> None:
    bare.fail("/groups/00gLocalEveryone0001", "status", status=403)
    with pytest.raises(CommandError) as stopped:
        setup("--yes")
    said = str(stopped.value)
    assert "needs more rights" in said
    assert "done: new app" in said
    assert "app: assignment: this change was NOT made" in said
    assert "not started: authorization server default: new access policy" in said


@pytest.mark.parametrize("kind", ["status", "after", "reset", "html"])
def test_a_plan_that_stops_in_the_middle_goes_on_when_run_again(bare: OrgHandle, setup: Run, kind: str) -> None:
    bare.fail("/rules/rulLocalProfileEnr01", kind, times=1, **({"status": 500} if kind == "status" else {}))
    with pytest.raises(CommandError, match="MAY HAVE BEEN MADE"):
        setup("--yes")
    setup("--yes")
    assert examine(conf()).findings == ()


def test_a_plan_that_stopped_in_the_middle_can_be_taken_back(bare: OrgHandle, setup: Run) -> None:
    before = policy_to_json(bare.policy)
    bare.fail("/rules/rulLocalProfileEnr01", "after")
    with pytest.raises(CommandError, match="Stopped in the middle"):
        setup("--yes")
    setup("--undo", "--yes")
    assert policy_to_json(bare.policy) == before


def test_a_plan_resumed_and_then_undone_leaves_nothing(bare: OrgHandle, setup: Run) -> None:
    before = policy_to_json(bare.policy)
    bare.fail("/api/v1/policies/00pLocalMfaEnroll001", "reset")
    with pytest.raises(CommandError, match="Stopped in the middle"):
        setup("--yes")
    setup("--yes")
    setup("--undo", "--yes")
    assert policy_to_json(bare.policy) == before


def test_what_others_changed_meanwhile_stays_when_it_is_undone(bare: OrgHandle, setup: Run) -> None:
    setup("--yes")
    change_app(bare, label="Renamed")
    bare.patch_policy({"password_on_form": True, "authenticators": {"phone_number": "optional"}})
    setup("--undo", "--yes")
    assert (bare.policy.apps, bare.policy.sign_up) == ((), False)
    assert bare.policy.password_on_form
    assert bare.policy.authenticators.phone_number == "optional"
    assert bare.policy.authenticators.okta_password == "disabled"


def test_the_file_of_another_org_is_refused(bare: OrgHandle, setup: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"issuer": "https://other.okta.com", "entries": []}))
    with pytest.raises(CommandError, match=r"is about https://other\.okta\.com.*--plan-file"):
        setup("--undo", "--yes")


READ = tuple(f"okta.{name}.read" for name in (*CHANGEABLE, *READ_ONLY))
MANAGE = tuple(f"okta.{name}.manage" for name in CHANGEABLE)


def test_a_new_app_gets_the_public_half_of_the_sites_key(
    bare: OrgHandle, setup: Run, configure: Callable[..., None]
) -> None:
    configure(CLIENT_AUTH="private_key", PRIVATE_KEY=rsa_key(), PRIVATE_KEY_ID="key-1", CLIENT_SECRET="")
    said = setup("--yes")
    assert "The doctor found nothing" in said
    assert "PRIVATE" not in said
    app = bare.org.policy.app(conf().client_id)
    assert app is not None
    assert app.client_secret is None
    assert Person().signs_up(bare).is_signed_in


def test_a_service_app_with_a_key_may_do_it_too(bare: OrgHandle, setup: Run, service_app: ServiceApp) -> None:
    service_app(READ + MANAGE)
    assert "The doctor found nothing" in setup("--yes")
    assert examine(conf()).findings == ()
    assert Person().signs_up(bare).is_signed_in


def test_a_service_app_that_may_only_read_is_enough_for_the_doctor(
    right_org: OrgHandle, setup: Run, service_app: ServiceApp
) -> None:
    service_app(READ)
    assert examine(conf()).findings == ()
    right_org.patch_policy({"sign_up": False})
    with pytest.raises(CommandError, match=r"needs more rights \(policies/") as stopped:
        setup("--yes")
    assert "done: nothing" in str(stopped.value)
    assert "this change was NOT made" in str(stopped.value)


@pytest.mark.parametrize(
    ("scopes", "key", "wanted"),
    [
        ((), None, "token-rights"),
        (("okta.apps.read",), None, "token-rights"),
        (READ, "another", "token-refused"),
        (READ, "no key at all", "token-refused"),
    ],
)
def test_a_service_app_that_may_not_is_named(
    right_org: OrgHandle, setup: Run, service_app: ServiceApp, scopes: Any, key: str | None, wanted: str
) -> None:
    service_app(scopes, rsa_key() if key == "another" else key)
    assert [finding.id for finding in examine(conf()).findings] == [f"doctor.{wanted}"]
    with pytest.raises(CommandError, match="Nothing was changed"):
        setup("--yes")


@pytest.fixture
def service_app(right_org: OrgHandle, configure: Callable[..., None]) -> ServiceApp:
    """Adds an OAuth service app with these scopes to the org, and gives the site its key, or another one."""
    return partial(add_service_app, right_org, configure)


def test_a_corrected_event_hook_keeps_its_other_headers() -> None:
    headers = [{"key": "X-Env", "value": "staging"}]
    there = {"name": "theirs", "events": {"items": []}, "channel": {"config": {"uri": "x", "headers": headers}}}
    assert desired.event_hook(there, describe_site(conf()))["channel"]["config"]["headers"] == headers


def test_a_plan_that_fails_after_the_first_changes_says_that_they_were_made(
    bare: OrgHandle, setup: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new app under no policy: what else it needs cannot be planned."""
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
    assert len(bare.policy.apps) == 1
