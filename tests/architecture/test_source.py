"""Rules for the source code that no linter covers. The import rules are contracts in pyproject.toml."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PARSER = ROOT / "selfreg" / "idx" / "parser.py"
DOCUMENT_EDITS = ROOT / "selfreg" / "idx" / "document_edits.py"
RAW_KEYS = {"remediation", "stateHandle", "currentAuthenticator", "authenticators", "successWithInteractionCode"}
# Also used in settings and in the Management API, so that it is ignored in collections.
AMBIGUOUS_KEYS = {"authenticators"}
# Files that may read the settings of the default org, and the site-wide value they need.
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
    """Return the keys of the wire format that a file uses: `document["remediation"]`, `document.get("remediation")`,
    `read(document, "remediation")`, or the key in a tuple, list, set or dict.
    """
    keys: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript):
            keys |= string_constants(node.slice) & RAW_KEYS
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get":
            keys |= string_constants(*node.args[:1]) & RAW_KEYS
        elif isinstance(node, ast.Call):
            keys |= string_constants(*node.args) & RAW_KEYS - AMBIGUOUS_KEYS
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            keys |= string_constants(*node.elts) & RAW_KEYS - AMBIGUOUS_KEYS
        elif isinstance(node, ast.Dict):
            keys |= string_constants(*node.keys) & RAW_KEYS - AMBIGUOUS_KEYS
    return keys


def string_constants(*nodes: ast.expr | None) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_only_the_parser_reads_raw_keys() -> None:
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
def test_raw_key_is_detected_in_any_expression(source: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(f"value = {source}")
    assert raw_keys_in(tmp_path / "module.py") == {"remediation"}


def test_salted_hmac_calls_name_the_algorithm() -> None:
    """Django warns if it is missing, because the default will change."""
    calls = [
        (path.name, node)
        for path in sorted((ROOT / "selfreg").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "salted_hmac"
    ]
    assert calls
    assert [name for name, call in calls if "algorithm" not in {keyword.arg for keyword in call.keywords}] == []


def calls_the_default_settings(path: Path) -> bool:
    """Return whether a file calls ``conf()`` without an org."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return any(getattr(call.func, "id", "") == "conf" and not call.args for call in calls)


def test_settings_of_the_default_org_are_read_only_for_site_wide_values() -> None:
    package = ROOT / "selfreg"
    files = [p for p in sorted(package.rglob("*.py")) if calls_the_default_settings(p)]
    assert {str(path.relative_to(package)) for path in files} == set(SITE_WIDE)
