"""What the actions do: to the registration, at the org, and to the records of who did it."""

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
REFUSED_LATELY = "Wait"


def press(browser: Client, act: str, *registrations: Registration, **more: str) -> list[str]:
    """The messages after the confirmed action."""
    form = {"_selected_action": [str(r.pk) for r in registrations], "confirmed": "yes", **more}
    answer = browser.post(f"{LIST}act/{act}/", form, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


@pytest.fixture
def waiting(person: Person, configure: Callable[..., None]) -> Registration:
    """Ada's, who has to type the code from her mail; the next mail may be asked for at once."""
    configure(RESEND_SECONDS=0)
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    return Registration.objects.get()


def test_resending_sends_a_mail_and_the_person_goes_on_with_it(
    manager: Client, waiting: Registration, person: Person, org: OrgHandle
) -> None:
    assert press(manager, "resend", waiting) == ["Sent again to 1 person."]
    assert len(org.messages(person.email)) == 2
    person.opens("/signup/step/").types_the_code_from(org).chooses("Password").sets_a_password()
    assert person.is_signed_in


def test_resending_tells_when_it_is_too_soon(manager: Client, person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    (said,) = press(manager, "resend", Registration.objects.get())
    assert REFUSED_LATELY in said
    assert len(org.messages(person.email)) == 1


def test_what_the_org_says_of_a_resend_in_its_own_words_is_stored_and_logged_nowhere(
    manager: Client, waiting: Registration, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such words may quote what somebody typed."""
    real, refused = Transport.fetch, []

    def fetch(self: Transport, method: str, url: str, *rest: Any) -> RawReply:
        reply = real(self, method, url, *rest)
        if not url.endswith("/resend"):
            return reply
        words = {"type": "array", "value": [{"message": "canary +1 415 555 0100", "class": "ERROR"}]}
        refused.append(url)
        document = json.loads(reply.body.reveal()) | {"messages": words}
        return replace(reply, status=400, body=Secret(json.dumps(document).encode()))

    monkeypatch.setattr(Transport, "fetch", fetch)  # the local org has no words without a key
    (said,) = press(manager, "resend", waiting)
    assert refused
    assert "did not accept the last answer" in said
    stored = [*RegistrationEvent.objects.values_list("outcome"), *LogEntry.objects.values_list("change_message")]
    assert "canary" not in f"{said} {stored} {caplog.text}"


def test_no_metric_grows_with_what_an_administrator_was_told(manager: Client, person: Person, org: OrgHandle) -> None:
    def outcomes() -> set[str]:
        samples = [s for family in REGISTRY.collect() if family.name == "selfreg_events" for s in family.samples]
        return {s.labels["outcome"] for s in samples if s.labels["kind"] == "administered"}

    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    before = outcomes()  # of tests in the same process
    assert REFUSED_LATELY in press(manager, "resend", Registration.objects.get())[0]
    assert outcomes() - before <= set(ACTIONS_BY_NAME)


def test_resending_where_nothing_was_sent_is_refused(manager: Client, person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Password")
    (said,) = press(manager, "resend", Registration.objects.get())
    assert "no email or code to send" in said


def test_resending_to_somebody_whose_time_is_up_says_that_it_expired(
    manager: Client, waiting: Registration, org: OrgHandle
) -> None:
    org.advance(3 * 3600)
    (said,) = press(manager, "resend", waiting)
    assert said.endswith("not possible while it is “Expired”")


def test_resending_while_the_org_is_away_says_so_and_leaves_the_row(
    manager: Client, waiting: Registration, org: OrgHandle
) -> None:
    org.fail("/idp/idx/challenge/resend", "status", status=503)
    (said,) = press(manager, "resend", waiting)
    assert "Sent again" not in said
    waiting.refresh_from_db()
    assert waiting.status == Status.ENROLLING


def test_cancelling_ends_it_here_and_at_the_org(
    manager: Client, waiting: Registration, person: Person, org: OrgHandle
) -> None:
    press(manager, "cancel", waiting)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.sealed) == (Status.CANCELLED, "")
    assert org.calls("/idp/idx/cancel")
    person.opens("/signup/step/")
    assert not person.is_signed_in
    assert person.status == 200


def test_expiring_ends_it(manager: Client, waiting: Registration) -> None:
    press(manager, "expire", waiting)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.sealed) == (Status.EXPIRED, "")


def test_marking_for_erasure_ends_what_is_open_and_marks_what_is_done(
    manager: Client, waiting: Registration, registered: Callable[..., Registration]
) -> None:
    done = registered(status=Status.COMPLETED)
    press(manager, "erase", waiting, done)
    assert Registration.objects.exclude(erase_asked_at=None).count() == 2
    waiting.refresh_from_db()
    done.refresh_from_db()
    assert (waiting.status, done.status) == (Status.CANCELLED, Status.COMPLETED)


def test_many_at_once_are_done_one_by_one_and_the_impossible_left_out(
    manager: Client, registered: Callable[..., Registration]
) -> None:
    rows = [registered(), registered(), registered(status=Status.EXPIRED)]
    said = press(manager, "expire", *rows)
    assert said[0] == "2 sign-ups expired."
    assert len(said) == 2
    assert "not possible" in said[1]


def test_what_takes_too_long_for_one_page_is_done_in_parts(
    manager: Client, registered: Callable[..., Registration], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfreg.admin.registrations.ACTING_SECONDS", 0)
    rows = [registered(email=f"p{n}@example.com", status=Status.READY, sealed="") for n in range(3)]
    form: dict[str, Any] = {"confirmed": "yes", "_selected_action": [str(row.pk) for row in rows]}
    for left in (2, 1):
        page = manager.post(f"{LIST}act/expire/", form)
        assert [str(message) for message in page.context["messages"]] == ["1 sign-up expired."]
        words = "is" if left == 1 else "are"
        assert f"{left} {words} left, because each takes its time." in page.content.decode()
        ids = re.findall(r'name="_selected_action" value="([^"]+)"', page.content.decode())
        assert len(ids) == left
        form["_selected_action"] = ids
    assert manager.post(f"{LIST}act/expire/", form).status_code == 302
    assert {row.status for row in Registration.objects.all()} == {Status.EXPIRED}


def test_nothing_happens_before_it_is_confirmed(manager: Client, waiting: Registration) -> None:
    answer = manager.post(f"{LIST}act/cancel/", {"_selected_action": str(waiting.pk)})
    assert 'name="confirmed" value="yes"' in answer.content.decode()
    waiting.refresh_from_db()
    assert waiting.status == Status.ENROLLING


@pytest.mark.parametrize("chosen", [[], ["x"], ["0" * 32], ["'; DROP TABLE"], ["1" * 5000] * 150])
def test_ids_that_name_nothing_do_nothing(manager: Client, waiting: Registration, chosen: list[str]) -> None:
    answer = manager.post(f"{LIST}act/cancel/", {"_selected_action": chosen, "confirmed": "yes"}, follow=True)
    assert answer.status_code == 200
    waiting.refresh_from_db()
    assert waiting.status == Status.ENROLLING


def test_who_did_what_is_in_the_timeline_and_in_the_history(manager: Client, waiting: Registration) -> None:
    press(manager, "cancel", waiting)
    assert RegistrationEvent.objects.filter(actor="", kind=RegistrationEvent.Kind.CANCELLED).count() == 0
    event = waiting.events.get(kind=RegistrationEvent.Kind.ADMINISTERED)
    entry = LogEntry.objects.get(object_id=str(waiting.pk))
    assert (event.actor, event.outcome) == (entry.user.get_username(), "cancel: ok")
    assert event.actor in manager.get(f"{LIST}{waiting.pk}/change/").content.decode()
    assert "Stop this sign-up" in manager.get(f"{LIST}{waiting.pk}/history/").content.decode()


def test_one_act_leads_back_to_the_page_it_was_pressed_on(manager: Client, waiting: Registration) -> None:
    form = {"_selected_action": str(waiting.pk), "confirmed": "yes"}
    answer = manager.post(f"{LIST}act/cancel/", {**form, "single": "yes"})
    assert answer["Location"] == f"{LIST}{waiting.pk}/change/"
    assert manager.post(f"{LIST}act/erase/", form)["Location"] == LIST


def test_the_filters_stay_after_an_action(manager: Client, waiting: Registration) -> None:
    """From the list over the question and back; from the page of one registration too."""
    query = "status=open&step=enroll-authenticator+okta_email&q=ada"
    chosen = {"_selected_action": str(waiting.pk), "action": "expire", "index": "0"}
    question = manager.post(f"{LIST}?{query}", chosen).content.decode()
    (kept,) = re.findall(r'name="_changelist_filters" value="([^"]+)"', question)
    form = {"_selected_action": str(waiting.pk), "confirmed": "yes", "_changelist_filters": unescape(kept)}
    assert f'href="{LIST}?{kept}"' in question
    answer = manager.post(f"{LIST}act/expire/", form)
    assert parse_qs(urlsplit(answer["Location"]).query) == parse_qs(query)
    answer = manager.post(f"{LIST}act/erase/", {**form, "single": "yes"}, follow=True)
    page = answer.content.decode()
    assert re.search(rf'href="{LIST}\?status=open&amp;step=[^"]+">Back to the list', page)


@pytest.mark.parametrize("filters", ["//evil.example/", "email__startswith=a", "status=open&next=//evil.example", "\0"])
def test_the_way_back_leads_nowhere_else(manager: Client, waiting: Registration, filters: str) -> None:
    form = {"_selected_action": str(waiting.pk), "confirmed": "yes", "_changelist_filters": filters}
    location = manager.post(f"{LIST}act/expire/", form)["Location"]
    assert location in (LIST, f"{LIST}?status=open")


@pytest.mark.parametrize(("count", "button"), [(1, "Stop 1 sign-up"), (2, "Stop 2 sign-ups")])
def test_the_question_says_what_will_happen(
    manager: Client, registered: Callable[..., Registration], count: int, button: str
) -> None:
    form = {"_selected_action": [str(registered().pk) for _ in range(count)]}
    page = manager.post(f"{LIST}act/cancel/", form).content.decode()
    assert re.search(rf'<input type="submit" class="default selfreg-destructive" value="{button}">', page)
    assert f"<h1>{'Stop 2 sign-ups' if count > 1 else 'Stop this sign-up'}</h1>" in page
    assert "Go back" in page


def test_a_row_whose_key_is_gone_can_be_erased_but_not_resent(
    manager: Client, waiting: Registration, configure: Callable[..., None]
) -> None:
    configure(ENCRYPTION_KEYS=("bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0=",))
    assert "key is gone" in press(manager, "resend", waiting)[0]
    page = manager.get(f"{LIST}{waiting.pk}/change/").content.decode()
    assert re.findall(r'id="selfreg-act-([a-z-]+)"', page) == ["expire", "erase"]
    press(manager, "erase", waiting)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.failure) == (Status.FAILED, "selfreg.unreadable")


# ---- unfinished accounts at Okta


def test_repairing_has_the_org_mail_an_activation_link(
    manager: Client, waiting: Registration, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN=org.policy.api_token)
    assert press(manager, "repair", waiting) == ["1 activation email sent."]
    assert "/welcome/" in (org.messages("ada@example.com")[0].link or "")


def test_repairing_an_account_with_a_password_leaves_it_to_the_link(
    manager: Client, person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    """Activated as it is, it would work at once, with an address that nobody proved."""
    configure(API_TOKEN=org.policy.api_token)
    person.opens_the_sign_up().tells_who_she_is().chooses("Password").sets_a_password()
    press(manager, "repair", Registration.objects.get())
    assert (org.users[0].status, org.users[0].password_hash) == ("PROVISIONED", None)


def test_repairing_with_a_wrong_token_says_what_okta_said(
    manager: Client, waiting: Registration, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN="wrong")
    (said,) = press(manager, "repair", waiting)
    assert "E0000011" in said


def test_an_active_account_is_neither_repaired_nor_removed(
    manager: Client, person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(API_TOKEN=org.policy.api_token)
    person.signs_up(org)
    registration = Registration.objects.get()
    Registration.objects.update(status=Status.EXPIRED)
    for act in ("repair", "remove-account"):
        assert "ACTIVE" in press(manager, act, registration)[0]
    assert len(org.users) == 1


def test_without_an_api_token_accounts_are_not_offered_to_be_touched(manager: Client, waiting: Registration) -> None:
    page = manager.get(f"{LIST}{waiting.pk}/change/").content.decode()
    assert "act/repair/" not in page
    assert "not possible" in press(manager, "remove-account", waiting)[0]


@pytest.fixture
def okta(configure: Callable[..., None]) -> Any:
    configure(ISSUER="https://dev-1.okta.com", API_TOKEN=TOKEN)
    with responses.RequestsMock() as mock:
        yield mock


USER = "https://dev-1.okta.com/api/v1/users/00uHalf"


def test_removing_deactivates_and_deletes(manager: Client, registered: Callable[..., Registration], okta: Any) -> None:
    registration = registered(okta_user_id="00uHalf", status=Status.ENROLLING)
    okta.get(USER, json={"id": "00uHalf", "status": "PROVISIONED"})
    okta.delete(USER, status=204)
    okta.delete(USER, status=204)
    assert press(manager, "remove-account", registration) == ["1 unfinished Okta account deleted."]
    assert {call.request.headers["Authorization"] for call in okta.calls} == {f"SSWS {TOKEN}"}
    registration.refresh_from_db()
    assert registration.status == Status.FAILED


def test_a_provisioned_account_is_reactivated(
    manager: Client, registered: Callable[..., Registration], okta: Any
) -> None:
    okta.get(USER, json={"status": "PROVISIONED"})
    okta.post(f"{USER}/lifecycle/reactivate?sendEmail=true", json={})
    assert press(manager, "repair", registered(okta_user_id="00uHalf")) == ["1 activation email sent."]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 404, "json": {"errorCode": "E0000007", "errorSummary": "Not found"}}, "gone"),
        ({"status": 403, "json": {"errorCode": "E0000006", "errorSummary": "secret words"}}, "E0000006"),
        ({"status": 429, "json": {"errorCode": "E0000047"}}, "Too many attempts"),
        ({"status": 500, "body": "<html>"}, "didn't answer"),
        ({"status": 200, "json": {"status": "DEPROVISIONED"}}, "DEPROVISIONED"),
        ({"status": 200, "json": []}, "gone"),
    ],
)
def test_what_okta_answers_to_a_repair_is_told(
    manager: Client, registered: Callable[..., Registration], okta: Any, answer: Any, said: str
) -> None:
    okta.get(USER, **answer)
    (message,) = press(manager, "repair", registered(okta_user_id="00uHalf"))
    assert said in message
    assert TOKEN not in message


def test_an_account_of_another_org_is_left_alone(
    manager: Client, registered: Callable[..., Registration], okta: Any
) -> None:
    registration = registered(okta_user_id="00uHalf", issuer="https://other.okta.com")
    assert "not possible" in press(manager, "remove-account", registration)[0]
