"""With `ENUMERATION = "neutral"` a sign-up does not reveal whether an address has an account."""

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
    """An address that has an account."""
    org.patch_policy(request.param)
    complete(start(ADA), org)
    return ADA


def start(email: str) -> Person:
    person = Person(email).opens_the_sign_up()
    if CODE in person.page.names():
        person.fills({CODE: PASSWORD})
    return person.submits_profile()


def complete(person: Person, org: OrgHandle) -> None:
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


def normalized_page(person: Person) -> str:
    """The page without the values of this visitor and without times."""
    html = re.sub(
        r'(csrfmiddlewaretoken"[^>]*value=|name="registration" value=|data-expires=|data-countdown=)"[^"]*"',
        r"\1",
        person.page.html,
    )
    html = re.sub(r"\d+\W+(seconds?|minutes?|hours?)", "N units", html)
    html = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", html)
    return html.replace(person.email, "ADDRESS")


def test_known_and_new_addresses_get_the_same_pages(taken: str, org: OrgHandle) -> None:
    known, new = start(taken), start(GRACE)
    assert known.heading == new.heading == "Check your email"
    assert normalized_page(known) == normalized_page(new)
    for person in (known, new):
        person.fills_and_presses({CODE: "000000"})
    assert normalized_page(known) == normalized_page(new)
    assert known.page.beside(CODE) == ["That code isn't right. Check the newest one and try again."]
    for person in (known, new):
        person.presses("Resend code")
    assert normalized_page(known) == normalized_page(new)


def test_known_and_new_addresses_make_the_same_number_of_calls(taken: str, org: OrgHandle) -> None:
    costs = []
    for email in (taken, GRACE):
        before = len(org.calls())
        person = start(email).fills_and_presses({CODE: "000000"}).presses("Resend code")
        costs.append((len(org.calls()) - before, [s.status for s in person.seen]))
    assert costs[0] == costs[1]


def test_known_and_new_addresses_make_the_same_number_of_calls_at_cancel(taken: str, org: OrgHandle) -> None:
    costs = []
    for email in (taken, GRACE):
        person = start(email)
        before = len(org.calls())
        person.posts("/signup/cancel/", {})
        costs.append((len(org.calls()) - before, normalized_page(person)))
    assert costs[0] == costs[1]


def test_known_and_new_addresses_get_the_same_page_when_they_return(taken: str, org: OrgHandle) -> None:
    pages = []
    for email in (taken, GRACE):
        person = start(email).opens_the_sign_up()
        if CODE in person.page.names():
            person.fills({CODE: PASSWORD})
        pages.append(normalized_page(person.submits_profile()))
    assert pages[0] == pages[1]
    assert "You already started signing up" in pages[0]


@pytest.mark.parametrize("action", ["back", "skip", "poll", "idp:0oa1", "made-up"])
def test_actions_that_are_not_on_the_page_do_not_reveal_an_account(taken: str, org: OrgHandle, action: str) -> None:
    known, new = start(taken), start(GRACE)
    for person in (known, new):
        person.posts("/signup/step/", {"action": action}).opens("/signup/step/")
        assert person.heading == "Check your email"
    assert normalized_page(known) == normalized_page(new)


@pytest.mark.parametrize("limit", ["send by ip", "send by address", "send by registration"])
def test_the_send_limits_do_not_reveal_an_account(
    taken: str, org: OrgHandle, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, limit, rate_limits.Limit(0, rate_limits.HOUR))
    mails = len(org.messages())
    known, new = start(taken), start(GRACE)
    assert normalized_page(known) == normalized_page(new)
    assert "Too many attempts" in known.page.text
    assert len(org.messages()) == mails


def test_the_call_limit_of_a_transaction_does_not_reveal_an_account(
    taken: str, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "CALLS", 3)
    known, new = start(taken), start(GRACE)
    assert normalized_page(known) == normalized_page(new)
    assert "Too many attempts" in known.page.text


def test_the_decoy_counts_one_email_for_the_send_limit(
    taken: str, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.LIMITS, "send by registration", rate_limits.Limit(2, rate_limits.HOUR))
    pages = []
    for email in (taken, GRACE):
        person = start(email).presses("Resend code")
        assert "Too many attempts" not in person.page.text
        pages.append(normalized_page(person.presses("Resend code")))
    assert pages[0] == pages[1]
    assert "Too many attempts" in pages[0]


def test_expiry_does_not_reveal_an_account(taken: str, org: OrgHandle) -> None:
    known, new = start(taken), start(GRACE)
    org.advance(301)
    with time_machine.travel(timezone.now() + timedelta(seconds=301), tick=True):
        for person in (known, new):
            person.fills_and_presses({CODE: "000000"})
    assert known.heading == new.heading == "Your session timed out"
    assert normalized_page(known) == normalized_page(new)


def test_a_new_address_can_complete_the_sign_up(taken: str, org: OrgHandle) -> None:
    new = start(GRACE)
    complete(new, org)
    assert new.is_signed_in


def test_the_decoy_explains_existing_accounts_and_sends_no_email(taken: str, org: OrgHandle) -> None:
    mails = len(org.messages(taken))
    known = start(taken)
    assert "You may already have an account with this address" in known.page.text
    assert len(org.messages(taken)) == mails
    assert "exists" not in "".join(shown.body for shown in known.seen)


