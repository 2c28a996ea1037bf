"""Sign-ups that the org refuses, at the form or later: the page shows the reason and what to do next."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from okta_devorg import OrgHandle
from selfreg import rate_limits
from selfreg.models import Registration, RegistrationEvent
from selfreg.statuses import Status
from support.page import text
from support.person import Person

ENDED = "We couldn't finish your sign-up"
MAINTENANCE = "This can't be set up at the moment because of maintenance. Try again later."
REFUSALS = {
    "generic": "We couldn't create your account. Check your details and try again.",
    "not_completed": "We couldn't complete your sign-up. Try again later.",
    "access_denied": "You don't have permission to do this.",
    "enrollment_not_allowed": "Authenticator enrollment is not allowed at this time. "
    "Please contact support for assistance.",
}


def notices(person: Person) -> list[str]:
    return [text(e) for box in person.page.all("div", "notice") for e in person.page.all("p", within=box)]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_shows_the_message_of_the_org_and_a_link_to_start_again(
    person: Person, org: OrgHandle, refusal: str
) -> None:
    org.patch_policy({"sign_up_refusal": refusal})
    person.opens_the_sign_up().submits_profile()
    assert (person.heading, notices(person)) == (ENDED, [REFUSALS[refusal]])
    row = Registration.objects.get()
    assert (row.status, row.sealed) == (Status.FAILED, "")
    org.patch_policy({"sign_up_refusal": None})
    assert person.follows("Start again").submits_profile().heading == "Check your email"


@pytest.mark.parametrize("refusal", ["at_interact", "unavailable"])
def test_a_refusal_before_the_form_shows_the_unavailable_page_and_logs_a_hint(
    person: Person, org: OrgHandle, refusal: str, caplog: pytest.LogCaptureFixture
) -> None:
    org.patch_policy({"sign_up_refusal": refusal})
    assert person.opens_the_sign_up().heading == "Sign-up isn't available"
    assert notices(person) != []
    assert "sign_up.unavailable: `manage.py selfreg_doctor` tells why" in caplog.text
    org.patch_policy({"sign_up_refusal": None})
    assert person.follows("Try again").heading == "Create your account"


def test_a_rate_limit_of_this_site_does_not_log_the_hint_to_run_the_doctor(
    person: Person, org: OrgHandle, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = rate_limits.Limit(1, rate_limits.HOUR, relaxed=1)
    for name in ("invitation by ip", "start by ip"):
        monkeypatch.setitem(rate_limits.LIMITS, name, strict)
    for number in range(2):
        person.opens(f"/signup/?token=unknown-{number}")
    person.presses("Continue").opens("/signup/?token=another")
    caplog.clear()
    assert person.presses("Continue").status == 429
    assert person.heading == "Sign-up isn't available"
    assert "selfreg_doctor" not in caplog.text


# ---- the org's registration hook


class HookHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps(self.server.answer).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hook(org: OrgHandle) -> Iterator[HTTPServer]:
    """A registration inline hook of the org. It returns its attribute ``answer``."""
    with HTTPServer(("127.0.0.1", 0), HookHandler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        org.patch_policy({"hooks": {"registration": {"url": f"http://127.0.0.1:{server.server_port}/"}}})
        yield server
        server.shutdown()


def denial(**error: object) -> dict[str, object]:
    deny = {"type": "com.okta.action.update", "value": {"registration": "DENY"}}
    return {"commands": [deny], **({"error": error} if error else {})}


def test_the_page_shows_the_hooks_reason_for_a_denial(person: Person, org: OrgHandle, hook: HTTPServer) -> None:
    hook.answer = denial(errorSummary="Members of the harbour only.")  # type: ignore[attr-defined]
    person.opens_the_sign_up().submits_profile()
    assert "Members of the harbour only." in person.page.text
    assert RegistrationEvent.objects.get(kind="answered").outcome == RegistrationEvent.OWN_WORDS
    assert org.users == []
    assert not person.is_signed_in


def test_a_field_error_of_the_hook_is_shown_beside_the_field_and_can_be_corrected(
    person: Person, org: OrgHandle, hook: HTTPServer
) -> None:
    cause = {"errorSummary": "Use your work address.", "location": "data.userProfile.email", "locationType": "body"}
    hook.answer = denial(errorSummary="No.", errorCauses=[cause])  # type: ignore[attr-defined]
    person.opens_the_sign_up().submits_profile()
    assert person.page.beside("userProfile.email") == ["Use your work address."]
    hook.answer = {}  # type: ignore[attr-defined]
    assert person.fills_and_presses({"Email": "ada@work.example"}).heading == "Check your email"


# ---- maintenance


def test_safe_mode_ends_the_sign_up_with_an_explanation(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"safe_mode": True})
    person.opens_the_sign_up().submits_profile()
    assert (person.heading, notices(person)) == (ENDED, [MAINTENANCE])


def test_optional_authenticators_can_be_skipped_in_safe_mode(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    org.patch_policy({"safe_mode": True})
    person.sets_a_password()
    assert MAINTENANCE in person.page.text
    assert person.presses("Skip for now").is_signed_in
