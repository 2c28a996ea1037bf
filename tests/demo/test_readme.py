"""The README: its names exist, and its instructions work."""

import ast
import re
from pathlib import Path

import pytest
from django.utils.module_loading import import_string

from selfreg.conf import SETTING_NAMES
from support.documentation import Block, blocks_of
from support.ports import free_port
from support.sites.project import running, write
from support.sites.wheel import run
from support.web_visitor import WebVisitor

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_demo_page_and_env_example_list_the_same_variables() -> None:
    table = (ROOT / "docs" / "demo.md").read_text().split("## Environment variables")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    in_table = {name for cell in cells for name in re.findall(r"`([A-Z_]+)`", cell)}
    in_example = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert in_table == in_example


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_python_snippets_of_the_readme_are_valid(snippet: str) -> None:
    assert ast.parse(snippet).body


def test_settings_in_the_readme_exist() -> None:
    settings = next(s for s in SNIPPETS if "SELFREG" in s)
    shown = next(n for n in ast.walk(ast.parse(settings)) if isinstance(n, ast.Dict))
    assert {k.value for k in shown.keys if isinstance(k, ast.Constant)} <= SETTING_NAMES


def test_classes_in_the_readme_exist() -> None:
    for path in re.findall(r'"(selfreg\.[a-z]+\.[A-Za-z]+)"', README):
        assert import_string(path)


def test_files_and_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^make ([a-z]+)$", README, re.MULTILINE))
    assert targets
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


HOME = """
from django.http import HttpResponse

urlpatterns += [path("", lambda request: HttpResponse(f"<h1>Hello, {request.user.first_name}!</h1>"))]
"""


@pytest.mark.slow
def test_following_the_readme_makes_a_site_with_working_sign_up(environment: dict[str, str], tmp_path: Path) -> None:
    """The site has a home page, and the wheel is installed."""
    site, org = free_port(), free_port()
    text = README.split("## Add it to your site")[1].replace("8000", site).replace("9000", org)
    known = environment | {"OKTA_CLIENT_SECRET": "s3cret"}
    run("django-admin startproject mysite .", tmp_path, environment)
    blocks = list(blocks_of(text))
    for block in blocks:
        if block.file:
            write(block, tmp_path)
    write(Block("python", HOME, "mysite/urls.py", is_addition=True), tmp_path)
    commands = [line for block in blocks if not block.file for line in block.text.splitlines()]
    key = next(command for command in commands if command.startswith("python -c"))
    known |= {"SELFREG_ENCRYPTION_KEYS": run(key, tmp_path, known).strip()}
    printed = {c: run(c, tmp_path, known) for c in commands if c.startswith("python manage.py")}
    assert "no issues" in printed["python manage.py check"]
    (start_org,) = (command for command in commands if "-m okta_devorg" in command)
    start_site = f"python manage.py runserver {site} --noreload"
    with running(start_org, tmp_path, known, org), running(start_site, tmp_path, known, site):
        visitor = WebVisitor(f"http://127.0.0.1:{site}/", f"http://127.0.0.1:{org}/")
        page = visitor.goes_on(f"http://127.0.0.1:{site}/signup/", "ada@example.com")
    assert page.heading == "Hello, Ada!"
