"""Rules about the source that no linter knows. Which folder may import which is a contract in pyproject.toml."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PARSER = ROOT / "selfreg" / "idx" / "parser.py"
DOCUMENT_EDITS = ROOT / "selfreg" / "idx" / "document_edits.py"
RAW_KEYS = {"remediation", "stateHandle", "currentAuthenticator", "authenticators", "successWithInteractionCode"}
# A word of settings and of the Management API too: alone in a collection it says nothing about the wire format.
AMBIGUOUS_KEYS = {"authenticators"}
# Which may read the settings of the default org, without being told an org: what is one for the whole site.
SITE_WIDE = {
    "admin/login.py": "TRUSTED_PROXIES",
    "auth.py": "what mozilla-django-oidc asks before there is a request",
    "boot.py": "the first page of the default org",
    "conf.py": "defines it",
    "forms/layouts.py": "REPEAT_PASSWORD",
    "middleware.py": "TRUSTED_PROXIES",
    "templatetags/selfreg.py": "pages without a request",
    "views/metrics.py": "METRICS_TOKEN",
    "web/orgs.py": "which org a request belongs to",
}


def raw_keys_in(path: Path) -> set[str]:
    """Keys of the wire format that a file knows: `document["remediation"]`, `document.get("remediation")`,
    `read(document, "remediation")`, or the key in a tuple, list, set or dict.
    """
    keys: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript):
            keys |= strings_among(node.slice) & RAW_KEYS
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get":
            keys |= strings_among(*node.args[:1]) & RAW_KEYS
        elif isinstance(node, ast.Call):
            keys |= strings_among(*node.args) & RAW_KEYS - AMBIGUOUS_KEYS
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            keys |= strings_among(*node.elts) & RAW_KEYS - AMBIGUOUS_KEYS
        elif isinstance(node, ast.Dict):
            keys |= strings_among(*node.keys) & RAW_KEYS - AMBIGUOUS_KEYS
    return keys


def strings_among(*nodes: ast.expr | None) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_only_the_parser_reads_raw_keys_of_the_protocol() -> None:
    files = [path for path in sorted((ROOT / "selfreg").rglob("*.py")) if path not in (PARSER, DOCUMENT_EDITS)]
    assert {path.name: keys for path in files if (keys := raw_keys_in(path))} == {}
    assert raw_keys_in(PARSER) >= RAW_KEYS - AMBIGUOUS_KEYS


@pytest.mark.parametrize(
    "source",
    [
        "d['remediation']",
        "d.get('remediation')",
        "read(d, 'remediation')",
        "('remediation', 'x')",
        "{'remediation'}",
        "{'remediation': []}",
    ],
)
def test_a_raw_key_is_seen_wherever_it_stands(source: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(f"value = {source}")
    assert raw_keys_in(tmp_path / "module.py") == {"remediation"}


def test_every_digest_names_its_algorithm() -> None:
    """Django warns of a call that leaves it out, because its default will change."""
    calls = [
        (path.name, node)
        for path in sorted((ROOT / "selfreg").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "salted_hmac"
    ]
    assert calls
    assert [name for name, call in calls if "algorithm" not in {keyword.arg for keyword in call.keywords}] == []


def calls_the_default_settings(path: Path) -> bool:
    """Whether a file calls ``conf()`` without naming an org."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return any(getattr(call.func, "id", "") == "conf" and not call.args for call in calls)


def test_nothing_else_takes_the_default_org_for_every_org() -> None:
    package = ROOT / "selfreg"
    files = [p for p in sorted(package.rglob("*.py")) if calls_the_default_settings(p)]
    assert {str(path.relative_to(package)) for path in files} == set(SITE_WIDE)
