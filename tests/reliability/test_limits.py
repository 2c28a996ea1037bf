"""Rate limits for starts, messages and codes. Spelling, success, a new session or a forged header do not reset a count,
which is kept in the database. Refused requests do not reach the org.
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

pytestmark = [pytest.mark.database, pytest.mark.every_database]

CODE = "credentials.passcode"
PHONE = {"authenticators": {"phone_number": "required", "okta_password": "disabled"}}
NUMBER = "authenticator.phoneNumber"


@pytest.fixture
def set_limits(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets these limits, and raises all others."""

    def set_table(**limits: int) -> None:
        table = {name: Limit(10_000, limit.seconds) for name, limit in LIMITS.items() if name != "start by form"}
        table["start by form"] = LIMITS["start by form"]
        table |= {name.replace("_", " "): Limit(n, HOUR) for name, n in limits.items()}
        monkeypatch.setattr(rate_limits, "LIMITS", table)

    return set_table


def start(email: str, org: OrgHandle, **headers: str) -> Person:
    person = Person(email)
    person.browser.defaults.update(headers)
    return person.opens_the_sign_up().submits_profile()


def changes(org: OrgHandle) -> int:
    """The number of calls that change something at the org."""
    return len([c for c in org.calls() if not c.path.endswith(("/interact", "/introspect", "/idp/idx/enroll"))])


# ---- the count


def test_a_rate_limit_allows_its_maximum_and_then_returns_the_wait(db: None) -> None:
    maximum = LIMITS["start by address"].max_hits
    assert [consume({"start by address": "a"}) for _ in range(maximum)] == [0] * maximum
    assert HOUR - 5 <= consume({"start by address": "a"}) <= HOUR
    assert consume({"start by address": "b"}) == 0


def test_one_exhausted_rate_limit_is_enough_for_a_wait(db: None, set_limits: Callable[..., None]) -> None:
    set_limits(start_by_ip=0)
    assert consume({"start by address": "a", "start by ip": "i"}) > 0


def test_refused_hits_do_not_use_up_shared_rate_limits(db: None, set_limits: Callable[..., None]) -> None:
    set_limits(text_by_ip=2, text=3)
    for _ in range(20):
        consume({"text by ip": "full", "text": ""})
    assert consume({"text by ip": "free", "text": ""}) == 0
    assert consume({"text by ip": "free", "text": ""}) > 0


def test_ipv6_addresses_of_one_network_share_a_count(db: None, set_limits: Callable[..., None]) -> None:
    set_limits(start_by_ip=2)
    waits = [rate_limits.consume_start(str(n), f"p{n}@example.com", f"2001:db8:1:1::{n:x}").wait for n in range(4)]
    assert [bool(w) for w in waits] == [False, False, True, True]
    assert rate_limits.consume_start("elsewhere", "q@example.com", "2001:db8:1:2::1").wait == 0


def test_ipv4_and_mapped_ipv6_addresses_share_a_count(db: None, set_limits: Callable[..., None]) -> None:
    set_limits(start_by_ip=1)
    assert consume({"start by ip": "192.0.2.7"}) == 0
    assert consume({"start by ip": "::ffff:192.0.2.7"}) > 0
    assert consume({"start by ip": "::ffff:192.0.2.8"}) == 0


def test_a_count_starts_again_after_its_period(db: None) -> None:
    maximum = LIMITS["start by address"].max_hits
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3 * maximum):
            last = consume({"start by address": "a"})
        assert last == HOUR
        clock.shift(HOUR - 1)
        assert consume({"start by address": "a"}) == 1
        clock.shift(1)
        assert [consume({"start by address": "a"}) for _ in range(maximum)] == [0] * maximum


def test_rate_limit_rows_contain_no_address(db: None) -> None:
    rate_limits.consume_start("form", "lovelace@example.com", "192.0.2.7")
    stored = " ".join(str(row) for row in RateLimitCounter.objects.values())
    assert "lovelace" not in stored
    assert "192.0.2" not in stored


