"""Log lines: one event, one line.

``selfreg.monitoring.log.JSONFormatter`` writes them as JSON, ``LineFormatter`` as text. A site names one of them in its
``LOGGING``; without either, Django's own formatters write the name of the event.
"""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from selfreg.monitoring import context

WORD = re.compile(r"[\w.:/@+,-]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
FIELDS = "selfreg"
"""The attribute of a log record with the fields of its event."""


def write(logger: logging.Logger, level: int, event: str, fields: Mapping[str, object]) -> None:
    """Log an event. Fields that are empty are left out."""
    if logger.isEnabledFor(level):
        given = {name: value for name, value in fields.items() if value not in ("", None)}
        logger.log(level, event, extra={FIELDS: given})


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a record: those of its request, and its own."""
    return {**context.bound(), **getattr(record, FIELDS, {})}


class JSONFormatter(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``event``, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _on_one_line(json.dumps(line, default=str, ensure_ascii=False))


class LineFormatter(logging.Formatter):
    """For people: the line of ``logging.Formatter``, and the fields as ``name=value``."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's own name)
        """Return the line without exceptions."""
        fields = " ".join(f"{name}={_as_word(value)}" for name, value in fields_of(record).items())
        return _on_one_line(f"{super().formatMessage(record)} {fields}").rstrip()


def _as_word(value: object) -> str:
    """Return a value in which nothing looks like another field."""
    text = str(value)
    return text if WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _on_one_line(text: str) -> str:
    """Return a text without line breaks, control characters for terminals, and surrogates, which no file takes.

    It may come from a visitor or from Okta.
    """
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
