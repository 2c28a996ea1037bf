"""With `ENUMERATION = "neutral"` nobody learns by signing up whether an address has an account."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg import rate_limits
from support.person import PASSWORD, Person

CODE = "credentials.passcode"
ADA, GRACE = "ada@example.com", "grace@example.com"
POLICIES = [
    {},
    {"authenticators": {"okta_password": "disabled"}},
    {"authenticators": {"okta_password": "optional"}},
    {"authenticators": {"phone_number": "optional"}},
    {"password_on_form": True},
    {"magic_link": False},
]


@pytest.fixture(autouse=True)
def _neutral(configure: Callable[..., None]) -> None:
    configure(ENUMERATION="neutral", RESEND_SECONDS=0)


@pytest.fixture(params=POLICIES, ids=str)
def taken(request: pytest.FixtureRequest, db: None, org: OrgHandle) -> str:
    """An address whose person has signed up before."""
    org.patch_policy(request.param)
    finishes(begins(ADA), org)
    return ADA


def begins(email: str) -> Person:
    person = Person(email).opens_the_sign_up()
    if CODE in person.page.names():
        person.fills({CODE: PASSWORD, "confirm_passcode": PASSWORD})
    return person.tells_who_she_is()


def finishes(person: Person, org: OrgHandle) -> None:
    person.types_the_code_from(org)
    for _ in range(5):
        if person.is_signed_in:
            return
        labels = [c.label for c in person.form.controls if c.type == "radio"]
        if "Password" in labels:
            person.chooses("Password")
        elif CODE in person.page.names():
            person.sets_a_password()
        else:
            person.presses("Skip for now")
    raise AssertionError(person.page.text)


def looks(person: Person) -> str:
    """The page but for what is this visitor's own, and the time that went by."""
    html = re.sub(
        r'(csrfmiddlewaretoken"[^>]*value=|name="registration" value=|data-expires=|data-countdown=)"[^"]*"',
        r"\1",
        person.page.html,
    )
    html = re.sub(r"\d+\W+(seconds?|minutes?|hours?)", "N units", html)
    return html.replace(person.email, "ADDRESS")


def test_both_see_the_same_pages_whatever_they_do(taken: str, org: OrgHandle) -> None:
    known, new = begins(taken), begins(GRACE)
    assert known.heading == new.heading == "Check your e-mail"
    assert looks(known) == looks(new)
    for person in (known, new):
        person.fills_and_presses({CODE: "000000"})
    assert looks(known) == looks(new)
    assert known.page.beside(CODE) == ["Invalid code. Try again."]
    for person in (known, new):
        person.presses("Send a new code")
    assert looks(known) == looks(new)


def test_both_cost_the_same_calls(taken: str, org: OrgHandle) -> None:
    costs = []
    for email in (taken, GRACE):
        before = len(org.calls())
        person = begins(email).fills_and_presses({CODE: "000000"}).presses("Send a new code")
        costs.append((len(org.calls()) - before, [s.status for s in person.seen]))
    assert costs[0] == costs[1]


def test_both_cost_the_same_calls_to_give_up(taken: str, org: OrgHandle) -> None:
    costs = []
    for email in (taken, GRACE):
        person = begins(email)
        before = len(org.calls())
        person.posts("/signup/cancel/", {})
        costs.append((len(org.calls()) - before, looks(person)))
    assert costs[0] == costs[1]


def test_both_are_met_again_alike_in_the_same_browser(taken: str, org: OrgHandle) -> None:
    pages = []
    for email in (taken, GRACE):
        person = begins(email).opens_the_sign_up()
        if CODE in person.page.names():
            person.fills({CODE: PASSWORD, "confirm_passcode": PASSWORD})
        pages.append(looks(person.tells_who_she_is()))
    assert pages[0] == pages[1]
    assert "You began this sign-up before" in pages[0]


@pytest.mark.parametrize("action", ["back", "skip", "poll", "idp:0oa1", "made-up"])
def test_neither_gets_anywhere_by_a_button_that_is_not_there(taken: str, org: OrgHandle, action: str) -> None:
    known, new = begins(taken), begins(GRACE)
    for person in (known, new):
        person.posts("/signup/step/", {"action": action}).opens("/signup/step/")
        assert person.heading == "Check your e-mail"
    assert looks(known) == looks(new)


@pytest.mark.parametrize("limit", ["send by ip", "send by address", "send by registration"])
def test_neither_gets_further_than_the_other_where_no_more_mails_are_sent(
    taken: str, org: OrgHandle, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, limit, rate_limits.Limit(0, rate_limits.HOUR))  # type: ignore[arg-type]
    mails = len(org.messages())
    known, new = begins(taken), begins(GRACE)
    assert looks(known) == looks(new)
    assert "Too many attempts" in known.page.text
    assert len(org.messages()) == mails


def test_neither_gets_further_than_the_other_where_the_org_may_not_be_asked_so_fast(
    taken: str, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "CALLS", 3)
    known, new = begins(taken), begins(GRACE)
    assert looks(known) == looks(new)
    assert "Too many attempts" in known.page.text


def test_one_mail_is_counted_as_one(taken: str, org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "send by registration", rate_limits.Limit(2, rate_limits.HOUR))  # type: ignore[arg-type]
    said = []
    for email in (taken, GRACE):
        person = begins(email).presses("Send a new code")
        assert "Too many attempts" not in person.page.text
        said.append(looks(person.presses("Send a new code")))
    assert said[0] == said[1]
    assert "Too many attempts" in said[0]


def test_both_run_out_of_time_alike(taken: str, org: OrgHandle) -> None:
    known, new = begins(taken), begins(GRACE)
    org.advance(301)
    with time_machine.travel(timezone.now() + timedelta(seconds=301), tick=True):
        for person in (known, new):
            person.fills_and_presses({CODE: "000000"})
    assert known.heading == new.heading == "This took too long"
    assert looks(known) == looks(new)


def test_who_is_new_finishes_as_ever(taken: str, org: OrgHandle) -> None:
    new = begins(GRACE)
    finishes(new, org)
    assert new.is_signed_in


def test_the_owner_of_a_taken_address_is_told_what_to_do_and_gets_no_mail(taken: str, org: OrgHandle) -> None:
    mails = len(org.messages(taken))
    known = begins(taken)
    assert "Perhaps you have an account with this address: sign in" in known.page.text
    assert len(org.messages(taken)) == mails
    assert "exists" not in "".join(shown.body for shown in known.seen)


def test_both_run_into_the_same_limits(taken: str, org: OrgHandle) -> None:
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 0}})
    said = []
    for email in (taken, GRACE):
        person = begins(email)
        for _ in range(6):
            person.fills_and_presses({CODE: "000000"})
        said.append(looks(person))
    assert said[0] == said[1]
    assert "Try again in N units" in said[0]


def test_the_page_that_is_learnt_tells_nobody_of_the_one_before(taken: str, org: OrgHandle) -> None:
    begins(GRACE)
    known = begins(taken)
    assert GRACE not in known.page.html
    assert "Grace" not in known.page.html


def test_by_default_the_org_says_it(db: None, org: OrgHandle, configure: Callable[..., None]) -> None:
    configure(ENUMERATION="okta")
    Person(ADA).opens_the_sign_up().tells_who_she_is()
    assert "already exists" in " ".join(Person(ADA).opens_the_sign_up().tells_who_she_is().page.problems())
