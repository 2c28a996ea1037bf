"""Effects of admin actions: on the registration, at the org, and on the audit trail."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.contrib.admin.models import LogEntry
from django.test import Client
from prometheus_client import REGISTRY

from okta_devorg import OrgHandle
from selfreg.admin.actions import ACTIONS_BY_NAME
from selfreg.idx.transport import RawReply, Transport
from selfreg.models import Registration, RegistrationEvent
from selfreg.secret import Secret
from selfreg.statuses import Status
from support.person import Person
from support.staff import LIST

pytestmark = pytest.mark.database

TOKEN = "canary-api-token"
TOO_SOON = "Wait"


def press(browser: Client, action: str, *registrations: Registration, **more: str) -> list[str]:
    """Confirm an action and return the messages of the page."""
    form = {"_selected_action": [str(r.pk) for r in registrations], "confirmed": "yes", **more}
    response = browser.post(f"{LIST}act/{action}/", form, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def enrolling(person: Person, configure: Callable[..., None]) -> Registration:
    """Return a registration at the code page, whose email may be resent at once."""
    configure(RESEND_SECONDS=0)
    person.opens_the_sign_up().submits_profile().chooses("Email")
    return Registration.objects.get()


def test_resend_action_sends_an_email_whose_code_works(
    manager: Client, enrolling: Registration, person: Person, org: OrgHandle
) -> None:
    assert press(manager, "resend", enrolling) == ["Sent again to 1 person."]
    assert len(org.messages(person.email)) == 2
    person.opens("/signup/step/").types_the_code_from(org).chooses("Password").sets_a_password()
    assert person.is_signed_in


def test_resend_action_is_rejected_before_the_pause_is_over(manager: Client, person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    (message,) = press(manager, "resend", Registration.objects.get())
    assert TOO_SOON in message
    assert len(org.messages(person.email)) == 1


def test_free_text_of_the_org_about_a_resend_is_neither_stored_nor_logged(
    manager: Client, enrolling: Registration, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Free text of the org may quote what somebody typed."""
    real, replaced_replies = Transport.fetch, []

    def fetch(self: Transport, method: str, url: str, *rest: Any) -> RawReply:
        reply = real(self, method, url, *rest)
        if not url.endswith("/resend"):
            return reply
        words = {"type": "array", "value": [{"message": "canary +1 415 555 0100", "class": "ERROR"}]}
        replaced_replies.append(url)
        document = json.loads(reply.body.reveal()) | {"messages": words}
        return replace(reply, status=400, body=Secret(json.dumps(document).encode()))

    monkeypatch.setattr(Transport, "fetch", fetch)  # the local org sends no message without a key
    (message,) = press(manager, "resend", enrolling)
    assert replaced_replies
    assert "did not accept the last answer" in message
    stored = [*RegistrationEvent.objects.values_list("outcome"), *LogEntry.objects.values_list("change_message")]
    assert "canary" not in f"{message} {stored} {caplog.text}"


def test_metric_labels_of_admin_actions_are_limited_to_action_names(
    manager: Client, person: Person, org: OrgHandle
) -> None:
    def outcomes() -> set[str]:
        samples = [s for family in REGISTRY.collect() if family.name == "selfreg_events" for s in family.samples]
        return {s.labels["outcome"] for s in samples if s.labels["kind"] == "administered"}

    person.opens_the_sign_up().submits_profile().chooses("Email")
    before = outcomes()  # left by tests in the same process
    assert TOO_SOON in press(manager, "resend", Registration.objects.get())[0]
    assert outcomes() - before <= set(ACTIONS_BY_NAME)


