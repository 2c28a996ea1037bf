"""A check is a row of a table, and each table is registered with Django as one check."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import router
from django.utils.module_loading import import_string

from selfreg.conf import DEFAULT, Conf, orgs
from selfreg.models import Registration
from selfreg.profile_hook import reason_unusable

Cases = Iterable[Mapping[str, object]]
"""One item for each message to report: the values for the placeholders of the message and the hint."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. Ids with ``W`` are warnings, others errors. ``message`` and ``hint`` are %-templates for a case."""

    id: str
    find: Callable[[Conf], Cases]
    message: str
    hint: str = ""

    def run(self, settings: Conf) -> Iterator[CheckMessage]:
        """Yield a message of Django's check framework for each case."""
        level = Warning if self.id.startswith("W") else Error
        for case in self.find(settings):
            yield level(self.message % case, hint=self.hint % case or None, id=f"selfreg.{self.id}")


CHECKS: list[Check] = []
"""All checks of all tables."""


def register_table(
    tag: str | None, *checks: Check, deploy: bool = False, asks_database: bool = False
) -> Callable[..., list[CheckMessage]]:
    """Register a table of checks with Django, and return the function that runs it.

    A message about one of several orgs begins with its name. A message that is the same for all of them comes once.

    :param deploy: only for ``check --deploy``
    :param asks_database: only for ``check --database`` and ``migrate``
    """
    CHECKS.extend(checks)

    def check(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
        reported: dict[tuple[str | None, str], CheckMessage] = {}
        if asks_database and router.db_for_write(Registration) not in (databases or ()):
            return []
        for org, settings in orgs().items():
            for message in (message for row in checks for message in row.run(settings)):
                key = message.id, message.msg
                if key not in reported:
                    reported[key] = message if org == DEFAULT else _named(message, org)
        return list(reported.values())

    return register(check, *filter(None, [tag]), deploy=deploy)


def _named(message: CheckMessage, org: str) -> CheckMessage:
    return CheckMessage(message.level, f"Org {org!r}: {message.msg}", hint=message.hint, id=message.id)


def when(condition: Callable[[Conf], bool]) -> Callable[[Conf], Cases]:
    """Return a function with one case, without values, if the condition holds."""
    return lambda settings: [{}] if condition(settings) else []


def unusable_path(setting: str) -> Callable[[Conf], Cases]:
    """Return a function that reports a setting whose dotted path is not that of a function."""

    def find(settings: Conf) -> Cases:
        path = getattr(settings, setting)
        if reason := reason_unusable(path):
            yield {"path": path, "reason": reason}

    return find


def lineage(path: str) -> tuple[str, ...]:
    """Return the dotted names of a class and its base classes; only ``path`` if no class can be imported."""
    try:
        kinds = getattr(import_string(path), "__mro__", ())
    except ImportError:  # Django fails for it when it starts
        kinds = ()
    return (path, *(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds))


def positions(middleware: str) -> list[int]:
    """Return the positions of a class, and of its subclasses, in ``MIDDLEWARE``."""
    return [number for number, path in enumerate(django_settings.MIDDLEWARE) if middleware in lineage(path)]
