"""`selfreg_setup_org`: from a bare org to a working sign-up, and back."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.core.management import CommandError, call_command
from doctor.test_doctor_with_token import TOKEN
from doctor.trouble import change_app
from person import Person

from okta_devorg import OrgHandle
from okta_devorg.policy_json import policy_to_json
from selfreg.doctor.examination import examine

BARE = {
    "apps": [],
    "sign_up": False,
    "email_verification": False,
    "authenticators": {"okta_email": "disabled", "okta_password": "disabled"},
}
SECRET = "local-demo-secret-not-for-production"

Run = Callable[..., str]


@pytest.fixture
def setup(tmp_path: Path, configure: Callable[..., None]) -> Run:
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
    assert "The doctor finds nothing" in said
    assert examine().findings == ()
    person = Person()
    assert person.signs_up(bare).is_signed_in


def test_run_twice_it_changes_nothing(bare: OrgHandle, setup: Run) -> None:
    setup("--yes")
    before = policy_to_json(bare.policy)
    assert "Nothing to change." in setup("--yes")
    assert policy_to_json(bare.policy) == before


def test_undone_the_org_is_as_before(bare: OrgHandle, setup: Run, configure: Callable[..., None]) -> None:
    configure(HOOK_SECRET="h" * 40, ATTRIBUTES=["email", "mobilePhone"], AUTHENTICATORS=["okta_email", "phone_number"])
    before = policy_to_json(bare.policy)
    setup("--yes")
    assert policy_to_json(bare.policy) != before
    setup("--undo", "--yes")
    assert policy_to_json(bare.policy) == before
    assert "Nothing to take back" in setup("--undo", "--yes")


def test_an_app_that_is_there_keeps_what_is_not_ours(right_org: OrgHandle, setup: Run) -> None:
    other = ["https://other.example/callback"]
    change_app(right_org, redirect_uris=other, grants=["refresh_token"], initiate_login_uri=None, assigned=False)
    before = policy_to_json(right_org.policy)
    setup("--yes")
    app = right_org.policy.apps[0]
    assert app.redirect_uris == (*other, "http://127.0.0.1:8000/oidc/callback/")
    assert app.grants == ("refresh_token", "authorization_code", "interaction_code")
    assert app.client_secret == SECRET
    assert examine().findings == ()
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


def test_no_secret_is_shown_or_written_down(
    bare: OrgHandle, setup: Run, configure: Callable[..., None], tmp_path: Path
) -> None:
    configure(HOOK_SECRET="hook-secret-canary-" + "h" * 20)
    said = setup("--yes") + (tmp_path / "plan.json").read_text()
    assert [canary for canary in (TOKEN, SECRET, "hook-secret-canary") if canary in said] == []


def test_a_wrong_token_is_said_and_changes_nothing(bare: OrgHandle, setup: Run, configure: Callable[..., None]) -> None:
    configure(API_TOKEN="another")
    with pytest.raises(CommandError, match=r"Nothing was changed.*does not accept the API token"):
        setup("--yes")


def test_no_token_is_said(bare: OrgHandle, setup: Run, configure: Callable[..., None]) -> None:
    configure(API_TOKEN="")
    with pytest.raises(CommandError, match="needs an API token"):
        setup()


def test_a_token_without_rights_is_said_with_what_was_done(bare: OrgHandle, setup: Run) -> None:
    bare.fail("/groups/00gLocalEveryone0001", "status", status=403)
    with pytest.raises(CommandError) as stopped:
        setup("--yes")
    said = str(stopped.value)
    assert "may not do this" in said
    assert "done: new app" in said
    assert "app: assignment: this change was NOT made" in said
    assert "not begun: user profile policy" in said


@pytest.mark.parametrize("kind", ["status", "after", "reset", "html"])
def test_a_plan_that_stops_in_the_middle_goes_on_when_run_again(bare: OrgHandle, setup: Run, kind: str) -> None:
    bare.fail("/rules/rulLocalProfileEnr01", kind, times=1, **({"status": 500} if kind == "status" else {}))
    with pytest.raises(CommandError, match="MAY HAVE BEEN MADE"):
        setup("--yes")
    setup("--yes")
    assert examine().findings == ()


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
    with pytest.raises(CommandError, match=r"is about https://other\.okta\.com"):
        setup("--undo", "--yes")


def test_a_service_app_with_a_key_may_do_it_too(
    bare: OrgHandle, setup: Run, configure: Callable[..., None], service_app: dict[str, Any]
) -> None:
    bare.patch_policy({"apps": [service_app["app"]]})
    configure(API_TOKEN="", API_CLIENT_ID=service_app["app"]["client_id"], API_PRIVATE_KEY=service_app["key"])
    assert "The doctor finds nothing" in setup("--yes")


@pytest.fixture
def service_app() -> dict[str, Any]:
    """An OAuth service app of the org, and its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    app = {"client_id": "0oaService", "label": "Set-up", "public_keys": [public], "grants": ["client_credentials"]}
    return {"app": app, "key": pem}
