"""The org is away or answers nonsense: a page with a way to try again, the row where it was, and the retry works."""

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

# What is lost before the org works, and what is lost after it did.
BEFORE = ["status", "reset", "html", "empty", "malformed", "redirect", "huge"]
AFTER = ["after", "truncate"]


class Trouble:
    """The org's faults, until `passes`. A silent and a dripping org come with deadlines that a test can wait for."""

    def __init__(self, org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
        self.org, self.monkeypatch = org, monkeypatch

    def strikes(self, path: str, kind: str, times: int = 9) -> None:
        if kind in ("timeout", "slow"):
            self.monkeypatch.setattr(transport, "READ_SECONDS", 1.0)
            self.monkeypatch.setattr(transport, "TOTAL_SECONDS", 1.0)
            configured_org.reset_connections()
            self.org.fail(path, kind, times=times, seconds=3.0)
        else:
            self.org.fail(path, kind, times=times)

    def strikes_once(self, path: str, kind: str) -> None:
        self.strikes(path, kind, times=1)

    def passes(self) -> None:
        """The org answers again, and is asked again: a client that gave up on it is not waited for."""
        self.org.org.faults.pending.clear()
        configured_org.reset_connections()


@pytest.fixture
def trouble(org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> Trouble:
    return Trouble(org, monkeypatch)


# ---- the form


def test_a_stopped_org_is_a_page_with_a_retry(person: Person, configure: Callable[..., None]) -> None:
    with running_org(site=SITE) as gone:
        configure(ISSUER=gone.issuer)
    person.opens_the_sign_up("?next=/members/")
    assert person.status == 503
    assert person.heading == "Sign-up isn't available"
    assert "Nothing is lost" in person.page.text
    assert "Retry-After: 30" in person.seen[-1].headers
    assert person.page.link("Try again") == "/signup/?next=/members/"


@pytest.mark.parametrize("path", ["/interact", "/introspect", "/idx/enroll"])
@pytest.mark.parametrize("kind", [*BEFORE, *AFTER])
def test_a_form_that_could_not_be_had_can_be_asked_for_again(
    person: Person, org: OrgHandle, path: str, kind: str, trouble: Trouble
) -> None:
    trouble.strikes(path, kind)
    person.opens_the_sign_up()
    assert person.heading == "Sign-up isn't available"
    assert person.page.notices()
    trouble.passes()
    assert person.follows("Try again").heading == "Create your account"
    assert not Registration.objects.exists()


def test_what_was_typed_survives_an_org_that_is_away_when_the_form_comes_back(
    person: Person, org: OrgHandle, trouble: Trouble
) -> None:
    Person().opens_the_sign_up()
    person.opens_the_sign_up()
    trouble.strikes("/interact", "reset")
    person.tells_who_she_is()
    assert "The sign-up service didn't answer. Nothing is lost." in " ".join(person.page.problems())
    trouble.passes()
    assert person.page.typed("Email") == "ada@example.com"
    assert person.presses("Sign up").heading == "Check your email"


@pytest.mark.parametrize("kind", ["reset", "html", "empty", "truncate"])
def test_a_question_that_changes_nothing_is_asked_once_more_at_once(
    person: Person, org: OrgHandle, kind: str, trouble: Trouble
) -> None:
    trouble.strikes_once("/introspect", kind)
    assert person.opens_the_sign_up().heading == "Create your account"


def test_an_org_that_is_away_again_and_again_is_left_alone_for_a_while(
    person: Person, org: OrgHandle, trouble: Trouble
) -> None:
    trouble.strikes("/interact", "reset")
    for _ in range(8):
        person.opens_the_sign_up()
        assert person.heading == "Sign-up isn't available"
    assert len(org.calls("/interact")) == 5


# ---- the first submission


@pytest.mark.database
@pytest.mark.parametrize("kind", [*BEFORE, *AFTER, "timeout"])
def test_a_first_submission_whose_answer_is_lost_makes_one_account(
    person: Person, org: OrgHandle, kind: str, trouble: Trouble
) -> None:
    person.opens_the_sign_up()
    trouble.strikes_once("/enroll/new", kind)
    person.tells_who_she_is()
    if kind not in AFTER:
        assert person.heading == "Create your account"
        assert "The sign-up service didn't answer." in " ".join(person.page.problems())
        assert person.page.typed("Email") == "ada@example.com"
    person.does_whatever_the_page_asks(org)
    assert person.is_signed_in
    assert len(org.users) == User.objects.count() == 1


# ---- a step


@pytest.mark.parametrize("kind", [*BEFORE, "timeout"])
def test_a_step_that_did_not_reach_the_org_is_still_open_and_says_so(
    person: Person, org: OrgHandle, kind: str, trouble: Trouble
) -> None:
    trouble.strikes_once("/credential/enroll", kind)
    person.opens_the_sign_up().tells_who_she_is()
    row = Registration.objects.get()
    assert (row.status, row.step) == (Status.ENROLLING, "select-authenticator-enroll")
    assert person.heading == "Secure your account"
    assert "ry again" in " ".join([*person.page.notices(), *person.page.problems()])
    assert person.chooses("Email").heading == "Check your email"
    assert len(org.messages(person.email)) == 1


@pytest.mark.parametrize("kind", [*AFTER, "slow"])
def test_a_step_whose_answer_was_lost_is_not_done_twice(
    person: Person, org: OrgHandle, kind: str, trouble: Trouble
) -> None:
    trouble.strikes_once("/credential/enroll", kind)
    person.opens_the_sign_up().tells_who_she_is()
    assert person.heading == "Check your email"
    assert len(org.messages(person.email)) == 1
    assert person.types_the_code_from(org).heading == "Choose a password"


@pytest.mark.parametrize("kind", AFTER)
def test_a_code_whose_answer_was_lost_still_proves_the_address(
    person: Person, org: OrgHandle, kind: str, trouble: Trouble
) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    trouble.strikes_once("/challenge/answer", kind)
    person.types_the_code_from(org)
    assert person.heading == "Choose a password"
    assert Registration.objects.get().email_verified_at is not None
    assert person.chooses("Password").sets_a_password().is_signed_in


@pytest.mark.parametrize("kind", ["reset", "html", "after"])
def test_an_org_that_stays_away_is_asked_when_the_page_is_opened_again(
    person: Person, org: OrgHandle, kind: str, trouble: Trouble
) -> None:
    person.opens_the_sign_up()
    trouble.strikes_once("/credential/enroll", kind)
    trouble.strikes("/introspect", "reset")
    person.tells_who_she_is()
    assert person.heading == "Secure your account"
    assert Registration.objects.get().in_doubt
    trouble.passes()
    person.opens("/signup/step/")
    assert person.heading == ("Check your email" if kind == "after" else "Secure your account")
    assert not Registration.objects.get().in_doubt


@pytest.mark.parametrize("away", ["", "reset", "status"])
def test_what_is_put_right_while_nobody_knows_what_became_of_a_step_is_kept(
    person: Person, org: OrgHandle, trouble: Trouble, away: str
) -> None:
    """By then the org answers again, is still away, or (429) wants to be left alone for a while."""
    person.opens_the_sign_up()
    org.fail("/enroll/new", "reset")
    org.fail("/introspect", away or "reset", times=9, status=429)
    person.tells_who_she_is(Email="typo@example.com")
    if not away:
        trouble.passes()
    person.fills_and_presses({"Email": "right@example.com"})
    assert person.page.typed("Email") == "right@example.com"
    trouble.passes()
    with time_machine.travel(timezone.now() + timedelta(seconds=121)):
        if away:
            assert person.presses().page.typed("Email") == "right@example.com"
        assert person.presses().heading == "Check your email"
    assert Registration.objects.get().email == org.users[0].login == "right@example.com"


def test_what_was_typed_for_another_step_is_not_kept_for_this_one(
    person: Person, org: OrgHandle, trouble: Trouble
) -> None:
    person.opens_the_sign_up()
    trouble.strikes_once("/enroll/new", "after")
    trouble.strikes("/introspect", "reset")
    person.tells_who_she_is()
    trouble.passes()
    person.fills_and_presses({"Email": "late@example.com"})
    assert person.heading == "Check your email"
    assert "late@example.com" not in json.dumps(Registration.objects.get().decrypted())


def test_a_password_typed_while_the_org_stayed_away_is_kept_nowhere(
    person: Person, org: OrgHandle, trouble: Trouble
) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    trouble.strikes("/challenge/answer", "reset")
    trouble.strikes("/introspect", "reset")
    for _ in range(2):
        person.sets_a_password()
        assert person.heading == "Choose a password"
        assert PASSWORD not in json.dumps(Registration.objects.get().decrypted()) + person.page.html


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "http://["])
def test_an_answer_that_leads_elsewhere_is_not_followed_and_the_sign_up_recovers(
    person: Person, org: OrgHandle, elsewhere: str
) -> None:
    org.fail("/credential/enroll", "foreign-href", location=elsewhere)
    person.opens_the_sign_up().tells_who_she_is()
    assert person.heading == "Check your email"
    assert not [c for c in org.calls() if elsewhere in c.path]
    person.does_whatever_the_page_asks(org)
    assert person.is_signed_in


