"""Who may speak with the JSON interface, and what it never tells."""

import json
import subprocess
import sys
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.app_client import BASE, AppClient
from support.person import PASSWORD, Person
from support.sealed import stored_state

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def test_t101_a_browser_without_its_csrf_token_changes_nothing(org: OrgHandle) -> None:
    ada = AppClient().get()
    sent = {"form_token": ada.answer["form_token"], "values": {"userProfile.email": ada.email}}
    del ada.headers["X-CSRFToken"]
    assert (ada.post(**sent).status, ada.problem) == (403, "csrf")
    assert not Registration.objects.exists()


@pytest.mark.parametrize("path", ["", "step/", "verify/"])
def test_a_form_instead_of_json_is_refused(org: OrgHandle, path: str) -> None:
    """Django looks for the CSRF token in a form first, and then there is no body any more."""
    ada = AppClient().is_at_the_code()
    answer = ada.browser.post(BASE + path, {"userProfile.email": ada.email}, headers=ada.headers)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("malformed")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ä", "A" * 5_000])
def test_a_made_up_token_opens_nothing(org: OrgHandle, token: str) -> None:
    ada = AppClient().is_at_the_code()
    ada.headers["Authorization"] = f"Bearer {token}".encode().decode("latin-1")
    assert (ada.get("step/").status, ada.problem) == (401, "token")
    assert ada.get("").status == 401


def test_what_was_sealed_for_another_place_is_no_token(org: OrgHandle) -> None:
    ada = AppClient().is_at_the_code()
    ada.headers["Authorization"] = f"Bearer {Registration.objects.get().sealed}"
    assert ada.get("step/").status == 401


def test_t100_a_token_opens_its_own_registration_and_no_other(org: OrgHandle) -> None:
    ada = AppClient(by_token=True).is_at_the_code()
    eve = AppClient("eve@example.com", by_token=True)
    assert (eve.get(f"step/?registration={ada.answer['registration']}").status, eve.problem) == (404, "no-registration")
    eve.is_at_the_code()
    assert (
        eve.get(f"step/?registration={ada.answer['registration']}").answer["registration"] != ada.answer["registration"]
    )


def test_a_session_that_comes_with_a_token_is_not_looked_at(org: OrgHandle) -> None:
    browser = AppClient().is_at_the_code()
    browser.headers = AppClient("eve@example.com", by_token=True).headers
    assert browser.get("step/").status == 404


def test_a_token_ends(org: OrgHandle) -> None:
    ada = AppClient(by_token=True).is_at_the_code()
    with time_machine.travel(timedelta(days=3) + timezone.now()):
        assert (ada.get("step/").status, ada.problem) == (401, "token")


def test_a_token_begins_no_sooner_than_a_person_could_have_typed(org: OrgHandle, configure: Any, settings: Any) -> None:
    settings.DEBUG = False
    configure(MINIMUM_FILL_SECONDS=60)
    ada = AppClient(by_token=True).begins()
    assert (ada.status, ada.problem) == (429, "wait")
    assert 55 <= ada.answer["retry_after"] <= 60


def test_a_browser_that_began_nothing_has_nothing(org: OrgHandle) -> None:
    assert (AppClient().get("step/").status, AppClient().get("step/").problem) == (404, "no-registration")


def test_who_is_signed_in_registers_nobody(org: OrgHandle) -> None:
    ada = AppClient().signs_up(org)
    assert (ada.get().status, ada.problem, ada.answer["go"]) == (409, "signed-in", "http://testserver/")


@pytest.mark.parametrize("by_token", [False, True])
def test_no_secret_is_shown(org: OrgHandle, by_token: bool) -> None:
    ada = AppClient(by_token=by_token).is_at_the_code()
    code = org.code(ada.email)
    kept = stored_state(Registration.objects.get())
    handles = [kept["transaction"][n] for n in ("interaction_handle", "code_verifier", "state", "nonce")]
    handles.append(json.loads(kept["document"])["stateHandle"])
    ada.submits(credentials__passcode="wrong" + code[:1]).submits(credentials__passcode=code)
    ada.chooses("Password").sets_a_password("short").sets_a_password()
    assert ada.answer["status"] == "completed"
    everything = "\n".join(ada.seen)
    assert [s for s in (*handles, code, PASSWORD, '"short"') if s in everything] == []
    assert len(handles) == 5


def test_answers_are_never_cached_and_need_no_other_origin(org: OrgHandle) -> None:
    response = Client().get(BASE)
    assert "no-store" in response["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in response


def test_both_doors_lead_to_the_same_registration(org: OrgHandle) -> None:
    """What began as a page goes on by JSON, in the same browser."""
    person = Person()
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    ada = AppClient(person.email)
    ada.browser = person.browser
    ada.get("step/").submits(credentials__passcode=org.code(person.email))
    assert person.opens("/signup/step/").heading == "Choose a password"


def test_the_document_is_openapi_and_names_every_operation(db: None) -> None:
    document = Client().get(f"{BASE}openapi.json").json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {BASE + p for p in ("", "token/", "step/", "verify/", "cancel/", "captcha/")}
    refused = document["paths"][f"{BASE}step/"]["post"]["responses"]["422"]
    assert list(refused["content"]) == ["application/problem+json"]
    assert set(document["components"]["securitySchemes"]) == {"RegistrationToken", "SessionCookie"}


@cache
def documented(path: str) -> set[int]:
    document = Client().get(f"{BASE}openapi.json").json()
    return {int(status) for status in document["paths"][BASE + path]["post"]["responses"]}


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner))
KNOWN = ["values", "form_token", "form_version", "activation_token", "identity_provider", "step", "action", "otp"]
NAMES = ["userProfile.email", "userProfile.firstName", "credentials.passcode", "authenticator.id", "state"]
SHAPED = st.dictionaries(st.sampled_from([*KNOWN, *NAMES]), ANYTHING | st.dictionaries(st.sampled_from(NAMES), SCALAR))


@pytest.fixture
def app(org: OrgHandle) -> AppClient:
    return AppClient(by_token=True)


@pytest.mark.database
@given(path=st.sampled_from(["", "step/", "verify/", "cancel/"]), sent=ANYTHING | SHAPED)
def test_whatever_is_sent_is_answered_as_the_document_says(app: AppClient, path: str, sent: Any) -> None:
    body = json.dumps(sent)
    response = app.browser.post(BASE + path, body, content_type="application/json", headers=app.headers)
    assert response.status_code < 500
    assert response.status_code in documented(path)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"values": {"a": "\\ud800"}}'])
def test_what_is_no_json_is_a_problem(org: OrgHandle, body: bytes) -> None:
    ada = AppClient(by_token=True)
    response = ada.browser.post(BASE, body, content_type="application/json", headers=ada.headers)
    assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (400, "malformed")
    assert response["Content-Type"] == "application/problem+json"


WITHOUT_NINJA = """
import sys
from datetime import timedelta
sys.modules["ninja"] = None
import django
django.setup()
from django.core.checks import run_checks
print([c.id for c in run_checks() if c.id == "selfreg.E022"])
"""


def test_a_check_says_that_django_ninja_is_missing() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT_NINJA], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['selfreg.E022']"
