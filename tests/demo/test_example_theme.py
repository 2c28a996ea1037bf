"""The example theme of docs/customising.md: what it changes, and what it leaves alone."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from support.page import Page
from support.person import Person

ROOT = Path(__file__).resolve().parents[2]
THEME = ROOT / "docs" / "example_theme"


@pytest.fixture
def harbour(person: Person, settings: Any, configure: Any) -> Person:
    """Somebody in front of the themed site."""
    ours = settings.TEMPLATES[0]
    settings.TEMPLATES = [ours | {"DIRS": [THEME / "templates", *ours["DIRS"]]}]
    settings.STATICFILES_DIRS = [THEME / "static"]
    configure(SITE_NAME="Harbour Club")
    return person


def test_every_page_wears_the_theme(harbour: Person) -> None:
    page = harbour.opens_the_sign_up().page
    assert "harbour/harbour.css" in page.html
    assert page.html.index("selfreg/selfreg.css") < page.html.index("harbour/harbour.css")
    assert page.title == "Create your account · Harbour Club"
    assert page.link("Privacy") == "/privacy/"
    assert "selfreg/step.js" in page.html


def test_a_step_of_its_own_keeps_what_the_app_says(harbour: Person) -> None:
    page: Page = harbour.opens_the_sign_up().tells_who_she_is().chooses("Email").page
    assert "Our mails come from crew@harbour.example" in page.text
    assert "Check your spam folder" in page.text
    assert page.names() == ["credentials.passcode"]


def test_it_sets_only_properties_that_there_are() -> None:
    ours = (ROOT / "selfreg" / "static" / "selfreg" / "selfreg.css").read_text()
    known = set(re.findall(r"^\s+(--[a-z-]+):", ours, re.MULTILINE))
    styles = (THEME / "static" / "harbour" / "harbour.css").read_text()
    assert set(re.findall(r"(--[a-z-]+):", styles)) <= known
    assert set(re.findall(r"`(--[a-z-]+)`", (ROOT / "docs" / "customising.md").read_text())) <= known


def test_the_files_it_names_are_found(harbour: Person) -> None:
    html = harbour.opens_the_sign_up().page.html
    named = re.findall(r'/static/(harbour/[a-z.]+)"', html)
    assert sorted(set(named)) == ["harbour/anchor.svg", "harbour/harbour.css"]
    assert all(finders.find(name) for name in named)
