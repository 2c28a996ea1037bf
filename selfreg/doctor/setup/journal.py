"""A file with the changes that were made to the org, so that they can be undone after any interruption. It holds no
secrets.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from selfreg.doctor.setup.diff import diff_lines
from selfreg.doctor.setup.plan import Call, Created, Restore
from selfreg.okta_api.client import Json

State = Literal["planned", "done", "unsure", "undone"]
"""``unsure``: sent, and there is no answer (yet)."""
USE_ANOTHER = "Keep it, and use another file: --plan-file FILE."


class UnusableJournal(Exception):
    """The file was not written by this command, is about another org, or can't be written."""


@dataclass
class Entry:
    """One change and how to undo it."""

    name: str
    lines: tuple[str, ...]
    undo: tuple[Call | Restore, ...]
    created: Created | None = None
    state: State = "planned"

    @property
    def undo_lines(self) -> tuple[str, ...]:
        """The differences that undoing makes, line by line; empty if the name says it all."""
        restores = (step for step in self.undo if isinstance(step, Restore))
        return tuple(line for restore in restores for line in diff_lines(restore.after, restore.before))


@dataclass
class Journal:
    """The entries of the file. It is saved after every change of a state."""

    path: Path
    issuer: str
    entries: list[Entry] = field(default_factory=list)

    def save(self) -> None:
        """Replace the file atomically, so that an interruption leaves the old file or the new one.

        :raises UnusableJournal: it cannot be written
        """
        content = {"issuer": self.issuer, "entries": [_entry_to_json(entry) for entry in self.entries]}
        temporary = self.path.with_name(f"{self.path.name}.new")
        try:
            temporary.write_text(json.dumps(content, indent=2))
            os.replace(temporary, self.path)
        except OSError as error:
            raise UnusableJournal(f"{self.path} can't be written: {error.strerror}.") from error

    def set_state(self, entry: Entry, state: State) -> None:
        """Set the state of an entry and save the file.

        :raises UnusableJournal: it cannot be written
        """
        entry.state = state
        self.save()

    @property
    def undoable(self) -> list[Entry]:
        """The changes that were made, or may have been made, the last one first."""
        return [entry for entry in reversed(self.entries) if entry.state in ("done", "unsure")]


def load_journal(path: Path, issuer: str) -> Journal:
    """Read the journal of this org; an empty one if there is no file.

    :raises UnusableJournal: the file was not written by this command, or is about another org
    """
    if not path.exists():
        return Journal(path, issuer)
    try:
        content = json.loads(path.read_text())
        entries = [_entry_from_json(entry) for entry in content["entries"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableJournal(f"{path} isn't a file of this command. {USE_ANOTHER}") from error
    if content.get("issuer") != issuer:
        raise UnusableJournal(f"{path} is about {content.get('issuer')}, not {issuer}. {USE_ANOTHER}")
    return Journal(path, issuer, [entry for entry in entries if entry.state in ("done", "unsure")])


# The keys in the file are those of its first version, so that existing files stay readable.


def _entry_to_json(entry: Entry) -> Json:
    created = entry.created
    made = created and {
        "placeholder": created.placeholder,
        "within": created.list_path,
        "path": created.key_path,
        "value": created.value,
    }
    undo = [asdict(step) for step in entry.undo]
    return {"name": entry.name, "lines": entry.lines, "undo": undo, "made": made, "state": entry.state}


def _entry_from_json(content: Json) -> Entry:
    made = content["made"]
    created = made and Created(made["placeholder"], made["within"], tuple(made["path"]), made["value"])
    undo = tuple(Call(**step) if "method" in step else Restore(**step) for step in content["undo"])
    return Entry(content["name"], tuple(content["lines"]), undo, created, content["state"])
