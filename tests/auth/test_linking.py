"""Linking an account to a user that already exists, with ``SELFREG["LINK_EXISTING"]``."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, get_user_model

from okta_devorg import OrgHandle
from selfreg.checks.site import check_hand_off
from selfreg.models import OktaIdentity, Registration
from selfreg.statuses import Status
from support.existing_user import OLD_PASSWORD, create_existing_user, user_of
from support.person import Person

pytestmark = [pytest.mark.database, pytest.mark.every_database]


@pytest.fixture
def linking(configure: Callable[..., None]) -> None:
    configure(LINK_EXISTING=True)


def test_linking_is_off_by_default(person: Person, org: OrgHandle) -> None:
    existing_user = create_existing_user(person.email)
    person.signs_up(org)
    assert person.is_signed_in
    assert user_of(person).pk != existing_user.pk


@pytest.mark.usefixtures("linking")
def test_correct_password_links_the_existing_user(person: Person, org: OrgHandle) -> None:
    existing_user = create_existing_user(person.email)
    person.signs_up(org)
    assert person.heading == "You already have an account on this site"
    person.fills_and_presses({"password": OLD_PASSWORD})
    assert user_of(person).pk == existing_user.pk
    assert OktaIdentity.objects.get(user=existing_user).linked_at
    assert Registration.objects.get().status == Status.COMPLETED


@pytest.mark.usefixtures("linking")
def test_wrong_password_links_nothing_and_shows_an_error(person: Person, org: OrgHandle) -> None:
    create_existing_user(person.email)
    person.signs_up(org).fills_and_presses({"password": "not this one"})
    assert person.page.problems() == ["That isn't this account's password."]
    assert not person.is_signed_in
    assert not OktaIdentity.objects.exists()


@pytest.mark.usefixtures("linking")
def test_password_attempts_for_linking_are_rate_limited(person: Person, org: OrgHandle) -> None:
    create_existing_user(person.email)
    person.signs_up(org)
    for _try in range(5):
        person.fills_and_presses({"password": "not this one"})
    person.fills_and_presses({"password": OLD_PASSWORD})
    assert not person.is_signed_in


@pytest.mark.usefixtures("linking")
def test_declining_to_link_creates_a_new_user(person: Person, org: OrgHandle) -> None:
    existing_user = create_existing_user(person.email)
    person.signs_up(org).presses("Continue without connecting")
    assert person.is_signed_in
    assert user_of(person).pk != existing_user.pk


@pytest.mark.usefixtures("linking")
@pytest.mark.parametrize("form_data", [{"password": OLD_PASSWORD}, {"action": "apart"}], ids=["link", "decline"])
def test_custom_backend_of_the_site_creates_and_updates_the_user(
    person: Person, org: OrgHandle, settings: Any, form_data: dict[str, str]
) -> None:
    own_backend = "support.site_hooks.OwnBackend"
    settings.AUTHENTICATION_BACKENDS = [own_backend, "django.contrib.auth.backends.ModelBackend"]
    create_existing_user(person.email)
    person.signs_up(org).posts("/signup/link/", form_data)
    assert person.browser.session[BACKEND_SESSION_KEY] == own_backend
    assert user_of(person).last_name == "Lovelace, of Okta"
    assert user_of(person).username == ("ada-of-old" if "password" in form_data else "made-by-the-site")
    assert not check_hand_off()


@pytest.mark.usefixtures("linking")
@pytest.mark.parametrize("password", [OLD_PASSWORD, "Another-Door-1952"])
def test_password_selects_the_user_if_several_have_the_address(person: Person, org: OrgHandle, password: str) -> None:
    accounts = {OLD_PASSWORD: create_existing_user(person.email)}
    create = get_user_model().objects.create_user
    accounts["Another-Door-1952"] = create("ada-of-1952", email=person.email, password="Another-Door-1952")
    create("ada-of-1953", email=person.email, password="Third-Door-1953", is_staff=True)
    person.signs_up(org).fills_and_presses({"password": "not this one"})
    assert person.page.problems() == ["That isn't this account's password."]
    person.fills_and_presses({"password": "Third-Door-1953"})
    assert not person.is_signed_in
    person.fills_and_presses({"password": password})
    assert user_of(person).pk == accounts[password].pk


@pytest.mark.usefixtures("linking")
@pytest.mark.parametrize("rank", ["is_staff", "is_superuser"])
def test_staff_users_are_never_offered_for_linking(person: Person, org: OrgHandle, rank: str) -> None:
    existing_user = create_existing_user(person.email, **{rank: True})
    person.signs_up(org)
    assert person.is_signed_in
    assert user_of(person).pk != existing_user.pk


@pytest.mark.usefixtures("linking")
@pytest.mark.parametrize("form_data", [{"password": OLD_PASSWORD}, {"action": "apart"}], ids=["link", "decline"])
def test_linking_after_an_activation_link_redirects_to_the_next_url(
    person: Person, org: OrgHandle, form_data: dict[str, str]
) -> None:
    create_existing_user(person.email)
    org.patch_policy({"email_verification": True, "authenticators": {"okta_email": "disabled"}})
    person.opens_the_sign_up("?next=/members/").submits_profile().chooses("Password").sets_a_password()
    person.opens_the_email_link(org).signs_in_at_the_org()
    assert person.heading == "You already have an account on this site"
    person.posts("/signup/link/", form_data)
    assert (person.is_signed_in, person.path) == (True, "/members/")
