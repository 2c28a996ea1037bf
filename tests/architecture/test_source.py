"""Rules about the source that no linter knows. Which folder may import which is a contract in pyproject.toml."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PARSER = ROOT / "selfreg" / "idx" / "parser.py"
RAW_KEYS = {"remediation", "stateHandle", "currentAuthenticator", "authenticators", "successWithInteractionCode"}


def raw_keys_in(path: Path) -> set[str]:
    """Keys of the wire format that a file reads: `document["remediation"]`, `document.get("remediation")`."""
    read: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript):
            key: ast.expr = node.slice
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get" and node.args:
            key = node.args[0]
        else:
            continue
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            read.add(key.value)
    return read & RAW_KEYS


def test_only_the_parser_reads_raw_keys_of_the_protocol() -> None:
    files = [path for path in sorted((ROOT / "selfreg").rglob("*.py")) if path != PARSER]
    assert {path.name: keys for path in files if (keys := raw_keys_in(path))} == {}
    assert raw_keys_in(PARSER)
