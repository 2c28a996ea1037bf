"""What has to survive between two requests of a sign-up. It is stored encrypted in the row, or in the session as long
as there is no row.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self
from uuid import UUID

from django.utils import timezone

from selfreg import encryption
from selfreg.encryption import Unreadable
from selfreg.idx.client import Transaction
from selfreg.idx.document import IdxResponse, Message
from selfreg.idx.errors import MalformedAnswer
from selfreg.idx.parser import parse
from selfreg.secret import NOTHING, Secret

FORMAT = 1
# Keys of the previous format -> names today.
RENAMED = {"granted": "interaction_code"}


@dataclass(frozen=True, slots=True)
class EnrollmentState:
    """The IDX transaction of one registration, and what the visitor did on the current page.

    Times are in seconds since the epoch, 0.0 for none.
    """

    transaction: Transaction
    document: Secret[str]
    """The org's last answer with a step, as JSON."""
    response: IdxResponse = field(repr=False, compare=False)
    """The same, parsed."""
    draft: dict[str, str] = field(default_factory=dict, repr=False)
    """What was typed on the current page, by HTML name; never passwords or codes."""
    profile: dict[str, str] = field(default_factory=dict, repr=False)
    """What was typed on the profile pages, by HTML name."""
    notices: tuple[Message, ...] = ()
    """Messages of this site for the current page."""
    needed: tuple[str, ...] = ()
    """Keys of the authenticators that the org needs, see ``idx.steps.needed_after``."""
    picked: str = ""
    """The page of the same answer that the visitor picked, see ``idx.steps.next_step``."""
    wait_until: float = 0.0
    """Nothing may be sent before this time."""
    resend_at: float = 0.0
    """No other code may be requested before this time."""
    poll_at: float = 0.0
    """The org must not be polled before this time."""
    calls: tuple[float, ...] = ()
    """The times of the transaction's last calls."""
    phone: str = field(default="", repr=False)
    """The number (E.164) for texts and calls."""
    interaction_code: Secret[str] = NOTHING
    """A code that the browser brought from an identity provider."""

    def to_json(self) -> dict[str, Any]:
        """Return a value for ``encryption.encrypt``, which reveals the secrets in it."""
        members = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "response"}
        return {
            **members,
            "format": FORMAT,
            "transaction": {f.name: getattr(self.transaction, f.name) for f in fields(Transaction)},
            "notices": [asdict(message) for message in self.notices],
        }

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what this, the previous or a later version wrote.

        Unknown keys are ignored at every level, so a site can go back to an older version without losing registrations.

        :raises Unreadable: something is missing or of another type; the registration must start again
        """
        try:
            stored = _object(data)
            stored = {new: stored[old] for old, new in RENAMED.items() if stored.get(old)} | stored
            members = {name: read(stored[name]) for name, read in READERS.items() if name in stored}
            return cls(response=parse(json.loads(stored["document"])), **members)
        except (TypeError, KeyError, ValueError, AttributeError, RecursionError, MalformedAnswer) as error:
            raise Unreadable("not a state of this version") from error


def seal(state: EnrollmentState, registration: UUID, keys: Sequence[Secret[str]]) -> str:
    """Return a state encrypted for the column ``sealed`` of a registration."""
    return encryption.encrypt(state.to_json(), place_of(registration), keys)


def unseal(sealed: str, registration: UUID, keys: Sequence[Secret[str]]) -> EnrollmentState:
    """Return the state that ``seal`` encrypted.

    :raises Unreadable: its encryption key was removed, or see ``from_json``
    """
    return EnrollmentState.from_json(encryption.decrypt(sealed, place_of(registration), keys))


def place_of(registration: UUID) -> str:
    """Return the place of a registration's state, for ``encryption``."""
    return f"registration:{registration}:sealed"


def seconds_until(moment: float) -> int:
    """Return the whole seconds until a time of a state, or 0."""
    return max(0, round(moment - timezone.now().timestamp()))


def _object(data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise TypeError("not an object")
    return data


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _texts(data: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in _object(data).items()}


def _secret(value: object) -> Secret[str]:
    return Secret(_text(value))


def _transaction(data: object) -> Transaction:
    stored = _object(data)
    return Transaction(**{f.name: _secret(stored[f.name]) for f in fields(Transaction)})


def _message(data: object) -> Message:
    stored = _object(data)
    members = {name: _text(stored[name]) for name in ("text", "key", "severity", "path") if name in stored}
    return Message(**members, params=tuple(str(p) for p in stored.get("params", ())))


# How each member is read. ``response`` is parsed from ``document``.
READERS: Mapping[str, Callable[[Any], Any]] = {
    "transaction": _transaction,
    **dict.fromkeys(("document", "interaction_code"), _secret),
    **dict.fromkeys(("draft", "profile"), _texts),
    **dict.fromkeys(("picked", "phone"), _text),
    "notices": lambda values: tuple(map(_message, values)),
    "needed": lambda keys: tuple(map(str, keys)),
    "calls": lambda moments: tuple(map(float, moments)),
    **dict.fromkeys(("wait_until", "resend_at", "poll_at"), float),
}
