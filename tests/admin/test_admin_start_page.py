"""The card on the start page, the menu, the doctor's button and the list of identities."""

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
from support.staff import EVERYBODY, LIST, MANAGER, NOBODY, PRIVACY_OFFICER, SUPPORTER, VIEWER

pytestmark = pytest.mark.database

Make = Callable[..., Registration]
Kind = RegistrationEvent.Kind
DOCTOR, IDENTITIES = "/admin/selfreg/doctorrun/", "/admin/selfreg/oktaidentity/"
DAY = 24 * 60


def card(browser: Client, url: str = "/admin/") -> dict[str, str]:
    """Label -> figure of the card; empty without a card."""
    page = browser.get(url).content.decode()
    found = re.findall(r"<dt><a [^>]*>(.*?)</a></dt>\s*<dd[^>]*>(.*?)</dd>", page, re.DOTALL)
    return {label: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for label, text in found}


@pytest.fixture
def two_days(registered: Make) -> None:
    for minutes in (1, 30, DAY - 120):
        registered(minutes=minutes, status=Status.COMPLETED)
    registered(minutes=60)
    registered(minutes=5)
    registered(minutes=90, status=Status.FAILED)
    registered(minutes=DAY + 200, status=Status.FAILED)
    registered(minutes=DAY + 300, status=Status.COMPLETED)
    registered(minutes=DAY + 400, status=Status.AWAITING_EMAIL)


@pytest.mark.parametrize("url", ["/admin/", "/admin/selfreg/"])
def test_the_card_tells_what_goes_on(manager: Client, two_days: None, url: str) -> None:
    assert card(manager, url) == {
        "Started in the last 24 hours": "6 the day before: 3",
        "Completed": "3 50 % the day before: 33 %",
        "Stuck now": "1",
        "Waiting for email": "1",
        "Failed in the last 24 hours": "1",
        "Calls to Okta in the last hour": "✓ none failed",
        "Doctor": "The org was never examined.",
    }


def test_each_figure_leads_to_what_it_counts(manager: Client, two_days: None) -> None:
    page = manager.get("/admin/").content.decode()
    links = re.findall(rf'<dt><a href="({LIST}\?[^"]+)">', page)
    assert len(links) == 5
    lengths = []
    for link in links:
        answer = manager.get(link.replace("&amp;", "&"))
        lengths.append(len(answer.context["cl"].result_list))
    assert lengths == [6, 3, 1, 1, 1]


@pytest.mark.parametrize(("page", "name"), [("", "Registrations"), ("funnel/", "Funnel"), ("form/", "Sign-up form")])
def test_the_menu_marks_the_page_and_no_other(manager: Client, org: OrgHandle, page: str, name: str) -> None:
    menu = manager.get(LIST + page).content.decode().partition('id="nav-sidebar"')[2].partition("</nav>")[0]
    assert re.findall(r'aria-current="page">([^<]+)', menu) == [name]
    assert len(re.findall(r'class="model-\w+ current-model"', menu)) == 1


@pytest.mark.parametrize("minute", [0, 1, 30, 59])
def test_the_last_24_hours_of_the_card_are_those_of_the_list(manager: Client, registered: Make, minute: int) -> None:
    now = timezone.now().replace(hour=10, minute=minute, second=30)
    with time_machine.travel(now, tick=False):
        for age in range(DAY - 70, DAY + 70, 10):
            registered(minutes=age)
        shown = manager.get(f"{LIST}?period=day").context["cl"].result_count
        assert next(iter(card(manager).values())).split()[0] == str(shown)


def test_who_was_erased_stays_counted_on_the_card(manager: Client, two_days: None) -> None:
    before = card(manager)["Completed"]
    call_command("selfreg_purge", stdout=io.StringIO())
    assert Registration.objects.filter(tallied=True).exists()
    assert card(manager)["Completed"] == before


def test_without_a_day_before_there_is_no_comparison(manager: Client, registered: Make) -> None:
    registered(minutes=1)
    assert card(manager)["Started in the last 24 hours"] == "1"


