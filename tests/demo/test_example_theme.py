"""The example theme of docs/customising.md: what it changes and what it keeps."""

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
def visitor(person: Person, settings: Any, configure: Any) -> Person:
    """Return a person on the themed site."""
    ours = settings.TEMPLATES[0]
    settings.TEMPLATES = [ours | {"DIRS": [THEME / "templates", *ours["DIRS"]]}]
    settings.STATICFILES_DIRS = [THEME / "static"]
    configure(SITE_NAME="Harbour Club")
    return person


def test_pages_use_the_example_theme(visitor: Person) -> None:
    page = visitor.opens_the_sign_up().page
    assert "harbour/harbour.css" in page.html
    assert page.html.index("selfreg/selfreg.css") < page.html.index("harbour/harbour.css")
    assert page.title == "Create your account · Harbour Club"
    assert page.link("Privacy") == "/privacy/"
    assert "selfreg/step.js" in page.html


def test_overridden_step_template_keeps_the_text_of_the_app(visitor: Person) -> None:
    page: Page = visitor.opens_the_sign_up().submits_profile().chooses("Email").page
    assert "Our mails come from crew@harbour.example" in page.text
    assert "Check your spam folder" in page.text
    assert page.names() == ["credentials.passcode"]


def test_theme_sets_only_existing_css_properties() -> None:
    ours = (ROOT / "selfreg" / "static" / "selfreg" / "selfreg.css").read_text()
    known = set(re.findall(r"^\s+(--[a-z-]+):", ours, re.MULTILINE))
    styles = (THEME / "static" / "harbour" / "harbour.css").read_text()
    assert set(re.findall(r"(--[a-z-]+):", styles)) <= known
    assert set(re.findall(r"`(--[a-z-]+)`", (ROOT / "docs" / "customising.md").read_text())) <= known


def test_static_files_of_the_theme_are_found(visitor: Person) -> None:
    html = visitor.opens_the_sign_up().page.html
    named = re.findall(r'/static/(harbour/[a-z.]+)"', html)
    assert sorted(set(named)) == ["harbour/anchor.svg", "harbour/harbour.css"]
    assert all(finders.find(name) for name in named)
