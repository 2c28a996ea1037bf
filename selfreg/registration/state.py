"""What must survive between two requests of one sign-up: encrypted into the row, or into the session before there is a
row.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from django.utils import timezone

from selfreg.encryption import Unreadable
from selfreg.idx.client import Transaction
from selfreg.idx.document import IdxResponse, Message
from selfreg.idx.errors import MalformedAnswer
from selfreg.idx.parser import parse

FORMAT = 1
# Keys of the format before this one -> names today.
RENAMED = {"granted": "interaction_code"}


@dataclass(frozen=True, slots=True)
class EnrollmentState:
    """The IDX transaction of one registration, and what the visitor did on the present page.

    Moments are seconds since the epoch, 0.0 for none.
    """

    transaction: Transaction = field(repr=False)
    document: str = field(repr=False)
    """JSON of the org's last answer that one can go on from."""
    response: IdxResponse = field(repr=False, compare=False)
    """The same, parsed."""
    draft: dict[str, str] = field(default_factory=dict, repr=False)
    """What was typed on the present page, by HTML name; never passwords or codes."""
    profile: dict[str, str] = field(default_factory=dict, repr=False)
    """What was typed on the profile pages, by HTML name."""
    notices: tuple[Message, ...] = ()
    """Messages of this site for the present page."""
    picked: str = ""
    """The page of the same answer that the visitor turned to, see ``idx.steps.next_step``."""
    wait_until: float = 0.0
    """Nothing is to be sent before."""
    resend_at: float = 0.0
    """The next code may be asked for from then on."""
    poll_at: float = 0.0
    """The org may be polled again from then on."""
    calls: tuple[float, ...] = ()
    """When the last calls of this transaction were made."""
    phone: str = field(default="", repr=False)
    """The number (E.164) that texts and calls go to."""
    interaction_code: str = field(default="", repr=False)
    """A code that came by the browser, from an identity provider."""

    def to_json(self) -> dict[str, Any]:
        """For encryption."""
        members = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "response"}
        return {
            **members,
            "format": FORMAT,
            "transaction": asdict(self.transaction),
            "notices": [asdict(message) for message in self.notices],
        }

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Reads what this version, the one before it or a later one wrote. Keys it does not know are left out at every
        level, so that going back to an older version loses no registration.

        :raises Unreadable: something that it needs is missing or of another type; the registration must start again
        """
        try:
            values = _known(cls, data)
            for old, new in RENAMED.items():
                if isinstance(data, Mapping) and data.get(old):
                    values.setdefault(new, data[old])
            state = cls(
                **values
                | {
                    "response": parse(json.loads(values["document"])),
                    "transaction": _transaction(values["transaction"]),
                    "notices": tuple(_message(m) for m in values.get("notices", ())),
                    "calls": tuple(float(moment) for moment in values.get("calls", ())),
                    "draft": _texts(values.get("draft", {})),
                    "profile": _texts(values.get("profile", {})),
                }
            )
            for name in ("wait_until", "resend_at", "poll_at"):
                float(getattr(state, name))
            assert_text(state.picked, state.phone, state.interaction_code)
        except (TypeError, KeyError, ValueError, AttributeError, RecursionError, MalformedAnswer) as error:
            raise Unreadable("not a state of this version") from error
        return state


def seconds_until(moment: float) -> int:
    """Whole seconds from now until a moment of a state; never negative."""
    return max(0, round(moment - timezone.now().timestamp()))


def assert_text(*values: object) -> None:
    """:raises TypeError: one of them is not a string"""
    if not all(isinstance(value, str) for value in values):
        raise TypeError("not a string")


def _known(cls: type, data: object) -> dict[str, Any]:
    """The members that the dataclass has; what another version wrote beside them is left out."""
    if not isinstance(data, Mapping):
        raise TypeError("not an object")
    names = {f.name for f in fields(cls)} - {"response"}
    return {name: value for name, value in data.items() if name in names}


def _transaction(data: object) -> Transaction:
    transaction = Transaction(**_known(Transaction, data))
    assert_text(transaction.interaction_handle, transaction.state, transaction.nonce, transaction.code_verifier)
    return transaction


def _message(data: object) -> Message:
    values = _known(Message, data)
    params = values.pop("params", ())
    if not isinstance(params, list | tuple):
        raise TypeError("not a list")
    message = Message(**values, params=tuple(str(p) for p in params))
    assert_text(message.text, message.key, message.severity, message.path)
    return message


def _texts(data: object) -> dict[str, str]:
    if not isinstance(data, Mapping):
        raise TypeError("not an object")
    return {str(name): str(value) for name, value in data.items()}
