"""`selfreg_join`: an administrator links an Okta account to a user who cannot link it with a password."""

import logging
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from okta_devorg import OrgHandle
from selfreg.models import OktaIdentity
from support.existing_user import create_existing_user, user_of
from support.person import SITE, Person

pytestmark = [pytest.mark.database, pytest.mark.django_db]
SUBJECT = "00u1a2b3c4D5E6F7g8h9"


@pytest.fixture(autouse=True)
def superuser(db: None) -> Any:
    return get_user_model().objects.create_superuser("boss")


def run_join(subject: str, user: str, **more: Any) -> str:
    call_command("selfreg_join", subject, user, by=more.pop("by", "boss"), **more)
    return OktaIdentity.objects.get(subject=subject).user.get_username()


def test_join_command_links_a_signed_up_account_to_a_staff_user(person: Person, org: OrgHandle) -> None:
    """The user created by the sign-up is kept."""
    existing_user = create_existing_user(person.email, is_staff=True)
    person.signs_up(org)
    created_user = user_of(person)
    assert run_join(org.users[0].id, "ada-of-old") == "ada-of-old"
    returning_person = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert (user_of(returning_person).pk, returning_person.is_signed_in) == (existing_user.pk, True)
    assert get_user_model().objects.filter(pk=created_user.pk).exists()


def test_join_command_links_an_account_before_its_first_sign_in(person: Person, org: OrgHandle) -> None:
    existing_user = create_existing_user(person.email, is_staff=True)
    run_join(SUBJECT, "ada-of-old")
    identity = OktaIdentity.objects.get()
    assert (identity.user, identity.email_verified_at) == (existing_user, None)
    assert identity.linked_at is not None


def test_join_command_writes_a_log_record_and_an_admin_log_entry(
    superuser: Any, caplog: pytest.LogCaptureFixture, configure: Any
) -> None:
    existing_user = create_existing_user("ada@example.com", is_staff=True)
    with caplog.at_level(logging.INFO, "selfreg"):
        run_join(SUBJECT, "ada-of-old")
    text = f"Okta account {SUBJECT} connected with user ada-of-old"
    assert [r.getMessage() for r in caplog.records] == [f"{text}, by boss"]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (superuser, str(existing_user.pk), text)


def test_join_command_dry_run_changes_nothing(configure: Any, capsys: pytest.CaptureFixture[str]) -> None:
    create_existing_user("ada@example.com")
    call_command("selfreg_join", SUBJECT, "ada-of-old", by="boss", dry_run=True)
    assert "would change" in capsys.readouterr().out
    assert not OktaIdentity.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("subject", "user", "by", "reason"),
    [
        ("../groups", "ada-of-old", "boss", "isn't an Okta user id"),
        (SUBJECT, "nobody", "boss", "There is no user 'nobody'"),
        (SUBJECT, "ada-of-old", "nobody", "There is no user 'nobody'"),
        (SUBJECT, "ada-of-old", "ada-of-old", "isn't a superuser"),
    ],
)
def test_join_command_rejects_invalid_arguments(configure: Any, subject: str, user: str, by: str, reason: str) -> None:
    create_existing_user("ada@example.com", is_staff=True)
    with pytest.raises(CommandError, match=reason):
        call_command("selfreg_join", subject, user, by=by)
    assert not OktaIdentity.objects.exists()


def test_join_command_links_a_user_to_only_one_account(configure: Any) -> None:
    create_existing_user("ada@example.com")
    run_join(SUBJECT, "ada-of-old")
    with pytest.raises(CommandError, match="is connected already"):
        run_join(SUBJECT, "ada-of-old")
    with pytest.raises(CommandError, match=f"with the Okta account {SUBJECT}"):
        run_join("00uAnother", "ada-of-old")


@pytest.mark.parametrize(("address", "is_verified"), [("ADA@example.com", True), ("office@example.com", False)])
def test_join_command_keeps_the_verification_of_the_same_mailbox_only(
    person: Person, org: OrgHandle, address: str, is_verified: bool
) -> None:
    """Otherwise an account that takes the user's address at Okta without verifying it would count as verified."""
    create_existing_user(address, is_staff=True)
    person.signs_up(org)
    run_join(org.users[0].id, "ada-of-old")
    assert (OktaIdentity.objects.get().email_verified_at is not None) == is_verified
