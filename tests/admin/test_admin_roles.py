"""Who may open what and press what, asked from outside by URL."""

import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client

from selfreg.admin.actions import ACTIONS
from selfreg.models import DoctorRun, OktaIdentity, Registration
from selfreg.statuses import Status
from support.staff import EVERYBODY, LIST, MANAGER, NOBODY, PRIVACY_OFFICER, SUPPORTER, VIEWER

SEEING = {VIEWER, SUPPORTER, PRIVACY_OFFICER, MANAGER}
PAGES = {
    "": SEEING,
    "{pk}/change/": SEEING,
    "{pk}/history/": SEEING,
    "funnel/": SEEING,
    "funnel/?format=csv": SEEING,
    "funnel/?format=json": SEEING,
    "form/": SEEING,
    "export/": {PRIVACY_OFFICER, MANAGER},
    "/admin/selfreg/oktaidentity/": SEEING,
    "/admin/selfreg/oktaidentity/{identity}/change/": SEEING,
    "/admin/selfreg/oktaidentity/{identity}/history/": SEEING,
    "/admin/selfreg/doctorrun/": SEEING,
    "/admin/selfreg/doctorrun/{run}/change/": SEEING,
}
PRESSING = {
    "resend": {SUPPORTER, MANAGER},
    "cancel": {SUPPORTER, MANAGER},
    "erase": {PRIVACY_OFFICER, MANAGER},
    "expire": {MANAGER},
    "repair": {MANAGER},
    "remove-account": {MANAGER},
    "approve": {MANAGER},
    "reject": {MANAGER},
}


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_for_those_who_may_see_it(
    staff: Callable[[str], Client], registered: Callable[..., Registration], role: str, page: str
) -> None:
    somebody = User.objects.create_user("somebody")
    identity = OktaIdentity.objects.create(issuer="https://dev-1.okta.com", subject="00uSomebody", user=somebody)
    run = DoctorRun.objects.create(issuer="https://dev-1.okta.com", ok=True)
    url = page.format(pk=registered().pk, identity=identity.pk, run=run.pk)
    answer = staff(role).get(urljoin(LIST, url))
    assert answer.status_code == (200 if role in PAGES[page] else 403)


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("act", [act.name for act in ACTIONS])
@pytest.mark.parametrize("confirmed", ["", "yes"])
def test_an_action_can_be_pressed_by_those_who_may(
    staff: Callable[[str], Client], registered: Callable[..., Registration], role: str, act: str, confirmed: str
) -> None:
    registration = registered(status=Status.STARTED)
    form = {"_selected_action": str(registration.pk), "confirmed": confirmed, "reason": "because"}
    answer = staff(role).post(f"{LIST}act/{act}/", form)
    allowed = 302 if confirmed else 200
    assert answer.status_code == (allowed if role in PRESSING[act] else 403)
    if role not in PRESSING[act] or not confirmed:
        before = registration.version
        registration.refresh_from_db()
        assert (registration.version, registration.events.count()) == (before, 0)


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("act", [act.name for act in ACTIONS])
def test_the_list_offers_an_action_to_those_who_may(
    staff: Callable[[str], Client],
    registered: Callable[..., Registration],
    configure: Callable[..., None],
    role: str,
    act: str,
) -> None:
    configure(APPROVAL=True, API_TOKEN="canary-api-token")
    registration = registered(status=Status.STARTED)
    browser = staff(role)
    page = browser.get(LIST).content.decode()
    assert (f'<option value="{act}">' in page) is (role in PRESSING[act])
    answer = browser.post(LIST, {"_selected_action": str(registration.pk), "action": act, "index": "0"})
    assert ("selfreg-ask" in answer.content.decode()) is (role in PRESSING[act])
    assert registration.events.count() == 0


def test_the_list_offers_nothing_that_the_site_is_not_set_up_for(
    manager: Client, registered: Callable[..., Registration], configure: Callable[..., None]
) -> None:
    configure(API_TOKEN="")
    registered()
    offered = set(re.findall(r'<option value="([a-z-]+)">', manager.get(LIST).content.decode()))
    assert offered == {act.name for act in ACTIONS} - {"approve", "reject", "repair", "remove-account"}


