"""Connections to the database: given back while Okta is asked, and what to do when one breaks because the database
restarted or another server took over.

No transaction of this app is open during a call to the org, so work that a broken connection interrupted was either
rolled back, and may be repeated on a new connection, or committed, which compare-and-set and unique keys notice.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from django.apps import apps
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

Result = TypeVar("Result")

# Seconds to wait before each further try. If a restart or a fail-over takes longer, the visitor gets a page.
PAUSES = (0.05, 0.25, 0.7, 1.0)
# PostgreSQL's error for a write on a server that is a standby now.
READ_ONLY = "25006"
# PostgreSQL's statement_timeout and lock_timeout, MySQL's innodb_lock_wait_timeout.
WAITED_FOR = ("57014", "55P03", 1205)


def is_outage(error: BaseException | None) -> bool:
    """Return whether a query failed because the database is not available, not because the query is wrong."""
    is_read_only = isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", "") == READ_ONLY
    return isinstance(error, OperationalError | InterfaceError) or is_read_only


def release_pooled_connections() -> None:
    """Give this thread's connections back to Django's connection pool, if there is one.

    Calls to Okta take far longer than queries, and threads that wait for Okta should not block the pool. Connections
    with an open transaction are kept.
    """
    for each in connections.all(initialized_only=True):
        if each.settings_dict["OPTIONS"].get("pool") and not each.in_atomic_block:
            each.close()


def ours() -> BaseDatabaseWrapper:
    """Return the connection to the database that holds the registrations, as the site's routers say."""
    return connections[router.db_for_write(apps.get_model("selfreg", "Registration"))]


def let_go() -> None:
    """Close the connection, so that the next query opens a new one. Do nothing inside a transaction."""
    connection = ours()
    if not connection.in_atomic_block:
        connection.close()


def retried(work: Callable[[], Result]) -> Result:
    """Return the result of the work. If the database was not available, repeat the work on a new connection.

    Inside a transaction, which is lost with its connection, the work is done only once.

    :param work: writes in one transaction, and detects if it was done before
    """
    if ours().in_atomic_block:
        return work()
    for pause in PAUSES:
        try:
            return work()
        except (DatabaseError, InterfaceError) as error:
            if not (is_outage(error) and _may_pass(error)):
                raise
        let_go()
        time.sleep(pause)
    return work()


def _may_pass(error: Exception) -> bool:
    """Return whether another try makes sense now: not after a timeout."""
    cause = error.__cause__
    code = getattr(cause, "sqlstate", None) or (cause.args[0] if cause and cause.args else None)
    return ours().vendor != "sqlite" and code not in WAITED_FOR
