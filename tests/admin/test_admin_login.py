"""Rate limits for the login of Django admin, which Django itself lacks."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from selfreg import rate_limits
from selfreg.rate_limits import Limit
from support.staff import LIST

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def admin_user() -> User:
    return User.objects.create_superuser("admin", password="the right one")


def try_to_log_in(password: str, name: str = "admin", ip: str = "192.0.2.1") -> bool:
    """Try to log in and return whether it succeeded."""
    browser = Client(REMOTE_ADDR=ip)
    response = browser.post(f"{LOGIN}?next={LIST}", {"username": name, "password": password})
    return response.status_code == 302 and "_auth_user_id" in browser.session


def test_admin_login_attempts_are_rate_limited() -> None:
    assert not any(try_to_log_in(f"guess {n}") for n in range(40))
    assert not try_to_log_in("the right one")
    page = Client(REMOTE_ADDR="192.0.2.1").post(LOGIN, {"username": "admin", "password": "the right one"})
    assert "Too many attempts" in page.content.decode()


def test_blocked_admin_can_log_in_from_another_ip_address() -> None:
    for n in range(40):
        try_to_log_in(f"guess {n}")
    assert try_to_log_in("the right one", ip="198.51.100.7")


def test_admin_login_attempts_from_many_ip_addresses_are_rate_limited() -> None:
    assert not any(try_to_log_in(f"guess {n}", ip=f"198.51.100.{n}") for n in range(60))
    assert not try_to_log_in("the right one", ip="203.0.113.9")


def test_admin_login_attempts_with_many_names_are_rate_limited() -> None:
    for n in range(60):
        try_to_log_in("Password1", name=f"name{n}")
    assert not try_to_log_in("the right one")


@pytest.mark.parametrize("name", ["ADMIN", "Admin", " admin", "ádmin", "ＡＤＭＩＮ", "adm\u00adin"])
def test_other_spellings_of_the_username_share_its_rate_limit(name: str) -> None:
    for n in range(6):
        try_to_log_in(f"guess {n}", name=name)
    assert not try_to_log_in("the right one")


def test_successful_logins_count_against_the_rate_limit() -> None:
    outcomes = [try_to_log_in("the right one") for _ in range(7)]
    assert outcomes == [True] * 5 + [False] * 2


def test_rate_limit_of_admin_logins_is_5_in_15_minutes() -> None:
    assert rate_limits.LIMITS["login by name and ip"] == Limit(5, 15 * 60)
