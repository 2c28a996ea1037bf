"""okta-auth-js in Chromium: tokens through a frame, also bound to a key of the browser (DPoP)."""

import base64
import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from okta_devorg import OrgHandle
from okta_devorg.testing import OktaOrg
from support.clients import CLIENT, served
from support.local_org.org_browser import OrgBrowser
from support.local_org.org_journey import ADA, PASSWORD

CLIENT_ID = str(CLIENT["client_id"])
GET_TOKENS = """async (options) => {
  const client = new OktaAuth(options);
  const { tokens } = await client.token.getWithoutPrompt();
  const { sub } = await client.token.getUserInfo(tokens.accessToken, tokens.idToken);
  return { sub, type: tokens.accessToken.tokenType, token: tokens.accessToken.accessToken };
}"""


@pytest.fixture(params=["7", "8"])
def app(request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve the files of okta-auth-js and return their origin."""
    with served(f"okta-auth-js-{request.param}") as origin:
        yield origin


def open_app(chromium: Browser, org: OrgHandle, app: str) -> Page:
    """Return a page of the app with okta-auth-js, in a browser that is signed in at the org."""
    browser = OrgBrowser(org)
    browser.authorize(client_id=CLIENT_ID, redirect_uri=f"{app}/callback")
    browser.fill(identifier=ADA["email"])
    browser.fill(password=PASSWORD)
    context = chromium.new_context()
    context.add_cookies([{"name": "sid", "value": browser.http.cookies["sid"], "url": org.base}])
    page = context.new_page()
    page.goto(f"{app}/okta-auth-js.min.js.LICENSE.txt")
    page.add_script_tag(url=f"{app}/okta-auth-js.min.js")
    return page


@pytest.mark.parametrize("dpop", [False, True])
def test_auth_js_gets_tokens_without_prompt(chromium: Browser, org: OrgHandle, app: str, dpop: bool) -> None:
    org.patch_policy({"apps": [{**CLIENT, "redirect_uris": [f"{app}/callback"]}]})
    OktaOrg(org).sign_up()
    page = open_app(chromium, org, app)
    options = {"issuer": org.issuer, "clientId": CLIENT_ID, "redirectUri": f"{app}/callback", "dpop": dpop}
    result = page.evaluate(GET_TOKENS, {**options, "scopes": ["openid", "email"]})
    assert (result["sub"], result["type"]) == (org.users[0].id, "DPoP" if dpop else "Bearer")
    payload = result["token"].split(".")[1]
    assert ("cnf" in json.loads(base64.urlsafe_b64decode(payload + "==="))) is dpop
    page.context.close()
