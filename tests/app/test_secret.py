"""A secret is nowhere to be read but where it is revealed."""

import copy
import json
import pickle
from dataclasses import asdict, dataclass

import pytest

from selfreg.secret import HIDDEN, NOTHING, Secret, reveal

CANARY = "canary-value-1"


@dataclass(frozen=True)
class Holder:
    token: Secret[str]


SECRET = Secret(CANARY)
AGAIN: Secret[str] = Secret(SECRET)
SHOWN = {
    "repr": lambda: repr(SECRET),
    "str": lambda: str(SECRET),
    "percent": lambda: "%s %r" % (SECRET, SECRET),  # noqa: UP031
    "format": lambda: f"{SECRET} {SECRET!r} {SECRET:>40}",
    "in a list": lambda: repr([SECRET, {"a": SECRET}]),
    "in a dataclass": lambda: repr(Holder(SECRET)) + repr(asdict(Holder(SECRET))),
    "json for reports": lambda: json.dumps({"a": SECRET}, default=str),
    "a copy": lambda: repr((copy.copy(SECRET), copy.deepcopy(SECRET))),
    "attributes": lambda: repr([getattr(SECRET, name) for name in dir(SECRET) if name != "__doc__"]),
    "of a secret": lambda: repr(AGAIN),
    "bytes": lambda: repr(Secret(CANARY.encode())),
    "a mapping": lambda: repr(Secret({"passcode": CANARY})),
}


@pytest.mark.parametrize("way", SHOWN)
def test_a_secret_does_not_show_its_value(way: str) -> None:
    assert CANARY not in SHOWN[way]()


def test_a_secret_is_not_pickled_and_is_no_json() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(SECRET, protocol)
    with pytest.raises(TypeError):
        json.dumps(SECRET)
    with pytest.raises(TypeError):
        json.dumps(object(), default=reveal)


def test_a_secret_is_revealed_on_purpose_only() -> None:
    assert (SECRET.reveal(), AGAIN.reveal()) == (CANARY, CANARY)
    assert json.dumps({"a": SECRET}, default=reveal) == json.dumps({"a": CANARY})
    assert str(SECRET) == HIDDEN


def test_secrets_are_compared_with_secrets_only() -> None:
    assert Secret(CANARY) == SECRET
    assert hash(Secret(CANARY)) == hash(SECRET)
    assert Secret("other") != SECRET
    assert not any(other == SECRET for other in (CANARY, None))
    assert Secret("\ud800") != SECRET
    assert (bool(SECRET), bool(NOTHING)) == (True, False)
