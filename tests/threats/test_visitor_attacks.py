"""What somebody can try from a browser at ``/oidc/authenticate/`` and ``/oidc/callback/`` of an honest provider."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models.signals import post_init

from selfreg.models import OktaIdentity, Registration
from selfreg.statuses import Status
from support.person import SITE, Person
from support.provider.hostile_provider import EMAIL, SUBJECT, Attack, HostileProvider
from support.provider.visitor_attacks import AUTHENTICATE, CALLBACK, FOREIGN_TARGETS, way_back

Look = Callable[[], list[dict[str, Any]]]


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def user_of(person: Person) -> User:
    return User.objects.get(pk=person.browser.session["_auth_user_id"])


@pytest.fixture
def ada(provider: HostileProvider) -> Person:
    return Person()


@pytest.fixture
def grace(provider: HostileProvider) -> Person:
    """Somebody else, signed in."""
    provider.attack = Attack("grace", "userinfo", lambda s: s.about(email="grace@example.com"))
    person = Person("grace@example.com").opens(AUTHENTICATE)
    provider.attack = None
    identity = OktaIdentity.objects.get(subject=SUBJECT)
    identity.subject = "00uANOTHER"
    identity.save()
    User.objects.filter(pk=identity.user_id).update(username="okta-grace")
    return person


# ---- the parameters

QUERIES = {
    "nothing": "",
    "only a code": "?code={code}",
    "only a state": "?state={state}",
    "code empty": "?code=&state={state}",
    "state empty": "?code={code}&state=",
    "state cut": "?code={code}&state={cut}",
    "state made up": "?code={code}&state=made-up",
    "state twice": "?code={code}&state={state}&state={state}",
    "state twice, the first made up": "?code={code}&state=x&state={state}",
    "code twice": "?code=x&code={code}&state={state}",
    "error twice": "?error=a&error=b&state={state}",
    "state as an array": "?code={code}&state[]={state}",
    "state in other case": "?code={code}&STATE={state}",
    "state with NUL": "?code={code}&state={state}%00",
    "state with a space": "?code={code}&state={state}%20",
    "state huge": "?code={code}&state=" + "x" * 10_000,
    "state no UTF-8": "?code={code}&state=%ff%fe",
    "code made up": "?code=made-up&state={state}",
    "code with a line break": "?code=a%0d%0ab&state={state}",
    "code huge": "?code=" + "x" * 10_000 + "&state={state}",
    "an error": "?error=access_denied&state={state}",
    "an error of nobody": "?error=access_denied&state=made-up",
    "an error beside the code": "?error=access_denied&code={code}&state={state}",
    "an error with markup": "?error=%3Cscript%3Ealert(1)%3C/script%3E&error_description=%3Cb%3E&state={state}",
    "an error with an address": "?error=x&error_uri=https://evil.example/&state={state}",
    "an interaction code of nobody": "?interaction_code=x&state={state}",
    "tokens in the query": "?id_token=a.b.c&access_token=x&state={state}",
    "another issuer": "?code={code}&state={state}&iss=https://evil.example",
    "a semicolon for an ampersand": "?code={code};state={state}",
    "many parameters": "?state=x&" + "&".join(f"a{n}=1" for n in range(900)),
}


@pytest.mark.database
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
def test_a_tampered_callback_signs_nobody_in(ada: Person, others: Look, query: str) -> None:
    before, good = others(), query_of(way_back(ada))
    ada.opens(SITE + CALLBACK + query.format(code=good["code"], state=good["state"], cut=good["state"][:-1]))
    assert (ada.status, ada.heading) == (400, "We couldn't sign you in")
    # Somebody whom the org denied access gets nowhere by trying again.
    assert ada.page.link("Home" if "error=access_denied" in query and "made-up" not in query else "Sign in")
    assert "<script>alert" not in ada.page.html
    assert "evil.example" not in ada.page.html
    assert not ada.is_signed_in
    assert others() == before
    assert not OktaIdentity.objects.filter(subject=SUBJECT).exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "head", "trace"])
def test_only_a_get_is_a_callback(ada: Person, method: str) -> None:
    back = way_back(ada)
    answer = getattr(ada.browser, method)(back.removeprefix(SITE))
    assert answer.status_code in (403, 405)
    assert not ada.is_signed_in
    assert ada.opens(back).is_signed_in


@pytest.mark.parametrize("method", ["post", "put", "delete", "head"])
def test_only_a_get_goes_to_the_org(ada: Person, provider: HostileProvider, method: str) -> None:
    assert getattr(ada.browser, method)("/oidc/authenticate/").status_code in (403, 405)
    assert "oidc_states" not in ada.browser.session


# ---- two browsers


def test_login_csrf_somebody_elses_way_back_signs_nobody_in(ada: Person, others: Look) -> None:
    before, mallory = others(), Person("mallory@example.com")
    trap = way_back(mallory)
    assert ada.opens(trap).status == 400
    way_back(ada)
    assert ada.opens(trap).status == 400
    assert not ada.is_signed_in
    assert others() == before


def test_somebody_elses_code_does_not_work_with_my_state(ada: Person, provider: HostileProvider, others: Look) -> None:
    before, mine, theirs = others(), query_of(way_back(ada)), query_of(way_back(Person("grace@example.com")))
    ada.opens(f"{SITE}{CALLBACK}?{urlencode({'code': theirs['code'], 'state': mine['state']})}")
    assert ada.status == 400
    assert not ada.is_signed_in
    assert others() == before
    # It was the provider that told them apart, by the verifier.
    assert provider.token_requests[-1][0]["code"] == theirs["code"]


def test_a_code_works_once(ada: Person) -> None:
    used = way_back(ada)
    assert ada.opens(used).is_signed_in
    ada.browser.logout()
    fresh = query_of(way_back(ada))
    ada.opens(f"{SITE}{CALLBACK}?{urlencode({'code': query_of(used)['code'], 'state': fresh['state']})}")
    assert ada.status == 400
    assert not ada.is_signed_in


def test_a_state_works_once_even_when_it_failed(ada: Person, provider: HostileProvider) -> None:
    back = way_back(ada)
    provider.attack = Attack("down", "token", lambda s: {"error": "server_error"})
    assert ada.opens(back).status == 503
    provider.attack = None
    calls = len(provider.token_requests)
    assert ada.opens(back).status == 400
    assert len(provider.token_requests) == calls


def test_a_replayed_callback_leaves_who_is_signed_in_alone(ada: Person) -> None:
    back = way_back(ada)
    user = user_of(ada.opens(back))
    # It leads on to where a sign-in ends.
    assert (ada.opens(back).status, ada.path) == (200, "/")
    assert user_of(ada) == user


def test_two_tabs_that_sign_in_at_once_both_end_well(ada: Person) -> None:
    first, second = way_back(ada), way_back(ada)
    assert ada.opens(second).is_signed_in
    ada.opens(first)
    assert ada.is_signed_in
    assert ada.status in (200, 400)


def test_of_too_many_states_the_oldest_are_forgotten(ada: Person) -> None:
    first = way_back(ada)
    for _ in range(60):
        ada.browser.get("/oidc/authenticate/")
    assert len(ada.browser.session["oidc_states"]) <= 50
    assert ada.opens(first).status == 400
    assert ada.opens(way_back(ada)).is_signed_in


# ---- sessions


@pytest.mark.database
def test_the_session_of_before_is_gone_after_signing_in(ada: Person) -> None:
    back = way_back(ada)
    planted = ada.browser.session
    planted["cart"] = "something"
    planted.save()
    old = planted.session_key
    ada.opens(back)
    assert ada.browser.session.session_key != old
    assert not Session.objects.filter(session_key=old).exists()
    assert "cart" not in ada.browser.session


def test_signing_in_as_somebody_else_drops_the_first_one(grace: Person, others: Look) -> None:
    was = user_of(grace)
    session = grace.browser.session
    session["secret-of-grace"] = 1
    session.save()
    grace.opens(way_back(grace))
    assert user_of(grace) != was
    assert "secret-of-grace" not in grace.browser.session


@pytest.mark.parametrize("claim", ["nonce", "aud", "iss"])
def test_claims_that_do_not_hold_end_the_session_of_before(
    grace: Person, provider: HostileProvider, claim: str
) -> None:
    provider.attack = Attack("bad", "id_token", lambda s: s.sign(s.claims(**{claim: "x"})))
    grace.opens(way_back(grace))
    assert grace.status == 400
    assert not grace.is_signed_in


def test_a_forged_callback_cannot_sign_anybody_out(grace: Person) -> None:
    for query in ("?error=access_denied&state=x", "?code=x&state=x", "?error=x", ""):
        grace.opens(SITE + CALLBACK + query)
        assert grace.is_signed_in


@pytest.mark.database
@pytest.mark.parametrize("cookie", ["x" * 4_000, "../../etc/passwd", "'; DROP TABLE", "é", "a" * 32])
def test_a_made_up_session_cookie_is_none(ada: Person, cookie: str) -> None:
    ada.browser.cookies["sessionid"] = cookie
    assert ada.opens(f"{SITE}{CALLBACK}?code=x&state=y").status == 400
    assert not ada.is_signed_in
    assert ada.opens(AUTHENTICATE).is_signed_in


# ---- hosts and targets


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "X-Forwarded-Server", "Forwarded", "X-Original-URL"])
def test_no_header_moves_the_redirect_uri(ada: Person, settings: Any, name: str) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    value = "host=evil.example" if name == "Forwarded" else "evil.example"
    answer = ada.browser.get("/oidc/authenticate/", headers={name: value})
    sent = parse_qs(urlsplit(answer["Location"]).query)
    assert sent["redirect_uri"] == [f"{SITE}{CALLBACK}"]
    assert "evil" not in answer["Location"]


def test_a_foreign_host_is_refused(ada: Person) -> None:
    assert ada.browser.get("/oidc/authenticate/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("target", FOREIGN_TARGETS)
def test_nobody_lands_elsewhere(ada: Person, target: str) -> None:
    ada.opens(f"{AUTHENTICATE}?next={quote(target, safe='')}")
    assert ada.is_signed_in
    assert ada.page.url == f"{SITE}/"


# ---- who may come in


def test_a_switched_off_user_stays_out_and_unchanged(ada: Person, provider: HostileProvider) -> None:
    ada.opens(AUTHENTICATE)
    ada.browser.logout()
    User.objects.update(is_active=False, first_name="As it was")
    OktaIdentity.objects.update(email_verified_at=None)
    before = [*User.objects.values(), *OktaIdentity.objects.values()]
    ada.opens(AUTHENTICATE)
    assert ada.status == 400
    assert not ada.is_signed_in
    assert [*User.objects.values(), *OktaIdentity.objects.values()] == before


@pytest.mark.database
@pytest.mark.parametrize("flags", [{"is_staff": True}, {"is_superuser": True, "is_staff": True}, {}])
def test_an_address_of_somebody_here_signs_in_as_nobody_but_herself(
    ada: Person, provider: HostileProvider, flags: dict[str, Any]
) -> None:
    there = User.objects.create_user("there", EMAIL, **flags)
    before = User.objects.filter(pk=there.pk).values().get()
    ada.opens(AUTHENTICATE)
    assert user_of(ada) != there
    assert User.objects.filter(pk=there.pk).values().get() == before


@pytest.mark.database
def test_a_name_of_somebody_here_is_never_taken(ada: Person, provider: HostileProvider) -> None:
    provider.attack = Attack("root", "userinfo", lambda s: s.about(preferred_username="root", email="root@example.com"))
    root = User.objects.create_superuser("root")
    assert user_of(ada.opens(AUTHENTICATE)) != root


def test_two_sign_ins_at_the_same_moment_both_come_in(ada: Person, provider: HostileProvider) -> None:
    """Another worker completes the registration between reading its row and changing it."""
    row = Registration.objects.create(issuer=provider.issuer, okta_user_id=SUBJECT, status=Status.AWAITING_EMAIL)

    def quicker(instance: Registration, **_: Any) -> None:
        Registration.objects.filter(pk=row.pk).update(version=instance.version + 1)

    post_init.connect(quicker, sender=Registration, weak=False)
    try:
        ada.opens(AUTHENTICATE)
    finally:
        post_init.disconnect(quicker, sender=Registration)
    assert ada.is_signed_in


# ---- the whole takes as long as it may


@pytest.mark.slow
def test_three_slow_answers_do_not_add_up(
    ada: Person, provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each within its own deadline, together beyond the hand-off's."""
    monkeypatch.setattr("selfreg.auth.HAND_OFF_SECONDS", 1.0)
    asked, seconds = provider.answer, {"token": 0.7, "keys": 4.5, "userinfo": 4.5}

    def slowly(at: str, scene: Any, honest: Callable[[], Any]) -> Any:
        provider.released.wait(seconds.get(at, 0))
        return asked(at, scene, honest)

    monkeypatch.setattr(provider, "answer", slowly)
    begun = time.monotonic()
    ada.opens(AUTHENTICATE)
    assert time.monotonic() - begun < sum(seconds.values()) / 2
    assert ada.status == 503
    assert not ada.is_signed_in
