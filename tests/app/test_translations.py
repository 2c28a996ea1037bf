"""The shipped languages: complete, compiled, and with the same placeholders."""

import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

LOCALE = Path(__file__).resolve().parent.parent.parent / "selfreg" / "locale"
CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))
ENTRY = re.compile(r"^msgid (.*?)\n((?:msgid_plural .*?\n)?)((?:msgstr.*?\n)+)(?=\n|\Z)", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\d\}")


def text(quoted: str) -> str:
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', quoted))


def entries(path: Path) -> list[tuple[str, str, list[str]]]:
    found = []
    for msgid, plural, translations in ENTRY.findall(path.read_text()):
        said = [text(t) for t in re.split(r"^msgstr(?:\[\d\])? ", translations, flags=re.MULTILINE)[1:]]
        if text(msgid):
            found.append((text(msgid), text(plural), said))
    return found


def test_every_language_the_site_offers_is_shipped() -> None:
    offered = {translation.to_locale(code) for code, _name in settings.LANGUAGES} - {"en"}
    assert {path.parts[-3] for path in CATALOGUES} == offered


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: p.parts[-3])
def test_nothing_is_left_untranslated(path: Path) -> None:
    found = entries(path)
    assert len(found) > 500
    assert [msgid for msgid, _plural, said in found if not all(said)] == []
    assert "fuzzy" not in path.read_text()


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: p.parts[-3])
def test_translations_use_the_placeholders_of_the_original(path: Path) -> None:
    for msgid, plural, said in entries(path):
        known = set(PLACEHOLDER.findall(msgid + plural))
        for one in said:
            assert set(PLACEHOLDER.findall(one)) <= known, msgid
        if not plural:
            assert set(PLACEHOLDER.findall(said[0])) == known, msgid


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: p.parts[-3])
def test_the_compiled_catalogue_is_the_written_one(path: Path) -> None:
    with path.with_suffix(".mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    for msgid, plural, said in entries(path):
        key = msgid.encode().decode("unicode_escape").encode("latin-1").decode() if "\\" in msgid else msgid
        if not plural:
            assert catalogue.gettext(key).replace("\n", "\\n").replace('"', '\\"') == said[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "heading"),
    [("de", "Erstellen Sie Ihr Konto"), ("ja", "アカウント"), ("ar", "إنشاء")],
)
def test_a_page_is_in_the_visitors_language(code: str, heading: str, org: object) -> None:
    page = Client(headers={"Accept-Language": code}).get("/signup/").content.decode()
    assert f'<html lang="{code}"' in page
    assert heading in re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1]  # type: ignore[index]
