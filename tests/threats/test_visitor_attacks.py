"""Attacks from a browser on ``/oidc/authenticate/`` and ``/oidc/callback/`` while the provider is honest."""

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

Snapshot = Callable[[], list[dict[str, Any]]]


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def user_of(person: Person) -> User:
    return User.objects.get(pk=person.browser.session["_auth_user_id"])


@pytest.fixture
def ada(provider: HostileProvider) -> Person:
    return Person()


@pytest.fixture
def grace(provider: HostileProvider) -> Person:
    """Return another person who is signed in."""
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
def test_tampered_callback_query_signs_nobody_in(ada: Person, others: Snapshot, query: str) -> None:
    before, valid = others(), query_of(way_back(ada))
    ada.opens(SITE + CALLBACK + query.format(code=valid["code"], state=valid["state"], cut=valid["state"][:-1]))
    assert (ada.status, ada.heading) == (400, "We couldn't sign you in")
    # Trying again is pointless if the org denied access.
    assert ada.page.link("Home" if "error=access_denied" in query and "made-up" not in query else "Sign in")
    assert "<script>alert" not in ada.page.html
    assert "evil.example" not in ada.page.html
    assert not ada.is_signed_in
    assert others() == before
    assert not OktaIdentity.objects.filter(subject=SUBJECT).exists()


# Without a CSRF token, methods that may change something are refused before the view is asked.
@pytest.mark.parametrize(
    ("method", "status"),
    [("post", 403), ("put", 403), ("patch", 403), ("delete", 403), ("options", 405), ("head", 405), ("trace", 405)],
)
def test_callback_accepts_only_get(ada: Person, method: str, status: int) -> None:
    callback = way_back(ada)
    answer = getattr(ada.browser, method)(callback.removeprefix(SITE))
    assert answer.status_code == status
    assert not ada.is_signed_in
    assert ada.opens(callback).is_signed_in


@pytest.mark.parametrize(("method", "status"), [("post", 403), ("put", 403), ("delete", 403), ("head", 405)])
def test_authenticate_view_accepts_only_get(ada: Person, provider: HostileProvider, method: str, status: int) -> None:
    assert getattr(ada.browser, method)("/oidc/authenticate/").status_code == status
    assert "oidc_states" not in ada.browser.session


# ---- two browsers


def test_callback_of_another_browser_signs_nobody_in(ada: Person, others: Snapshot) -> None:
    before, mallory = others(), Person("mallory@example.com")
    foreign_callback = way_back(mallory)
    assert ada.opens(foreign_callback).status == 400
    way_back(ada)
    assert ada.opens(foreign_callback).status == 400
    assert not ada.is_signed_in
    assert others() == before


def test_code_of_another_browser_does_not_work_with_own_state(
    ada: Person, provider: HostileProvider, others: Snapshot
) -> None:
    before, mine, theirs = others(), query_of(way_back(ada)), query_of(way_back(Person("grace@example.com")))
    ada.opens(f"{SITE}{CALLBACK}?{urlencode({'code': theirs['code'], 'state': mine['state']})}")
    assert ada.status == 400
    assert not ada.is_signed_in
    assert others() == before
    # The provider rejected the code because of its verifier.
    assert provider.token_requests[-1][0]["code"] == theirs["code"]


def test_authorization_code_works_only_once(ada: Person) -> None:
    used_callback = way_back(ada)
    assert ada.opens(used_callback).is_signed_in
    ada.browser.logout()
    new_query = query_of(way_back(ada))
    ada.opens(f"{SITE}{CALLBACK}?{urlencode({'code': query_of(used_callback)['code'], 'state': new_query['state']})}")
    assert ada.status == 400
    assert not ada.is_signed_in


def test_state_works_only_once_even_after_a_failure(ada: Person, provider: HostileProvider) -> None:
    callback = way_back(ada)
    provider.attack = Attack("down", "token", lambda s: {"error": "server_error"})
    assert ada.opens(callback).status == 503
    provider.attack = None
    calls = len(provider.token_requests)
    assert ada.opens(callback).status == 400
    assert len(provider.token_requests) == calls


def test_replayed_callback_keeps_the_current_login(ada: Person) -> None:
    callback = way_back(ada)
    user = user_of(ada.opens(callback))
    # It redirects to the page where a sign-in ends.
    assert (ada.opens(callback).status, ada.path) == (200, "/")
    assert user_of(ada) == user


def test_signing_in_in_two_tabs_leaves_the_person_signed_in(ada: Person) -> None:
    first, second = way_back(ada), way_back(ada)
    assert ada.opens(second).is_signed_in
    ada.opens(first)
    assert ada.is_signed_in
    assert ada.status == 200


def test_oldest_states_are_dropped_above_the_limit(ada: Person) -> None:
    first = way_back(ada)
    for _ in range(60):
        ada.browser.get("/oidc/authenticate/")
    assert len(ada.browser.session["oidc_states"]) <= 50
    assert ada.opens(first).status == 400
    assert ada.opens(way_back(ada)).is_signed_in


# ---- sessions


@pytest.mark.database
def test_sign_in_deletes_the_anonymous_session_and_its_data(ada: Person) -> None:
    callback = way_back(ada)
    planted = ada.browser.session
    planted["cart"] = "something"
    planted.save()
    old_key = planted.session_key
    ada.opens(callback)
    assert ada.browser.session.session_key != old_key
    assert not Session.objects.filter(session_key=old_key).exists()
    assert "cart" not in ada.browser.session


