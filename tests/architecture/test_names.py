"""Names in the documentation and in the code match: settings, checks, signals, templates, URLs, metrics and others."""

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


def documented(pattern: str, *pages: str) -> set[str]:
    """Return every match of a pattern in these pages, or in all."""
    text = "\n".join(PAGES[page] for page in pages) if pages else EVERYTHING
    return set(re.findall(pattern, text, re.MULTILINE))


def section(page: str, heading: str) -> str:
    """Return the text below a heading, up to the next one of its level."""
    level = heading.partition(" ")[0]
    return re.split(rf"^{level} ", PAGES[page].split(f"\n{heading}\n")[1], flags=re.MULTILINE)[0]


def first_cells(text: str) -> set[str]:
    """Return the names in backticks in the first column of the tables in a text."""
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def generated(table: str) -> set[str]:
    """Return the first column of a generated table of docs/reference.md."""
    _header, rows = REFERENCE["TABLES"][table]
    assert f".. selfreg-table:: {table}" in PAGES["reference.md"]
    return {re.sub(r"[`\\]", "", row[0]) for row in rows()}


def options_of(parser: ArgumentParser) -> set[str]:
    """Return the names of all command line options."""
    return {name for action in parser._actions for name in action.option_strings}  # noqa: SLF001  (argparse has no other way)


# ---- settings, checks, findings


def test_documented_settings_exist() -> None:
    named = documented(r'SELFREG\["(\w+)"\]') | documented(
        r'^ +"([A-Z_]+)": ', "README.md", "tutorial.md", "several-orgs.md"
    )
    assert len(named) > 10
    assert named - SETTING_NAMES == set()


def test_words_in_capitals_are_settings_or_variables() -> None:
    """Finds settings that were renamed in the code only."""
    variables = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    known = SETTING_NAMES | variables | set(dir(global_settings)) | OTHER_WORDS
    assert documented(r"`([A-Z][A-Z_]{3,})`") - known - statuses_of_okta() == set()


# Settings of other packages, variables of other programs, and constants of this project.
OTHER_WORDS = {
    "OIDC_AUTHENTICATE_CLASS", "OIDC_CALLBACK_CLASS", "OIDC_OP_LOGOUT_URL_METHOD", "OIDC_USE_PKCE", "OIDC_USE_NONCE",
    "SELFREG", "WEB_THREADS", "LOAD_SECONDS", "BENCH_QUICK", "PROMETHEUS_MULTIPROC_DIR", "HTTPS_PROXY", "SCREENSHOTS",
    "REQUESTS_CA_BUNDLE", "QUERY_STRING", "SCRIPT_NAME", "CHROMIUM", "CONN_HEALTH_CHECKS", "USERNAME_FIELD",
    "DISABLE_SERVER_SIDE_CURSORS", "EMAIL_FIELD", "OPTIONS", "MAILERS", "REPOSITORY_URL", "ATOMIC_REQUESTS",
    "ROOT_URLCONF", "OKTA_MESSAGES", "POST", "REQUEST_", "RAW_", "SECURE_PROXY_SSL_HEADER",
}  # fmt: skip


def statuses_of_okta() -> set[str]:
    """Return words in capitals of Okta's protocol."""
    return set(re.findall(r"`([A-Z][A-Z_]{3,})`", PAGES["protocol.md"] + PAGES["okta_devorg.md"]))


def test_every_setting_is_documented_once() -> None:
    tables = documented(r"selfreg-table:: (settings-\w[\w-]*)", "settings.md")
    rows = [row for table in tables for row in REFERENCE["TABLES"][table][1]()]
    assert sorted(row[0].strip("`") for row in rows) == sorted(SETTING_NAMES)
    assert [row[0] for row in rows if not row[3]] == []


def test_documented_checks_exist_and_the_reference_lists_all() -> None:
    known = {f"selfreg.{check.id}" for check in CHECKS}
    assert documented(r"`(selfreg\.[EW]\d{3})`") - known == set()
    assert generated("checks") == known


def test_checks_with_the_same_id_have_the_same_message() -> None:
    ids = [check_id for check_id, _message in {(check.id, check.message) for check in CHECKS}]
    # These describe several kinds of unusable keys.
    assert {name for name in ids if ids.count(name) > 1} == {"E005", "E012"}


def test_documented_findings_exist_and_all_have_a_remedy() -> None:
    known = {kind.id for kind in FINDING_KINDS}
    assert documented(r"`(doctor\.[a-z-]+)`") - known == set()
    assert documented(r"`(doctor\.[a-z-]+)`", "org-setup.md") == known
    assert generated("findings") == known


# ---- what sites use


def test_documented_signals_match_the_code() -> None:
    existing = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    assert documented(r"`selfreg\.signals\.(\w+)`", "public-api.md") == existing
    assert all(f"``{name}``" in (signals.__doc__ or "") for name in existing)


