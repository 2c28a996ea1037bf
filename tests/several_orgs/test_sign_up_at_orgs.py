"""Sign-up, sign-in and hooks on a site with several orgs: partners with another issuer, a brand with another app."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client

from okta_devorg import OrgHandle
from selfreg.models import OktaIdentity, Registration
from support.org_apps import BRAND, PARTNERS, app_at, first_app
from support.person import SITE, Person

pytestmark = pytest.mark.django_db

Configure = Callable[..., None]


def complete_sign_up(person: Person, mount: str, org: OrgHandle) -> Person:
    """Complete a sign-up at an include. Every page must belong to that include."""
    person.opens(SITE + mount)
    while not person.is_signed_in:
        assert person.path.startswith(mount), person.path
        before = len(person.seen)
        person.completes_the_sign_up(org)
        assert len(person.seen) > before
    return person


def test_sign_up_uses_the_org_of_the_url(person: Person, org: OrgHandle, partners_org: OrgHandle) -> None:
    complete_sign_up(person, "/signup/", org)
    grace = complete_sign_up(Person("grace@example.com"), "/partners/signup/", partners_org)
    mary = complete_sign_up(Person("mary@example.com"), "/brand/signup/", org)
    rows = {row.email: row for row in Registration.objects.all()}
    assert {email: row.org for email, row in rows.items()} == {
        person.email: "default",
        grace.email: "partners",
        mary.email: "brand",
    }
    assert rows[grace.email].issuer == partners_org.issuer
    assert rows[mary.email].issuer == rows[person.email].issuer == org.issuer
    assert {i.issuer for i in OktaIdentity.objects.all()} == {org.issuer, partners_org.issuer}
    assert [u.profile["email"] for u in partners_org.users] == [grace.email]
    assert grace.path == "/members/"
    assert person.path == mary.path == "/"


def test_pages_contain_name_and_urls_of_their_org(partners_org: OrgHandle) -> None:
    page = Person().opens(f"{SITE}/partners/signup/").page
    assert "Partners" in page.html
    assert '"/partners/signup/"' in page.html
    assert '"/partners/signup/sign-in/"' in page.html
    assert '"/oidc/authenticate/"' not in page.html


# ---- org selection


def test_org_resolver_selects_the_org_of_other_urls(
    partners_org: OrgHandle, configure: Configure, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    brand = dict(settings.SELFREG["ORGS"]["brand"], BASE_URL="http://brand.testserver", SITE_NAME="The brand")
    configure(ORG_RESOLVER="support.org_urls.by_host", ORGS={"brand": brand})
    settings.ROOT_URLCONF = "support.site_urls"
    there = Client(headers={"Host": "brand.testserver"})
    assert "The brand" in there.get("/signup/").content.decode()
    assert "The brand" not in Client().get("/signup/").content.decode()
    query = dict(parse_qsl(urlsplit(there.get("/oidc/authenticate/")["Location"]).query))
    assert query["client_id"] == BRAND
    assert query["redirect_uri"] == "http://brand.testserver/oidc/callback/"


def test_complete_sign_up_works_at_an_org_selected_by_the_resolver(
    partners_org: OrgHandle, org: OrgHandle, configure: Configure, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    there = "http://brand.testserver"
    app = app_at("/signup/", BRAND) | {"redirect_uris": [f"{there}/oidc/callback/"]}
    org.patch_policy({"apps": [first_app(org), app]})
    brand = dict(settings.SELFREG["ORGS"]["brand"], BASE_URL=there, AFTER="/members/")
    configure(ORG_RESOLVER="support.org_urls.by_host", ORGS={"brand": brand})
    settings.ROOT_URLCONF = "support.site_urls"
    mary = Person("mary@example.com")
    mary.browser.defaults["HTTP_HOST"] = "brand.testserver"
    assert complete_sign_up(mary, "/signup/", org).path == "/members/"
    row = Registration.objects.get()
    assert (row.org, row.status, row.workflow) == ("brand", "completed", "optional")
    assert mary.browser.session["selfreg_org"] == "brand"


@pytest.mark.parametrize("path", ["/nobody/signup/", "/nobody/signup/sign-in/", "/nobody/signup/hooks/events/"])
def test_unknown_org_in_the_url_gets_status_404(
    partners_org: OrgHandle, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    assert Client().get(path).status_code == 404
    assert "SELFREG['ORGS'] has no 'nobody'" in caplog.text


@pytest.mark.parametrize(("resolver", "logged"), [("by_host", "has no 'nobody'"), ("breaks", "ORG_RESOLVER'] failed")])
def test_broken_org_resolver_gets_status_404(
    partners_org: OrgHandle,
    configure: Configure,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    resolver: str,
    logged: str,
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    configure(ORG_RESOLVER=f"support.org_urls.{resolver}")
    client_of_unknown_host = Client(headers={"Host": "lost.testserver"}, raise_request_exception=False)
    for path in ("/signup/", "/signup/step/", "/oidc/authenticate/", "/oidc/callback/?code=a&state=b", "/signup/api/"):
        assert client_of_unknown_host.get(path).status_code == 404, path
    assert logged in caplog.text
    assert client_of_unknown_host.get("/").status_code == 200
    assert client_of_unknown_host.get("/partners/signup/").status_code == 200


# ---- sign-in and sign-out


def test_sign_in_and_sign_out_use_the_org_of_the_user(partners_org: OrgHandle, org: OrgHandle, settings: Any) -> None:
    settings.OIDC_OP_LOGOUT_URL_METHOD = "selfreg.auth.org_sign_out_url"
    grace = complete_sign_up(Person("grace@example.com"), "/partners/signup/", partners_org)
    returning_person = Person(grace.email).opens(f"{SITE}/partners/signup/sign-in/").signs_in_at_the_org()
    assert returning_person.is_signed_in
    assert returning_person.path == "/members/"
    assert OktaIdentity.objects.get().user_id == int(returning_person.browser.session["_auth_user_id"])
    returning_person.browser.handler.enforce_csrf_checks = False
    url = returning_person.browser.post("/oidc/logout/")["Location"]
    assert url.startswith(f"{partners_org.issuer}/v1/logout?client_id={PARTNERS}")
    assert not returning_person.is_signed_in


def test_authorization_code_is_not_redeemed_at_another_org(partners_org: OrgHandle, org: OrgHandle) -> None:
    grace = Person("grace@example.com")
    grace.browser.get("/partners/signup/sign-in/")
    (state,) = grace.browser.session["oidc_states"]
    calls = len(org.calls("/v1/token"))
    grace.opens(f"{SITE}/oidc/callback/?code=of-the-partners&state={state}")
    assert grace.heading == "We couldn't sign you in"
    assert len(org.calls("/v1/token")) == calls
    ada = Person()
    ada.browser.get("/oidc/authenticate/")
    (state,) = ada.browser.session["oidc_states"]
    ada.opens(f"{SITE}/partners/signup/callback/?code=of-the-site&state={state}")
    assert not partners_org.calls("/v1/token")


def test_one_browser_can_have_registrations_at_two_orgs(
    person: Person, org: OrgHandle, partners_org: OrgHandle
) -> None:
    person.opens_the_sign_up().submits_profile()
    person.opens(f"{SITE}/partners/signup/").submits_profile()
    assert person.path == "/partners/signup/step/"
    assert person.opens(f"{SITE}/signup/step/").path == "/signup/step/"
    person.completes_the_sign_up(org)
    assert person.is_signed_in
    statuses = dict(Registration.objects.values_list("org", "status"))
    assert statuses == {"default": "completed", "partners": "enrolling"}


# ---- hooks


@pytest.mark.parametrize(
    ("path", "secret", "status"),
    [
        ("/signup/hooks/events/", "of-the-site-and-long-enough", 200),
        ("/signup/hooks/events/", "of-the-partners-and-long-enough", 401),
        ("/partners/signup/hooks/events/", "of-the-partners-and-long-enough", 200),
        ("/partners/signup/hooks/events/", "of-the-site-and-long-enough", 401),
        ("/brand/signup/hooks/events/", "of-the-site-and-long-enough", 200),
    ],
)
def test_hooks_of_each_org_have_their_own_secret(partners_org: OrgHandle, path: str, secret: str, status: int) -> None:
    headers = {"Authorization": secret, "X-Okta-Verification-Challenge": "canary"}
    assert Client().get(path, headers=headers).status_code == status
