"""The shipped languages: complete, compiled, and with the same placeholders."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from okta_devorg import OrgHandle
from support.person import Person

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUES = sorted(ROOT.glob("*/locale/*/LC_MESSAGES/django.po"))
APPS = {"selfreg": 500, "project": 30}  # the minimum number of texts
ENTRY = re.compile(
    r"^(?:msgctxt (.*?)\n)?msgid (.*?)\n((?:msgid_plural .*?\n)?)((?:msgstr.*?\n)+)(?=\n|\Z)", re.MULTILINE | re.DOTALL
)
# Typographic errors: breaking or missing spaces, wrong quotation marks, wrong form of address.
TYPOGRAPHIC_ERRORS = {
    "es": r"[“”]| %%|\b(tu|tus|te)\b|\bInténtalo\b",
    "fr": r"(?<![\u00a0\u202f])([;!?»]|:(?=\s|$)|%%)|«(?![\u00a0\u202f])|[“”]",
    "pt_BR": r"[«»]|\s%%|\b[Oo] Okta\b|\b[Nn]o Okta\b",
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\d\}")


def text(quoted: str) -> str:
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', quoted))


def entries(path: Path) -> list[tuple[str, str, str, list[str]]]:
    """Return context, text, plural and translations of each entry."""
    found = []
    for context, msgid, plural, translations in ENTRY.findall(path.read_text()):
        translated = [text(t) for t in re.split(r"^msgstr(?:\[\d\])? ", translations, flags=re.MULTILINE)[1:]]
        if text(msgid):
            found.append((text(context), text(msgid), text(plural), translated))
    return found


def test_every_offered_language_has_a_catalogue() -> None:
    offered_languages = {translation.to_locale(code) for code, _name in settings.LANGUAGES} - {"en"}
    assert {(path.parts[-5], path.parts[-3]) for path in CATALOGUES} == {
        (a, code) for a in APPS for code in offered_languages
    }


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: f"{p.parts[-5]} {p.parts[-3]}")
def test_every_text_is_translated(path: Path) -> None:
    found = entries(path)
    assert len(found) >= APPS[path.parts[-5]]
    assert [msgid for _context, msgid, _plural, translated in found if not all(translated)] == []
    assert "fuzzy" not in path.read_text()


def test_f_strings_contain_no_translatable_text() -> None:
    """``makemessages`` skips f-strings, and would drop the translations of texts in them."""
    sources = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    strings = [(p, n) for p in sources for n in ast.walk(ast.parse(p.read_text())) if isinstance(n, ast.JoinedStr)]
    hidden = [
        (p.name, n.lineno) for p, n in strings if re.search(r"\b(gettext|pgettext|ngettext|_)\(['\"]", ast.unparse(n))
    ]
    assert hidden == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: f"{p.parts[-5]} {p.parts[-3]}")
def test_translations_use_the_placeholders_of_the_original(path: Path) -> None:
    for _context, msgid, plural, translated in entries(path):
        known = set(PLACEHOLDER.findall(msgid + plural))
        for one in translated:
            assert set(PLACEHOLDER.findall(one)) <= known, msgid
        if not plural:
            assert set(PLACEHOLDER.findall(translated[0])) == known, msgid


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("code", TYPOGRAPHIC_ERRORS)
def test_translations_follow_the_typography_of_the_language(app: str, code: str) -> None:
    found = entries(ROOT / app / "locale" / code / "LC_MESSAGES" / "django.po")
    assert [one for *_, translated in found for one in translated if re.search(TYPOGRAPHIC_ERRORS[code], one)] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: f"{p.parts[-5]} {p.parts[-3]}")
def test_compiled_catalogue_matches_its_source(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    for context, msgid, plural, translated in entries(path):
        key = msgid.encode().decode("unicode_escape").encode("latin-1").decode() if "\\" in msgid else msgid
        if not plural:
            found = catalogue.pgettext(context, key) if context else catalogue.gettext(key)
            assert found.replace("\n", "\\n").replace('"', '\\"') == translated[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "heading"),
    [("de", "Erstellen Sie Ihr Konto"), ("ja", "アカウント"), ("ar", "إنشاء")],
)
def test_page_is_in_the_visitors_language(code: str, heading: str, org: object) -> None:
    page = Client(headers={"Accept-Language": code}).get("/signup/").content.decode()
    assert f'<html lang="{code}"' in page
    assert heading in re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1]  # type: ignore[index]


@pytest.mark.django_db
@pytest.mark.parametrize(("code", "between"), [("ja", "。ここに"), ("de", ". Geben Sie ihn hier ein")])
def test_sentences_are_joined_as_the_language_requires(code: str, between: str, org: OrgHandle) -> None:
    who = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": "ada@example.com"}
    person = Person(language=code).opens_the_sign_up().fills_and_presses(who).presses()
    assert between in person.page.text
