"""What was done to the org, in a file: enough to take it back, after any interruption. Holds no secret."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from selfreg.doctor.setup.diff import difference
from selfreg.doctor.setup.plan import Call, Made, Restore
from selfreg.okta_api.client import Json

State = Literal["planned", "done", "unsure", "undone"]
"""``unsure``: sent, and no answer came back, or not yet."""
ANOTHER = "Leave it where it is, and name another one: --plan-file FILE."


class UnusableLedger(Exception):
    """The file is not one of ours, is about another org, or cannot be written."""


@dataclass
class Entry:
    """One change and how to take it back."""

    name: str
    lines: tuple[str, ...]
    undo: tuple[Call | Restore, ...]
    made: Made | None = None
    state: State = "planned"

    @property
    def lines_back(self) -> tuple[str, ...]:
        """What taking it back changes, in words; none where the name says it."""
        ways = (way for way in self.undo if isinstance(way, Restore))
        return tuple(line for way in ways for line in difference(way.after, way.before))


@dataclass
class Ledger:
    """The file; saved after every change of a state."""

    path: Path
    issuer: str
    entries: list[Entry] = field(default_factory=list)

    def save(self) -> None:
        """In one go: an interruption leaves the old file or the new one, never half of one.

        :raises UnusableLedger: it cannot be written
        """
        content = {"issuer": self.issuer, "entries": [asdict(entry) for entry in self.entries]}
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            beside.write_text(json.dumps(content, indent=2))
            os.replace(beside, self.path)
        except OSError as error:
            raise UnusableLedger(f"{self.path} cannot be written: {error.strerror}.") from error

    def mark(self, entry: Entry, state: State) -> None:
        """Sets the state and saves."""
        entry.state = state
        self.save()

    @property
    def to_undo(self) -> list[Entry]:
        """The last one first."""
        return [entry for entry in reversed(self.entries) if entry.state in ("done", "unsure")]


def load(path: Path, issuer: str) -> Ledger:
    """What was done so far, or an empty ledger.

    :raises UnusableLedger: see there
    """
    if not path.exists():
        return Ledger(path, issuer)
    try:
        content = json.loads(path.read_text())
        entries = [
            Entry(e["name"], tuple(e["lines"]), tuple(_way_back(u) for u in e["undo"]), _made(e["made"]), e["state"])
            for e in content["entries"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableLedger(f"{path} is no file of this command. {ANOTHER}") from error
    if content.get("issuer") != issuer:
        raise UnusableLedger(f"{path} is about {content.get('issuer')}, not about {issuer}. {ANOTHER}")
    return Ledger(path, issuer, [entry for entry in entries if entry.state in ("done", "unsure")])


def _made(saved: Json | None) -> Made | None:
    return Made(**{**saved, "path": tuple(saved["path"])}) if saved else None


def _way_back(saved: Json) -> Call | Restore:
    return Call(**saved) if "method" in saved else Restore(**saved)
