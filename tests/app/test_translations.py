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
APPS = {"selfreg": 500, "project": 30}  # the least number of texts
ENTRY = re.compile(
    r"^(?:msgctxt (.*?)\n)?msgid (.*?)\n((?:msgid_plural .*?\n)?)((?:msgstr.*?\n)+)(?=\n|\Z)", re.MULTILINE | re.DOTALL
)
# What a reader takes for a slip: a space where a line can break, a missing one, the wrong quotation marks or address.
SLIPS = {
    "es": r"[“”]| %%|\b(tu|tus|te)\b|\bInténtalo\b",
    "fr": r"(?<![\u00a0\u202f])([;!?»]|:(?=\s|$)|%%)|«(?![\u00a0\u202f])|[“”]",
    "pt_BR": r"[«»]|\s%%|\b[Oo] Okta\b|\b[Nn]o Okta\b",
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\d\}")


def text(quoted: str) -> str:
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', quoted))


def entries(path: Path) -> list[tuple[str, str, str, list[str]]]:
    """Context, text, its plural, translations."""
    found = []
    for context, msgid, plural, translations in ENTRY.findall(path.read_text()):
        said = [text(t) for t in re.split(r"^msgstr(?:\[\d\])? ", translations, flags=re.MULTILINE)[1:]]
        if text(msgid):
            found.append((text(context), text(msgid), text(plural), said))
    return found


def test_every_language_the_site_offers_is_shipped() -> None:
    offered = {translation.to_locale(code) for code, _name in settings.LANGUAGES} - {"en"}
    assert {(path.parts[-5], path.parts[-3]) for path in CATALOGUES} == {(a, code) for a in APPS for code in offered}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: f"{p.parts[-5]} {p.parts[-3]}")
def test_nothing_is_left_untranslated(path: Path) -> None:
    found = entries(path)
    assert len(found) >= APPS[path.parts[-5]]
    assert [msgid for _context, msgid, _plural, said in found if not all(said)] == []
    assert "fuzzy" not in path.read_text()


def test_makemessages_finds_every_text() -> None:
    """It does not look into f-strings, and would drop the translations of what is there."""
    sources = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    strings = [(p, n) for p in sources for n in ast.walk(ast.parse(p.read_text())) if isinstance(n, ast.JoinedStr)]
    hidden = [
        (p.name, n.lineno) for p, n in strings if re.search(r"\b(gettext|pgettext|ngettext|_)\(['\"]", ast.unparse(n))
    ]
    assert hidden == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: f"{p.parts[-5]} {p.parts[-3]}")
def test_translations_use_the_placeholders_of_the_original(path: Path) -> None:
    for _context, msgid, plural, said in entries(path):
        known = set(PLACEHOLDER.findall(msgid + plural))
        for one in said:
            assert set(PLACEHOLDER.findall(one)) <= known, msgid
        if not plural:
            assert set(PLACEHOLDER.findall(said[0])) == known, msgid


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("code", SLIPS)
def test_nothing_reads_like_a_slip(app: str, code: str) -> None:
    found = entries(ROOT / app / "locale" / code / "LC_MESSAGES" / "django.po")
    assert [one for *_, said in found for one in said if re.search(SLIPS[code], one)] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: f"{p.parts[-5]} {p.parts[-3]}")
def test_the_compiled_catalogue_is_the_written_one(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    for context, msgid, plural, said in entries(path):
        key = msgid.encode().decode("unicode_escape").encode("latin-1").decode() if "\\" in msgid else msgid
        if not plural:
            found = catalogue.pgettext(context, key) if context else catalogue.gettext(key)
            assert found.replace("\n", "\\n").replace('"', '\\"') == said[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "heading"),
    [("de", "Erstellen Sie Ihr Konto"), ("ja", "アカウント"), ("ar", "إنشاء")],
)
def test_a_page_is_in_the_visitors_language(code: str, heading: str, org: object) -> None:
    page = Client(headers={"Accept-Language": code}).get("/signup/").content.decode()
    assert f'<html lang="{code}"' in page
    assert heading in re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1]  # type: ignore[index]


@pytest.mark.django_db
@pytest.mark.parametrize(("code", "between"), [("ja", "。ここに"), ("de", ". Geben Sie ihn hier ein")])
def test_sentences_are_put_together_as_the_language_does_it(code: str, between: str, org: OrgHandle) -> None:
    who = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": "ada@example.com"}
    person = Person(language=code).opens_the_sign_up().fills_and_presses(who).presses()
    assert between in person.page.text
