"""docs/tutorial.md, followed step by step in an empty folder with the built wheel."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from support.documentation import blocks_of
from support.ports import free_port
from support.sites.project import TUTORIAL, running, write
from support.sites.wheel import run
from support.web_visitor import WebVisitor

# Commands that the test replaces: the environment is created once, and the wheel is not on an index.
PREPARED = ("python3 -m venv", ". .venv/bin/activate", "pip install")
# Commands that run in the foreground.
SERVERS = ("python -m okta_devorg", "python manage.py runserver")
pytestmark = pytest.mark.slow


def test_following_the_tutorial_makes_a_site_with_working_sign_up(environment: dict[str, str], tmp_path: Path) -> None:
    site, org = free_port(), free_port()
    text = TUTORIAL.read_text().replace("8000", site).replace("9000", org)
    servers = {org: SERVERS[0], site: SERVERS[1]}
    printed: dict[str, str] = {}
    with ExitStack() as stack:
        for block in blocks_of(text):
            if block.file:
                write(block, tmp_path)
                continue
            for command in block.text.splitlines():
                if command.startswith(PREPARED):
                    continue
                if port := next((p for p, start in servers.items() if command.startswith(start)), ""):
                    command += " --noreload" if port == site else ""
                    stack.enter_context(running(command, tmp_path, environment, port))
                elif command.endswith("createsuperuser"):
                    visitor = WebVisitor(f"http://127.0.0.1:{site}/", f"http://127.0.0.1:{org}/")
                    assert "Hello, Ada!" in visitor.signs_up("ada@example.com").text
                    variables = {"DJANGO_SUPERUSER_PASSWORD": "Correct-horse-7"}
                    options = " --noinput --username admin --email admin@example.com"
                    run(command + options, tmp_path, environment | variables)
                else:
                    printed[command] = run(command, tmp_path, environment)
    assert "no issues" in printed["python manage.py check"]
    assert "python manage.py selfreg_doctor" in printed