def test_failed_calls_and_the_last_examination_are_told(manager: Client, registered: Make) -> None:
    registered().note(Kind.TROUBLE, outcome="OrgUnreachable")
    DoctorRun.objects.create(issuer="https://dev-1.okta.com", ok=False, at=timezone.now() - timedelta(hours=2))
    found = card(manager)
    assert found["Calls to Okta in the last hour"] == "✕ failed: 1"
    assert found["Doctor"].startswith("✕ Something prevents people from signing up. 2 hours ago")


def test_sites_with_approval_see_who_waits_for_it(
    manager: Client, registered: Make, configure: Callable[..., None]
) -> None:
    assert "Waiting for approval" not in card(manager)
    configure(APPROVAL=True)
    assert card(manager)["Waiting for approval"] == "0"
    registered(status=Status.AWAITING_APPROVAL)
    assert card(manager)["Waiting for approval"] == "1"
    configure(APPROVAL=False)
    assert card(manager)["Waiting for approval"] == "1", "nobody else decides"


def test_counting_the_day_stops_too(manager: Client, two_days: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("selfreg.reports.overview", "selfreg.admin.start_page"):
        monkeypatch.setattr(f"{module}.MAX_STARTED", 4)
    assert overview_module.overview().today.started == 5
    assert card(manager)["Started in the last 24 hours"].startswith("4+")
    assert card(manager)["Completed"].startswith("3 the day before")


@pytest.mark.parametrize("role", EVERYBODY)
def test_the_card_is_for_those_who_may_see_registrations(
    staff: Callable[[str], Client], registered: Make, role: str
) -> None:
    registered()
    assert bool(card(staff(role))) is (role != NOBODY)


@pytest.mark.parametrize("instead_of_a_missing_variable", ["", "MISSING"])
def test_who_may_see_doctor_runs_only_sees_no_more_on_the_card(
    client: Client, registered: Make, settings: Any, instead_of_a_missing_variable: str
) -> None:
    (engine,) = settings.TEMPLATES
    options = engine["OPTIONS"] | {"string_if_invalid": instead_of_a_missing_variable}
    settings.TEMPLATES = [engine | {"OPTIONS": options}]
    user = User.objects.create_user("watcher", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_doctorrun"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert set(card(client)) == {"Doctor"}


def test_the_card_costs_the_same_few_queries(manager: Client, registered: Make) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            manager.get("/admin/")
        return len(captured)

    registered()
    queries()
    few = queries()
    for _ in range(20):
        registered(events=((Kind.TROUBLE, "", "AnswerLost", 1),))
    assert queries() == few <= 14


def test_the_menu_has_an_order(manager: Client) -> None:
    page = manager.get("/admin/").content.decode()
    (section,) = re.findall(r'<div class="app-selfreg module.*?</table>', page, re.DOTALL)
    entries = re.findall(r'<th scope="row"[^>]*>\s*<a href="([^"]+)"[^>]*>(.*?)</a>', section)
    assert [name for _url, name in entries] == ["Registrations", "Funnel", "Sign-up form", "Doctor", "Okta identities"]
    assert {manager.get(url).status_code for url, _name in entries} == {200}


def test_the_menu_has_no_page_of_registrations_for_who_may_not_see_them(client: Client, db: None) -> None:
    user = User.objects.create_user("watcher", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_doctorrun"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/admin/").content.decode()
    assert "Doctor" in page
    assert "Funnel" not in page


# ---- the doctor


@pytest.mark.parametrize("role", EVERYBODY)
def test_who_may_has_the_org_examined(staff: Callable[[str], Client], org: OrgHandle, role: str) -> None:
    browser = staff(role)
    assert ("Examine now" in browser.get(DOCTOR).content.decode()) is (role == MANAGER)
    answer = browser.post(f"{DOCTOR}examine/", follow=True)
    assert answer.status_code == (200 if role == MANAGER else 403)
    assert DoctorRun.objects.count() == (role == MANAGER)
    assert not org.users


def test_an_examination_is_by_post_only(manager: Client, org: OrgHandle) -> None:
    assert manager.get(f"{DOCTOR}examine/").status_code == 405
    assert not DoctorRun.objects.exists()


def test_an_examination_tells_what_is_wrong_and_how_to_mend_it(manager: Client, org: OrgHandle) -> None:
    org.patch_policy({"sign_up": False})
    answer = manager.post(f"{DOCTOR}examine/", follow=True)
    page = unescape(answer.content.decode())
    assert "something prevents people from signing up" in str(next(iter(answer.context["messages"])))
    findings = DoctorRun.objects.get().report["findings"]
    assert findings
    for finding in findings:
        assert finding["sentence"] in page
        assert not finding["path"] or f"<strong>{finding['path']}</strong>" in page


def test_an_examination_of_an_org_that_is_away_is_a_finding(manager: Client, org: OrgHandle) -> None:
    org.fail("*", "status", status=503, times=50)
    assert manager.post(f"{DOCTOR}examine/", follow=True).status_code == 200
    assert not DoctorRun.objects.get().ok


def test_somebody_who_may_not_is_told_what_to_do(staff: Callable[[str], Client]) -> None:
    assert "selfreg_doctor" in staff(VIEWER).get(DOCTOR).content.decode()


# ---- identities


@pytest.fixture
def ada(registered: Make) -> OktaIdentity:
    registered(
        status=Status.COMPLETED, email="ada@example.com", email_canonical="ada@example.com", okta_user_id="00uAda"
    )
    user = User.objects.create_user(
        "okta-128a847f",
        email="ada@example.com",
        first_name="Ada",
        last_name="Lovelace",
        last_login=timezone.now() - timedelta(hours=3),
    )
    other = User.objects.create_user("okta-2", email="grace@example.com")
    OktaIdentity.objects.create(issuer="https://dev-1.okta.com", subject="00uGrace", user=other)
    return OktaIdentity.objects.create(issuer="https://dev-1.okta.com", subject="00uAda", user=user)


def names(browser: Client, query: str = "") -> list[str]:
    page = browser.get(f"{IDENTITIES}?{query}").content.decode()
    return re.findall(r'class="field-name"><a [^>]*>(.*?)</a>', page)


def test_an_identity_has_a_name_an_address_and_its_registration(
    staff: Callable[[str], Client], ada: OktaIdentity
) -> None:
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
    ("term", "role", "found"),
    [
        ("00uAda", VIEWER, 1),
        ("00uada", VIEWER, 0),
        ("Ada@example.com", VIEWER, 1),
        ("ada@exam", SUPPORTER, 0),
        ("ada@exam", PRIVACY_OFFICER, 1),
        ("nobody", MANAGER, 0),
    ],
)
def test_an_identity_is_found_by_subject_and_by_address(
    staff: Callable[[str], Client],
    ada: OktaIdentity,
    configure: Callable[..., None],
    term: str,
    role: str,
    found: int,
) -> None:
    configure(ISSUER="https://dev-1.okta.com")
    assert len(names(staff(role), f"q={term}")) == found


def test_that_addresses_of_identities_were_seen_is_logged(staff: Callable[[str], Client], ada: OktaIdentity) -> None:
    staff(VIEWER).get(IDENTITIES)
    assert not LogEntry.objects.exists()
    browser = staff(MANAGER)
    for _ in range(2):
        browser.get(IDENTITIES)
    assert LogEntry.objects.get().change_message == "Viewed full email addresses of Okta identities"


def test_that_the_address_of_one_identity_was_seen_is_logged(staff: Callable[[str], Client], ada: OktaIdentity) -> None:
    staff(VIEWER).get(f"{IDENTITIES}{ada.pk}/change/")
    assert not LogEntry.objects.exists()
    staff(MANAGER).get(f"{IDENTITIES}{ada.pk}/change/")
    assert LogEntry.objects.get().change_message == "Viewed the full email address"


def test_the_list_of_identities_stops_counting(
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
    counting = [sql for sql in statements if "COUNT(" in sql and "oktaidentity" in sql]
    assert counting
    assert all("LIMIT 2" in sql for sql in counting)
