"""The funnel report: stages, losses, periods, and counts that survive a purge."""

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


def completed_events(pace: float) -> tuple[tuple[object, str, str, float], ...]:
    """Return the events of a completed sign-up, in which each step takes ``pace`` seconds times its number."""
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
def people(make_registration: Make) -> Period:
    """Create four registrations in the last full hour (two completed, one left at the email, one at the profile),
    and one in the hour before."""
    end = top_of_the_hour()

    def register(minutes: float, **values: Any) -> None:
        make_registration(minutes=(timezone.now() - end).total_seconds() / 60 + minutes, **values)

    register(minutes=50, events=completed_events(10), status=Status.COMPLETED)
    register(minutes=40, events=completed_events(20), status=Status.COMPLETED, language="de", workflow="optional")
    stopped = (*completed_events(30)[:4], (Kind.RESENT, EMAIL, "ok", 130), (Kind.RESENT, EMAIL, "ok", 150))
    register(minutes=30, events=(*stopped, (Kind.TROUBLE, EMAIL, "AnswerLost", 160)), language="de")
    refused = (Kind.ANSWERED, PROFILE, "registration.error.generic registration.error.invalidLoginEmail", 5)
    register(minutes=20, events=((Kind.STARTED, PROFILE, "", 0), refused), policy="b" * 16)
    register(minutes=90, events=completed_events(10), status=Status.COMPLETED)
    return Period(end - timedelta(hours=1), end)


def test_stages_have_people_median_seconds_and_errors(people: Period) -> None:
    assert funnel(people).stages == (
        Stage("started", 4),
        Stage(PROFILE, 3, 20.0, 0, 1),
        Stage(EMAIL, 2, 45.0, 2, 3),
        Stage(PASSWORD, 2, 45.0),
        Stage("completed", 2),
    )


PHONE = "enroll-authenticator phone_number"


@pytest.fixture
def optional_phone(make_registration: Make) -> Period:
    """Create registrations of which three skipped the phone and completed, one added it and completed, one set the
    password before the email, one added the phone and left, and one left at the choice."""
    skipped = (*completed_events(2)[:-1], (Kind.SKIPPED, CHOICE, "ok", 21), (Kind.COMPLETED, "token", "", 22))
    added = (*completed_events(2)[:-1], (Kind.ANSWERED, PHONE, "ok", 21), (Kind.COMPLETED, "token", "", 22))
    for _ in range(3):
        make_registration(minutes=5, events=skipped, status=Status.COMPLETED)
    make_registration(minutes=5, events=added, status=Status.COMPLETED)
    password_first = (*completed_events(2)[:2], (Kind.ANSWERED, PASSWORD, "ok", 9))
    make_registration(minutes=5, events=password_first, step=EMAIL, status=Status.ENROLLING)
    make_registration(minutes=5, events=added[:-1], step="token", status=Status.FINISHING)
    make_registration(minutes=5, events=completed_events(2)[:2], step=CHOICE, status=Status.ENROLLING)
    return Period.last(1, timezone.now())


def test_stages_are_steps_that_everybody_passes_and_never_increase(optional_phone: Period) -> None:
    report = funnel(optional_phone)
    steps = [(stage.step, stage.people) for stage in report.stages]
    assert steps == [("started", 7), (PROFILE, 7), (EMAIL, 5), (PASSWORD, 5), ("completed", 4)]
    assert {stage.step: stage.people for stage in report.steps}[PASSWORD] == 6


def test_optional_steps_count_people_who_added_and_skipped_them(optional_phone: Period) -> None:
    (phone,) = funnel(optional_phone).optional
    assert (phone.step, phone.offered, phone.added, phone.skipped) == (PHONE, 5, 2, 3)


def test_step_skipped_by_one_person_who_completed_is_optional(make_registration: Make) -> None:
    for _ in range(9):
        make_registration(
            events=(*completed_events(2)[:-1], (Kind.ANSWERED, PHONE, "ok", 21)), step="token", status=Status.FINISHING
        )
    make_registration(events=(*completed_events(2)[:-1], (Kind.SKIPPED, CHOICE, "ok", 21)), status=Status.COMPLETED)
    report = funnel(Period.last(1, timezone.now()))
    assert PHONE not in [stage.step for stage in report.stages]
    assert (report.optional[0].added, report.optional[0].skipped) == (9, 1)


def test_every_milestone_is_a_stage_while_nobody_has_completed(make_registration: Make) -> None:
    make_registration(events=completed_events(2)[:-1], step="token", status=Status.FINISHING)
    steps = [stage.step for stage in funnel(Period.last(1, timezone.now())).stages]
    assert steps == ["started", PROFILE, EMAIL, PASSWORD, "completed"]


