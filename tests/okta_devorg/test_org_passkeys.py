"""Passkeys: creation options, checks of the org, and sign-in."""

import base64
import json
import re
from html import unescape
from typing import Any

import pytest

from okta_devorg import OrgHandle
from support.local_org.org_browser import OrgBrowser
from support.local_org.org_journey import ADA, CLIENT, PASSWORD, SECRET, Journey
from support.local_org.security_key import SecurityKey, decoded

SITE = "http://127.0.0.1:8000"


@pytest.fixture
def key() -> SecurityKey:
    return SecurityKey(SITE)


@pytest.fixture
def options(org: OrgHandle, journey: Journey) -> dict[str, Any]:
    """The creation options for the browser during a sign-up."""
    org.patch_policy({"authenticators": {"webauthn": "required"}})
    journey.signed_up().choose("Security Key or Biometric")
    activation: dict[str, Any] = journey.document["currentAuthenticator"]["value"]["contextualData"]["activationData"]
    return activation


def test_the_creation_options_are_for_this_user(org: OrgHandle, journey: Journey, options: dict[str, Any]) -> None:
    assert options["rp"] == {"name": "Demo site", "id": "127.0.0.1"}
    assert decoded(options["user"]["id"]).decode() == org.users[0].id
    assert (options["user"]["name"], options["user"]["displayName"]) == (ADA["email"], "Ada Lovelace")
    assert {"type": "public-key", "alg": -7} in options["pubKeyCredParams"]
    assert len(decoded(options["challenge"])) == 32
    fields = journey.document["remediation"]["value"][0]["value"][0]["form"]["value"]
    assert [(field["name"], field["required"]) for field in fields] == [
        ("clientData", True), ("attestation", True), ("transports", False), ("clientExtensions", False),
    ]  # fmt: skip
    assert not any(field["visible"] for field in fields)


def test_a_native_app_without_a_host_gets_creation_options_for_localhost(org: OrgHandle, journey: Journey) -> None:
    app = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": ["com.example:/callback"]}
    org.patch_policy({"authenticators": {"webauthn": "required"}, "apps": [app]})
    journey.begin(redirect_uri="com.example:/callback").take("select-enroll-profile")
    journey.enroll_profile()
    journey.choose("Security Key or Biometric")
    data = journey.document["currentAuthenticator"]["value"]["contextualData"]["activationData"]
    assert data["rp"] == {"name": "App", "id": "localhost"}


def test_a_valid_attestation_enrolls_the_passkey(
    org: OrgHandle, journey: Journey, options: dict[str, Any], key: SecurityKey
) -> None:
    journey.take("enroll-authenticator", credentials={**key.create(options), "transports": '["internal"]'})
    assert "successWithInteractionCode" in journey.document
    passkey = org.users[0].enrollments["webauthn"].passkey
    assert passkey is not None
    assert decoded(passkey.credential_id) == key.credential_id
    assert journey.token().status_code == 200


def test_standard_base64_is_accepted(journey: Journey, options: dict[str, Any], key: SecurityKey) -> None:
    plain = {name: base64.b64encode(decoded(value)).decode() for name, value in key.create(options).items()}
    journey.take("enroll-authenticator", credentials=plain)
    assert "successWithInteractionCode" in journey.document


def test_an_attestation_for_another_site_or_challenge_is_refused(
    journey: Journey, options: dict[str, Any], key: SecurityKey
) -> None:
    other_challenge = {**options, "challenge": options["challenge"][::-1]}
    other_party = {**options, "rp": {"id": "evil.example"}}
    for answer in (
        key.create(other_challenge),
        key.create(other_party),
        SecurityKey("https://evil.example").create(options),
        {**key.create(options), "clientData": SecurityKey(SITE).create(other_challenge)["clientData"]},
    ):
        journey.take("enroll-authenticator", credentials=answer)
        assert (journey.status, journey.keys) == (400, ["authfactor.webauthn.error"])
        assert journey.steps[0] == "enroll-authenticator"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"clientData": "", "attestation": ""},
        {"clientData": 7, "attestation": ["a"]},
        {"clientData": "e30", "attestation": "oA"},
        {"clientData": "bnVsbA", "attestation": "9g"},
        {"clientData": "\x00é", "attestation": "x" * 10000},
    ],
)
def test_malformed_attestations_are_refused(journey: Journey, options: dict[str, Any], answer: dict[str, Any]) -> None:
    journey.take("enroll-authenticator", credentials=answer)
    assert (journey.status, journey.keys) == (400, ["authfactor.webauthn.error"])


