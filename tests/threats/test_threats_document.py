"""``docs/threats.md`` and ``docs/asvs.md`` match the tests and modules."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r"^\| (T\d+) \|.*\| `(test_\w+)` \| (.+) \|$", re.MULTILINE)
REQUIRED = {f"T{n}" for n in (*range(1, 19), *range(35, 46), *range(48, 61))}


def rows() -> list[tuple[str, str, str]]:
    return ROW.findall((ROOT / "docs" / "threats.md").read_text())


def test_every_test_named_in_threats_md_exists() -> None:
    sources = "\n".join(f.read_text() for f in (ROOT / "tests").rglob("test_*.py"))
    tests = set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))
    assert [number for number, test, _ in rows() if test not in tests] == []
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "threats.md").read_text())
    assert [test for test in named if test not in tests] == []


def test_threats_table_is_well_formed_and_covers_every_required_threat() -> None:
    lines = [r for r in (ROOT / "docs" / "threats.md").read_text().splitlines() if re.match(r"\| T\d", r)]
    assert len(lines) == len(rows())
    numbers = [number for number, _, _ in rows()]
    assert len(numbers) == len(set(numbers))
    assert set(numbers) >= REQUIRED


def test_tests_of_numbered_threats_start_with_the_number() -> None:
    assert [n for n, test, _ in rows() if not test.startswith(f"test_{n.lower()}_")] == []


def test_every_test_named_in_asvs_md_exists() -> None:
    sources = "\n".join(f.read_text() for f in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "asvs.md").read_text())
    assert len(named) > 30
    assert [test for test in named if f"def {test}(" not in sources] == []


def test_every_module_named_in_asvs_md_exists() -> None:
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", (ROOT / "docs" / "asvs.md").read_text())
    assert len(named) > 40
    assert [module for module in named if not (ROOT / "selfreg" / module).exists()] == []


def test_asvs_md_lists_each_requirement_once() -> None:
    """The numbers of the standard are unique, and so are the topics of a chapter."""
    text = (ROOT / "docs" / "asvs.md").read_text().partition("## RFC 9700")[0]
    for chapter in text.split("\n## ")[1:]:
        topics = re.findall(r"^\| (?!Requirement)([^|]+) \|", chapter, re.MULTILINE)
        assert len(topics) == len(set(topics)) > 3
    numbers = re.findall(r"\b\d+\.\d+\.\d+\b", text)
    assert len(numbers) == len(set(numbers)) > 30
