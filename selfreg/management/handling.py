"""How every command ends when something below it breaks: with a sentence, and without the values of variables."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.core.management.base import CommandError
from django.db import Error

from selfreg.database_connections import is_outage
from selfreg.error_reports import without_values

P = ParamSpec("P")
R = TypeVar("R")

# Exit status of a command that left something for its next run: EX_TEMPFAIL of sysexits.h.
TRY_LATER = 75
FAILED = 1


def explained(handle: Callable[P, R]) -> Callable[P, R]:
    """Decorate a command's ``handle``: an error of the database becomes a ``CommandError``, and no exception shows
    values.
    """

    @without_values
    @wraps(handle)
    def explaining(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return handle(*args, **kwargs)
        except Error as error:
            raise database_failed(error) from error

    return explaining


def database_failed(error: Error, so_far: str = "") -> CommandError:
    """Return the error that tells what the database did. Only the class of its own error is named: a text may quote
    a person's data.

    :param so_far: what was done until then
    """
    text = f"The database failed ({type(error).__name__}): is it running, and migrated? --traceback shows more."
    returncode = TRY_LATER if is_outage(error) else FAILED
    return CommandError(f"{text} So far: {so_far}." if so_far else text, returncode=returncode)
