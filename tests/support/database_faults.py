"""A database that breaks in the middle."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection

from selfreg.idx.transport import RawReply, Transport


@contextmanager
def writes_fail(after: str = "", table: str = "", times: float = math.inf) -> Iterator[None]:
    """The database takes no change: from the beginning, or once a call to a path that ends so was answered.

    :param table: if given, only this one and those whose names begin so take none
    :param times: how many writes fail
    """
    broken, real, left = [not after], Transport.fetch, [times]

    def fetch(self: Transport, method: str, url: str, *rest: Any) -> RawReply:
        reply = real(self, method, url, *rest)
        broken[0] = broken[0] or url.endswith(after)
        return reply

    def refuse(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        is_write = statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))
        if broken[0] and is_write and table in statement and left[0] > 0:
            left[0] -= 1
            raise OperationalError("cannot execute in a read-only transaction")
        return execute(statement, *rest)

    Transport.fetch = fetch  # type: ignore[assignment,method-assign]
    try:
        with connection.execute_wrapper(refuse):
            yield
    finally:
        Transport.fetch = real  # type: ignore[method-assign]
