"""How often one may start, send, and guess: the count is the database's, and neither spelling, success, a new session,
nor a forged header begins a new one. Nothing that is refused reaches the org.
"""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg import phone_numbers, rate_limits
from selfreg.email_addresses import folded
from selfreg.models import RateLimitCounter, Registration
from selfreg.rate_limits import DAY, HOUR, LIMITS, Limit, consume
from support.person import Person

pytestmark = pytest.mark.database

CODE = "credentials.passcode"
PHONE = {"authenticators": {"phone_number": "required", "okta_password": "disabled"}}
NUMBER = "authenticator.phoneNumber"


@pytest.fixture
def at_most(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets how often; everything else is without limit."""

    def change(**most: int) -> None:
        table = {name: Limit(10_000, limit.seconds) for name, limit in LIMITS.items() if name != "start by form"}
        table["start by form"] = LIMITS["start by form"]
        table |= {name.replace("_", " "): Limit(n, HOUR) for name, n in most.items()}
        monkeypatch.setattr(rate_limits, "LIMITS", table)

    return change


def started(email: str, org: OrgHandle, **headers: str) -> Person:
    person = Person(email)
    person.browser.defaults.update(headers)
    return person.opens_the_sign_up().tells_who_she_is()


def changes(org: OrgHandle) -> int:
    """Calls that make or move something at the org."""
    return len([c for c in org.calls() if not c.path.endswith(("/interact", "/introspect", "/idp/idx/enroll"))])


# ---- the count


def test_a_limit_lets_through_as_many_as_it_says_and_then_tells_how_long_to_wait(db: None) -> None:
    most = LIMITS["start by address"].max_hits
    assert [consume({"start by address": "a"}) for _ in range(most)] == [0] * most
    assert HOUR - 5 <= consume({"start by address": "a"}) <= HOUR
    assert consume({"start by address": "b"}) == 0


def test_the_longest_wait_of_several_counts(db: None, at_most: Callable[..., None]) -> None:
    at_most(start_by_ip=0)
    assert consume({"start by address": "a", "start by ip": "i"}) > 0


def test_what_is_refused_uses_up_nothing_that_others_share(db: None, at_most: Callable[..., None]) -> None:
    at_most(text_by_ip=2, text=3)
    for _ in range(20):
        consume({"text by ip": "theirs", "text": ""})
    assert consume({"text by ip": "mine", "text": ""}) == 0
    assert consume({"text by ip": "mine", "text": ""}) > 0


def test_an_ipv6_visitor_has_one_count_for_the_whole_network(db: None, at_most: Callable[..., None]) -> None:
    at_most(start_by_ip=2)
    waits = [rate_limits.consume_start(str(n), f"p{n}@example.com", f"2001:db8:1:1::{n:x}").wait for n in range(4)]
    assert [bool(w) for w in waits] == [False, False, True, True]
    assert rate_limits.consume_start("elsewhere", "q@example.com", "2001:db8:1:2::1").wait == 0


def test_an_ipv4_visitor_has_one_count_however_the_socket_writes_it(db: None, at_most: Callable[..., None]) -> None:
    at_most(start_by_ip=1)
    assert consume({"start by ip": "192.0.2.7"}) == 0
    assert consume({"start by ip": "::ffff:192.0.2.7"}) > 0
    assert consume({"start by ip": "::ffff:192.0.2.8"}) == 0


def test_when_the_time_is_over_it_begins_anew(db: None) -> None:
    most = LIMITS["start by address"].max_hits
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3 * most):
            last = consume({"start by address": "a"})
        assert last == HOUR
        clock.shift(HOUR - 1)
        assert consume({"start by address": "a"}) == 1
        clock.shift(1)
        assert [consume({"start by address": "a"}) for _ in range(most)] == [0] * most


def test_the_table_tells_nobodys_address(db: None) -> None:
    rate_limits.consume_start("form", "lovelace@example.com", "192.0.2.7")
    stored = " ".join(str(row) for row in RateLimitCounter.objects.values())
    assert "lovelace" not in stored
    assert "192.0.2" not in stored


@pytest.mark.parametrize(
    "spelled", ["ADA.Lovelace@Example.com", "a.d.a.lovelace@example.com", " adalovelace+2@example.com"]
)
def test_an_address_has_one_count_however_it_is_spelled(spelled: str) -> None:
    assert folded(spelled) == "adalovelace@example.com"


def test_what_is_no_address_is_counted_too(db: None, at_most: Callable[..., None]) -> None:
    at_most(start_by_address=1)
    waits = [rate_limits.consume_start(str(n), "No  Address", f"192.0.2.{n}").wait for n in range(2)]
    assert waits[0] == 0
    assert waits[1] > 0


def test_under_debug_programs_may_walk(db: None, settings: object) -> None:
    settings.DEBUG = True  # type: ignore[attr-defined]
    assert {rate_limits.consume_start(str(n), "ada@example.com", "192.0.2.7").wait for n in range(500)} == {0}


def test_a_cache_that_is_emptied_changes_no_count(db: None) -> None:
    for _ in range(LIMITS["start by address"].max_hits):
        consume({"start by address": "a"})
        cache.clear()
    assert consume({"start by address": "a"}) > 0


# ---- starting


def test_one_start_too_many_keeps_what_was_typed_says_when_and_sends_nothing(
    db: None, org: OrgHandle, at_most: Callable[..., None]
) -> None:
    at_most(start_by_address=2)
    for _ in range(2):
        started("ada@example.com", org)
    before = changes(org)
    person = started("ada@example.com", org)
    assert person.status == 429
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", " ".join(person.page.problems()))
    assert "Retry-After" in person.seen[-1].headers
    assert person.page.typed("Email") == "ada@example.com"
    assert person.page.typed("First name") == "Ada"
    assert changes(org) == before
    assert Registration.objects.count() == 2


@pytest.mark.parametrize("spelled", ["ADA@example.com", "a.d.a@example.com", "ada+1@example.com"])
def test_spelling_an_address_differently_is_no_new_start(
    db: None, org: OrgHandle, at_most: Callable[..., None], spelled: str
) -> None:
    at_most(start_by_address=1)
    started("ada@example.com", org)
    assert started(spelled, org).status == 429


def test_succeeding_does_not_begin_a_new_count(person: Person, org: OrgHandle, at_most: Callable[..., None]) -> None:
    at_most(start_by_address=1)
    assert person.signs_up(org).is_signed_in
    assert started(person.email, org).status == 429


@pytest.fixture
def mails_at_once(db: None, org: OrgHandle) -> OrgHandle:
    """An org that mails its code as soon as it has the profile, and knows one person."""
    org.patch_policy({"authenticators": {"okta_password": "disabled"}})
    started("taken@example.com", org)
    return org


def test_an_address_that_is_put_right_on_the_next_page_counts_like_any(
    mails_at_once: OrgHandle, at_most: Callable[..., None], configure: Callable[..., None]
) -> None:
    at_most(start_by_address=2)
    configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
    before = changes(mails_at_once)
    for n in range(4):
        person = started(f"private{n}@example.com", mails_at_once)
        assert (person.path, person.heading) == ("/signup/step/", "Create your account")
        person.fills_and_presses({"Email": f"victim+{n}@firm.example"}, "Sign up")
    assert len(mails_at_once.messages()) == 1 + 2
    assert changes(mails_at_once) == before + 2
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", " ".join(person.page.problems()))
    assert person.page.typed("Email") == "victim+3@firm.example"
    person.presses("Sign up")
    assert len(mails_at_once.messages()) == 1 + 2


def test_an_address_counts_that_comes_after_an_identity_provider_was_pressed(
    mails_at_once: OrgHandle, at_most: Callable[..., None]
) -> None:
    at_most(start_by_address=1)
    for n in range(3):
        person = Person(f"ada+{n}@example.com").opens_the_sign_up()
        person.posts("/signup/", person.form.data() | {"action": "idp:0oa1"})
        assert (person.path, person.heading) == ("/signup/step/", "Create your account")
        person.tells_who_she_is()
    assert len(mails_at_once.messages()) == 1 + 1


def test_a_forged_header_is_no_new_visitor(db: None, org: OrgHandle, at_most: Callable[..., None]) -> None:
    at_most(start_by_ip=2)
    statuses = [
        started(f"p{i}@example.com", org, HTTP_X_FORWARDED_FOR=f"192.0.2.{i}, {forged}").status
        for i, forged in enumerate(["198.51.100.1", "", "a" * 10_000, "::1%eth0"])
    ]
    assert statuses == [200, 200, 429, 429]


def test_behind_a_trusted_proxy_its_last_word_counts(
    db: None, org: OrgHandle, at_most: Callable[..., None], configure: Callable[..., None]
) -> None:
    configure(TRUSTED_PROXIES=1)
    at_most(start_by_ip=1)
    assert started("a@example.com", org, HTTP_X_FORWARDED_FOR="6.6.6.6, 192.0.2.1").status == 200
    assert started("b@example.com", org, HTTP_X_FORWARDED_FOR="7.7.7.7, 192.0.2.1").status == 429
    assert started("c@example.com", org, HTTP_X_FORWARDED_FOR="7.7.7.7, 192.0.2.2").status == 200


def test_there_is_a_most_of_open_registrations(db: None, org: OrgHandle, configure: Callable[..., None]) -> None:
    configure(MOST_OPEN=1)
    started("a@example.com", org)
    cache.clear()
    person = started("b@example.com", org)
    assert person.status == 429
    assert "Too many people are signing up" in " ".join(person.page.problems())
    assert Registration.objects.count() == 1


def test_one_form_counts_once_and_is_refused_again_once_it_was(db: None, at_most: Callable[..., None]) -> None:
    at_most(start_by_address=1, start_by_form=1)
    start = rate_limits.consume_start
    counts = [start("form 1", "ada@example.com", "i") for _ in range(3)]
    assert [(count.wait, count.is_repeated) for count in counts] == [(0, False), (0, True), (0, True)]
    assert all(start("form 2", "ada@example.com", "i").wait for _ in range(3))


def test_a_form_that_was_refused_has_to_be_counted_when_it_is_sent_again(
    db: None, at_most: Callable[..., None]
) -> None:
    """Many forms, refused in one hour, are no supply for the next."""
    at_most(start_by_ip=2)
    forms = [f"form {n}" for n in range(9)]
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3):
            waits = [rate_limits.consume_start(form, "", "192.0.2.7").wait for form in forms]
            forms = [form for form, wait in zip(forms, waits, strict=True) if wait]
            clock.shift(HOUR)
    assert len(forms) == 3


# ---- sending


def test_a_registration_sends_so_many_mails_however_they_are_asked_for(
    person: Person, org: OrgHandle, configure: Callable[..., None], at_most: Callable[..., None]
) -> None:
    """By "send a new code" as well as by choosing email again."""
    configure(RESEND_SECONDS=0)
    at_most(send_by_registration=3)
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    person.presses("Resend code").presses("Choose a different method").chooses("Email")
    person.presses("Resend code")
    assert len(org.messages(person.email)) == 3
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", person.page.text)


def test_mails_to_one_address_are_counted_over_all_registrations(
    db: None, org: OrgHandle, at_most: Callable[..., None]
) -> None:
    at_most(send_by_address=2)
    people = [started(f"ada+{n}@example.com", org).chooses("Email") for n in range(4)]
    assert len(org.messages()) == 2
    assert [p.heading for p in people] == ["Check your email"] * 2 + ["Secure your account"] * 2


# ---- codes


def test_the_sixth_code_of_a_challenge_is_refused_even_if_it_is_right(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 0}})
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    wrong = "000000" if org.code(person.email) != "000000" else "111111"
    for _ in range(LIMITS["code by challenge"].max_hits):
        person.fills_and_presses({CODE: wrong})
    before = len(org.calls("/challenge/answer"))
    person.types_the_code_from(org)
    assert len(org.calls("/challenge/answer")) == before == LIMITS["code by challenge"].max_hits
    assert person.heading == "Check your email"
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", person.page.text)


def test_a_code_sent_anew_may_be_tried_anew(
    person: Person, org: OrgHandle, configure: Callable[..., None], at_most: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=1)
    at_most(code_by_challenge=1)
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    person.fills_and_presses({CODE: "000000"}).fills_and_presses({CODE: "000000"})
    assert len(org.calls("/challenge/answer")) == 1
    with time_machine.travel(timezone.now() + timedelta(seconds=3), tick=True):
        person.presses("Resend code").types_the_code_from(org)
    assert person.heading == "Choose a password"


def test_codes_are_counted_by_address_over_all_challenges(
    person: Person, org: OrgHandle, at_most: Callable[..., None]
) -> None:
    at_most(code_by_address=2)
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    for _ in range(4):
        person.fills_and_presses({CODE: "000000"})
    assert len(org.calls("/challenge/answer")) == 2


# ---- texts and calls


def at_the_phone(org: OrgHandle, email: str = "ada@example.com") -> Person:
    org.patch_policy(PHONE)
    person = Person(email).opens_the_sign_up().tells_who_she_is()
    return person.chooses("Phone") if person.heading == "Check your email" else person


def texts(org: OrgHandle) -> int:
    return len([m for m in org.messages() if m.channel != "email"])


def test_a_number_gets_so_many_texts_whoever_asks(db: None, org: OrgHandle, at_most: Callable[..., None]) -> None:
    at_most(text_by_number=2)
    for n in range(4):
        person = at_the_phone(org, f"p{n}@example.com").fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert texts(org) == 2
    assert person.page.typed(NUMBER) == "+1 415 555 0100"
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", person.page.text)


def test_asking_for_the_text_again_counts_for_its_number(
    db: None, org: OrgHandle, at_most: Callable[..., None], configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    at_most(text_by_number=2)
    person = at_the_phone(org).fills_and_presses({NUMBER: "+1 415 555 0100"})
    for _ in range(3):
        person.presses("Resend code")
    assert texts(org) == 2


def test_a_country_gets_so_many_texts(db: None, org: OrgHandle, at_most: Callable[..., None]) -> None:
    at_most(text_by_country=2)
    for n in range(4):
        at_the_phone(org, f"p{n}@example.com").fills_and_presses({NUMBER: f"+49 151 2345 678{n}"})
    at_the_phone(org, "us@example.com").fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert texts(org) == 3


def test_nobody_keeps_a_country_from_its_texts_by_asking_for_what_is_refused(
    db: None, org: OrgHandle, at_most: Callable[..., None]
) -> None:
    at_most(text_by_number=2, text_by_country=5)
    theirs = at_the_phone(org, "many@example.com")
    for _ in range(9):
        if NUMBER not in theirs.page.names():
            theirs.presses("Choose a different method").chooses("Phone")
        theirs.fills_and_presses({NUMBER: "+49 151 23456789"})
    assert texts(org) == 2
    at_the_phone(org, "one@example.com").fills_and_presses({NUMBER: "+49 170 1234567"})
    assert texts(org) == 3


def test_an_extension_makes_no_new_number(db: None, org: OrgHandle, at_most: Callable[..., None]) -> None:
    at_most(text_by_number=2)
    for n in range(4):
        person = at_the_phone(org, f"p{n}@example.com").fills({"authenticator.methodType": "voice"})
        person.fills_and_presses({NUMBER: "+1 415 555 0100", "Extension": str(n)})
    assert texts(org) == 2


def test_a_country_that_is_not_allowed_never_reaches_the_org(
    db: None, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(PHONE_COUNTRIES=["US"])
    person = at_the_phone(org)
    before = len(org.calls())
    person.fills_and_presses({NUMBER: "+49 151 23456789"})
    assert person.page.beside(NUMBER) == ["We can't reach numbers in this country. Try a different number or method."]
    assert person.page.typed(NUMBER) == "+49 151 23456789"
    assert len(org.calls()) == before
    person.fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert texts(org) == 1


def test_a_phone_may_have_to_wait_for_the_proven_address(
    db: None, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(PHONE_AFTER_EMAIL=True)
    person = at_the_phone(org).fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert texts(org) == 0
    assert "Confirm your email address first" in person.page.text
    person.chooses("Email").types_the_code_from(org).chooses("Phone")
    person.fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert texts(org) == 1


@pytest.mark.parametrize(
    ("number", "country"),
    [("+14155550100", "US"), ("+12425550100", "BS"), ("+4915123456789", "DE"), ("+881612345678", "+881"), ("x", "")],
)
def test_a_number_tells_its_country(number: str, country: str) -> None:
    assert phone_numbers.region(number).replace("001", "+881") == country


def test_limits_over_a_day_are_longer_than_those_over_an_hour() -> None:
    assert {limit.seconds for name, limit in LIMITS.items() if name.endswith("a day")} == {DAY}


# ---- the org's own limits


def test_a_first_page_that_has_to_wait_says_how_long_and_comes_back_by_itself(person: Person, org: OrgHandle) -> None:
    org.fail("/interact", "status", status=429)
    person.opens_the_sign_up()
    answer = dict(line.split(": ", 1) for line in person.seen[-1].headers.splitlines() if ": " in line)
    assert person.status == 503
    assert 1 <= int(answer["Retry-After"]) <= 120
    assert answer["Refresh"] == answer["Retry-After"]
    assert re.search(rf"Try again in {answer['Retry-After']} seconds?\b", person.page.text)
    assert person.opens_the_sign_up().heading == "Create your account"


@pytest.mark.parametrize("remediation", [True, False], ids=["with a step", "without"])
def test_a_step_that_has_to_wait_stays_and_says_how_long(person: Person, org: OrgHandle, remediation: bool) -> None:
    org.patch_policy({"unknowns": {"too_many_codes_has_remediation": remediation}})
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 1}})
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    person.fills_and_presses({CODE: "000000"}).fills_and_presses({CODE: "000001"})
    assert person.heading == "Check your email"
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", person.page.text)


# ---- one transaction


def test_a_transaction_is_not_asked_faster_than_the_org_allows(
    person: Person, org: OrgHandle, at_most: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_most()
    monkeypatch.setattr(rate_limits, "CALLS", 10)
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 0, "state_handle_per_5_seconds": 10}})
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    with time_machine.travel(timezone.now(), tick=False):
        for _ in range(20):
            person.fills_and_presses({CODE: "000000"})
    assert 429 not in [c.status for c in org.calls()]
    assert len(org.calls("/challenge/answer")) <= rate_limits.CALLS
    assert re.search(r"[Tt]ry again in \d seconds", person.page.text)
