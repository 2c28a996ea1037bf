"""Shapes of an org's answers: keys, types and their order, without values.

The `.txt` files have the shapes of recorded registrations, one file for each sequence. To create them again, run
`python -m support.local_org.shapes FOLDER` in tests; FOLDER has a folder for each sequence with files
`NN-METHOD-call.STATUS.json`.
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
    """`call` is the method and the end of the path. `paths` maps each path of the document to its type."""

    call: str
    status: int
    paths: dict[str, str]


def shape(document: Any) -> dict[str, str]:
    return dict(walk(document, ""))


def walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Empty objects and lists have a path of their own; others have those of their members."""
    members = pairs(value)
    if not members:
        yield path, TYPES[type(value)]
    for name, member in members:
        yield from walk(member, f"{path}.{name}" if path else name)


def pairs(value: Any) -> list[tuple[str, Any]]:
    """The members of a value. Members of a list are identified by their name or type, else by their index."""
    if isinstance(value, dict):
        return list(value.items())
    if not isinstance(value, list):
        return []
    return [(f"[{tag(member, index)}]", member) for index, member in enumerate(value)]


def tag(member: Any, index: int) -> str:
    values = member if isinstance(member, dict) else {}
    return str(values.get("name") or values.get("type") or index)


def steps(paths: dict[str, str]) -> list[str]:
    """The remediations in their order."""
    names = [path.split(".")[2].strip("[]") for path in paths if path.startswith("remediation.value.[")]
    return list(dict.fromkeys(names))


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