def request_options(browser: OrgBrowser) -> dict[str, Any]:
    match = re.search(r'id="passkey-options">(.*?)</script>', browser.page.text)
    assert match
    options: dict[str, Any] = json.loads(unescape(match[1]))
    return options


@pytest.fixture
def enrolled(org: OrgHandle, journey: Journey, options: dict[str, Any], key: SecurityKey) -> SecurityKey:
    journey.take("enroll-authenticator", credentials=key.create(options))
    key.origin = org.base
    return key


def test_a_passkey_can_replace_the_password_at_sign_in(browser: OrgBrowser, enrolled: SecurityKey) -> None:
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(action="passkey")
    browser.fill(**enrolled.get(request_options(browser)))
    assert browser.landed["state"] == "abc"


def test_a_passkey_can_be_the_second_factor(org: OrgHandle, browser: OrgBrowser, enrolled: SecurityKey) -> None:
    org.patch_policy({"sign_on": "password_and_another"})
    before = len(org.messages())
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    browser.fill(**enrolled.get(request_options(browser)))
    assert browser.token().status_code == 200
    assert len(org.messages()) == before


def test_an_email_code_can_replace_the_passkey_as_second_factor(
    org: OrgHandle, browser: OrgBrowser, enrolled: SecurityKey
) -> None:
    org.patch_policy({"sign_on": "password_and_another"})
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    browser.fill(action="other")
    browser.fill(code=org.code(ADA["email"]))
    assert browser.token().status_code == 200


def test_a_foreign_key_or_an_old_answer_does_not_sign_in(browser: OrgBrowser, enrolled: SecurityKey) -> None:
    browser.authorize()
    browser.fill(identifier=ADA["email"])
    browser.fill(action="passkey")
    foreign = SecurityKey(enrolled.origin)
    foreign.credential_id = enrolled.credential_id
    old = enrolled.get(request_options(browser))
    for answer in (foreign.get(request_options(browser)), old, {}):
        browser.fill(**answer)
        assert browser.page.status_code == 400
        assert "unable to use a Security key" in browser.page.text


def test_a_user_without_a_passkey_and_an_unknown_user_get_the_same_page(
    org: OrgHandle, browser: OrgBrowser, journey: Journey
) -> None:
    journey.signed_up()
    org.patch_policy({"authenticators": {"webauthn": "optional"}})
    for identifier in (ADA["email"], "nobody@example.com"):
        browser.authorize()
        browser.fill(identifier=identifier)
        browser.fill(action="passkey")
        assert (browser.page.status_code, "Unable to sign in" in browser.page.text) == (401, True)


def test_a_passkey_for_localhost_is_requested_at_localhost(org: OrgHandle, journey: Journey) -> None:
    """Browsers do not allow passkeys for IP addresses, so local sites use localhost."""
    site = "http://localhost:8000"
    callback = site + "/oidc/callback/"
    app = {"client_id": CLIENT, "redirect_uris": [callback]}
    org.patch_policy({"authenticators": {"webauthn": "required"}, "apps": [app]})
    journey.begin(redirect_uri=callback).take("select-enroll-profile")
    journey.enroll_profile()
    journey.verify_email()
    journey.set_password()
    journey.choose("Security Key or Biometric")
    key = SecurityKey(site)
    options = journey.document["currentAuthenticator"]["value"]["contextualData"]["activationData"]
    journey.take("enroll-authenticator", credentials=key.create(options))
    browser = OrgBrowser(org)
    browser.authorize(redirect_uri=callback)
    browser.fill(identifier=ADA["email"])
    browser.fill(action="passkey")
    at_localhost = org.base.replace("127.0.0.1", "localhost")
    assert browser.page.headers["Location"].startswith(at_localhost + "/signin/")
    browser.go("GET", browser.page.headers["Location"])
    key.origin = at_localhost
    browser.org = OrgHandle(org.org)
    browser.org.base = at_localhost
    browser.fill(**key.get(request_options(browser)))
    assert browser.page.headers["Location"].startswith(callback + "?code=")
    browser.http.close()
