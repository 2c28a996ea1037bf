"""The page of one registration: what happened, what the person sees, what is not shown to anybody."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from person import PASSWORD, Person
from staff import LIST

from okta_devorg import OrgHandle
from selfreg.models import Registration, RegistrationEvent, Status

Make = Callable[..., Registration]
Kind = RegistrationEvent.Kind


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
    assert (entry.object_id, entry.change_message) == (str(registration.pk), "Saw the whole e-mail address")
    assert "ada@" not in entry.object_repr


@pytest.mark.parametrize("pk", ["x", "0" * 32, "00000000-0000-0000-0000-000000000000", "_2e"])
def test_what_is_no_registration_is_not_found(manager: Client, pk: str) -> None:
    assert manager.get(f"{LIST}{pk}/change/").status_code == 404


def test_no_secret_and_no_phone_number_is_in_any_page(
    manager: Client, person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    """Ada comes through with mail, phone and password; everything that only she or the org may know stays there."""
    phone = "+14155550132"
    configure(API_TOKEN="canary-api-token")
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    codes = [org.code(person.email)]
    pages = [page_of(manager, Registration.objects.get())]
    person.types_the_code_from(org)
    sealed = Registration.objects.get().kept()
    secrets = [*sealed["transaction"].values()]
    pages.append(page_of(manager, Registration.objects.get()))
    registration = Registration.objects.get()
    for url in (
        "",
        f"{registration.pk}/history/",
        "export/",
        "funnel/",
        "funnel/?format=csv",
        "funnel/?format=json",
        "form/",
    ):
        pages.append(manager.get(LIST + url).getvalue().decode())
    everything = "\n".join(pages)
    canaries = [PASSWORD, phone, phone[2:], "canary-api-token", registration.sealed, *codes, *secrets]
    assert len(canaries) > 8
    assert not [c for c in canaries if c and c in everything]
