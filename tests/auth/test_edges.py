"""What an auditor tried at the edges of the hand-off: each test failed once, or shows that it does not."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.test import Client

from okta_devorg import OrgHandle
from okta_devorg.state.logs.system_log import event_json
from selfreg.accounts import okta_events
from selfreg.accounts.identities import mark_email_verified
from selfreg.flows import advance
from selfreg.models import Conflict, OktaEvent, OktaIdentity, Registration
from selfreg.registration import endings
from selfreg.registration.approval import approve
from selfreg.registration.exchange import open_row
from selfreg.statuses import Status
from support.older_account import OLD_PASSWORD, an_older_account, user_of
from support.person import SITE, Person
from support.provider.hostile_provider import EMAIL, Attack, HostileProvider

pytestmark = pytest.mark.database

Configure = Callable[..., None]
AUTHENTICATE = f"{SITE}/oidc/authenticate/"
ONLY_PASSWORD = {"email_verification": False, "authenticators": {"okta_email": "disabled"}}
SECRET = "canary-hook-secret"


# ---- people who are switched off, or not let in


def test_who_is_switched_off_is_out_at_once_not_at_the_next_sign_in(person: Person, org: OrgHandle) -> None:
    person.signs_up(org).opens("/")
    assert "Sign out" in person.page.text
    User.objects.update(is_active=False)
    assert "Sign out" not in person.opens("/").page.text


@pytest.mark.parametrize("way", ["password", "apart"])
def test_joining_an_older_account_is_no_way_around_an_administrator(
    person: Person, org: OrgHandle, configure: Configure, way: str
) -> None:
    """Her own account was here before and stays hers; a new one waits like everybody's."""
    configure(LINK_EXISTING=True, APPROVAL=True)
    an_older_account(person.email)
    person.signs_up(org)
    if way == "password":
        assert person.fills_and_presses({"password": OLD_PASSWORD}).is_signed_in
    else:
        person.presses("Continue without connecting")
        assert (person.is_signed_in, person.status) == (False, 400)
        assert "being reviewed" in person.page.text
        assert Registration.objects.get().status == Status.AWAITING_APPROVAL


