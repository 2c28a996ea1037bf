"""The sign-up by JSON, as a page in a browser and as an app with a token do it."""

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
def test_a_whole_sign_up_ends_signed_in(org: OrgHandle, by_token: bool) -> None:
    ada = AppClient(by_token=by_token)
    ada.begins()
    assert (ada.status, ada.answer["status"], ada.step["page"]) == (201, "enrolling", "code")
    ada.chooses("Email").submits(credentials__passcode=org.code(ada.email)).chooses("Password").sets_a_password()
    assert (ada.status, ada.answer["status"], ada.answer["signed_in"]) == (200, "completed", True)
    assert ada.answer["go"] == "http://testserver/"
    registration = Registration.objects.get()
    assert (registration.status, str(registration.pk)) == (Status.COMPLETED, ada.answer["registration"])
    assert registration.user == User.objects.get(email=ada.email)


@pytest.mark.slow
def test_a_slow_step_and_a_slow_hand_off_do_not_add_up(org: OrgHandle) -> None:
    """Six seconds for the last step leave too few for tokens: one call more, and nothing lost."""
    ada = AppClient().is_at_the_password(org)
    org.fail("/idp/idx/challenge/answer", "slow", seconds=6)
    ada.sets_a_password()
    org.org.faults.pending.clear()
    assert not org.calls("/token")
    assert (ada.answer["status"], ada.answer["signed_in"]) == ("finishing", False)
    assert ada.post("step/", step="", values={}).answer["signed_in"]


def test_an_app_gets_no_cookie_before_it_is_signed_in_and_then_the_sites_session(org: OrgHandle) -> None:
    ada = AppClient(by_token=True).is_at_the_password(org)
    assert ada.cookies == {}
    ada.sets_a_password()
    ada.browser.cookies["sessionid"] = ada.cookies["sessionid"].value
    assert "Hello, Ada Lovelace" in ada.browser.get("/").content.decode()


def test_people_land_where_they_came_from(org: OrgHandle) -> None:
    ada = AppClient()
    values = {"userProfile.firstName": "Ada", "userProfile.lastName": "L", "userProfile.email": ada.email}
    ada.get("?next=/members/").post("?next=/members/", values=values, form_token=ada.answer["form_token"])
    ada.chooses("Email").submits(credentials__passcode=org.code(ada.email)).chooses("Password").sets_a_password()
    assert ada.answer["go"] == "http://testserver/members/"


@BOTH
def test_people_may_land_at_another_host_of_the_sites_own(org: OrgHandle, settings: Any, by_token: bool) -> None:
    settings.LOGIN_REDIRECT_URL = "https://app.example.com/home"
    ada = AppClient(by_token=by_token).is_at_the_password(org).sets_a_password()
    assert ada.answer["go"] == "https://app.example.com/home"


@BOTH
def test_who_had_an_account_here_is_led_to_the_offer_to_join_it(
    org: OrgHandle, configure: Callable[..., None], by_token: bool
) -> None:
    configure(LINK_EXISTING=True)
    User.objects.create_user("ada-of-old", "ada@example.com", "Old-Oak-Door-1951")
    ada = AppClient(by_token=by_token).is_at_the_password(org).sets_a_password()
    browser = Person()
    if not by_token:
        browser.browser.cookies = ada.browser.cookies
    browser.opens(ada.answer["go"])
    if by_token:
        browser.signs_in_at_the_org()
    assert browser.heading == "You already have an account on this site"


def test_a_form_says_everything_a_front_end_has_to_know(org: OrgHandle) -> None:
    ada = AppClient().get()
    assert ada.fields() == ["userProfile.firstName", "userProfile.lastName", "userProfile.email"]
    email = ada.field("userProfile.email")
    assert (email["label"], email["type"], email["autocomplete"], email["required"]) == (
        "Email",
        "email",
        "email",
        True,
    )
    assert [a["label"] for a in ada.step["actions"]] == ["Sign up", "Cancel sign-up"]
    ada.is_at_the_password(org)
    assert {"rule": "length", "number": 8, "text": "At least 8 characters"} in ada.step["password_rules"]
    assert [f["secret"] for f in ada.step["fields"]] == [True]
    assert {"label": "Email", "state": "done"} in ada.step["progress"]


def test_texts_are_in_the_visitors_language(org: OrgHandle) -> None:
    ada = AppClient(language="de").get()
    assert ada.step["heading"] == "Erstellen Sie Ihr Konto"
    ada.post(form_token=ada.answer["form_token"])
    assert ada.answer["messages"][0]["text"] == "Geben Sie Ihren Vornamen ein."