def test_sign_in_as_another_user_drops_the_session_of_the_first(grace: Person, others: Snapshot) -> None:
    first_user = user_of(grace)
    session = grace.browser.session
    session["secret-of-grace"] = 1
    session.save()
    grace.opens(way_back(grace))
    assert user_of(grace) != first_user
    assert "secret-of-grace" not in grace.browser.session


@pytest.mark.parametrize("claim", ["nonce", "aud", "iss"])
def test_invalid_claims_end_the_session_of_the_user_signed_in_before(
    grace: Person, provider: HostileProvider, claim: str
) -> None:
    provider.attack = Attack("bad", "id_token", lambda s: s.sign(s.claims(**{claim: "x"})))
    grace.opens(way_back(grace))
    assert grace.status == 400
    assert not grace.is_signed_in


def test_forged_callback_does_not_end_a_login(grace: Person) -> None:
    for query in ("?error=access_denied&state=x", "?code=x&state=x", "?error=x", ""):
        grace.opens(SITE + CALLBACK + query)
        assert grace.is_signed_in


@pytest.mark.database
@pytest.mark.parametrize("cookie", ["x" * 4_000, "../../etc/passwd", "'; DROP TABLE", "é", "a" * 32])
def test_forged_session_cookie_is_ignored(ada: Person, cookie: str) -> None:
    ada.browser.cookies["sessionid"] = cookie
    assert ada.opens(f"{SITE}{CALLBACK}?code=x&state=y").status == 400
    assert not ada.is_signed_in
    assert ada.opens(AUTHENTICATE).is_signed_in


# ---- hosts and targets


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "X-Forwarded-Server", "Forwarded", "X-Original-URL"])
def test_request_headers_do_not_change_the_redirect_uri(ada: Person, settings: Any, name: str) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    value = "host=evil.example" if name == "Forwarded" else "evil.example"
    answer = ada.browser.get("/oidc/authenticate/", headers={name: value})
    sent = parse_qs(urlsplit(answer["Location"]).query)
    assert sent["redirect_uri"] == [f"{SITE}{CALLBACK}"]
    assert "evil" not in answer["Location"]


def test_unknown_host_gets_status_400(ada: Person) -> None:
    assert ada.browser.get("/oidc/authenticate/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("target", FOREIGN_TARGETS)
def test_sign_in_with_a_foreign_target_ends_on_the_home_page(ada: Person, target: str) -> None:
    ada.opens(f"{AUTHENTICATE}?next={quote(target, safe='')}")
    assert ada.is_signed_in
    assert ada.page.url == f"{SITE}/"


# ---- existing users


def test_inactive_user_cannot_sign_in_and_is_not_updated(ada: Person, provider: HostileProvider) -> None:
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
def test_sign_in_with_the_address_of_an_existing_user_does_not_become_that_user(
    ada: Person, provider: HostileProvider, flags: dict[str, Any]
) -> None:
    existing = User.objects.create_user("there", EMAIL, **flags)
    before = User.objects.filter(pk=existing.pk).values().get()
    ada.opens(AUTHENTICATE)
    assert user_of(ada) != existing
    assert User.objects.filter(pk=existing.pk).values().get() == before


@pytest.mark.database
def test_sign_in_with_the_username_of_an_existing_user_does_not_become_that_user(
    ada: Person, provider: HostileProvider
) -> None:
    provider.attack = Attack("root", "userinfo", lambda s: s.about(preferred_username="root", email="root@example.com"))
    root = User.objects.create_superuser("root")
    assert user_of(ada.opens(AUTHENTICATE)) != root


def test_sign_in_succeeds_if_another_worker_updates_the_registration_meanwhile(
    ada: Person, provider: HostileProvider
) -> None:
    """Another worker updates the row between reading and writing it."""
    row = Registration.objects.create(issuer=provider.issuer, okta_user_id=SUBJECT, status=Status.AWAITING_EMAIL)

    def update_in_another_worker(instance: Registration, **_: Any) -> None:
        Registration.objects.filter(pk=row.pk).update(version=instance.version + 1)

    post_init.connect(update_in_another_worker, sender=Registration, weak=False)
    try:
        ada.opens(AUTHENTICATE)
    finally:
        post_init.disconnect(update_in_another_worker, sender=Registration)
    assert ada.is_signed_in


# ---- the deadline of the hand-off


@pytest.mark.slow
def test_hand_off_has_one_deadline_for_all_three_calls(
    ada: Person, provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call stays within its own deadline, but all together exceed that of the hand-off."""
    monkeypatch.setattr("selfreg.auth.HAND_OFF_SECONDS", 1.0)
    real_answer, seconds = provider.answer, {"token": 0.7, "keys": 4.5, "userinfo": 4.5}

    def answer_slowly(at: str, scene: Any, honest: Callable[[], Any]) -> Any:
        provider.released.wait(seconds.get(at, 0))
        return real_answer(at, scene, honest)

    monkeypatch.setattr(provider, "answer", answer_slowly)
    started = time.monotonic()
    ada.opens(AUTHENTICATE)
    assert time.monotonic() - started < sum(seconds.values()) / 2
    assert ada.status == 503
    assert not ada.is_signed_in
