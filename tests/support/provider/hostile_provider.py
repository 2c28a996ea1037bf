"""An OpenID provider on a real socket that signs people in honestly, or forges exactly one response.

It implements enough of Okta for both flows: authorize, token, keys, userinfo for the authorization code; interact,
introspect and one profile step that ends in an interaction code. An ``Attack`` replaces one of its responses. A
canary listens beside it: a call to the canary means that a URL from a forged response was followed.
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

Json = dict[str, Any]
CLIENT_ID, CLIENT_SECRET = "0oaLocalDemoApp0000", "local-demo-secret-not-for-production"
SUBJECT, EMAIL = "00uHER", "ada@example.com"
KID = "key-1"
ABSENT = object()


@dataclass(frozen=True)
class Reply:
    """One HTTP response. ``drip`` seconds pass between two bytes of the part named by ``drips``."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drips: str = ""
    drip: float = 0.05


@dataclass(frozen=True)
class Attack:
    """One forged response. ``at``: id_token, token, keys, userinfo or authorize; ``forge`` makes the response."""

    name: str
    at: str
    forge: Callable[["Scene"], Any]


@dataclass
class Grant:
    """The provider's record of one unfinished sign-in."""

    nonce: str
    challenge: str
    redirect_uri: str
    code: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    access_token: str = field(default_factory=lambda: f"canary-access-{secrets.token_urlsafe(16)}")
    used: bool = False


