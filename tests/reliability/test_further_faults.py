"""Faults of the database, session, policy, log or cache during a sign-up."""

import io
import logging
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from okta_devorg import OrgHandle
from selfreg.idx.transport import RawReply, Transport
from selfreg.models import Registration
from selfreg.rate_limits import LIMITS
from selfreg.statuses import Status
from support.database_faults import writes_fail
from support.person import Person

pytestmark = pytest.mark.database

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db(transaction=True)
def test_no_call_is_made_if_the_database_refuses_writes(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    code = org.code(person.email)
    with writes_fail():
        assert person.fills_and_presses({"credentials.passcode": code}).status == 503
    assert org.calls("/challenge/answer") == []
    assert person.opens("/signup/step/").types_the_code_from(org).heading == "Choose a password"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/credential/enroll", "/challenge/answer"])
def test_a_sign_up_completes_although_the_database_failed_after_a_call(
    person: Person, org: OrgHandle, path: str
) -> None:
    person.opens_the_sign_up()
    with writes_fail(after=path):
        person.submits_profile()
        if path == "/challenge/answer":
            person.types_the_code_from(org)
    assert person.status == 503
    Registration.objects.update(busy_until="2020-01-01T00:00:00Z")
    person.opens("/signup/step/").completes_the_sign_up(org)
    assert person.is_signed_in
    assert len(org.calls("/credential/enroll")) == 2
    assert User.objects.count() == len(org.users) == 1


@pytest.mark.parametrize("path", ["/challenge/answer", "/v1/token"])
def test_a_session_deleted_during_a_call_causes_no_error(
    person: Person, org: OrgHandle, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Transport.fetch

    def fetch(self: Transport, method: str, url: str, *rest: Any) -> RawReply:
        if url.endswith(path):
            Session.objects.all().delete()
        return real(self, method, url, *rest)

    person.opens_the_sign_up().submits_profile()
    monkeypatch.setattr(Transport, "fetch", fetch)
    person.types_the_code_from(org)
    assert person.status == 200
    if path == "/challenge/answer":
        assert person.heading == "Create your account"
    else:
        person.sets_a_password()
        assert person.is_signed_in
    row = Registration.objects.get()
    assert row.status == (Status.ENROLLING if path == "/challenge/answer" else Status.COMPLETED)
    assert not row.in_doubt


def test_a_session_deleted_during_the_first_submission_creates_no_registration(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another tab signs in during the call, so the browser already has the cookie of the new session."""
    real = Transport.fetch

    def fetch(self: Transport, method: str, url: str, *rest: Any) -> RawReply:
        if url.endswith("/interact"):
            Session.objects.all().delete()
        return real(self, method, url, *rest)

    person.opens_the_sign_up()
    Person().opens_the_sign_up()  # The form is shared from now on: the submission opens a transaction of its own.
    session = person.browser.session
    del session["selfreg_opening"]
    session["cart"] = 1
    session.save()
    monkeypatch.setattr(Transport, "fetch", fetch)
    first = len(person.seen)
    person.submits_profile()
    assert (person.status, person.heading) == (200, "Create your account")
    assert "sessionid" not in person.seen[first].headers
    assert not Registration.objects.exists()
    assert person.submits_profile().heading == "Check your email"


def test_a_field_that_became_required_is_added_and_other_values_are_kept(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    berth = {"name": "berth", "label": "Berth", "required": True}
    org.patch_policy({"profile": [*org_profile(org), berth]})
    person.browser.session.flush()
    person.submits_profile()
    assert person.heading == "Create your account"
    assert person.page.typed("First name") == "Ada"
    person.fills_and_presses({"Berth": "7"})
    assert person.heading == "Check your email"
    assert org.users[0].profile["berth"] == "7"


def org_profile(org: OrgHandle) -> list[dict[str, Any]]:
    return [{"name": f.name, "label": f.label, "required": f.required} for f in org.policy.profile]


def test_a_form_can_have_two_hundred_fields(person: Person, org: OrgHandle) -> None:
    more = [{"name": f"field{n}", "label": f"Field {n}"} for n in range(200)]
    org.patch_policy({"profile": [*org_profile(org), *more]})
    person.opens_the_sign_up()
    assert {f"userProfile.field{n}" for n in range(200)} <= set(person.page.names())
    assert person.submits_profile(**{"Field 199": "x"}).heading == "Check your email"
    assert org.users[0].profile["field199"] == "x"


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_sign_up_completes_although_the_log_cannot_be_written(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    full = logging.StreamHandler(FullDisk())
    logging.getLogger().addHandler(full)
    try:
        person.opens("http://testserver/oidc/callback/?code=x&state=y")
        assert person.heading == "We couldn't sign you in"
        assert person.signs_up(org).is_signed_in
    finally:
        logging.getLogger().removeHandler(full)


def test_input_cannot_add_lines_to_the_log(person: Person, org: OrgHandle, caplog: pytest.LogCaptureFixture) -> None:
    person.opens("http://testserver/oidc/callback/?code=x&state=%0Acanary&error=%0Dcanary")
    person.opens_the_sign_up().submits_profile(**{"First name": "canary\nERROR forged"})
    assert caplog.messages
    assert not [m for m in caplog.messages if "\n" in m or "\r" in m or "forged" in m]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    blocks = [b for b in (ROOT / name).read_text().replace("\\\n", " ").splitlines() if b and b[0] not in "# -"]
    assert len(blocks) > 20
    assert [b for b in blocks if "==" not in b or "--hash=sha256:" not in b] == []


def test_open_and_new_registrations_work_with_a_column_of_a_newer_version(person: Person, org: OrgHandle) -> None:
    """The migration runs before the new code is deployed, so the old code must work with the new column."""
    if not connection.features.can_rollback_ddl:
        pytest.skip("MariaDB cannot roll back the new column, which would stay for all later tests")
    person.opens_the_sign_up().submits_profile()
    table = Registration._meta.db_table
    connection.check_constraints()  # PostgreSQL alters no table with checks to come.
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD COLUMN from_a_later_version varchar(20) NOT NULL DEFAULT ''")
    person.chooses("Email").types_the_code_from(org).chooses("Password").sets_a_password()
    assert person.is_signed_in
    assert Person("grace@example.com").signs_up(org).is_signed_in


# ---- the cache


@pytest.fixture
def no_cache(settings: Any) -> None:
    """A cache whose port refuses connections."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://:hush@127.0.0.1:1"}
    }


def test_sign_up_and_sign_in_work_without_a_cache(
    person: Person, org: OrgHandle, no_cache: None, caplog: pytest.LogCaptureFixture
) -> None:
    person.opens("/").signs_up(org)
    assert Registration.objects.get().status == Status.COMPLETED
    person.presses("Sign out").follows("Sign in").signs_in_at_the_org()
    assert (person.is_signed_in, User.objects.count()) == (True, 1)
    assert "The cache is down: ConnectionError" in caplog.text
    assert "hush" not in caplog.text


def test_rate_limits_work_without_a_cache(db: None, org: OrgHandle, no_cache: None) -> None:
    for _ in range(LIMITS["start by address"].max_hits + 1):
        person = Person().opens_the_sign_up().submits_profile()
    assert "Too many attempts" in person.page.text
    assert Registration.objects.count() == LIMITS["start by address"].max_hits


def test_admin_pages_work_without_a_cache(admin_client: Client, no_cache: None) -> None:
    for page in ("", "funnel/"):
        assert admin_client.get(f"/admin/selfreg/registration/{page}").status_code == 200
