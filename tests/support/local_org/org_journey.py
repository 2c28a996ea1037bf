"""A minimal IDX client: follows hrefs, keeps the last document, counts calls. It uses no internals of the org."""

import base64
import hashlib
import json
import secrets
from typing import Any

import requests

from okta_devorg import OrgHandle

CLIENT = "0oaLocalDemoApp0000"
SECRET = "local-demo-secret-not-for-production"
REDIRECT = "http://127.0.0.1:8000/oidc/callback/"
PASSWORD = "Correct-horse-7"
ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com"}
Json = dict[str, Any]


def pkce() -> tuple[str, str]:
    verifier = secrets.token_urlsafe(48)
    return verifier, base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Journey:
    def __init__(self, org: OrgHandle, issuer: str | None = None) -> None:
        self.org, self.http = org, requests.Session()
        self.issuer = issuer or org.issuer
        self.oauth = self.issuer + ("/v1" if "/oauth2" in self.issuer else "/oauth2/v1")
        self.verifier, self.challenge = pkce()
        self.state, self.nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self.handle = ""
        self.document: Json = {}
        self.status = 0
        self.calls = 0

    def close(self) -> None:
        self.http.close()

    # the calls

    def interact_form(self) -> dict[str, str]:
        return {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": "openid profile email",
            "redirect_uri": REDIRECT,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            "state": self.state,
            "nonce": self.nonce,
        }

    def interact(self, **changes: str | None) -> requests.Response:
        form = {**self.interact_form(), **changes}
        self.calls += 1
        reply = self.http.post(
            self.oauth + "/interact", data={k: v for k, v in form.items() if v is not None}, timeout=60
        )
        self.handle = reply.json().get("interaction_handle", "")
        return reply

    def post(self, url: str, body: object) -> Json:
        self.calls += 1
        reply = self.http.post(url, json=body, timeout=60)
        self.status, self.document, self.reply = reply.status_code, reply.json(), reply
        return self.document

    def introspect(self) -> Json:
        return self.post(self.org.base + "/idp/idx/introspect", {"interactionHandle": self.handle})

    def begin(self, **changes: str) -> "Journey":
        assert self.interact(**changes).status_code == 200
        self.introspect()
        return self

    def take(self, name: str, **values: Any) -> Json:
        """Posts the remediation called `name`."""
        step = next(step for step in self.document["remediation"]["value"] if step["name"] == name)
        return self.post(step["href"], {**values, "stateHandle": self.document["stateHandle"]})

    def act(self, name: str) -> Json:
        """Posts an action of the current authenticator (resend, poll, recover)."""
        current = self.document.get("currentAuthenticatorEnrollment") or self.document["currentAuthenticator"]
        action = current["value"][name]
        return self.post(action["href"], {"stateHandle": self.document["stateHandle"]})

    def to_profile(self) -> "Journey":
        self.begin().take("select-enroll-profile")
        return self

    def enroll_profile(self, **more: Any) -> Json:
        return self.take("enroll-profile", **{"userProfile": ADA, **more})

    def registered(self) -> "Journey":
        self.to_profile().enroll_profile()
        return self

    def choose(self, label: str, **more: str) -> Json:
        return self.select("select-authenticator-enroll", label, **more)

    def select(self, name: str, label: str, **more: str) -> Json:
        """Chooses the authenticator called `label` at the step called `name`."""
        chosen = {"id": self.option(name, label)["value"]["form"]["value"][0]["value"], **more}
        return self.take(name, authenticator=chosen)

    def option(self, name: str, label: str) -> Json:
        step = next(step for step in self.document["remediation"]["value"] if step["name"] == name)
        field = next(field for field in step["value"] if field["name"] == "authenticator")
        found: Json = next(option for option in field["options"] if option["label"] == label)
        return found

    def answer(self, passcode: str) -> Json:
        return self.take("enroll-authenticator", credentials={"passcode": passcode})

    def sign_in(self, password: str = PASSWORD) -> "Journey":
        self.begin().take("identify", identifier=ADA["email"], credentials={"passcode": password})
        return self

    def choose_challenge(self, label: str, **more: str) -> Json:
        return self.select("select-authenticator-authenticate", label, **more)

    def answer_challenge(self, passcode: str) -> Json:
        """Answers a challenge."""
        return self.take("challenge-authenticator", credentials={"passcode": passcode})

    def verify_email(self, email: str = ADA["email"]) -> Json:
        self.choose("Email")
        return self.answer(self.org.code(email))

    def set_password(self) -> Json:
        self.choose("Password")
        return self.answer(PASSWORD)

    def signed_up(self) -> "Journey":
        """Completes email and password, up to the interaction code."""
        self.registered().verify_email()
        self.set_password()
        return self

    def token_form(self) -> dict[str, str]:
        fields = {
            field["name"]: field.get("value", "") for field in self.document["successWithInteractionCode"]["value"]
        }
        return {**fields, "client_secret": SECRET, "code_verifier": self.verifier}

    def token(self, **changes: str) -> requests.Response:
        self.calls += 1
        return self.http.post(self.oauth + "/token", data={**self.token_form(), **changes}, timeout=60)

    # what the last document says

    @property
    def steps(self) -> list[str]:
        return [step["name"] for step in self.document.get("remediation", {}).get("value", [])]

    @property
    def offered(self) -> list[str]:
        """The authenticators to choose from."""
        steps = [step for step in self.document["remediation"]["value"] if step["name"].startswith("select-authentic")]
        field = next(field for field in steps[0]["value"] if field["name"] == "authenticator")
        return [option["label"] for option in field["options"]]

    @property
    def claims(self) -> Json:
        """The claims of the ID token, without a check of its signature."""
        tokens = self.token()
        assert tokens.status_code == 200, tokens.text
        payload = tokens.json()["id_token"].split(".")[1]
        claims: Json = json.loads(base64.urlsafe_b64decode(payload + "=="))
        return claims

    @property
    def keys(self) -> list[str]:
        """The i18n keys of all messages at any level, without duplicates."""
        return list(dict.fromkeys(message_keys(self.document)))


def message_keys(value: Any) -> list[str]:
    if isinstance(value, list):
        return [key for item in value for key in message_keys(item)]
    if not isinstance(value, dict):
        return []
    own = [value.get("i18n", {}).get("key", value["message"])] if "message" in value else []
    return own + [key for item in value.values() for key in message_keys(item)]
