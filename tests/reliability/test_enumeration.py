"""With `ENUMERATION = "neutral"` nobody learns by signing up whether an address has an account."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg import rate_limits
from selfreg.models import Registration
from support.app_client import AppClient
from support.person import PASSWORD, Person

CODE = "credentials.passcode"
ADA, GRACE = "ada@example.com", "grace@example.com"
POLICIES: list[dict[str, Any]] = [
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
        person.fills({CODE: PASSWORD})
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
    html = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", html)
    return html.replace(person.email, "ADDRESS")


def test_both_see_the_same_pages_whatever_they_do(taken: str, org: OrgHandle) -> None:
    known, new = begins(taken), begins(GRACE)
    assert known.heading == new.heading == "Check your email"
    assert looks(known) == looks(new)
    for person in (known, new):
        person.fills_and_presses({CODE: "000000"})
    assert looks(known) == looks(new)
    assert known.page.beside(CODE) == ["That code isn't right. Check the newest one and try again."]
    for person in (known, new):
        person.presses("Resend code")
    assert looks(known) == looks(new)


def test_both_cost_the_same_calls(taken: str, org: OrgHandle) -> None:
    costs = []
    for email in (taken, GRACE):
        before = len(org.calls())
        person = begins(email).fills_and_presses({CODE: "000000"}).presses("Resend code")
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
            person.fills({CODE: PASSWORD})
        pages.append(looks(person.tells_who_she_is()))
    assert pages[0] == pages[1]
    assert "You already started signing up" in pages[0]


@pytest.mark.parametrize("action", ["back", "skip", "poll", "idp:0oa1", "made-up"])
def test_neither_gets_anywhere_by_a_button_that_is_not_there(taken: str, org: OrgHandle, action: str) -> None:
    known, new = begins(taken), begins(GRACE)
    for person in (known, new):
        person.posts("/signup/step/", {"action": action}).opens("/signup/step/")
        assert person.heading == "Check your email"
    assert looks(known) == looks(new)


@pytest.mark.parametrize("limit", ["send by ip", "send by address", "send by registration"])
def test_neither_gets_further_than_the_other_where_no_more_mails_are_sent(
    taken: str, org: OrgHandle, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, limit, rate_limits.Limit(0, rate_limits.HOUR))
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
    monkeypatch.setitem(rate_limits.LIMITS, "send by registration", rate_limits.Limit(2, rate_limits.HOUR))
    said = []
    for email in (taken, GRACE):
        person = begins(email).presses("Resend code")
        assert "Too many attempts" not in person.page.text
        said.append(looks(person.presses("Resend code")))
    assert said[0] == said[1]
    assert "Too many attempts" in said[0]


def test_both_run_out_of_time_alike(taken: str, org: OrgHandle) -> None:
    known, new = begins(taken), begins(GRACE)
    org.advance(301)
    with time_machine.travel(timezone.now() + timedelta(seconds=301), tick=True):
        for person in (known, new):
            person.fills_and_presses({CODE: "000000"})
    assert known.heading == new.heading == "Your session timed out"
    assert looks(known) == looks(new)


def test_who_is_new_finishes_as_ever(taken: str, org: OrgHandle) -> None:
    new = begins(GRACE)
    finishes(new, org)
    assert new.is_signed_in


def test_the_owner_of_a_taken_address_is_told_what_to_do_and_gets_no_mail(taken: str, org: OrgHandle) -> None:
    mails = len(org.messages(taken))
    known = begins(taken)
    assert "You may already have an account with this address" in known.page.text
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
    assert "You already have an account with" in Person(ADA).opens_the_sign_up().tells_who_she_is().page.text


def on_the_page(person: Person) -> tuple[str, list[str], str]:
    """What a visitor sees, without the time that is left."""
    text = re.sub(r"\d+ (seconds?|minutes?)", "", person.page.text).replace(person.email, "")
    return person.heading, person.page.notices(), text


# Whether the mails of an org have links is known from its first real page on.
@pytest.mark.parametrize("policy", [p for p in POLICIES if "magic_link" not in p], ids=str)
def test_the_first_sign_up_of_a_site_shows_no_progress_that_tells_of_an_account(
    db: None, org: OrgHandle, policy: dict[str, Any]
) -> None:
    """The decoy is a default page until the site has seen a real one."""
    org.patch_policy(policy)
    finishes(begins(ADA), org)
    cache.clear()
    taken = begins(ADA)
    cache.clear()
    assert on_the_page(taken) == on_the_page(begins(GRACE))


class DenyingHook(BaseHTTPRequestHandler):
    """Denies everybody, with a reason."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        deny = {"type": "com.okta.action.update", "value": {"registration": "DENY"}}
        answer = json.dumps({"commands": [deny], "error": {"errorSummary": "Only partners may register."}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def denying(org: OrgHandle) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), DenyingHook)
    Thread(target=server.serve_forever, daemon=True).start()
    org.patch_policy({"hooks": {"registration": {"url": f"http://127.0.0.1:{server.server_port}/"}}})
    yield
    server.shutdown()
    server.server_close()


