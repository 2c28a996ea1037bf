"""A client of the JSON API that records all responses."""

import json
from typing import Any, Self

from django.test import Client

from okta_devorg import OrgHandle
from support.person import AUTHENTICATOR_KEYS, PASSWORD

BASE = "/signup/api/"


class AppClient:
    """``by_token``: an app with a token and without cookies; else a page in a browser with a session."""

    def __init__(self, email: str = "ada@example.com", *, by_token: bool = False, language: str = "en") -> None:
        self.email = email
        self.browser = Client(enforce_csrf_checks=True, headers={"Accept-Language": language})
        self.headers: dict[str, str] = {}
        self.by_token = by_token
        self.seen: list[str] = []
        self.answer: dict[str, Any] = {}
        self.status = 0
        self.retry_after = ""
        self.content_type = ""
        if by_token:
            self.post("token/")
            self.headers["Authorization"] = f"Bearer {self.answer['token']}"
            self.seen.clear()

    def get(self, path: str = "") -> Self:
        return self._keep(self.browser.get(BASE + path, headers=self.headers))

    def post(self, path: str = "", **sent: Any) -> Self:
        return self._keep(self.browser.post(BASE + path, sent, content_type="application/json", headers=self.headers))

    def _keep(self, response: Any) -> Self:
        if self.by_token:
            self.cookies = dict(response.cookies)
            self.browser.cookies.clear()
        self.seen.append(response.content.decode())
        self.status, self.answer = response.status_code, json.loads(response.content)
        self.retry_after = response.headers.get("Retry-After", "")
        self.content_type = response.headers["Content-Type"]
        if self.answer.get("csrf_token"):
            self.headers["X-CSRFToken"] = self.answer["csrf_token"]
        return self

    # -- the sign-up

    @property
    def step(self) -> dict[str, Any]:
        found: dict[str, Any] = self.answer["step"]
        return found

    def fields(self) -> list[str]:
        return [f["name"] for f in self.step["fields"]]

    def field(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(f for f in self.step["fields"] if f["name"] == name)
        return found

    def actions(self) -> list[str]:
        return [a["name"] for a in self.step["actions"]]

    def submits(self, **values: Any) -> Self:
        """Submits the current step. A double underscore in a name stands for a dot."""
        return self.post("step/", step=self.step["mark"], values={k.replace("__", "."): v for k, v in values.items()})

    def begins(self, **more: Any) -> Self:
        self.get()
        values = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": self.email}
        tokens = {k: self.answer[k] for k in ("form_token", "form_version")}
        return self.post(values=values | more, **tokens)

    def chooses(self, label: str) -> Self:
        """Starts an authenticator, unless the site has started it already."""
        if self.step["authenticator"] == AUTHENTICATOR_KEYS[label]:
            return self
        if "back" in self.actions():
            self.post("step/", step=self.step["mark"], action="back")
        if self.step["authenticator"] == AUTHENTICATOR_KEYS[label]:
            return self
        (value,) = (c["value"] for c in self.field("authenticator.id")["choices"] if c["label"] == label)
        return self.submits(authenticator__id=value)

    def goes_to_the_code_page(self) -> Self:
        return self.begins().chooses("Email")

    def goes_to_the_password_page(self, org: OrgHandle) -> Self:
        return self.goes_to_the_code_page().submits(credentials__passcode=org.code(self.email)).chooses("Password")

    def sets_a_password(self, password: str = PASSWORD) -> Self:
        return self.submits(credentials__passcode=password)

    def signs_up(self, org: OrgHandle) -> Self:
        return self.goes_to_the_password_page(org).sets_a_password()

    @property
    def problem(self) -> str:
        """The last part of the problem type, or "" if the response is no problem document."""
        assert (self.status >= 400) == (self.content_type == "application/problem+json")
        assert self.status < 400 or self.answer["status"] == self.status
        return str(self.answer.get("type", "")).rpartition(":")[2]

    def said(self) -> list[str]:
        return [m["key"] for m in self.answer["messages"]]
