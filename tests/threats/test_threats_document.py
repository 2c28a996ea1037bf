"""``docs/threats.md`` and the tests say the same."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r"^\| (T\d+) \|.*\| `(test_\w+)` \| (.+) \|$", re.MULTILINE)
REQUIRED = {f"T{n}" for n in (*range(1, 19), *range(35, 46), *range(48, 61))}


def rows() -> list[tuple[str, str, str]]:
    return ROW.findall((ROOT / "docs" / "threats.md").read_text())


def test_every_row_names_a_test_that_exists() -> None:
    written = "\n".join(f.read_text() for f in (ROOT / "tests").rglob("test_*.py"))
    tests = set(re.findall(r"^def (test_\w+)", written, re.MULTILINE))
    assert [number for number, test, _ in rows() if test not in tests] == []
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "threats.md").read_text())
    assert [test for test in named if test not in tests] == []


def test_every_row_is_whole_and_every_threat_has_one() -> None:
    lines = [r for r in (ROOT / "docs" / "threats.md").read_text().splitlines() if re.match(r"\| T\d", r)]
    assert len(lines) == len(rows())
    numbers = [number for number, _, _ in rows()]
    assert len(numbers) == len(set(numbers))
    assert set(numbers) >= REQUIRED


def test_each_test_is_named_after_its_row() -> None:
    assert [n for n, test, _ in rows() if not test.startswith(f"test_{n.lower()}_")] == []


def test_every_test_that_the_page_about_standards_names_exists() -> None:
    written = "\n".join(f.read_text() for f in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "asvs.md").read_text())
    assert len(named) > 30
    assert [test for test in named if f"def {test}(" not in written] == []


def test_every_module_that_the_page_about_standards_names_exists() -> None:
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", (ROOT / "docs" / "asvs.md").read_text())
    assert len(named) > 40
    assert [module for module in named if not (ROOT / "selfreg" / module).exists()] == []


def test_the_page_about_standards_names_each_requirement_once() -> None:
    """Numbers are in brackets behind the topic, where they could be compared with the standard."""
    text = (ROOT / "docs" / "asvs.md").read_text().partition("## RFC 9700")[0]
    for chapter in text.split("\n## ")[1:]:
        topics = re.findall(r"^\| (?!Requirement)([^|]+) \|", chapter, re.MULTILINE)
        assert len(topics) == len(set(topics)) > 3
    numbers = re.findall(r"\b\d+\.\d+\.\d+\b", text)
    assert len(numbers) == len(set(numbers)) > 30
