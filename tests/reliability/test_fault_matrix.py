"""Every call that changes something at the org, with every fault. A visitor who continues with the buttons of each page
is signed in at the end, and four invariants hold: one account at the org, one Django user, a completed row, and no
change was made twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.idx.transport import RawReply, Transport
from selfreg.models import Registration
from selfreg.statuses import Status
from support.person import Person

# The end of a path, and how often a registration with a code, a password and a skipped phone calls it.
CHANGES = {
    "/interact": 1,
    "/idp/idx/enroll": 1,
    "/enroll/new": 1,
    "/credential/enroll": 2,
    "/challenge/answer": 2,
    "/idp/idx/skip": 1,
    "/v1/token": 1,
}
FAULTS = ("after", "reset", "truncate", "timeout", "status", "html", "empty", "malformed", "redirect")
# These answer without doing the work.
NOT_CARRIED_OUT = ("reset", "timeout", "status", "html", "empty", "malformed", "redirect")
MAX_STEPS = 25


class Killed(BaseException):
    """Simulates the death of a worker: no code handles this exception."""


class Repeater(Person):
    """A visitor that can post the last form again."""

    last_post: tuple[str, dict[str, str]] | None = None

    def _post(self, url: str, data: dict[str, str]) -> Any:
        self.last_post = (url, data)
        return super()._post(url, data)

    def refresh(self) -> None:
        before = self.heading
        self.opens(self.page.url)
        assert self.heading == before

    def resubmit(self) -> None:
        """Sends the last form again unchanged, like a late double click or the Back button."""
        if self.last_post:
            self._follow(self._post(*self.last_post))
            assert self.status == 200


@contextmanager
def worker_dies_after(path: str) -> Iterator[None]:
    """The worker dies after the next call to ``path`` was answered."""
    real = Transport.fetch
    pending = [path]

    def fetch(self: Transport, method: str, url: str, *rest: Any) -> RawReply:
        reply = real(self, method, url, *rest)
        if pending and url.endswith(path):
            pending.clear()
            raise Killed
        return reply

    Transport.fetch = fetch  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        Transport.fetch = real  # type: ignore[method-assign]


def expire_claims() -> None:
    """Ends the claims of workers that died."""
    past = timezone.now() - timedelta(seconds=1)
    Registration.objects.filter(busy_until__isnull=False).update(busy_until=past)


def take_next_step(person: Person, org: OrgHandle) -> None:
    """Fills in the current page and presses its button."""
    page = person.heading
    if page == "Create your account":
        person.submits_profile()
    elif page == "Secure your account":
        labels = [c.label for c in person.form.controls if c.type == "radio"]
        chosen = next((c for c in ("Email", "Password") if c in labels), "")
        person.chooses(chosen) if chosen else person.presses("Skip for now")
    elif page == "Check your email":
        person.types_the_code_from(org)
    elif page == "Choose a password":
        person.sets_a_password()
    elif page == "Your account is ready" and person.page.forms:
        person.presses("Sign in")
    elif page == "Your account is ready":
        person.follows("Sign in").signs_in_at_the_org()
    elif page == "One moment":
        person.follows("Check now")
    else:
        person.opens_the_sign_up()


def complete_sign_up(person: Person, org: OrgHandle) -> None:
    for _ in range(MAX_STEPS):
        if person.is_signed_in:
            return
        try:
            take_next_step(person, org)
        except Killed:
            expire_claims()
            person.opens("/signup/step/")
    raise AssertionError(f"stuck on {person.heading!r}: {person.page.text}")


def assert_invariants(person: Person, org: OrgHandle) -> None:
    """Invariants I1 to I4."""
    assert len([u for u in org.users if u.email == person.email]) == 1
    assert User.objects.count() == 1
    assert [(r.status, r.email) for r in Registration.objects.all()] == [(Status.COMPLETED, person.email)]
    assert [r.sealed for r in Registration.objects.all()] == [""]
    for path, limit in list(CHANGES.items())[2:]:
        assert changes(org, path) <= limit, f"{path} was carried out {changes(org, path)} times"


def changes(org: OrgHandle, path: str) -> int:
    """How often the org carried out a call, which may be fewer times than it was called. A later sign-in with an
    authorization code does not count.
    """
    calls = [c for c in org.calls(path) if c.fault not in NOT_CARRIED_OUT and (c.status is None or c.status < 400)]
    return len([c for c in calls if c.body.get("grant_type") != "authorization_code"])


@pytest.fixture
def optional_phone(org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})


pytestmark = pytest.mark.usefixtures("optional_phone")


# "after": the org has done its work, and the database alone knows that it was asked to.
@pytest.mark.parametrize("fault", [pytest.param(f, marks=pytest.mark.database) if f == "after" else f for f in FAULTS])
@pytest.mark.parametrize("path", CHANGES)
def test_a_sign_up_completes_with_a_fault_in_any_call(person: Person, org: OrgHandle, path: str, fault: str) -> None:
    org.fail(path, fault, seconds=0.0)
    person.opens_the_sign_up()
    complete_sign_up(person, org)
    assert [c for c in org.calls(path) if c.fault == fault]
    assert_invariants(person, org)


@pytest.mark.parametrize("fault", ["after", "reset", "truncate"])
def test_the_password_is_set_once_if_its_answer_is_lost(person: Person, org: OrgHandle, fault: str) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    org.fail("/challenge/answer", fault)
    complete_sign_up(person, org)
    assert_invariants(person, org)


@pytest.mark.database
@pytest.mark.parametrize("path", CHANGES)
def test_a_sign_up_completes_after_its_worker_died_in_any_call(person: Person, org: OrgHandle, path: str) -> None:
    with worker_dies_after(path):
        try:
            person.opens_the_sign_up()
        except Killed:
            person.opens_the_sign_up()
        complete_sign_up(person, org)
    assert_invariants(person, org)


@pytest.mark.database
@pytest.mark.parametrize(
    ("path", "page"), [("/enroll/new", "Secure your account"), ("/credential/enroll", "Check your email")]
)
def test_one_email_is_sent_if_the_worker_dies_between_the_two_calls_of_the_form(
    person: Person, org: OrgHandle, path: str, page: str
) -> None:
    person.opens_the_sign_up()
    with worker_dies_after(path), pytest.raises(Killed):
        person.submits_profile()
    expire_claims()
    assert person.opens("/signup/step/").heading == page
    complete_sign_up(person, org)
    assert_invariants(person, org)
    assert len(org.messages(person.email)) == 1


def test_resubmitting_the_form_after_its_worker_died_continues_the_registration(db: None, org: OrgHandle) -> None:
    """A visitor without a session: the form was cached, and no response has set a cookie."""
    Person("grace@example.com").opens_the_sign_up()
    person = Repeater()
    person.opens_the_sign_up()
    assert "sessionid" not in person.browser.cookies
    with worker_dies_after("/enroll/new"), pytest.raises(Killed):
        person.submits_profile()
    expire_claims()
    person.resubmit()
    complete_sign_up(person, org)
    assert_invariants(person, org)


@pytest.mark.parametrize("path", CHANGES)
def test_a_sign_up_completes_after_a_dead_worker_and_an_outage(person: Person, org: OrgHandle, path: str) -> None:
    """The introspect call that follows fails once."""
    with worker_dies_after(path):
        try:
            person.opens_the_sign_up()
            for _ in range(MAX_STEPS):
                take_next_step(person, org)
        except Killed:
            expire_claims()
        org.fail("*", "status", status=503, times=1)
        person.opens_the_sign_up() if path in ("/interact", "/idp/idx/enroll") else person.opens("/signup/step/")
        complete_sign_up(person, org)
    assert_invariants(person, org)


@pytest.mark.database
@pytest.mark.parametrize("repeat", [Repeater.refresh, Repeater.resubmit], ids=["refresh", "double submit"])
def test_refreshing_or_resubmitting_every_page_repeats_no_change(
    db: None, org: OrgHandle, repeat: Callable[[Repeater], None]
) -> None:
    person = Repeater()
    person.opens_the_sign_up()
    for _ in range(MAX_STEPS):
        if person.is_signed_in:
            break
        repeat(person)
        take_next_step(person, org)
    assert_invariants(person, org)
    assert {path: changes(org, path) for path in CHANGES} == CHANGES
