"""A database whose writes fail."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection

from selfreg.idx.transport import RawReply, Transport


@contextmanager
def writes_fail(after: str = "", table: str = "", times: float = math.inf) -> Iterator[None]:
    """Writes to the database fail.

    :param after: if given, only after a call whose path has this end was answered
    :param table: if given, only statements with this text in them fail
    :param times: how many writes fail
    """
    broken, real, remaining = [not after], Transport.fetch, [times]

    def fetch(self: Transport, method: str, url: str, *rest: Any) -> RawReply:
        reply = real(self, method, url, *rest)
        broken[0] = broken[0] or url.endswith(after)
        return reply

    def refuse(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        is_write = statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))
        if broken[0] and is_write and table in statement and remaining[0] > 0:
            remaining[0] -= 1
            raise OperationalError("cannot execute in a read-only transaction")
        return execute(statement, *rest)

    Transport.fetch = fetch  # type: ignore[assignment,method-assign]
    try:
        with connection.execute_wrapper(refuse):
            yield
    finally:
        Transport.fetch = real  # type: ignore[method-assign]
