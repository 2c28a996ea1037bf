"""A program that invites people to an Okta org. It does not know that the org is a local one."""

from dataclasses import dataclass

import requests


class AlreadyInvited(Exception):
    """The org has an account for this address."""


class OrgUnreachable(Exception):
    """No usable answer to two calls."""


@dataclass(frozen=True)
class Org:
    url: str
    token: str


def invite(org: Org, email: str, first_name: str, last_name: str) -> str:
    """Creates an account and has Okta mail the invitation. Returns the id of the new user."""
    profile = {"login": email, "email": email, "firstName": first_name, "lastName": last_name}
    reply = post(org, "/api/v1/users?activate=true", {"profile": profile})
    if reply.status_code == 400 and "already exists" in reply.text:
        raise AlreadyInvited(email)
    reply.raise_for_status()
    return str(reply.json()["id"])


def post(org: Org, path: str, body: object) -> requests.Response:
    headers = {"Authorization": f"SSWS {org.token}"}
    for _ in range(2):
        try:
            reply = requests.post(org.url + path, json=body, headers=headers, timeout=5)
        except requests.RequestException:
            continue
        if reply.status_code < 500:
            return reply
    raise OrgUnreachable(org.url)
