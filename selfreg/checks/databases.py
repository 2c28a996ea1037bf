"""Checks of the database server: its kind, and its version where the database may be asked."""

from typing import Any

from django.core.checks import Tags
from django.db import connections, router

from selfreg.checks.base import Cases, Check, register_table
from selfreg.conf import Conf
from selfreg.models import Registration

# Vendor -> the oldest version. The limits need RETURNING in SQLite, the purge needs SKIP LOCKED in the others.
OLDEST: dict[str, tuple[str, tuple[int, ...]]] = {
    "postgresql": ("PostgreSQL", (14,)),
    "sqlite": ("SQLite", (3, 35)),
    "mysql": ("MySQL", (8, 0, 11)),
    "mariadb": ("MariaDB", (10, 6)),
}


def _unknown_vendor(_settings: Conf) -> Cases:
    connection = connections[router.db_for_write(Registration)]
    return [] if connection.vendor in OLDEST else [{"name": connection.display_name}]


def _too_old(_settings: Conf) -> Cases:
    connection: Any = connections[router.db_for_write(Registration)]
    is_mariadb = getattr(connection, "mysql_is_mariadb", False)
    name, oldest = OLDEST.get("mariadb" if is_mariadb else connection.vendor, ("", ()))
    version = connection.get_database_version() if name else ()
    if version < oldest:
        wanted, present = (".".join(map(str, number)) for number in (oldest, version))
        yield {"name": name, "present": present, "wanted": wanted}


check_vendor = register_table(
    Tags.security,
    Check("E018", _unknown_vendor, "This app doesn't work with the database %(name)s.",
          "Use PostgreSQL, MariaDB, MySQL or SQLite."),
)  # fmt: skip
check_version = register_table(
    Tags.database,
    Check("E019", _too_old, "%(name)s %(present)s is too old: upgrade to %(wanted)s or newer."),
    asks_database=True,
)  # fmt: skip
