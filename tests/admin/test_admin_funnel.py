"""The funnel: its numbers are those of the events, to the last one."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from staff import LIST

from selfreg.funnel import Period, Stage, funnel
from selfreg.models import Registration, RegistrationEvent, Status

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


@pytest.fixture
def people(registered: Make) -> Period:
    """Four in the last hour (two came through, one stopped at the mail, one at the profile), one the hour before."""
    registered(minutes=50, events=through(10), status=Status.COMPLETED)
    registered(minutes=40, events=through(20), status=Status.COMPLETED, language="de", workflow="optional")
    stopped = (*through(30)[:4], (Kind.RESENT, EMAIL, "ok", 130), (Kind.RESENT, EMAIL, "ok", 150))
    registered(minutes=30, events=(*stopped, (Kind.TROUBLE, EMAIL, "AnswerLost", 160)), language="de")
    refused = (Kind.ANSWERED, PROFILE, "registration.error.generic registration.error.invalidLoginEmail", 5)
    registered(minutes=20, events=((Kind.STARTED, PROFILE, "", 0), refused), policy="b" * 16)
    registered(minutes=90, events=through(10), status=Status.COMPLETED)
    now = timezone.now()
    return Period(now - timedelta(hours=1), now)


def test_each_milestone_counts_people_with_their_median_time(people: Period) -> None:
    assert funnel(people).stages == (
        Stage("started", 4),
        Stage(PROFILE, 3, 20.0, 0, 1),
        Stage(EMAIL, 2, 45.0, 2, 3),
        Stage(PASSWORD, 2, 45.0),
        Stage("completed", 2),
    )


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
    now = timezone.now()
    empty = funnel(Period(now - timedelta(days=1), now))
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
