"""An error report about the hand-off holds no token, code or verifier: not even of frames below Django's own."""

from types import TracebackType
from typing import Any

import pytest
from django.views.debug import ExceptionReporter

import selfreg.auth
from okta_devorg import OrgHandle
from support.person import SITE, Person

SECRETS = {"token", "tokens", "access_token", "nonce", "code_verifier", "form", "exchange", "grant"}
REDACTED = "********"
pytestmark = pytest.mark.django_db


class Bug(Exception):
    pass


def a_bug(*_: object, **__: object) -> None:
    raise Bug


def secrets_shown(bug: pytest.ExceptionInfo[Bug]) -> dict[str, set[str]]:
    """Variables with a secret that an error report shows, by the function of their frame."""
    traceback: TracebackType | None = bug.tb
    frames: list[dict[str, Any]] = ExceptionReporter(None, bug.type, bug.value, traceback).get_traceback_frames()
    ours = [frame for frame in frames if frame["filename"].endswith("selfreg/auth.py")]
    assert {"authenticate", "_sign_in"} <= {frame["function"] for frame in ours}
    return {
        frame["function"]: shown
        for frame in ours
        if (shown := {name for name, value in frame["vars"] if name in SECRETS and REDACTED not in str(value)})
    }


@pytest.mark.parametrize("place", ["signing_keys", "usable_claims"])
def test_a_bug_in_the_hand_off_of_a_sign_up_reports_no_secret(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(selfreg.auth, place, a_bug)
    with pytest.raises(Bug) as bug:
        person.signs_up(org)
    assert secrets_shown(bug) == {}


def test_a_bug_in_a_sign_in_reports_no_secret(person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    person.signs_up(org)
    monkeypatch.setattr(selfreg.auth, "signing_keys", a_bug)
    with pytest.raises(Bug) as bug:
        Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert secrets_shown(bug) == {}
