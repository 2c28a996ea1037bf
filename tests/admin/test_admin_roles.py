"""Permissions of the roles: which pages and actions they may use, checked by URL."""

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
from support.staff import ALL_ROLES, LIST, MANAGER, NO_ROLE, PRIVACY_OFFICER, SUPPORTER, VIEWER

CAN_VIEW = {VIEWER, SUPPORTER, PRIVACY_OFFICER, MANAGER}
PAGES = {
    "": CAN_VIEW,
    "{pk}/change/": CAN_VIEW,
    "{pk}/history/": CAN_VIEW,
    "funnel/": CAN_VIEW,
    "funnel/?format=csv": CAN_VIEW,
    "funnel/?format=json": CAN_VIEW,
    "form/": CAN_VIEW,
    "export/": {PRIVACY_OFFICER, MANAGER},
    "/admin/selfreg/oktaidentity/": CAN_VIEW,
    "/admin/selfreg/oktaidentity/{identity}/change/": CAN_VIEW,
    "/admin/selfreg/oktaidentity/{identity}/history/": CAN_VIEW,
    "/admin/selfreg/doctorrun/": CAN_VIEW,
    "/admin/selfreg/doctorrun/{run}/change/": CAN_VIEW,
}
ALLOWED_ROLES = {
    "resend": {SUPPORTER, MANAGER},
    "cancel": {SUPPORTER, MANAGER},
    "erase": {PRIVACY_OFFICER, MANAGER},
    "expire": {MANAGER},
    "repair": {MANAGER},
    "remove-account": {MANAGER},
    "approve": {MANAGER},
    "reject": {MANAGER},
}
POSSIBLE_ACTIONS = {
    Status.ENROLLING: {"cancel", "expire", "erase", "repair", "remove-account"},
    Status.AWAITING_APPROVAL: {"approve", "reject", "cancel", "expire", "erase"},
}


@pytest.mark.parametrize("role", ALL_ROLES)
@pytest.mark.parametrize("page", PAGES)
def test_pages_are_visible_only_to_permitted_roles(
    staff: Callable[[str], Client], make_registration: Callable[..., Registration], role: str, page: str
) -> None:
    user = User.objects.create_user("somebody")
    identity = OktaIdentity.objects.create(issuer="https://dev-1.okta.com", subject="00uSomebody", user=user)
    run = DoctorRun.objects.create(issuer="https://dev-1.okta.com", ok=True)
    url = page.format(pk=make_registration().pk, identity=identity.pk, run=run.pk)
    response = staff(role).get(urljoin(LIST, url))
    assert response.status_code == (200 if role in PAGES[page] else 403)


@pytest.mark.parametrize("role", ALL_ROLES)
@pytest.mark.parametrize("action", [action.name for action in ACTIONS])
@pytest.mark.parametrize("confirmed", ["", "yes"])
def test_actions_are_allowed_only_to_permitted_roles(
    staff: Callable[[str], Client],
    make_registration: Callable[..., Registration],
    role: str,
    action: str,
    confirmed: str,
) -> None:
    registration = make_registration(status=Status.STARTED)
    form = {"_selected_action": str(registration.pk), "confirmed": confirmed, "reason": "because"}
    response = staff(role).post(f"{LIST}act/{action}/", form)
    allowed = 302 if confirmed else 200
    assert response.status_code == (allowed if role in ALLOWED_ROLES[action] else 403)
    if role not in ALLOWED_ROLES[action] or not confirmed:
        before = registration.version
        registration.refresh_from_db()
        assert (registration.version, registration.events.count()) == (before, 0)


@pytest.mark.parametrize("role", ALL_ROLES)
@pytest.mark.parametrize("action", [action.name for action in ACTIONS])
def test_list_offers_actions_only_to_permitted_roles(
    staff: Callable[[str], Client],
    make_registration: Callable[..., Registration],
    configure: Callable[..., None],
    role: str,
    action: str,
) -> None:
    configure(APPROVAL=True, API_TOKEN="canary-api-token")
    registration = make_registration(status=Status.STARTED)
    browser = staff(role)
    page = browser.get(LIST).content.decode()
    assert (f'<option value="{action}">' in page) is (role in ALLOWED_ROLES[action])
    response = browser.post(LIST, {"_selected_action": str(registration.pk), "action": action, "index": "0"})
    assert ("selfreg-ask" in response.content.decode()) is (role in ALLOWED_ROLES[action])
    assert registration.events.count() == 0


@pytest.mark.parametrize("role", sorted(CAN_VIEW))
@pytest.mark.parametrize("status", [Status.ENROLLING, Status.AWAITING_APPROVAL])
def test_registration_page_offers_actions_only_to_permitted_roles(
    staff: Callable[[str], Client],
    make_registration: Callable[..., Registration],
    configure: Callable[..., None],
    role: str,
    status: Status,
) -> None:
    configure(ISSUER="https://dev-1.okta.com", APPROVAL=True, API_TOKEN="canary-api-token")
    registration = make_registration(status=status, okta_user_id="00uSomebody")
    page = staff(role).get(f"{LIST}{registration.pk}/change/").content.decode()
    offered = set(re.findall(r'id="selfreg-act-([\w-]+)"', page))
    assert offered == {name for name in POSSIBLE_ACTIONS[status] if role in ALLOWED_ROLES[name]}
    assert ("Possible, but not with your permissions" in page) is (offered < POSSIBLE_ACTIONS[status])


