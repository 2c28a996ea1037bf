"""The sign-in of Django admin, which stock Django leaves open to guessing."""

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


def tries(password: str, name: str = "admin", ip: str = "192.0.2.1") -> bool:
    """Whether it lets in."""
    browser = Client(REMOTE_ADDR=ip)
    answer = browser.post(f"{LOGIN}?next={LIST}", {"username": name, "password": password})
    return answer.status_code == 302 and "_auth_user_id" in browser.session


def test_tries_at_the_sign_in_of_the_admin_are_limited() -> None:
    assert not any(tries(f"guess {n}") for n in range(40))
    assert not tries("the right one")
    page = Client(REMOTE_ADDR="192.0.2.1").post(LOGIN, {"username": "admin", "password": "the right one"})
    assert "Too many attempts" in page.content.decode()


def test_its_owner_signs_in_from_elsewhere_meanwhile() -> None:
    for n in range(40):
        tries(f"guess {n}")
    assert tries("the right one", ip="198.51.100.7")


def test_many_addresses_together_do_not_guess_without_end() -> None:
    assert not any(tries(f"guess {n}", ip=f"198.51.100.{n}") for n in range(60))
    assert not tries("the right one", ip="203.0.113.9")


def test_one_address_does_not_try_many_names_without_end() -> None:
    for n in range(60):
        tries("Password1", name=f"name{n}")
    assert not tries("the right one")


@pytest.mark.parametrize("name", ["ADMIN", "Admin", " admin", "ádmin", "ＡＤＭＩＮ", "adm\u00adin"])
def test_another_spelling_of_the_name_is_no_new_start(name: str) -> None:
    for n in range(6):
        tries(f"guess {n}", name=name)
    assert not tries("the right one")


def test_success_resets_nothing() -> None:
    outcomes = [tries("the right one") for _ in range(7)]
    assert outcomes == [True] * 5 + [False] * 2


def test_limits_are_those_of_production() -> None:
    assert rate_limits.LIMITS["login by name and ip"] == Limit(5, 15 * 60)