def test_documented_templates_match_the_code() -> None:
    existing = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.*")}
    table = section("customising.md", "## Templates")
    pages = re.search(r"`selfreg/step_<page>\.html` \| one kind of step: (.*?) \|", table)
    assert pages
    named = {f"step_{page}.html" for page in re.findall(r"`(\w+)`", pages[1])}
    named |= {name.removeprefix("selfreg/") for name in first_cells(table)} - {"step_<page>.html"}
    assert named == existing


def test_documented_template_blocks_match_the_templates() -> None:
    for name, blocks in re.findall(
        r"^\| `selfreg/(\w+\.html)` \|.*\| (`.*`) \|$", PAGES["customising.md"], re.MULTILINE
    ):
        documented_blocks = re.findall(r"`(\w+)`", blocks)
        assert (
            set(documented_blocks)
            == set(re.findall(r"{% block (\w+)", (TEMPLATES / name).read_text())) - INHERITED[name]
        )


INHERITED: dict[str, set[str]] = {"base.html": set(), "step.html": {"title", "extra_head", "content"}}


def test_documented_template_tags_match_the_code() -> None:
    internal_tags = {"likely_meant"}
    documented_tags = set(
        re.findall(r"`{% (\w+)[^`]*%}`", section("customising.md", "## Template tags for your own pages"))
    )
    assert documented_tags == set(register.tags) - internal_tags


def test_documented_commands_and_options_exist() -> None:
    commands = {path.stem for path in (ROOT / "selfreg" / "management" / "commands").glob("selfreg_*.py")}
    assert {name for name in generated("commands") if name.startswith("selfreg_")} == commands
    assert documented(r"\b(selfreg_(?:doctor|setup|recover|purge|erase|join|roles)\w*)") - {"selfreg_setup"} == commands
    for name, line in re.findall(r"(selfreg_[a-z_]+)((?: [\w@.-]+)*)", EVERYTHING):
        if name in commands and "--" in line:
            known = options_of(load_command_class("selfreg", name).create_parser("manage.py", name))
            assert set(re.findall(r" (--[a-z-]+)", line)) - known == set(), name


def test_documented_paths_exist() -> None:
    """Paths below ``/signup/``, except abbreviated ones."""
    paths = {path for path in documented(r"`(?:GET |POST )?(/signup/[a-z/.-]*)`") if not path.endswith("...")}
    assert len(paths) > 10
    missing = []
    for path in sorted(paths):
        try:
            resolve(path)
        except Resolver404:
            missing.append(path)
    assert missing == []


def test_reference_lists_every_url_of_the_app() -> None:
    patterns = {f"selfreg:{p.name}" for p in import_module("selfreg.urls").urlpatterns if getattr(p, "name", None)}
    assert generated("urls") == patterns
    assert documented(r"{% url '(selfreg:\w+)' %}") <= patterns


def test_documented_api_endpoints_match_the_code() -> None:
    (api,) = (p for p in api_urls if hasattr(p, "url_patterns"))
    existing = {str(p.pattern) for p in api.url_patterns} - {"openapi.json", "docs", ""}
    assert documented(r"^\| `(?:GET|POST) ([a-z]+/)`", "json-api.md") == existing


def test_documented_extras_match_the_package() -> None:
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    assert {name for names in documented(r"django-selfreg\[([a-z,]+)\]") for name in names.split(",")} == extras


# ---- what operators see


def test_documented_registration_events_match_the_code() -> None:
    kinds = {kind.value for kind in RegistrationEvent.Kind}
    assert generated("events") == kinds
    (row,) = re.findall(r"^\| `selfreg\.events` \| (`registration\..*?) \|", PAGES["observability.md"], re.MULTILINE)
    assert {name.rpartition(".")[2] for name in re.findall(r"`([\w.]+)`", row)} == kinds