def test_losses_link_to_the_lost_registrations(manager: Client, optional_phone: Period) -> None:
    page = manager.get(f"{LIST}funnel/").content.decode()
    losses = re.findall(rf'<a href="({LIST}\?[^"]+)">−(\d+) ', page)
    assert [number for _url, number in losses] == ["2", "1"]
    report = [manager.get(url.replace("&amp;", "&")).context["cl"].result_list for url, _number in losses]
    assert [sorted(r.step for r in rows) for rows in report] == [[EMAIL, CHOICE], ["token"]]


def test_points_of_a_period_add_up_to_its_totals(people: Period) -> None:
    day = funnel(Period(people.end - timedelta(days=1), people.end))
    assert [point.start for point in day.points] == [day.period.start + timedelta(hours=n) for n in range(24)]
    assert [(point.started, point.completed) for point in day.points][-2:] == [(1, 1), (4, 2)]
    assert sum(point.started for point in day.points) == day.started
    week = funnel(Period(people.end - timedelta(days=7), people.end))
    assert [(point.started, point.completed) for point in week.points] == [(0, 0)] * 6 + [(5, 3)]


def test_chart_has_axes_with_numbers(manager: Client, people: Period) -> None:
    page = manager.get(f"{LIST}funnel/?days=7").content.decode()
    (svg,) = re.findall(r'<svg class="selfreg-chart".*?</svg>', page, re.DOTALL)
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert texts[:3] == ["0", "5", "10"]
    assert len(texts) == 3 + 7
    assert len(re.findall(r'<rect class="started"', svg)) == 7


