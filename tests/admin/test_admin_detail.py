"""The page of one registration: what happened, what the person sees, what is not shown to anybody."""

import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from okta_devorg import OrgHandle
from selfreg.admin.actions import ACTIONS
from selfreg.models import OktaIdentity, Registration, RegistrationEvent
from selfreg.statuses import Status
from support.person import PASSWORD, Person
from support.staff import LIST, VIEWER

pytestmark = pytest.mark.database

Make = Callable[..., Registration]
Kind = RegistrationEvent.Kind
EVERY_PAGE = (
    *("", "{pk}/change/", "{pk}/history/", "export/", "funnel/", "funnel/?format=csv", "funnel/?format=json", "form/"),
    *("/admin/selfreg/oktaidentity/", "/admin/selfreg/doctorrun/"),
)


def page_of(browser: Client, registration: Registration) -> str:
    answer = browser.get(f"{LIST}{registration.pk}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_tells_what_the_person_sees_and_what_can_be_done(manager: Client, person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    page = page_of(manager, Registration.objects.get())
    assert "Check your e-mail" in page
    assert "act/resend/" in page
    assert "act/cancel/" in page


def test_a_refusal_without_a_key_is_told_as_the_orgs_own_words(manager: Client, registered: Make) -> None:
    registration = registered()
    registration.note(Kind.ANSWERED, outcome=RegistrationEvent.OWN_WORDS)
    assert "a message in the org&#x27;s own words" in page_of(manager, registration)


def test_it_tells_what_keeps_the_person_from_going_on(manager: Client, person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    person.fills_and_presses({"credentials.passcode": "000000" if org.code(person.email) != "000000" else "111111"})
    assert "Invalid code. Try again. (api.authn.error.PASSCODE_INVALID)" in page_of(manager, Registration.objects.get())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"status": Status.AWAITING_EMAIL}, "was not opened yet"),
        ({"status": Status.READY}, "sign in through Okta once"),
        ({"status": Status.EXPIRED}, "did not go on in time"),
        ({"status": Status.FAILED, "failure": "selfreg.inactive"}, "switched off here"),
        ({"minutes": 40}, "for 40 minutes"),
        ({"events": ((Kind.TROUBLE, "enroll-profile", "RateLimited", 1),)}, "limits how often"),
        ({"events": ((Kind.TROUBLE, "token", "OrgRefused invalid_client", 1),)}, "(invalid_client)"),
    ],
)
def test_each_state_has_its_sentence(manager: Client, registered: Make, values: dict[str, object], said: str) -> None:
    assert said in page_of(manager, registered(**values))


def test_a_call_is_found_in_oktas_system_log(manager: Client, registered: Make, configure: Callable[..., None]) -> None:
    configure(ISSUER="https://dev-1.okta.com/oauth2/default")
    registration = registered(events=((Kind.ANSWERED, "enroll-profile", "ok", 1),))
    registration.events.update(request_id="Zabc-123")
    link = "https://dev-1-admin.okta.com/report/system_log_2?query=transaction.id+eq+%22Zabc-123%22"
    assert link in page_of(manager, registration)


def test_revealing_the_address_is_written_down(manager: Client, registered: Make) -> None:
    registration = registered(email="ada@example.com")
    assert "ada@example.com" in manager.post(f"{LIST}{registration.pk}/reveal/").content.decode()
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(registration.pk), "Viewed the full e-mail address")
    assert "ada@" not in entry.object_repr


@pytest.mark.parametrize("pk", ["x", "0" * 32, "00000000-0000-0000-0000-000000000000", "_2e"])
def test_what_is_no_registration_is_not_found(manager: Client, pk: str) -> None:
    assert manager.get(f"{LIST}{pk}/change/").status_code == 404


def test_nobody_is_named_for_what_nobody_did(manager: Client, registered: Make) -> None:
    registration = registered(events=((Kind.ANSWERED, "enroll-profile", "ok", 1), (Kind.EXPIRED, "", "", 9)))
    rows = re.findall(r"<td>(Step submitted|Expired)</td>(.*?)</tr>", page_of(manager, registration), re.DOTALL)
    assert [("the person" in rest) for _what, rest in rows] == [True, False]


def test_the_newest_events_are_shown_whatever_their_number(manager: Client, registered: Make) -> None:
    wrong = (Kind.ANSWERED, "enroll-profile", "registration.error.generic")
    registration = registered(events=((Kind.STARTED, "enroll-profile", "", 0),))
    RegistrationEvent.objects.bulk_create(
        RegistrationEvent(registration=registration, kind=kind, step=step, outcome=outcome)
        for kind, step, outcome in [wrong] * 505
    )
    registration.note(Kind.TROUBLE, outcome="RateLimited")
    page = page_of(manager, registration)
    assert "limits how often" in page
    assert "Only the newest 500 are shown." in page


@pytest.mark.parametrize("url", ["registration/{pk}/change/", "oktaidentity/", "oktaidentity/{identity}/change/"])
def test_an_account_that_is_named_by_its_address_is_masked_too(
    staff: Callable[[str], Client], registered: Make, url: str
) -> None:
    """As of a site whose people sign in by address and were joined with their Okta accounts."""
    user = User.objects.create_user("ada@example.com")
    registration = registered(status=Status.COMPLETED, user=user)
    identity = OktaIdentity.objects.create(issuer="https://dev-1.okta.com", subject="00uSomebody", user=user)
    page = staff(VIEWER).get(f"/admin/selfreg/{url.format(pk=registration.pk, identity=identity.pk)}").content.decode()
    assert "ada@example.com" not in page
    assert "a•••@example.com" in page


def test_no_secret_and_no_phone_number_is_in_any_page(
    manager: Client, person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    """Ada comes through with mail, phone and password; everything that only she or the org may know stays there."""
    phone, wrong = "+14155550132", {"credentials.passcode": "canary9"}
    configure(API_TOKEN="canary-api-token")
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    secrets = {PASSWORD, "canary9", "canary-wrong-password", phone, phone[2:], "415 555 0132", "canary-api-token"}
    pages: list[str] = []

    def look() -> None:
        registration = Registration.objects.get()
        if registration.sealed:
            kept = registration.decrypted()
            secrets.update([registration.sealed, *(v for v in kept["transaction"].values() if isinstance(v, str))])
        one = {"_selected_action": str(registration.pk)}
        pages.extend(manager.post(f"{LIST}act/{act.name}/", one).content.decode() for act in ACTIONS)
        pages.append(manager.post(f"{LIST}{registration.pk}/reveal/").content.decode())
        pages.extend(
            manager.get(urljoin(LIST, url.format(pk=registration.pk))).getvalue().decode() for url in EVERY_PAGE
        )
        pages.append(manager.get("/admin/").content.decode())

    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    look()
    person.fills_and_presses(wrong)
    secrets.add(org.code(person.email))
    person.types_the_code_from(org).chooses("Phone")
    person.fills_and_presses({"authenticator.phoneNumber": "+1 415 555 0132"})
    look()
    secrets.add(org.code(phone))
    person.types_the_code_from(org, phone).chooses("Password")
    person.fills_and_presses({"credentials.passcode": "canary-wrong-password"})
    look()
    person.sets_a_password()
    assert Registration.objects.get().status == Status.COMPLETED
    look()
    everything = "\n".join(pages)
    assert len(secrets) > 15
    assert [s for s in secrets if s and s in everything] == []
