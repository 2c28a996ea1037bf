"""Every name in the documentation exists, and every name that exists is in the documentation: kind by kind."""

import ast
import re
import runpy
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import global_settings
from django.core.management import load_command_class
from django.dispatch import Signal
from django.urls import Resolver404, resolve

import okta_devorg.pytest_plugin as pytest_plugin
from okta_devorg.__main__ import argument_parser
from okta_devorg.app.routes import LOCAL_ROUTES
from okta_devorg.policy.behaviour import Limits, Unknowns
from okta_devorg.policy.settings import Authenticators, Policy
from okta_devorg.state.faults import FAULT_KINDS
from okta_devorg.testing import OktaOrg
from selfreg import signals
from selfreg.api.urls import urlpatterns as api_urls
from selfreg.checks.base import CHECKS
from selfreg.conf import SETTING_NAMES
from selfreg.doctor.findings import FINDING_KINDS
from selfreg.models import RegistrationEvent
from selfreg.templatetags.selfreg import register
from selfreg.texts.messages import OUR_MESSAGES

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = {path.name: path.read_text() for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")]}
EVERYTHING = "\n".join(PAGES.values())
REFERENCE = runpy.run_path(str(DOCS / "reference_tables.py"))
TEMPLATES = ROOT / "selfreg" / "templates" / "selfreg"


def told(pattern: str, *pages: str) -> set[str]:
    """Everything in these pages, or in all, that fits a pattern."""
    text = "\n".join(PAGES[page] for page in pages) if pages else EVERYTHING
    return set(re.findall(pattern, text, re.MULTILINE))


def section(page: str, heading: str) -> str:
    """The text below a heading, up to the next one of its level."""
    level = heading.partition(" ")[0]
    return re.split(rf"^{level} ", PAGES[page].split(f"\n{heading}\n")[1], flags=re.MULTILINE)[0]


def first_cells(text: str) -> set[str]:
    """The names in code in the first column of the tables in a text."""
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def generated(table: str) -> set[str]:
    """The names in the first column of a table of docs/reference.md, which is read from the code."""
    _header, rows = REFERENCE["TABLES"][table]
    assert f".. selfreg-table:: {table}" in PAGES["reference.md"]
    return {re.sub(r"[`\\]", "", row[0]) for row in rows()}


def options_of(parser: ArgumentParser) -> set[str]:
    """The names of all options of a command line."""
    return {name for action in parser._actions for name in action.option_strings}  # noqa: SLF001  (argparse has no other way)


# ---- settings, checks, findings


def test_every_setting_that_is_told_exists() -> None:
    named = told(r'SELFREG\["(\w+)"\]') | told(r'^ +"([A-Z_]+)": ', "README.md", "tutorial.md", "several-orgs.md")
    assert len(named) > 10
    assert named - SETTING_NAMES == set()


def test_every_word_in_capitals_is_a_setting_or_a_variable() -> None:
    """A setting that was renamed would stay in the prose."""
    variables = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    known = SETTING_NAMES | variables | set(dir(global_settings)) | OTHERS
    assert told(r"`([A-Z][A-Z_]{3,})`") - known - statuses_of_okta() == set()


# Settings of other packages, environment variables of other programs, constants of our code.
OTHERS = {
    "OIDC_AUTHENTICATE_CLASS", "OIDC_CALLBACK_CLASS", "OIDC_OP_LOGOUT_URL_METHOD", "OIDC_USE_PKCE", "OIDC_USE_NONCE",
    "SELFREG", "WEB_THREADS", "LOAD_SECONDS", "BENCH_QUICK", "PROMETHEUS_MULTIPROC_DIR", "HTTPS_PROXY", "SCREENSHOTS",
    "REQUESTS_CA_BUNDLE", "QUERY_STRING", "SCRIPT_NAME", "CHROMIUM", "CONN_HEALTH_CHECKS", "USERNAME_FIELD",
    "DISABLE_SERVER_SIDE_CURSORS", "EMAIL_FIELD", "OPTIONS", "MAILERS", "REPOSITORY_URL", "ATOMIC_REQUESTS",
    "ROOT_URLCONF", "OKTA_MESSAGES", "POST", "REQUEST_", "RAW_", "SECURE_PROXY_SSL_HEADER",
}  # fmt: skip


def statuses_of_okta() -> set[str]:
    """Words of Okta's protocol in capitals; docs/protocol.md is about them."""
    return set(re.findall(r"`([A-Z][A-Z_]{3,})`", PAGES["protocol.md"] + PAGES["okta_devorg.md"]))


def test_every_setting_is_described_once() -> None:
    tables = told(r"selfreg-table:: (settings-\w[\w-]*)", "settings.md")
    rows = [row for table in tables for row in REFERENCE["TABLES"][table][1]()]
    assert sorted(row[0].strip("`") for row in rows) == sorted(SETTING_NAMES)
    assert [row[0] for row in rows if not row[3]] == []


def test_every_check_that_is_told_exists_and_the_reference_has_them_all() -> None:
    known = {f"selfreg.{check.id}" for check in CHECKS}
    assert told(r"`(selfreg\.[EW]\d{3})`") - known == set()
    assert generated("checks") == known


def test_no_two_checks_with_one_id_say_different_things() -> None:
    ids = [check_id for check_id, _message in {(check.id, check.message) for check in CHECKS}]
    # An unusable key is unusable in more than one way.
    assert {name for name in ids if ids.count(name) > 1} == {"E005", "E012"}


def test_every_finding_exists_and_has_its_remedy_on_the_page_about_the_org() -> None:
    known = {kind.id for kind in FINDING_KINDS}
    assert told(r"`(doctor\.[a-z-]+)`") - known == set()
    assert told(r"`(doctor\.[a-z-]+)`", "org-setup.md") == known
    assert generated("findings") == known


# ---- what sites use


def test_every_signal_is_told_and_exists() -> None:
    existing = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    assert told(r"`selfreg\.signals\.(\w+)`", "public-api.md") == existing
    assert all(f"``{name}``" in (signals.__doc__ or "") for name in existing)


def test_every_template_is_told_and_exists() -> None:
    existing = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.*")}
    table = section("customising.md", "## Templates")
    pages = re.search(r"`selfreg/step_<page>\.html` \| one kind of step: (.*?) \|", table)
    assert pages
    named = {f"step_{page}.html" for page in re.findall(r"`(\w+)`", pages[1])}
    named |= {name.removeprefix("selfreg/") for name in first_cells(table)} - {"step_<page>.html"}
    assert named == existing


def test_every_block_that_is_told_exists() -> None:
    for name, blocks in re.findall(
        r"^\| `selfreg/(\w+\.html)` \|.*\| (`.*`) \|$", PAGES["customising.md"], re.MULTILINE
    ):
        told_blocks = re.findall(r"`(\w+)`", blocks)
        assert set(told_blocks) == set(re.findall(r"{% block (\w+)", (TEMPLATES / name).read_text())) - INHERITED[name]


INHERITED: dict[str, set[str]] = {"base.html": set(), "step.html": {"title", "extra_head", "content"}}


def test_every_template_tag_is_told_and_exists() -> None:
    of_the_pages_alone = {"likely_meant"}
    told_tags = set(re.findall(r"`{% (\w+)[^`]*%}`", section("customising.md", "## Template tags for your own pages")))
    assert told_tags == set(register.tags) - of_the_pages_alone


def test_every_command_and_option_that_is_told_exists() -> None:
    commands = {path.stem for path in (ROOT / "selfreg" / "management" / "commands").glob("selfreg_*.py")}
    assert {name for name in generated("commands") if name.startswith("selfreg_")} == commands
    assert told(r"\b(selfreg_(?:doctor|setup|recover|purge|erase|join|roles)\w*)") - {"selfreg_setup"} == commands
    for name, line in re.findall(r"(selfreg_[a-z_]+)((?: [\w@.-]+)*)", EVERYTHING):
        if name in commands and "--" in line:
            known = options_of(load_command_class("selfreg", name).create_parser("manage.py", name))
            assert set(re.findall(r" (--[a-z-]+)", line)) - known == set(), name


def test_every_path_that_is_told_is_one_of_the_site() -> None:
    """``/signup/...`` of the app, with what the pages write for a part of it left out."""
    paths = {path for path in told(r"`(?:GET |POST )?(/signup/[a-z/.-]*)`") if not path.endswith("...")}
    assert len(paths) > 10
    lost = []
    for path in sorted(paths):
        try:
            resolve(path)
        except Resolver404:
            lost.append(path)
    assert lost == []


def test_every_url_of_the_app_is_in_the_reference() -> None:
    patterns = {f"selfreg:{p.name}" for p in import_module("selfreg.urls").urlpatterns if getattr(p, "name", None)}
    assert generated("urls") == patterns
    assert told(r"{% url '(selfreg:\w+)' %}") <= patterns


def test_every_endpoint_of_the_json_api_is_told_and_exists() -> None:
    (api,) = (p for p in api_urls if hasattr(p, "url_patterns"))
    existing = {str(p.pattern) for p in api.url_patterns} - {"openapi.json", "docs", ""}
    assert told(r"^\| `(?:GET|POST) ([a-z]+/)`", "json-api.md") == existing


def test_every_extra_of_the_package_is_told_and_exists() -> None:
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    assert {name for names in told(r"django-selfreg\[([a-z,]+)\]") for name in names.split(",")} == extras


# ---- what operators see


def test_every_event_of_a_registration_is_told_and_exists() -> None:
    kinds = {kind.value for kind in RegistrationEvent.Kind}
    assert generated("events") == kinds
    (row,) = re.findall(r"^\| `selfreg\.events` \| (`registration\..*?) \|", PAGES["observability.md"], re.MULTILINE)
    assert {name.rpartition(".")[2] for name in re.findall(r"`([\w.]+)`", row)} == kinds


def test_every_line_of_the_log_is_told_and_exists() -> None:
    table = section("observability.md", "## Logs")
    named = {name for row in re.findall(r"^\| `selfreg\.\w+` \| (.*?) \|", table, re.MULTILINE)
             for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)`", row)}  # fmt: skip
    assert {name for name in named if not name.startswith("registration.")} == set(logged_events())


ATTRIBUTES_OF_SPANS = {"url.path", "okta.request_id"}


def logged_events() -> Iterator[str]:
    """The names of the lines that are written with ``log.write``, those of registrations left out."""
    for path in (ROOT / "selfreg" / "monitoring").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and re.match(r"[a-z_]+\.[a-z_]+(: )?$|sign_out$", str(node.value)):
                name = str(node.value).partition(":")[0]
                yield from (
                    () if name.startswith(("registration.", "selfreg.")) or name in ATTRIBUTES_OF_SPANS else (name,)
                )


def test_the_page_about_observing_names_every_metric_with_its_labels() -> None:
    first_label = {"_counter": 2, "_histogram": 2, "_gauge": 3, "Gauge": 2}
    made = {}
    for path in ("monitoring/metrics.py", "reports/gauges.py"):
        for call in ast.walk(ast.parse((ROOT / "selfreg" / path).read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in first_label:
                texts = [a.value for a in call.args if isinstance(a, ast.Constant)]
                made[texts[0]] = [label for label in texts[first_label[call.func.id] :] if label]
    listed = re.findall(r"^\| `selfreg_(\w+?)(?:_total)?` \| ([^|]*)\|", PAGES["observability.md"], re.MULTILINE)
    assert {name: re.findall(r"`(\w+)`", labels) for name, labels in listed} == made
    assert len(made) > 15


def test_every_message_key_that_is_told_exists_and_the_reference_has_them_all() -> None:
    assert generated("messages") == set(OUR_MESSAGES)
    modules = {path.stem for path in (ROOT / "selfreg").iterdir()} | {"svg", "css"}
    keys = {key for key in told(r"`(selfreg\.[a-z_]+)`") if key.partition(".")[2] not in modules}
    assert keys - set(OUR_MESSAGES) == LOGGERS


LOGGERS = {"selfreg.events", "selfreg.okta"}


def test_every_file_of_deploy_is_told_and_exists() -> None:
    existing = {str(path.relative_to(ROOT / "deploy")) for path in (ROOT / "deploy").rglob("*") if path.is_file()}
    table = section("deploying.md", "## The files in `deploy/`")
    named = set()
    for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
        files = [name.removeprefix("deploy/") for name in re.findall(r"`([^`]+)`", row)]
        folder = files[0].rpartition("/")[0]
        named |= {file if "/" in file or not folder else f"{folder}/{file}" for file in files}
    assert named - existing == {"systemd/*.timer"}
    assert {file for file in existing - named if not re.fullmatch(r"systemd/.*(\.timer|\.conf)", file)} == set()


# ---- the local org


def test_every_key_of_the_policy_is_told_and_exists() -> None:
    top = first_cells(section("okta_devorg.md", "## Settings"))
    keys = {key.partition(".")[0] for key in top}
    assert keys - {""} == {field.name for field in fields(Policy)}
    unknowns = {key.rpartition(".")[2] for key in top if key.startswith(("unknowns.", "."))}
    assert unknowns == {field.name for field in fields(Unknowns)}


@pytest.mark.parametrize(("key", "values"), [("limits", Limits), ("authenticators", Authenticators)])
def test_every_member_of_a_key_is_told_and_exists(key: str, values: type) -> None:
    (row,) = re.findall(rf"^\| `{key}` \|(.*)\|$", PAGES["okta_devorg.md"], re.MULTILINE)
    existing = {field.name for field in fields(values)}
    assert existing - set(re.findall(r"`([\w.]+)`", row)) == set()


def test_every_call_of_the_control_api_is_told_and_exists() -> None:
    existing = {
        (method, path) for methods, path, _view in LOCAL_ROUTES for method in methods.split()
        if path.startswith("/_devorg/")
    }  # fmt: skip
    told_calls = {(method, path) for method, path in re.findall(r"`([A-Z]+) (/_devorg/\w+)", EVERYTHING)}
    assert told_calls - existing == set()
    assert {path for _method, path in existing} == {path for _method, path in told_calls}


def test_every_page_of_the_local_org_is_told_and_exists() -> None:
    existing = {path for methods, path, _view in LOCAL_ROUTES if "GET" in methods and path.count("/") == 1}
    pages = {path for path in first_cells(PAGES["okta_devorg.md"]) if path.startswith("/")}
    assert pages == {path for path in existing if "." not in path}


def test_every_kind_of_fault_is_told_and_exists() -> None:
    kinds = re.search(r"Kinds: (.*?)\n\n", PAGES["okta_devorg.md"], re.DOTALL)
    assert kinds
    assert set(FAULT_KINDS) - set(re.findall(r"`([a-z-]+)`", kinds[1])) == set()


def test_every_option_of_the_local_org_is_told_and_exists() -> None:
    options = options_of(argument_parser())
    named = {cell.split()[0] for cell in first_cells(PAGES["okta_devorg.md"]) if cell.startswith("--")}
    assert named | {"-h", "--help"} == options


def test_every_fixture_and_method_of_the_plugin_is_told_and_exists() -> None:
    tree = ast.parse(Path(pytest_plugin.__file__).read_text())
    fixtures = {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and "fixture" in ast.unparse(n)[:20]}
    named = first_cells(PAGES["testing.md"])
    assert {name for name in named if "." not in name} == fixtures - {"okta_org_of_this_session"}
    methods = {name for name in vars(OktaOrg) if not name.startswith("_")}
    assert set(re.findall(r"okta_org\.(\w+)", " ".join(named))) - {"url", "issuer"} == methods
