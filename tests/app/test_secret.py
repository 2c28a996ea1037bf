"""The type for secrets shows its value only when it is revealed explicitly."""

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
NESTED: Secret[str] = Secret(SECRET)
STRING_FORMS = {
    "repr": lambda: repr(SECRET),
    "str": lambda: str(SECRET),
    "percent": lambda: "%s %r" % (SECRET, SECRET),  # noqa: UP031
    "format": lambda: f"{SECRET} {SECRET!r} {SECRET:>40}",
    "in a list": lambda: repr([SECRET, {"a": SECRET}]),
    "in a dataclass": lambda: repr(Holder(SECRET)) + repr(asdict(Holder(SECRET))),
    "json for reports": lambda: json.dumps({"a": SECRET}, default=str),
    "a copy": lambda: repr((copy.copy(SECRET), copy.deepcopy(SECRET))),
    "attributes": lambda: repr([getattr(SECRET, name) for name in dir(SECRET) if name != "__doc__"]),
    "of a secret": lambda: repr(NESTED),
    "bytes": lambda: repr(Secret(CANARY.encode())),
    "a mapping": lambda: repr(Secret({"passcode": CANARY})),
}


@pytest.mark.parametrize("form", STRING_FORMS)
def test_string_forms_of_a_secret_hide_its_value(form: str) -> None:
    assert CANARY not in STRING_FORMS[form]()


def test_secret_cannot_be_pickled_or_serialized_as_json() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(SECRET, protocol)
    with pytest.raises(TypeError):
        json.dumps(SECRET)
    with pytest.raises(TypeError):
        json.dumps(object(), default=reveal)


def test_secret_is_revealed_only_explicitly() -> None:
    assert (SECRET.reveal(), NESTED.reveal()) == (CANARY, CANARY)
    assert json.dumps({"a": SECRET}, default=reveal) == json.dumps({"a": CANARY})
    assert str(SECRET) == HIDDEN


def test_secret_equals_only_other_secrets() -> None:
    assert Secret(CANARY) == SECRET
    assert hash(Secret(CANARY)) == hash(SECRET)
    assert Secret("other") != SECRET
    assert not any(other == SECRET for other in (CANARY, None))
    assert Secret("\ud800") != SECRET
    assert (bool(SECRET), bool(NOTHING)) == (True, False)
