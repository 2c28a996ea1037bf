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


def test_a_visitor_who_is_signed_out_can_sign_up_or_sign_in_from_the_home_page(client: Client) -> None:
    page = client.get("/").content.decode()
    assert href(page, "signup") == "/signup/"
    assert href(page, "signin") == "/oidc/authenticate/"


def test_the_content_security_policy_allows_nothing_but_the_sites_own_files(client: Client) -> None:
    policy = directives(client.get("/").headers["Content-Security-Policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]


def test_a_form_may_lead_on_to_the_org(client: Client) -> None:
    policy = directives(client.get("/").headers["Content-Security-Policy"])
    assert policy["form-action"] == ["'self'", "http://127.0.0.1:9000"]


@pytest.mark.parametrize("url", ["/", "/members/", "/admin/login/", "/no-such-page/"])
def test_no_page_holds_a_script_or_style_that_the_policy_would_block(client: Client, url: str) -> None:
    page = client.get(url).content.decode()
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=", page)


def test_the_home_page_greets_a_person_by_name_and_shows_their_claims(client: Client, ada: User) -> None:
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


def test_an_address_that_is_not_proven_yet_is_shown_as_such(client: Client, ada: User) -> None:
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["selfreg_claims"] = {"sub": "00u1", "email": "ada@example.com", "email_verified": False}
    session.save()
    assert "Not verified yet" in client.get("/").content.decode()


def test_text_in_a_claim_is_shown_as_text(client: Client, ada: User) -> None:
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["selfreg_claims"] = {"nickname": "<b>bold</b>"}
    session.save()
    assert "&lt;b&gt;bold" in client.get("/").content.decode()


def test_signing_out_is_a_post_and_ends_the_session(client: Client, ada: User) -> None:
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    assert client.get("/signout/").status_code == 405
    assert "Hello, Ada" in client.get("/").content.decode()
    assert client.post("/signout/").headers["Location"] == "/"
    assert "Hello" not in client.get("/").content.decode()


def test_the_members_page_sends_strangers_to_sign_in_or_up_and_back(client: Client, ada: User) -> None:
    refused = client.get("/members/")
    assert refused.status_code == 403
    assert href(refused.content.decode(), "signin") == "/oidc/authenticate/?next=/members/"
    assert href(refused.content.decode(), "signup") == "/signup/?next=/members/"
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    assert client.get("/members/").status_code == 200


def test_a_wrong_address_gets_a_page_with_a_way_home(client: Client) -> None:
    missing = client.get("/no-such-page/")
    assert missing.status_code == 404
    assert 'href="/"' in missing.content.decode()


def test_a_right_to_left_language_turns_the_page_around(client: Client) -> None:
    page = client.get("/", headers={"Accept-Language": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl">' in page


def test_the_demos_own_pages_speak_the_visitors_language_too(client: Client) -> None:
    page = client.get("/", headers={"Accept-Language": "ja"}).content.decode()
    assert "Oktaの登録を、自分のサイトで" in page


def test_a_name_stands_in_the_order_of_the_language(client: Client, ada: User) -> None:
    client.force_login(ada, "django.contrib.auth.backends.ModelBackend")
    assert "こんにちは、Kestrel Adaさん" in client.get("/", headers={"Accept-Language": "ja"}).content.decode()
    assert "Guten Tag, Ada Kestrel" in client.get("/", headers={"Accept-Language": "de"}).content.decode()