@pytest.mark.parametrize(
    "spelling", ["ADA.Lovelace@Example.com", "a.d.a.lovelace@example.com", " adalovelace+2@example.com"]
)
def test_spellings_of_an_address_are_folded_to_one(spelling: str) -> None:
    assert folded(spelling) == "adalovelace@example.com"


def test_a_malformed_address_is_counted(db: None, set_limits: Callable[..., None]) -> None:
    set_limits(start_by_address=1)
    waits = [rate_limits.consume_start(str(n), "No  Address", f"192.0.2.{n}").wait for n in range(2)]
    assert waits[0] == 0
    assert waits[1] > 0


def test_debug_disables_the_start_limits(db: None, settings: object) -> None:
    settings.DEBUG = True  # type: ignore[attr-defined]
    assert {rate_limits.consume_start(str(n), "ada@example.com", "192.0.2.7").wait for n in range(500)} == {0}


def test_clearing_the_cache_does_not_reset_a_count(db: None) -> None:
    for _ in range(LIMITS["start by address"].max_hits):
        consume({"start by address": "a"})
        cache.clear()
    assert consume({"start by address": "a"}) > 0


# ---- starting


def test_a_refused_start_keeps_the_values_shows_the_wait_and_makes_no_call(
    db: None, org: OrgHandle, set_limits: Callable[..., None]
) -> None:
    set_limits(start_by_address=2)
    for _ in range(2):
        start("ada@example.com", org)
    before = changes(org)
    person = start("ada@example.com", org)
    assert person.status == 429
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", " ".join(person.page.problems()))
    assert "Retry-After" in person.seen[-1].headers
    assert person.page.typed("Email") == "ada@example.com"
    assert person.page.typed("First name") == "Ada"
    assert changes(org) == before
    assert Registration.objects.count() == 2


@pytest.mark.parametrize("spelling", ["ADA@example.com", "a.d.a@example.com", "ada+1@example.com"])
def test_another_spelling_of_an_address_does_not_reset_the_start_limit(
    db: None, org: OrgHandle, set_limits: Callable[..., None], spelling: str
) -> None:
    set_limits(start_by_address=1)
    start("ada@example.com", org)
    assert start(spelling, org).status == 429


def test_a_completed_sign_up_does_not_reset_the_start_limit(
    person: Person, org: OrgHandle, set_limits: Callable[..., None]
) -> None:
    set_limits(start_by_address=1)
    assert person.signs_up(org).is_signed_in
    assert start(person.email, org).status == 429


@pytest.fixture
def email_first_org(db: None, org: OrgHandle) -> OrgHandle:
    """An org that sends the code right after the profile form, with one account."""
    org.patch_policy({"authenticators": {"okta_password": "disabled"}})
    start("taken@example.com", org)
    return org


def test_an_address_corrected_on_the_next_page_counts_for_the_start_limit(
    email_first_org: OrgHandle, set_limits: Callable[..., None], configure: Callable[..., None]
) -> None:
    set_limits(start_by_address=2)
    configure(PROFILE_HOOK="support.site_hooks.refuses_freemail")
    before = changes(email_first_org)
    for n in range(4):
        person = start(f"private{n}@example.com", email_first_org)
        assert (person.path, person.heading) == ("/signup/step/", "Create your account")
        person.fills_and_presses({"Email": f"victim+{n}@firm.example"}, "Sign up")
    assert len(email_first_org.messages()) == 1 + 2
    assert changes(email_first_org) == before + 2
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", " ".join(person.page.problems()))
    assert person.page.typed("Email") == "victim+3@firm.example"
    person.presses("Sign up")
    assert len(email_first_org.messages()) == 1 + 2


