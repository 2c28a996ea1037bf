"""Takes the pictures of the documentation and stores their digests: `make screenshots`. Not part of the tests."""

import json
from collections.abc import Callable

import pytest

from okta_devorg import OrgHandle
from support.browser.demo_site import Site
from support.browser.documented_pages import DIGESTS, IMAGES, PICTURES, digest_of
from support.browser.every_page import cancelled, expired
from support.browser.visitor import Visitor

pytestmark = pytest.mark.browser

WIDE = {"viewport": {"width": 1440, "height": 640}}
LOGIN = {"DJANGO_SUPERUSER_USERNAME": "admin", "DJANGO_SUPERUSER_PASSWORD": "admin"}

Open = Callable[..., Visitor]


@pytest.fixture(autouse=True)
def _with_optional_phone(org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    IMAGES.mkdir(parents=True, exist_ok=True)


def save_screenshot(visitor: Visitor, name: str) -> None:
    visitor.page.mouse.move(0, 0)
    visitor.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")


@pytest.mark.parametrize("name", PICTURES)
def test_page(opens_window: Open, name: str) -> None:
    ada = opens_window(**PICTURES[name].window)
    PICTURES[name].go_to_page(ada)
    digests = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    DIGESTS.write_text(json.dumps(digests | {name: digest_of(ada.page)}, indent=2, sort_keys=True) + "\n")
    save_screenshot(ada, name)


def test_registrations_in_the_admin(opens_window: Open, site: Site) -> None:
    for journey in (Visitor.is_at_the_code, Visitor.is_at_the_password, cancelled, expired):
        journey(opens_window())
    opens_window().is_at_the_password().sets_a_password().presses("Skip for now").is_welcome()
    site.environment.update(LOGIN)
    site.manage("createsuperuser", "--noinput", "--email", "admin@example.com")
    admin = opens_window(**WIDE).opens("/admin/selfreg/registration/")
    admin.fills(Username="admin", Password="admin").presses("Log in")
    admin.sees("Registrations")
    save_screenshot(admin, "admin")
