"""Commands and admin pages with rows of several orgs use the settings of each row's org."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg import encryption
from selfreg.conf import conf
from selfreg.models import DoctorRun, OktaIdentity, PolicyVersion, Registration, RegistrationEvent, TalliedHour
from selfreg.secret import Secret
from selfreg.statuses import Status
from support.person import KEYS, SITE, Person

pytestmark = pytest.mark.django_db
Configure = Callable[..., None]
LIST = "/admin/selfreg/registration/"


def row(org: str, email: str, days: float = 0, **values: Any) -> Registration:
    """Create a registration that was last updated some days ago."""
    updated_at = timezone.now() - timedelta(days=days)
    defaults = {"issuer": conf(org).issuer if org != "removed" else "https://gone.example.com", "workflow": "mandatory"}
    registration = Registration.objects.create(**defaults, org=org, email=email, created_at=updated_at, **values)
    Registration.objects.filter(pk=registration.pk).update(updated_at=updated_at)
    return registration


def output(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def admin(partners_org: OrgHandle) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def longer_retention_at_partners(partners_org: OrgHandle, configure: Configure, settings: Any) -> None:
    """Configure a retention of ten days for the partners' org; the others have one day."""
    day = 24 * 3600
    partners = settings.SELFREG["ORGS"]["partners"]
    retention_settings = {"ABANDONED_AFTER_SECONDS": 10 * day, "ERASE_ABANDONED_AFTER_SECONDS": 10 * day}
    configure(ORGS=settings.SELFREG["ORGS"] | {"partners": partners | retention_settings})


# ---- commands


def test_recovery_uses_the_abandonment_period_of_each_org(longer_retention_at_partners: None) -> None:
    for org in ("default", "partners", "brand", "removed"):
        row(org, f"{org}@example.com", days=3)
    output("selfreg_recover")
    statuses = dict(Registration.objects.values_list("org", "status"))
    assert statuses == {
        "default": Status.EXPIRED,
        "partners": Status.STARTED,
        "brand": Status.EXPIRED,
        "removed": Status.EXPIRED,
    }


def test_purge_uses_the_retention_period_of_each_org(longer_retention_at_partners: None) -> None:
    for org in ("default", "partners", "brand", "removed"):
        row(org, f"{org}@example.com", days=3)
    output("selfreg_purge")
    assert list(Registration.objects.values_list("org", flat=True)) == ["partners"]


def test_recovery_introspects_at_the_org_of_the_row(partners_org: OrgHandle, org: OrgHandle) -> None:
    grace = Person("grace@example.com").opens(f"{SITE}/partners/signup/").submits_profile()
    Registration.objects.update(busy_until=timezone.now() - timedelta(minutes=1))
    before, other = len(partners_org.calls("/introspect")), len(org.calls())
    output("selfreg_recover")
    assert len(partners_org.calls("/introspect")) == before + 1
    assert len(org.calls()) == other
    assert not Registration.objects.get().in_doubt
    grace.opens(f"{SITE}/partners/signup/step/").completes_the_sign_up(partners_org)
    assert grace.is_signed_in


def test_rows_are_encrypted_with_the_keys_of_their_org(
    partners_org: OrgHandle, configure: Configure, settings: Any
) -> None:
    partners = settings.SELFREG["ORGS"]["partners"] | {"ENCRYPTION_KEYS": [KEYS[1]]}
    configure(ENCRYPTION_KEYS=[KEYS[0]], ORGS={"partners": partners})
    grace = Person("grace@example.com").opens(f"{SITE}/partners/signup/").submits_profile()
    registration = Registration.objects.get()
    place = f"registration:{registration.pk}:sealed"
    assert encryption.decrypt(registration.sealed, place, [Secret(KEYS[1])])["transaction"]
    with pytest.raises(encryption.Unreadable):
        encryption.decrypt(registration.sealed, place, [Secret(KEYS[0])])
    assert grace.completes_the_sign_up(partners_org).is_signed_in


