"""What must survive between two requests of one sign-up: sealed into the row, or into the session before there is
a row.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Self

from selfreg.idx.client import Transaction
from selfreg.idx.response import IdxResponse, Message, parse


@dataclass(frozen=True)
class Flow:
    """What is sealed into the row between two requests.

    ``draft`` is what was typed on the present page, ``profile`` on the first one (never passwords or codes; HTML
    names). ``picked`` is the visitor's own choice of page, see ``steps.next_step``. ``wait_until`` and
    ``resend_at`` are seconds since the epoch. ``granted`` is an interaction code that came by the browser
    (identity providers).
    """

    transaction: Transaction = field(repr=False)
    document: str = field(repr=False)
    draft: dict[str, str] = field(default_factory=dict, repr=False)
    profile: dict[str, str] = field(default_factory=dict, repr=False)
    notices: tuple[Message, ...] = ()
    picked: str = ""
    wait_until: float = 0.0
    resend_at: float = 0.0
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
        """From JSON."""
        return cls(
            **{
                **sealed,
                "transaction": Transaction(**sealed["transaction"]),
                "notices": tuple(Message(**{**m, "params": tuple(m["params"])}) for m in sealed["notices"]),
            }
        )