@lru_cache(maxsize=8)
def rsa_key(name: str = "own", bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return the key of that name and size."""
    return rsa.generate_private_key(65537, bits)


@lru_cache(maxsize=4)
def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def public_jwk(key: Any, **more: Any) -> Json:
    """Return the public JWK of a private key."""
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": KID, "use": "sig", **more}


def signature(algorithm: str, key: Any, message: bytes) -> bytes:
    """Sign with any algorithm and any key, even an unsuitable one."""
    if algorithm.upper().startswith("HS"):
        return hmac.new(key, message, f"sha{algorithm[-3:]}").digest()
    return jwt.algorithms.get_default_algorithms()[algorithm].sign(message, key)


def without_absent(values: Json) -> Json:
    return {k: v for k, v in values.items() if v is not ABSENT}


@dataclass
class Scene:
    """What a forged response can be made of: the current sign-in and the honest responses."""

    issuer: str
    canary: str
    grant: Grant
    others_nonce: str
    now: int

    @property
    def origin(self) -> str:
        return self.issuer.split("/oauth2")[0]

    def claims(self, **changes: Any) -> Json:
        honest = {
            "sub": SUBJECT, "ver": 1, "iss": self.issuer, "aud": CLIENT_ID, "iat": self.now, "exp": self.now + 3600,
            "jti": "ID.1", "amr": ["pwd"], "auth_time": self.now, "nonce": self.grant.nonce, "name": "Ada Lovelace",
            "at_hash": b64(hashlib.sha256(self.grant.access_token.encode()).digest()[:16]),
        }  # fmt: skip
        return without_absent(honest | changes)

    def sign(self, claims: Json | bytes | None = None, *, key: Any = None, alg: str = "RS256", **header: Any) -> str:
        """Return a signed token; ``header`` adds or replaces header parameters."""
        response = without_absent({"alg": alg, "kid": KID} | header)
        return self.jws(json.dumps(response).encode(), claims, alg, key)

    def jws(self, header: bytes, claims: Json | bytes | None = None, alg: str = "RS256", key: Any = None) -> str:
        payload = (
            claims if isinstance(claims, bytes) else json.dumps(self.claims() if claims is None else claims).encode()
        )
        message = f"{b64(header)}.{b64(payload)}".encode()
        return f"{message.decode()}.{b64(signature(alg, rsa_key() if key is None else key, message))}"

    def tokens(self, **changes: Any) -> Json:
        honest = {
            "token_type": "Bearer", "expires_in": 3600, "scope": "openid profile email",
            "access_token": self.grant.access_token, "id_token": self.sign(),
        }  # fmt: skip
        return without_absent(honest | changes)

    def keys(self) -> Json:
        return {"keys": [public_jwk(rsa_key(), alg="RS256")]}

    def about(self, **changes: Any) -> Json:
        """Return the honest userinfo with changes."""
        honest = {
            "sub": SUBJECT, "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "locale": "en",
            "preferred_username": EMAIL, "email": EMAIL, "email_verified": True,
        }  # fmt: skip
        return without_absent(honest | changes)


class HostileProvider:
    """The running provider, as tests control it."""

    def __init__(self, base: str, canary: "Canary") -> None:
        self.base, self.canary = base, canary
        self.issuer = f"{base}/oauth2/default"
        self.reset()

    def reset(self) -> None:
        self.attack: Attack | None = None
        self.grants: list[Grant] = []
        self.handles: dict[str, tuple[Grant, str]] = {}
        self.forged_count = 0
        self.calls: list[str] = []
        self.token_requests: list[tuple[dict[str, str], str]] = []
        self.authorizations: list[dict[str, str]] = []
        self.released = Event()
        self.canary.calls = 0

    def answer(self, at: str, scene: Scene, honest: Callable[[], Any]) -> Any:
        """Return the forged response if the attack is at this place, else the honest one."""
        if self.attack is None or self.attack.at != at:
            return honest()
        self.forged_count += 1
        return self.attack.forge(scene)

    def scene(self, grant: Grant | None = None) -> Scene:
        known = grant or (self.grants[-1] if self.grants else Grant("", "", ""))
        others = next((g.nonce for g in self.grants if g is not known), "another-nonce")
        return Scene(self.issuer, self.canary.base, known, others, int(time.time()))

    # -- the endpoints

    def authorize(self, query: dict[str, str]) -> Reply:
        """Redirect back with a code at once: everybody is already signed in at this provider."""
        self.authorizations.append(query)
        grant = self._granted(query)
        answer = {"code": grant.code, "state": query.get("state", "")}
        response = self.answer("authorize", self.scene(grant), lambda: answer)
        pairs = list((answer | response).items()) if isinstance(response, dict) else response
        back = urlencode([(k, v) for k, v in pairs if v is not ABSENT])
        return Reply(status=302, headers={"Location": f"{query['redirect_uri']}?{back}"})

    def token(self, form: dict[str, str], authorization: str) -> Any:
        self.token_requests.append((form, authorization))
        code = form.get("interaction_code") or form.get("code")
        grant = next((g for g in self.grants if g.code == code), None)
        verifier = form.get("code_verifier", "")
        if grant is None or grant.used or b64(hashlib.sha256(verifier.encode()).digest()) != grant.challenge:
            return Reply(b'{"error":"invalid_grant","error_description":"no such code"}', 400)
        grant.used = True
        scene = self.scene(grant)
        tokens = scene.tokens()
        tokens["id_token"] = self.answer("id_token", scene, lambda: tokens["id_token"])
        return self.answer("token", scene, lambda: tokens)

    def interact(self, form: dict[str, str]) -> Json:
        handle = secrets.token_urlsafe(16)
        self.handles[handle] = (self._granted(form), f"02{secrets.token_urlsafe(16)}")
        return {"interaction_handle": handle}

    def _granted(self, request: dict[str, str]) -> Grant:
        assert request.get("code_challenge_method") == "S256"
        self.grants.append(Grant(request["nonce"], request["code_challenge"], request["redirect_uri"]))
        return self.grants[-1]

    def introspect(self, handle: str) -> Json:
        """Return a document whose policy asks only for a profile."""
        grant, state_handle = self.handles[handle]
        assert grant
        names = (("firstName", "First name"), ("lastName", "Last name"), ("email", "Email"))
        fields = [{"name": name, "label": label, "required": True} for name, label in names]
        profile = {"name": "userProfile", "required": True, "form": {"value": fields}}
        step = {
            "rel": ["create-form"], "name": "enroll-profile", "href": f"{self.base}/idp/idx/enroll/new",
            "method": "POST", "accepts": "application/json; okta-version=1.0.0",
            "value": [profile, {"name": "stateHandle", "required": True, "value": state_handle, "mutable": False}],
        }  # fmt: skip
        return self._document(state_handle) | {"remediation": {"type": "array", "value": [step]}}

    def enroll(self, state_handle: str) -> Json:
        grant = next(g for g, handle in self.handles.values() if handle == state_handle)
        value = [{"name": "grant_type", "value": "interaction_code"}, {"name": "interaction_code", "value": grant.code}]
        success = {"rel": ["create-form"], "name": "issue", "href": f"{self.issuer}/v1/token", "value": value}
        return self._document(state_handle) | {"successWithInteractionCode": success}

    def _document(self, state_handle: str) -> Json:
        later = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 3600))
        return {"version": "1.0.0", "stateHandle": state_handle, "expiresAt": later, "intent": "LOGIN"}


class Handler(BaseHTTPRequestHandler):
    provider: HostileProvider
    protocol_version = "HTTP/1.1"
    # Head and body are written apart: without this the body of each answer waits 40 ms for an acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.calls.append(parts.path)
        query = dict(parse_qsl(parts.query))
        name = parts.path.rsplit("/", 1)[-1]
        provider = self.provider
        if name == "authorize":
            self._send(provider.authorize(query))
        elif name == "keys":
            scene = provider.scene()
            self._send(provider.answer("keys", scene, scene.keys))
        elif name == "userinfo":
            self._send(self._userinfo())
        else:
            self._send(Reply(b"{}", 404))

    def _userinfo(self) -> Any:
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        grant = next((g for g in self.provider.grants if g.access_token == bearer), None)
        if grant is None and not (self.provider.attack and self.provider.attack.at == "token"):
            return Reply(b'{"error":"invalid_token"}', 401)
        scene = self.provider.scene(grant)
        return self.provider.answer("userinfo", scene, scene.about)

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.provider.calls.append(path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        provider = self.provider
        if path.endswith("/v1/interact"):
            self._send(provider.interact(dict(parse_qsl(raw))))
        elif path.endswith("/introspect"):
            self._send(provider.introspect(json.loads(raw)["interactionHandle"]))
        elif path.endswith("/enroll/new"):
            self._send(provider.enroll(json.loads(raw)["stateHandle"]))
        elif path.endswith("/v1/token"):
            form = {k: v[0] for k, v in parse_qs(raw).items()}
            self._send(provider.token(form, self.headers.get("Authorization", "")))
        else:
            self._send(Reply(b"{}", 404))

    def _send(self, response: Any) -> None:
        reply = response if isinstance(response, Reply) else Reply(json.dumps(response).encode())
        headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.body)), **reply.headers}
        head = f"HTTP/1.1 {reply.status} Reply\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        with suppress(OSError):
            self._write(head.encode(), slowly=reply.drips == "headers", seconds=reply.drip)
            if reply.drips == "silence":
                self.provider.released.wait(30)
            self._write(b"\r\n" + reply.body, slowly=reply.drips == "body", seconds=reply.drip)
        self.close_connection = bool(reply.drips)

    def _write(self, data: bytes, *, slowly: bool, seconds: float) -> None:
        for piece in [data[i : i + 1] for i in range(len(data))] if slowly else [data]:
            self.wfile.write(piece)
            self.wfile.flush()
            if slowly and self.provider.released.wait(seconds):
                return

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class Canary:
    """A server that must never be called."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener, self.calls = listener, 0
        self.base = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def listen(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()


@contextmanager
def running_provider() -> Iterator[HostileProvider]:
    canary = Canary(socket.create_server(("127.0.0.1", 0)))
    Thread(target=canary.listen, daemon=True).start()
    handler: type[Handler] = type("Handler", (Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads, server.block_on_close = True, False
    handler.provider = provider = HostileProvider(f"http://127.0.0.1:{server.server_address[1]}", canary)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.released.set()
        server.shutdown()
        server.server_close()
        canary.listener.shutdown(socket.SHUT_RDWR)
        canary.listener.close()


def sha256_left(text: str) -> str:
    return b64(hashlib.sha256(text.encode()).digest()[:16])
