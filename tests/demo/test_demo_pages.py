import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from selfreg.models import OktaIdentity

pytestmark = pytest.mark.django_db


def directives(policy: str) -> dict[str, list[str]]:
    parts = (directive.split() for directive in policy.split(";"))
    return {name: sources for name, *sources in parts}


def href(html: str, id_: str) -> str:
    link = re.search(rf'<a [^>]*id="{id_}"[^>]*>', html)
    assert link, f"no link {id_}"
    return link[0].split('href="')[1].split('"')[0]


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("00u1", "ada@example.com", first_name="Ada", last_name="Kestrel")


def test_home_page_links_to_sign_up_and_sign_in(client: Client) -> None:
    page = client.get("/").content.decode()
    assert href(page, "signup") == "/signup/"
    assert href(page, "signin") == "/oidc/authenticate/"


def test_content_security_policy_allows_only_the_sites_own_files(client: Client) -> None:
    policy = directives(client.get("/").headers["Content-Security-Policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]


def test_content_security_policy_allows_forms_to_redirect_to_the_org(client: Client) -> None:
    policy = directives(client.get("/").headers["Content-Security-Policy"])
    assert policy["form-action"] == ["'self'", "http://127.0.0.1:9000"]


@pytest.mark.parametrize("url", ["/", "/members/", "/admin/login/", "/no-such-page/"])
def test_pages_have_no_inline_script_or_style(client: Client, url: str) -> None:
    page = client.get(url).content.decode()
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=", page)


def test_home_page_shows_name_and_claims(client: Client, ada: User) -> None:
    OktaIdentity.objects.create(issuer="https://org", subject="00u1", user=ada, email_verified_at=timezone.now())
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["selfreg_claims"] = {"sub": "00u1", "email": "ada@example.com", "email_verified": True}
    session.save()
    page = client.get("/").content.decode()
    assert re.search(r"<h1>Hello, Ada Kestrel</h1>", page)
    assert re.search(r'<th scope="row">sub</th><td>00u1</td>', page)
    assert "Not verified yet" not in page
    assert "Verified" in page


def test_home_page_shows_that_the_address_is_not_verified(client: Client, ada: User) -> None:
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["selfreg_claims"] = {"sub": "00u1", "email": "ada@example.com", "email_verified": False}
    session.save()
    assert "Not verified yet" in client.get("/").content.decode()


def test_html_in_a_claim_is_escaped(client: Client, ada: User) -> None:
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["selfreg_claims"] = {"nickname": "<b>bold</b>"}
    session.save()
    assert "&lt;b&gt;bold" in client.get("/").content.decode()


def test_sign_out_requires_post_and_ends_the_session(client: Client, ada: User) -> None:
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    assert client.get("/signout/").status_code == 405
    assert "Hello, Ada" in client.get("/").content.decode()
    assert client.post("/signout/").headers["Location"] == "/"
    assert "Hello" not in client.get("/").content.decode()


def test_members_page_links_to_sign_in_and_sign_up_with_next_url(client: Client, ada: User) -> None:
    forbidden = client.get("/members/")
    assert forbidden.status_code == 403
    assert href(forbidden.content.decode(), "signin") == "/oidc/authenticate/?next=/members/"
    assert href(forbidden.content.decode(), "signup") == "/signup/?next=/members/"
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    assert client.get("/members/").status_code == 200


def test_not_found_page_links_to_the_home_page(client: Client) -> None:
    missing = client.get("/no-such-page/")
    assert missing.status_code == 404
    assert 'href="/"' in missing.content.decode()


def test_right_to_left_language_sets_the_text_direction(client: Client) -> None:
    page = client.get("/", headers={"Accept-Language": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl">' in page


def test_pages_of_the_demo_are_translated(client: Client) -> None:
    page = client.get("/", headers={"Accept-Language": "ja"}).content.decode()
    assert "Oktaの登録を、自分のサイトで" in page


def test_order_of_names_follows_the_language(client: Client, ada: User) -> None:
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    assert "こんにちは、Kestrel Adaさん" in client.get("/", headers={"Accept-Language": "ja"}).content.decode()
    assert "Guten Tag, Ada Kestrel" in client.get("/", headers={"Accept-Language": "de"}).content.decode()
