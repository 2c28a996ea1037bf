"""Passkeys in a browser with a virtual authenticator."""

import base64
import json
import re

import pytest
from playwright.sync_api import Route, expect

from support.browser.demo_site import Site
from support.browser.every_page import OPTIONAL, only
from support.browser.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.browser

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}
DISMISS_PROMPT = (
    "() => { navigator.credentials.create = () => Promise.reject(new DOMException('', 'NotAllowedError')); }"
)
RESTORE_PROMPT = "() => { delete navigator.credentials.create; }"
BLOCK_SUBMIT = "() => { HTMLFormElement.prototype.requestSubmit = () => {}; }"
CREATE_PASSKEY = """() => navigator.credentials.create({ publicKey: {
    challenge: new Uint8Array(16), rp: { name: "Boats" }, user: { id: new Uint8Array(4), name: "a", displayName: "a" },
    pubKeyCredParams: [-7, -257].map((alg) => ({ type: "public-key", alg })),
    authenticatorSelection: { residentKey: "required" },
} }).then(() => null)"""
NO_PASSKEYS = "delete window.PublicKeyCredential"


@pytest.fixture
def ada(visitor: Visitor) -> Visitor:
    """Return a visitor at the passkey step, with a virtual authenticator."""
    devtools = visitor.window.context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    visitor.org.patch_policy(only("okta_email", "webauthn"))
    visitor.goes_to_the_code_page().types_the_code()
    return visitor.sees("Create a passkey")


def test_created_passkey_completes_the_sign_up(ada: Visitor, site: Site) -> None:
    ada.presses("Create passkey").sees_the_home_page()
    assert site.registrations(ada.email) == ["completed"]


def test_passkey_works_as_second_factor_at_the_next_sign_in(ada: Visitor, site: Site) -> None:
    ada.org.patch_policy({"sign_on": "password_and_another", "authenticators": {"okta_password": "required"}})
    ada.presses("Create passkey").sees("Choose a password").sets_a_password().sees_the_home_page()
    ada.presses("Sign out").page.get_by_role("link", name="Sign in").click()
    ada.sees("Sign in").fills(Email=ada.email).presses("Next")
    ada.sees("Enter your password").fills(Password=PASSWORD).presses("Sign in")
    ada.sees("Use your passkey").presses("Use passkey").sees_the_home_page()
    assert site.users(ada.email) == 1


def test_passkey_works_instead_of_the_password(ada: Visitor) -> None:
    ada.org.patch_policy({"authenticators": {"okta_password": "required"}})
    ada.presses("Create passkey").sees("Choose a password").sets_a_password().sees_the_home_page()
    ada.presses("Sign out").page.get_by_role("link", name="Sign in").click()
    ada.sees("Sign in").fills(Email=ada.email).presses("Next")
    ada.sees("Enter your password").presses("Use a passkey instead")
    held_routes: list[Route] = []
    ada.page.route("**/passkey.js", lambda route: held_routes.append(route))
    ada.page.reload(wait_until="commit")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Use your passkey")
    expect(ada.button("Use passkey")).to_be_hidden()
    for route in held_routes:
        route.continue_()
    ada.presses("Use passkey").sees_the_home_page()


def test_existing_passkey_signs_the_challenge(ada: Visitor) -> None:
    def request_assertion(route: Route) -> None:
        page = route.fetch()
        html = re.sub(r'(id="passkey-activation"[^>]*>)[^<]*', r'\1{"challenge": "YWJj"}', page.text())
        route.fulfill(response=page, body=html.replace("credentials.attestation", "credentials.signatureData"))

    ada.page.evaluate(CREATE_PASSKEY)
    ada.page.route("**/signup/step/", request_assertion, times=1)
    ada.page.reload()
    ada.page.evaluate(BLOCK_SUBMIT)
    ada.presses("Create passkey")
    expect(ada.page.locator('[name="credentials.signatureData"]')).to_have_value(re.compile("^[-_A-Za-z0-9]{64,}$"))
    client_data = ada.page.locator('[name="credentials.clientData"]').input_value()
    assert json.loads(base64.urlsafe_b64decode(client_data + "=="))["type"] == "webauthn.get"


def test_passkey_can_be_retried_after_the_prompt_was_dismissed(ada: Visitor) -> None:
    ada.page.evaluate(DISMISS_PROMPT)
    ada.presses("Create passkey")
    expect(ada.page.get_by_role("alert")).to_contain_text("That didn't work")
    ada.page.evaluate(RESTORE_PROMPT)
    ada.presses("Create passkey").sees_the_home_page()


def test_browser_without_passkey_support_offers_other_methods(visitor: Visitor) -> None:
    visitor.org.patch_policy(OPTIONAL)
    visitor.page.add_init_script(NO_PASSKEYS)
    visitor.goes_to_the_password_page().sets_a_password().sees("Secure your account").chooses("Passkey")
    visitor.sees("Create a passkey")
    expect(visitor.page.get_by_role("alert")).to_contain_text("This browser can't create passkeys")
    expect(visitor.button("Create passkey")).to_be_hidden()
    visitor.presses("Choose a different method").sees("Secure your account")
