"""Scenario B24: wrong codes, too many wrong codes, and resending a code."""

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
def at_code_page(person: Person) -> Person:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    return person


def wrong_code(org: OrgHandle, email: str = "ada@example.com") -> str:
    return "000000" if org.code(email) != "000000" else "111111"


def test_a_wrong_code_is_an_error_beside_an_empty_field_and_the_right_code_works_next(
    at_code_page: Person, org: OrgHandle
) -> None:
    at_code_page.fills_and_presses({CODE: wrong_code(org)})
    assert at_code_page.heading == "Check your email"
    assert at_code_page.page.beside(CODE) == ["That code isn't right. Check the newest one and try again."]
    assert at_code_page.page.typed(CODE) == ""
    assert at_code_page.types_the_code_from(org).heading == "Choose a password"


def test_a_wrong_code_does_not_verify_the_address(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.fills_and_presses({CODE: wrong_code(org)})
    assert Registration.objects.get().email_verified_at is None


@pytest.mark.parametrize("with_remediation", [True, False])
def test_the_registration_survives_a_lockout_of_the_org_after_five_wrong_codes(
    person: Person, org: OrgHandle, with_remediation: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits of this site are raised: they would apply first."""
    monkeypatch.setattr(rate_limits, "LIMITS", {name: rate_limits.Limit(100, 60) for name in rate_limits.LIMITS})
    lifetimes = {"with_user": 3600, "email_code": 3600}
    org.patch_policy({"unknowns": {"too_many_codes_has_remediation": with_remediation}, "lifetimes": lifetimes})
    person.opens_the_sign_up().submits_profile().chooses("Email")
    for _ in range(6):
        person.fills_and_presses({CODE: wrong_code(org)})
    assert person.heading == "Check your email"
    assert "Too many attempts." in person.page.text
    assert re.search(r"You can try again in \d+ seconds?\.", person.page.text)
    assert len(person.page.all("div", "error-summary")) == 1
    assert person.page.notices() == []
    assert Registration.objects.get().status == Status.ENROLLING
    org.advance(301)
    assert person.types_the_code_from(org).heading == "Choose a password"


def test_an_empty_code_is_rejected_without_a_call(at_code_page: Person, org: OrgHandle) -> None:
    before = len(org.calls())
    at_code_page.fills_and_presses({CODE: ""})
    assert at_code_page.page.beside(CODE)
    assert len(org.calls()) == before


@pytest.mark.parametrize("separator", [" ", "-", "\u200b", "\u2011", "\u202f", "\ufeff", "\u2066"], ids=ascii)
def test_separators_and_invisible_characters_in_a_code_are_ignored(
    at_code_page: Person, org: OrgHandle, separator: str
) -> None:
    code = org.code(at_code_page.email)
    at_code_page.fills_and_presses({CODE: f"{separator}{code[:3]}{separator}{code[3:]}{separator}"})
    assert at_code_page.heading == "Choose a password"


@pytest.mark.parametrize("zero", ["０", "٠", "۰", "०"])
def test_a_code_can_be_typed_in_digits_of_any_script(at_code_page: Person, org: OrgHandle, zero: str) -> None:
    at_code_page.fills_and_presses({CODE: "".join(chr(ord(zero) + int(d)) for d in org.code(at_code_page.email))})
    assert at_code_page.heading == "Choose a password"


def test_only_the_newest_code_works_after_a_resend(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    person.opens_the_sign_up().submits_profile().chooses("Email")
    first = org.code(person.email)
    person.presses("Resend code")
    assert "We sent a new code" in " ".join(person.page.notices())
    assert len(org.messages(person.email)) == 2
    if org.code(person.email) != first:
        person.fills_and_presses({CODE: first})
        assert person.page.beside(CODE) == ["That code isn't right. Check the newest one and try again."]
    assert person.types_the_code_from(org).heading == "Choose a password"


def test_a_resend_too_early_sends_nothing_and_shows_the_wait(at_code_page: Person, org: OrgHandle) -> None:
    before = len(org.calls())
    at_code_page.presses("Resend code")
    assert len(org.calls()) == before
    assert re.search(r"Wait \d+ seconds? before you ask for another code", " ".join(at_code_page.page.notices()))
    assert len(org.messages(at_code_page.email)) == 1


def test_a_resend_that_the_org_refuses_as_too_early_is_shown_as_an_error(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    org.patch_policy({"limits": {"resend_after_seconds": 30}})
    person.opens_the_sign_up().submits_profile().chooses("Email").presses("Resend code")
    assert person.heading == "Check your email"
    assert len(org.messages(person.email)) == 1
    assert "We sent a new code." not in person.page.text
    assert person.page.problems()
    assert person.types_the_code_from(org).heading == "Choose a password"


def test_a_step_shows_the_remaining_time_only_shortly_before_it_expires(at_code_page: Person) -> None:
    assert re.search(r'role="timer" data-expires="\d+" hidden>', at_code_page.page.html)
    Registration.objects.update(expires_at=timezone.now() + timedelta(seconds=90))
    page = at_code_page.opens("/signup/step/").page
    assert re.search(r'role="timer" data-expires="\d+">This page expires in \d+ seconds?', page.html)
    assert "What you typed on the first page is saved" in page.text


def test_the_countdown_starts_at_the_number_of_seconds_in_the_sentence(at_code_page: Person) -> None:
    Registration.objects.update(expires_at=timezone.now() + timedelta(seconds=99.7))
    page = at_code_page.opens("/signup/step/").page.html
    shown = re.search(r'data-expires="(\d+)">This page expires in (\d+) seconds', page)
    assert shown
    assert shown[1] == shown[2]
