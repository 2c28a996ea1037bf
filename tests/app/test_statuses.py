"""The table of statuses is complete and consistent."""

import pytest
from django.utils.functional import Promise

from selfreg.models import Registration
from selfreg.statuses import ABANDONED, FINAL, ON_STEP_PAGE, OPEN, STATUS_INFO, TRANSITIONS, Status
from selfreg.texts.endings import ENDINGS, ending

ENDED = {Status.CANCELLED, Status.EXPIRED, Status.FAILED}


def test_every_status_has_an_entry() -> None:
    assert set(STATUS_INFO) == set(Status)


def test_sets_of_statuses_are_as_expected() -> None:
    assert ENDED | {Status.COMPLETED} == FINAL
    assert ABANDONED == ENDED
    assert {Status.STARTED, Status.ENROLLING, Status.FINISHING} == ON_STEP_PAGE


def test_open_statuses_can_end_and_final_statuses_never_reopen() -> None:
    assert all(TRANSITIONS[status] >= ENDED for status in OPEN)
    assert not [(status, later) for status in FINAL for later in TRANSITIONS[status] & ON_STEP_PAGE]


@pytest.mark.parametrize("status", Status)
def test_statuses_without_a_step_have_an_ending_for_the_visitor(status: Status) -> None:
    key = STATUS_INFO[status].ending
    assert (key == "") == (status in ON_STEP_PAGE)
    assert key == "" or ending(Registration(status=status, failure="no-way-on")).heading == str(ENDINGS[key][0])


@pytest.mark.parametrize("status", Status)
def test_statuses_have_descriptions_for_administrators(status: Status) -> None:
    info = STATUS_INFO[status]
    assert isinstance(info.visitor_sees, Promise)
    assert len(info.sign) == 1


@pytest.mark.parametrize("status", sorted(OPEN - ON_STEP_PAGE))
def test_waiting_statuses_name_what_they_wait_for(status: Status) -> None:
    assert STATUS_INFO[status].blocker
