"""Sixteen concurrent requests on a database with row locks: one change, one user, and every response is a page."""

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

THREADS = 16
TIMEOUT = 60.0
pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="races are run on PostgreSQL (DATABASE_URL)"),
    pytest.mark.django_db(transaction=True),
]


def run_concurrently(function: Callable[[int], Any], times: int = THREADS) -> list[Any]:
    """Runs a function in several threads that start together."""
    barrier = threading.Barrier(times)

    def run(number: int) -> Any:
        barrier.wait(TIMEOUT)
        try:
            return function(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def clone_browser(person: Person) -> Client:
    clone = Client(enforce_csrf_checks=True)
    clone.cookies.update(person.browser.cookies)
    return clone


def submit_concurrently(person: Person, entries: dict[str, str], button: str = "") -> list[HttpResponse]:
    """Submits the current form in sixteen concurrent requests of one browser."""
    person.fills(entries)
    form = person.form
    data = form.data() | person.entries | ({"action": button} if button else {})
    url = (form.action or person.page.url).removeprefix(SITE)
    return run_concurrently(lambda _: clone_browser(person).post(url, data))


@pytest.fixture(autouse=True)
def _long_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raises all timeouts: sixteen threads, the org and other tests share a machine that may be busy."""
    for name in ("CONNECT_SECONDS", "READ_SECONDS", "TOTAL_SECONDS"):
        monkeypatch.setattr(transport, name, TIMEOUT)
    monkeypatch.setattr(circuit_breaker, "QUEUE_SECONDS", TIMEOUT)
    monkeypatch.setattr(auth, "HAND_OFF_SECONDS", TIMEOUT)
    monkeypatch.setattr(base, "REQUEST_SECONDS", TIMEOUT)


@pytest.fixture
def person(transactional_db: None, org: OrgHandle) -> Person:
    return Person()


def test_concurrent_submissions_of_the_form_start_one_registration(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    names = {"First name": "Ada", "Last name": "Lovelace", "Email": person.email}
    answers = submit_concurrently(person, names)
    assert {a.status_code for a in answers} <= {200, 302}
    assert Registration.objects.count() == 1
    assert len(org.calls("/enroll/new")) == 1
    assert len(org.users) == 1
    assert person.opens("/signup/step/").heading == "Check your email"


def test_a_second_submission_does_not_change_the_row_of_a_busy_registration(person: Person, org: OrgHandle) -> None:
    """Otherwise the answer of the running call could not be stored, and the registration would not advance."""
    person.opens_the_sign_up().submits_profile()
    row = Registration.objects.get()
    row.claim(60)
    person.opens_the_sign_up().submits_profile()
    person.posts("/signup/step/", {"step": "another step", "action": "resend"})
    row.refresh_from_db(fields=["busy_until"])
    assert row.is_busy
    row.commit(okta_user_id=row.okta_user_id)  # raises Conflict if anybody changed the row


def test_concurrent_submissions_of_a_code_make_one_call(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    answers = submit_concurrently(person, {"credentials.passcode": org.code(person.email)})
    assert {a.status_code for a in answers} == {302}
    assert len(org.calls("/challenge/answer")) == 1
    assert person.opens("/signup/step/").heading == "Choose a password"


def test_concurrent_wrong_codes_stay_within_the_rate_limit(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    wrong = "000000" if org.code(person.email) != "000000" else "111111"
    for _ in range(4):
        submit_concurrently(person, {"credentials.passcode": wrong})
    assert len(org.calls("/challenge/answer")) <= LIMITS["code by challenge"].max_hits


def test_concurrent_resends_send_one_email(person: Person, org: OrgHandle, configure: Callable[..., None]) -> None:
    configure(RESEND_SECONDS=1)
    person.opens_the_sign_up().submits_profile().chooses("Email")
    with time_machine.travel(timezone.now() + timedelta(seconds=3), tick=True):
        submit_concurrently(person, {}, "resend")
    assert len(org.messages(person.email)) == 2


def test_concurrent_hand_offs_create_one_user_and_redeem_the_code_once(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    answers = submit_concurrently(person, {"credentials.passcode": PASSWORD})
    assert {a.status_code for a in answers} == {302}
    assert User.objects.count() == OktaIdentity.objects.count() == 1
    assert Registration.objects.get().status == Status.COMPLETED
    assert len(org.calls("/token")) == 1


def test_concurrent_logins_of_a_new_identity_create_one_user(transactional_db: None, org: OrgHandle) -> None:
    """Each has its own grant, so only the constraint of the identity prevents duplicates."""
    claims = {"sub": "00u1", "email": "ada@example.com", "given_name": "Ada", "email_verified": True}
    users = run_concurrently(lambda _: OktaBackend().enter(claims).pk)
    assert len(set(users)) == 1
    assert User.objects.count() == OktaIdentity.objects.count() == 1


def test_a_rate_limit_is_exact_under_concurrency(transactional_db: None) -> None:
    waits = run_concurrently(lambda _: consume({"start by address": "a", "start by ip": "i"}))
    assert waits.count(0) == LIMITS["start by address"].max_hits


def test_refused_hits_do_not_use_up_other_rate_limits_under_concurrency(transactional_db: None) -> None:
    """Twelve hits of a network with two hits left do not use up the limit for the four hits of other networks."""
    for _ in range(LIMITS["start by ip"].max_hits - 2):
        consume({"start by ip": "full"})
    waits = run_concurrently(lambda n: consume({"start by ip": "full" if n % 4 else str(n), "start by address": "a"}))
    assert waits.count(0) == LIMITS["start by address"].max_hits


def test_rate_limits_in_any_order_do_not_deadlock(transactional_db: None) -> None:
    names = ["start by address", "start by ip", "send by ip", "text"]

    def use(number: int) -> int:
        rotated = names[number % 4 :] + names[: number % 4]
        return sum(consume(dict.fromkeys(rotated, "x")) for _ in range(20))

    assert len(run_concurrently(use)) == THREADS


def test_concurrent_consume_and_refund_do_not_deadlock(transactional_db: None) -> None:
    """As during an outage of the org: some requests consume hits, and others refund them."""
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

    assert len(run_concurrently(use)) == THREADS


def test_purge_does_not_wait_for_a_locked_counter(transactional_db: None) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=2)):
        consume({"start by ip": "busy"})
        consume({"start by ip": "idle"})
    counted, purged = threading.Event(), threading.Event()

    def hold_counter() -> bool:
        with transaction.atomic():
            consume({"start by ip": "busy"})
            counted.set()
            waited = purged.wait(TIMEOUT)
        connection.close()
        return waited

    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(hold_counter)
        assert counted.wait(TIMEOUT)
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


def test_concurrent_purges_erase_every_row_once(transactional_db: None) -> None:
    rows(300, hours=25)
    erased = run_concurrently(lambda _: sum(retention.erase(retention.to_erase(), 10)), 4)
    assert sum(erased) == 300
    assert not Registration.objects.exists()


@pytest.mark.slow
def test_purging_a_hundred_thousand_rows_does_not_block_sign_ups(person: Person, org: OrgHandle) -> None:
    rows(3_125, doubled=5, hours=25)
    finished = threading.Event()

    def purge() -> int:
        try:
            return sum(retention.erase(retention.to_erase(), 2_000))
        finally:
            finished.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        purging = pool.submit(purge)
        signed_up = 0
        while signed_up < 3 or not finished.is_set():
            visitor = Person(f"ada{signed_up}@example.com")
            # From everywhere, as traffic is: one address of the network would come to its limit.
            visitor.browser.defaults["REMOTE_ADDR"] = str(ip_address("10.0.0.1") + signed_up)
            assert visitor.signs_up(org).is_signed_in
            signed_up += 1
        assert purging.result(600) == 100_000
    assert Registration.objects.count() == User.objects.count() == signed_up
