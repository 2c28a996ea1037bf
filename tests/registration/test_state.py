"""The encrypted state of a registration, as written by this, the previous or a later version."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from selfreg.encryption import Unreadable
from selfreg.idx.client import Transaction
from selfreg.idx.document import Message
from selfreg.idx.parser import parse
from selfreg.registration.state import EnrollmentState
from selfreg.secret import Secret, reveal
from support.idx.documents import CODE_PAGE

Json = dict[str, Any]
STATE = EnrollmentState(
    Transaction(*map(Secret, ("handle", "state", "nonce", "verifier"))),
    Secret(json.dumps(CODE_PAGE)),
    parse(CODE_PAGE),
    draft={"userProfile.email": "ada@example.com"},
    profile={"userProfile.firstName": "Ada"},
    notices=(Message("", "selfreg.resend_wait", ("20",), "INFO"),),
    picked="autPHONE",
    wait_until=1.5,
    resend_at=2.5,
    poll_at=3.5,
    calls=(1.0, 2.0),
    phone="+15555550100",
    interaction_code=Secret("code"),
)


def as_stored() -> Json:
    """The state as a row stores it, after a round trip through JSON."""
    stored: Json = json.loads(json.dumps(STATE.to_json(), default=reveal))
    return stored


def test_a_state_survives_a_round_trip() -> None:
    assert EnrollmentState.from_json(as_stored()) == STATE


def test_a_state_has_a_format_version() -> None:
    assert as_stored()["format"] == 1


@pytest.mark.parametrize(
    "locate",
    [lambda s: s, lambda s: s["transaction"], lambda s: s["notices"][0]],
    ids=["state", "transaction", "message"],
)
@pytest.mark.parametrize("value", [1, None, {"a": []}, ["x"]], ids=str)
def test_unknown_keys_of_a_later_version_are_ignored_at_every_level(
    locate: Callable[[Json], Json], value: object
) -> None:
    stored = as_stored()
    locate(stored)["from_a_later_version"] = value
    assert EnrollmentState.from_json(stored) == STATE


OPTIONAL = ("draft", "profile", "notices", "picked", "wait_until", "resend_at", "poll_at", "calls", "phone", "format")


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_key_that_an_older_version_did_not_write_has_a_default(name: str) -> None:
    stored = as_stored()
    del stored[name]
    assert EnrollmentState.from_json(stored).transaction == STATE.transaction


def test_the_former_name_of_the_interaction_code_is_read() -> None:
    stored = as_stored() | {"granted": "older code", "decoy": False}
    del stored["interaction_code"]
    assert EnrollmentState.from_json(stored).interaction_code == Secret("older code")


@pytest.mark.parametrize("name", ["interaction_handle", "state", "nonce", "code_verifier"])
def test_a_transaction_with_a_missing_part_is_unreadable(name: str) -> None:
    stored = as_stored()
    del stored["transaction"][name]
    with pytest.raises(Unreadable):
        EnrollmentState.from_json(stored)


@pytest.mark.parametrize(
    "damage",
    [
        {"transaction": None},
        {"transaction": {"interaction_handle": 7, "state": "s", "nonce": "n", "code_verifier": "v"}},
        {"document": None},
        {"document": "{"},
        {"document": "{}"},
        {"document": "[]"},
        {"document": 7},
        {"draft": ["a"]},
        {"profile": "a"},
        {"notices": {"a": "b"}},
        {"notices": ["a"]},
        {"notices": [{"text": 7}]},
        {"notices": [{"text": "a", "params": 7}]},
        {"notices": 7},
        {"picked": 7},
        {"calls": "now"},
        {"wait_until": "soon"},
        {"wait_until": None},
        {"resend_at": []},
        {"phone": None},
        {"interaction_code": {"a": 1}},
    ],
    ids=str,
)
def test_a_value_of_the_wrong_type_is_unreadable(damage: Json) -> None:
    with pytest.raises(Unreadable):
        EnrollmentState.from_json(as_stored() | damage)


@pytest.mark.parametrize("data", [None, 7, "text", [], {}, {"transaction": {}}], ids=str)
def test_data_that_is_not_a_state_is_unreadable(data: object) -> None:
    with pytest.raises(Unreadable):
        EnrollmentState.from_json(data)


def test_the_repr_contains_no_secret() -> None:
    text = repr(STATE)
    assert not [word for word in ("handle", "nonce", "verifier", "ada@", "+1555", "canary") if f"'{word}" in text]
