"""Error reports about the hand-off contain no token, code or verifier, even in frames below Django's."""

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


class UnexpectedError(Exception):
    pass


def raise_error(*_: object, **__: object) -> None:
    raise UnexpectedError


def secrets_shown(error: pytest.ExceptionInfo[UnexpectedError]) -> dict[str, set[str]]:
    """Return the secret variables that an error report shows, by function name."""
    traceback: TracebackType | None = error.tb
    frames: list[dict[str, Any]] = ExceptionReporter(None, error.type, error.value, traceback).get_traceback_frames()
    app_frames = [frame for frame in frames if frame["filename"].endswith("selfreg/auth.py")]
    assert {"authenticate", "_sign_in"} <= {frame["function"] for frame in app_frames}
    return {
        frame["function"]: shown
        for frame in app_frames
        if (shown := {name for name, value in frame["vars"] if name in SECRETS and REDACTED not in str(value)})
    }


@pytest.mark.parametrize("place", ["signing_keys", "usable_claims"])
def test_error_report_of_a_sign_up_hand_off_contains_no_secret(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(selfreg.auth, place, raise_error)
    with pytest.raises(UnexpectedError) as error:
        person.signs_up(org)
    assert secrets_shown(error) == {}


def test_error_report_of_a_sign_in_contains_no_secret(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.signs_up(org)
    monkeypatch.setattr(selfreg.auth, "signing_keys", raise_error)
    with pytest.raises(UnexpectedError) as error:
        Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert secrets_shown(error) == {}
