"""One test for each numbered threat in ``docs/threats.md``, named after its row."""

import os
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.auth import OktaBackend
from selfreg.checks.settings import check_settings
from selfreg.conf import conf
from selfreg.email_addresses import canonical
from selfreg.idx import pkce
from selfreg.idx.client import Visitor
from selfreg.idx.errors import AnswerLost, ForeignHref, IdxError, MalformedAnswer, OrgUnreachable
from selfreg.idx.transport import Transport
from selfreg.models import OktaIdentity, Registration
from selfreg.registration import policy as site_org
from selfreg.secret import Secret
from selfreg.statuses import Status
from selfreg.web.redirects import landing
from support.person import PASSWORD, SITE, Person
from support.provider.hostile_provider import EMAIL, SUBJECT, Attack, Handler, HostileProvider, rsa_key
from support.provider.provider_attacks import HARMLESS, REFUSED
from support.provider.visitor_attacks import AUTHENTICATE, CALLBACK, FOREIGN_TARGETS, way_back
from support.sealed import stored_state

Configure = Callable[..., None]


def attack_named(name: str) -> Attack:
    return next(a for a in (*REFUSED, *HARMLESS) if a.name == name)


def attacks(at: str, *words: str) -> list[Attack]:
    return [a for a in REFUSED if a.at == at and any(w in a.name for w in words)]


def rejected_attacks(provider: HostileProvider, forgeries: list[Attack]) -> list[str]:
    """Return the names of the attacks that signed nobody in."""
    rejected = []
    for forgery in forgeries:
        provider.attack = forgery
        site_org.reset_connections()
        cache.clear()
        person = Person().opens(AUTHENTICATE)
        if not person.is_signed_in and not OktaIdentity.objects.filter(subject=SUBJECT).exists():
            rejected.append(forgery.name)
    return rejected


@pytest.fixture
def at_the_code(person: Person) -> Person:
    return person.opens_the_sign_up().submits_profile().chooses("Email")


def rows() -> list[dict[str, Any]]:
    return [dict(row) for row in Registration.objects.order_by("pk").values()]


def test_t1_post_without_csrf_token_gets_status_403(at_the_code: Person, org: OrgHandle) -> None:
    before, calls = rows(), len(org.calls())
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = at_the_code.browser.cookies
    resolvers = (r for r in get_resolver().url_patterns if isinstance(r, URLResolver))
    included = next(r for r in resolvers if r.namespace == "selfreg")
    paths = [f"/signup/{p.pattern}" for p in included.url_patterns if isinstance(p, URLPattern)]
    posts = [p for p in paths if "hooks" not in p and "health" not in p and "metrics" not in p and "<" not in p]
    assert len(posts) >= 5
    assert {browser.post(p, {"credentials.passcode": "1", "action": "cancel"}).status_code for p in posts} == {403}
    assert (rows(), len(org.calls())) == (before, calls)


def test_t2_email_link_in_another_browser_only_shows_the_code(at_the_code: Person, org: OrgHandle) -> None:
    before = rows()
    other = Person("grace@example.com").opens_the_email_link(org, at_the_code.email)
    assert other.heading == "Your code"
    assert not other.is_signed_in
    assert rows() == before


def test_t3_email_link_does_not_log_the_mailbox_owner_in_to_the_attackers_account(
    at_the_code: Person, org: OrgHandle
) -> None:
    """The attacker started with the victim's address; the victim opens the link."""
    victim = Person().opens_the_sign_up().opens_the_email_link(org, at_the_code.email)
    victim.posts("/signup/verify/", {})
    assert not victim.is_signed_in
    assert at_the_code.opens("/signup/step/").heading == "Check your email"
    assert Registration.objects.get().email_verified_at is None


