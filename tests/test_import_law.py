"""Which file may import which: files of lower floors only, and siblings not each other. Read by `ast`."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Every module of selfreg, lowest floor first. A new file is given the lowest floor above all that it imports.
# A package other than idx has one floor for all its files, which may import each other, though not in circles.
STOREYS: tuple[set[str], ...] = (
    {"cache", "conf", "email", "qr", "signals", "idx.errors", "idx.pkce", "idx.id_token", "idx.deadline"},
    {"idx.response", "idx.circuit", "idx.client_auth", "vault", "landing", "profile_hook"},
    {"idx.transport"},
    {"idx.client", "models", "okta_admin"},
    {"limits", "steps", "flow", "visit", "identities", "policy_history", "tally"},
    {"linking", "org", "texts", "passwords", "neutral", "proving", "funnel"},
    {"conversation", "auth"},
    {"enrollment"},
    {"approval", "browser", "forms", "decorators", "recovery", "retention"},
    {"progress", "description"},
    {"beginning", "mail_link"},
    {"views", "api"},
    {"doctor"},
    {"setup_org"},
    {"urls", "admin", "checks", "templatetags"},
    {"apps", "management"},
)
FLOORS = {module: floor for floor, modules in enumerate(STOREYS) for module in modules}
# Not part of the order: the version, which everybody may read, and what Django runs by itself.
APART = {"", "idx"}


def sources(package: str) -> dict[str, Path]:
    """Module name below the package -> file, migrations aside."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT / package).with_suffix("").parts
        if "migrations" not in parts:
            found[".".join(p for p in parts if p != "__init__")] = path
    return found


def imports(package: str, module: str, path: Path) -> Iterator[str]:
    """Full dotted names of everything a file imports, `from package import module` resolved to the module."""
    known = sources(package)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(package, module, path, node)
            for alias in node.names:
                below = f"{base}.{alias.name}"
                yield below if below.removeprefix(f"{package}.") in known else base


def absolute(package: str, module: str, path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    here = [package, *([] if not module else module.split("."))]
    outer = here[: len(here) - node.level + (path.stem == "__init__")]
    return ".".join([*outer, *([node.module] if node.module else [])])


def own(package: str, module: str, path: Path) -> set[str]:
    """What a file imports of its own package, by module name below it."""
    found = {name for name in imports(package, module, path) if name == package or name.startswith(f"{package}.")}
    return {name.removeprefix(package).removeprefix(".") for name in found} - APART


SELFREG = sources("selfreg")
BOTH = [(package, module) for package in ("selfreg", "okta_devorg") for module in sources(package)]


def place(module: str) -> str:
    """Where a file stands in the table: itself below idx, else its package."""
    return module if module.startswith("idx.") else module.split(".")[0]


def test_every_module_has_its_floor() -> None:
    assert {place(module) for module in set(SELFREG) - APART} <= set(FLOORS)


@pytest.mark.parametrize("module", sorted(set(SELFREG) - APART))
def test_a_file_imports_lower_floors_only(module: str) -> None:
    others = {name for name in own("selfreg", module, SELFREG[module]) if place(name) != place(module)}
    assert not {name for name in others if FLOORS[place(name)] >= FLOORS[place(module)]}


def test_no_file_imports_itself_by_way_of_others() -> None:
    graph = {module: own("selfreg", module, SELFREG[module]) - {module} for module in SELFREG}
    assert list(TopologicalSorter(graph).static_order())


def test_the_wire_and_the_row_do_not_know_each_other() -> None:
    assert FLOORS["models"] == FLOORS["idx.client"]
    assert not {m for m in own("selfreg", "models", SELFREG["models"]) if m.startswith("idx.")}


@pytest.mark.parametrize("module", [m for m in SELFREG if m.split(".")[0] == "idx"])
def test_the_protocol_knows_neither_django_nor_the_rest_of_the_app(module: str) -> None:
    names = set(imports("selfreg", module, SELFREG[module]))
    assert not {n for n in names if n.split(".")[0] in ("django", "mozilla_django_oidc")}
    assert not {n for n in names if n.split(".")[0] == "selfreg" and not n.startswith("selfreg.idx")}


@pytest.mark.parametrize(("package", "module"), BOTH)
def test_the_app_and_the_local_org_never_import_each_other(package: str, module: str) -> None:
    other = {"selfreg": "okta_devorg", "okta_devorg": "selfreg"}[package]
    roots = {name.split(".")[0] for name in imports(package, module, sources(package)[module])}
    assert other not in roots
    assert "project" not in roots


@pytest.mark.parametrize(("package", "module"), BOTH)
def test_nothing_is_imported_inside_a_function(package: str, module: str) -> None:
    tree = ast.parse(sources(package)[module].read_text())
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    inside = [i.lineno for f in functions for i in ast.walk(f) if isinstance(i, ast.Import | ast.ImportFrom)]
    assert not inside


def test_only_the_parser_reads_raw_keys() -> None:
    """No other file of the app says `["remediation"]` or `.get("successWithInteractionCode")`."""
    raw = {"remediation", "stateHandle", "currentAuthenticator", "authenticators", "successWithInteractionCode"}
    found = {}
    for module in set(SELFREG) - {"idx.response"}:
        tree = ast.parse(SELFREG[module].read_text())
        keys = [n.slice for n in ast.walk(tree) if isinstance(n, ast.Subscript)]
        keys += [n.args[0] for n in ast.walk(tree) if is_get(n)]  # type: ignore[attr-defined]
        said = {k.value for k in keys if isinstance(k, ast.Constant) and isinstance(k.value, str)}
        found[module] = said & raw
    assert not {m: k for m, k in found.items() if k}


def is_get(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get" and bool(node.args)