def test_a_hook_that_denies_tells_nobody_who_has_an_account(
    db: None, org: OrgHandle, request: pytest.FixtureRequest
) -> None:
    finishes(begins(ADA), org)
    request.getfixturevalue("denying")
    before = len(org.messages())
    people = [begins(ADA), begins(GRACE)]
    assert on_the_page(people[0]) == on_the_page(people[1])
    assert people[1].heading == "Check your email"
    assert len(org.messages()) == before
    wrong = [p.fills_and_presses({CODE: "123456"}) for p in people]
    assert on_the_page(wrong[0]) == on_the_page(wrong[1])
    free = Registration.objects.get(email=GRACE)
    assert free.events.filter(kind="answered").first().outcome != "ok"  # type: ignore[union-attr]


@pytest.mark.parametrize("by_token", [False, True], ids=["by session", "by token"])
def test_a_hook_that_denies_tells_programs_no_more_than_people(
    db: None, org: OrgHandle, request: pytest.FixtureRequest, *, by_token: bool
) -> None:
    finishes(begins(ADA), org)
    request.getfixturevalue("denying")
    apps = [AppClient(email, by_token=by_token).begins() for email in (ADA, GRACE)]

    def shown(app: AppClient) -> tuple[int, str]:
        known = re.sub(r'"(token|csrf_token|mark|registration|id|expires_at)": ?"[^"]*"', "", app.seen[-1])
        return app.status, known.replace(app.email, "")

    assert shown(apps[0]) == shown(apps[1])
    assert apps[1].status == 201
    wrong = [app.submits(credentials__passcode="123456") for app in apps]
    assert shown(wrong[0]) == shown(wrong[1])


# ---- forms with a login or another identifier beside the address, or in its place

NAMES = [{"name": name, "label": name, "required": True} for name in ("firstName", "lastName")]
LOGIN = {"name": "login", "label": "Username", "required": True}
EMAIL = {"name": "email", "label": "Email", "required": True}
NUMBER = {"name": "memberNumber", "label": "Member number", "required": True}
TAKEN = ["There's already an account with these details."]


def asks_for(org: OrgHandle, *fields: dict[str, object]) -> None:
    names = [field["name"] for field in fields]
    org.patch_policy({"profile": [*fields, *NAMES], "allowed_identifiers": names, "username_format": "none"})


def fills_in(**values: str) -> Person:
    person = Person(values.get("email", ADA)).opens_the_sign_up()
    person.fills({f"userProfile.{name}": value for name, value in values.items()})
    return person.fills_and_presses({"firstName": "Ada", "lastName": "Lovelace"}, "Sign up")


@pytest.mark.parametrize("identifier", [LOGIN, NUMBER], ids=lambda field: field["name"])
def test_a_login_that_is_taken_can_be_replaced_and_tells_of_no_address(
    db: None, org: OrgHandle, identifier: dict[str, object]
) -> None:
    name = str(identifier["name"])
    asks_for(org, identifier, EMAIL)
    finishes(fills_in(**{name: "ada", "email": ADA}), org)
    pages = [fills_in(**{name: "ADA", "email": email}) for email in (ADA, GRACE)]
    for person in pages:
        assert person.page.beside(f"userProfile.{name}") == TAKEN
        assert person.page.beside("userProfile.email") == []
    assert looks(pages[0]) == looks(pages[1])
    for person in pages:
        person.fills_and_presses({f"userProfile.{name}": f"other-{person.email}"[:9]}, "Sign up")
    assert [person.heading for person in pages] == ["Check your email"] * 2
    assert looks(pages[0]) == looks(pages[1])


def test_a_login_that_is_taken_can_be_replaced_where_nobody_has_an_address(
    db: None, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(ENUMERATION="neutral", EMAIL_VERIFICATION="optional")
    asks_for(org, LOGIN)
    fills_in(login="ada").chooses("Password").sets_a_password()
    person = fills_in(login="ada")
    assert person.page.beside("userProfile.login") == TAKEN
    person.fills_and_presses({"userProfile.login": "grace"}, "Sign up")
    assert person.chooses("Password").sets_a_password().is_signed_in


def test_a_login_that_is_an_address_gets_the_decoy(db: None, org: OrgHandle) -> None:
    asks_for(org, LOGIN)
    finishes(fills_in(login=ADA), org)
    known, new = fills_in(login=ADA), fills_in(login=GRACE)
    assert known.heading == new.heading == "Check your email"