def test_t4_missing_repeated_unknown_or_huge_state_is_rejected_and_changes_no_row(
    at_the_code: Person, org: OrgHandle
) -> None:
    before, code = rows(), org.code(at_the_code.email)
    for state in ("", "&state=", "&state=a&state=b", "&state=made-up", f"&state={'x' * 10_000}", "&state=%00"):
        person = Person().opens(f"{SITE}/signup/verify/?otp={code}{state}")
        assert person.heading in ("This link doesn't work", "We don't recognize this link")
        assert Person().opens(f"{SITE}{CALLBACK}?code=x{state}").status == 400
    assert rows() == before


def test_t5_missing_or_wrong_nonce_is_rejected(provider: HostileProvider) -> None:
    forgeries = attacks("id_token", "nonce")
    assert len(forgeries) > 10
    assert rejected_attacks(provider, forgeries) == [a.name for a in forgeries]


def test_t6_every_sign_in_sends_a_new_s256_challenge(provider: HostileProvider) -> None:
    for _ in range(20):
        Person().opens(AUTHENTICATE)
    assert {a["code_challenge_method"] for a in provider.authorizations} == {"S256"}
    assert len({a["code_challenge"] for a in provider.authorizations}) == 20
    sent = [form["code_verifier"] for form, _ in provider.token_requests]
    verifiers = [*sent, *(pkce.new_verifier() for _ in range(10_000))]
    assert len(set(verifiers)) == len(verifiers)
    assert all(43 <= len(v) <= 128 for v in verifiers)


def test_t7_callback_of_one_issuer_is_not_redeemed_at_another(
    provider: HostileProvider, org: OrgHandle, configure: Configure
) -> None:
    configure(ISSUER=provider.issuer)
    person = Person()
    back = way_back(person)
    configure(ISSUER=org.issuer)
    assert person.opens(back).status == 400
    assert not person.is_signed_in
    assert provider.token_requests == []
    forgeries = attacks("id_token", "iss ")
    configure(ISSUER=provider.issuer)
    assert rejected_attacks(provider, forgeries) == [a.name for a in forgeries]


def test_t8_injected_interaction_code_does_not_complete_a_registration(at_the_code: Person, org: OrgHandle) -> None:
    state = org.messages(at_the_code.email)[0].link.partition("state=")[2].partition("&")[0]  # type: ignore[union-attr]
    other_browser = Person().opens(f"{SITE}{CALLBACK}?interaction_code=injected&state={state}")
    assert other_browser.status == 400
    assert Registration.objects.get().status == Status.ENROLLING
    at_the_code.opens(f"{SITE}{CALLBACK}?interaction_code=injected&state={state}")
    assert not at_the_code.is_signed_in
    assert not User.objects.exists()


@pytest.mark.database
def test_t9_code_email_link_and_callback_work_only_once(at_the_code: Person, org: OrgHandle) -> None:
    code = org.code(at_the_code.email)
    mark = at_the_code.form.data().get("step", "")
    at_the_code.types_the_code_from(org)
    answers = len(org.calls("/challenge/answer"))
    at_the_code.posts("/signup/step/", {"credentials.passcode": code, "step": mark})
    assert len(org.calls("/challenge/answer")) == answers
    assert at_the_code.opens_the_email_link(org).heading == "Already confirmed"
    at_the_code.opens("/signup/step/").chooses("Password").sets_a_password()
    returning_person = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    callback = next(s.url for s in returning_person.seen if CALLBACK in s.url)
    returning_person.browser.logout()
    assert returning_person.opens(callback).status == 400
    assert not returning_person.is_signed_in


def test_t10_email_link_does_not_work_for_another_registration(at_the_code: Person, org: OrgHandle) -> None:
    grace = Person("grace@example.com").opens_the_sign_up().submits_profile().chooses("Email")
    grace.opens_the_email_link(org, at_the_code.email).posts("/signup/verify/", {})
    assert grace.opens("/signup/step/").heading == "Check your email"
    assert not Registration.objects.filter(email_verified_at__isnull=False).exists()