def test_the_limit_for_wrong_codes_does_not_reveal_an_account(taken: str, org: OrgHandle) -> None:
    org.patch_policy({"limits": {"wrong_codes_per_5_minutes": 0}})
    pages = []
    for email in (taken, GRACE):
        person = start(email)
        for _ in range(6):
            person.fills_and_presses({CODE: "000000"})
        pages.append(normalized_page(person))
    assert pages[0] == pages[1]
    assert "Try again in N units" in pages[0]


def test_the_decoy_contains_nothing_of_the_visitor_it_was_learned_from(taken: str, org: OrgHandle) -> None:
    start(GRACE)
    known = start(taken)
    assert GRACE not in known.page.html
    assert "Grace" not in known.page.html


def test_without_enumeration_protection_an_existing_account_is_shown(
    db: None, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(ENUMERATION="okta")
    Person(ADA).opens_the_sign_up().submits_profile()
    assert "You already have an account with" in Person(ADA).opens_the_sign_up().submits_profile().page.text


def visible_page(person: Person) -> tuple[str, list[str], str]:
    """The visible parts of the page, without the remaining time."""
    text = re.sub(r"\d+ (seconds?|minutes?)", "", person.page.text).replace(person.email, "")
    return person.heading, person.page.notices(), text


# Whether the mails of an org have links is known from its first real page on.
@pytest.mark.parametrize("policy", [p for p in POLICIES if "magic_link" not in p], ids=str)
def test_the_default_decoy_looks_like_the_first_real_page(db: None, org: OrgHandle, policy: dict[str, Any]) -> None:
    """The site uses a default decoy until it has seen a real code page."""
    org.patch_policy(policy)
    complete(start(ADA), org)
    cache.clear()
    taken = start(ADA)
    cache.clear()
    assert visible_page(taken) == visible_page(start(GRACE))


class DenyingHook(BaseHTTPRequestHandler):
    """Denies every registration with a reason."""

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


def test_a_hook_that_denies_does_not_reveal_an_account(
    db: None, org: OrgHandle, request: pytest.FixtureRequest
) -> None:
    complete(start(ADA), org)
    request.getfixturevalue("denying")
    before = len(org.messages())
    persons = [start(ADA), start(GRACE)]
    assert visible_page(persons[0]) == visible_page(persons[1])
    assert persons[1].heading == "Check your email"
    assert len(org.messages()) == before
    wrong = [p.fills_and_presses({CODE: "123456"}) for p in persons]
    assert visible_page(wrong[0]) == visible_page(wrong[1])
    new_registration = Registration.objects.get(email=GRACE)
    assert new_registration.events.filter(kind="answered").first().outcome != "ok"  # type: ignore[union-attr]


@pytest.mark.parametrize("by_token", [False, True], ids=["by session", "by token"])
def test_a_hook_that_denies_does_not_reveal_an_account_in_the_api(
    db: None, org: OrgHandle, request: pytest.FixtureRequest, *, by_token: bool
) -> None:
    complete(start(ADA), org)
    request.getfixturevalue("denying")
    apps = [AppClient(email, by_token=by_token).begins() for email in (ADA, GRACE)]

    def shown(app: AppClient) -> tuple[int, str]:
        body = re.sub(r'"(token|csrf_token|mark|registration|id|expires_at)": ?"[^"]*"', "", app.seen[-1])
        return app.status, body.replace(app.email, "")

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


def configure_form(org: OrgHandle, *fields: dict[str, object]) -> None:
    names = [field["name"] for field in fields]
    org.patch_policy({"profile": [*fields, *NAMES], "allowed_identifiers": names, "username_format": "none"})


def submit_form(**values: str) -> Person:
    person = Person(values.get("email", ADA)).opens_the_sign_up()
    person.fills({f"userProfile.{name}": value for name, value in values.items()})
    return person.fills_and_presses({"firstName": "Ada", "lastName": "Lovelace"}, "Sign up")


@pytest.mark.parametrize("identifier", [LOGIN, NUMBER], ids=lambda field: field["name"])
def test_a_taken_identifier_can_be_replaced_and_does_not_reveal_an_address(
    db: None, org: OrgHandle, identifier: dict[str, object]
) -> None:
    name = str(identifier["name"])
    configure_form(org, identifier, EMAIL)
    complete(submit_form(**{name: "ada", "email": ADA}), org)
    pages = [submit_form(**{name: "ADA", "email": email}) for email in (ADA, GRACE)]
    for person in pages:
        assert person.page.beside(f"userProfile.{name}") == TAKEN
        assert person.page.beside("userProfile.email") == []
    assert normalized_page(pages[0]) == normalized_page(pages[1])
    for person in pages:
        person.fills_and_presses({f"userProfile.{name}": f"other-{person.email}"[:9]}, "Sign up")
    assert [person.heading for person in pages] == ["Check your email"] * 2
    assert normalized_page(pages[0]) == normalized_page(pages[1])


def test_a_taken_login_can_be_replaced_in_a_form_without_an_address(
    db: None, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(ENUMERATION="neutral", EMAIL_VERIFICATION="optional")
    configure_form(org, LOGIN)
    submit_form(login="ada").chooses("Password").sets_a_password()
    person = submit_form(login="ada")
    assert person.page.beside("userProfile.login") == TAKEN
    person.fills_and_presses({"userProfile.login": "grace"}, "Sign up")
    assert person.chooses("Password").sets_a_password().is_signed_in


def test_a_taken_login_that_is_an_address_gets_the_decoy(db: None, org: OrgHandle) -> None:
    configure_form(org, LOGIN)
    complete(submit_form(login=ADA), org)
    known, new = submit_form(login=ADA), submit_form(login=GRACE)
    assert known.heading == new.heading == "Check your email"
