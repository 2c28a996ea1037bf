"""A client of the local org's Management API with an API token."""

from typing import Any

import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA

TOKEN = "local-api-token-not-for-production"
Json = Any


class ManagementApi:
    def __init__(self, org: OrgHandle) -> None:
        self.base = org.base + "/api/v1/"
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"SSWS {TOKEN}"

    def __call__(self, method: str, path: str, body: object = None, status: int = 200, **params: Any) -> Json:
        reply = self.http.request(method, self.base + path, json=body, params=params, timeout=60)
        assert reply.status_code == status, reply.text
        return reply.json() if reply.content else None

    def user(self, email: str = ADA["email"], **params: Any) -> Json:
        return self("POST", "users", {"profile": {**ADA, "login": email, "email": email}}, **params)
