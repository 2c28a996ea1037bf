"""Sixteen requests at once, on a database with row locks: one change, one user, and everybody sees a page."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg import auth
from selfreg.auth import OktaBackend
from selfreg.idx import circuit_breaker, transport
from selfreg.models import OktaIdentity, RateLimitCounter, Registration, RegistrationEvent
from selfreg.rate_limits import LIMITS, consume, refund
from selfreg.registration import retention
from selfreg.statuses import Status
from selfreg.views import base
from support.person import PASSWORD, SITE, Person

AT_ONCE = 16
PATIENCE = 60.0
pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="races are run on PostgreSQL (DATABASE_URL)"),
    pytest.mark.django_db(transaction=True),
]


def at_once(what: Callable[[int], Any], times: int = AT_ONCE) -> list[Any]:
    """Runs it in as many threads, which all start together."""
    barrier = threading.Barrier(times)

    def one(number: int) -> Any:
        barrier.wait(PATIENCE)
        try:
            return what(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def same_browser(person: Person) -> Client:
    twin = Client(enforce_csrf_checks=True)
    twin.cookies.update(person.browser.cookies)
    return twin


def posted_at_once(person: Person, entries: dict[str, str], button: str = "") -> list[HttpResponse]:
    """The form in front of the person, sent by sixteen clicks at the same time."""
    person.fills(entries)
    form = person.form
    data = form.data() | person.entries | ({"action": button} if button else {})
    url = (form.action or person.page.url).removeprefix(SITE)
    return at_once(lambda _: same_browser(person).post(url, data))


@pytest.fixture(autouse=True)
def _patient_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline is no race: sixteen threads, the org and other tests share a machine that may be busy."""
    for name in ("CONNECT_SECONDS", "READ_SECONDS", "TOTAL_SECONDS"):
        monkeypatch.setattr(transport, name, PATIENCE)
    monkeypatch.setattr(circuit_breaker, "QUEUE_SECONDS", PATIENCE)
    monkeypatch.setattr(auth, "HAND_OFF_SECONDS", PATIENCE)
    monkeypatch.setattr(base, "REQUEST_SECONDS", PATIENCE)


@pytest.fixture
def person(transactional_db: None, org: OrgHandle) -> Person:
    return Person()


