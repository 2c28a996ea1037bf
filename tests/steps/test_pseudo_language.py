"""All texts of this package can be translated. A pseudo language puts every translated text in brackets, and words
outside brackets are hard-coded. Texts of the org, the site and the visitor are removed first.
"""

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import django
import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import translation

from selfreg.conf import conf
from selfreg.idx.client import Visitor
from selfreg.idx.ion import as_text
from selfreg.models import Registration, RegistrationEvent
from selfreg.registration import approval
from selfreg.registration.exchange import Attempt, open_row
from selfreg.registration.policy import connect
from selfreg.statuses import FINAL, Status
from selfreg.templatetags.selfreg import in_groups
from support.idx.scripted_org import ScriptedOrg
from support.idx.situations import SITUATIONS, Situation
from support.page import Page, attribute, walk
from support.person import Person

ROOT = Path(__file__).resolve().parents[2]
DJANGO = Path(django.__file__).parent
# A language that Django knows and this project does not speak.
CODE = "eo"
ALL_SITES = ("conf", "contrib/admin", "contrib/auth", "contrib/contenttypes")
SOURCES = [
    *(ROOT / folder / "locale" / "de" / "LC_MESSAGES" / "django.po" for folder in ("selfreg", "project")),
    *(DJANGO / folder / "locale" / "de" / "LC_MESSAGES" / "django.po" for folder in ALL_SITES),
]
TEXT_ATTRIBUTES = ("aria-label", "alt", "title", "placeholder", "data-met", "data-open", "data-lost", "data-at")
BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
WORD = re.compile(r"[^\W\d_]{2,}")
# The site's: its name, and what is called the same in every language.
UNTRANSLATED = ("django-selfreg demo", "otpauth", "QR", "UTC")


def pseudo(msgid: Any) -> Any:
    return tuple(pseudo(one) for one in msgid) if isinstance(msgid, list | tuple) else f"⟦{msgid}⟧"


def is_format(msgid: Any) -> bool:
    """Whether a message is a format, for dates for example, and no text."""
    return isinstance(msgid, str) and bool(re.fullmatch(r"[A-Z_]+_FORMAT|[.,]|\{given\} \{family\}", msgid))


@pytest.fixture(scope="session")
def pseudo_locale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locale")
    pseudo_catalog = Catalog(locale=CODE)
    for source in SOURCES:
        with source.open("rb") as file:
            for message in read_po(file):
                if message.id and not is_format(message.id):
                    pseudo_catalog.add(message.id, pseudo(message.id), context=message.context)
    path = folder / CODE / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, pseudo_catalog)
    return folder


@pytest.fixture(autouse=True)
def _use_pseudo_language(pseudo_locale: Path, settings: Any) -> Iterator[None]:
    settings.LOCALE_PATHS = [pseudo_locale]
    settings.LANGUAGES = [(CODE, "⟦…⟧")]
    settings.LANGUAGE_CODE = CODE
    with translation.override(CODE):
        yield


def unbracketed(text: str, excluded: tuple[str, ...] = ()) -> list[str]:
    """The words outside brackets."""
    for part in sorted((*UNTRANSLATED, *excluded), key=len, reverse=True):
        text = text.replace(part, " ")
    while BRACKETED.search(text):
        text = BRACKETED.sub(" ", text)
    return WORD.findall(text)


def untranslated_words(html: str, excluded: tuple[str, ...] = ()) -> list[str]:
    """The words outside brackets of a page: its visible text, and attributes that screen readers use."""
    page = Page("", re.sub(r"<(svg|select|time)\b.*?</\1>", "", html, flags=re.DOTALL))
    attributes = [attribute(e, name) or "" for e in walk(page.root) for name in TEXT_ATTRIBUTES]
    return [word for text in (page.title, page.text, *attributes) for word in unbracketed(unescape(text), excluded)]


def strings(node: Any) -> Iterator[str]:
    """Every string of a document of the org."""
    if isinstance(node, str):
        yield from (node, as_text(node), *node.splitlines(), in_groups(node))
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from strings(inner)


def test_hard_coded_words_are_found() -> None:
    assert untranslated_words("<title>⟦a⟧</title><p>⟦Hello <b>you</b>⟧ there</p>") == ["there"]
    assert untranslated_words('<title>⟦a⟧</title><p aria-label="Left">⟦b ⟦c⟧ d⟧</p>') == ["Left"]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda s: s.name)
def test_a_step_has_only_translated_text(ada: Person, scripted: ScriptedOrg, situation: Situation) -> None:
    scripted.answers_with(situation.document, status=situation.status)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    others = (*strings(situation.document), ada.email, str(Registration.objects.get().pk))
    assert untranslated_words(ada.page.html, others) == []


