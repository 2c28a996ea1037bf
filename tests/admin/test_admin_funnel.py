"""The funnel: its numbers are those of the events, to the last one."""

import csv
import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from selfreg.admin.chart import chart
from selfreg.models import Registration, RegistrationEvent, TalliedHour
from selfreg.reports.funnel import Period, Point, Stage, funnel
from selfreg.statuses import Status
from support.staff import LIST

pytestmark = pytest.mark.database

Make = Callable[..., Registration]
Kind = RegistrationEvent.Kind
PROFILE, CHOICE = "enroll-profile", "select-authenticator-enroll"
EMAIL, PASSWORD = "enroll-authenticator okta_email", "enroll-authenticator okta_password"
WRONG = "api.authn.error.PASSCODE_INVALID"


def through(pace: float) -> tuple[tuple[object, str, str, float], ...]:
    """The events of somebody who came through, each step taking ``pace`` seconds times its number."""
    return (
        (Kind.STARTED, PROFILE, "", 0),
        (Kind.ANSWERED, PROFILE, "ok", 1 * pace),
        (Kind.ANSWERED, CHOICE, "ok", 3 * pace),
        (Kind.ANSWERED, EMAIL, WRONG, 4 * pace),
        (Kind.ANSWERED, EMAIL, "ok", 6 * pace),
        (Kind.VERIFIED, EMAIL, "", 6 * pace),
        (Kind.ANSWERED, CHOICE, "ok", 7 * pace),
        (Kind.ANSWERED, PASSWORD, "ok", 10 * pace),
        (Kind.COMPLETED, "token", "", 11 * pace),
    )


def top_of_the_hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def people(registered: Make) -> Period:
    """Last full hour four (two came through, one stopped at the mail, one at the profile), the hour before one."""
    end = top_of_the_hour()

    def came(minutes: float, **values: Any) -> None:
        registered(minutes=(timezone.now() - end).total_seconds() / 60 + minutes, **values)

    came(minutes=50, events=through(10), status=Status.COMPLETED)
    came(minutes=40, events=through(20), status=Status.COMPLETED, language="de", workflow="optional")
    stopped = (*through(30)[:4], (Kind.RESENT, EMAIL, "ok", 130), (Kind.RESENT, EMAIL, "ok", 150))
    came(minutes=30, events=(*stopped, (Kind.TROUBLE, EMAIL, "AnswerLost", 160)), language="de")
    refused = (Kind.ANSWERED, PROFILE, "registration.error.generic registration.error.invalidLoginEmail", 5)
    came(minutes=20, events=((Kind.STARTED, PROFILE, "", 0), refused), policy="b" * 16)
    came(minutes=90, events=through(10), status=Status.COMPLETED)
    return Period(end - timedelta(hours=1), end)


def test_each_milestone_counts_people_with_their_median_time(people: Period) -> None:
    assert funnel(people).stages == (
        Stage("started", 4),
        Stage(PROFILE, 3, 20.0, 0, 1),
        Stage(EMAIL, 2, 45.0, 2, 3),
        Stage(PASSWORD, 2, 45.0),
        Stage("completed", 2),
    )


PHONE = "enroll-authenticator phone_number"


@pytest.fixture
def with_a_phone(registered: Make) -> Period:
    """Of those who came through three skipped the phone and one added it; one set the password before the email; one
    added the phone and left."""
    skipped = (*through(2)[:-1], (Kind.SKIPPED, CHOICE, "ok", 21), (Kind.COMPLETED, "token", "", 22))
    added = (*through(2)[:-1], (Kind.ANSWERED, PHONE, "ok", 21), (Kind.COMPLETED, "token", "", 22))
    for _ in range(3):
        registered(minutes=5, events=skipped, status=Status.COMPLETED)
    registered(minutes=5, events=added, status=Status.COMPLETED)
    other_way = (*through(2)[:2], (Kind.ANSWERED, PASSWORD, "ok", 9))
    registered(minutes=5, events=other_way, step=EMAIL, status=Status.ENROLLING)
    registered(minutes=5, events=added[:-1], step="token", status=Status.FINISHING)
    registered(minutes=5, events=through(2)[:2], step=CHOICE, status=Status.ENROLLING)
    return Period.last(1, timezone.now())


