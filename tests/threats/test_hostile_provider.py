"""A provider that lies: nobody is signed in by it, nobody else is touched, and whoever waits gets a page in time."""

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

Look = Callable[[], list[dict[str, Any]]]
# Seconds. An answer that takes for ever would take 30.
PATIENCE = 20.0
NO_LENGTH = next(a for a in SLOW if a.name == "keys: no length at all")


def signs_in(person: Person) -> Person:
    """By the redirect: an authorization code."""
    return person.opens(f"{SITE}/oidc/authenticate/")


def signs_up(person: Person) -> Person:
    """By a sign-up on our pages: an interaction code."""
    return person.opens_the_sign_up().tells_who_she_is()


WAYS = (signs_in, signs_up)


def named(table: list[Attack]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("attack", table, ids=[a.name for a in table])


def by_one_way_or_the_other(table: list[Attack]) -> pytest.MarkDecorator:
    """Neighbours in a table are of one kind: they take the two ways in turn, and every night both."""
    cases = [
        pytest.param(way, attack, id=f"{attack.name}-{way.__name__}", marks=[] if turn else pytest.mark.nightly)
        for number, attack in enumerate(table)
        for way, turn in zip(WAYS, (number % 2 == 0, number % 2 == 1), strict=True)
    ]
    return pytest.mark.parametrize(("way", "attack"), cases)


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives up an answer soon: late enough for the honest ones before it on a busy machine."""
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 1.2)
    monkeypatch.setattr(transport, "READ_SECONDS", 1.2)
    policy.reset_connections()


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.fixture
def expect_no_harm(provider: HostileProvider, others: Look, caplog: pytest.LogCaptureFixture) -> Callable[..., None]:
    """What holds after every attack."""
    before, begun = others(), time.monotonic()

    def check(person: Person) -> None:
        assert time.monotonic() - begun < PATIENCE
        assert others() == before
        assert provider.canary.calls == 0
        assert person.heading
        assert [e for e in person.page.all("a") if e.attributes], "no way on"
        assert "<script>alert" not in person.page.html
        assert "<img src=x" not in person.page.html
        secrets = [CLIENT_SECRET, "canary-access"]
        secrets += [s for g in provider.grants for s in (g.code, g.nonce, g.access_token)]
        secrets += [form["code_verifier"] for form, _ in provider.token_requests]
        assert [s for s in secrets if s in caplog.text] == []
        assert [s for s in secrets if s in person.page.html] == []

    return check


def expect_nobody(person: Person) -> None:
    assert not person.is_signed_in
    assert not OktaIdentity.objects.filter(subject=SUBJECT).exists()
    assert not User.objects.filter(username__startswith="okta-").exclude(username="okta-known").exists()


@by_one_way_or_the_other(REFUSED)
def test_a_lie_signs_nobody_in(
    provider: HostileProvider, expect_no_harm: Callable[..., None], way: Callable[[Person], Person], attack: Attack
) -> None:
    if "another session" in attack.name:
        signs_in(Person("grace@example.com"))
        User.objects.exclude(username__in=("root", "staff", "okta-known")).delete()
    provider.attack = attack
    person = way(Person())
    assert provider.told
    expect_nobody(person)
    expect_no_harm(person)


@named(REFUSED_BY_REDIRECT)
def test_a_false_way_back_signs_nobody_in(
    provider: HostileProvider, expect_no_harm: Callable[..., None], attack: Attack
) -> None:
    provider.attack = attack
    person = signs_in(Person())
    assert provider.told
    assert person.status == 400
    expect_nobody(person)
    expect_no_harm(person)


@by_one_way_or_the_other(SLOW)
def test_an_answer_that_takes_for_ever_is_given_up(
    provider: HostileProvider, expect_no_harm: Callable[..., None], way: Callable[[Person], Person], attack: Attack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    hurry(monkeypatch)
    provider.attack = attack
    person = way(Person())
    assert provider.told
    expect_nobody(person)
    expect_no_harm(person)
    policy.reset_connections()


@pytest.mark.database
@by_one_way_or_the_other(HARMLESS)
def test_what_a_provider_says_of_a_person_makes_her_nobody_else(
    provider: HostileProvider, expect_no_harm: Callable[..., None], way: Callable[[Person], Person], attack: Attack
) -> None:
    provider.attack = attack
    person = way(Person())
    assert provider.told
    expect_no_harm(person)
    if person.is_signed_in:
        user = User.objects.get(pk=person.browser.session["_auth_user_id"])
        assert OktaIdentity.objects.get(subject=SUBJECT).user == user
        assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
        assert not user.groups.exists()
        assert not user.user_permissions.exists()
        assert user.username.startswith("okta-")


@pytest.mark.database
@by_one_way_or_the_other(BELIEVED)
def test_an_honest_answer_signs_in(
    provider: HostileProvider, expect_no_harm: Callable[..., None], way: Callable[[Person], Person], attack: Attack
) -> None:
    provider.attack = attack
    person = way(Person())
    assert provider.told or not attack.at
    assert person.is_signed_in, person.page.text
    assert OktaIdentity.objects.get(subject=SUBJECT).user.pk == int(person.browser.session["_auth_user_id"])
    expect_no_harm(person)


@named([a for a in (*REFUSED, NO_LENGTH) if a.at == "keys"])
def test_after_a_lie_the_truth_is_believed_again(
    provider: HostileProvider, attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Keys may be fetched once a minute: that minute has passed.
    monkeypatch.setattr(signing, "REFETCH_SECONDS", 0)
    provider.attack = attack
    with monkeypatch.context() as patch:
        if attack in SLOW:
            hurry(patch)
        signs_in(Person())
    provider.attack = None
    policy.reset_connections()
    assert signs_in(Person()).is_signed_in


@pytest.mark.parametrize("way", WAYS)
def test_rotated_keys_are_fetched_once_more(provider: HostileProvider, way: Callable[[Person], Person]) -> None:
    provider.attack = Attack("before", "keys", lambda s: {"keys": [{**s.keys()["keys"][0], "kid": "before"}]})
    signing_keys(policy.connect(conf(), Visitor()).client)
    provider.attack = None
    provider.calls.clear()
    assert way(Person()).is_signed_in
    assert signs_in(Person()).is_signed_in
    assert len([c for c in provider.calls if c.endswith("/keys")]) == 1
