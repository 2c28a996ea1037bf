"""An org that is unreachable or answers garbage: the page offers a retry, the row is unchanged, and the retry works."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from okta_devorg import OrgHandle, running_org
from selfreg.idx import transport
from selfreg.models import Registration
from selfreg.registration import policy as configured_org
from selfreg.statuses import Status
from support.person import PASSWORD, SITE, Person
from support.sealed import stored_state

# What is lost before the org works, and what is lost after it did.
BEFORE = ["status", "reset", "html", "empty", "malformed", "redirect", "huge"]
AFTER = ["after", "truncate"]


class OrgFaults:
    """Faults of the org until `stop`. Kinds that exceed a deadline come with deadlines of one second."""

    def __init__(self, org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
        self.org, self.monkeypatch = org, monkeypatch

    def start(self, path: str, kind: str, times: int = 9) -> None:
        if kind in ("timeout", "slow"):
            self.monkeypatch.setattr(transport, "READ_SECONDS", 1.0)
            self.monkeypatch.setattr(transport, "TOTAL_SECONDS", 1.0)
            configured_org.reset_connections()
            self.org.fail(path, kind, times=times, seconds=3.0)
        else:
            self.org.fail(path, kind, times=times)

    def start_once(self, path: str, kind: str) -> None:
        self.start(path, kind, times=1)

    def stop(self) -> None:
        """Ends the faults, and closes the circuit of the client without waiting for its pause."""
        self.org.org.faults.pending.clear()
        configured_org.reset_connections()


@pytest.fixture
def faults(org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> OrgFaults:
    return OrgFaults(org, monkeypatch)


# ---- the form


def test_an_unreachable_org_shows_an_unavailable_page_with_a_retry(
    person: Person, configure: Callable[..., None]
) -> None:
    with running_org(site=SITE) as stopped_org:
        configure(ISSUER=stopped_org.issuer)
    person.opens_the_sign_up("?next=/members/")
    assert person.status == 503
    assert person.heading == "Sign-up isn't available"
    assert "Nothing is lost" in person.page.text
    assert "Retry-After: 30" in person.seen[-1].headers
    assert person.page.link("Try again") == "/signup/?next=/members/"


@pytest.mark.parametrize("path", ["/interact", "/introspect", "/idx/enroll"])
@pytest.mark.parametrize("kind", [*BEFORE, *AFTER])
def test_the_form_can_be_loaded_again_after_a_fault(
    person: Person, org: OrgHandle, path: str, kind: str, faults: OrgFaults
) -> None:
    faults.start(path, kind)
    person.opens_the_sign_up()
    assert person.heading == "Sign-up isn't available"
    assert person.page.notices()
    faults.stop()
    assert person.follows("Try again").heading == "Create your account"
    assert not Registration.objects.exists()


def test_the_form_keeps_its_values_if_the_org_is_unreachable_at_submission(
    person: Person, org: OrgHandle, faults: OrgFaults
) -> None:
    Person().opens_the_sign_up()
    person.opens_the_sign_up()
    faults.start("/interact", "reset")
    person.submits_profile()
    assert "The sign-up service didn't answer. Nothing is lost." in " ".join(person.page.problems())
    faults.stop()
    assert person.page.typed("Email") == "ada@example.com"
    assert person.presses("Sign up").heading == "Check your email"


@pytest.mark.parametrize("kind", ["reset", "html", "empty", "truncate"])
def test_introspect_is_retried_once_immediately(person: Person, org: OrgHandle, kind: str, faults: OrgFaults) -> None:
    faults.start_once("/introspect", kind)
    assert person.opens_the_sign_up().heading == "Create your account"


def test_the_circuit_opens_after_repeated_faults(person: Person, org: OrgHandle, faults: OrgFaults) -> None:
    faults.start("/interact", "reset")
    for _ in range(8):
        person.opens_the_sign_up()
        assert person.heading == "Sign-up isn't available"
    assert len(org.calls("/interact")) == 5


# ---- the first submission


@pytest.mark.database
@pytest.mark.parametrize("kind", [*BEFORE, *AFTER, "timeout"])
def test_a_first_submission_whose_answer_is_lost_creates_one_account(
    person: Person, org: OrgHandle, kind: str, faults: OrgFaults
) -> None:
    person.opens_the_sign_up()
    faults.start_once("/enroll/new", kind)
    person.submits_profile()
    if kind not in AFTER:
        assert person.heading == "Create your account"
        assert "The sign-up service didn't answer." in " ".join(person.page.problems())
        assert person.page.typed("Email") == "ada@example.com"
    person.completes_the_sign_up(org)
    assert person.is_signed_in
    assert len(org.users) == User.objects.count() == 1


# ---- a step


@pytest.mark.parametrize("kind", [*BEFORE, "timeout"])
def test_a_step_that_the_org_did_not_carry_out_stays_open_with_an_error(
    person: Person, org: OrgHandle, kind: str, faults: OrgFaults
) -> None:
    faults.start_once("/credential/enroll", kind)
    person.opens_the_sign_up().submits_profile()
    row = Registration.objects.get()
    assert (row.status, row.step) == (Status.ENROLLING, "select-authenticator-enroll")
    assert person.heading == "Secure your account"
    assert "ry again" in " ".join([*person.page.notices(), *person.page.problems()])
    assert person.chooses("Email").heading == "Check your email"
    assert len(org.messages(person.email)) == 1


@pytest.mark.parametrize("kind", [*AFTER, "slow"])
def test_a_step_whose_answer_was_lost_is_not_repeated(
    person: Person, org: OrgHandle, kind: str, faults: OrgFaults
) -> None:
    faults.start_once("/credential/enroll", kind)
    person.opens_the_sign_up().submits_profile()
    assert person.heading == "Check your email"
    assert len(org.messages(person.email)) == 1
    assert person.types_the_code_from(org).heading == "Choose a password"


@pytest.mark.parametrize("kind", AFTER)
def test_a_code_whose_answer_was_lost_verifies_the_address(
    person: Person, org: OrgHandle, kind: str, faults: OrgFaults
) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    faults.start_once("/challenge/answer", kind)
    person.types_the_code_from(org)
    assert person.heading == "Choose a password"
    assert Registration.objects.get().email_verified_at is not None
    assert person.chooses("Password").sets_a_password().is_signed_in


@pytest.mark.parametrize("kind", ["reset", "html", "after"])
def test_a_registration_in_doubt_is_resolved_when_the_page_is_opened_again(
    person: Person, org: OrgHandle, kind: str, faults: OrgFaults
) -> None:
    person.opens_the_sign_up()
    faults.start_once("/credential/enroll", kind)
    faults.start("/introspect", "reset")
    person.submits_profile()
    assert person.heading == "Secure your account"
    assert Registration.objects.get().in_doubt
    faults.stop()
    person.opens("/signup/step/")
    assert person.heading == ("Check your email" if kind == "after" else "Secure your account")
    assert not Registration.objects.get().in_doubt


@pytest.mark.parametrize("fault", ["", "reset", "status"])
def test_values_corrected_while_a_registration_is_in_doubt_are_kept(
    person: Person, org: OrgHandle, faults: OrgFaults, fault: str
) -> None:
    """At that time the org answers again, is still unreachable, or returns status 429."""
    person.opens_the_sign_up()
    org.fail("/enroll/new", "reset")
    org.fail("/introspect", fault or "reset", times=9, status=429)
    person.submits_profile(Email="typo@example.com")
    if not fault:
        faults.stop()
    person.fills_and_presses({"Email": "right@example.com"})
    assert person.page.typed("Email") == "right@example.com"
    faults.stop()
    with time_machine.travel(timezone.now() + timedelta(seconds=121)):
        if fault:
            assert person.presses().page.typed("Email") == "right@example.com"
        assert person.presses().heading == "Check your email"
    assert Registration.objects.get().email == org.users[0].login == "right@example.com"


def test_values_of_an_earlier_step_are_not_kept_for_the_current_one(
    person: Person, org: OrgHandle, faults: OrgFaults
) -> None:
    person.opens_the_sign_up()
    faults.start_once("/enroll/new", "after")
    faults.start("/introspect", "reset")
    person.submits_profile()
    faults.stop()
    person.fills_and_presses({"Email": "late@example.com"})
    assert person.heading == "Check your email"
    assert "late@example.com" not in json.dumps(stored_state(Registration.objects.get()))


def test_a_password_typed_while_the_org_is_unreachable_is_not_stored(
    person: Person, org: OrgHandle, faults: OrgFaults
) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    faults.start("/challenge/answer", "reset")
    faults.start("/introspect", "reset")
    for _ in range(2):
        person.sets_a_password()
        assert person.heading == "Choose a password"
        assert PASSWORD not in json.dumps(stored_state(Registration.objects.get())) + person.page.html


@pytest.mark.parametrize("foreign_url", ["https://evil.example", "http://["])
def test_an_answer_with_a_foreign_href_is_not_followed_and_the_sign_up_recovers(
    person: Person, org: OrgHandle, foreign_url: str
) -> None:
    org.fail("/credential/enroll", "foreign-href", location=foreign_url)
    person.opens_the_sign_up().submits_profile()
    assert person.heading == "Check your email"
    assert not [c for c in org.calls() if foreign_url in c.path]
    person.completes_the_sign_up(org)
    assert person.is_signed_in


def test_status_429_pauses_the_sign_up_and_does_not_end_it(person: Person, org: OrgHandle) -> None:
    org.fail("/credential/enroll", "status", status=429)
    person.opens_the_sign_up().submits_profile()
    assert person.heading == "Secure your account"
    assert "Too many attempts. You can try again in" in " ".join([*person.page.notices(), *person.page.problems()])
    assert person.chooses("Email").heading == "Check your email"


# ---- the hand-over


@pytest.mark.parametrize("kind", ["reset", "html", "status", "after", "truncate"])
@pytest.mark.parametrize("path", ["/token", "/userinfo", "/keys"])
def test_sign_in_completes_a_registration_whose_hand_off_failed(
    person: Person, org: OrgHandle, path: str, kind: str, faults: OrgFaults
) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    faults.start(path, kind)
    person.sets_a_password()
    faults.stop()
    assert (person.is_signed_in, person.heading) == (False, "Your account is ready")
    if person.path == "/signup/step/":
        person.presses("Sign in")
    if person.path == "/signup/done/":
        person.follows("Sign in").signs_in_at_the_org()
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED
    assert User.objects.count() == 1


def test_an_account_refused_at_the_token_endpoint_ends_the_sign_up_with_the_reason(
    person: Person, org: OrgHandle
) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    org.patch_policy({"unknowns": {"unassigned_refused_at": "token"}})
    app = {"client_id": "0oaLocalDemoApp0000", "client_secret": "local-demo-secret-not-for-production"}
    org.patch_policy({"apps": [app | {"redirect_uris": [f"{SITE}/oidc/callback/"], "assigned": False}]})
    person.sets_a_password()
    assert person.heading == "We couldn't finish your sign-up"
    assert "Your account doesn't have access to this site." in person.page.text
    assert Registration.objects.get().status == Status.FAILED