FORGED_STEPS: list[dict[str, str]] = [
    {},
    {"action": "skip"},
    {"action": "finish"},
    {"credentials.passcode": PASSWORD},
    {"authenticator.id": "made-up"},
    {"userProfile.email": "root@example.com"},
    {"stateHandle": "02made-up"},
    {"interaction_code": "x"},
    {"step": "token"},
    {"step": "enroll-authenticator okta_password", "credentials.passcode": PASSWORD},
]


@pytest.mark.parametrize("forged", FORGED_STEPS, ids=str)
def test_t11_posting_the_data_of_another_step_skips_no_step(
    person: Person, org: OrgHandle, forged: dict[str, str]
) -> None:
    person.opens_the_sign_up().submits_profile()
    person.posts("/signup/step/", forged)
    assert person.opens("/signup/step/").heading == "Check your email"
    assert org.users[0].status != "ACTIVE"
    assert not User.objects.exists()


def test_t12_email_verification_cannot_be_skipped_if_it_is_mandatory(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"okta_email": "optional", "okta_password": "optional"}})
    person.opens_the_sign_up().submits_profile()
    assert "Skip for now" not in person.page.text
    assert not person.posts("/signup/step/", {"action": "skip"}).is_signed_in
    assert not User.objects.exists()
    assert len(org.calls("/skip")) == 0