def test_only_what_everybody_passes_is_a_stage_and_the_numbers_never_rise(with_a_phone: Period) -> None:
    found = funnel(with_a_phone)
    steps = [(stage.step, stage.people) for stage in found.stages]
    assert steps == [("started", 7), (PROFILE, 7), (EMAIL, 5), (PASSWORD, 5), ("completed", 4)]
    assert {stage.step: stage.people for stage in found.steps}[PASSWORD] == 6


def test_what_is_optional_tells_who_decided_for_it(with_a_phone: Period) -> None:
    (phone,) = funnel(with_a_phone).optional
    assert (phone.step, phone.offered, phone.added, phone.skipped) == (PHONE, 5, 2, 3)


def test_a_way_that_most_people_add_before_they_leave_is_optional_all_the_same(registered: Make) -> None:
    for _ in range(9):
        registered(events=(*through(2)[:-1], (Kind.ANSWERED, PHONE, "ok", 21)), step="token", status=Status.FINISHING)
    registered(events=(*through(2)[:-1], (Kind.SKIPPED, CHOICE, "ok", 21)), status=Status.COMPLETED)
    found = funnel(Period.last(1, timezone.now()))
    assert PHONE not in [stage.step for stage in found.stages]
    assert (found.optional[0].added, found.optional[0].skipped) == (9, 1)


def test_while_nobody_is_through_every_milestone_is_a_stage(registered: Make) -> None:
    registered(events=through(2)[:-1], step="token", status=Status.FINISHING)
    steps = [stage.step for stage in funnel(Period.last(1, timezone.now())).stages]
    assert steps == ["started", PROFILE, EMAIL, PASSWORD, "completed"]


def test_a_loss_leads_to_the_people(manager: Client, with_a_phone: Period) -> None:
    page = manager.get(f"{LIST}funnel/").content.decode()
    losses = re.findall(rf'<a href="({LIST}\?[^"]+)">−(\d+) ', page)
    assert [number for _url, number in losses] == ["2", "1"]
    found = [manager.get(url.replace("&amp;", "&")).context["cl"].result_list for url, _number in losses]
    assert [sorted(r.step for r in rows) for rows in found] == [[EMAIL, CHOICE], ["token"]]


def test_the_parts_of_a_period_add_up(people: Period) -> None:
    day = funnel(Period(people.end - timedelta(days=1), people.end))
    assert [point.start for point in day.points] == [day.period.start + timedelta(hours=n) for n in range(24)]
    assert [(point.started, point.completed) for point in day.points][-2:] == [(1, 1), (4, 2)]
    assert sum(point.started for point in day.points) == day.started
    week = funnel(Period(people.end - timedelta(days=7), people.end))
    assert [(point.started, point.completed) for point in week.points] == [(0, 0)] * 6 + [(5, 3)]


def test_the_chart_has_axes_with_numbers(manager: Client, people: Period) -> None:
    page = manager.get(f"{LIST}funnel/?days=7").content.decode()
    (svg,) = re.findall(r'<svg class="selfreg-chart".*?</svg>', page, re.DOTALL)
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert texts[:3] == ["0", "5", "10"]
    assert len(texts) == 3 + 7
    assert len(re.findall(r'<rect class="started"', svg)) == 7


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (21, 40), (41, 100), (101, 200), (999, 1000)]
)
def test_the_axis_ends_at_a_round_number(most: int, top: int) -> None:
    points = [Point(datetime(2026, 1, 1, tzinfo=UTC), most, 0)]
    assert [row.text for row in chart(points).rows][-1] == f"{top:,}"


def test_a_comparison_with_nobody_is_left_out(manager: Client, registered: Make) -> None:
    registered(minutes=5)
    assert "period before" not in manager.get(f"{LIST}funnel/").content.decode().lower()
    registered(minutes=26 * 60)
    assert "The period before: 1 started" in manager.get(f"{LIST}funnel/").content.decode()


