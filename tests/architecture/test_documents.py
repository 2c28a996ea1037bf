"""What code and documentation cite exists."""

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
# What documents say of files that a site has.
OF_A_SITE = {"mysite/apps.py", "mysite/rules.py", "manage.py", "settings.py", "urls.py", "templates/selfreg/base.html"}
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


def test_every_source_of_the_protocol_is_explained() -> None:
    """A mark is a row of the first table, and a page of Okta's has its address in the last one."""
    text, _, addresses = PROTOCOL.read_text().partition("## Okta's pages")
    marks = set(re.findall(r"[(;] ?(SDK test|SDK|recorded|widget|assumed|docs|open)\b", text))
    assert marks <= set(re.findall(r"^\| (SDK test|SDK|recorded|widget|assumed|docs|open)\b", text, re.MULTILINE))
    named = re.findall(r"docs ((?:\*[^*]+\*(?:, | and )?)+)", " ".join(text.split()))
    pages = {page for mark in named for page in re.findall(r"\*([^*]+)\*", mark)} - {"Subject"}
    assert len(pages) > 20
    assert {page for page in pages if page not in addresses} == set()


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


# ---- files, folders and names


def prose(path: Path) -> str:
    """A document without its blocks of code."""
    return BLOCK.sub("", path.read_text())


def file_named(name: str) -> Path:
    """The file that a document means: below selfreg or, for other packages and tests, below the root."""
    return next((path for path in (ROOT / "selfreg" / name, ROOT / name) if path.is_file()), Path())


@cache
def names_in(path: Path) -> set[str]:
    """Functions, classes, methods (``Class.method``) and constants of a file."""
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
def test_every_file_and_name_in_it_that_a_document_mentions_exists(page: Path) -> None:
    mentioned = [(file, names) for file, names in FILE.findall(prose(page)) if file not in OF_A_SITE]
    assert [file for file, _names in mentioned if not file_named(file).name] == []
    assert [
        f"{file}: {name}"
        for file, names in mentioned
        for name in names.split(", ")
        if name and name not in names_in(file_named(file))
    ] == []


@pytest.mark.parametrize("text", ["`flows/gone.py: act`", "`flows/advance.py: gone`", "`flows/advance.py: act, gone`"])
def test_a_file_or_name_that_is_gone_is_noticed(text: str) -> None:
    ((file, names),) = FILE.findall(text)
    path = file_named(file)
    assert not path.name or set(names.split(", ")) - names_in(path)


def folders_of(path: Path) -> set[str]:
    """Its folders, those of tools left out."""
    return {f"{child.name}/" for child in path.iterdir() if child.is_dir() and not child.name.startswith(("_", "."))}


@pytest.mark.parametrize(
    ("document", "heading", "folder"),
    [
        (ARCHITECTURE, "## The folders", "selfreg"),
        (CONTRIBUTING, "## Run tests", "tests"),
    ],
)
def test_a_map_names_every_folder_and_no_other(document: str, heading: str, folder: str) -> None:
    rows = re.findall(r"^\| (`.*?) \|", document.split(heading)[1].split("\n## ")[0], re.MULTILINE)
    named = {name for row in rows for name in FOLDER.findall(row)}
    assert named == folders_of(ROOT / folder)


def test_the_map_in_the_package_names_existing_things() -> None:
    bullets = [line for line in (selfreg.__doc__ or "").splitlines() if line.startswith("- ")]
    named = set(re.findall(r"``(\w+)``", "\n".join(bullets)))
    existing = {path.stem for path in (ROOT / "selfreg").iterdir()}
    assert len(named) > 20
    assert named - existing == set()


def test_the_drawing_of_the_layers_is_the_contract() -> None:
    rows: defaultdict[int, set[str]] = defaultdict(set)
    for y, name in re.findall(r'<text x="\d+" y="(\d+)" text-anchor="middle">([\w./]+)</text>', LAYERS.read_text()):
        rows[int(y)].add(name.removesuffix("/").removesuffix(".py"))
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c.get("containers") == ["selfreg"])
    assert [rows[y] for y in sorted(rows)] == [set(layer.split(" | ")) for layer in layers]


# ---- the walks


def walk(heading: str) -> list[str]:
    """The functions of a numbered walk as ``flows/advance.py:act``, in their order."""
    section = ARCHITECTURE.split(f"### {heading}")[1].split("\n## ")[0].split("\n### ")[0]
    steps = "\n".join(re.findall(r"^\d+\. .*(?:\n   .*)*", section, re.MULTILINE))
    return [f"{file}:{name}" for file, names in FILE.findall(steps) for name in names.split(", ") if name]


def assert_walked(trace: Trace, names: list[str]) -> None:
    """Every function was called, and each for the first time after the one before it."""
    assert len(names) > 10
    called = list(trace.calls)
    assert [name for name in names if name not in called] == []
    assert names == sorted(names, key=called.index)


def test_the_form_walks_as_the_architecture_says(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    with tracing() as trace:
        person.tells_who_she_is()
    assert_walked(trace, walk("The form"))


def test_a_code_walks_as_the_architecture_says(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    with tracing() as trace:
        person.types_the_code_from(org)
    assert_walked(trace, walk("A code"))


def test_the_callback_walks_as_the_architecture_says(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    again = Person().opens(f"{SITE}/oidc/authenticate/")
    with tracing() as trace:
        again.signs_in_at_the_org()
    assert again.is_signed_in
    assert_walked(trace, walk("The sign-in"))


# ---- terms


def meaning_of(term: str) -> str:
    """The glossary's explanation."""
    (meaning,) = re.findall(rf"^\| {term} \| (.+) \|$", GLOSSARY, re.MULTILINE)
    return str(meaning)


def test_the_glossary_names_every_outcome_and_every_status() -> None:
    assert set(re.findall(r"`(\w+)`", meaning_of("outcome"))) == {c.__name__ for c in get_args(Outcome)}
    assert set(re.findall(r"`(\w+)`", meaning_of("status"))) == {status.value for status in Status}


def test_what_the_glossary_refers_to_has_an_entry() -> None:
    terms = {t.lower() for row in re.findall(r"^\| (.+?) \|", GLOSSARY, re.MULTILINE) for t in row.split(", ")}
    terms |= {re.sub(r" \(.*\)$", "", term).strip("`") for term in terms}
    referred = {t.lower() for t in re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", GLOSSARY.split("| Term |")[1])}
    assert {
        t for t in referred if not {t, t.removesuffix("s"), t.removesuffix("'s"), t.removesuffix("es")} & terms
    } == set()
