"""Signing in later at the org's own page, and where the visitor is redirected."""

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from okta_devorg import OrgHandle
from selfreg.models import OktaIdentity
from support.person import SITE, Person

FOREIGN = ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:evil.example"]


@pytest.mark.database
def test_signing_in_again_logs_in_the_same_user(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    again = Person().opens(f"{SITE}/oidc/authenticate/")
    assert again.page.url.startswith(org.base)
    again.signs_in_at_the_org()
    assert again.is_signed_in
    assert again.path == "/"
    assert User.objects.count() == OktaIdentity.objects.count() == 1
    assert again.browser.session["_auth_user_id"] == str(User.objects.get().pk)


@pytest.mark.database
def test_another_account_with_the_same_name_gets_another_user(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    Person("ada.two@example.com").signs_up(org)
    assert User.objects.count() == OktaIdentity.objects.count() == 2


@pytest.mark.database
def test_an_account_is_not_linked_to_an_existing_user_by_address(person: Person, org: OrgHandle) -> None:
    old = User.objects.create_superuser("root", "ada@example.com", "x")
    person.signs_up(org)
    assert OktaIdentity.objects.get().user != old
    assert person.browser.session["_auth_user_id"] != str(old.pk)


@pytest.mark.database
def test_a_name_changed_at_the_org_is_updated_at_the_next_sign_in(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    org.users[0].profile["lastName"] = "King"
    Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert User.objects.get().last_name == "King"


def test_a_user_disabled_on_this_site_cannot_sign_in(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    User.objects.update(is_active=False)
    again = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert not again.is_signed_in
    assert again.status == 400
    assert "is disabled on this site" in again.page.text


# ---- B19: what the org requires by now is made up for at its own page


CUSTOM_QUESTION = {"questionKey": "custom", "question": "Name of my boat?"}


@pytest.mark.parametrize("question", [{"questionKey": "disliked_food"}, CUSTOM_QUESTION], ids=["the org's", "custom"])
def test_a_security_question_that_became_required_is_enrolled_at_sign_in(
    person: Person, org: OrgHandle, question: dict[str, str]
) -> None:
    person.signs_up(org)
    org.patch_policy({"authenticators": {"security_question": "required"}})
    again = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert (again.heading, again.is_signed_in) == ("Set up a security question", False)
    again.fills_and_presses({**question, "answer": "Okra stew"}, "Save answer")
    assert again.is_signed_in
    assert {again.email, "Ada Lovelace"} <= set(again.page.cells())
    assert "security_question" in org.users[0].enrollments
    third = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert third.is_signed_in


# ---- where people land


def test_sign_up_redirects_to_the_next_url(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up("?next=/members/").submits_profile().chooses("Email").types_the_code_from(org)
    person.chooses("Password").sets_a_password()
    assert person.path == "/members/"


def test_sign_in_redirects_to_the_next_url(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    again = Person().opens(f"{SITE}/oidc/authenticate/?next=/members/").signs_in_at_the_org()
    assert again.path == "/members/"


def test_the_sign_in_link_on_the_sign_up_page_keeps_the_next_url(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    again = Person().opens_the_sign_up("?next=/members/").follows("Sign in").signs_in_at_the_org()
    assert again.path == "/members/"


@pytest.mark.parametrize("target", FOREIGN)
def test_sign_up_ignores_a_next_url_of_another_site(person: Person, org: OrgHandle, target: str) -> None:
    person.opens_the_sign_up(f"?next={target}").submits_profile().chooses("Email").types_the_code_from(org)
    assert person.chooses("Password").sets_a_password().path == "/"


@pytest.mark.parametrize("target", FOREIGN)
def test_sign_up_ignores_a_posted_next_url_of_another_site(person: Person, org: OrgHandle, target: str) -> None:
    person.opens_the_sign_up().entries["next"] = target
    person.submits_profile().completes_the_sign_up(org)
    assert person.page.url == f"{SITE}/"


@pytest.mark.parametrize("target", FOREIGN)
def test_sign_in_ignores_a_next_url_of_another_site(person: Person, org: OrgHandle, target: str) -> None:
    person.signs_up(org)
    again = Person().opens(f"{SITE}/oidc/authenticate/?next={target}").signs_in_at_the_org()
    assert again.page.url == f"{SITE}/"


def test_sign_up_without_a_next_url_redirects_to_the_configured_url(
    person: Person, org: OrgHandle, configure: object
) -> None:
    configure(AFTER="/members/")  # type: ignore[operator]
    assert person.signs_up(org).path == "/members/"


# ---- what can go wrong on the way back


@pytest.mark.parametrize(
    "query",
    [
        "", "?code=x&state=y", "?error=access_denied&state=y", "?code=a&code=b&state=y", "?code=x&state=y&state=z",
        "?error=access_denied&error_description=%3Cscript%3E", "?interaction_code=x&state=y", "?state=%00",
        "?code=" + "x" * 5_000 + "&state=y",
    ],
)  # fmt: skip
def test_an_unexpected_callback_shows_an_error_page(person: Person, query: str) -> None:
    person.opens(f"{SITE}/oidc/callback/{query}")
    assert person.status == 400
    assert person.heading == "We couldn't sign you in"
    assert "<script>" not in person.page.html
    assert not person.is_signed_in


def test_a_replayed_callback_does_not_sign_in(person: Person, org: OrgHandle) -> None:
    person.signs_up(org)
    again = Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    callback = next(s.url for s in again.seen if "/oidc/callback/" in s.url)
    thief = Person().opens(callback)
    assert thief.status == 400
    assert not thief.is_signed_in


@pytest.mark.parametrize("path", ["/token", "/userinfo", "/keys"])
@pytest.mark.parametrize("kind", ["reset", "html", "empty", "status", "truncate", "redirect"])
def test_a_failure_of_the_org_at_the_callback_shows_an_error_page_and_a_retry_works(
    person: Person, org: OrgHandle, path: str, kind: str
) -> None:
    person.signs_up(org)
    person.browser.logout()
    if path == "/keys":
        cache.clear()
    again = Person().opens(f"{SITE}/oidc/authenticate/")
    org.fail(path, kind, times=2)
    again.signs_in_at_the_org()
    org.org.faults.pending.clear()
    assert again.status == 503
    assert not again.is_signed_in
    assert Person().opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org().is_signed_in
