"""Everything that code and documentation cite exists, and the architecture document matches the code."""

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from functools import cache, reduce
from pathlib import Path
from typing import get_args

import pytest

import selfreg
from architecture.tracing import Trace, tracing
from okta_devorg import OrgHandle
from okta_devorg.policy.behaviour import Unknowns
from okta_devorg.policy.settings import Policy
from selfreg.registration.outcome import Outcome
from selfreg.statuses import Status
from support.person import SITE, Person

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PROTOCOL = DOCS / "protocol.md"
LAYERS = DOCS / "images" / "layers.svg"
ARCHITECTURE = (DOCS / "architecture.md").read_text()
GLOSSARY = (DOCS / "glossary.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
# Files of a site that documents mention.
FILES_OF_A_SITE = {
    "mysite/apps.py",
    "mysite/rules.py",
    "manage.py",
    "settings.py",
    "urls.py",
    "templates/selfreg/base.html",
}
# `conf.py`, or `flows/advance.py: act, follow` for names in the file.
FILE = re.compile(r"`([\w./-]+\.py)(?:: ([\w.]+(?:, [\w.]+)*))?`")
FOLDER = re.compile(r"`([a-z_]+(?:/[a-z_]+)*/)`")
BLOCK = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
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
    """Yield the project's Python files except this one."""
    for folder in ("selfreg", "okta_devorg", "project", "tests", "benchmarks"):
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if path != Path(__file__).resolve())


def sections() -> set[str]:
    """Return the section numbers of the protocol document."""
    return set(HEADING.findall(PROTOCOL.read_text()))


def test_sections_of_the_protocol_cited_in_code_exist() -> None:
    cited = {
        (str(path.relative_to(ROOT)), number)
        for path in python_files()
        for numbers in CITATION.findall(path.read_text())
        for number in re.findall(NUMBER, numbers)
    }
    assert cited
    existing = sections()
    assert {(path, number) for path, number in cited if number not in existing} == set()


def test_citations_of_the_protocol_name_the_document() -> None:
    assert [str(path) for path in python_files() if WITHOUT_DOCUMENT.search(path.read_text())] == []


@pytest.mark.parametrize("document", ["protocol.md", "glossary.md"])
def test_sections_of_the_protocol_cited_in_documents_exist(document: str) -> None:
    cited = set(IN_BRACKETS.findall((PROTOCOL.parent / document).read_text()))
    assert cited
    assert cited - sections() == set()


def test_section_numbers_are_unique() -> None:
    numbers = HEADING.findall(PROTOCOL.read_text())
    assert len(numbers) == len(set(numbers))


def default_of(switch: str) -> object:
    """Return the default of a switch such as ``unknowns.poll_renews``. Raises AttributeError if it does not exist."""
    return reduce(getattr, switch.split("."), Policy())


def as_written(value: object) -> str:
    """Format a setting as in the document and in JSON."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_source_cited_in_the_protocol_is_explained() -> None:
    """Every mark is in the first table, and every page of Okta is in the last one with its URL."""
    text, _, addresses = PROTOCOL.read_text().partition("## Okta's pages")
    marks = set(re.findall(r"[(;] ?(SDK test|SDK|recorded|widget|assumed|docs|open)\b", text))
    assert marks <= set(re.findall(r"^\| (SDK test|SDK|recorded|widget|assumed|docs|open)\b", text, re.MULTILINE))
    named = re.findall(r"docs ((?:\*[^*]+\*(?:, | and )?)+)", " ".join(text.split()))
    pages = {page for mark in named for page in re.findall(r"\*([^*]+)\*", mark)} - {"Subject"}
    assert len(pages) > 20
    assert {page for page in pages if page not in addresses} == set()


def test_switches_in_the_protocol_exist_in_the_local_org() -> None:
    switches = set(SWITCH.findall(PROTOCOL.read_text()))
    assert switches >= {f"unknowns.{field.name}" for field in fields(Unknowns)}
    for switch in switches:
        default_of(switch)


def test_defaults_of_switches_match_the_protocol() -> None:
    rows = SWITCH_ROW.findall(PROTOCOL.read_text())
    assert len(rows) > len(fields(Unknowns))
    assert dict(rows) == {switch: as_written(default_of(switch)) for switch, _default in rows}


def test_glossary_is_alphabetical() -> None:
    rows = re.findall(r"^\| (.+?) \|", (PROTOCOL.parent / "glossary.md").read_text(), re.MULTILINE)[1:]
    terms = [row.replace("`", "").casefold() for row in rows]
    assert terms == sorted(terms, key=lambda term: re.sub(r"[^a-z ]", "", term))


# ---- files, folders and names


def prose(path: Path) -> str:
    """Return a document without its code blocks."""
    return BLOCK.sub("", path.read_text())


def file_named(name: str) -> Path:
    """Return the file that a document mentions: below selfreg, else below the root."""
    return next((path for path in (ROOT / "selfreg" / name, ROOT / name) if path.is_file()), Path())


@cache
def names_in(path: Path) -> set[str]:
    """Return functions, classes, methods (``Class.method``) and constants of a file."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef(name=name):
                names.add(name)
            case ast.ClassDef(name=name, body=body):
                names |= {name} | {f"{name}.{n.name}" for n in body if isinstance(n, ast.FunctionDef)}
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_files_and_names_mentioned_in_documents_exist(page: Path) -> None:
    mentioned = [(file, names) for file, names in FILE.findall(prose(page)) if file not in FILES_OF_A_SITE]
    assert [file for file, _names in mentioned if not file_named(file).name] == []
    assert [
        f"{file}: {name}"
        for file, names in mentioned
        for name in names.split(", ")
        if name and name not in names_in(file_named(file))
    ] == []