def test_code_with_other_digits_and_separators_is_accepted(org: OrgHandle) -> None:
    ada = AppClient().is_at_the_code()
    code = org.code(ada.email)
    assert ada.submits(credentials__passcode=f"\u200b{code[:3]}-{code[3:]}").status == 200
    assert ada.step["page"] == "password"


@BOTH
def test_a_wrong_code_is_a_problem_with_the_step_and_the_right_one_still_works(org: OrgHandle, by_token: bool) -> None:
    ada = AppClient(by_token=by_token).is_at_the_code()
    wrong = "000000" if org.code(ada.email) != "000000" else "111111"
    ada.submits(credentials__passcode=wrong)
    assert (ada.status, ada.problem) == (422, "input")
    (said,) = ada.answer["messages"]
    assert said == {
        "key": "api.authn.error.PASSCODE_INVALID",
        "text": "That code isn't right. Check the newest one and try again.",
        "severity": "error",
        "field": "credentials.passcode",
    }
    assert ada.submits(credentials__passcode=org.code(ada.email)).status == 200
    assert ada.step["page"] == "password"


def test_what_no_org_can_accept_is_said_beside_its_field_and_costs_no_call(org: OrgHandle) -> None:
    ada = AppClient().get()
    before = len(org.calls())
    ada.post(values={"userProfile.firstName": "Ada"}, form_token=ada.answer["form_token"])
    assert (ada.status, ada.problem) == (422, "input")
    assert {m["field"]: m["key"] for m in ada.answer["messages"]} == {
        "userProfile.lastName": "form.required",
        "userProfile.email": "form.required",
    }
    assert ada.field("userProfile.firstName")["value"] == "Ada"
    assert len(org.calls()) == before
    assert not Registration.objects.exists()


def test_a_taken_address_is_said_in_the_orgs_words(org: OrgHandle, signed_up_ada: str) -> None:
    ada = AppClient(signed_up_ada).begins()
    assert (ada.status, ada.problem) == (422, "input")
    assert "registration.error.notUniqueWithinOrg" in ada.said()
    assert "selfreg.exists" in ada.said()


@pytest.fixture
def signed_up_ada(db: None, org: OrgHandle) -> str:
    AppClient("taken@example.com").signs_up(org)
    return "taken@example.com"


@BOTH
def test_the_same_form_sent_twice_begins_one_registration(org: OrgHandle, by_token: bool) -> None:
    ada = AppClient(by_token=by_token).get()
    sent: dict[str, Any] = {"form_token": ada.answer["form_token"]}
    names = ("userProfile.firstName", "userProfile.lastName", "userProfile.email")
    sent["values"] = dict(zip(names, ("Ada", "Lovelace", ada.email), strict=True))
    first = ada.post(**sent).answer["registration"]
    assert ada.post(**sent).answer["registration"] == first
    assert Registration.objects.count() == 1


def test_a_step_that_is_not_the_present_one_is_refused_and_the_present_one_comes_along(org: OrgHandle) -> None:
    ada = AppClient().is_at_the_code()
    mark = ada.step["mark"]
    ada.submits(credentials__passcode=org.code(ada.email))
    before = len(org.calls())
    ada.post("step/", step=mark, values={"credentials.passcode": "123456"})
    assert (ada.status, ada.problem) == (409, "stale")
    assert ada.step["page"] == "password"
    assert len(org.calls()) == before


def test_what_is_not_offered_is_refused(org: OrgHandle) -> None:
    ada = AppClient().is_at_the_code()
    assert "skip" not in ada.actions()
    ada.post("step/", step=ada.step["mark"], action="skip")
    assert (ada.status, ada.problem) == (409, "stale")


def test_asking_for_a_code_too_early_says_when(org: OrgHandle) -> None:
    ada = AppClient().is_at_the_code()
    assert 25 <= ada.step["resend_wait"] <= 30
    ada.post("step/", step=ada.step["mark"], action="resend")
    assert (ada.status, ada.problem) == (429, "wait")
    assert ada.retry_after == str(ada.answer["retry_after"])
    assert 25 <= int(ada.retry_after) <= 30
    assert len(org.messages(ada.email)) == 1


def test_too_many_codes_say_when_to_come_back(org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "code by challenge", rate_limits.Limit(2, 600, relaxed=2))
    ada = AppClient().is_at_the_code()
    wrong = "000000" if org.code(ada.email) != "000000" else "111111"
    for _ in range(2):
        assert ada.submits(credentials__passcode=wrong).problem == "input"
    ada.submits(credentials__passcode=org.code(ada.email))
    assert (ada.status, ada.problem, ada.step["page"]) == (429, "wait", "code")
    assert 500 < int(ada.retry_after) <= 600