@pytest.mark.parametrize(
    ("most", "expected"),
    [(0, 2), (1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (21, 40), (41, 100), (101, 200), (999, 1000)],
)
def test_chart_axis_ends_at_a_round_number(most: int, expected: int) -> None:
    points = [Point(datetime(2026, 1, 1, tzinfo=UTC), most, 0)]
    assert [row.text for row in chart(points).rows][-1] == f"{expected:,}"


def test_comparison_with_an_empty_previous_period_is_left_out(manager: Client, make_registration: Make) -> None:
    make_registration(minutes=5)
    assert "period before" not in manager.get(f"{LIST}funnel/").content.decode().lower()
    make_registration(minutes=26 * 60)
    assert "The period before: 1 started" in manager.get(f"{LIST}funnel/").content.decode()


def test_messages_in_the_funnel_have_no_unfilled_placeholders(manager: Client, make_registration: Make) -> None:
    short = "securityQuestion.answer.tooShort.arg"
    make_registration(events=((Kind.ANSWERED, PROFILE, short, 1), (Kind.TROUBLE, PROFILE, "AnswerLost", 2)))
    page = manager.get(f"{LIST}funnel/").content.decode()
    assert f"Use at least … characters for your answer. ({short})" in page
    assert "{0}" not in page
    assert "Okta did not answer in time." in page


def test_tallies_of_an_earlier_version_are_counted(optional_phone: Period) -> None:
    """Such rows lack the numbers of people who skipped and finished."""
    call_command("selfreg_purge", stdout=io.StringIO())
    row = TalliedHour.objects.get()
    del row.numbers["passed"], row.numbers["skippers"]
    row.save()
    report = funnel(optional_phone)
    assert (report.started, report.completed) == (7, 4)
    assert {PROFILE, EMAIL, PASSWORD} < {stage.step for stage in report.stages}


def test_steps_include_the_choices_between_milestones(people: Period) -> None:
    choice = next(stage for stage in funnel(people).steps if stage.step == CHOICE)
    # three people: 20 + 10, 40 + 20 and 60 seconds
    assert (choice.people, choice.seconds) == (3, 60.0)


def test_errors_are_counted_by_key_separately_from_troubles(people: Period) -> None:
    report = funnel(people)
    assert report.errors == (
        (WRONG, 3),
        ("registration.error.generic", 1),
        ("registration.error.invalidLoginEmail", 1),
    )
    assert report.troubles == (("AnswerLost", 1),)


def test_funnel_is_split_by_language_workflow_and_policy(people: Period) -> None:
    report = funnel(people)
    assert {(s.value, s.started, s.completed) for s in report.languages} == {("en", 2, 1), ("de", 2, 1)}
    assert {(s.value, s.started, s.completed) for s in report.workflows} == {("mandatory", 3, 1), ("optional", 1, 1)}
    assert {(s.value, s.started, s.completed) for s in report.policies} == {("a" * 16, 3, 2), ("b" * 16, 1, 0)}


def test_previous_period_has_the_same_length_and_no_overlap(people: Period) -> None:
    before = funnel(people.before)
    assert before.period.end == people.start
    assert (before.started, before.completed) == (1, 1)


def test_period_without_registrations_is_all_zero(db: None) -> None:
    empty = funnel(Period.last(1, timezone.now()))
    assert (empty.started, empty.completed, empty.steps, empty.errors) == (0, 0, (), ())


def test_page_csv_and_json_have_the_same_numbers(manager: Client, people: Period) -> None:
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
def test_invalid_period_is_replaced_by_the_last_day(manager: Client, query: str) -> None:
    numbers = manager.get(f"{LIST}funnel/?format=json&{query}").json()["now"]
    start, end = (numbers["period"][name][:10] for name in ("start", "end"))
    assert (start < end, len(numbers["stages"])) == (True, 2)


def test_period_can_be_given_by_dates(manager: Client, make_registration: Make) -> None:
    make_registration(created_at=timezone.now())
    numbers = manager.get(f"{LIST}funnel/?format=json&from=2026-01-05&to=2026-01-12").json()
    assert numbers["now"]["period"] == {"start": "2026-01-05T00:00:00Z", "end": "2026-01-12T00:00:00Z"}
    assert numbers["before"]["period"]["start"] == "2025-12-29T00:00:00Z"


def test_periods_are_in_utc_whatever_the_time_zone(manager: Client, settings: Any) -> None:
    """The days are in UTC and shown as such. The form shows the dates that were submitted."""
    settings.TIME_ZONE = "America/New_York"
    page = manager.get(f"{LIST}funnel/?from=2026-01-05&to=2026-01-12").content.decode()
    assert re.findall(r'type="date"[^>]* value="([^"]+)"', page) == ["2026-01-05", "2026-01-12"]
    assert "between 2026-01-05 00:00 UTC and 2026-01-12 00:00 UTC" in page


# ---- purged and erased registrations


def test_purged_registrations_are_still_counted(people: Period) -> None:
    now, before = funnel(people), funnel(people.before)
    with time_machine.travel(timezone.now() + timedelta(days=40), tick=True):
        call_command("selfreg_purge", stdout=io.StringIO())
        assert not RegistrationEvent.objects.exists()
        assert (funnel(people), funnel(people.before)) == (now, before)


def test_purge_counts_no_registration_twice(people: Period) -> None:
    now = funnel(people)
    for _ in range(2):
        call_command("selfreg_purge", stdout=io.StringIO())
        assert Registration.objects.filter(tallied=True).count() == 3
        assert funnel(people) == now


@pytest.mark.skipif(connection.vendor != "postgresql", reason="other databases keep the purge waiting")
def test_concurrent_purge_counts_no_registration_twice(transactional_db: None, people: Period) -> None:
    """The purge runs between the queries for registrations and for tallies."""
    now = funnel(people)
    purged: list[str] = []

    def purge(execute: Any, sql: str, *rest: Any) -> Any:
        if "selfreg_talliedhour" in sql and not purged:
            purged.append(sql)
            with ThreadPoolExecutor(1) as executor:
                executor.submit(purge_in_another_connection).result()
        return execute(sql, *rest)

    with connection.execute_wrapper(purge):
        assert funnel(people) == now
    assert Registration.objects.filter(tallied=True).count() == 3


def purge_in_another_connection() -> None:
    call_command("selfreg_purge", stdout=io.StringIO())
    connection.close()


def test_erased_registrations_are_still_counted(people: Period) -> None:
    now = funnel(people)
    Registration.objects.update(email="ada@example.com", email_canonical="ada@example.com")
    call_command("selfreg_erase", "ada@example.com", stdout=io.StringIO())
    assert not Registration.objects.exists()
    assert funnel(people) == now


def test_tallies_contain_no_personal_data(people: Period) -> None:
    Registration.objects.update(email="ada@example.com", email_canonical="ada@example.com")
    ids = [str(pk) for pk in Registration.objects.values_list("pk", flat=True)]
    call_command("selfreg_erase", "ada@example.com", stdout=io.StringIO())
    tallies = str(list(TalliedHour.objects.values_list("hour", "numbers")))
    assert [text for text in ("ada", "00uSomebody", *ids) if text in tallies] == []


@pytest.mark.parametrize(
    ("seconds", "median"), [((1, 2, 30), 2.0), ((1, 2, 30, 40), 16.0), ((4.26,), 4.3), ((61.4,), 61)]
)
def test_median_is_rounded_to_seconds_and_below_ten_to_tenths(
    make_registration: Make, seconds: tuple[float, ...], median: float
) -> None:
    for pace in seconds:
        make_registration(events=((Kind.STARTED, PROFILE, "", 0), (Kind.ANSWERED, PROFILE, "ok", pace)))
    (step,) = funnel(Period.last(1, timezone.now())).steps
    assert step.seconds == median


def test_period_must_start_at_a_full_hour(db: None) -> None:
    with pytest.raises(ValueError, match="full hour"):
        Period(datetime(2026, 1, 1, 0, 30, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
