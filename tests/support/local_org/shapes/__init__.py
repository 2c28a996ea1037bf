"""Shapes of an org's answers: which keys there are, of what type, in which order. No values.

The `.txt` files hold the shapes of recorded registrations, one file a sequence. Written anew from recordings by
`python -m support.local_org.shapes FOLDER`, run in tests; FOLDER holds one folder a sequence with files
`NN-METHOD-call.STATUS.json` in it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TYPES = {
    bool: "boolean",
    str: "string",
    int: "number",
    float: "number",
    type(None): "null",
    dict: "object",
    list: "list",
}


@dataclass(frozen=True)
class Answer:
    """`call` is the method and the end of the path. `paths` leads from each path of the document to its type."""

    call: str
    status: int
    paths: dict[str, str]


def shape(document: Any) -> dict[str, str]:
    return dict(walk(document, ""))


def walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Empty objects and lists count; full ones are their members."""
    members = pairs(value)
    if not members:
        yield path, TYPES[type(value)]
    for name, member in members:
        yield from walk(member, f"{path}.{name}" if path else name)


def pairs(value: Any) -> list[tuple[str, Any]]:
    """Members of a list go by the name or the type they carry, else by their place."""
    if isinstance(value, dict):
        return list(value.items())
    if not isinstance(value, list):
        return []
    return [(f"[{tag(member, place)}]", member) for place, member in enumerate(value)]


def tag(member: Any, place: int) -> str:
    known = member if isinstance(member, dict) else {}
    return str(known.get("name") or known.get("type") or place)


def steps(paths: dict[str, str]) -> list[str]:
    """The remediations in their order."""
    found = [path.split(".")[2].strip("[]") for path in paths if path.startswith("remediation.value.[")]
    return list(dict.fromkeys(found))


def read_recordings(folder: Path) -> list[Answer]:
    answers = []
    for file in sorted(folder.glob("*.json")):
        call, status, _ = file.name.split("-", 1)[1].split(".")
        answers.append(Answer(call, int(status), shape(json.loads(file.read_text("utf-8")))))
    return answers


def read_shapes(file: Path) -> list[Answer]:
    answers: list[Answer] = []
    for line in file.read_text("utf-8").splitlines():
        first, second = line.split()
        if line.startswith(" "):
            answers[-1].paths[first] = second
        else:
            answers.append(Answer(first, int(second), {}))
    return answers


def write_shapes(file: Path, answers: list[Answer]) -> None:
    lines = []
    for answer in answers:
        lines.append(f"{answer.call} {answer.status}")
        lines += [f" {path} {kind}" for path, kind in answer.paths.items()]
    file.write_text("\n".join(lines) + "\n", "utf-8")