@pytest.mark.parametrize("answer", ["", "x" * 3])
@pytest.mark.parametrize("situation", [s for s in SITUATIONS if s.names], ids=lambda s: s.name)
def test_form_errors_have_only_translated_text(
    ada: Person, scripted: ScriptedOrg, situation: Situation, answer: str
) -> None:
    scripted.answers_with(situation.document, status=situation.status)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    texts = {c.name: answer for c in ada.form.controls if c.type in ("text", "tel", "email", "password", "number")}
    ada.fills(texts).presses()
    others = (*strings(situation.document), ada.email, str(Registration.objects.get().pk))
    assert untranslated_words(ada.page.html, others) == []


ENDS = [s for s in Status if s not in (Status.STARTED, Status.ENROLLING, Status.FINISHING)]


@pytest.mark.parametrize("status", ENDS)
def test_an_end_page_has_only_translated_text(client: Client, db: None, status: Status) -> None:
    known = {"okta_user_id": "00u1", "status": status, "email": "ada@example.com", "issuer": "https://org.example"}
    finished = {"finished_at": "2026-01-01T00:00Z"} if status in FINAL else {}
    registration = Registration.objects.create(step="idx.email.verification.required", **known | finished)
    session = client.session
    session["selfreg"] = [str(registration.pk)]
    session.save()
    page = client.get("/signup/done/").content.decode()
    assert untranslated_words(page, ("ada@example.com", str(registration.pk))) == []


URLS = ["/", "/signup/", "/members/", "/nowhere/", "/signup/verify/", "/signup/verify/?otp=12345&state=x"]
URLS += ["/oidc/callback/?error=access_denied&state=x", "/signup/?activationToken=made-up"]


@pytest.mark.parametrize("url", URLS)
def test_a_page_has_only_translated_text(person: Person, url: str) -> None:
    person.opens(url)
    assert untranslated_words(person.page.html, reference_and_org_texts(person)) == []


def reference_and_org_texts(person: Person) -> tuple[str, ...]:
    """Reference numbers for the help desk, and texts of an org that always answers in English."""
    return (*re.findall(r"\b[0-9a-f]{8}\b", person.page.html), "Sign up", "The activation token is invalid")


def test_pages_of_a_signed_in_user_have_only_translated_text(client: Client, db: None) -> None:
    user = User.objects.create_user("00u1", "ada@example.com", first_name="Ada", last_name="Kestrel")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    own = ("ada@example.com", "Ada", "Kestrel", "00u1", "user.username", "user.email", "user.date_joined")
    assert untranslated_words(client.get("/").content.decode(), own) == []
    assert untranslated_words(client.get("/members/").content.decode(), own) == []


@pytest.mark.parametrize("decide", [approval.approve, lambda e: approval.reject(e, "Too late.")])
def test_an_email_has_only_translated_text(db: None, configure: Any, decide: Callable[[Attempt], None]) -> None:
    user = User.objects.create_user("00u1", "ada@example.com")
    registration = Registration.objects.create(
        status=Status.AWAITING_APPROVAL, email="ada@example.com", language=CODE, okta_user_id="00u1", user=user
    )
    decide(open_row(registration, connect(conf(), Visitor())))
    (sent,) = mail.outbox
    assert unbracketed(f"{sent.subject} {sent.body}", ("Too late.", "http://testserver/")) == []


EVENTS = [(kind, "enroll-authenticator okta_email", "ok", n) for n, kind in enumerate(RegistrationEvent.Kind)]
# What Django's own admin does not translate; and the pattern of its dates in the language that this one is laid over.
DJANGO_TEXTS = ("Search", "False", *(("Run",) if django.VERSION >= (6, 1) else ()), " de ", " je ", "CSV", "JSON")
ADMIN = "/admin/selfreg/registration/"
ROW_VALUES = (
    "ada@example.com",
    "a•••@example.com",
    "enroll-authenticator okta_email",
    "root",
    "00u1",
    "org.example",
    "ok",
)


@pytest.mark.parametrize("page", ["", "funnel/", "form/", "{pk}/change/"])
def test_an_admin_page_has_only_translated_text(client: Client, db: None, page: str) -> None:
    registration = Registration.objects.create(
        status=Status.ENROLLING, step="enroll-authenticator okta_email", email="ada@example.com", workflow="mandatory"
    )
    for kind, step, outcome, _n in EVENTS:
        RegistrationEvent.objects.create(registration=registration, kind=kind, step=step, outcome=outcome)
    client.force_login(User.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    response = client.get(ADMIN + page.format(pk=registration.pk))
    assert response.status_code == 200
    assert untranslated_words(response.content.decode(), (*ROW_VALUES, *DJANGO_TEXTS, str(registration.pk))) == []
