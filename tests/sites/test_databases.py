"""Supported databases and versions, and exact comparison of text."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks

from selfreg.checks import databases
from selfreg.checks.databases import check_vendor, check_version
from selfreg.models import OktaIdentity, Registration
from selfreg.registration import retention

pytestmark = [pytest.mark.database, pytest.mark.every_database, pytest.mark.django_db]


def test_current_database_passes_the_checks() -> None:
    assert check_vendor() == []
    assert check_version(databases=["default"]) == []
    assert not [m for m in run_checks(databases=["default"]) if m.id in ("selfreg.E018", "selfreg.E019")]


@pytest.fixture
def simulate_database(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that simulates another database for the checks."""
    return lambda **values: monkeypatch.setattr(databases, "connections", {"default": SimpleNamespace(**values)})


def test_unsupported_database_vendor_is_reported(simulate_database: Callable[..., None]) -> None:
    simulate_database(vendor="oracle", display_name="Oracle")
    (message,) = check_vendor()
    assert (message.id, "Oracle" in message.msg) == ("selfreg.E018", True)


@pytest.mark.parametrize(
    ("vendor", "version", "is_mariadb"),
    [
        ("postgresql", (13, 2), False),
        ("sqlite", (3, 31, 1), False),
        ("mysql", (8, 0, 4), False),
        ("mysql", (10, 5), True),
    ],
)
def test_outdated_database_version_is_reported(
    simulate_database: Callable[..., None], vendor: str, version: tuple[int, ...], is_mariadb: bool
) -> None:
    simulate_database(vendor=vendor, get_database_version=lambda: version, mysql_is_mariadb=is_mariadb)
    (message,) = check_version(databases=["default"])
    assert message.id == "selfreg.E019"
    assert check_version(databases=["elsewhere"]) == []


def test_similar_subjects_and_addresses_are_distinguished() -> None:
    """MariaDB considers them equal by default."""
    subjects = ["00uabc", "00uABC", "00uäbc"]
    for number, subject in enumerate(subjects):
        user = User.objects.create_user(f"user{number}")
        OktaIdentity.objects.create(issuer="https://org.example", subject=subject, user=user)
    assert OktaIdentity.objects.get(subject="00uABC").user.username == "user1"
    for email in ("straße@example.com", "strasse@example.com", "josé@example.com", "jose@example.com"):
        Registration.objects.create(email=email, email_canonical=email)
    assert [row.email for row in retention.of("jose@example.com")] == ["jose@example.com"]