def test_no_placeholder_of_a_message_is_shown(manager: Client, registered: Make) -> None:
    short = "securityQuestion.answer.tooShort.arg"
    registered(events=((Kind.ANSWERED, PROFILE, short, 1), (Kind.TROUBLE, PROFILE, "AnswerLost", 2)))
    page = manager.get(f"{LIST}funnel/").content.decode()
    assert f"Use at least … characters for your answer. ({short})" in page
    assert "{0}" not in page
    assert "Okta did not answer in time." in page


def test_what_an_earlier_version_tallied_is_still_counted(with_a_phone: Period) -> None:
    """Its rows do not tell who skipped and who finished."""
    call_command("selfreg_purge", stdout=io.StringIO())
    row = TalliedHour.objects.get()
    del row.numbers["passed"], row.numbers["skippers"]
    row.save()
    found = funnel(with_a_phone)
    assert (found.started, found.completed) == (7, 4)
    assert {PROFILE, EMAIL, PASSWORD} < {stage.step for stage in found.stages}


def test_the_choices_between_milestones_are_among_the_steps(people: Period) -> None:
    choice = next(stage for stage in funnel(people).steps if stage.step == CHOICE)
    # three people: 20 + 10, 40 + 20 and 60 seconds
    assert (choice.people, choice.seconds) == (3, 60.0)


def test_errors_are_counted_by_key_and_troubles_apart(people: Period) -> None:
    found = funnel(people)
    assert found.errors == (
        (WRONG, 3),
        ("registration.error.generic", 1),
        ("registration.error.invalidLoginEmail", 1),
    )
    assert found.troubles == (("AnswerLost", 1),)


def test_it_is_split_by_language_workflow_and_policy(people: Period) -> None:
    found = funnel(people)
    assert {(s.value, s.started, s.completed) for s in found.languages} == {("en", 2, 1), ("de", 2, 1)}
    assert {(s.value, s.started, s.completed) for s in found.workflows} == {("mandatory", 3, 1), ("optional", 1, 1)}
    assert {(s.value, s.started, s.completed) for s in found.policies} == {("a" * 16, 3, 2), ("b" * 16, 1, 0)}


def test_the_period_before_is_as_long_and_its_people_are_its_own(people: Period) -> None:
    before = funnel(people.before)
    assert before.period.end == people.start
    assert (before.started, before.completed) == (1, 1)


def test_a_period_in_which_nobody_came_is_all_zero(db: None) -> None:
    empty = funnel(Period.last(1, timezone.now()))
    assert (empty.started, empty.completed, empty.steps, empty.errors) == (0, 0, (), ())


def test_the_page_the_csv_and_the_json_tell_the_same(manager: Client, people: Period) -> None:
    page = manager.get(f"{LIST}funnel/?days=1").content.decode()
    assert "Of 5 people who started" in page
    assert "60.0 %" in page
    assert "<svg" in page
    file = manager.get(f"{LIST}funnel/?days=1&format=csv").content.decode()
    stages = [row for row in csv.DictReader(io.StringIO(file)) if row["what"] == "stage"]
    numbers = manager.get(f"{LIST}funnel/?days=1&format=json").json()["now"]
    assert [(r["name"], int(r["people"])) for r in stages] == [(s["step"], s["people"]) for s in numbers["stages"]]
    assert [s["people"] for s in numbers["stages"]] == [5, 4, 3, 3, 3]


@pytest.mark.parametrize(
    "query",
    [
        "days=0",
        "days=-1",
        "days=x",
        "days=99999999999",
        "days=0003660000000000",
        "from=0001-01-01&to=0001-01-02",
        "from=x&to=y",
        "from=2026-02-02&to=2026-01-01",
        "from=2026-01-01",
    ],
)
def test_a_period_that_is_none_is_the_last_day(manager: Client, query: str) -> None:
    numbers = manager.get(f"{LIST}funnel/?format=json&{query}").json()["now"]
    start, end = (numbers["period"][name][:10] for name in ("start", "end"))
    assert (start < end, len(numbers["stages"])) == (True, 2)