def test_a_form_sent_sixteen_times_at_once_begins_one_registration(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    names = {"First name": "Ada", "Last name": "Lovelace", "Email": person.email}
    answers = posted_at_once(person, names)
    assert {a.status_code for a in answers} <= {200, 302}
    assert Registration.objects.count() == 1
    assert len(org.calls("/enroll/new")) == 1
    assert len(org.users) == 1
    assert person.opens("/signup/step/").heading == "Check your email"


def test_a_form_that_comes_again_takes_no_call_under_way_its_row(person: Person, org: OrgHandle) -> None:
    """The answer of that call could not be written then, and the sign-up would stand where it began."""
    person.opens_the_sign_up().tells_who_she_is()
    row = Registration.objects.get()
    row.claim(60)
    person.opens_the_sign_up().tells_who_she_is()
    person.posts("/signup/step/", {"step": "another step", "action": "resend"})
    row.refresh_from_db(fields=["busy_until"])
    assert row.is_busy
    row.commit(okta_user_id=row.okta_user_id)  # raises Conflict if anybody changed the row


def test_a_code_sent_sixteen_times_at_once_is_submitted_once(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    answers = posted_at_once(person, {"credentials.passcode": org.code(person.email)})
    assert {a.status_code for a in answers} == {302}
    assert len(org.calls("/challenge/answer")) == 1
    assert person.opens("/signup/step/").heading == "Choose a password"


def test_sixteen_wrong_codes_at_once_are_not_sixteen_guesses(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    wrong = "000000" if org.code(person.email) != "000000" else "111111"
    for _ in range(4):
        posted_at_once(person, {"credentials.passcode": wrong})
    assert len(org.calls("/challenge/answer")) <= LIMITS["code by challenge"].max_hits


def test_sixteen_who_ask_for_the_mail_again_at_once_get_one(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=1)
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    with time_machine.travel(timezone.now() + timedelta(seconds=3), tick=True):
        posted_at_once(person, {}, "resend")
    assert len(org.messages(person.email)) == 2


def test_sixteen_finishers_make_one_user(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    answers = posted_at_once(person, {"credentials.passcode": PASSWORD})
    assert {a.status_code for a in answers} == {302}
    assert User.objects.count() == OktaIdentity.objects.count() == 1
    assert Registration.objects.get().status == Status.COMPLETED
    assert len(org.calls("/token")) == 1


def test_the_same_new_person_coming_in_by_sixteen_ways_at_once_is_one_user(
    transactional_db: None, org: OrgHandle
) -> None:
    """Each by a grant of its own: nothing but the identity itself holds them apart."""
    claims = {"sub": "00u1", "email": "ada@example.com", "given_name": "Ada", "email_verified": True}
    users = at_once(lambda _: OktaBackend().enter(claims).pk)
    assert len(set(users)) == 1
    assert User.objects.count() == OktaIdentity.objects.count() == 1


def test_a_limit_lets_through_exactly_as_many_as_it_says(transactional_db: None) -> None:
    waits = at_once(lambda _: consume({"start by address": "a", "start by ip": "i"}))
    assert waits.count(0) == LIMITS["start by address"].max_hits


def test_what_is_refused_at_the_same_moment_uses_up_nothing(transactional_db: None) -> None:
    """Twelve by a network that may only twice more leave enough for the four that come by others."""
    for _ in range(LIMITS["start by ip"].max_hits - 2):
        consume({"start by ip": "theirs"})
    waits = at_once(lambda n: consume({"start by ip": "theirs" if n % 4 else str(n), "start by address": "a"}))
    assert waits.count(0) == LIMITS["start by address"].max_hits


def test_limits_in_any_order_do_not_wait_for_each_other(transactional_db: None) -> None:
    names = ["start by address", "start by ip", "send by ip", "text"]

    def use(number: int) -> int:
        turned = names[number % 4 :] + names[: number % 4]
        return sum(consume(dict.fromkeys(turned, "x")) for _ in range(20))

    assert len(at_once(use)) == AT_ONCE


def test_what_is_counted_and_taken_back_at_once_does_not_deadlock(transactional_db: None) -> None:
    """An outage of the org: some press the button, others get their hits back."""
    hits = dict.fromkeys(("start by address", "start by ip", "start by ip, a day", "send by ip", "text"), "x")
    consume(hits)
    # In the table, the counter that is locked first is behind the others.
    counters = list(RateLimitCounter.objects.order_by("-key"))
    RateLimitCounter.objects.all().delete()
    RateLimitCounter.objects.bulk_create(counters)

    def use(number: int) -> int:
        for _ in range(50):
            if number % 2:
                refund(hits)
            else:
                consume(hits)
        return number

    assert len(at_once(use)) == AT_ONCE


def test_a_purge_does_not_wait_for_a_counter_that_is_in_use(transactional_db: None) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=2)):
        consume({"start by ip": "busy"})
        consume({"start by ip": "idle"})
    counted, purged = threading.Event(), threading.Event()

    def count_and_think() -> bool:
        with transaction.atomic():
            consume({"start by ip": "busy"})
            counted.set()
            waited = purged.wait(PATIENCE)
        connection.close()
        return waited

    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(count_and_think)
        assert counted.wait(PATIENCE)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            call_command("selfreg_purge")
        finally:
            purged.set()
            connection.close()
        assert counting.result()
    assert RateLimitCounter.objects.get().used == 1


def rows(count: int, doubled: int = 0, **ago: float) -> None:
    then = timezone.now() - timedelta(**ago)
    values = {"issuer": "https://org.example", "status": Status.EXPIRED, "updated_at": then, "finished_at": then}
    made = Registration.objects.bulk_create([Registration(**values) for _ in range(count)], batch_size=2_000)
    events = [RegistrationEvent(registration=r, kind=RegistrationEvent.Kind.STARTED) for r in made]
    RegistrationEvent.objects.bulk_create(events, batch_size=2_000)
    columns = ", ".join(f.column for f in Registration._meta.concrete_fields if f.column and not f.primary_key)
    table = Registration._meta.db_table
    with connection.cursor() as cursor:
        for _ in range(doubled):
            cursor.execute(f"INSERT INTO {table} (id, {columns}) SELECT gen_random_uuid(), {columns} FROM {table}")


def test_two_purges_at_once_do_not_meet(transactional_db: None) -> None:
    rows(300, hours=25)
    erased = at_once(lambda _: sum(retention.erase(retention.to_erase(), 10)), 4)
    assert sum(erased) == 300
    assert not Registration.objects.exists()


@pytest.mark.slow
def test_a_hundred_thousand_abandoned_rows_are_purged_beside_people_who_sign_up(person: Person, org: OrgHandle) -> None:
    rows(3_125, doubled=5, hours=25)
    done = threading.Event()

    def purge() -> int:
        try:
            return sum(retention.erase(retention.to_erase(), 2_000))
        finally:
            done.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        purging = pool.submit(purge)
        signed_up = 0
        while signed_up < 3 or not done.is_set():
            visitor = Person(f"ada{signed_up}@example.com")
            # From everywhere, as traffic is: one address of the network would come to its limit.
            visitor.browser.defaults["REMOTE_ADDR"] = str(ip_address("10.0.0.1") + signed_up)
            assert visitor.signs_up(org).is_signed_in
            signed_up += 1
        assert purging.result(600) == 100_000
    assert Registration.objects.count() == User.objects.count() == signed_up
