"""A provider that sends forged responses signs nobody in, affects no other user, and delays no page for long."""

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from selfreg.accounts import signing_keys as signing
from selfreg.accounts.signing_keys import signing_keys
from selfreg.conf import conf
from selfreg.idx import transport
from selfreg.idx.client import Visitor
from selfreg.models import OktaIdentity
from selfreg.registration import policy
from support.person import SITE, Person
from support.provider.hostile_provider import CLIENT_SECRET, SUBJECT, Attack, HostileProvider
from support.provider.provider_attacks import BELIEVED, HARMLESS, REFUSED, REFUSED_BY_REDIRECT, SLOW

Snapshot = Callable[[], list[dict[str, Any]]]
# Seconds. An endless response would take 30.
MAX_SECONDS = 20.0
NO_LENGTH = next(a for a in SLOW if a.name == "keys: no length at all")


def sign_in(person: Person) -> Person:
    """Sign in by redirect, with an authorization code."""
    return person.opens(f"{SITE}/oidc/authenticate/")


def sign_up(person: Person) -> Person:
    """Sign up on the site's own pages, with an interaction code."""
    return person.opens_the_sign_up().submits_profile()


JOURNEYS = (sign_in, sign_up)


def parametrize_attacks(table: list[Attack]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("attack", table, ids=[a.name for a in table])


def parametrize_attacks_and_journeys(table: list[Attack]) -> pytest.MarkDecorator:
    """Neighbouring rows of a table are similar: they alternate between the two journeys, and nightly runs take both."""
    cases = [
        pytest.param(
            journey, attack, id=f"{attack.name}-{journey.__name__}", marks=[] if in_normal_run else pytest.mark.nightly
        )
        for number, attack in enumerate(table)
        for journey, in_normal_run in zip(JOURNEYS, (number % 2 == 0, number % 2 == 1), strict=True)
    ]
    return pytest.mark.parametrize(("journey", "attack"), cases)


def shorten_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time-outs, but leave enough time for the valid responses before on a busy machine."""
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 1.2)
    monkeypatch.setattr(transport, "READ_SECONDS", 1.2)
    policy.reset_connections()


@pytest.fixture(autouse=True)
def _log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.fixture
def assert_no_harm(
    provider: HostileProvider, others: Snapshot, caplog: pytest.LogCaptureFixture
) -> Callable[..., None]:
    """Return a function that checks what must be true after every attack."""
    before, started = others(), time.monotonic()

    def check(person: Person) -> None:
        assert time.monotonic() - started < MAX_SECONDS
        assert others() == before
        assert provider.canary.calls == 0
        assert person.heading
        assert [e for e in person.page.all("a") if e.attributes], "the page has no link"
        assert "<script>alert" not in person.page.html
        assert "<img src=x" not in person.page.html
        secrets = [CLIENT_SECRET, "canary-access"]
        secrets += [s for g in provider.grants for s in (g.code, g.nonce, g.access_token)]
        secrets += [form["code_verifier"] for form, _ in provider.token_requests]
        assert [s for s in secrets if s in caplog.text] == []
        assert [s for s in secrets if s in person.page.html] == []

    return check


def assert_nobody_is_signed_in(person: Person) -> None:
    assert not person.is_signed_in
    assert not OktaIdentity.objects.filter(subject=SUBJECT).exists()
    assert not User.objects.filter(username__startswith="okta-").exclude(username="okta-known").exists()


@parametrize_attacks_and_journeys(REFUSED)
def test_forged_response_of_the_provider_signs_nobody_in(
    provider: HostileProvider, assert_no_harm: Callable[..., None], journey: Callable[[Person], Person], attack: Attack
) -> None:
    if "another session" in attack.name:
        sign_in(Person("grace@example.com"))
        User.objects.exclude(username__in=("root", "staff", "okta-known")).delete()
    provider.attack = attack
    person = journey(Person())
    assert provider.forged_count
    assert_nobody_is_signed_in(person)
    assert_no_harm(person)


@parametrize_attacks(REFUSED_BY_REDIRECT)
def test_forged_redirect_of_the_provider_signs_nobody_in(
    provider: HostileProvider, assert_no_harm: Callable[..., None], attack: Attack
) -> None:
    provider.attack = attack
    person = sign_in(Person())
    assert provider.forged_count
    assert person.status == 400
    assert_nobody_is_signed_in(person)
    assert_no_harm(person)


@parametrize_attacks_and_journeys(SLOW)
def test_endless_response_of_the_provider_times_out(
    provider: HostileProvider, assert_no_harm: Callable[..., None], journey: Callable[[Person], Person], attack: Attack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    shorten_timeouts(monkeypatch)
    provider.attack = attack
    person = journey(Person())
    assert provider.forged_count
    assert_nobody_is_signed_in(person)
    assert_no_harm(person)
    policy.reset_connections()


@pytest.mark.database
@parametrize_attacks_and_journeys(HARMLESS)
def test_misleading_claims_give_no_privileges_and_no_access_to_other_users(
    provider: HostileProvider, assert_no_harm: Callable[..., None], journey: Callable[[Person], Person], attack: Attack
) -> None:
    provider.attack = attack
    person = journey(Person())
    assert provider.forged_count
    assert_no_harm(person)
    if person.is_signed_in:
        user = User.objects.get(pk=person.browser.session["_auth_user_id"])
        assert OktaIdentity.objects.get(subject=SUBJECT).user == user
        assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
        assert not user.groups.exists()
        assert not user.user_permissions.exists()
        assert user.username.startswith("okta-")


@pytest.mark.database
@parametrize_attacks_and_journeys(BELIEVED)
def test_valid_response_of_the_provider_signs_the_person_in(
    provider: HostileProvider, assert_no_harm: Callable[..., None], journey: Callable[[Person], Person], attack: Attack
) -> None:
    provider.attack = attack
    person = journey(Person())
    assert provider.forged_count or not attack.at
    assert person.is_signed_in, person.page.text
    assert OktaIdentity.objects.get(subject=SUBJECT).user.pk == int(person.browser.session["_auth_user_id"])
    assert_no_harm(person)


@parametrize_attacks([a for a in (*REFUSED, NO_LENGTH) if a.at == "keys"])
def test_sign_in_works_again_after_a_forged_key_set(
    provider: HostileProvider, attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Keys may be fetched once a minute. Pretend that the minute has passed.
    monkeypatch.setattr(signing, "REFETCH_SECONDS", 0)
    provider.attack = attack
    with monkeypatch.context() as patch:
        if attack in SLOW:
            shorten_timeouts(patch)
        sign_in(Person())
    provider.attack = None
    policy.reset_connections()
    assert sign_in(Person()).is_signed_in


@pytest.mark.parametrize("journey", JOURNEYS)
def test_rotated_signing_keys_are_fetched_exactly_once(
    provider: HostileProvider, journey: Callable[[Person], Person]
) -> None:
    provider.attack = Attack("before", "keys", lambda s: {"keys": [{**s.keys()["keys"][0], "kid": "before"}]})
    signing_keys(policy.connect(conf(), Visitor()).client)
    provider.attack = None
    provider.calls.clear()
    assert journey(Person()).is_signed_in
    assert sign_in(Person()).is_signed_in
    assert len([c for c in provider.calls if c.endswith("/keys")]) == 1