def test_doctor_examines_one_org_or_all(partners_org: OrgHandle, settings: Any) -> None:
    for arguments, examined in ((("--org", "partners"), ["partners"]), ((), ["default", "partners", "brand"])):
        DoctorRun.objects.all().delete()
        with pytest.raises(SystemExit):  # the doctor reports plain http
            output("selfreg_doctor", *arguments)
        assert list(DoctorRun.objects.order_by("pk").values_list("org", flat=True)) == examined
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("selfreg_doctor", "--json", stdout=out)
    assert {name: report["issuer"] for name, report in json.loads(out.getvalue()).items()} == {
        "default": conf().issuer,
        "partners": partners_org.issuer,
        "brand": conf().issuer,
    }
    with pytest.raises(CommandError, match=r"no org 'nobody'\. Known: default, partners, brand"):
        call_command("selfreg_doctor", "--org", "nobody")


def test_setup_changes_only_the_given_org(
    partners_org: OrgHandle, org: OrgHandle, configure: Configure, settings: Any, monkeypatch: Any, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    settings.DEBUG = True
    partners = settings.SELFREG["ORGS"]["partners"] | {"API_TOKEN": partners_org.policy.api_token}
    configure(BASE_URL="http://127.0.0.1:8000", ORGS={"partners": partners})
    partners_org.patch_policy({"sign_up": False})
    shown = output("selfreg_setup_org", "--org", "partners", "--dry-run")
    assert partners_org.base in shown
    assert "http://127.0.0.1:8000/partners/signup/callback/" in shown
    assert "http://127.0.0.1:8000/partners/signup/hooks/events/" in shown
    assert "/oidc/callback/" not in shown
    with pytest.raises(CommandError, match="This command needs SELFREG"):
        output("selfreg_setup_org", "--dry-run")
    assert not org.calls("/api/v1/apps")


# ---- the admin


def test_admin_has_org_column_filter_and_export(admin: Client) -> None:
    for org in ("default", "partners", "removed"):
        row(org, f"{org}@example.com")
    page = admin.get(LIST).content.decode()
    assert page.count('class="field-org') == 3
    assert "?org=partners" in page
    for name, number in (("partners", 1), ("default", 2), ("nobody", 3)):
        page = admin.get(f"{LIST}?org={name}").content.decode()
        assert page.count('class="field-org') == number, name
    registration = Registration.objects.get(org="partners")
    assert "<dd>partners</dd>" in admin.get(f"{LIST}{registration.pk}/change/").content.decode()
    header, *lines = b"".join(admin.get(f"{LIST}export/").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert header.endswith(",org")
    assert sorted(line.rpartition(",")[2] for line in lines) == ["default", "partners", "removed"]


def test_stuck_registrations_are_counted_by_org(admin: Client) -> None:
    for org in ("default", "partners", "partners", "removed"):
        row(org, f"{org}@example.com", days=1)
    row("partners", "done@example.com", status=Status.FAILED, finished_at=timezone.now())
    assert [cells[-2] for cells in org_table(admin.get("/admin/").content.decode())] == ["2", "2", "0"]
    assert tabs(admin.get(LIST)) == {"All": "5", "Open": "4", "Stuck": "4", "Failed": "1"}
    assert tabs(admin.get(LIST, {"org": "partners"})) == {"All": "3", "Open": "2", "Stuck": "2", "Failed": "1"}


def test_failed_calls_are_counted_at_their_org(admin: Client) -> None:
    for org, outcome in (("default", "RateLimited"), ("removed", "OrgUnreachable"), ("partners", "unsupported")):
        row(org, f"{org}@example.com").note(RegistrationEvent.Kind.TROUBLE, outcome=outcome)
    found = {cells[0]: cells[-1] for cells in org_table(admin.get("/admin/").content.decode())}
    assert found == {"default": "✕ failed: 2", "partners": "✓ none failed", "brand": "✓ none failed"}


def tabs(page: Any) -> dict[str, str]:
    """Return the counts of all tabs that are not empty."""
    found = re.findall(r'">([^<>]+) <span class="selfreg-count">([^<]+)</span></a>', page.content.decode())
    return {label: number for label, number in found if number != "0"}


def test_admin_shows_no_org_if_there_is_only_one(admin: Client, configure: Configure) -> None:
    configure(ORGS={})
    registration = row("default", "ada@example.com")
    page = admin.get(LIST).content.decode()
    assert "field-org" not in page
    assert "org=" not in page
    assert "<dt>Org</dt>" not in admin.get(f"{LIST}{registration.pk}/change/").content.decode()
    (header, _line) = b"".join(admin.get(f"{LIST}export/").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert "org" not in header.split(",")


def funnel_page(admin: Client, **query: str) -> str:
    return admin.get(f"{LIST}funnel/", query).content.decode()


def started(admin: Client, org: str = "") -> int:
    """Return the number of started registrations of the last day, from the funnel as JSON."""
    query = {"format": "json", **({"org": org} if org else {})}
    return int(admin.get(f"{LIST}funnel/", query).json()["now"]["stages"][0]["people"])


EXPECTED_COUNTS = {"": 7, "default": 4, "partners": 2, "brand": 1, "nobody": 7}


@pytest.fixture
def registrations_of_every_org(partners_org: OrgHandle) -> None:
    """Create three rows of the default org, two of the partners, one of the brand, and one of a removed org."""
    values: dict[str, Any] = {"status": Status.COMPLETED, "okta_user_id": "00u1", "finished_at": timezone.now()}
    for org in ("default", "default", "default", "partners", "partners", "brand", "removed"):
        registration = row(org, f"{org}@example.com", **values)
        registration.note(RegistrationEvent.Kind.ANSWERED, step="enroll-profile", outcome="ok")


def test_funnel_can_be_filtered_by_org(admin: Client, registrations_of_every_org: None) -> None:
    assert {org: started(admin, org) for org in EXPECTED_COUNTS} == EXPECTED_COUNTS
    page = funnel_page(admin, org="partners", days="7")
    assert "Of 2 people" in page
    assert "<strong>partners</strong>" in page
    assert '<a href="?days=7">All</a>' in page
    assert '<a href="?days=7&amp;org=brand">brand</a>' in page
    assert '<a href="?org=partners&amp;days=30">' in page
    assert '<input type="hidden" name="org" value="partners">' in page
    assert "org=partners&amp;days=7&amp;format=csv" in page
    links = re.findall(r'href="/admin/selfreg/registration/\?([^"]+)"', page)
    assert links
    assert all("org=partners" in link for link in links)
    assert "<strong>All</strong>" in funnel_page(admin)


def test_purged_registrations_are_still_counted_by_org(admin: Client, registrations_of_every_org: None) -> None:
    for _ in range(2):
        output("selfreg_purge")
        assert Registration.objects.filter(tallied=True).count() == 7
        assert {org: started(admin, org) for org in EXPECTED_COUNTS} == EXPECTED_COUNTS
    card = admin.get("/admin/").content.decode()
    shown = [" ".join(cells) for cells in org_table(card)]
    fine = "0 ✓ none failed"
    assert shown == [f"default 4 4 (100 %) {fine}", f"partners 2 2 (100 %) {fine}", f"brand 1 1 (100 %) {fine}"]


def org_table(page: str) -> list[list[str]]:
    rows = re.findall(r'<tr data-org="[^"]*">(.*?)</tr>', page, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t", row, re.DOTALL) for row in rows]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells]


def test_tallies_have_no_orgs_if_there_is_only_one(admin: Client, configure: Configure) -> None:
    configure(ORGS={})
    registration = row(
        "default", "ada@example.com", status=Status.COMPLETED, okta_user_id="00u1", finished_at=timezone.now()
    )
    registration.note(RegistrationEvent.Kind.ANSWERED, step="enroll-profile", outcome="ok")
    output("selfreg_purge")
    assert set(TalliedHour.objects.get().numbers) == {"steps", "passed", "skippers", "clicks", "splits"}
    assert "org=" not in funnel_page(admin)
    assert org_table(admin.get("/admin/").content.decode()) == []


def test_tallies_without_orgs_belong_to_the_default_org(admin: Client, registrations_of_every_org: None) -> None:
    output("selfreg_purge")
    for tallied in TalliedHour.objects.all():
        tallied.numbers.pop("orgs")
        tallied.save()
    assert {org: started(admin, org) for org in ("", "default", "partners")} == {"": 3, "default": 3, "partners": 0}


def test_each_org_has_its_own_form_and_history(admin: Client, partners_org: OrgHandle, org: OrgHandle) -> None:
    partners_org.patch_policy(
        {"profile": [{"name": "email", "label": "Work email", "type": "string", "required": True}]}
    )
    shown = {name: admin.get(f"{LIST}form/?org={name}").content.decode() for name in ("default", "partners", "brand")}
    assert [name for name, page in shown.items() if "Work email" in page] == ["partners"]
    assert partners_org.issuer in shown["partners"]
    assert dict(PolicyVersion.objects.values_list("org", "issuer")) == {
        "default": org.issuer,
        "partners": partners_org.issuer,
        "brand": org.issuer,
    }


def test_doctor_page_examines_and_shows_each_org(admin: Client, partners_org: OrgHandle) -> None:
    examine = "/admin/selfreg/doctorrun/examine/"
    assert admin.post(examine, {"org": "partners"}).status_code == 302
    assert admin.post(examine).status_code == 302
    assert admin.post(examine, {"org": "nobody"}).status_code == 404
    assert sorted(DoctorRun.objects.values_list("org", flat=True)) == ["default", "partners"]
    page = admin.get("/admin/selfreg/doctorrun/").content.decode()
    assert f"partners: {partners_org.issuer}" in page
    assert f"default: {conf().issuer}" in page
    assert 'name="org" value="brand"' in page


def test_admin_action_calls_the_org_of_the_row(
    admin: Client, partners_org: OrgHandle, org: OrgHandle, configure: Configure, settings: Any
) -> None:
    partners = settings.SELFREG["ORGS"]["partners"] | {"API_TOKEN": partners_org.policy.api_token}
    configure(API_TOKEN="", ORGS={"partners": partners})
    Person("grace@example.com").opens(f"{SITE}/partners/signup/").submits_profile()
    registration = Registration.objects.get()
    (account,) = partners_org.users
    other_calls = len(org.calls())
    data = {"_selected_action": str(registration.pk), "confirmed": "yes", "single": "yes"}
    admin.post(f"{LIST}act/remove-account/", data)
    registration.refresh_from_db()
    assert registration.status == Status.FAILED
    assert account.id not in [user.id for user in partners_org.users]
    assert len(org.calls()) == other_calls


# ---- users with identities of two orgs


def test_user_can_have_identities_of_two_orgs(partners_org: OrgHandle, org: OrgHandle) -> None:
    grace = Person("grace@example.com").opens(f"{SITE}/partners/signup/")
    grace.completes_the_sign_up(partners_org)
    user = User.objects.get()
    OktaIdentity.objects.create(issuer=org.issuer, subject="00uElsewhere", user=user)
    page = grace.browser.get("/partners/signup/email/")
    assert page.status_code == 302  # verified by the identity of the org of this sign-up
    event = {
        "uuid": "e-1",
        "eventType": "user.lifecycle.suspend",
        "target": [{"type": "User", "id": "00uElsewhere"}],
        "outcome": {"result": "SUCCESS"},
    }
    body = json.dumps({"data": {"events": [event]}})
    headers = {"Authorization": "of-the-partners-and-long-enough"}
    Client().post("/partners/signup/hooks/events/", body, content_type="application/json", headers=headers)
    assert grace.browser.get("/partners/signup/email/").status_code == 302
    assert OktaIdentity.objects.filter(closed_at=None).count() == 2
    headers = {"Authorization": "of-the-site-and-long-enough"}
    event["uuid"] = "e-2"
    body = json.dumps({"data": {"events": [event]}})
    Client().post("/signup/hooks/events/", body, content_type="application/json", headers=headers)
    assert OktaIdentity.objects.get(closed_at=None).issuer == partners_org.issuer