def test_a_period_can_be_named_by_its_days(manager: Client, registered: Make) -> None:
    registered(created_at=timezone.now())
    numbers = manager.get(f"{LIST}funnel/?format=json&from=2026-01-05&to=2026-01-12").json()
    assert numbers["now"]["period"] == {"start": "2026-01-05T00:00:00Z", "end": "2026-01-12T00:00:00Z"}
    assert numbers["before"]["period"]["start"] == "2025-12-29T00:00:00Z"


def test_a_period_is_the_same_wherever_the_site_is(manager: Client, settings: Any) -> None:
    """Its days are those of UTC, and shown as such: what the form sends is what it was filled with."""
    settings.TIME_ZONE = "America/New_York"
    page = manager.get(f"{LIST}funnel/?from=2026-01-05&to=2026-01-12").content.decode()
    assert re.findall(r'type="date"[^>]* value="([^"]+)"', page) == ["2026-01-05", "2026-01-12"]
    assert "between 2026-01-05 00:00 UTC and 2026-01-12 00:00 UTC" in page


# ---- people who are erased


def test_whoever_is_erased_stays_counted(people: Period) -> None:
    now, before = funnel(people), funnel(people.before)
    with time_machine.travel(timezone.now() + timedelta(days=40), tick=True):
        call_command("selfreg_purge", stdout=io.StringIO())
        assert not RegistrationEvent.objects.exists()
        assert (funnel(people), funnel(people.before)) == (now, before)


def test_what_the_purge_counted_and_what_is_under_way_are_counted_once(people: Period) -> None:
    now = funnel(people)
    for _ in range(2):
        call_command("selfreg_purge", stdout=io.StringIO())
        assert Registration.objects.filter(tallied=True).count() == 3
        assert funnel(people) == now


@pytest.mark.skipif(connection.vendor != "postgresql", reason="other databases keep the purge waiting")
def test_a_purge_while_it_is_counted_counts_nobody_twice(transactional_db: None, people: Period) -> None:
    """It comes between the statements about people who are here and about people who are gone."""
    now = funnel(people)
    purged: list[str] = []

    def purge(execute: Any, sql: str, *rest: Any) -> Any:
        if "selfreg_talliedhour" in sql and not purged:
            purged.append(sql)
            with ThreadPoolExecutor(1) as other:
                other.submit(purge_elsewhere).result()
        return execute(sql, *rest)

    with connection.execute_wrapper(purge):
        assert funnel(people) == now
    assert Registration.objects.filter(tallied=True).count() == 3


def purge_elsewhere() -> None:
    call_command("selfreg_purge", stdout=io.StringIO())
    connection.close()


def test_a_person_who_asked_to_be_forgotten_stays_counted(people: Period) -> None:
    now = funnel(people)
    Registration.objects.update(email="ada@example.com", email_canonical="ada@example.com")
    call_command("selfreg_erase", "ada@example.com", stdout=io.StringIO())
    assert not Registration.objects.exists()
    assert funnel(people) == now


def test_a_tally_names_nobody(people: Period) -> None:
    Registration.objects.update(email="ada@example.com", email_canonical="ada@example.com")
    ids = [str(pk) for pk in Registration.objects.values_list("pk", flat=True)]
    call_command("selfreg_erase", "ada@example.com", stdout=io.StringIO())
    kept = str(list(TalliedHour.objects.values_list("hour", "numbers")))
    assert [word for word in ("ada", "00uSomebody", *ids) if word in kept] == []


@pytest.mark.parametrize(
    ("seconds", "median"), [((1, 2, 30), 2.0), ((1, 2, 30, 40), 16.0), ((4.26,), 4.3), ((61.4,), 61)]
)
def test_a_median_is_exact_to_the_second_and_below_ten_to_the_tenth(
    registered: Make, seconds: tuple[float, ...], median: float
) -> None:
    for pace in seconds:
        registered(events=((Kind.STARTED, PROFILE, "", 0), (Kind.ANSWERED, PROFILE, "ok", pace)))
    (step,) = funnel(Period.last(1, timezone.now())).steps
    assert step.seconds == median


def test_a_period_has_full_hours(db: None) -> None:
    with pytest.raises(ValueError, match="full hour"):
        Period(datetime(2026, 1, 1, 0, 30, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