def test_an_address_submitted_after_an_identity_provider_counts_for_the_start_limit(
    email_first_org: OrgHandle, set_limits: Callable[..., None]
) -> None:
    set_limits(start_by_address=1)
    for n in range(3):
        person = Person(f"ada+{n}@example.com").opens_the_sign_up()
        person.posts("/signup/", person.form.data() | {"action": "idp:0oa1"})
        assert (person.path, person.heading) == ("/signup/step/", "Create your account")
        person.submits_profile()
    assert len(email_first_org.messages()) == 1 + 1


def test_a_forged_forwarded_header_does_not_reset_the_limit_by_ip(
    db: None, org: OrgHandle, set_limits: Callable[..., None]
) -> None:
    set_limits(start_by_ip=2)
    statuses = [
        start(f"p{i}@example.com", org, HTTP_X_FORWARDED_FOR=f"192.0.2.{i}, {forged}").status
        for i, forged in enumerate(["198.51.100.1", "", "a" * 10_000, "::1%eth0"])
    ]
    assert statuses == [200, 200, 429, 429]


def test_behind_a_trusted_proxy_the_last_forwarded_address_counts(
    db: None, org: OrgHandle, set_limits: Callable[..., None], configure: Callable[..., None]
) -> None:
    configure(TRUSTED_PROXIES=1)
    set_limits(start_by_ip=1)
    assert start("a@example.com", org, HTTP_X_FORWARDED_FOR="6.6.6.6, 192.0.2.1").status == 200
    assert start("b@example.com", org, HTTP_X_FORWARDED_FOR="7.7.7.7, 192.0.2.1").status == 429
    assert start("c@example.com", org, HTTP_X_FORWARDED_FOR="7.7.7.7, 192.0.2.2").status == 200


def test_the_number_of_open_registrations_is_limited(db: None, org: OrgHandle, configure: Callable[..., None]) -> None:
    configure(MOST_OPEN=1)
    start("a@example.com", org)
    cache.clear()
    person = start("b@example.com", org)
    assert person.status == 429
    assert "Too many people are signing up" in " ".join(person.page.problems())
    assert Registration.objects.count() == 1


def test_a_form_counts_once_and_a_refused_form_is_refused_again(db: None, set_limits: Callable[..., None]) -> None:
    set_limits(start_by_address=1, start_by_form=1)
    start = rate_limits.consume_start
    counts = [start("form 1", "ada@example.com", "i") for _ in range(3)]
    assert [(count.wait, count.is_repeated) for count in counts] == [(0, False), (0, True), (0, True)]
    assert all(start("form 2", "ada@example.com", "i").wait for _ in range(3))


def test_a_refused_form_is_counted_when_it_is_sent_again(db: None, set_limits: Callable[..., None]) -> None:
    """Forms that were refused in one hour are not exempt in the next."""
    set_limits(start_by_ip=2)
    forms = [f"form {n}" for n in range(9)]
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3):
            waits = [rate_limits.consume_start(form, "", "192.0.2.7").wait for form in forms]
            forms = [form for form, wait in zip(forms, waits, strict=True) if wait]
            clock.shift(HOUR)
    assert len(forms) == 3


# ---- sending


def test_emails_of_a_registration_are_limited_for_resend_and_choice(
    person: Person, org: OrgHandle, configure: Callable[..., None], set_limits: Callable[..., None]
) -> None:
    """Both the resend button and choosing the email again count."""
    configure(RESEND_SECONDS=0)
    set_limits(send_by_registration=3)
    person.opens_the_sign_up().submits_profile().chooses("Email")
    person.presses("Resend code").presses("Choose a different method").chooses("Email")
    person.presses("Resend code")
    assert len(org.messages(person.email)) == 3
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", person.page.text)


def test_emails_to_an_address_are_limited_over_all_registrations(
    db: None, org: OrgHandle, set_limits: Callable[..., None]
) -> None:
    set_limits(send_by_address=2)
    people = [start(f"ada+{n}@example.com", org).chooses("Email") for n in range(4)]
    assert len(org.messages()) == 2
    assert [p.heading for p in people] == ["Check your email"] * 2 + ["Secure your account"] * 2


# ---- codes