def test_t13_user_is_not_created_before_the_address_is_verified(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    assert not User.objects.exists()
    assert not OktaIdentity.objects.exists()
    returning_person = Person().opens(AUTHENTICATE).signs_in_at_the_org()
    assert not returning_person.is_signed_in


def test_t14_redirect_targets_on_other_sites_are_replaced_by_the_home_page(configure: Configure) -> None:
    assert [landing(t, conf()) for t in FOREIGN_TARGETS] == ["/"] * len(FOREIGN_TARGETS)
    for target in FOREIGN_TARGETS:
        configure(AFTER=target)
        assert landing("", conf()) == "/"


def test_t15_host_header_does_not_change_the_redirect_uri(provider: HostileProvider, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    for host in ("evil.example", "testserver:9999", "testserver.evil.example"):
        Person().browser.get("/signup/", headers={"Host": host, "X-Forwarded-Host": host})
        Person().browser.get("/oidc/authenticate/", headers={"Host": host, "X-Forwarded-Host": host})
    person = Person().opens(AUTHENTICATE)
    person.opens_the_sign_up()
    assert {g.redirect_uri for g in provider.grants} == {f"{SITE}{CALLBACK}"}


def test_t16_login_replaces_the_session_key_and_empties_the_old_session(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    planted = person.browser.session.session_key
    person.submits_profile().chooses("Email").types_the_code_from(org).chooses("Password").sets_a_password()
    assert person.is_signed_in
    assert person.browser.session.session_key != planted
    old_session = Session.objects.get(session_key=planted)
    assert set(old_session.get_decoded()) == {"selfreg_ended", "_session_expiry"}
    assert old_session.expire_date < timezone.now() + timedelta(minutes=6)


def test_t17_cookies_are_secure_http_only_and_same_site_lax(provider: HostileProvider, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    browser = Client()
    for path in ("/", "/signup/", "/oidc/authenticate/", "/oidc/callback/", "/signup/verify/", "/signup/done/"):
        browser.get(path, secure=True)
    assert {"__Host-sessionid", "__Host-csrftoken", "__Host-selfreg_device"} <= set(browser.cookies)
    for name, cookie in browser.cookies.items():
        assert cookie["secure"], name
        assert cookie["samesite"] == "Lax"
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert cookie["httponly"] or name == "__Host-csrftoken"


def test_t18_handles_appear_in_no_body_header_or_url(person: Person, org: OrgHandle) -> None:
    handles: set[str] = set()

    def remember_handles() -> None:
        secrets = stored_state(Registration.objects.get())
        transaction = secrets["transaction"]
        handles.update((transaction["interaction_handle"], transaction["nonce"], transaction["code_verifier"]))
        handles.add(secrets["document"].partition('"stateHandle": "')[2].partition('"')[0] or transaction["nonce"])

    person.opens_the_sign_up().submits_profile()
    remember_handles()
    person.chooses("Email")
    remember_handles()
    person.types_the_code_from(org)
    remember_handles()
    person.chooses("Password").sets_a_password()
    assert person.is_signed_in
    assert len(handles) >= 3
    assert [h for h in handles for s in person.seen if h in s.body + s.headers + s.url] == []


@pytest.mark.database
def test_t35_form_submitted_twice_calls_the_org_once(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    form = {k: v for k, v in person.form.data().items() if k != "csrfmiddlewaretoken"}
    ada = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": person.email}
    person.posts("/signup/", form | ada).posts("/signup/", form | ada)
    assert len(org.calls("/enroll/new")) == Registration.objects.count() == 1
    person.chooses("Email")
    mark = person.form.data()
    returning_person = {k: v for k, v in mark.items() if k != "csrfmiddlewaretoken"} | {
        "credentials.passcode": org.code(person.email)
    }
    person.posts("/signup/step/", returning_person).posts("/signup/step/", returning_person)
    assert person.heading == "Choose a password"
    assert len(org.calls("/challenge/answer")) == 1


@pytest.mark.database
def test_t36_concurrent_registrations_of_one_address_create_one_user(person: Person, org: OrgHandle) -> None:
    tabs = [Person().opens_the_sign_up() for _ in range(4)]
    for tab in tabs:
        tab.submits_profile()
    for tab in tabs:
        if tab.heading == "Check your email":
            tab.completes_the_sign_up(org)
    assert [t.is_signed_in for t in tabs].count(True) == 1
    assert User.objects.count() == OktaIdentity.objects.count() == 1


@pytest.mark.database
def test_t37_email_address_never_links_to_an_existing_user(provider: HostileProvider) -> None:
    root = User.objects.create_superuser("root", "root@example.com")
    before = User.objects.filter(pk=root.pk).values().get()
    for forgery in (a for a in HARMLESS if "superuser" in a.name):
        provider.attack = forgery
        person = Person().opens(AUTHENTICATE)
        assert person.browser.session.get("_auth_user_id") != str(root.pk)
    assert User.objects.filter(pk=root.pk).values().get() == before
    assert not OktaIdentity.objects.filter(user=root).exists()


def test_t38_attacker_who_registers_a_foreign_address_first_is_never_signed_in(person: Person, org: OrgHandle) -> None:
    """The attacker signs up first, with the owner's address and his own password; the code goes to the owner."""
    mallory = (
        Person(person.email)
        .opens_the_sign_up()
        .submits_profile()
        .chooses("Password")
        .sets_a_password("Mallory-was-here-1")
    )
    person.opens_the_sign_up().submits_profile()
    assert person.heading == "Create your account"
    assert "Look for our email to this address" in person.page.text
    mallory.posts("/signup/step/", {"credentials.passcode": "000000"}).opens("/signup/step/")
    assert not mallory.is_signed_in
    signed_in = Person(person.email).opens(AUTHENTICATE).signs_in_at_the_org("Mallory-was-here-1")
    assert not signed_in.is_signed_in
    assert not User.objects.exists()


def test_t39_userinfo_of_another_subject_is_rejected(provider: HostileProvider) -> None:
    forgeries = [a for a in REFUSED if a.at == "userinfo" and "sub" in a.name]
    assert len(forgeries) >= 6
    assert rejected_attacks(provider, forgeries) == [a.name for a in forgeries]


def test_t40_user_stays_the_same_after_a_change_of_address_and_login(provider: HostileProvider) -> None:
    first = Person().opens(AUTHENTICATE)
    provider.attack = Attack(
        "moved", "userinfo", lambda s: s.about(email="new@example.com", preferred_username="new@example.com")
    )
    second = Person().opens(AUTHENTICATE)
    assert second.browser.session["_auth_user_id"] == first.browser.session["_auth_user_id"]
    assert User.objects.get().email == "new@example.com"


def test_t41_usernames_are_unique_stable_ascii_and_contain_no_address(provider: HostileProvider) -> None:
    backend = OktaBackend()
    subjects = [f"00u{n}" for n in range(10_000)] + ["00uA", "00ua", "root", "ada@example.com"]
    names = [backend.get_username({"iss": provider.issuer, "sub": s, "email": EMAIL}) for s in subjects]
    assert len(set(names)) == len(subjects)
    assert all(n.isascii() and len(n) <= 150 and "@" not in n for n in names)
    assert names[0] == backend.get_username({"iss": provider.issuer, "sub": subjects[0], "email": "other@example.com"})
    assert names[0] != backend.get_username({"iss": "https://other.example", "sub": subjects[0]})


EQUAL_ADDRESSES = [
    ("ada@example.com", "ADA@Example.COM"),
    ("ada@example.com", " ada@example.com "),
    ("ö@example.com", "o\u0308@example.com"),
    ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ("ada@BÜCHER.example", "ada@bücher.example"),
    ("straße@x.example", "STRAßE@x.example"),
]
DIFFERENT_ADDRESSES = [
    ("straße@x.example", "STRASSE@x.example"),
    ("ada@faß.example", "ada@fass.example"),
    ("mike@example.com", "mıke@example.com"),
    ("ada@example.com", "аda@example.com"),
    ("a.da@example.com", "ada@example.com"),
    ("ada+x@example.com", "ada@example.com"),
    ("root@example.com", "ｒｏｏｔ@example.com"),
    ("ada@examp1e.com", "ada@example.com"),
]


@pytest.mark.django_db
def test_t42_addresses_are_compared_by_canonical_form_on_every_database() -> None:
    for one, other in EQUAL_ADDRESSES + DIFFERENT_ADDRESSES:
        same = (one, other) in EQUAL_ADDRESSES
        assert (canonical(one) == canonical(other)) is same, (one, other)
        Registration.objects.all().delete()
        Registration.objects.create(issuer="i", email=one, email_canonical=canonical(one))
        assert Registration.objects.filter(email_canonical=canonical(other)).exists() is same
    assert canonical("a" * 250 + "@example.com") == ""


INJECTED = [
    "a\r\nBcc: x@example.com",
    "ada@example.com\nBcc: x",
    "ada\0@example.com",
    "a@b@example.com",
    "ada@exa mple.com",
    "@example.com",
]


@pytest.mark.parametrize("address", INJECTED)
def test_t43_address_with_an_injected_header_is_rejected(person: Person, org: OrgHandle, address: str) -> None:
    person.opens_the_sign_up().submits_profile(Email=address)
    assert not person.is_signed_in
    assert (bool(person.page.problems()), person.heading) == (True, "Create your account")
    assert [m for m in org.messages() if "\n" in m.to or "\r" in m.to or "Bcc" in m.to] == []
    assert not [u for u in org.users if any(ord(c) < 32 for c in str(u.profile))]


FOREIGN_FIELDS = {
    "stateHandle": "02x",
    "id": "1",
    "is_staff": "on",
    "is_superuser": "on",
    "groups": "1",
    "credentials.passcode": "x",
    "userProfile.groups": "admins",
    "userProfile.is_staff": "1",
    "userProfile.__proto__": "x",
    "userProfile.stateHandle": "x",
    "userProfile.email.x": "x",
    "userProfile[role]": "admin",
    "user_id": "1",
    "authenticator.id": "x",
    "a.b.c.d.e.f": "x",
}


def test_t44_only_fields_of_the_remediation_are_sent_to_the_org(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().entries.update(FOREIGN_FIELDS)
    person.submits_profile()
    (call,) = org.calls("/enroll/new")
    assert set(call.body) == {"stateHandle", "userProfile"}
    assert set(call.body["userProfile"]) == {"firstName", "lastName", "email"}


def test_t45_claims_grant_no_privileges(provider: HostileProvider) -> None:
    provider.attack = Attack(
        "all",
        "userinfo",
        lambda s: s.about(is_staff=True, is_superuser=True, groups=["admins"], roles=["x"], user_permissions=[1], id=1),
    )
    Person().opens(AUTHENTICATE)
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.groups.count()) == (False, False, 0)


HREFS = [
    "{host}.evil.example/idp/idx/x",
    "http://evil.example/idp/idx/x",
    "http://user@{bare}/idp/idx/x",
    "http://{bare}@evil.example/idp/idx/x",
    "http://{bare}#@evil.example/idp/idx/x",
    "https://{bare}/idp/idx/x",
    "ftp://{bare}/idp/idx/x",
    "{host}/api/v1/users",
    "{host}/",
    "{host}/idp/idx/../../api/v1/users",
    "{host}/idp/idx/%2e%2e/%2e%2e/api",
    "{host}/idp/idx/..\\..\\api",
    "{host}//evil.example/idp/idx/x",
    "//evil.example/idp/idx/x",
    "\\\\evil.example\\idp\\idx",
    "{host}:1/idp/idx/x",
    "http://[::1]/idp/idx/x",
    "http://127.0.0.1:0/idp/idx/x",
    "http://127.1/idp/idx/x",
    "http://2130706433/idp/idx/x",
    "http://localhost/idp/idx/x",
    "file:///idp/idx/x",
    "javascript:alert(1)",
    "{canary}/idp/idx/x",
    "{canary}/oauth2/x",
    "{host}\\@evil.example/idp/idx/x",
    "{host}?@evil.example/idp/idx/x",
    "{host}/idp/idx/x\r\nX: 1",
    "",
]


@pytest.mark.parametrize("href", HREFS)
def test_t48_hrefs_outside_the_issuers_origin_are_not_called(provider: HostileProvider, href: str) -> None:
    url = href.format(host=provider.base, bare=provider.base.removeprefix("http://"), canary=provider.canary.base)
    transport = Transport(provider.base)
    calls: tuple[Callable[[], object], ...] = (
        lambda: transport.get(url, {}),
        lambda: transport.post(url, {}, Secret("{}")),
    )
    for call in calls:
        with pytest.raises((ForeignHref, IdxError, ValueError)):
            call()
    assert provider.canary.calls == 0
    assert provider.calls == []


def test_t49_redirects_of_the_provider_are_not_followed(provider: HostileProvider) -> None:
    forgeries = [a for a in REFUSED if "to a canary" in a.name and a.at in ("token", "keys", "userinfo")]
    assert len(forgeries) >= 15
    assert rejected_attacks(provider, forgeries) == [a.name for a in forgeries]
    assert provider.canary.calls == 0


def test_t50_environment_proxies_and_netrc_are_ignored(
    provider: HostileProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password canary-netrc\n")
    monkeypatch.setenv("NETRC", os.fspath(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, provider.canary.base)
    monkeypatch.delenv("NO_PROXY", raising=False)
    transport = Transport(provider.base)
    transport.get(f"{provider.issuer}/v1/keys", {})
    site_org.connect(conf(), Visitor()).client.keys()
    transport.post(f"{provider.issuer}/v1/token", {}, Secret(""))
    assert provider.canary.calls == 0
    assert [authorization for _, authorization in provider.token_requests] == [""]


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[str]:
    """Return the URL of a server with a self-signed certificate."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(rsa_key().public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
    )
    private = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = tmp_path / "server.pem"
    pem.write_bytes(private + builder.sign(rsa_key(), SHA256()).public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_t51_self_signed_certificate_and_http_issuer_are_rejected(self_signed: str, settings: Any) -> None:
    with pytest.raises(OrgUnreachable, match="TLS"):
        Transport(self_signed).get(f"{self_signed}/oauth2/v1/keys", {})
    settings.DEBUG = False
    settings.SELFREG = settings.SELFREG | {"ISSUER": "http://org.example"}
    assert "selfreg.E003" in {m.id for m in check_settings()}


def test_t52_oversized_nested_or_undecodable_responses_raise_typed_errors(
    provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfreg.idx.transport.TOTAL_SECONDS", 0.3)
    for words in ("huge", "bomb", "nested", "HTML", "no UTF-8"):
        provider.attack = attacks("keys", words)[0]
        with pytest.raises((AnswerLost, MalformedAnswer)):
            Transport(provider.base).get(f"{provider.issuer}/v1/keys", {})


def test_t53_forged_signatures_are_rejected(provider: HostileProvider) -> None:
    forgeries = attacks("id_token", "alg ", "HS256", "jku", "x5u", "jwk", "x5c")
    assert len(forgeries) > 25
    assert rejected_attacks(provider, forgeries) == [a.name for a in forgeries]
    assert provider.canary.calls == 0


def test_t54_wrong_audience_and_time_claims_are_rejected(provider: HostileProvider) -> None:
    forgeries = attacks("id_token", ": aud", ": azp", ": exp", ": iat", ": nbf")
    assert len(forgeries) > 45
    assert rejected_attacks(provider, forgeries) == [a.name for a in forgeries]


def test_t55_access_token_is_not_accepted_as_id_token(provider: HostileProvider) -> None:
    forgeries = attacks("id_token", "access token", "logout token", "at_hash")
    assert len(forgeries) > 7
    assert rejected_attacks(provider, forgeries) == [a.name for a in forgeries]


def test_t56_unknown_key_ids_cause_at_most_two_key_fetches(provider: HostileProvider) -> None:
    numbers = iter(range(1_000))
    provider.attack = Attack("random", "id_token", lambda s: s.sign(kid=f"random-{next(numbers)}"))
    for _ in range(30):
        Person().opens(AUTHENTICATE)
    assert provider.forged_count == 30
    assert len([c for c in provider.calls if c.endswith("/keys")]) <= 2


def test_t57_no_token_is_stored_in_session_or_cache(provider: HostileProvider) -> None:
    person = Person().opens(AUTHENTICATE)
    assert person.is_signed_in
    grant = provider.grants[-1]
    stored = repr(dict(person.browser.session.items())) + repr(getattr(cache, "_cache", {}))
    assert [s for s in (grant.access_token, grant.code, grant.nonce, "id_token") if s in stored] == []


@pytest.mark.parametrize("at", ["token", "keys", "userinfo"])
@pytest.mark.parametrize("fault", ["HTML", "500", "empty", "JSON that is cut", "429"])
def test_t58_failed_provider_call_shows_an_error_page_and_sign_in_works_afterwards(
    provider: HostileProvider, at: str, fault: str
) -> None:
    person = Person()
    back = way_back(person)
    provider.attack = attack_named(f"{at}: {fault}")
    assert (person.opens(back).status, person.heading) == (503, "We couldn't sign you in")
    assert "Retry-After: " in person.seen[-1].headers
    assert "Reference" in person.page.text
    assert person.browser.session.get("oidc_states", {}) == {}
    provider.attack = None
    site_org.reset_connections()
    assert person.follows("Sign in").is_signed_in


def test_t59_rejected_claims_end_the_existing_login(provider: HostileProvider) -> None:
    person = Person().opens(AUTHENTICATE)
    assert person.is_signed_in
    back = way_back(person)
    provider.attack = attack_named("userinfo: another sub")
    assert person.opens(back).status == 400
    assert not person.is_signed_in


def test_t60_logged_in_user_is_redirected_and_cannot_register(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    before, calls = list(User.objects.values()), len(org.calls())
    person.opens_the_sign_up()
    assert person.path == "/"
    token = {"csrfmiddlewaretoken": "x"}
    person.browser.handler.enforce_csrf_checks = False
    answer = person.browser.post("/signup/", {**token, "userProfile.email": "root@example.com"})
    assert answer.status_code == 302
    assert list(User.objects.values()) == before
    assert len(org.calls()) == calls
    assert Registration.objects.count() == 1
