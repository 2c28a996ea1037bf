"""Access to the JSON API: tokens, sessions and CSRF; secrets; and the OpenAPI document."""

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

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.app_client import BASE, AppClient
from support.person import PASSWORD, Person
from support.sealed import stored_state

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def test_t101_session_request_without_csrf_token_is_rejected(org: OrgHandle) -> None:
    client = AppClient().get()
    data = {"form_token": client.answer["form_token"], "values": {"userProfile.email": client.email}}
    del client.headers["X-CSRFToken"]
    assert (client.post(**data).status, client.problem) == (403, "csrf")
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=1", "multipart/form-data"),
        (b"{}" + b" " * 3_000_000, "application/json"),
        (b"&".join(b"a=1" for _ in range(1_100)), "application/x-www-form-urlencoded"),
    ],
    ids=["form without a boundary", "large body", "many fields"],
)
@pytest.mark.parametrize("by_token", [True, False])
def test_unreadable_body_gets_a_problem_with_status_400(
    org: OrgHandle, body: bytes, content_type: str, by_token: bool
) -> None:
    ada = AppClient(by_token=by_token).goes_to_the_code_page()
    answer = ada.browser.post(BASE, body, content_type=content_type, headers=ada.headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("path", ["", "step/", "verify/"])
def test_form_data_instead_of_json_gets_status_400(org: OrgHandle, path: str) -> None:
    """Django reads the form to find the CSRF token, after which the body is no longer available."""
    client = AppClient().goes_to_the_code_page()
    answer = client.browser.post(BASE + path, {"userProfile.email": client.email}, headers=client.headers)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("malformed")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ä", "A" * 5_000])
def test_invalid_token_gets_status_401(org: OrgHandle, token: str) -> None:
    client = AppClient().goes_to_the_code_page()
    client.headers["Authorization"] = f"Bearer {token}".encode().decode("latin-1")
    assert (client.get("step/").status, client.problem) == (401, "token")
    assert client.get("").status == 401


def test_other_encrypted_values_are_not_accepted_as_token(org: OrgHandle) -> None:
    client = AppClient().goes_to_the_code_page()
    client.headers["Authorization"] = f"Bearer {Registration.objects.get().sealed}"
    assert client.get("step/").status == 401


def test_t100_token_gives_access_only_to_its_own_registration(org: OrgHandle) -> None:
    client = AppClient(by_token=True).goes_to_the_code_page()
    other_client = AppClient("eve@example.com", by_token=True)
    assert (other_client.get(f"step/?registration={client.answer['registration']}").status, other_client.problem) == (
        404,
        "no-registration",
    )
    other_client.goes_to_the_code_page()
    assert (
        other_client.get(f"step/?registration={client.answer['registration']}").answer["registration"]
        != client.answer["registration"]
    )


def test_session_is_ignored_if_a_token_is_sent(org: OrgHandle) -> None:
    browser = AppClient().goes_to_the_code_page()
    browser.headers = AppClient("eve@example.com", by_token=True).headers
    assert browser.get("step/").status == 404


def test_token_expires(org: OrgHandle) -> None:
    client = AppClient(by_token=True).goes_to_the_code_page()
    with time_machine.travel(timedelta(days=3) + timezone.now()):
        assert (client.get("step/").status, client.problem) == (401, "token")


def test_minimum_fill_time_applies_to_tokens(org: OrgHandle, configure: Any, settings: Any) -> None:
    settings.DEBUG = False
    configure(MINIMUM_FILL_SECONDS=60)
    client = AppClient(by_token=True).begins()
    assert (client.status, client.problem) == (429, "wait")
    assert 55 <= client.answer["retry_after"] <= 60


def test_browser_without_registration_gets_status_404(org: OrgHandle) -> None:
    assert (AppClient().get("step/").status, AppClient().get("step/").problem) == (404, "no-registration")


def test_logged_in_user_gets_status_409(org: OrgHandle) -> None:
    client = AppClient().signs_up(org)
    assert (client.get().status, client.problem, client.answer["go"]) == (409, "signed-in", "http://testserver/")


@pytest.mark.parametrize("by_token", [False, True])
def test_api_responses_contain_no_secret(org: OrgHandle, by_token: bool) -> None:
    client = AppClient(by_token=by_token).goes_to_the_code_page()
    code = org.code(client.email)
    state = stored_state(Registration.objects.get())
    handles = [state["transaction"][n] for n in ("interaction_handle", "code_verifier", "state", "nonce")]
    handles.append(json.loads(state["document"])["stateHandle"])
    client.submits(credentials__passcode="wrong" + code[:1]).submits(credentials__passcode=code)
    client.chooses("Password").sets_a_password("short").sets_a_password()
    assert client.answer["status"] == "completed"
    responses = "\n".join(client.seen)
    assert [s for s in (*handles, code, PASSWORD, '"short"') if s in responses] == []
    assert len(handles) == 5


def test_api_responses_are_not_cached_and_have_no_cors_headers(org: OrgHandle) -> None:
    response = Client().get(BASE)
    assert "no-store" in response["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in response


def test_sign_up_started_on_a_page_continues_in_the_api(org: OrgHandle) -> None:
    """The registration is started on a page and continued in the API by the same browser."""
    person = Person()
    person.opens_the_sign_up().submits_profile().chooses("Email")
    client = AppClient(person.email)
    client.browser = person.browser
    client.get("step/").submits(credentials__passcode=org.code(person.email))
    assert person.opens("/signup/step/").heading == "Choose a password"


def test_openapi_document_is_valid_and_complete(db: None) -> None:
    # Its import takes five seconds, which every worker would spend.
    from openapi_spec_validator import validate  # noqa: PLC0415

    document = Client().get(f"{BASE}openapi.json").json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {BASE + p for p in ("", "token/", "step/", "verify/", "cancel/", "captcha/")}
    unprocessable = document["paths"][f"{BASE}step/"]["post"]["responses"]["422"]
    assert list(unprocessable["content"]) == ["application/problem+json"]
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
@given(path=st.sampled_from(["", "step/", "verify/", "cancel/"]), data=ANYTHING | SHAPED)
def test_any_json_body_gets_a_documented_status_code(app: AppClient, path: str, data: Any) -> None:
    body = json.dumps(data)
    response = app.browser.post(BASE + path, body, content_type="application/json", headers=app.headers)
    assert response.status_code < 500
    assert response.status_code in documented(path)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"values": {"a": "\\ud800"}}'])
def test_invalid_json_gets_status_400(org: OrgHandle, body: bytes) -> None:
    client = AppClient(by_token=True)
    response = client.browser.post(BASE, body, content_type="application/json", headers=client.headers)
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


def test_system_check_reports_that_django_ninja_is_missing() -> None:
    result = subprocess.run([sys.executable, "-c", WITHOUT_NINJA], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['selfreg.E022']"
