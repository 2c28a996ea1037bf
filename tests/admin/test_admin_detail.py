"""The admin page of one registration: timeline, current step, actions, and hidden secrets."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import urljoin

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.admin.actions import ACTIONS
from selfreg.models import OktaIdentity, Registration, RegistrationEvent
from selfreg.statuses import Status
from support.person import PASSWORD, Person
from support.sealed import stored_state
from support.staff import LIST, VIEWER

pytestmark = pytest.mark.database

Make = Callable[..., Registration]
Kind = RegistrationEvent.Kind
EVERY_PAGE = (
    *("", "{pk}/change/", "{pk}/history/", "export/", "funnel/", "funnel/?format=csv", "funnel/?format=json", "form/"),
    *("/admin/selfreg/oktaidentity/", "/admin/selfreg/doctorrun/"),
)


def page_of(browser: Client, registration: Registration) -> str:
    response = browser.get(f"{LIST}{registration.pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def test_page_shows_the_current_step_and_the_possible_actions(
    manager: Client, person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RESEND_SECONDS=0)
    person.opens_the_sign_up().submits_profile().chooses("Email")
    page = page_of(manager, Registration.objects.get())
    assert "Check your email" in page
    assert "act/resend/" in page
    assert "act/cancel/" in page


def test_error_without_a_message_key_is_described_as_free_text_of_the_org(
    manager: Client, make_registration: Make
) -> None:
    registration = make_registration()
    registration.note(Kind.ANSWERED, outcome=RegistrationEvent.OWN_WORDS)
    assert "a message in the org&#x27;s own words" in page_of(manager, registration)
    registration.note(Kind.ANSWERED, outcome=f"{RegistrationEvent.OWN_WORDS}:captchaVerify.captchaToken")
    assert "a message in the org&#x27;s own words (captchaVerify.captchaToken)" in page_of(manager, registration)


def test_page_shows_the_number_of_wrong_codes_once(manager: Client, person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    person.fills_and_presses({"credentials.passcode": "000000" if org.code(person.email) != "000000" else "111111"})
    page = unescape(page_of(manager, Registration.objects.get()))
    assert "<li>1 wrong code, last try just now</li>" in page
    assert "<li>That code isn't right" not in page  # shown only once


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"status": Status.AWAITING_EMAIL}, "been opened"),
        ({"status": Status.READY}, "sign in through Okta once"),
        ({"status": Status.EXPIRED}, "continue in time"),
        ({"status": Status.FAILED, "failure": "selfreg.inactive"}, "is disabled on this site"),
        ({"minutes": 40}, "for 40\xa0minutes"),
        ({"language": "pt-br"}, "<dd>Brazilian Portuguese</dd>"),
        ({"events": ((Kind.TROUBLE, "enroll-profile", "RateLimited", 1),)}, "limits how often"),
        ({"events": ((Kind.TROUBLE, "token", "OrgRefused invalid_client", 1),)}, "(invalid_client)"),
    ],
)
def test_page_describes_the_situation_of_the_registration(
    manager: Client, make_registration: Make, values: dict[str, object], expected: str
) -> None:
    assert expected in page_of(manager, make_registration(**values))


def test_call_is_linked_to_oktas_system_log(
    manager: Client, make_registration: Make, configure: Callable[..., None]
) -> None:
    configure(ISSUER="https://dev-1.okta.com/oauth2/default")
    registration = make_registration(events=((Kind.ANSWERED, "enroll-profile", "ok", 1),))
    registration.events.update(request_id="Zabc-123")
    link = "https://dev-1-admin.okta.com/report/system_log_2?query=transaction.id+eq+%22Zabc-123%22"
    assert link in page_of(manager, registration)


def test_viewing_a_full_address_is_logged_once(manager: Client, make_registration: Make) -> None:
    registration = make_registration(email="ada@example.com")
    for _ in range(3):
        assert "ada@example.com" in page_of(manager, registration)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(registration.pk), "Viewed the full email address")
    assert "ada@" not in entry.object_repr


@pytest.mark.parametrize("pk", ["x", "0" * 32, "00000000-0000-0000-0000-000000000000", "_2e"])
def test_unknown_registration_gets_status_404(manager: Client, pk: str) -> None:
    assert manager.get(f"{LIST}{pk}/change/").status_code == 404


def timeline(page: str) -> list[tuple[str, str, str]]:
    """Return tone, gap and sentence of each event."""
    matches = re.findall(
        r'<li class="selfreg-line-(\w+)">.*?selfreg-gap">(.*?)</span>.*?<summary>(.*?)</summary>', page, re.DOTALL
    )
    return [(tone, space, unescape(re.sub(r"<[^>]+>", "", text)).strip()) for tone, space, text in matches]


def test_timeline_shows_each_event_as_a_sentence(manager: Client, make_registration: Make) -> None:
    email, wrong = "enroll-authenticator okta_email", "api.authn.error.PASSCODE_INVALID"
    registration = make_registration(
        events=(
            (Kind.STARTED, "enroll-profile", "", 0),
            (Kind.ANSWERED, "enroll-profile", "ok", 42),
            (Kind.ANSWERED, email, wrong, 42.2),
            (Kind.ANSWERED, email, wrong, 200),
            (Kind.TROUBLE, email, "AnswerLost", 203),
            (Kind.RESENT, email, "ok", 210),
            (Kind.ANSWERED, email, "ok", 8000),
            (Kind.VERIFIED, email, "", 8000),
            (Kind.ADMINISTERED, email, "cancel: ok", 8001),
            (Kind.ADMINISTERED, email, "resend: too soon", 8002),
            (Kind.ANSWERED, "enroll-profile", "registration.error.notUniqueWithinOrg", 8003),
        )
    )
    assert timeline(page_of(manager, registration)) == [
        ("plain", "", "Started the sign-up"),
        ("plain", "+42 s", "Filled in the sign-up form"),
        ("bad", "", "Typed a wrong code"),
        ("bad", "+2 min", "Typed a wrong code, the second time"),
        ("bad", "+3 s", "Okta did not answer in time."),
        ("plain", "+7 s", "Asked for another code or email"),
        ("plain", "+2 h", "Typed the code from the email"),
        ("good", "", "The email address was verified"),
        ("plain", "+1 s", "Stop this sign-up"),
        ("bad", "+1 s", "Send the code or email again: too soon"),
        ("bad", "+1 s", "Not accepted: There's already an account with these details."),
    ]


@pytest.mark.parametrize(
    ("values", "recommended"),
    [
        ({"status": Status.STARTED, "minutes": 40}, "expire"),
        ({"status": Status.READY, "okta_user_id": "00uHalf"}, "repair"),
        ({"status": Status.EXPIRED, "okta_user_id": "00uHalf"}, "repair"),
        ({"status": Status.AWAITING_APPROVAL}, "approve"),
        ({"status": Status.COMPLETED}, None),
    ],
)
def test_recommended_action_is_first_and_destructive_actions_are_last(
    manager: Client, make_registration: Make, configure: Callable[..., None], values: Any, recommended: str | None
) -> None:
    configure(ISSUER="https://dev-1.okta.com", API_TOKEN="canary-api-token", APPROVAL=True)
    page = page_of(manager, make_registration(**values))
    buttons = re.findall(r'class="button ([\w-]+)" id="selfreg-act-([\w-]+)"', page)
    assert ([name for css, name in buttons if css == "default"] or [None]) == [recommended]
    assert [css for css, _name in buttons] == sorted((css for css, _name in buttons), key=ORDER.index)


ORDER = ("default", "selfreg-plain", "selfreg-destructive")


def test_every_offered_action_is_possible(manager: Client, make_registration: Make) -> None:
    """The confirmation page of every offered action includes the registration."""
    for status in Status:
        registration = make_registration(status=status, okta_user_id="00uSomebody")
        page = page_of(manager, registration)
        for name in re.findall(r'id="selfreg-act-([\w-]+)"', page):
            question = manager.post(f"{LIST}act/{name}/", {"_selected_action": str(registration.pk)})
            assert "Left out" not in question.content.decode(), (status, name)


def test_other_registrations_of_the_address_are_linked(manager: Client, make_registration: Make) -> None:
    address = {"email": "Ada@example.com", "email_canonical": "ada@example.com"}
    first, second, other = (
        make_registration(**address),
        make_registration(**address),
        make_registration(email="b@example.com"),
    )
    page = page_of(manager, first)
    assert f'href="{LIST}{second.pk}/change/"' in page
    assert str(other.pk) not in page


def test_account_is_linked_to_oktas_admin_console(manager: Client, make_registration: Make) -> None:
    link = "https://dev-1-admin.okta.com/admin/user/profile/view/00uSomebody"
    assert f'href="{link}"' in page_of(manager, make_registration(status=Status.COMPLETED))
    assert "Open in Okta" not in page_of(manager, make_registration())


def test_number_of_queries_does_not_grow_with_the_events(manager: Client, make_registration: Make) -> None:
    registration = make_registration(email="ada@example.com", email_canonical="ada@example.com")
    query_counts = []
    # The view of an address is logged again after some time.
    with time_machine.travel(timezone.now(), tick=False):
        page_of(manager, registration)
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                page_of(manager, registration)
            query_counts.append(len(captured))
            for _ in range(30):
                registration.note(Kind.ANSWERED, step="enroll-profile", outcome="ok")
    assert query_counts[0] == query_counts[1] <= 8


def test_newest_500_events_are_shown(manager: Client, make_registration: Make) -> None:
    wrong = (Kind.ANSWERED, "enroll-profile", "registration.error.generic")
    registration = make_registration(events=((Kind.STARTED, "enroll-profile", "", 0),))
    RegistrationEvent.objects.bulk_create(
        RegistrationEvent(registration=registration, kind=kind, step=step, outcome=outcome)
        for kind, step, outcome in [wrong] * 505
    )
    registration.note(Kind.TROUBLE, outcome="RateLimited")
    page = page_of(manager, registration)
    assert "limits how often" in page
    assert "Only the newest 500 are shown." in page


@pytest.mark.parametrize("url", ["registration/{pk}/change/", "oktaidentity/", "oktaidentity/{identity}/change/"])
def test_username_that_is_an_address_is_masked(
    staff: Callable[[str], Client], make_registration: Make, url: str
) -> None:
    """On some sites, usernames are addresses and the users are linked to Okta accounts."""
    user = User.objects.create_user("ada@example.com")
    registration = make_registration(status=Status.COMPLETED, user=user)
    identity = OktaIdentity.objects.create(issuer="https://dev-1.okta.com", subject="00uSomebody", user=user)
    page = staff(VIEWER).get(f"/admin/selfreg/{url.format(pk=registration.pk, identity=identity.pk)}").content.decode()
    assert "ada@example.com" not in page
    assert "a•••@example.com" in page


def test_admin_pages_contain_no_secret_and_no_phone_number(
    manager: Client, person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    """Ada enrolls email, phone and password. Her secrets and those of the org appear on no page."""
    phone, wrong = "+14155550132", {"credentials.passcode": "canary9"}
    configure(API_TOKEN="canary-api-token")
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    secrets = {PASSWORD, "canary9", "canary-wrong-password", phone, phone[2:], "415 555 0132", "canary-api-token"}
    pages: list[str] = []

    def read_pages() -> None:
        registration = Registration.objects.get()
        if registration.sealed:
            state = stored_state(registration)
            secrets.update([registration.sealed, *(v for v in state["transaction"].values() if isinstance(v, str))])
        selection = {"_selected_action": str(registration.pk)}
        pages.extend(manager.post(f"{LIST}act/{act.name}/", selection).content.decode() for act in ACTIONS)
        pages.extend(
            manager.get(urljoin(LIST, url.format(pk=registration.pk))).getvalue().decode() for url in EVERY_PAGE
        )
        pages.append(manager.get("/admin/").content.decode())

    person.opens_the_sign_up().submits_profile().chooses("Email")
    read_pages()
    person.fills_and_presses(wrong)
    secrets.add(org.code(person.email))
    person.types_the_code_from(org).chooses("Phone")
    person.fills_and_presses({"authenticator.phoneNumber": "+1 415 555 0132"})
    read_pages()
    secrets.add(org.code(phone))
    person.types_the_code_from(org, phone).chooses("Password")
    person.fills_and_presses({"credentials.passcode": "canary-wrong-password"})
    read_pages()
    person.sets_a_password()
    assert Registration.objects.get().status == Status.COMPLETED
    read_pages()
    everything = "\n".join(pages)
    assert len(secrets) > 15
    assert [s for s in secrets if s and s in everything] == []