@BOTH
def test_t102_too_many_beginnings_say_when_to_come_back(
    org: OrgHandle, by_token: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "start by address", rate_limits.Limit(1, 60, relaxed=1))
    AppClient(by_token=by_token).begins()
    late = AppClient(by_token=by_token).begins()
    assert (late.status, late.problem) == (429, "wait")
    assert 50 < int(late.retry_after) <= 60
    assert late.field("userProfile.email")["value"] == late.email


@BOTH
def test_too_many_invitations_that_nobody_sent_say_when_to_come_back(
    org: OrgHandle, by_token: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "start by ip", rate_limits.Limit(1, 60, relaxed=1))
    problems = []
    for _ in range(2):
        eve = AppClient(by_token=by_token)
        eve = eve if by_token else eve.get()
        problems.append(eve.post(activation_token="guessed").problem)
    assert problems == ["invitation", "wait"]
    assert 50 < int(eve.retry_after) <= 60


def test_an_org_that_is_away_is_a_problem_to_come_back_after(org: OrgHandle) -> None:
    org.fail("*", "status", status=503)
    ada = AppClient().get()
    assert (ada.status, ada.problem) in ((503, "unreachable"), (502, "bad-answer"))
    assert ada.answer["detail"]


def test_an_org_that_goes_away_in_the_middle_loses_nothing(org: OrgHandle) -> None:
    ada = AppClient().is_at_the_code()
    org.fail("/idp/idx/challenge/answer", "reset")
    org.fail("/idp/idx/introspect", "reset")
    code = org.code(ada.email)
    ada.submits(credentials__passcode=code)
    assert (ada.status, ada.problem) == (503, "unreachable")
    assert ada.retry_after
    ada.get("step/")
    assert ada.submits(credentials__passcode=code).status in (200, 409)
    assert ada.get("step/").step["page"] == "password"


def test_an_org_without_sign_up_says_so(org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    assert (AppClient().get().status, AppClient().get().problem) == (403, "closed")


def test_giving_up_ends_it(org: OrgHandle) -> None:
    ada = AppClient().is_at_the_code().post("cancel/")
    assert (ada.status, ada.answer["status"], ada.answer["heading"]) == (200, "cancelled", "Sign-up cancelled")
    assert ada.get("step/").answer["status"] == "cancelled"


def test_the_link_of_the_mail_proves_the_address(org: OrgHandle) -> None:
    ada = AppClient(by_token=True).is_at_the_code()
    location = link_target(str(org.messages(ada.email)[0].link))
    ada.post("verify/", **location)
    assert (ada.status, ada.step["page"]) == (200, "password")
    ada.post("verify/", **location)
    assert (ada.status, ada.problem, ada.answer["standing"]) == (409, "link", "used")


def test_the_link_of_somebody_else_proves_nothing(org: OrgHandle) -> None:
    ada = AppClient(by_token=True).is_at_the_code()
    eve = AppClient("eve@example.com", by_token=True).is_at_the_code()
    eve.post("verify/", **link_target(str(org.messages(ada.email)[0].link)))
    assert (eve.status, eve.problem, eve.answer["standing"]) == (409, "link", "other")
    assert not Registration.objects.filter(email_verified_at__isnull=False).exists()


def link_target(link: str) -> dict[str, str]:
    """What the org's redirect puts into the site's address."""
    location = requests.get(link, allow_redirects=False, timeout=10).headers["Location"]
    return {k: v[0] for k, v in parse_qs(urlsplit(location).query).items() if k in ("otp", "state")}


def test_where_nobody_learns_who_has_an_account_the_answers_are_alike(
    org: OrgHandle, configure: Callable[..., None]
) -> None:
    assert AppClient().signs_up(org).answer["signed_in"]
    configure(ENUMERATION="neutral")
    # Both at the same second: what they are told to wait counts it.
    with time_machine.travel(timezone.now(), tick=False):
        known, new = AppClient().begins(), AppClient("grace@example.com").begins()
        assert known.answer["status"] == new.answer["status"] == "enrolling"
        for person in (known, new):
            person.post("step/", step=person.step["mark"], action="back")
        assert (known.status, known.problem) == (new.status, new.problem) == (409, "stale")
        for person in (known, new):
            person.submits(credentials__passcode="000000")
        assert known.step == new.step
