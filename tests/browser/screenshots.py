"""The pictures of the documentation: `make screenshots`. Not part of the tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from okta_devorg import OrgHandle
from support.browser.demo_site import Site
from support.browser.every_page import cancelled, expired
from support.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.browser

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SMALL = {"viewport": {"width": 720, "height": 700}, "device_scale_factor": 1.5}
WIDE = {"viewport": {"width": 1440, "height": 640}}
LOGIN = {"DJANGO_SUPERUSER_USERNAME": "admin", "DJANGO_SUPERUSER_PASSWORD": "admin"}

Open = Callable[..., Visitor]


@pytest.fixture(autouse=True)
def _one_name(org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    IMAGES.mkdir(parents=True, exist_ok=True)


def keep(visitor: Visitor, name: str) -> None:
    visitor.page.mouse.move(0, 0)
    visitor.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")


def test_sign_up(opens_window: Open) -> None:
    ada = opens_window(**SMALL).opens("/signup/").sees("Create your account")
    ada.fills(First_name="Ada", Last_name="Lovelace", Email="ada@example.com")
    keep(ada, "sign-up")


def test_choice(opens_window: Open) -> None:
    ada = opens_window(**SMALL).opens("/signup/").tells_who_she_is().sees("Secure your account")
    keep(ada, "choice")


def test_password(opens_window: Open) -> None:
    ada = opens_window(**SMALL | {"viewport": {"width": 720, "height": 880}}).is_at_the_password()
    ada.field("Enter password").press_sequentially("correct-horse")
    keep(ada, "password")


def test_code_on_a_phone_in_the_dark(opens_window: Open) -> None:
    ada = opens_window(color_scheme="dark", **PHONE, device_scale_factor=2).is_at_the_code()
    keep(ada, "phone-dark")


def test_registrations_in_the_admin(opens_window: Open, site: Site) -> None:
    for way in (Visitor.is_at_the_code, Visitor.is_at_the_password, cancelled, expired):
        way(opens_window())
    opens_window().is_at_the_password().sets_a_password().presses("Skip for now").is_welcome()
    site.environment.update(LOGIN)
    site.manage("createsuperuser", "--noinput", "--email", "admin@example.com")
    admin = opens_window(**WIDE).opens("/admin/selfreg/registration/")
    admin.fills(Username="admin", Password="admin").presses("Log in")
    admin.sees("Registrations")
    keep(admin, "admin")
