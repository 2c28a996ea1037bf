"""Recorded keys and types of objects of real orgs' Management APIs, read from `management.txt` in this folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Key:
    """The percentage of objects that have a key, and the types of its values."""

    share: int
    types: tuple[str, ...]


def read_kinds(file: Path) -> dict[str, dict[str, Key]]:
    """Return the keys of each kind by their path."""
    kinds: dict[str, dict[str, Key]] = {}
    keys: dict[str, Key] = {}
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("= "):
            keys = kinds.setdefault(line.split()[1], {})
        elif line and not line.startswith("#"):
            path, share, types = line.split()
            keys[path] = Key(int(share), tuple(types.split("|")))
    return kinds


KINDS = read_kinds(Path(__file__).with_name("management.txt"))
