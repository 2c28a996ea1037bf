"""A front end of one's own: speaks JSON with the site, and remembers everything that came back."""

import json
from typing import Any, Self

from django.test import Client

from okta_devorg import OrgHandle
from support.person import KEYS_OF, PASSWORD

BASE = "/signup/api/"


class AppClient:
    """``by_token``: an app that keeps no cookies and has a token; else a page in a browser, by session."""

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
        """The step at hand; names with a double underscore for the dot."""
        return self.post("step/", step=self.step["mark"], values={k.replace("__", "."): v for k, v in values.items()})

    def begins(self, **more: Any) -> Self:
        self.get()
        values = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": self.email}
        tokens = {k: self.answer[k] for k in ("form_token", "form_version")}
        return self.post(values=values | more, **tokens)

    def chooses(self, label: str) -> Self:
        """Sees to it that this is set up next; there is nothing to do where the site has started it."""
        if self.step["authenticator"] == KEYS_OF[label]:
            return self
        if "back" in self.actions():
            self.post("step/", step=self.step["mark"], action="back")
        if self.step["authenticator"] == KEYS_OF[label]:
            return self
        (value,) = (c["value"] for c in self.field("authenticator.id")["choices"] if c["label"] == label)
        return self.submits(authenticator__id=value)

    def is_at_the_code(self) -> Self:
        return self.begins().chooses("Email")

    def is_at_the_password(self, org: OrgHandle) -> Self:
        return self.is_at_the_code().submits(credentials__passcode=org.code(self.email)).chooses("Password")

    def sets_a_password(self, password: str = PASSWORD) -> Self:
        return self.submits(credentials__passcode=password)

    def signs_up(self, org: OrgHandle) -> Self:
        return self.is_at_the_password(org).sets_a_password()

    @property
    def problem(self) -> str:
        """The last word of its type; "" when the answer is none."""
        assert (self.status >= 400) == (self.content_type == "application/problem+json")
        assert self.status < 400 or self.answer["status"] == self.status
        return str(self.answer.get("type", "")).rpartition(":")[2]

    def said(self) -> list[str]:
        return [m["key"] for m in self.answer["messages"]]
