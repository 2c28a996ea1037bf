"""Scenario B10: the link in the email, in the same or another browser, opened by scanners, used, old or made up."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.statuses import Status
from support.person import SITE, Person

pytestmark = pytest.mark.database


@pytest.fixture
def at_code_page(person: Person) -> Person:
    return person.opens_the_sign_up().submits_profile().chooses("Email")


def test_confirming_the_link_in_the_same_browser_verifies_the_address(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.opens_the_email_link(org)
    assert at_code_page.heading == "Confirm your email"
    at_code_page.presses("Confirm and continue")
    assert at_code_page.heading == "Choose a password"
    assert Registration.objects.get().email_verified_at is not None
    assert at_code_page.chooses("Password").sets_a_password().is_signed_in


def test_confirming_a_link_during_a_call_of_another_tab_succeeds_afterwards(
    at_code_page: Person, org: OrgHandle
) -> None:
    at_code_page.opens_the_email_link(org)
    Registration.objects.update(busy_until=timezone.now() + timedelta(seconds=20))
    at_code_page.presses("Confirm and continue")
    assert at_code_page.heading == "Confirm your email"
    assert "If this page doesn't continue by itself, press the button again." in at_code_page.page.text
    assert 'data-looks-again="1000"' in at_code_page.page.html
    Registration.objects.update(busy_until=None)
    assert at_code_page.presses("Confirm and continue").heading == "Choose a password"


def test_a_sign_up_by_link_makes_nine_calls(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.opens_the_email_link(org).presses().chooses("Password").sets_a_password()
    counted = [c for c in org.calls() if "/idp/idx/" in c.path or c.path.endswith(("/interact", "/token"))]
    assert len(counted) == 9


def test_the_code_of_the_link_is_removed_from_the_url(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.opens_the_email_link(org)
    assert at_code_page.page.url == f"{SITE}/signup/verify/"
    assert org.code(at_code_page.email) not in at_code_page.page.html


def test_opening_the_link_repeatedly_does_not_use_the_code(at_code_page: Person, org: OrgHandle) -> None:
    calls = len([c for c in org.calls() if "/idp/idx/" in c.path])
    for _ in range(3):
        Person().opens_the_email_link(org, at_code_page.email)
        at_code_page.opens_the_email_link(org)
    assert len([c for c in org.calls() if "/idp/idx/" in c.path]) == calls
    assert Registration.objects.get().email_verified_at is None
    assert at_code_page.presses("Confirm and continue").heading == "Choose a password"


def test_the_link_of_the_older_of_two_registrations_continues_that_registration(
    at_code_page: Person, org: OrgHandle
) -> None:
    ada = Registration.objects.get()
    at_code_page.opens_the_sign_up().submits_profile(Email="other@example.com").chooses("Email")
    at_code_page.opens_the_email_link(org, "ada@example.com").presses("Confirm and continue")
    assert at_code_page.heading == "Choose a password"
    ada.refresh_from_db()
    assert ada.email_verified_at is not None
    assert at_code_page.opens_the_email_link(org, "ada@example.com").heading == "Already confirmed"
    assert at_code_page.follows("Continue").heading == "Choose a password"
    assert at_code_page.chooses("Password").sets_a_password().is_signed_in
    assert Registration.objects.get(status=Status.COMPLETED) == ada


def test_an_outdated_link_leads_back_to_its_own_registration(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.opens_the_sign_up().submits_profile(Email="other@example.com")
    at_code_page.opens_the_email_link(org, "ada@example.com")
    link = next(s.url for s in at_code_page.seen if "otp=" in s.url)
    at_code_page.opens(link.replace(org.code("ada@example.com"), "wrong1")).presses("Confirm and continue")
    assert at_code_page.heading == "This link is out of date"
    assert "ada@example.com" in at_code_page.follows("Back to my sign-up").page.text


def test_another_browser_shows_the_code_to_type_in_the_first_one(at_code_page: Person, org: OrgHandle) -> None:
    phone = Person().opens_the_email_link(org, at_code_page.email)
    assert phone.heading == "Your code"
    code = org.code(at_code_page.email)
    assert code in phone.page.text
    assert "Confirm and continue" not in phone.page.text
    at_code_page.fills_and_presses({"credentials.passcode": code})
    assert at_code_page.heading == "Choose a password"


def test_another_browser_shows_which_browser_requested_the_code_and_when(at_code_page: Person, org: OrgHandle) -> None:
    Registration.objects.update(browser="Firefox, Linux")
    phone = Person().opens_the_email_link(org, at_code_page.email)
    assert "Requested from Firefox, Linux" in phone.page.text
    assert "just now" in phone.page.text
    Registration.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    assert "2 minutes ago" in phone.opens("/signup/verify/").page.text


def test_another_browser_cannot_submit_the_code(at_code_page: Person, org: OrgHandle) -> None:
    phone = Person().opens_the_sign_up().opens_the_email_link(org, at_code_page.email)
    calls = len(org.calls("/challenge/answer"))
    phone.posts("/signup/verify/", {})
    assert phone.heading == "Your code"
    assert len(org.calls("/challenge/answer")) == calls


def test_a_browser_with_another_registration_counts_as_another_browser(at_code_page: Person, org: OrgHandle) -> None:
    grace = Person("grace@example.com").opens_the_sign_up().submits_profile().chooses("Email")
    grace.opens_the_email_link(org, at_code_page.email)
    assert grace.heading == "Your code"
    grace.posts("/signup/verify/", {}).opens("/signup/step/")
    assert grace.heading == "Check your email"


def test_a_used_link_shows_already_confirmed_in_any_browser(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.types_the_code_from(org).opens_the_email_link(org)
    assert at_code_page.heading == "Already confirmed"
    assert at_code_page.follows("Continue").heading == "Choose a password"
    assert Person().opens_the_email_link(org, at_code_page.email).heading == "Already confirmed"


def test_the_link_of_an_older_email_is_outdated_and_the_newest_one_works(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    org.patch_policy({"unknowns": {"old_code_valid_after_resend": False}})
    person.opens_the_sign_up().submits_profile().chooses("Email")
    old = org.messages(person.email)[0]
    person.presses("Resend code")
    if old.code != org.code(person.email):
        person.opens(str(old.link)).presses("Confirm and continue")
        assert person.heading == "This link is out of date"
        assert person.follows("Back to my sign-up").heading == "Check your email"
    assert person.opens_the_email_link(org).presses().heading == "Choose a password"


def test_the_link_of_a_cancelled_registration_has_expired(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.presses("Cancel sign-up").opens_the_email_link(org)
    assert at_code_page.heading == "This link has expired"


def test_confirming_a_link_after_the_transaction_expired_shows_the_timeout_page(
    at_code_page: Person, org: OrgHandle
) -> None:
    at_code_page.opens_the_email_link(org)
    org.advance(301)
    assert at_code_page.presses("Confirm and continue").heading == "Your session timed out"


def test_a_made_up_link_is_not_recognized(person: Person) -> None:
    person.opens(f"{SITE}/signup/verify/?otp=123456&state=made-up")
    assert person.heading == "We don't recognize this link"
    assert "123456" not in person.page.html


def test_a_link_copied_with_invisible_characters_works(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.opens_the_email_link(org)
    link = next(s.url for s in at_code_page.seen if "otp=" in s.url)
    at_code_page.opens(f"{link.replace('otp=', 'otp=%E2%80%8B').replace('state=', 'state=%20')}%E2%80%8B")
    assert at_code_page.presses("Confirm and continue").heading == "Choose a password"


@pytest.mark.parametrize(
    "query",
    [
        "otp=123456", "state=x", "otp=&state=x", "otp=123456&otp=1&state=x", "otp=12%0034&state=x",
        "error=access_denied",
        "otp=%3Cb%3E&state=x", "otp=" + "1" * 300 + "&state=x", "otp=123456&state=" + "x" * 300,
        "otp=12é4&state=x",
    ],
)  # fmt: skip
def test_a_malformed_link_shows_an_error_page(person: Person, query: str) -> None:
    person.opens(f"{SITE}/signup/verify/?{query}")
    assert person.heading == "This link doesn't work"


def test_the_link_page_without_parameters_shows_an_error_page(person: Person) -> None:
    assert person.opens(f"{SITE}/signup/verify/").heading == "This link doesn't work"


def test_link_pages_send_no_referrer_to_other_sites(at_code_page: Person, org: OrgHandle) -> None:
    at_code_page.opens_the_email_link(org)
    link_pages = [s for s in at_code_page.seen if urlsplit(s.url).path == "/signup/verify/"]
    assert {"otp", "state"} <= set(parse_qs(urlsplit(link_pages[0].url).query))
    assert all(
        "Referrer-Policy: no-referrer" in s.headers or "Referrer-Policy: same-origin" in s.headers for s in link_pages
    )
