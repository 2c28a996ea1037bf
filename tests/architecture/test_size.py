"""Limits on the size of files, classes and functions, and on where step kinds are distinguished."""

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("selfreg", "okta_devorg", "project")
MAX_FILE_LINES = 400
MAX_PUBLIC_METHODS = 15
MAX_FUNCTION_LINES = 40
MAX_PARAMETERS = 6
# The core may shrink, but not grow. The goal is 5,000.
MAX_CORE_CODE_LINES = 9_616
# Parts of selfreg that a site can do without, and what Django generates.
NOT_IN_THE_CORE = {
    "doctor",
    "admin",
    "api",
    "management",
    "reports",
    "okta_api",
    "migrations",
    "monitoring",
    "boot.py",
    "tasks.py",
}
STEP_KINDS = {"Step", "Granted", "Ended"}
NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def source_files(*packages: str) -> list[Path]:
    """Return the Python files of these packages, except migrations."""
    paths = (path for package in packages for path in sorted((ROOT / package).rglob("*.py")))
    return [path for path in paths if "migrations" not in path.parts]


def code_lines(source: str) -> int:
    """Return the number of lines with code, without docstrings, comments and blank lines."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


def exceeded_limits(path: Path) -> Iterator[str]:
    """Yield everything in this file that exceeds a limit."""
    source, name = path.read_text(), path.relative_to(ROOT)
    if (lines := len(source.splitlines())) > MAX_FILE_LINES:
        yield f"{name}: {lines} lines"
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from (
                    f"{name}:{node.lineno} {node.name}: {problem}" for problem in exceeded_function_limits(node)
                )
            case ast.ClassDef():
                methods = [n for n in node.body if isinstance(n, Function) and not n.name.startswith("_")]
                if len(methods) > MAX_PUBLIC_METHODS:
                    yield f"{name}:{node.lineno} {node.name}: {len(methods)} public methods"


def exceeded_function_limits(node: Function) -> Iterator[str]:
    """Yield the limits a function exceeds. ``self`` and ``cls`` do not count as parameters, keyword-only ones do."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > MAX_FUNCTION_LINES:
        yield f"{lines} lines"
    arguments = node.args
    parameters = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    count = len([p for p in parameters if p not in ("self", "cls")])
    if count > MAX_PARAMETERS:
        yield f"{count} parameters"


def step_kind_checks(path: Path) -> Iterator[str]:
    """Yield every ``isinstance`` call with ``Step``, ``Granted`` or ``Ended`` of ``idx.steps``."""
    tree = ast.parse(path.read_text())
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "selfreg.idx.steps"
        for alias in node.names
        if alias.name in STEP_KINDS
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
            names = {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
            if names & imported:
                yield f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize("package", PACKAGES)
def test_files_classes_and_functions_stay_within_size_limits(package: str) -> None:
    assert [problem for path in source_files(package) for problem in exceeded_limits(path)] == []


def test_step_kinds_are_distinguished_only_in_flows_and_transition() -> None:
    allowed = {ROOT / "selfreg" / "registration" / "transition.py", *source_files("selfreg/flows")}
    other_files = [path for path in source_files("selfreg") if path not in allowed]
    assert [place for path in other_files for place in step_kind_checks(path)] == []


def test_core_stays_within_its_line_limit() -> None:
    core = [path for path in source_files("selfreg") if not NOT_IN_THE_CORE & set(path.relative_to(ROOT).parts)]
    assert sum(code_lines(path.read_text()) for path in core) <= MAX_CORE_CODE_LINES


def test_code_lines_ignore_docstrings_comments_and_blank_lines() -> None:
    assert (
        code_lines('"""Module."""\n\n# why\nx = 1  # what\n\n\ndef f():\n    """Doc.\n\n    More."""\n    return x\n')
        == 3
    )
