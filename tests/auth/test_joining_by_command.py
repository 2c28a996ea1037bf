"""`selfreg_join`: an administrator joins an Okta account with a user who cannot do it by a password."""

import logging
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from okta_devorg import OrgHandle
from selfreg.models import OktaIdentity
from support.older_account import an_older_account, user_of
from support.person import SITE, Person

pytestmark = [pytest.mark.database, pytest.mark.django_db]
SUBJECT = "00u1a2b3c4D5E6F7g8h9"


@pytest.fixture(autouse=True)
def boss(db: None) -> Any:
    return get_user_model().objects.create_superuser("boss")


def joins(subject: str, user: str, **more: Any) -> str:
    call_command("selfreg_join", subject, user, by=more.pop("by", "boss"), **more)
    return OktaIdentity.objects.get(subject=subject).user.get_username()


def test_staff_who_signed_up_before_come_in_as_themselves(person: Person, org: OrgHandle) -> None:
    """The account had a user of its own by then, which stays."""
    older = an_older_account(person.email, is_staff=True)
    person.signs_up(org)
    made = user_of(person)
    assert joins(org.users[0].id, "ada-of-old") == "ada-of-old"
    later = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert (user_of(later).pk, later.is_signed_in) == (older.pk, True)
    assert get_user_model().objects.filter(pk=made.pk).exists()


def test_an_account_that_never_signed_in_here_is_joined_in_advance(person: Person, org: OrgHandle) -> None:
    older = an_older_account(person.email, is_staff=True)
    joins(SUBJECT, "ada-of-old")
    identity = OktaIdentity.objects.get()
    assert (identity.user, identity.email_verified_at) == (older, None)
    assert identity.linked_at is not None


def test_the_decision_is_on_record(boss: Any, caplog: pytest.LogCaptureFixture, configure: Any) -> None:
    older = an_older_account("ada@example.com", is_staff=True)
    with caplog.at_level(logging.INFO, "selfreg"):
        joins(SUBJECT, "ada-of-old")
    text = f"Okta account {SUBJECT} connected with user ada-of-old"
    assert [r.getMessage() for r in caplog.records] == [f"{text}, by boss"]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (boss, str(older.pk), text)


def test_a_dry_run_changes_nothing(configure: Any, capsys: pytest.CaptureFixture[str]) -> None:
    an_older_account("ada@example.com")
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
def test_what_cannot_be_is_refused(configure: Any, subject: str, user: str, by: str, reason: str) -> None:
    an_older_account("ada@example.com", is_staff=True)
    with pytest.raises(CommandError, match=reason):
        call_command("selfreg_join", subject, user, by=by)
    assert not OktaIdentity.objects.exists()


def test_a_user_is_joined_with_one_account_only(configure: Any) -> None:
    an_older_account("ada@example.com")
    joins(SUBJECT, "ada-of-old")
    with pytest.raises(CommandError, match="is connected already"):
        joins(SUBJECT, "ada-of-old")
    with pytest.raises(CommandError, match=f"with the Okta account {SUBJECT}"):
        joins("00uAnother", "ada-of-old")
