"""What was done to the org, in a file: enough to take it back, after any interruption. Holds no secret."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from selfreg.doctor.management_api import Json
from selfreg.setup_org.plan import Call, Restore

State = Literal["planned", "done", "unsure", "undone"]
"""``unsure``: sent, and no answer came back."""


class UnreadableLedger(Exception):
    """The file is not one of ours, or is about another org."""


@dataclass
class Entry:
    """One change and how to take it back."""

    name: str
    lines: tuple[str, ...]
    undo: tuple[Call | Restore, ...]
    state: State = "planned"


@dataclass
class Ledger:
    """The file; saved after every change of a state."""

    path: Path
    issuer: str
    entries: list[Entry] = field(default_factory=list)

    def save(self) -> None:
        """Raises OSError when the file cannot be written."""
        content = {"issuer": self.issuer, "entries": [asdict(entry) for entry in self.entries]}
        self.path.write_text(json.dumps(content, indent=2))

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

    :raises UnreadableLedger: see there
    """
    if not path.exists():
        return Ledger(path, issuer)
    try:
        content = json.loads(path.read_text())
        entries = [
            Entry(e["name"], tuple(e["lines"]), tuple(_way_back(u) for u in e["undo"]), e["state"])
            for e in content["entries"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableLedger(f"{path} is no file of this command.") from error
    if content.get("issuer") != issuer:
        raise UnreadableLedger(f"{path} is about {content.get('issuer')}, not about {issuer}.")
    return Ledger(path, issuer, [entry for entry in entries if entry.state in ("done", "unsure")])


def _way_back(saved: Json) -> Call | Restore:
    return Call(**saved) if "method" in saved else Restore(**saved)
