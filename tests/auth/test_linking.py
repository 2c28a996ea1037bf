"""Joining an account that the site had before, with ``SELFREG["LINK_EXISTING"]``."""

from collections.abc import Callable

import pytest

from okta_devorg import OrgHandle
from selfreg.models import OktaIdentity, Registration
from selfreg.statuses import Status
from support.older_account import OLD_PASSWORD, an_older_account, user_of
from support.person import Person

pytestmark = pytest.mark.database


@pytest.fixture
def linking(configure: Callable[..., None]) -> None:
    configure(LINK_EXISTING=True)


def test_off_by_default_an_address_joins_nothing(person: Person, org: OrgHandle) -> None:
    older = an_older_account(person.email)
    person.signs_up(org)
    assert person.is_signed_in
    assert user_of(person).pk != older.pk


@pytest.mark.usefixtures("linking")
def test_the_owner_joins_the_older_account_by_its_password(person: Person, org: OrgHandle) -> None:
    older = an_older_account(person.email)
    person.signs_up(org)
    assert person.heading == "You have an account here"
    person.fills_and_presses({"password": OLD_PASSWORD})
    assert user_of(person).pk == older.pk
    assert OktaIdentity.objects.get(user=older).linked_at
    assert Registration.objects.get().status == Status.COMPLETED


@pytest.mark.usefixtures("linking")
def test_a_wrong_password_joins_nothing_and_says_so(person: Person, org: OrgHandle) -> None:
    an_older_account(person.email)
    person.signs_up(org).fills_and_presses({"password": "not this one"})
    assert person.page.problems() == ["That is not the password of this account."]
    assert not person.is_signed_in
    assert not OktaIdentity.objects.exists()


@pytest.mark.usefixtures("linking")
def test_tries_of_the_password_are_counted(person: Person, org: OrgHandle) -> None:
    an_older_account(person.email)
    person.signs_up(org)
    for _try in range(5):
        person.fills_and_presses({"password": "not this one"})
    person.fills_and_presses({"password": OLD_PASSWORD})
    assert not person.is_signed_in


@pytest.mark.usefixtures("linking")
def test_keeping_them_apart_makes_a_new_user(person: Person, org: OrgHandle) -> None:
    older = an_older_account(person.email)
    person.signs_up(org).presses("Keep them apart")
    assert person.is_signed_in
    assert user_of(person).pk != older.pk


@pytest.mark.usefixtures("linking")
@pytest.mark.parametrize("rank", ["is_staff", "is_superuser"])
def test_staff_accounts_are_never_offered(person: Person, org: OrgHandle, rank: str) -> None:
    older = an_older_account(person.email, **{rank: True})
    person.signs_up(org)
    assert person.is_signed_in
    assert user_of(person).pk != older.pk


@pytest.mark.usefixtures("linking")
@pytest.mark.parametrize("answer", [{"password": OLD_PASSWORD}, {"action": "apart"}], ids=["join", "apart"])
def test_after_the_link_in_a_mail_the_offer_leads_to_where_the_sign_up_was_to_lead(
    person: Person, org: OrgHandle, answer: dict[str, str]
) -> None:
    an_older_account(person.email)
    org.patch_policy({"email_verification": True, "authenticators": {"okta_email": "disabled"}})
    person.opens_the_sign_up("?next=/members/").tells_who_she_is().chooses("Password").sets_a_password()
    person.opens_the_link_in_the_mail(org).signs_in_at_the_org()
    assert person.heading == "You have an account here"
    person.posts("/signup/link/", answer)
    assert (person.is_signed_in, person.path) == (True, "/members/")
