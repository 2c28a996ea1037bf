"""Fixtures: an environment with the built wheel, and sites that run in it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from okta_devorg import running_org
from support.ports import free_port
from support.sites.project import Project, Recipe, make, serving
from support.sites.wheel import installed_wheel


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment variables of commands that use the built wheel."""
    return installed_wheel(tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="session")
def runs_site(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Project]]:
    """Return a function that makes a site with its own org and runs it. Each recipe is made once."""
    projects: dict[str, Project] = {}
    with ExitStack() as stack:

        def run_site(recipe: Recipe) -> Project:
            if recipe.name not in projects:
                port = free_port()
                org = stack.enter_context(running_org(site=f"http://127.0.0.1:{port}"))
                project = make(recipe, tmp_path_factory.mktemp(recipe.name), environment, org, port)
                projects[recipe.name] = stack.enter_context(serving(project))
            return projects[recipe.name]

        yield run_site