def test_a_user_that_cannot_be_made_is_a_page_also_when_accounts_are_kept_apart(
    person: Person, org: OrgHandle, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses, and not because of the address: nobody is told of an account that is not there."""
    configure(LINK_EXISTING=True)
    an_older_account(person.email)
    person.signs_up(org)

    def taken(user: User, *_: Any, **__: Any) -> None:
        raise IntegrityError("NOT NULL constraint failed: auth_user.birthday")

    monkeypatch.setattr(User, "save", taken)
    person.presses("Continue without connecting")
    assert (person.is_signed_in, person.status) == (False, 400)
    assert "this site couldn't set it up" in person.page.text


def test_a_joined_account_is_as_proven_as_its_address(person: Person, org: OrgHandle, configure: Configure) -> None:
    configure(LINK_EXISTING=True)
    older = an_older_account(person.email)
    person.signs_up(org).fills_and_presses({"password": OLD_PASSWORD})
    assert user_of(person) == older
    assert OktaIdentity.objects.get().email_verified_at is not None


def test_who_was_signed_in_is_out_before_somebody_else_is_asked_to_join(
    person: Person, org: OrgHandle, configure: Configure
) -> None:
    """A shared computer: Grace is signed in; Ada signs in, and an older account has her address."""
    person.signs_up(org)
    OktaIdentity.objects.all().delete()
    User.objects.all().delete()
    configure(LINK_EXISTING=True)
    an_older_account(person.email)
    shared = Person("grace@example.com").signs_up(org)
    assert shared.is_signed_in
    shared.email = person.email
    shared.opens(f"{SITE}/oidc/authenticate/?next=/members/").signs_in_at_the_org()
    assert (shared.is_signed_in, shared.heading) == (False, "You already have an account on this site")
    shared.fills_and_presses({"password": OLD_PASSWORD})
    assert (user_of(shared).username, shared.path) == ("ada-of-old", "/members/")


def test_an_approval_that_is_not_carried_through_leaves_no_half(
    person: Person, org: OrgHandle, configure: Configure
) -> None:
    configure(APPROVAL=True)
    person.signs_up(org)
    registration = Registration.objects.get()

    def breaks(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(f"UPDATE {connection.ops.quote_name(OktaIdentity._meta.db_table)}"):
            raise ConnectionError("the database went away")
        return execute(sql, *rest)

    with connection.execute_wrapper(breaks), pytest.raises(ConnectionError):
        approve(open_row(registration, None))  # type: ignore[arg-type]
    registration.refresh_from_db()
    assert registration.status == Status.AWAITING_APPROVAL


# ---- an address that changed is not the one that was proven


def test_a_changed_address_that_is_not_proven_takes_the_proof_away(
    person: Person, org: OrgHandle, configure: Configure
) -> None:
    configure(EMAIL_VERIFICATION="optional")
    person.signs_up(org)
    assert OktaIdentity.objects.get().email_verified_at is not None
    org.users[0].profile["email"] = "victim@example.com"
    org.users[0].email_verified = False
    again = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    assert again.is_signed_in
    assert User.objects.get().email == "victim@example.com"
    assert OktaIdentity.objects.get().email_verified_at is None
    org.users[0].email_verified = True
    Person().opens(AUTHENTICATE).signs_in_at_the_org()
    assert OktaIdentity.objects.get().email_verified_at is not None


def test_a_changed_address_that_is_not_proven_does_not_come_in_where_proof_is_demanded(
    person: Person, org: OrgHandle
) -> None:
    person.signs_up(org)
    org.users[0].profile["email"] = "victim@example.com"
    org.users[0].email_verified = False
    again = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    assert not again.is_signed_in
    assert "confirmed yet" in again.page.text
    assert User.objects.get().email == "ada@example.com"


def test_the_same_address_stays_proven_whatever_the_org_says_later(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    org.users[0].email_verified = False
    org.users[0].profile["email"] = "ADA@example.com"
    assert Person().opens(AUTHENTICATE).signs_in_at_the_org().is_signed_in
    assert OktaIdentity.objects.get().email_verified_at is not None


# ---- somebody else was quicker


def test_a_name_keeps_the_joiner_that_it_is_written_with(person: Person, org: OrgHandle) -> None:
    """A Persian name; what turns text around is left out of claims all the same."""
    person.signs_up(org)
    org.users[0].profile |= {"firstName": "محمد\u200cرضا", "lastName": "\u202eadA"}
    Person().opens(AUTHENTICATE).signs_in_at_the_org()
    user = User.objects.get()
    assert (user.first_name, user.last_name) == ("محمد\u200cرضا", "Lovelace")


def test_two_sign_ins_that_wait_for_approval_at_once_are_both_a_page(
    person: Person, org: OrgHandle, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(APPROVAL=True)
    person.signs_up(org)

    def quicker(*_: Any) -> None:
        raise Conflict("changed by another request")

    monkeypatch.setattr(endings, "await_approval", quicker)
    again = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    assert (again.status, again.is_signed_in) == (400, False)


def test_a_registration_that_ends_while_its_person_is_signed_in_is_a_page(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator cancels it between the token and the last word."""
    genuine = authenticate

    def and_meanwhile(*args: Any, **more: Any) -> Any:
        user = genuine(*args, **more)
        registration = Registration.objects.get()
        registration.commit(to=Status.CANCELLED)
        return user

    monkeypatch.setattr(advance, "authenticate", and_meanwhile)
    person.signs_up(org)
    assert person.heading == "Sign-up cancelled"
    assert not person.is_signed_in


# ---- time


@pytest.mark.slow
def test_slow_steps_and_a_slow_hand_off_do_not_add_up(person: Person, org: OrgHandle) -> None:
    """Six seconds for the last step leave too few for tokens: one press more, and nothing lost."""
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    org.fail("/idp/idx/challenge/answer", "slow", seconds=6)
    person.sets_a_password()
    org.org.faults.pending.clear()
    assert not org.calls("/token")
    person.does_whatever_the_page_asks(org)
    assert person.is_signed_in


# ---- Okta's hooks


@pytest.fixture
def okta(configure: Configure) -> Client:
    configure(HOOK_SECRET=SECRET)
    return Client(headers={"Authorization": SECRET})


def tell(okta: Client, events: list[dict[str, Any]]) -> int:
    body = {"eventType": "com.okta.event_hook", "data": {"events": events}}
    return okta.post("/signup/hooks/events/", json.dumps(body), content_type="application/json").status_code


def log_of(org: OrgHandle) -> list[dict[str, Any]]:
    """The org's own words for all that happened to people."""
    return [event_json(org.org.clock, e) for e in org.org.system_log.events if e.event_type.startswith("user.")]


def test_the_orgs_events_of_a_sign_up_without_proof_prove_nothing(
    person: Person, org: OrgHandle, configure: Configure, okta: Client
) -> None:
    """The account becomes active and a password is a factor too: neither says anything about the address."""
    configure(EMAIL_VERIFICATION="optional")
    org.patch_policy(ONLY_PASSWORD)
    person.opens_the_sign_up().tells_who_she_is().chooses("Password").sets_a_password()
    assert person.is_signed_in
    told = log_of(org)
    assert {"user.lifecycle.activate", "user.mfa.factor.activate"} <= {e["eventType"] for e in told}
    assert tell(okta, told) == 204
    assert OktaIdentity.objects.get().email_verified_at is None


def test_the_orgs_event_of_an_address_that_was_confirmed_proves_it(
    person: Person, org: OrgHandle, configure: Configure, okta: Client
) -> None:
    configure(EMAIL_VERIFICATION="optional")
    person.signs_up(org)
    OktaIdentity.objects.update(email_verified_at=None)
    assert tell(okta, log_of(org)) == 204
    assert OktaIdentity.objects.get().email_verified_at is not None


def test_an_event_that_could_not_be_handled_is_handled_when_it_comes_again(
    person: Person, org: OrgHandle, okta: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.signs_up(org)
    OktaIdentity.objects.update(email_verified_at=None)
    genuine = mark_email_verified

    def breaks(*_: Any) -> None:
        raise ConnectionError("the database went away")

    monkeypatch.setattr(okta_events, "mark_email_verified", breaks)
    with pytest.raises(ConnectionError):
        tell(okta, log_of(org))
    monkeypatch.setattr(okta_events, "mark_email_verified", genuine)
    tell(okta, log_of(org))
    assert OktaIdentity.objects.get().email_verified_at is not None
    assert OktaEvent.objects.count() > 0


def test_an_org_cannot_name_another_issuers_person(provider: HostileProvider, okta: Client, others: Any) -> None:
    """Only people of the configured issuer are meant, whoever has the same id elsewhere."""
    user = User.objects.create_user("elsewhere")
    OktaIdentity.objects.create(issuer="https://other.example", subject="00uGRACE", user=user)
    target = [{"type": "User", "id": "00uGRACE"}]
    debug = {"debugData": {"factor": "EMAIL_FACTOR"}}
    tell(okta, [{"uuid": "e", "eventType": "user.mfa.factor.activate", "target": target, "debugContext": debug}])
    assert OktaIdentity.objects.get(user=user).email_verified_at is None


def test_an_id_token_that_says_everything_saves_the_call_of_userinfo(provider: HostileProvider) -> None:
    about = {"given_name": "Ada", "family_name": "Lovelace", "email": EMAIL, "email_verified": True}
    provider.attack = Attack("complete", "id_token", lambda scene: scene.sign(scene.claims(**about)))
    person = Person().opens(AUTHENTICATE)
    assert person.is_signed_in
    assert User.objects.get().email == EMAIL
    assert [path for path in provider.calls if path.endswith("/userinfo")] == []
    provider.attack = None
    assert Person().opens(AUTHENTICATE).is_signed_in
    assert len([path for path in provider.calls if path.endswith("/userinfo")]) == 1