def test_too_many_requests_are_a_pause_not_an_end(person: Person, org: OrgHandle) -> None:
    org.fail("/credential/enroll", "status", status=429)
    person.opens_the_sign_up().tells_who_she_is()
    assert person.heading == "Secure your account"
    assert "Too many attempts. You can try again in" in " ".join([*person.page.notices(), *person.page.problems()])
    assert person.chooses("Email").heading == "Check your email"


# ---- the hand-over


@pytest.mark.parametrize("kind", ["reset", "html", "status", "after", "truncate"])
@pytest.mark.parametrize("path", ["/token", "/userinfo", "/keys"])
def test_a_hand_over_that_fails_leaves_an_account_that_signing_in_completes(
    person: Person, org: OrgHandle, path: str, kind: str, trouble: Trouble
) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    trouble.strikes(path, kind)
    person.sets_a_password()
    trouble.passes()
    assert (person.is_signed_in, person.heading) == (False, "Your account is ready")
    if person.path == "/signup/step/":
        person.presses("Sign in")
    if person.path == "/signup/done/":
        person.follows("Sign in").signs_in_at_the_org()
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED
    assert User.objects.count() == 1


def test_a_refused_client_ends_the_sign_up_and_says_why(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    org.patch_policy({"unknowns": {"unassigned_refused_at": "token"}})
    app = {"client_id": "0oaLocalDemoApp0000", "client_secret": "local-demo-secret-not-for-production"}
    org.patch_policy({"apps": [app | {"redirect_uris": [f"{SITE}/oidc/callback/"], "assigned": False}]})
    person.sets_a_password()
    assert person.heading == "We couldn't finish your sign-up"
    assert "Your account doesn't have access to this site." in person.page.text
    assert Registration.objects.get().status == Status.FAILED
