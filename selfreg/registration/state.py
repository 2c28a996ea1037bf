"""What must survive between two requests of one sign-up: sealed into the row, or into the session before there is
a row.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Self

from selfreg.idx.client import Transaction
from selfreg.idx.document import IdxResponse, Message
from selfreg.idx.parser import parse


@dataclass(frozen=True)
class Flow:
    """What is sealed into the row between two requests.

    ``draft`` is what was typed on the present page, ``profile`` on the first one (never passwords or codes; HTML
    names). ``picked`` is the visitor's own choice of page, see ``steps.next_step``. Times are seconds since the epoch:
    ``wait_until`` nothing is to be sent, ``resend_at`` the next code may be asked for, ``poll_at`` the org may be asked
    again, ``calls`` the last calls of this transaction. ``phone`` is the number (E.164) that texts and calls go to,
    ``decoy`` says that the document is no answer of the org (``neutral``), ``granted`` is an interaction code that came
    by the browser (identity providers).
    """

    transaction: Transaction = field(repr=False)
    document: str = field(repr=False)
    draft: dict[str, str] = field(default_factory=dict, repr=False)
    profile: dict[str, str] = field(default_factory=dict, repr=False)
    notices: tuple[Message, ...] = ()
    picked: str = ""
    wait_until: float = 0.0
    resend_at: float = 0.0
    poll_at: float = 0.0
    calls: tuple[float, ...] = ()
    phone: str = field(default="", repr=False)
    decoy: bool = False
    granted: str = field(default="", repr=False)

    @cached_property
    def response(self) -> IdxResponse:
        """The org's last answer that one can go on from."""
        return parse(json.loads(self.document))

    def sealable(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, sealed: Mapping[str, Any]) -> Self:
        """From JSON. What a newer version of this app sealed beside is left out, so that going back to an older one
        loses no registration.
        """
        known = {f.name for f in fields(cls)}
        return cls(
            **{
                **{name: value for name, value in sealed.items() if name in known},
                "calls": tuple(sealed.get("calls", ())),
                "transaction": Transaction(**sealed["transaction"]),
                "notices": tuple(Message(**{**m, "params": tuple(m["params"])}) for m in sealed["notices"]),
            }
        )
