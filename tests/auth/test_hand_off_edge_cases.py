"""Edge cases of the hand-off: inactive users, changed addresses, races, slow calls, and event hooks."""

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
from support.existing_user import OLD_PASSWORD, create_existing_user, user_of
from support.person import SITE, Person
from support.provider.hostile_provider import EMAIL, Attack, HostileProvider

pytestmark = pytest.mark.database

Configure = Callable[..., None]
AUTHENTICATE = f"{SITE}/oidc/authenticate/"
ONLY_PASSWORD = {"email_verification": False, "authenticators": {"okta_email": "disabled"}}
SECRET = "canary-hook-secret"


# ---- inactive users and approval


def test_deactivated_user_is_logged_out_immediately(person: Person, org: OrgHandle) -> None:
    person.signs_up(org).opens("/")
    assert "Sign out" in person.page.text
    User.objects.update(is_active=False)
    assert "Sign out" not in person.opens("/").page.text


@pytest.mark.parametrize("choice", ["link", "decline"])
def test_linking_a_user_does_not_bypass_approval_of_new_users(
    person: Person, org: OrgHandle, configure: Configure, choice: str
) -> None:
    """A linked user already existed and needs no approval; a new user does."""
    configure(LINK_EXISTING=True, APPROVAL=True)
    create_existing_user(person.email)
    person.signs_up(org)
    if choice == "link":
        assert person.fills_and_presses({"password": OLD_PASSWORD}).is_signed_in
    else:
        person.presses("Continue without connecting")
        assert (person.is_signed_in, person.status) == (False, 400)
        assert "being reviewed" in person.page.text
        assert Registration.objects.get().status == Status.AWAITING_APPROVAL