def test_list_offers_no_actions_that_are_not_configured(
    manager: Client, make_registration: Callable[..., Registration], configure: Callable[..., None]
) -> None:
    configure(API_TOKEN="")
    make_registration()
    options = set(re.findall(r'<option value="([a-z-]+)">', manager.get(LIST).content.decode()))
    assert options == {action.name for action in ACTIONS} - {"approve", "reject", "repair", "remove-account"}


@pytest.mark.parametrize("role", ALL_ROLES)
def test_full_addresses_are_shown_only_to_permitted_roles(
    staff: Callable[[str], Client], make_registration: Callable[..., Registration], role: str
) -> None:
    registration = make_registration(email="ada@example.com", email_canonical="ada@example.com")
    browser = staff(role)
    selection = {"_selected_action": str(registration.pk)}
    pages = [
        *(browser.get(LIST + url) for url in ("", f"{registration.pk}/change/", "?q=ada@example.co", "?q=ada")),
        *(browser.post(f"{LIST}act/{action.name}/", selection) for action in ACTIONS),
    ]
    revealed = ["ada@example.com" in page.content.decode() for page in pages]
    assert revealed[:3] == [role in {PRIVACY_OFFICER, MANAGER}] * 3
    if role not in {PRIVACY_OFFICER, MANAGER}:
        assert not any(revealed)
        assert str(registration.pk) not in browser.get(f"{LIST}?q=ada").content.decode()


@pytest.mark.parametrize("role", ALL_ROLES)
def test_registrations_cannot_be_added_edited_or_deleted_by_hand(
    staff: Callable[[str], Client], make_registration: Callable[..., Registration], role: str
) -> None:
    registration = make_registration()
    browser = staff(role)
    assert browser.get(f"{LIST}add/").status_code == 403
    assert browser.post(f"{LIST}{registration.pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.post(f"{LIST}{registration.pk}/change/", {"status": "completed"}).status_code == 405
    assert browser.post(LIST, {"_selected_action": str(registration.pk), "action": "delete_selected", "index": "0"})
    assert Registration.objects.get().status == Status.STARTED


@pytest.mark.parametrize("url", ["act/cancel/", "act/erase/"])
def test_actions_are_not_accepted_by_get(
    manager: Client, make_registration: Callable[..., Registration], url: str
) -> None:
    registration = make_registration(email="ada@example.com")
    response = manager.get(
        LIST + url.format(pk=registration.pk), {"_selected_action": str(registration.pk), "confirmed": "yes"}
    )
    assert response.status_code == 405
    assert Registration.objects.get().status == Status.STARTED


def test_actions_require_a_csrf_token(
    staff: Callable[[str], Client], make_registration: Callable[..., Registration]
) -> None:
    registration = make_registration()
    browser = staff(MANAGER)
    browser.handler.enforce_csrf_checks = True
    form = {"_selected_action": str(registration.pk), "confirmed": "yes"}
    assert browser.post(f"{LIST}act/cancel/", form).status_code == 403
    assert Registration.objects.get().status == Status.STARTED


def test_anonymous_visitor_is_redirected_to_the_login(
    client: Client, make_registration: Callable[..., Registration]
) -> None:
    registration = make_registration()
    for url in ("", f"{registration.pk}/change/", "funnel/", "form/", "export/"):
        response = client.get(LIST + url)
        assert response.status_code == 302
        assert "/login/" in response["Location"]
    assert (
        client.post(f"{LIST}act/cancel/", {"_selected_action": str(registration.pk), "confirmed": "yes"}).status_code
        == 302
    )
    assert Registration.objects.get().status == Status.STARTED


def test_roles_command_creates_and_restores_the_groups(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("selfreg_roles")
    assert set(Group.objects.values_list("name", flat=True)) == {VIEWER, SUPPORTER, PRIVACY_OFFICER, MANAGER}
    before = set(Group.objects.get(name=SUPPORTER).permissions.values_list("codename", flat=True))
    Group.objects.get(name=SUPPORTER).permissions.clear()
    call_command("selfreg_roles")
    assert set(Group.objects.get(name=SUPPORTER).permissions.values_list("codename", flat=True)) == before
    assert {"resend_registration", "cancel_registration"} < before
    assert re.search(r"Sign-up viewer: .*view_registration", capsys.readouterr().out)


def test_admin_index_hides_the_app_from_staff_without_a_role(staff: Callable[[str], Client]) -> None:
    assert "selfreg" not in staff(NO_ROLE).get("/admin/").content.decode()