def test_the_sixth_code_of_a_challenge_is_refused_even_if_it_is_correct(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 0}})
    person.opens_the_sign_up().submits_profile().chooses("Email")
    wrong_code = "000000" if org.code(person.email) != "000000" else "111111"
    for _ in range(LIMITS["code by challenge"].max_hits):
        person.fills_and_presses({CODE: wrong_code})
    before = len(org.calls("/challenge/answer"))
    person.types_the_code_from(org)
    assert len(org.calls("/challenge/answer")) == before == LIMITS["code by challenge"].max_hits
    assert person.heading == "Check your email"
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", person.page.text)


def test_a_resent_code_starts_a_new_count(
    person: Person, org: OrgHandle, configure: Callable[..., None], set_limits: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=1)
    set_limits(code_by_challenge=1)
    person.opens_the_sign_up().submits_profile().chooses("Email")
    person.fills_and_presses({CODE: "000000"}).fills_and_presses({CODE: "000000"})
    assert len(org.calls("/challenge/answer")) == 1
    with time_machine.travel(timezone.now() + timedelta(seconds=3), tick=True):
        person.presses("Resend code").types_the_code_from(org)
    assert person.heading == "Choose a password"


def test_codes_for_an_address_are_limited_over_all_challenges(
    person: Person, org: OrgHandle, set_limits: Callable[..., None]
) -> None:
    set_limits(code_by_address=2)
    person.opens_the_sign_up().submits_profile().chooses("Email")
    for _ in range(4):
        person.fills_and_presses({CODE: "000000"})
    assert len(org.calls("/challenge/answer")) == 2


# ---- texts and calls


def go_to_phone_step(org: OrgHandle, email: str = "ada@example.com") -> Person:
    org.patch_policy(PHONE)
    person = Person(email).opens_the_sign_up().submits_profile()
    return person.chooses("Phone") if person.heading == "Check your email" else person


def phone_messages(org: OrgHandle) -> int:
    return len([m for m in org.messages() if m.channel != "email"])


def test_texts_to_a_number_are_limited_over_all_visitors(
    db: None, org: OrgHandle, set_limits: Callable[..., None]
) -> None:
    set_limits(text_by_number=2)
    for n in range(4):
        person = go_to_phone_step(org, f"p{n}@example.com").fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert phone_messages(org) == 2
    assert person.page.typed(NUMBER) == "+1 415 555 0100"
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", person.page.text)


