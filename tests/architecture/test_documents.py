"""What code and documentation cite exists."""

import re
from collections.abc import Iterator
from dataclasses import fields
from functools import reduce
from pathlib import Path

import pytest

from okta_devorg.policy.settings import Policy, Unknowns

ROOT = Path(__file__).resolve().parent.parent.parent
PROTOCOL = ROOT / "docs" / "protocol.md"
NUMBER = r"\d+(?:\.\d+)?"
HEADING = re.compile(rf"^#{{2,3}} ({NUMBER})\.? ", re.MULTILINE)
# "docs/protocol.md, section 4.7", "docs/protocol.md, sections 3.2 to 3.5", also across two lines of a comment.
CITATION = re.compile(rf"docs/protocol\.md,[\s#]+sections?[\s#]+({NUMBER}(?:(?:, | and | to ){NUMBER})*)")
WITHOUT_DOCUMENT = re.compile(r"\bprotocol (?:sections? )?\d")
SWITCH = re.compile(r"`((?:unknowns|statuses|lifetimes|limits)\.[a-z_0-9]+)`")
SWITCH_ROW = re.compile(rf"^\|[^|]+\| {SWITCH.pattern} \| `?(\w+)`? \|$", re.MULTILINE)
# "(4.7)" in the documents themselves. Other numbers in brackets have more digits or stand beside something else.
IN_BRACKETS = re.compile(r"\((\d{1,2}(?:\.\d{1,2})?)\)")


def python_files() -> Iterator[Path]:
    """The project's own sources, this file left out."""
    for folder in ("selfreg", "okta_devorg", "project", "tests", "benchmarks"):
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if path != Path(__file__).resolve())


def sections() -> set[str]:
    """The numbers of the protocol document's headings."""
    return set(HEADING.findall(PROTOCOL.read_text()))


def test_every_section_of_the_protocol_that_the_code_cites_exists() -> None:
    cited = {
        (str(path.relative_to(ROOT)), number)
        for path in python_files()
        for numbers in CITATION.findall(path.read_text())
        for number in re.findall(NUMBER, numbers)
    }
    assert cited
    existing = sections()
    assert {(path, number) for path, number in cited if number not in existing} == set()


def test_the_protocol_is_cited_with_the_name_of_its_document() -> None:
    assert [str(path) for path in python_files() if WITHOUT_DOCUMENT.search(path.read_text())] == []


@pytest.mark.parametrize("document", ["protocol.md", "glossary.md"])
def test_every_section_that_a_document_refers_to_exists(document: str) -> None:
    cited = set(IN_BRACKETS.findall((PROTOCOL.parent / document).read_text()))
    assert cited
    assert cited - sections() == set()


def test_no_section_number_is_used_twice() -> None:
    numbers = HEADING.findall(PROTOCOL.read_text())
    assert len(numbers) == len(set(numbers))


def default_of(switch: str) -> object:
    """What a switch such as ``unknowns.poll_renews`` is in a new local org; AttributeError if there is none."""
    return reduce(getattr, switch.split("."), Policy())


def as_written(value: object) -> str:
    """A setting as the document and JSON write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_switch_that_the_protocol_names_is_one_of_the_local_org() -> None:
    switches = set(SWITCH.findall(PROTOCOL.read_text()))
    assert switches >= {f"unknowns.{field.name}" for field in fields(Unknowns)}
    for switch in switches:
        default_of(switch)


def test_what_is_not_known_has_the_default_that_the_protocol_says() -> None:
    rows = SWITCH_ROW.findall(PROTOCOL.read_text())
    assert len(rows) > len(fields(Unknowns))
    assert dict(rows) == {switch: as_written(default_of(switch)) for switch, _default in rows}


def test_the_glossary_is_alphabetical() -> None:
    rows = re.findall(r"^\| (.+?) \|", (PROTOCOL.parent / "glossary.md").read_text(), re.MULTILINE)[1:]
    terms = [row.replace("`", "").casefold() for row in rows]
    assert terms == sorted(terms, key=lambda term: re.sub(r"[^a-z ]", "", term))
