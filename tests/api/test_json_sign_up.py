"""The sign-up through the JSON API, by a browser with a session and by an app with a token."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg import rate_limits
from selfreg.models import Registration
from selfreg.statuses import Status
from support.app_client import AppClient
from support.person import Person

pytestmark = [pytest.mark.database, pytest.mark.django_db]
BOTH = pytest.mark.parametrize("by_token", [False, True], ids=["session", "token"])


@BOTH
def test_complete_sign_up_logs_the_user_in(org: OrgHandle, by_token: bool) -> None:
    client = AppClient(by_token=by_token)
    client.begins()
    assert (client.status, client.answer["status"], client.step["page"]) == (201, "enrolling", "code")
    client.chooses("Email").submits(credentials__passcode=org.code(client.email)).chooses("Password").sets_a_password()
    assert (client.status, client.answer["status"], client.answer["signed_in"]) == (200, "completed", True)
    assert client.answer["go"] == "http://testserver/"
    registration = Registration.objects.get()
    assert (registration.status, str(registration.pk)) == (Status.COMPLETED, client.answer["registration"])
    assert registration.user == User.objects.get(email=client.email)


@pytest.mark.slow
def test_api_postpones_the_hand_off_after_a_slow_step(org: OrgHandle) -> None:
    """Six seconds for the last step leave too little time for the hand-off. Another call completes it."""
    client = AppClient().goes_to_the_password_page(org)
    org.fail("/idp/idx/challenge/answer", "slow", seconds=6)
    client.sets_a_password()
    org.org.faults.pending.clear()
    assert not org.calls("/token")
    assert (client.answer["status"], client.answer["signed_in"]) == ("finishing", False)
    assert client.post("step/", step="", values={}).answer["signed_in"]


def test_app_with_token_gets_a_session_cookie_only_after_the_sign_up(org: OrgHandle) -> None:
    client = AppClient(by_token=True).goes_to_the_password_page(org)
    assert client.cookies == {}
    client.sets_a_password()
    client.browser.cookies["sessionid"] = client.cookies["sessionid"].value
    assert "Hello, Ada Lovelace" in client.browser.get("/").content.decode()


def test_go_is_the_next_url(org: OrgHandle) -> None:
    client = AppClient()
    values = {"userProfile.firstName": "Ada", "userProfile.lastName": "L", "userProfile.email": client.email}
    client.get("?next=/members/").post("?next=/members/", values=values, form_token=client.answer["form_token"])
    client.chooses("Email").submits(credentials__passcode=org.code(client.email)).chooses("Password").sets_a_password()
    assert client.answer["go"] == "http://testserver/members/"


@BOTH
def test_go_may_be_an_absolute_login_redirect_url(org: OrgHandle, settings: Any, by_token: bool) -> None:
    settings.LOGIN_REDIRECT_URL = "https://app.example.com/home"
    client = AppClient(by_token=by_token).goes_to_the_password_page(org).sets_a_password()
    assert client.answer["go"] == "https://app.example.com/home"


@BOTH
def test_go_is_the_linking_page_if_a_user_with_the_address_exists(
    org: OrgHandle, configure: Callable[..., None], by_token: bool
) -> None:
    configure(LINK_EXISTING=True)
    User.objects.create_user("ada-of-old", "ada@example.com", "Old-Oak-Door-1951")
    client = AppClient(by_token=by_token).goes_to_the_password_page(org).sets_a_password()
    browser = Person()
    if not by_token:
        browser.browser.cookies = client.browser.cookies
    browser.opens(client.answer["go"])
    if by_token:
        browser.signs_in_at_the_org()
    assert browser.heading == "You already have an account on this site"


def test_step_has_fields_actions_password_rules_and_progress(org: OrgHandle) -> None:
    client = AppClient().get()
    assert client.fields() == ["userProfile.firstName", "userProfile.lastName", "userProfile.email"]
    email = client.field("userProfile.email")
    assert (email["label"], email["type"], email["autocomplete"], email["required"]) == (
        "Email",
        "email",
        "email",
        True,
    )
    assert [a["label"] for a in client.step["actions"]] == ["Sign up", "Cancel sign-up"]
    client.goes_to_the_password_page(org)
    assert {"rule": "length", "number": 8, "text": "At least 8 characters"} in client.step["password_rules"]
    assert [f["secret"] for f in client.step["fields"]] == [True]
    assert {"label": "Email", "state": "done"} in client.step["progress"]


def test_api_texts_are_in_the_visitors_language(org: OrgHandle) -> None:
    client = AppClient(language="de").get()
    assert client.step["heading"] == "Erstellen Sie Ihr Konto"
    client.post(form_token=client.answer["form_token"])
    assert client.answer["messages"][0]["text"] == "Geben Sie Ihren Vornamen ein."


def test_code_with_separators_is_accepted_by_the_api(org: OrgHandle) -> None:
    client = AppClient().goes_to_the_code_page()
    code = org.code(client.email)
    assert client.submits(credentials__passcode=f"\u200b{code[:3]}-{code[3:]}").status == 200
    assert client.step["page"] == "password"


@BOTH
def test_wrong_code_gets_status_422_and_the_right_code_still_works(org: OrgHandle, by_token: bool) -> None:
    client = AppClient(by_token=by_token).goes_to_the_code_page()
    wrong_code = "000000" if org.code(client.email) != "000000" else "111111"
    client.submits(credentials__passcode=wrong_code)
    assert (client.status, client.problem) == (422, "input")
    (error_message,) = client.answer["messages"]
    assert error_message == {
        "key": "api.authn.error.PASSCODE_INVALID",
        "text": "That code isn't right. Check the newest one and try again.",
        "severity": "error",
        "field": "credentials.passcode",
    }
    assert client.submits(credentials__passcode=org.code(client.email)).status == 200
    assert client.step["page"] == "password"


def test_invalid_values_get_field_messages_without_a_call_to_the_org(org: OrgHandle) -> None:
    client = AppClient().get()
    before = len(org.calls())
    client.post(values={"userProfile.firstName": "Ada"}, form_token=client.answer["form_token"])
    assert (client.status, client.problem) == (422, "input")
    assert {m["field"]: m["key"] for m in client.answer["messages"]} == {
        "userProfile.lastName": "form.required",
        "userProfile.email": "form.required",
    }
    assert client.field("userProfile.firstName")["value"] == "Ada"
    assert len(org.calls()) == before
    assert not Registration.objects.exists()


def test_taken_address_gets_the_message_keys_of_org_and_app(org: OrgHandle, taken_address: str) -> None:
    client = AppClient(taken_address).begins()
    assert (client.status, client.problem) == (422, "input")
    assert "registration.error.notUniqueWithinOrg" in client.said()
    assert "selfreg.exists" in client.said()


@pytest.fixture
def taken_address(db: None, org: OrgHandle) -> str:
    AppClient("taken@example.com").signs_up(org)
    return "taken@example.com"


@BOTH
def test_same_form_sent_twice_starts_one_registration(org: OrgHandle, by_token: bool) -> None:
    client = AppClient(by_token=by_token).get()
    data: dict[str, Any] = {"form_token": client.answer["form_token"]}
    names = ("userProfile.firstName", "userProfile.lastName", "userProfile.email")
    data["values"] = dict(zip(names, ("Ada", "Lovelace", client.email), strict=True))
    registration_id = client.post(**data).answer["registration"]
    assert client.post(**data).answer["registration"] == registration_id
    assert Registration.objects.count() == 1


def test_stale_step_gets_status_409_with_the_current_step(org: OrgHandle) -> None:
    client = AppClient().goes_to_the_code_page()
    mark = client.step["mark"]
    client.submits(credentials__passcode=org.code(client.email))
    before = len(org.calls())
    client.post("step/", step=mark, values={"credentials.passcode": "123456"})
    assert (client.status, client.problem) == (409, "stale")
    assert client.step["page"] == "password"
    assert len(org.calls()) == before


def test_action_that_is_not_offered_gets_status_409(org: OrgHandle) -> None:
    client = AppClient().goes_to_the_code_page()
    assert "skip" not in client.actions()
    client.post("step/", step=client.step["mark"], action="skip")
    assert (client.status, client.problem) == (409, "stale")


def test_early_resend_gets_status_429_with_retry_after(org: OrgHandle) -> None:
    client = AppClient().goes_to_the_code_page()
    assert 25 <= client.step["resend_wait"] <= 30
    client.post("step/", step=client.step["mark"], action="resend")
    assert (client.status, client.problem) == (429, "wait")
    assert client.retry_after == str(client.answer["retry_after"])
    assert 25 <= int(client.retry_after) <= 30
    assert len(org.messages(client.email)) == 1


def test_too_many_wrong_codes_get_status_429_with_retry_after(org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "code by challenge", rate_limits.Limit(2, 600, relaxed=2))
    client = AppClient().goes_to_the_code_page()
    wrong_code = "000000" if org.code(client.email) != "000000" else "111111"
    for _ in range(2):
        assert client.submits(credentials__passcode=wrong_code).problem == "input"
    client.submits(credentials__passcode=org.code(client.email))
    assert (client.status, client.problem, client.step["page"]) == (429, "wait", "code")
    assert 500 < int(client.retry_after) <= 600


@BOTH
def test_t102_too_many_starts_get_status_429_with_retry_after(
    org: OrgHandle, by_token: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "start by address", rate_limits.Limit(1, 60, relaxed=1))
    AppClient(by_token=by_token).begins()
    second_client = AppClient(by_token=by_token).begins()
    assert (second_client.status, second_client.problem) == (429, "wait")
    assert 50 < int(second_client.retry_after) <= 60
    assert second_client.field("userProfile.email")["value"] == second_client.email


@BOTH
def test_too_many_unknown_invitations_get_status_429_with_retry_after(
    org: OrgHandle, by_token: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "start by ip", rate_limits.Limit(1, 60, relaxed=1))
    problems = []
    for _ in range(2):
        client = AppClient(by_token=by_token)
        client = client if by_token else client.get()
        problems.append(client.post(activation_token="guessed").problem)
    assert problems == ["invitation", "wait"]
    assert 50 < int(client.retry_after) <= 60


def test_unavailable_org_gets_a_5xx_problem(org: OrgHandle) -> None:
    org.fail("*", "status", status=503)
    client = AppClient().get()
    assert (client.status, client.problem) == (503, "unreachable")
    assert client.answer["detail"]


def test_sign_up_continues_after_an_outage_in_the_middle(org: OrgHandle) -> None:
    client = AppClient().goes_to_the_code_page()
    org.fail("/idp/idx/challenge/answer", "reset")
    org.fail("/idp/idx/introspect", "reset")
    code = org.code(client.email)
    client.submits(credentials__passcode=code)
    assert (client.status, client.problem) == (503, "unreachable")
    assert client.retry_after
    client.get("step/")
    assert client.submits(credentials__passcode=code).status == 200
    assert client.get("step/").step["page"] == "password"


def test_denied_sign_up_gets_status_403(org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    assert (AppClient().get().status, AppClient().get().problem) == (403, "closed")


def test_cancel_ends_the_registration(org: OrgHandle) -> None:
    client = AppClient().goes_to_the_code_page().post("cancel/")
    assert (client.status, client.answer["status"], client.answer["heading"]) == (200, "cancelled", "Sign-up cancelled")
    assert client.get("step/").answer["status"] == "cancelled"


def test_email_link_verifies_the_address_once(org: OrgHandle) -> None:
    client = AppClient(by_token=True).goes_to_the_code_page()
    location = link_target(str(org.messages(client.email)[0].link))
    client.post("verify/", **location)
    assert (client.status, client.step["page"]) == (200, "password")
    client.post("verify/", **location)
    assert (client.status, client.problem, client.answer["standing"]) == (409, "link", "used")


def test_email_link_of_another_registration_verifies_nothing(org: OrgHandle) -> None:
    client = AppClient(by_token=True).goes_to_the_code_page()
    other_client = AppClient("eve@example.com", by_token=True).goes_to_the_code_page()
    other_client.post("verify/", **link_target(str(org.messages(client.email)[0].link)))
    assert (other_client.status, other_client.problem, other_client.answer["standing"]) == (409, "link", "other")
    assert not Registration.objects.filter(email_verified_at__isnull=False).exists()


def link_target(link: str) -> dict[str, str]:
    """Return the parameters that the org's redirect adds to the site's URL."""
    location = requests.get(link, allow_redirects=False, timeout=60).headers["Location"]
    return {k: v[0] for k, v in parse_qs(urlsplit(location).query).items() if k in ("otp", "state")}


def test_enumeration_protection_makes_api_responses_equal(org: OrgHandle, configure: Callable[..., None]) -> None:
    assert AppClient().signs_up(org).answer["signed_in"]
    configure(ENUMERATION="neutral")
    # Freeze time, because the responses contain a wait in seconds.
    with time_machine.travel(timezone.now(), tick=False):
        known, new = AppClient().begins(), AppClient("grace@example.com").begins()
        assert known.answer["status"] == new.answer["status"] == "enrolling"
        for person in (known, new):
            person.post("step/", step=person.step["mark"], action="back")
        assert (known.status, known.problem) == (new.status, new.problem) == (409, "stale")
        for person in (known, new):
            person.submits(credentials__passcode="000000")
        assert known.step == new.step
