"""A browser for the pages of the local org."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import CLIENT, REDIRECT, SECRET, pkce


class OrgBrowser:
    """Fills in the only form of each page."""

    def __init__(self, org: OrgHandle) -> None:
        self.org, self.http = org, requests.Session()
        self.verifier, self.challenge = pkce()

    def authorize(self, **changes: str) -> requests.Response:
        parameters = {
            "client_id": CLIENT,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "openid email",
            "state": "abc",
            "nonce": "n1",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        return self.go("GET", self.org.issuer + "/v1/authorize", params={**parameters, **changes})

    def go(self, method: str, url: str, **more: object) -> requests.Response:
        """Follows redirects within the org, and stops at the first one to another host."""
        self.page = self.http.request(method, url, allow_redirects=False, timeout=60, **more)  # type: ignore[arg-type]
        target = self.page.headers.get("Location", "")
        return self.go("GET", self.org.base + target) if target.startswith("/") else self.page

    def fill(self, **values: str) -> requests.Response:
        action = re.search(r'<form method="post" action="([^"]+)"', self.page.text)
        assert action
        return self.go("POST", self.org.base + unescape(action[1]), data=values)

    @property
    def landed(self) -> dict[str, str]:
        """The query of the redirect to the app."""
        target = urlsplit(self.page.headers["Location"])
        assert f"{target.scheme}://{target.netloc}{target.path}" == REDIRECT
        return {name: values[0] for name, values in parse_qs(target.query).items()}

    def token(self, **changes: str) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "code": self.landed["code"],
            "redirect_uri": REDIRECT,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "code_verifier": self.verifier,
        }
        return requests.post(self.org.issuer + "/v1/token", data={**form, **changes}, timeout=60)
