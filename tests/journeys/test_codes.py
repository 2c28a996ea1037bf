"""Scenario B24: wrong codes, too many of them, and asking for another one."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg import rate_limits
from selfreg.models import Registration
from selfreg.statuses import Status
from support.person import Person

CODE = "credentials.passcode"


@pytest.fixture
def at_the_code(person: Person) -> Person:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    return person


def wrong(org: OrgHandle, email: str = "ada@example.com") -> str:
    return "000000" if org.code(email) != "000000" else "111111"


def test_a_wrong_code_is_said_beside_an_empty_field_and_the_right_one_still_works(
    at_the_code: Person, org: OrgHandle
) -> None:
    at_the_code.fills_and_presses({CODE: wrong(org)})
    assert at_the_code.heading == "Check your email"
    assert at_the_code.page.beside(CODE) == ["That code isn't right. Check the newest one and try again."]
    assert at_the_code.page.typed(CODE) == ""
    assert at_the_code.types_the_code_from(org).heading == "Choose a password"


def test_a_wrong_code_proves_nothing(at_the_code: Person, org: OrgHandle) -> None:
    at_the_code.fills_and_presses({CODE: wrong(org)})
    assert Registration.objects.get().email_verified_at is None


@pytest.mark.parametrize("with_a_page", [True, False])
def test_five_wrong_codes_close_the_door_for_a_while_and_lose_nothing(
    person: Person, org: OrgHandle, with_a_page: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The org's door. This site's own would close first."""
    monkeypatch.setattr(rate_limits, "LIMITS", {name: rate_limits.Limit(100, 60) for name in rate_limits.LIMITS})
    lifetimes = {"with_user": 3600, "email_code": 3600}
    org.patch_policy({"unknowns": {"too_many_codes_has_remediation": with_a_page}, "lifetimes": lifetimes})
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    for _ in range(6):
        person.fills_and_presses({CODE: wrong(org)})
    assert person.heading == "Check your email"
    assert "Too many attempts." in person.page.text
    assert re.search(r"You can try again in \d+ seconds?\.", person.page.text)
    assert len(person.page.all("div", "error-summary")) == 1
    assert person.page.notices() == []
    assert Registration.objects.get().status == Status.ENROLLING
    org.advance(301)
    assert person.types_the_code_from(org).heading == "Choose a password"


def test_an_empty_code_costs_no_call(at_the_code: Person, org: OrgHandle) -> None:
    before = len(org.calls())
    at_the_code.fills_and_presses({CODE: ""})
    assert at_the_code.page.beside(CODE)
    assert len(org.calls()) == before


@pytest.mark.parametrize("between", [" ", "-", "\u200b", "\u2011", "\u202f", "\ufeff", "\u2066"], ids=ascii)
def test_what_is_between_the_digits_of_a_code_does_not_matter(
    at_the_code: Person, org: OrgHandle, between: str
) -> None:
    code = org.code(at_the_code.email)
    at_the_code.fills_and_presses({CODE: f"{between}{code[:3]}{between}{code[3:]}{between}"})
    assert at_the_code.heading == "Choose a password"


@pytest.mark.parametrize("zero", ["０", "٠", "۰", "०"])
def test_a_code_may_be_typed_in_the_digits_of_any_script(at_the_code: Person, org: OrgHandle, zero: str) -> None:
    at_the_code.fills_and_presses({CODE: "".join(chr(ord(zero) + int(d)) for d in org.code(at_the_code.email))})
    assert at_the_code.heading == "Choose a password"


def test_another_code_can_be_had_and_only_the_newest_works(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    first = org.code(person.email)
    person.presses("Resend code")
    assert "We sent a new code" in " ".join(person.page.notices())
    assert len(org.messages(person.email)) == 2
    if org.code(person.email) != first:
        person.fills_and_presses({CODE: first})
        assert person.page.beside(CODE) == ["That code isn't right. Check the newest one and try again."]
    assert person.types_the_code_from(org).heading == "Choose a password"


def test_asking_again_too_early_sends_nothing_and_says_how_long_to_wait(at_the_code: Person, org: OrgHandle) -> None:
    before = len(org.calls())
    at_the_code.presses("Resend code")
    assert len(org.calls()) == before
    assert re.search(r"Wait \d+ seconds? before you ask for another code", " ".join(at_the_code.page.notices()))
    assert len(org.messages(at_the_code.email)) == 1


def test_an_org_that_finds_it_too_early_is_heard(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    org.patch_policy({"limits": {"resend_after_seconds": 30}})
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").presses("Resend code")
    assert person.heading == "Check your email"
    assert len(org.messages(person.email)) == 1
    assert "We sent a new code." not in person.page.text
    assert person.page.problems()
    assert person.types_the_code_from(org).heading == "Choose a password"


def test_a_step_says_how_long_it_can_be_finished_when_little_time_is_left(at_the_code: Person) -> None:
    assert re.search(r'role="timer" data-expires="\d+" hidden>', at_the_code.page.html)
    Registration.objects.update(expires_at=timezone.now() + timedelta(seconds=90))
    page = at_the_code.opens("/signup/step/").page
    assert re.search(r'role="timer" data-expires="\d+">This page expires in \d+ seconds?', page.html)
    assert "What you typed on the first page is saved" in page.text


def test_the_script_counts_down_from_the_time_that_the_sentence_names(at_the_code: Person) -> None:
    Registration.objects.update(expires_at=timezone.now() + timedelta(seconds=99.7))
    page = at_the_code.opens("/signup/step/").page.html
    shown = re.search(r'data-expires="(\d+)">This page expires in (\d+) seconds', page)
    assert shown
    assert shown[1] == shown[2]
