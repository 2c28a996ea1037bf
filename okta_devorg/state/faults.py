"""Faults on demand: ways in which the org, or the network before it, fails the next calls."""

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from okta_devorg.policy.serialization import PolicyError, from_json

FaultKind = Literal[
    "status", "timeout", "slow", "reset", "truncate", "html", "empty", "malformed", "redirect", "huge",
    "foreign-href", "after",
]  # fmt: skip
FAULT_KINDS = get_args(FaultKind)
# Faults that let the org do its work and then spoil the answer. The others answer instead of doing it.
AFTER_THE_WORK = ("slow", "truncate", "foreign-href", "after")
# Members of a fault's JSON and their types; those with a range are numbers and checked separately.
MEMBER_TYPES: dict[str, Any] = {
    "kind": FaultKind,
    "path": str,
    "status": int,
    "times": int,
    "bytes": int,
    "location": str,
}
LARGEST_NUMBERS = {"seconds": 3600, "chance": 1}
_random = secrets.SystemRandom()


@dataclass
class Fault:
    """A fault that waits for its calls.

    It hits the next `times` calls whose path is `path`, ends with it, or any if it is `*`; each with the probability
    `chance`. The rest are parameters of single kinds; see the docs of the control API.
    """

    kind: FaultKind
    path: str = "*"
    status: int | None = None
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    bytes: int = 50_000_000
    location: str = ""
    chance: float = 1.0

    def hits(self, path: str) -> bool:
        """Return whether a call of this path fails."""
        fits = self.times > 0 and (self.path == "*" or path.endswith(self.path))
        return fits and (self.chance >= 1 or _random.random() < self.chance)


class Faults:
    """The faults that are still to come, in the order they were added."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def take(self, path: str) -> Fault | None:
        """Return the first fault that hits a call of this path, and count the call against it."""
        fault = next((item for item in self.pending if item.hits(path)), None)
        if fault:
            fault.times -= 1
            self.pending = [item for item in self.pending if item.times > 0]
        return fault

    def to_json(self) -> list[dict[str, Any]]:
        """Return the pending faults as JSON."""
        return [asdict(fault) for fault in self.pending]


def fault_from_json(data: object) -> Fault:
    """Return the fault that the JSON describes.

    :raises PolicyError: naming the key that is wrong.
    """
    if not isinstance(data, dict) or "kind" not in data:
        raise PolicyError(f"a fault is an object with a kind: {', '.join(FAULT_KINDS)}")
    for key, value in data.items():
        _check_member(key, value)
    if not 200 <= data.get("status", 200) <= 599:
        raise PolicyError("status must be from 200 to 599")
    return Fault(**data)


def _check_member(key: str, value: object) -> None:
    if key in MEMBER_TYPES:
        from_json(MEMBER_TYPES[key], value, key)
        if key == "location" and not _is_header_text(value):
            raise PolicyError("location must be one line")
    elif key in LARGEST_NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST_NUMBERS[key]:
            raise PolicyError(f"{key} must be a number from 0 to {LARGEST_NUMBERS[key]}")
    elif key == "headers":
        if not isinstance(value, dict) or not all(map(_is_header_text, [*value, *value.values()])):
            raise PolicyError("headers must be an object of texts, each one line")
    else:
        raise PolicyError(f"unknown key {key}")


def _is_header_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and value.isascii()
