"""A passkey made and used in a real Chromium with a virtual authenticator."""

from collections.abc import Iterator

import pytest
from org_journey import ADA, CLIENT, Journey
from playwright.sync_api import Browser, Page

from okta_devorg import OrgHandle

pytestmark = pytest.mark.browser

CREATE = """async (options) => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
  const publicKey = {
    ...options, challenge: bytes(options.challenge), user: {...options.user, id: bytes(options.user.id)},
    excludeCredentials: [],
  };
  const made = await navigator.credentials.create({publicKey});
  return {clientData: text(made.response.clientDataJSON), attestation: text(made.response.attestationObject)};
}"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "hasResidentKey": True}})
    yield page
    context.close()


def test_a_passkey_made_on_the_sites_page_signs_in_at_the_orgs(org: OrgHandle, journey: Journey, page: Page) -> None:
    site = org.base.replace("127.0.0.1", "localhost")
    callback = site + "/oidc/callback/"
    app = {"client_id": CLIENT, "redirect_uris": [callback]}
    org.patch_policy({"authenticators": {"webauthn": "required"}, "apps": [app]})
    journey.begin(redirect_uri=callback).take("select-enroll-profile")
    journey.enroll_profile()
    journey.prove_email()
    journey.set_password()
    journey.choose("Security Key or Biometric")
    asked = journey.document["currentAuthenticator"]["value"]["contextualData"]["activationData"]
    page.goto(site + "/static/icon.svg")
    journey.take("enroll-authenticator", credentials=page.evaluate(CREATE, asked))
    assert "successWithInteractionCode" in journey.document

    query = f"client_id={CLIENT}&redirect_uri={callback}&response_type=code&scope=openid&state=abc"
    query += f"&code_challenge={journey.challenge}&code_challenge_method=S256"
    page.goto(f"{org.issuer}/v1/authorize?{query}")
    page.get_by_label("Email").fill(ADA["email"])
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Use a passkey instead").click()
    page.get_by_role("button", name="Use passkey").click()
    page.wait_for_url(callback + "?*")
    assert "code=" in page.url
    assert page.url.endswith("state=abc")