def test_resend_action_is_rejected_if_nothing_was_sent_before(manager: Client, person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Password")
    (message,) = press(manager, "resend", Registration.objects.get())
    assert "no email or code to send" in message


def test_resend_action_reports_an_expired_registration(
    manager: Client, enrolling: Registration, org: OrgHandle
) -> None:
    org.advance(3 * 3600)
    (message,) = press(manager, "resend", enrolling)
    assert message.endswith("not possible while it is “Expired”")


def test_resend_action_keeps_the_status_if_the_org_is_unavailable(
    manager: Client, enrolling: Registration, org: OrgHandle
) -> None:
    org.fail("/idp/idx/challenge/resend", "status", status=503)
    (message,) = press(manager, "resend", enrolling)
    assert "Sent again" not in message
    enrolling.refresh_from_db()
    assert enrolling.status == Status.ENROLLING


def test_cancel_action_ends_the_registration_here_and_at_the_org(
    manager: Client, enrolling: Registration, person: Person, org: OrgHandle
) -> None:
    press(manager, "cancel", enrolling)
    enrolling.refresh_from_db()
    assert (enrolling.status, enrolling.sealed) == (Status.CANCELLED, "")
    assert org.calls("/idp/idx/cancel")
    person.opens("/signup/step/")
    assert not person.is_signed_in
    assert person.status == 200


def test_expire_action_ends_the_registration(manager: Client, enrolling: Registration) -> None:
    press(manager, "expire", enrolling)
    enrolling.refresh_from_db()
    assert (enrolling.status, enrolling.sealed) == (Status.EXPIRED, "")


def test_erase_action_cancels_open_registrations_and_marks_all(
    manager: Client, enrolling: Registration, make_registration: Callable[..., Registration]
) -> None:
    completed = make_registration(status=Status.COMPLETED)
    press(manager, "erase", enrolling, completed)
    assert Registration.objects.exclude(erase_asked_at=None).count() == 2
    enrolling.refresh_from_db()
    completed.refresh_from_db()
    assert (enrolling.status, completed.status) == (Status.CANCELLED, Status.COMPLETED)


def test_action_on_several_registrations_skips_those_where_it_is_impossible(
    manager: Client, make_registration: Callable[..., Registration]
) -> None:
    rows = [make_registration(), make_registration(), make_registration(status=Status.EXPIRED)]
    message = press(manager, "expire", *rows)
    assert message[0] == "2 sign-ups expired."
    assert len(message) == 2
    assert "not possible" in message[1]


def test_action_that_takes_too_long_is_continued_in_parts(
    manager: Client, make_registration: Callable[..., Registration], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfreg.admin.registrations.ACTING_SECONDS", 0)
    rows = [make_registration(email=f"p{n}@example.com", status=Status.READY, sealed="") for n in range(3)]
    form: dict[str, Any] = {"confirmed": "yes", "_selected_action": [str(row.pk) for row in rows]}
    for left in (2, 1):
        page = manager.post(f"{LIST}act/expire/", form)
        assert [str(message) for message in page.context["messages"]] == ["1 sign-up expired."]
        words = "is" if left == 1 else "are"
        assert f"{left} {words} still to do, because this takes a while." in page.content.decode()
        ids = re.findall(r'name="_selected_action" value="([^"]+)"', page.content.decode())
        assert len(ids) == left
        form["_selected_action"] = ids
    assert manager.post(f"{LIST}act/expire/", form).status_code == 302
    assert {row.status for row in Registration.objects.all()} == {Status.EXPIRED}


def test_action_changes_nothing_before_its_confirmation(manager: Client, enrolling: Registration) -> None:
    response = manager.post(f"{LIST}act/cancel/", {"_selected_action": str(enrolling.pk)})
    assert 'name="confirmed" value="yes"' in response.content.decode()
    enrolling.refresh_from_db()
    assert enrolling.status == Status.ENROLLING


@pytest.mark.parametrize("selected", [[], ["x"], ["0" * 32], ["'; DROP TABLE"], ["1" * 5000] * 150])
def test_action_with_unknown_ids_changes_nothing(manager: Client, enrolling: Registration, selected: list[str]) -> None:
    response = manager.post(f"{LIST}act/cancel/", {"_selected_action": selected, "confirmed": "yes"}, follow=True)
    assert response.status_code == 200
    enrolling.refresh_from_db()
    assert enrolling.status == Status.ENROLLING


def test_action_and_actor_are_recorded_in_events_and_history(manager: Client, enrolling: Registration) -> None:
    press(manager, "cancel", enrolling)
    assert RegistrationEvent.objects.filter(actor="", kind=RegistrationEvent.Kind.CANCELLED).count() == 0
    event = enrolling.events.get(kind=RegistrationEvent.Kind.ADMINISTERED)
    entry = LogEntry.objects.get(object_id=str(enrolling.pk))
    assert (event.actor, event.outcome) == (entry.user.get_username(), "cancel: ok")
    assert event.actor in manager.get(f"{LIST}{enrolling.pk}/change/").content.decode()
    assert "Stop this sign-up" in manager.get(f"{LIST}{enrolling.pk}/history/").content.decode()


def test_action_redirects_to_the_page_it_was_started_from(manager: Client, enrolling: Registration) -> None:
    form = {"_selected_action": str(enrolling.pk), "confirmed": "yes"}
    response = manager.post(f"{LIST}act/cancel/", {**form, "single": "yes"})
    assert response["Location"] == f"{LIST}{enrolling.pk}/change/"
    assert manager.post(f"{LIST}act/erase/", form)["Location"] == LIST


def test_filters_of_the_list_are_kept_after_an_action(manager: Client, enrolling: Registration) -> None:
    """From the list to the confirmation and back, and from the page of one registration."""
    query = "status=open&step=enroll-authenticator+okta_email&q=ada"
    selected = {"_selected_action": str(enrolling.pk), "action": "expire", "index": "0"}
    confirmation = manager.post(f"{LIST}?{query}", selected).content.decode()
    (filters_value,) = re.findall(r'name="_changelist_filters" value="([^"]+)"', confirmation)
    form = {"_selected_action": str(enrolling.pk), "confirmed": "yes", "_changelist_filters": unescape(filters_value)}
    assert f'href="{LIST}?{filters_value}"' in confirmation
    response = manager.post(f"{LIST}act/expire/", form)
    assert parse_qs(urlsplit(response["Location"]).query) == parse_qs(query)
    response = manager.post(f"{LIST}act/erase/", {**form, "single": "yes"}, follow=True)
    page = response.content.decode()
    assert re.search(rf'href="{LIST}\?status=open&amp;step=[^"]+">Back to the list', page)


@pytest.mark.parametrize("filters", ["//evil.example/", "email__startswith=a", "status=open&next=//evil.example", "\0"])
def test_redirect_after_an_action_ignores_invalid_filters(
    manager: Client, enrolling: Registration, filters: str
) -> None:
    form = {"_selected_action": str(enrolling.pk), "confirmed": "yes", "_changelist_filters": filters}
    location = manager.post(f"{LIST}act/expire/", form)["Location"]
    assert location in (LIST, f"{LIST}?status=open")


@pytest.mark.parametrize(("count", "button"), [(1, "Stop 1 sign-up"), (2, "Stop 2 sign-ups")])
def test_confirmation_page_names_the_action_and_the_number(
    manager: Client, make_registration: Callable[..., Registration], count: int, button: str
) -> None:
    form = {"_selected_action": [str(make_registration().pk) for _ in range(count)]}
    page = manager.post(f"{LIST}act/cancel/", form).content.decode()
    assert re.search(rf'<input type="submit" class="default selfreg-destructive" value="{button}">', page)
    assert f"<h1>{'Stop 2 sign-ups' if count > 1 else 'Stop this sign-up'}</h1>" in page
    assert "Go back" in page


def test_registration_with_a_lost_encryption_key_can_only_be_expired_or_erased(
    manager: Client, enrolling: Registration, configure: Callable[..., None]
) -> None:
    configure(ENCRYPTION_KEYS=("bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0=",))
    assert "key is gone" in press(manager, "resend", enrolling)[0]
    page = manager.get(f"{LIST}{enrolling.pk}/change/").content.decode()
    assert re.findall(r'id="selfreg-act-([a-z-]+)"', page) == ["expire", "erase"]
    press(manager, "erase", enrolling)
    enrolling.refresh_from_db()
    assert (enrolling.status, enrolling.failure) == (Status.FAILED, "selfreg.unreadable")


# ---- unfinished accounts at Okta


def test_repair_action_makes_the_org_send_an_activation_email(
    manager: Client, enrolling: Registration, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN=org.policy.api_token)
    assert press(manager, "repair", enrolling) == ["1 activation email sent."]
    assert "/welcome/" in (org.messages("ada@example.com")[0].link or "")


def test_repair_action_removes_the_password_and_does_not_activate_the_account(
    manager: Client, person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    """If it were activated as it is, it would work at once with an unverified address."""
    configure(API_TOKEN=org.policy.api_token)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    press(manager, "repair", Registration.objects.get())
    assert (org.users[0].status, org.users[0].password_hash) == ("PROVISIONED", None)


@pytest.mark.parametrize("kind", ["status", "after"])
def test_repair_action_can_be_repeated_after_it_deactivated_the_account(
    manager: Client, person: Person, org: OrgHandle, configure: Callable[..., None], kind: str
) -> None:
    """Okta fails between the call that deletes the password and the one that mails the link."""
    configure(API_TOKEN=org.policy.api_token)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    registration = Registration.objects.get()
    call = "activate" if kind == "status" else "deactivate"
    org.fail(f"/api/v1/users/{registration.okta_user_id}/lifecycle/{call}", kind, status=503)
    (said,) = press(manager, "repair", registration)
    assert "deactivated" in said
    assert org.users[0].status == "DEPROVISIONED"
    assert "was deactivated" in manager.get(f"{LIST}{registration.pk}/change/").content.decode()
    assert press(manager, "repair", registration) == ["1 activation email sent."]
    assert org.users[0].status == "PROVISIONED"


def test_actions_do_not_change_an_account_that_was_deactivated_at_okta(
    manager: Client, person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    """Not either, if this site had deactivated it for a link before, and its owner signed in since."""
    configure(API_TOKEN=org.policy.api_token)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    registration = Registration.objects.get()
    press(manager, "repair", registration)
    account = org.users[0]
    account.last_login = 1.0
    account.move_to(type(account.status)("DEPROVISIONED"), 2.0)
    for act in ("repair", "remove-account"):
        assert "DEPROVISIONED" in press(manager, act, registration)[0]


def test_repair_action_shows_oktas_error_code_for_a_wrong_api_token(
    manager: Client, enrolling: Registration, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN="wrong")
    (message,) = press(manager, "repair", enrolling)
    assert "E0000011" in message


def test_active_account_is_neither_repaired_nor_deleted(
    manager: Client, person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN=org.policy.api_token)
    person.signs_up(org)
    registration = Registration.objects.get()
    Registration.objects.update(status=Status.EXPIRED)
    for action in ("repair", "remove-account"):
        assert "ACTIVE" in press(manager, action, registration)[0]
    assert len(org.users) == 1


def test_account_actions_are_not_possible_without_an_api_token(manager: Client, enrolling: Registration) -> None:
    page = manager.get(f"{LIST}{enrolling.pk}/change/").content.decode()
    assert "act/repair/" not in page
    assert "not possible" in press(manager, "remove-account", enrolling)[0]


@pytest.fixture
def okta(configure: Callable[..., None]) -> Any:
    configure(ISSUER="https://dev-1.okta.com", API_TOKEN=TOKEN)
    with responses.RequestsMock() as mock:
        yield mock


USER = "https://dev-1.okta.com/api/v1/users/00uHalf"


def test_remove_account_action_deletes_the_account_and_fails_the_registration(
    manager: Client, make_registration: Callable[..., Registration], okta: Any
) -> None:
    registration = make_registration(okta_user_id="00uHalf", status=Status.ENROLLING)
    okta.get(USER, json={"id": "00uHalf", "status": "PROVISIONED"})
    okta.delete(USER, status=204)
    okta.delete(USER, status=204)
    assert press(manager, "remove-account", registration) == ["1 unfinished Okta account deleted."]
    assert {call.request.headers["Authorization"] for call in okta.calls} == {f"SSWS {TOKEN}"}
    registration.refresh_from_db()
    assert registration.status == Status.FAILED


def test_remove_account_action_can_be_repeated_after_an_interruption(
    manager: Client, make_registration: Callable[..., Registration], okta: Any
) -> None:
    registration = make_registration(okta_user_id="00uHalf", status=Status.ENROLLING)
    okta.get(USER, json={"id": "00uHalf", "status": "STAGED"})
    okta.delete(USER, status=204)
    okta.delete(USER, status=503)
    (message,) = press(manager, "remove-account", registration)
    assert "deactivated" in message
    okta.get(USER, json={"id": "00uHalf", "status": "DEPROVISIONED", "lastLogin": None})
    okta.delete(USER, status=204)
    okta.delete(USER, status=404, json={})
    assert press(manager, "remove-account", registration) == ["1 unfinished Okta account deleted."]
    registration.refresh_from_db()
    assert registration.status == Status.FAILED


def test_repair_action_reactivates_a_provisioned_account(
    manager: Client, make_registration: Callable[..., Registration], okta: Any
) -> None:
    okta.get(USER, json={"status": "PROVISIONED"})
    okta.post(f"{USER}/lifecycle/reactivate?sendEmail=true", json={})
    assert press(manager, "repair", make_registration(okta_user_id="00uHalf")) == ["1 activation email sent."]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"status": 404, "json": {"errorCode": "E0000007", "errorSummary": "Not found"}}, "gone"),
        ({"status": 403, "json": {"errorCode": "E0000006", "errorSummary": "secret words"}}, "E0000006"),
        ({"status": 429, "json": {"errorCode": "E0000047"}}, "Too many attempts"),
        ({"status": 500, "body": "<html>"}, "didn't answer"),
        ({"status": 200, "json": {"status": "DEPROVISIONED"}}, "DEPROVISIONED"),
        ({"status": 200, "json": []}, "gone"),
    ],
)
def test_repair_action_shows_the_error_of_the_management_api(
    manager: Client, make_registration: Callable[..., Registration], okta: Any, response: Any, expected: str
) -> None:
    okta.get(USER, **response)
    (message,) = press(manager, "repair", make_registration(okta_user_id="00uHalf"))
    assert expected in message
    assert TOKEN not in message


def test_account_of_another_org_cannot_be_deleted(
    manager: Client, make_registration: Callable[..., Registration], okta: Any
) -> None:
    registration = make_registration(okta_user_id="00uHalf", issuer="https://other.okta.com")
    assert "not possible" in press(manager, "remove-account", registration)[0]
