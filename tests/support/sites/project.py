"""A site made by `django-admin startproject` and docs/tutorial.md, with what other sites add to that."""

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
    """What a site has beside the tutorial: each text goes to the end of its file."""

    name: str
    settings: str = ""
    urls: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    server: str = RUNSERVER
    commands: tuple[str, ...] = ("migrate -v 0",)
    """The management commands that make its tables, and what else it needs."""
    home: str = ""
    """The path of the home page, below the site's address."""
    checks: frozenset[str] = frozenset()
    """The ids of this app's checks that are right to report something."""


@dataclass(frozen=True)
class Project:
    """The site in a folder, and the addresses at which it and its org are reached."""

    recipe: Recipe
    folder: Path
    environment: dict[str, str]
    org: OrgHandle
    url: str

    @property
    def visitor(self) -> WebVisitor:
        """Somebody with a browser of their own."""
        return WebVisitor(f"{self.url}{self.recipe.home}", f"{self.org.base}/")

    def manage(self, *command: str) -> str:
        """What a management command prints; warnings are errors."""
        return run(["python", "-W", "error", "manage.py", *command], self.folder, self.environment)

    def asks(self, expression: str) -> str:
        """What a Python expression is worth in the project, with the models imported."""
        models = "from django.contrib.auth import get_user_model; from selfreg.models import *"
        return self.manage("shell", "-v", "0", "-c", f"{models}; print({expression})").strip()

    def reported(self) -> set[str]:
        """The ids of the checks that report something; Django's own among them."""
        return set(re.findall(r"\(([a-z_]+\.[EW]\d+)\)", self.manage("check")))

    @property
    def log(self) -> str:
        """What the server printed."""
        return (self.folder / "server.log").read_text()


def make(recipe: Recipe, folder: Path, environment: dict[str, str], org: OrgHandle, port: str) -> Project:
    """Makes the project, and its tables."""
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
    """Puts a block into the file that its first line names."""
    path = folder / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text() if block.is_addition else ""
    path.write_text(f"{before}\n{block.text}" if before else block.text)


@contextmanager
def running(command: str, folder: Path, environment: dict[str, str], port: str) -> Iterator[None]:
    """A server in the background, from its first answer on."""
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command.split(), cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            give_up = time.monotonic() + START_SECONDS
            while not WebVisitor.answers(f"http://127.0.0.1:{port}/"):
                assert process.poll() is None, (folder / "server.log").read_text()
                assert time.monotonic() < give_up
            yield
        finally:
            process.terminate()
            process.wait()


@contextmanager
def serving(project: Project) -> Iterator[Project]:
    """The project's server, until the block ends."""
    port = project.url.rsplit(":", 1)[1].rstrip("/")
    with running(project.recipe.server.format(port=port), project.folder, project.environment, port):
        yield project
