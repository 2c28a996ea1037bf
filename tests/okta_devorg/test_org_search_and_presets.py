"""The web pages of the org: search for emails and calls, paging, and policy presets."""

import re
from html import unescape

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.pages.policy_presets import PRESETS
from support.local_org.org_journey import ADA, PASSWORD, Journey

GRACE = {**ADA, "email": "grace@example.com"}


def get(org: OrgHandle, path: str, **query: str) -> str:
    reply = requests.get(org.base + path, params=query, timeout=60)
    assert reply.status_code == 200
    return unescape(reply.text)


def sign_up(org: OrgHandle, person: dict[str, str]) -> None:
    journey = Journey(org).to_profile()
    journey.enroll_profile(userProfile=person)
    journey.verify_email(person["email"])
    journey.close()


@pytest.fixture
def two_sign_ups(org: OrgHandle) -> None:
    sign_up(org, ADA)
    requests.get(org.issuer + "/v1/keys", timeout=60)
    sign_up(org, GRACE)
    requests.get(org.base + "/api/v1/users", timeout=60)


def sequences(page: str) -> list[str]:
    return re.findall(r'<section class="sequence".*?</section>', page, re.DOTALL)


def titles(page: str) -> list[str]:
    return [
        re.sub(r"<[^>]+>|\s+", " ", text).split(" · ")[0].strip()
        for text in re.findall(r"<h2>(.*?)</h2>", page, re.DOTALL)
    ]


# ---- calls


@pytest.mark.usefixtures("two_sign_ups")
def test_the_newest_sign_up_is_first_and_open_and_other_calls_are_last(org: OrgHandle) -> None:
    page = get(org, "/calls")
    assert titles(page) == [GRACE["email"], ADA["email"], "Other calls"]
    assert [bool(re.search(r'<details data-key="\w+" open>\s*<summary>', text)) for text in sequences(page)] == [
        True,
        False,
        False,
    ]


@pytest.mark.usefixtures("two_sign_ups")
def test_each_call_shows_time_duration_and_result(org: OrgHandle) -> None:
    page = get(org, "/calls")
    lines = re.findall(r'<summary class="call">(.*?)</summary>', page, re.DOTALL)
    assert len(lines) == len(org.calls())
    for line in lines:
        assert re.search(r"<time[^>]*>\d\d:\d\d:\d\d</time>", line)
        assert re.search(r"\d ms", line)
        assert re.search(r'class="answer (good|moved|refused|failed)"', line)
    other = sequences(page)[-1]
    assert other.index("/api/v1/users") < other.index("/v1/keys")


@pytest.mark.usefixtures("two_sign_ups")
def test_calls_can_be_filtered_by_error(org: OrgHandle) -> None:
    page = get(org, "/calls", errors="on")
    assert titles(page) == ["Other calls"]
    assert re.findall(r"<code>(\w+ /\S+)</code>", page) == ["GET /api/v1/users"]


@pytest.mark.usefixtures("two_sign_ups")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("grace@example.com", [GRACE["email"]]),
        ("GRACE", [GRACE["email"]]),
        ("/keys", ["Other calls"]),
        ("401", ["Other calls"]),
        ("challenge/answer", [GRACE["email"], ADA["email"]]),
        ("nobody@example.com", []),
    ],
)
def test_calls_can_be_searched(org: OrgHandle, text: str, expected: list[str]) -> None:
    page = get(org, "/calls", q=text)
    assert titles(page) == expected
    assert f'value="{text}"' in page
    assert ("Nothing fits" in page) == (not expected)


# ---- mails


@pytest.mark.usefixtures("two_sign_ups")
def test_emails_have_a_date_and_a_copy_button_for_the_code(org: OrgHandle) -> None:
    page, code = get(org, "/"), org.code(ADA["email"])
    assert f'data-copy="{code}"' in page
    assert re.search(r"<time[^>]*>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d</time> UTC", page)
    assert "refreshes by itself" in page


@pytest.mark.usefixtures("two_sign_ups")
@pytest.mark.parametrize(("text", "count"), [("ada@", 1), ("ADA@EXAMPLE.COM", 1), ("example.com", 2), ("nobody", 0)])
@pytest.mark.parametrize("path", ["/", "/phone"])
def test_messages_can_be_searched(org: OrgHandle, path: str, text: str, count: int) -> None:
    page = get(org, path, q=text)
    assert page.count("<article") == (count if path == "/" else 0)
    assert f'value="{text}"' in page