@pytest.mark.parametrize("text", ["`flows/gone.py: act`", "`flows/advance.py: gone`", "`flows/advance.py: act, gone`"])
def test_missing_file_or_name_is_detected(text: str) -> None:
    ((file, names),) = FILE.findall(text)
    path = file_named(file)
    assert not path.name or set(names.split(", ")) - names_in(path)


def folders_of(path: Path) -> set[str]:
    """Return the folders in a folder, except those of tools."""
    return {f"{child.name}/" for child in path.iterdir() if child.is_dir() and not child.name.startswith(("_", "."))}


@pytest.mark.parametrize(
    ("document", "heading", "folder"),
    [
        (ARCHITECTURE, "## The folders", "selfreg"),
        (CONTRIBUTING, "## Run tests", "tests"),
    ],
)
def test_folder_tables_list_exactly_the_existing_folders(document: str, heading: str, folder: str) -> None:
    rows = re.findall(r"^\| (`.*?) \|", document.split(heading)[1].split("\n## ")[0], re.MULTILINE)
    named = {name for row in rows for name in FOLDER.findall(row)}
    assert named == folders_of(ROOT / folder)


def test_modules_in_the_package_docstring_exist() -> None:
    bullets = [line for line in (selfreg.__doc__ or "").splitlines() if line.startswith("- ")]
    named = set(re.findall(r"``(\w+)``", "\n".join(bullets)))
    existing = {path.stem for path in (ROOT / "selfreg").iterdir()}
    assert len(named) > 20
    assert named - existing == set()


def test_layers_drawing_matches_the_import_contract() -> None:
    rows: defaultdict[int, set[str]] = defaultdict(set)
    for y, name in re.findall(r'<text x="\d+" y="(\d+)" text-anchor="middle">([\w./]+)</text>', LAYERS.read_text()):
        rows[int(y)].add(name.removesuffix("/").removesuffix(".py"))
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c.get("containers") == ["selfreg"])
    assert [rows[y] for y in sorted(rows)] == [set(layer.split(" | ")) for layer in layers]


# ---- call order


def documented_calls(heading: str) -> list[str]:
    """Return the functions of a numbered list as ``flows/advance.py:act``, in order."""
    section = ARCHITECTURE.split(f"### {heading}")[1].split("\n## ")[0].split("\n### ")[0]
    steps = "\n".join(re.findall(r"^\d+\. .*(?:\n   .*)*", section, re.MULTILINE))
    return [f"{file}:{name}" for file, names in FILE.findall(steps) for name in names.split(", ") if name]


def assert_call_order(trace: Trace, names: list[str]) -> None:
    """Assert that every function was called, and first called in this order."""
    assert len(names) > 10
    called = list(trace.calls)
    assert [name for name in names if name not in called] == []
    assert names == sorted(names, key=called.index)


def test_call_order_of_the_form_matches_the_architecture_document(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    with tracing() as trace:
        person.submits_profile()
    assert_call_order(trace, documented_calls("The form"))


def test_call_order_of_a_code_matches_the_architecture_document(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    with tracing() as trace:
        person.types_the_code_from(org)
    assert_call_order(trace, documented_calls("A code"))


def test_call_order_of_the_callback_matches_the_architecture_document(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    returning_person = Person().opens(f"{SITE}/oidc/authenticate/")
    with tracing() as trace:
        returning_person.signs_in_at_the_org()
    assert returning_person.is_signed_in
    assert_call_order(trace, documented_calls("The sign-in"))


# ---- terms


def meaning_of(term: str) -> str:
    """Return the explanation of a term."""
    (meaning,) = re.findall(rf"^\| {term} \| (.+) \|$", GLOSSARY, re.MULTILINE)
    return str(meaning)


def test_glossary_lists_every_outcome_and_status() -> None:
    assert set(re.findall(r"`(\w+)`", meaning_of("outcome"))) == {c.__name__ for c in get_args(Outcome)}
    assert set(re.findall(r"`(\w+)`", meaning_of("status"))) == {status.value for status in Status}


def test_terms_in_italics_have_a_glossary_entry() -> None:
    terms = {t.lower() for row in re.findall(r"^\| (.+?) \|", GLOSSARY, re.MULTILINE) for t in row.split(", ")}
    terms |= {re.sub(r" \(.*\)$", "", term).strip("`") for term in terms}
    references = {t.lower() for t in re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", GLOSSARY.split("| Term |")[1])}
    assert {
        t for t in references if not {t, t.removesuffix("s"), t.removesuffix("'s"), t.removesuffix("es")} & terms
    } == set()