def test_a_resent_text_counts_for_the_limit_of_its_number(
    db: None, org: OrgHandle, set_limits: Callable[..., None], configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    set_limits(text_by_number=2)
    person = go_to_phone_step(org).fills_and_presses({NUMBER: "+1 415 555 0100"})
    for _ in range(3):
        person.presses("Resend code")
    assert phone_messages(org) == 2


def test_texts_to_a_country_are_limited(db: None, org: OrgHandle, set_limits: Callable[..., None]) -> None:
    set_limits(text_by_country=2)
    for n in range(4):
        go_to_phone_step(org, f"p{n}@example.com").fills_and_presses({NUMBER: f"+49 151 2345 678{n}"})
    go_to_phone_step(org, "us@example.com").fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert phone_messages(org) == 3


def test_refused_texts_do_not_use_up_the_limit_of_a_country(
    db: None, org: OrgHandle, set_limits: Callable[..., None]
) -> None:
    set_limits(text_by_number=2, text_by_country=5)
    person = go_to_phone_step(org, "many@example.com")
    for _ in range(9):
        if NUMBER not in person.page.names():
            person.presses("Choose a different method").chooses("Phone")
        person.fills_and_presses({NUMBER: "+49 151 23456789"})
    assert phone_messages(org) == 2
    go_to_phone_step(org, "one@example.com").fills_and_presses({NUMBER: "+49 170 1234567"})
    assert phone_messages(org) == 3


def test_another_extension_does_not_reset_the_limit_of_a_number(
    db: None, org: OrgHandle, set_limits: Callable[..., None]
) -> None:
    set_limits(text_by_number=2)
    for n in range(4):
        person = go_to_phone_step(org, f"p{n}@example.com").fills({"authenticator.methodType": "voice"})
        person.fills_and_presses({NUMBER: "+1 415 555 0100", "Extension": str(n)})
    assert phone_messages(org) == 2


def test_a_number_of_a_country_that_is_not_allowed_is_refused_without_a_call(
    db: None, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(PHONE_COUNTRIES=["US"])
    person = go_to_phone_step(org)
    before = len(org.calls())
    person.fills_and_presses({NUMBER: "+49 151 23456789"})
    assert person.page.beside(NUMBER) == ["We can't reach numbers in this country. Try a different number or method."]
    assert person.page.typed(NUMBER) == "+49 151 23456789"
    assert len(org.calls()) == before
    person.fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert phone_messages(org) == 1


def test_phone_after_email_refuses_texts_before_the_address_is_verified(
    db: None, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(PHONE_AFTER_EMAIL=True)
    person = go_to_phone_step(org).fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert phone_messages(org) == 0
    assert "Confirm your email address first" in person.page.text
    person.chooses("Email").types_the_code_from(org).chooses("Phone")
    person.fills_and_presses({NUMBER: "+1 415 555 0100"})
    assert phone_messages(org) == 1


@pytest.mark.parametrize(
    ("number", "country"),
    [("+14155550100", "US"), ("+12425550100", "BS"), ("+4915123456789", "DE"), ("+881612345678", "+881"), ("x", "")],
)
def test_the_country_of_a_phone_number_is_recognized(number: str, country: str) -> None:
    assert phone_numbers.region(number).replace("001", "+881") == country


def test_limits_named_a_day_have_a_period_of_a_day() -> None:
    assert {limit.seconds for name, limit in LIMITS.items() if name.endswith("a day")} == {DAY}


# ---- the org's own limits


def test_the_unavailable_page_shows_the_wait_of_the_org_and_refreshes_itself(person: Person, org: OrgHandle) -> None:
    org.fail("/interact", "status", status=429)
    person.opens_the_sign_up()
    answer = dict(line.split(": ", 1) for line in person.seen[-1].headers.splitlines() if ": " in line)
    assert person.status == 503
    assert 1 <= int(answer["Retry-After"]) <= 120
    assert answer["Refresh"] == answer["Retry-After"]
    assert re.search(rf"Try again in {answer['Retry-After']} seconds?\b", person.page.text)
    assert person.opens_the_sign_up().heading == "Create your account"


@pytest.mark.parametrize("remediation", [True, False], ids=["with a step", "without"])
def test_a_step_that_the_org_limits_stays_and_shows_the_wait(person: Person, org: OrgHandle, remediation: bool) -> None:
    org.patch_policy({"unknowns": {"too_many_codes_has_remediation": remediation}})
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 1}})
    person.opens_the_sign_up().submits_profile().chooses("Email")
    person.fills_and_presses({CODE: "000000"}).fills_and_presses({CODE: "000001"})
    assert person.heading == "Check your email"
    assert re.search(r"[Tt]ry again in \d+ (second|minute|hour)s?", person.page.text)


# ---- one transaction


def test_calls_of_a_transaction_stay_within_the_limit_of_the_org(
    person: Person, org: OrgHandle, set_limits: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limits()
    monkeypatch.setattr(rate_limits, "CALLS", 10)
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 0, "state_handle_per_5_seconds": 10}})
    person.opens_the_sign_up().submits_profile().chooses("Email")
    with time_machine.travel(timezone.now(), tick=False):
        for _ in range(20):
            person.fills_and_presses({CODE: "000000"})
    assert 429 not in [c.status for c in org.calls()]
    assert len(org.calls("/challenge/answer")) <= rate_limits.CALLS
    assert re.search(r"[Tt]ry again in \d seconds", person.page.text)