@pytest.mark.parametrize("role", EVERYBODY)
def test_only_who_may_reveal_sees_an_address(
    staff: Callable[[str], Client], registered: Callable[..., Registration], role: str
) -> None:
    registration = registered(email="ada@example.com", email_canonical="ada@example.com")
    browser = staff(role)
    one = {"_selected_action": str(registration.pk)}
    pages = [
        *(browser.get(LIST + url) for url in ("", f"{registration.pk}/change/", "?q=ada@example.co", "?q=ada")),
        *(browser.post(f"{LIST}act/{act.name}/", one) for act in ACTIONS),
    ]
    shown = ["ada@example.com" in page.content.decode() for page in pages]
    assert shown[:3] == [role in {PRIVACY_OFFICER, MANAGER}] * 3
    if role not in {PRIVACY_OFFICER, MANAGER}:
        assert not any(shown)
        assert str(registration.pk) not in browser.get(f"{LIST}?q=ada").content.decode()


@pytest.mark.parametrize("role", EVERYBODY)
def test_nobody_adds_changes_or_deletes_by_hand(
    staff: Callable[[str], Client], registered: Callable[..., Registration], role: str
) -> None:
    registration = registered()
    browser = staff(role)
    assert browser.get(f"{LIST}add/").status_code == 403
    assert browser.post(f"{LIST}{registration.pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.post(f"{LIST}{registration.pk}/change/", {"status": "completed"}).status_code in (403, 405)
    assert browser.post(LIST, {"_selected_action": str(registration.pk), "action": "delete_selected", "index": "0"})
    assert Registration.objects.get().status == Status.STARTED


@pytest.mark.parametrize("url", ["act/cancel/", "act/erase/"])
def test_actions_are_not_links(manager: Client, registered: Callable[..., Registration], url: str) -> None:
    registration = registered(email="ada@example.com")
    answer = manager.get(
        LIST + url.format(pk=registration.pk), {"_selected_action": str(registration.pk), "confirmed": "yes"}
    )
    assert answer.status_code == 405
    assert Registration.objects.get().status == Status.STARTED


def test_actions_need_the_token_of_the_page(
    staff: Callable[[str], Client], registered: Callable[..., Registration]
) -> None:
    registration = registered()
    browser = staff(MANAGER)
    browser.handler.enforce_csrf_checks = True
    form = {"_selected_action": str(registration.pk), "confirmed": "yes"}
    assert browser.post(f"{LIST}act/cancel/", form).status_code == 403
    assert Registration.objects.get().status == Status.STARTED


def test_a_stranger_is_asked_to_log_in(client: Client, registered: Callable[..., Registration]) -> None:
    registration = registered()
    for url in ("", f"{registration.pk}/change/", "funnel/", "form/", "export/"):
        answer = client.get(LIST + url)
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]
    assert (
        client.post(f"{LIST}act/cancel/", {"_selected_action": str(registration.pk), "confirmed": "yes"}).status_code
        == 302
    )
    assert Registration.objects.get().status == Status.STARTED


def test_the_command_makes_the_groups_and_restores_them(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("selfreg_roles")
    assert set(Group.objects.values_list("name", flat=True)) == {VIEWER, SUPPORTER, PRIVACY_OFFICER, MANAGER}
    before = set(Group.objects.get(name=SUPPORTER).permissions.values_list("codename", flat=True))
    Group.objects.get(name=SUPPORTER).permissions.clear()
    call_command("selfreg_roles")
    assert set(Group.objects.get(name=SUPPORTER).permissions.values_list("codename", flat=True)) == before
    assert {"resend_registration", "cancel_registration"} < before
    assert re.search(r"Sign-up viewer: .*view_registration", capsys.readouterr().out)


def test_nobody_without_a_role_is_told_that_there_are_registrations(staff: Callable[[str], Client]) -> None:
    assert "selfreg" not in staff(NOBODY).get("/admin/").content.decode()
