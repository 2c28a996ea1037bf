"""The card on the admin index, the menu, doctor runs, and the list of identities."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.models import DoctorRun, OktaIdentity, Registration, RegistrationEvent
from selfreg.reports import overview as overview_module
from selfreg.statuses import Status
from support.staff import ALL_ROLES, LIST, MANAGER, NO_ROLE, PRIVACY_OFFICER, SUPPORTER, VIEWER

pytestmark = pytest.mark.database

Make = Callable[..., Registration]
Kind = RegistrationEvent.Kind
DOCTOR, IDENTITIES = "/admin/selfreg/doctorrun/", "/admin/selfreg/oktaidentity/"
DAY = 24 * 60


def card(browser: Client, url: str = "/admin/") -> dict[str, str]:
    """Return the numbers of the card by label, or nothing without a card."""
    page = browser.get(url).content.decode()
    figures = re.findall(r"<dt><a [^>]*>(.*?)</a></dt>\s*<dd[^>]*>(.*?)</dd>", page, re.DOTALL)
    return {label: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for label, text in figures}


@pytest.fixture
def registrations_of_two_days(make_registration: Make) -> None:
    for minutes in (1, 30, DAY - 120):
        make_registration(minutes=minutes, status=Status.COMPLETED)
    make_registration(minutes=60)
    make_registration(minutes=5)
    make_registration(minutes=90, status=Status.FAILED)
    make_registration(minutes=DAY + 200, status=Status.FAILED)
    make_registration(minutes=DAY + 300, status=Status.COMPLETED)
    make_registration(minutes=DAY + 400, status=Status.AWAITING_EMAIL)


@pytest.mark.parametrize("url", ["/admin/", "/admin/selfreg/"])
def test_card_shows_the_numbers_of_the_last_day(manager: Client, registrations_of_two_days: None, url: str) -> None:
    assert card(manager, url) == {
        "Started in the last 24 hours": "6 the day before: 3",
        "Completed": "3 50 % the day before: 33 %",
        "Stuck now": "1",
        "Waiting for email": "1",
        "Failed in the last 24 hours": "1",
        "Calls to Okta in the last hour": "✓ none failed",
        "Doctor": "The org was never examined.",
    }


def test_each_number_links_to_the_registrations_it_counts(manager: Client, registrations_of_two_days: None) -> None:
    page = manager.get("/admin/").content.decode()
    links = re.findall(rf'<dt><a href="({LIST}\?[^"]+)">', page)
    assert len(links) == 5
    lengths = []
    for link in links:
        response = manager.get(link.replace("&amp;", "&"))
        lengths.append(len(response.context["cl"].result_list))
    assert lengths == [6, 3, 1, 1, 1]


@pytest.mark.parametrize(("page", "name"), [("", "Registrations"), ("funnel/", "Funnel"), ("form/", "Sign-up form")])
def test_menu_marks_only_the_current_page(manager: Client, org: OrgHandle, page: str, name: str) -> None:
    menu = manager.get(LIST + page).content.decode().partition('id="nav-sidebar"')[2].partition("</nav>")[0]
    assert re.findall(r'aria-current="page">([^<]+)', menu) == [name]
    assert len(re.findall(r'class="model-\w+ current-model"', menu)) == 1


@pytest.mark.parametrize("minute", [0, 1, 30, 59])
def test_card_and_list_count_the_same_24_hours(manager: Client, make_registration: Make, minute: int) -> None:
    now = timezone.now().replace(hour=10, minute=minute, second=30)
    with time_machine.travel(now, tick=False):
        for age in range(DAY - 70, DAY + 70, 10):
            make_registration(minutes=age)
        shown = manager.get(f"{LIST}?period=day").context["cl"].result_count
        assert next(iter(card(manager).values())).split()[0] == str(shown)


def test_card_still_counts_purged_registrations(manager: Client, registrations_of_two_days: None) -> None:
    before = card(manager)["Completed"]
    call_command("selfreg_purge", stdout=io.StringIO())
    assert Registration.objects.filter(tallied=True).exists()
    assert card(manager)["Completed"] == before


def test_card_has_no_comparison_without_a_previous_day(manager: Client, make_registration: Make) -> None:
    make_registration(minutes=1)
    assert card(manager)["Started in the last 24 hours"] == "1"


def test_card_shows_failed_calls_and_the_last_doctor_run(manager: Client, make_registration: Make) -> None:
    make_registration().note(Kind.TROUBLE, outcome="OrgUnreachable")
    DoctorRun.objects.create(issuer="https://dev-1.okta.com", ok=False, at=timezone.now() - timedelta(hours=2))
    figures = card(manager)
    assert figures["Calls to Okta in the last hour"] == "✕ failed: 1"
    assert figures["Doctor"].startswith("✕ Something prevents people from signing up. 2 hours ago")


def test_card_shows_registrations_awaiting_approval_if_approval_is_on(
    manager: Client, make_registration: Make, configure: Callable[..., None]
) -> None:
    assert "Waiting for approval" not in card(manager)
    configure(APPROVAL=True)
    assert card(manager)["Waiting for approval"] == "0"
    make_registration(status=Status.AWAITING_APPROVAL)
    assert card(manager)["Waiting for approval"] == "1"
    configure(APPROVAL=False)
    assert card(manager)["Waiting for approval"] == "1", "nobody else decides"


def test_card_stops_counting_at_a_maximum(
    manager: Client, registrations_of_two_days: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("selfreg.reports.overview", "selfreg.admin.start_page"):
        monkeypatch.setattr(f"{module}.MAX_STARTED", 4)
    assert overview_module.overview().today.started == 5
    assert card(manager)["Started in the last 24 hours"].startswith("4+")
    assert card(manager)["Completed"].startswith("3 the day before")


@pytest.mark.parametrize("role", ALL_ROLES)
def test_card_is_shown_only_to_permitted_roles(
    staff: Callable[[str], Client], make_registration: Make, role: str
) -> None:
    make_registration()
    assert bool(card(staff(role))) is (role != NO_ROLE)


@pytest.mark.parametrize("string_if_invalid", ["", "MISSING"])
def test_card_shows_only_the_doctor_with_the_permission_for_doctor_runs(
    client: Client, make_registration: Make, settings: Any, string_if_invalid: str
) -> None:
    (engine,) = settings.TEMPLATES
    options = engine["OPTIONS"] | {"string_if_invalid": string_if_invalid}
    settings.TEMPLATES = [engine | {"OPTIONS": options}]
    user = User.objects.create_user("watcher", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_doctorrun"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert set(card(client)) == {"Doctor"}


def test_number_of_queries_of_the_card_does_not_grow_with_the_rows(manager: Client, make_registration: Make) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            manager.get("/admin/")
        return len(captured)

    make_registration()
    queries()
    expected = queries()
    for _ in range(20):
        make_registration(events=((Kind.TROUBLE, "", "AnswerLost", 1),))
    assert queries() == expected <= 14


def test_menu_entries_are_ordered_and_open(manager: Client) -> None:
    page = manager.get("/admin/").content.decode()
    (section,) = re.findall(r'<div class="app-selfreg module.*?</table>', page, re.DOTALL)
    entries = re.findall(r'<th scope="row"[^>]*>\s*<a href="([^"]+)"[^>]*>(.*?)</a>', section)
    assert [name for _url, name in entries] == ["Registrations", "Funnel", "Sign-up form", "Doctor", "Okta identities"]
    assert {manager.get(url).status_code for url, _name in entries} == {200}


def test_menu_hides_registrations_without_the_permission(client: Client, db: None) -> None:
    user = User.objects.create_user("watcher", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_doctorrun"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/admin/").content.decode()
    assert "Doctor" in page
    assert "Funnel" not in page


# ---- the doctor


@pytest.mark.parametrize("role", ALL_ROLES)
def test_only_managers_can_start_a_doctor_run(staff: Callable[[str], Client], org: OrgHandle, role: str) -> None:
    browser = staff(role)
    assert ("Examine now" in browser.get(DOCTOR).content.decode()) is (role == MANAGER)
    response = browser.post(f"{DOCTOR}examine/", follow=True)
    assert response.status_code == (200 if role == MANAGER else 403)
    assert DoctorRun.objects.count() == (role == MANAGER)
    assert not org.users


def test_doctor_run_requires_post(manager: Client, org: OrgHandle) -> None:
    assert manager.get(f"{DOCTOR}examine/").status_code == 405
    assert not DoctorRun.objects.exists()


def test_doctor_run_shows_findings_and_how_to_correct_them(manager: Client, org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    response = manager.post(f"{DOCTOR}examine/", follow=True)
    page = unescape(response.content.decode())
    assert "something prevents people from signing up" in str(next(iter(response.context["messages"])))
    findings = DoctorRun.objects.get().report["findings"]
    assert findings
    for finding in findings:
        assert finding["sentence"] in page
        assert not finding["path"] or f"<strong>{finding['path']}</strong>" in page


def test_doctor_run_of_an_unavailable_org_is_stored_as_failed(manager: Client, org: OrgHandle) -> None:
    org.fail("*", "status", status=503, times=50)
    assert manager.post(f"{DOCTOR}examine/", follow=True).status_code == 200
    assert not DoctorRun.objects.get().ok


def test_page_names_the_doctor_command_without_the_permission_to_run_it(staff: Callable[[str], Client]) -> None:
    assert "selfreg_doctor" in staff(VIEWER).get(DOCTOR).content.decode()


# ---- identities


@pytest.fixture
def ada(make_registration: Make) -> OktaIdentity:
    make_registration(
        status=Status.COMPLETED, email="ada@example.com", email_canonical="ada@example.com", okta_user_id="00uAda"
    )
    user = User.objects.create_user(
        "okta-128a847f",
        email="ada@example.com",
        first_name="Ada",
        last_name="Lovelace",
        last_login=timezone.now() - timedelta(hours=3),
    )
    other_user = User.objects.create_user("okta-2", email="grace@example.com")
    OktaIdentity.objects.create(issuer="https://dev-1.okta.com", subject="00uGrace", user=other_user)
    return OktaIdentity.objects.create(issuer="https://dev-1.okta.com", subject="00uAda", user=user)


def names(browser: Client, query: str = "") -> list[str]:
    page = browser.get(f"{IDENTITIES}?{query}").content.decode()
    return re.findall(r'class="field-name"><a [^>]*>(.*?)</a>', page)


def test_identity_shows_name_address_and_registration(staff: Callable[[str], Client], ada: OktaIdentity) -> None:
    for role, shown, hidden in ((MANAGER, "ada@example.com", "•••"), (VIEWER, "a•••@example.com", "ada@example.com")):
        browser = staff(role)
        page = browser.get(IDENTITIES).content.decode()
        assert names(browser) == ["Ada Lovelace", "okta-2"]
        assert shown in page
        assert hidden not in page
        assert "3\xa0hours ago" in page
        assert f'<a href="{LIST}{Registration.objects.get().pk}/change/">' in page
        page = browser.get(f"{IDENTITIES}{ada.pk}/change/").content.decode()
        assert "Ada Lovelace" in page
        assert shown in page
        assert hidden not in page
        assert f'<a href="{LIST}{Registration.objects.get().pk}/change/">' in page


@pytest.mark.parametrize(
    ("term", "role", "figures"),
    [
        ("00uAda", VIEWER, 1),
        ("00uada", VIEWER, 0),
        ("Ada@example.com", VIEWER, 1),
        ("ada@exam", SUPPORTER, 0),
        ("ada@exam", PRIVACY_OFFICER, 1),
        ("nobody", MANAGER, 0),
    ],
)
def test_search_finds_identities_by_subject_and_address(
    staff: Callable[[str], Client],
    ada: OktaIdentity,
    configure: Callable[..., None],
    term: str,
    role: str,
    figures: int,
) -> None:
    configure(ISSUER="https://dev-1.okta.com")
    assert len(names(staff(role), f"q={term}")) == figures


def test_viewing_addresses_in_the_list_of_identities_is_logged(
    staff: Callable[[str], Client], ada: OktaIdentity
) -> None:
    staff(VIEWER).get(IDENTITIES)
    assert not LogEntry.objects.exists()
    browser = staff(MANAGER)
    for _ in range(2):
        browser.get(IDENTITIES)
    assert LogEntry.objects.get().change_message == "Viewed full email addresses of Okta identities"


def test_viewing_the_address_of_one_identity_is_logged(staff: Callable[[str], Client], ada: OktaIdentity) -> None:
    staff(VIEWER).get(f"{IDENTITIES}{ada.pk}/change/")
    assert not LogEntry.objects.exists()
    staff(MANAGER).get(f"{IDENTITIES}{ada.pk}/change/")
    assert LogEntry.objects.get().change_message == "Viewed the full email address"


def test_list_of_identities_stops_counting_at_a_maximum(
    manager: Client, ada: OktaIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = User.objects.create_user("okta-3")
    OktaIdentity.objects.create(issuer="https://dev-1.okta.com", subject="00uThird", user=user)
    monkeypatch.setattr("selfreg.admin.identities.MAX_LISTED", 2)
    monkeypatch.setattr("selfreg.admin.identities.OktaIdentityAdmin.list_per_page", 1)
    with CaptureQueriesContext(connection) as captured:
        assert names(manager) == ["okta-3"]
        statements = [str(query["sql"]) for query in captured]
    assert names(manager, "p=2") == ["Ada Lovelace"]
    assert names(manager, "p=3") != ["okta-2"]
    count_statements = [sql for sql in statements if "COUNT(" in sql and "oktaidentity" in sql]
    assert count_statements
    assert all("LIMIT 2" in sql for sql in count_statements)
