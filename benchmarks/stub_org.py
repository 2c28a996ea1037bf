"""An org that only answers: the recorded steps of one sign-up, to everybody, at once or after a delay.

Nothing is checked, so that a benchmark measures the site and not the org. Runs as `python -m benchmarks.stub_org PORT
STEPS MILLISECONDS`, where STEPS is a file that ``record_steps`` wrote. One process serves all; `GET /_stub` returns how
many calls and connections it had, and a `POST` there sets both to zero.
"""

import asyncio
import base64
import hashlib
import json
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.bench_org import REDIRECT, Client, challenge_of, org

CLIENT_ID = "0oaLocalDemoApp0000"
CODE = "123456"
"""Any code is right."""
SCOPES = "openid profile email"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PASSWORD = "Correct-horse-7"
# The local org's policy for each kind of sign-up.
POLICIES: dict[str, dict[str, Any]] = {
    "form": {"password_on_form": True, "authenticators": {"okta_password": "required", "okta_email": "required"}},
    "staged": {"authenticators": {"okta_password": "required", "okta_email": "required", "phone_number": "optional"}},
}


def record_steps(kind: str) -> dict[str, Any]:
    """The documents of one sign-up at the local org, for a file: the answer to introspect, then to each further call.

    :param kind: of ``POLICIES``
    """
    with org() as (port, _, _):
        client = Client(port)
        client.call("PATCH", "/_devorg/policy", json.dumps(POLICIES[kind]).encode(), "application/json")
        _, challenge = challenge_of()
        pkce = {"code_challenge": challenge, "code_challenge_method": "S256", "state": "s"}
        wanted = {"scope": SCOPES, "redirect_uri": REDIRECT}
        handle = client.form("/oauth2/default/v1/interact", **wanted, **pkce)["interaction_handle"]
        steps = [client.idx("/idp/idx/introspect", interactionHandle=handle)]
        person = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com"}
        while "successWithInteractionCode" not in steps[-1]:
            steps.append(next_answer(client, steps[-1], person))
    text = json.dumps(steps).replace(steps[0]["stateHandle"], "{handle}").replace(f"127.0.0.1:{port}", "{host}")
    return {"steps": text, "code": steps[-1]["successWithInteractionCode"]["value"][1]["value"]}


def next_answer(client: Client, document: Any, person: dict[str, str]) -> Any:
    """Takes the first remediation that a new person takes."""
    names = {item["name"]: item for item in document["remediation"]["value"]}
    if "select-enroll-profile" in names:
        return client.step(document, "select-enroll-profile")
    if "enroll-profile" in names:
        asks_password = "credentials" in {f["name"] for f in names["enroll-profile"]["value"]}
        secret = {"credentials": {"passcode": PASSWORD}} if asks_password else {}
        return client.step(document, "enroll-profile", userProfile=person, **secret)
    if "enroll-authenticator" in names:
        key = document["currentAuthenticator"]["value"]["key"]
        code = PASSWORD
        if key == "okta_email":
            code = client.call("GET", f"/_devorg/messages?to={person['email']}", None, "")[0]["code"]
        return client.step(document, "enroll-authenticator", credentials={"passcode": code})
    if "skip" in names:
        return client.step(document, "skip")
    present = {item["key"] for item in document["authenticators"]["value"]}
    offered = json.dumps(names["select-authenticator-enroll"])
    ids = {item["key"]: item["id"] for item in document["authenticators"]["value"] if item["id"] in offered}
    wanted = next(key for key in ("okta_email", "okta_password") if key in present & set(ids))
    return client.select(document, wanted)


@dataclass
class Stub:
    """What the stub knows: where every transaction stands, and what its ID token will say."""

    host: str
    steps: list[str]
    code: str
    seconds: float
    calls: int = 0
    connections: int = 0
    nonces: dict[str, str] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        """The body of the answer to a call."""
        if path == "/_stub":
            counts = {"calls": self.calls, "connections": self.connections}
            if method == "POST":
                self.calls = self.connections = 0
            return json.dumps(counts).encode()
        self.calls += 1
        if path.startswith("/idp/idx/"):
            return self.idx(path, json.loads(body)).encode()
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        match path.rpartition("/")[2]:
            case "interact":
                handle = uuid.uuid4().hex
                self.nonces[handle] = form.get("nonce", "")
                return json.dumps({"interaction_handle": handle}).encode()
            case "token":
                return json.dumps(self.tokens(form["interaction_code"])).encode()
            case "userinfo":
                return json.dumps(self.claims(headers["authorization"].removeprefix("Bearer "))).encode()
            case "keys":
                public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
                return json.dumps({"keys": [{**public, "kid": "stub", "use": "sig", "alg": "RS256"}]}).encode()
        return b"{}"

    def idx(self, path: str, values: dict[str, Any]) -> str:
        handle = values.get("interactionHandle") or values["stateHandle"]
        if email := values.get("userProfile", {}).get("email"):
            self.emails[handle] = email
        if not path.endswith("/introspect"):
            self.positions[handle] = self.positions.get(handle, 0) + 1
        document = self.steps[self.positions.get(handle, 0)]
        return document.replace("{handle}", handle).replace("{host}", self.host).replace(self.code, handle)

    def claims(self, handle: str) -> dict[str, Any]:
        names = {"given_name": "Ada", "family_name": "Lovelace", "name": "Ada Lovelace"}
        return {"sub": f"00u{handle}", "email": self.emails[handle], "email_verified": True, **names}

    def tokens(self, handle: str) -> dict[str, Any]:
        now, issuer = int(time.time()), f"http://{self.host}/oauth2/default"
        digest = hashlib.sha256(handle.encode()).digest()
        token = {
            **self.claims(handle),
            **{"iss": issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 3600, "auth_time": now},
            "at_hash": base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode(),
            **({"nonce": self.nonces[handle]} if self.nonces.get(handle) else {}),
        }
        signed = jwt.encode(token, KEY, algorithm="RS256", headers={"kid": "stub"})
        return {"token_type": "Bearer", "expires_in": 3600, "access_token": handle, "id_token": signed}


class Connection(asyncio.Protocol):
    """One kept connection: HTTP/1.1 with Content-Length, one request at a time."""

    def __init__(self, stub: Stub) -> None:
        self.stub, self.buffer = stub, b""
        stub.connections += 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        if len(rest) < size:
            return
        self.buffer = rest[size:]
        method, path, _ = first.split(" ", 2)
        content = self.stub.answer(method, path.partition("?")[0], headers, rest[:size])
        kind = "application/ion+json; okta-version=1.0.0" if path.startswith("/idp/idx/") else "application/json"
        answer = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
        if self.stub.seconds and path != "/_stub":
            asyncio.get_running_loop().call_later(self.stub.seconds, self.transport.write, answer)
        else:
            self.transport.write(answer)


async def serve(port: int, recorded: dict[str, Any], seconds: float) -> None:
    """Serves until the process is ended."""
    steps = [json.dumps(step) for step in json.loads(recorded["steps"])]
    stub = Stub(f"127.0.0.1:{port}", steps, recorded["code"], seconds)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(stub), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), float(sys.argv[3]) / 1000))
