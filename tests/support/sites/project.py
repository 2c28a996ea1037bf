"""Sites made by `django-admin startproject` and docs/tutorial.md, with additions."""

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from okta_devorg import OrgHandle
from support.documentation import Block, blocks_of
from support.sites.wheel import ROOT, run
from support.web_visitor import WebVisitor

TUTORIAL = ROOT / "docs" / "tutorial.md"
START_SECONDS = 300
RUNSERVER = "python -W error manage.py runserver {port} --noreload"
GUNICORN = "env SCRIPT_NAME=/shop python -W error -m gunicorn mysite.wsgi --bind 127.0.0.1:{port} --no-control-socket"
UVICORN = "python -W error -m uvicorn mysite.asgi:application --port {port} --lifespan off"
DAPHNE = "python -m daphne --port {port} --bind 127.0.0.1 mysite.asgi:application"


@dataclass(frozen=True)
class Recipe:
    """Additions of a site to the tutorial. Each text is appended to its file."""

    name: str
    settings: str = ""
    urls: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    server: str = RUNSERVER
    commands: tuple[str, ...] = ("migrate -v 0",)
    """The management commands that prepare the site, such as migrations."""
    home: str = ""
    """The path of the home page, relative to the site's URL."""
    checks: frozenset[str] = frozenset()
    """The ids of this app's expected check messages."""


@dataclass(frozen=True)
class Project:
    """A site in a folder, with its URL and its org."""

    recipe: Recipe
    folder: Path
    environment: dict[str, str]
    org: OrgHandle
    url: str

    @property
    def visitor(self) -> WebVisitor:
        """A new visitor with an empty browser."""
        return WebVisitor(f"{self.url}{self.recipe.home}", f"{self.org.base}/")

    def manage(self, *command: str) -> str:
        """Run a management command with warnings as errors, and return its output."""
        return run(["python", "-W", "error", "manage.py", *command], self.folder, self.environment)

    def evaluate(self, expression: str) -> str:
        """Evaluate a Python expression in the project, with the models imported."""
        models = "from django.contrib.auth import get_user_model; from selfreg.models import *"
        return self.manage("shell", "-v", "0", "-c", f"{models}; print({expression})").strip()

    def check_ids(self) -> set[str]:
        """Return the ids of all system check messages, including Django's."""
        return set(re.findall(r"\(([a-z_]+\.[EW]\d+)\)", self.manage("check")))

    @property
    def log(self) -> str:
        """The output of the server."""
        return (self.folder / "server.log").read_text()


def make(recipe: Recipe, folder: Path, environment: dict[str, str], org: OrgHandle, port: str) -> Project:
    """Create the project and run its commands."""
    url = f"http://127.0.0.1:{port}/"
    run(["django-admin", "startproject", "mysite", "."], folder, environment)
    text = TUTORIAL.read_text().replace("http://127.0.0.1:9000", org.base).replace("http://127.0.0.1:8000", url[:-1])
    for block in blocks_of(text):
        if block.file:
            write(block, folder)
    additions = {"mysite/settings.py": recipe.settings, "mysite/urls.py": recipe.urls} | dict(recipe.files)
    for name, text in additions.items():
        write(Block("", text, name, is_addition=(folder / name).exists()), folder)
    project = Project(recipe, folder, environment, org, url)
    for command in recipe.commands:
        project.manage(*command.split())
    return project


def write(block: Block, folder: Path) -> None:
    """Write a block to the file named in its first line."""
    path = folder / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text() if block.is_addition else ""
    path.write_text(f"{before}\n{block.text}" if before else block.text)


@contextmanager
def running(command: str, folder: Path, environment: dict[str, str], port: str) -> Iterator[None]:
    """Run a server in the background, and wait for its first response."""
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command.split(), cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not WebVisitor.answers(f"http://127.0.0.1:{port}/"):
                assert process.poll() is None, (folder / "server.log").read_text()
                assert time.monotonic() < deadline
            yield
        finally:
            process.terminate()
            process.wait()


@contextmanager
def serving(project: Project) -> Iterator[Project]:
    """Run the project's server until the block ends."""
    port = project.url.rsplit(":", 1)[1].rstrip("/")
    with running(project.recipe.server.format(port=port), project.folder, project.environment, port):
        yield project