def test_an_email_is_found_by_its_code(org: OrgHandle, two_sign_ups: None) -> None:
    page = get(org, "/", q=org.code(ADA["email"]))
    assert (page.count("<article"), ADA["email"] in page) == (1, True)


@pytest.mark.parametrize(("path", "label"), [("/", "Email"), ("/phone", "Phone")])
def test_many_messages_are_paged(org: OrgHandle, journey: Journey, path: str, label: str) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    more = {"methodType": "sms", "phoneNumber": "+14155550100"} if label == "Phone" else {}
    journey.registered()
    for _ in range(23):
        journey.choose(label, **more)
    first, second = get(org, path), get(org, path, page="2")
    assert (first.count("<article"), second.count("<article")) == (20, 3)
    assert ("page=2" in first, "page=1" in second, "page=3" in second) == (True, True, False)
    for invalid in ("0", "-1", "x", "99", "²"):
        assert get(org, path, page=invalid)


# ---- the policy


@pytest.mark.parametrize("name", [preset.name for preset in PRESETS])
def test_a_preset_can_be_applied_and_a_sign_up_completes_with_it(org: OrgHandle, journey: Journey, name: str) -> None:
    org.patch_policy({"authenticators": dict.fromkeys(("duo", "webauthn"), "required"), "sign_on": "denied"})
    reply = requests.post(org.base + "/policy", data={"preset": name}, headers={"Origin": org.base}, timeout=60)
    assert (reply.status_code, "Saved" in reply.text) == (200, True)
    assert re.search(rf'value="{name}"[^>]* aria-pressed="true"', reply.text)
    complete_sign_up(org, journey)
    assert "successWithInteractionCode" in journey.document or journey.keys == ["idx.email.verification.required"]


def complete_sign_up(org: OrgHandle, journey: Journey) -> None:
    """Enrolls everything that is required, and skips everything optional."""
    journey.to_profile()
    credentials = {"credentials": {"passcode": PASSWORD}} if org.policy.password_on_form else {}
    login = {"login": "ada"} if any(attribute.name == "login" for attribute in org.policy.profile) else {}
    journey.enroll_profile(userProfile={**ADA, **login}, **credentials)
    while journey.steps:
        offered = journey.offered if "select-authenticator-enroll" in journey.steps else []
        known = [label for label in offered if label in ("Email", "Password")]
        if "enroll-authenticator" in journey.steps:
            kind = journey.document["currentAuthenticator"]["value"]["key"]
            journey.answer(PASSWORD if kind == "okta_password" else org.code(ADA["email"]))
        elif known:
            journey.choose(known[0])
        else:
            journey.take("skip")


def test_lists_of_names_and_a_form_without_an_address_can_be_saved(org: OrgHandle) -> None:
    requests.post(org.base + "/policy", data={"preset": "usernames"}, headers={"Origin": org.base}, timeout=60)
    values = {
        "allowed_identifiers": "login, memberNumber ,",
        "grace_period.authenticators": "phone_number",
        "grace_period.days": "3",
        "recovery_only": "security_question",
        "username_format": "none",
        "telephony": "on",
        "label.login": "Name",
        "required.login": "on",
    }
    reply = requests.post(org.base + "/policy", data=values, headers={"Origin": org.base}, timeout=60)
    assert "Saved" in reply.text
    assert 'value="login, memberNumber"' in reply.text
    policy = org.policy
    assert policy.allowed_identifiers == ("login", "memberNumber")
    assert (policy.grace_period.authenticators, policy.grace_period.days) == (("phone_number",), 3)
    assert policy.recovery_only == ("security_question",)
    assert {a.name: a.required for a in policy.profile}["email"] is False
    assert next(a.label for a in policy.profile) == "Name"


def test_an_unknown_preset_is_refused(org: OrgHandle) -> None:
    before = org.policy
    reply = requests.post(org.base + "/policy", data={"preset": "x"}, headers={"Origin": org.base}, timeout=60)
    assert (reply.status_code, org.policy) == (400, before)


def test_no_preset_is_marked_for_a_custom_policy(org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"duo": "optional"}})
    assert 'aria-pressed="true"' not in get(org, "/policy")


# ---- ways on


def test_the_page_of_an_invalid_link_links_to_the_sign_up(org: OrgHandle, journey: Journey) -> None:
    page = requests.get(org.base + "/tokens/x/verify", timeout=60)
    assert re.search(r'<a [^>]*href="http://127.0.0.1:8000/signup/"', page.text)


def test_the_fault_page_has_a_button_to_add_a_fault(org: OrgHandle) -> None:
    page = get(org, "/break")
    assert "Throw" not in page
    assert 'value="fault">Add fault' in page
