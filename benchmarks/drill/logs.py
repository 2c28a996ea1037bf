"""The log of the site: JSON lines, and gunicorn's access log as lines of the event ``access``."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.drill.runbook import Line

ACCESS = re.compile(r'\S+ "(?P<method>\S+) (?P<path>\S+)" (?P<status>\d+) \S+ (?P<milliseconds>\d+)ms \S+')
# Whose times are no page's.
NO_PAGES = re.compile(r"/(metrics|health)")


@dataclass
class Log:
    """Files that grow; what is read once is not read again."""

    files: tuple[Path, ...]

    def __post_init__(self) -> None:
        self._read = dict.fromkeys(self.files, 0)

    def new_lines(self) -> list[Line]:
        """Since the last call. A line that is only half written comes the next time."""
        found = list[Line]()
        for file in self.files:
            if not file.exists():
                continue
            with file.open("rb") as opened:
                opened.seek(self._read[file])
                text = opened.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read[file] += len(whole)
            found += [line for line in map(parsed, whole.decode(errors="replace").splitlines()) if line]
        return found


def parsed(text: str) -> dict[str, Any]:
    """One line; {} if it is none of ours."""
    if text.startswith("{"):
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            return {}
        return line if isinstance(line, dict) and "event" in line else {}
    access = ACCESS.fullmatch(text)
    if access is None or NO_PAGES.search(access["path"]):
        return {}
    return {"event": "access", **access.groupdict()}