def test_failed_user_creation_shows_an_error_page_after_declining_to_link(
    person: Person, org: OrgHandle, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is not about the address, so the page must not mention an existing account."""
    configure(LINK_EXISTING=True)
    create_existing_user(person.email)
    person.signs_up(org)

    def fail(user: User, *_: Any, **__: Any) -> None:
        raise IntegrityError("NOT NULL constraint failed: auth_user.birthday")

    monkeypatch.setattr(User, "save", fail)
    person.presses("Continue without connecting")
    assert (person.is_signed_in, person.status) == (False, 400)
    assert "this site couldn't set it up" in person.page.text


def test_linked_identity_keeps_the_verification_of_its_address(
    person: Person, org: OrgHandle, configure: Configure
) -> None:
    configure(LINK_EXISTING=True)
    older = create_existing_user(person.email)
    person.signs_up(org).fills_and_presses({"password": OLD_PASSWORD})
    assert user_of(person) == older
    assert OktaIdentity.objects.get().email_verified_at is not None


def test_previous_user_is_logged_out_before_another_person_is_offered_linking(
    person: Person, org: OrgHandle, configure: Configure
) -> None:
    """On a shared computer, Grace is signed in. Ada signs in, and an existing user has her address."""
    person.signs_up(org)
    OktaIdentity.objects.all().delete()
    User.objects.all().delete()
    configure(LINK_EXISTING=True)
    create_existing_user(person.email)
    shared_browser = Person("grace@example.com").signs_up(org)
    assert shared_browser.is_signed_in
    shared_browser.email = person.email
    shared_browser.opens(f"{SITE}/oidc/authenticate/?next=/members/").signs_in_at_the_org()
    assert (shared_browser.is_signed_in, shared_browser.heading) == (False, "You already have an account on this site")
    shared_browser.fills_and_presses({"password": OLD_PASSWORD})
    assert (user_of(shared_browser).username, shared_browser.path) == ("ada-of-old", "/members/")


def test_failed_approval_is_rolled_back(person: Person, org: OrgHandle, configure: Configure) -> None:
    configure(APPROVAL=True)
    person.signs_up(org)
    registration = Registration.objects.get()

    def fail(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(f"UPDATE {connection.ops.quote_name(OktaIdentity._meta.db_table)}"):
            raise ConnectionError("the database went away")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail), pytest.raises(ConnectionError):
        approve(open_row(registration, None))  # type: ignore[arg-type]
    registration.refresh_from_db()
    assert registration.status == Status.AWAITING_APPROVAL


# ---- changed addresses


def test_changed_unverified_address_resets_the_verification(
    person: Person, org: OrgHandle, configure: Configure
) -> None:
    configure(EMAIL_VERIFICATION="optional")
    person.signs_up(org)
    assert OktaIdentity.objects.get().email_verified_at is not None
    org.users[0].profile["email"] = "victim@example.com"
    org.users[0].email_verified = False
    returning_person = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    assert returning_person.is_signed_in
    assert User.objects.get().email == "victim@example.com"
    assert OktaIdentity.objects.get().email_verified_at is None
    org.users[0].email_verified = True
    Person().opens(AUTHENTICATE).signs_in_at_the_org()
    assert OktaIdentity.objects.get().email_verified_at is not None


def test_sign_in_with_a_changed_unverified_address_is_rejected_if_mandatory(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    org.users[0].profile["email"] = "victim@example.com"
    org.users[0].email_verified = False
    returning_person = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    assert not returning_person.is_signed_in
    assert "confirmed yet" in returning_person.page.text
    assert User.objects.get().email == "ada@example.com"


def test_unchanged_address_stays_verified_if_the_org_reports_it_unverified(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    org.users[0].email_verified = False
    org.users[0].profile["email"] = "ADA@example.com"
    assert Person().opens(AUTHENTICATE).signs_in_at_the_org().is_signed_in
    assert OktaIdentity.objects.get().email_verified_at is not None


# ---- races


def test_names_keep_zero_width_joiners_but_no_bidi_overrides(person: Person, org: OrgHandle) -> None:
    """A Persian name needs the joiner. Bidirectional overrides are removed."""
    person.signs_up(org)
    org.users[0].profile |= {"firstName": "محمد\u200cرضا", "lastName": "\u202eadA"}
    Person().opens(AUTHENTICATE).signs_in_at_the_org()
    user = User.objects.get()
    assert (user.first_name, user.last_name) == ("محمد\u200cرضا", "Lovelace")


def test_concurrent_sign_in_awaiting_approval_shows_a_page(
    person: Person, org: OrgHandle, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(APPROVAL=True)
    person.signs_up(org)

    def raise_conflict(*_: Any) -> None:
        raise Conflict("changed by another request")

    monkeypatch.setattr(endings, "await_approval", raise_conflict)
    returning_person = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    assert (returning_person.status, returning_person.is_signed_in) == (400, False)


def test_registration_cancelled_during_the_hand_off_shows_a_page_without_login(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator cancels it between the token request and the commit."""
    original = authenticate

    def authenticate_and_cancel(*args: Any, **more: Any) -> Any:
        user = original(*args, **more)
        registration = Registration.objects.get()
        registration.commit(to=Status.CANCELLED)
        return user

    monkeypatch.setattr(advance, "authenticate", authenticate_and_cancel)
    person.signs_up(org)
    assert person.heading == "Sign-up cancelled"
    assert not person.is_signed_in


# ---- time-outs


@pytest.mark.slow
def test_hand_off_is_postponed_to_the_next_request_after_a_slow_step(person: Person, org: OrgHandle) -> None:
    """Six seconds for the last step leave too little time for the hand-off. The visitor presses a button again."""
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    org.fail("/idp/idx/challenge/answer", "slow", seconds=6)
    person.sets_a_password()
    org.org.faults.pending.clear()
    assert not org.calls("/token")
    person.completes_the_sign_up(org)
    assert person.is_signed_in


# ---- Okta's hooks


@pytest.fixture
def okta(configure: Configure) -> Client:
    configure(HOOK_SECRET=SECRET)
    return Client(headers={"Authorization": SECRET})


def deliver(okta: Client, events: list[dict[str, Any]]) -> int:
    body = {"eventType": "com.okta.event_hook", "data": {"events": events}}
    return okta.post("/signup/hooks/events/", json.dumps(body), content_type="application/json").status_code


def events_of(org: OrgHandle) -> list[dict[str, Any]]:
    """Return the user events of the local org's system log."""
    return [event_json(org.org.clock, e) for e in org.org.system_log.events if e.event_type.startswith("user.")]


def test_events_of_a_sign_up_without_verification_do_not_verify_the_address(
    person: Person, org: OrgHandle, configure: Configure, okta: Client
) -> None:
    """The events say that the account is active and has a password factor, nothing about the address."""
    configure(EMAIL_VERIFICATION="optional")
    org.patch_policy(ONLY_PASSWORD)
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    assert person.is_signed_in
    events = events_of(org)
    assert {"user.lifecycle.activate", "user.mfa.factor.activate"} <= {e["eventType"] for e in events}
    assert deliver(okta, events) == 204
    assert OktaIdentity.objects.get().email_verified_at is None


def test_event_of_the_email_factor_verifies_the_address(
    person: Person, org: OrgHandle, configure: Configure, okta: Client
) -> None:
    configure(EMAIL_VERIFICATION="optional")
    person.signs_up(org)
    OktaIdentity.objects.update(email_verified_at=None)
    assert deliver(okta, events_of(org)) == 204
    assert OktaIdentity.objects.get().email_verified_at is not None


def test_failed_event_is_processed_when_it_is_delivered_again(
    person: Person, org: OrgHandle, okta: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.signs_up(org)
    OktaIdentity.objects.update(email_verified_at=None)
    original = mark_email_verified

    def fail(*_: Any) -> None:
        raise ConnectionError("the database went away")

    monkeypatch.setattr(okta_events, "mark_email_verified", fail)
    with pytest.raises(ConnectionError):
        deliver(okta, events_of(org))
    monkeypatch.setattr(okta_events, "mark_email_verified", original)
    deliver(okta, events_of(org))
    assert OktaIdentity.objects.get().email_verified_at is not None
    assert OktaEvent.objects.count() > 0


def test_event_does_not_affect_an_identity_of_another_issuer(
    provider: HostileProvider, okta: Client, others: Any
) -> None:
    """Another issuer's account can have the same id."""
    user = User.objects.create_user("elsewhere")
    OktaIdentity.objects.create(issuer="https://other.example", subject="00uGRACE", user=user)
    target = [{"type": "User", "id": "00uGRACE"}]
    debug = {"debugData": {"factor": "EMAIL_FACTOR"}}
    deliver(okta, [{"uuid": "e", "eventType": "user.mfa.factor.activate", "target": target, "debugContext": debug}])
    assert OktaIdentity.objects.get(user=user).email_verified_at is None


def test_userinfo_is_not_called_if_the_id_token_has_all_claims(provider: HostileProvider) -> None:
    claims = {"given_name": "Ada", "family_name": "Lovelace", "email": EMAIL, "email_verified": True}
    provider.attack = Attack("complete", "id_token", lambda scene: scene.sign(scene.claims(**claims)))
    person = Person().opens(AUTHENTICATE)
    assert person.is_signed_in
    assert User.objects.get().email == EMAIL
    assert [path for path in provider.calls if path.endswith("/userinfo")] == []
    provider.attack = None
    assert Person().opens(AUTHENTICATE).is_signed_in
    assert len([path for path in provider.calls if path.endswith("/userinfo")]) == 1
