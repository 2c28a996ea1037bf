"""Every call that changes something at the org x every way it can go wrong. Whatever breaks, the person who keeps
pressing what the page offers ends signed in, and four things hold: one person at the org, one Django user, a row whose
status says what happened, and no change made twice.
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
UNDONE = ("reset", "timeout", "status", "html", "empty", "malformed", "redirect")
MOST_PRESSES = 25


class Killed(BaseException):
    """What a worker's death looks like from inside: nothing after it runs."""


class Repeater(Person):
    """Remembers what was posted last."""

    last_post: tuple[str, dict[str, str]] | None = None

    def _post(self, url: str, data: dict[str, str]) -> Any:
        self.last_post = (url, data)
        return super()._post(url, data)

    def refreshes(self) -> None:
        before = self.heading
        self.opens(self.page.url)
        assert self.heading == before

    def replays(self) -> None:
        """Sends the last form again, as it was: a double click whose second request comes late, or Back and again."""
        if self.last_post:
            self._follow(self._post(*self.last_post))
            assert self.status == 200


@contextmanager
def worker_dies_after(path: str) -> Iterator[None]:
    """The next call to ``path`` is made and answered; then the process is gone."""
    real = Transport.fetch
    pending = [path]

    def dying(self: Transport, method: str, url: str, *rest: Any) -> RawReply:
        reply = real(self, method, url, *rest)
        if pending and url.endswith(path):
            pending.clear()
            raise Killed
        return reply

    Transport.fetch = dying  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        Transport.fetch = real  # type: ignore[method-assign]


def time_passes() -> None:
    """Long enough that a claim of a worker that died is over."""
    past = timezone.now() - timedelta(seconds=1)
    Registration.objects.filter(busy_until__isnull=False).update(busy_until=past)


def goes_on(person: Person, org: OrgHandle) -> None:
    """What somebody does who reads the page and presses what it offers."""
    page = person.heading
    if page == "Create your account":
        person.tells_who_she_is()
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


def keeps_going(person: Person, org: OrgHandle) -> None:
    for _ in range(MOST_PRESSES):
        if person.is_signed_in:
            return
        try:
            goes_on(person, org)
        except Killed:
            time_passes()
            person.opens("/signup/step/")
    raise AssertionError(f"stuck on {person.heading!r}: {person.page.text}")


def holds_for(person: Person, org: OrgHandle) -> None:
    """I1 to I4."""
    assert len([u for u in org.users if u.email == person.email]) == 1
    assert User.objects.count() == 1
    assert [(r.status, r.email) for r in Registration.objects.all()] == [(Status.COMPLETED, person.email)]
    assert [r.sealed for r in Registration.objects.all()] == [""]
    for path, usual in list(CHANGES.items())[2:]:
        assert changes(org, path) <= usual, f"{path} was carried out {changes(org, path)} times"


def changes(org: OrgHandle, path: str) -> int:
    """How often the org did that, not how often it was asked. Signing in afterwards, by an authorization code, is not
    part of it.
    """
    done = [c for c in org.calls(path) if c.fault not in UNDONE and (c.status is None or c.status < 400)]
    return len([c for c in done if c.body.get("grant_type") != "authorization_code"])


@pytest.fixture
def optional_phone(org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})


pytestmark = pytest.mark.usefixtures("optional_phone")


# "after": the org has done its work, and the database alone knows that it was asked to.
@pytest.mark.parametrize("fault", [pytest.param(f, marks=pytest.mark.database) if f == "after" else f for f in FAULTS])
@pytest.mark.parametrize("path", CHANGES)
def test_a_call_that_breaks_costs_a_press_and_nothing_else(
    person: Person, org: OrgHandle, path: str, fault: str
) -> None:
    org.fail(path, fault, seconds=0.0)
    person.opens_the_sign_up()
    keeps_going(person, org)
    assert [c for c in org.calls(path) if c.fault == fault]
    holds_for(person, org)


@pytest.mark.parametrize("fault", ["after", "reset", "truncate"])
def test_the_password_is_set_once_even_if_its_answer_is_lost(person: Person, org: OrgHandle, fault: str) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    org.fail("/challenge/answer", fault)
    keeps_going(person, org)
    holds_for(person, org)


@pytest.mark.database
@pytest.mark.parametrize("path", CHANGES)
def test_a_worker_that_dies_after_the_call_leaves_a_row_that_goes_on(person: Person, org: OrgHandle, path: str) -> None:
    with worker_dies_after(path):
        try:
            person.opens_the_sign_up()
        except Killed:
            person.opens_the_sign_up()
        keeps_going(person, org)
    holds_for(person, org)


@pytest.mark.database
@pytest.mark.parametrize(
    ("path", "page"), [("/enroll/new", "Secure your account"), ("/credential/enroll", "Check your email")]
)
def test_a_worker_that_dies_between_the_two_calls_of_a_form_sends_one_mail(
    person: Person, org: OrgHandle, path: str, page: str
) -> None:
    person.opens_the_sign_up()
    with worker_dies_after(path), pytest.raises(Killed):
        person.tells_who_she_is()
    time_passes()
    assert person.opens("/signup/step/").heading == page
    keeps_going(person, org)
    holds_for(person, org)
    assert len(org.messages(person.email)) == 1


def test_the_form_sent_again_after_a_worker_died_in_it_goes_on_where_it_stands(db: None, org: OrgHandle) -> None:
    """A visitor without a session: the form came from the cache, and no answer ever set a cookie of it."""
    Person("grace@example.com").opens_the_sign_up()
    person = Repeater()
    person.opens_the_sign_up()
    assert "sessionid" not in person.browser.cookies
    with worker_dies_after("/enroll/new"), pytest.raises(Killed):
        person.tells_who_she_is()
    time_passes()
    person.replays()
    keeps_going(person, org)
    holds_for(person, org)


@pytest.mark.parametrize("path", CHANGES)
def test_a_worker_that_dies_and_an_org_that_is_away_still_end_well(person: Person, org: OrgHandle, path: str) -> None:
    """The question after the death is not answered either, once."""
    with worker_dies_after(path):
        try:
            person.opens_the_sign_up()
            for _ in range(MOST_PRESSES):
                goes_on(person, org)
        except Killed:
            time_passes()
        org.fail("*", "status", status=503, times=1)
        person.opens_the_sign_up() if path in ("/interact", "/idp/idx/enroll") else person.opens("/signup/step/")
        keeps_going(person, org)
    holds_for(person, org)


@pytest.mark.database
@pytest.mark.parametrize("again", [Repeater.refreshes, Repeater.replays], ids=["refresh", "double submit"])
def test_every_page_twice_makes_no_change_twice(db: None, org: OrgHandle, again: Callable[[Repeater], None]) -> None:
    person = Repeater()
    person.opens_the_sign_up()
    for _ in range(MOST_PRESSES):
        if person.is_signed_in:
            break
        again(person)
        goes_on(person, org)
    holds_for(person, org)
    assert {path: changes(org, path) for path in CHANGES} == CHANGES