def test_documented_log_events_match_the_code() -> None:
    table = section("observability.md", "## Logs")
    named = {name for row in re.findall(r"^\| `selfreg\.\w+` \| (.*?) \|", table, re.MULTILINE)
             for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)?)`", row)}  # fmt: skip
    assert {name for name in named if not name.startswith("registration.")} == set(logged_events())


ATTRIBUTES_OF_SPANS = {"url.path", "okta.request_id"}


def logged_events() -> Iterator[str]:
    """Yield the event names written with ``log.write``, except those of registrations."""
    for path in (ROOT / "selfreg" / "monitoring").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and re.match(r"[a-z_]+\.[a-z_]+(: )?$|sign_out$", str(node.value)):
                name = str(node.value).partition(":")[0]
                yield from (
                    () if name.startswith(("registration.", "selfreg.")) or name in ATTRIBUTES_OF_SPANS else (name,)
                )


def test_documented_metrics_and_labels_match_the_code() -> None:
    first_label = {"_counter": 2, "_histogram": 2, "_gauge": 3, "Gauge": 2}
    metrics = {}
    for path in ("monitoring/metrics.py", "reports/gauges.py"):
        for call in ast.walk(ast.parse((ROOT / "selfreg" / path).read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in first_label:
                texts = [a.value for a in call.args if isinstance(a, ast.Constant)]
                metrics[texts[0]] = [label for label in texts[first_label[call.func.id] :] if label]
    listed = re.findall(r"^\| `selfreg_(\w+?)(?:_total)?` \| ([^|]*)\|", PAGES["observability.md"], re.MULTILINE)
    assert {name: re.findall(r"`(\w+)`", labels) for name, labels in listed} == metrics
    assert len(metrics) > 15


def test_documented_message_keys_exist_and_the_reference_lists_all() -> None:
    assert generated("messages") == set(OUR_MESSAGES)
    modules = {path.stem for path in (ROOT / "selfreg").iterdir()} | {"svg", "css"}
    keys = {key for key in documented(r"`(selfreg\.[a-z_]+)`") if key.partition(".")[2] not in modules}
    assert keys - set(OUR_MESSAGES) == LOGGERS


LOGGERS = {"selfreg.events", "selfreg.okta"}


def test_documented_deploy_files_match_the_folder() -> None:
    existing = {str(path.relative_to(ROOT / "deploy")) for path in (ROOT / "deploy").rglob("*") if path.is_file()}
    table = section("deploying.md", "## The files in `deploy/`")
    named = set()
    for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
        files = [name.removeprefix("deploy/") for name in re.findall(r"`([^`]+)`", row)]
        folder = files[0].rpartition("/")[0]
        named |= {file if "/" in file or not folder else f"{folder}/{file}" for file in files}
    assert named - existing == {"systemd/*.timer"}
    assert {file for file in existing - named if not re.fullmatch(r"systemd/.*(\.timer|\.conf)", file)} == set()


OF_OTHER_PROGRAMS = {"The 'redirect_uri' parameter must be a Login redirect URI", "CSRF verification failed"}


def test_the_sentences_that_head_the_troubleshooting_page_are_shown_somewhere() -> None:
    quoted = {
        words for heading in documented(r"^## (.*)$", "troubleshooting.md") for words in re.findall(r'"(.+?)"', heading)
    }
    sources = [*(ROOT / "selfreg" / "texts").glob("*.py"), ROOT / "selfreg" / "statuses.py", *TEMPLATES.glob("*.html")]
    shown = "\n".join(path.read_text() for path in sources)
    assert len(quoted) > 5
    assert {words for words in quoted if words not in shown} == OF_OTHER_PROGRAMS


# ---- the local org


def test_documented_policy_keys_match_the_local_org() -> None:
    top = first_cells(section("okta_devorg.md", "## Settings"))
    keys = {key.partition(".")[0] for key in top}
    assert keys - {""} == {field.name for field in fields(Policy)}
    unknowns = {key.rpartition(".")[2] for key in top if key.startswith(("unknowns.", "."))}
    assert unknowns == {field.name for field in fields(Unknowns)}


@pytest.mark.parametrize(("key", "values"), [("limits", Limits), ("authenticators", Authenticators)])
def test_members_of_policy_keys_are_documented(key: str, values: type) -> None:
    (row,) = re.findall(rf"^\| `{key}` \|(.*)\|$", PAGES["okta_devorg.md"], re.MULTILINE)
    existing = {field.name for field in fields(values)}
    assert existing - set(re.findall(r"`([\w.]+)`", row)) == set()


def test_documented_control_api_matches_the_local_org() -> None:
    existing = {
        (method, path) for methods, path, _view in LOCAL_ROUTES for method in methods.split()
        if path.startswith("/_devorg/")
    }  # fmt: skip
    documented_calls = {(method, path) for method, path in re.findall(r"`([A-Z]+) (/_devorg/\w+)", EVERYTHING)}
    assert documented_calls - existing == set()
    assert {path for _method, path in existing} == {path for _method, path in documented_calls}


def test_documented_pages_match_the_local_org() -> None:
    existing = {path for methods, path, _view in LOCAL_ROUTES if "GET" in methods and path.count("/") == 1}
    pages = {path for path in first_cells(PAGES["okta_devorg.md"]) if path.startswith("/")}
    assert pages == {path for path in existing if "." not in path}


def test_fault_kinds_are_documented() -> None:
    kinds = re.search(r"Kinds: (.*?)\n\n", PAGES["okta_devorg.md"], re.DOTALL)
    assert kinds
    assert set(FAULT_KINDS) - set(re.findall(r"`([a-z-]+)`", kinds[1])) == set()


def test_documented_options_match_the_local_org() -> None:
    options = options_of(argument_parser())
    named = {cell.split()[0] for cell in first_cells(PAGES["okta_devorg.md"]) if cell.startswith("--")}
    assert named | {"-h", "--help"} == options


def test_documented_fixtures_and_methods_match_the_plugin() -> None:
    tree = ast.parse(Path(pytest_plugin.__file__).read_text())
    fixtures = {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and "fixture" in ast.unparse(n)[:20]}
    named = first_cells(PAGES["testing.md"])
    assert {name for name in named if "." not in name} == fixtures - {"okta_org_of_this_session"}
    methods = {name for name in vars(OktaOrg) if not name.startswith("_")}
    assert set(re.findall(r"okta_org\.(\w+)", " ".join(named))) - {"url", "issuer"} == methods
