"""The client: interact, introspect, proceed, token. Everything after introspect follows what the org sent.

Protocol: OAuth 2.0 interaction code grant and the Identity Engine endpoints. The paths of interact, introspect, token,
userinfo and keys are built from the issuer (the org's discovery document names no interaction endpoint); every other
call goes to the ``href`` of a remediation, which must stay on the issuer's origin.
"""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from selfreg.idx import pkce
from selfreg.idx.credentials import Credentials
from selfreg.idx.document import Action, Field, IdxResponse, Json
from selfreg.idx.errors import ForeignHref, MalformedAnswer, TransactionExpired
from selfreg.idx.failures import failure_of, with_origin
from selfreg.idx.parser import parse
from selfreg.idx.transport import Reply, Transport, retry_after

ION = "application/ion+json; okta-version=1.0.0"
FORM = "application/x-www-form-urlencoded"
EXPIRED = "idx.session.expired"


@dataclass(frozen=True, slots=True)
class App:
    """The OIDC app of the org that this site is. ``issuer`` without a trailing slash."""

    issuer: str
    credentials: Credentials
    redirect_uri: str = ""
    scopes: str = "openid profile email"

    @property
    def client_id(self) -> str:
        """The app's public name."""
        return self.credentials.client_id

    @property
    def origin(self) -> str:
        """``https://dev-1.okta.com``: where Identity Engine paths sit, whatever the authorization server."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    def endpoint(self, name: str) -> str:
        """``{issuer}/v1/name``, or ``{org}/oauth2/v1/name`` when the issuer is the org itself."""
        base = self.issuer if "/oauth2" in self.issuer else f"{self.issuer}/oauth2"
        return f"{base}/v1/{name}"

    def absolute(self, href: str) -> str:
        """Where a link of the org leads.

        :raises ForeignHref: nowhere
        """
        try:
            return urljoin(f"{self.origin}/", href)
        except ValueError as error:
            raise ForeignHref("the org's answer has a link that is none") from error


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whom the calls are made for. Okta's rate limits, zones and logs see this instead of the server.

    ``device_token`` is at most 32 characters, stable for one browser. Okta honours it and ``ip`` for confidential
    clients only, ``ip`` only from a trusted proxy.
    """

    ip: str = ""
    user_agent: str = ""
    language: str = ""
    device_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Transaction:
    """What must survive between two requests of one sign-up, beside the last answer."""

    interaction_handle: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """An IDX document and the circumstances it came with.

    ``document`` is its JSON text, for keeping. ``wait``: seconds until the next call is allowed. ``outcome`` is for the
    log, where it is not what the document says; ``calls`` is how many calls it took.
    """

    response: IdxResponse
    document: str = field(repr=False)
    status: int
    request_id: str
    seconds: float
    wait: int = 0
    outcome: str = ""
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token endpoint's answer. Never store it longer than reading the claims takes."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What the end of a registration hands over: the interaction code (60 s, once) and what proves that it is ours.

    ``workflow`` is the registration's ("mandatory", "optional"), ``proven_email`` the address whose code was answered
    in it, "" if none was.
    """

    interaction_code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    workflow: str = ""
    proven_email: str = ""


class IdxClient:
    """One visitor's client of one app. Cheap to make; the connections live in the shared ``Transport``.

    Every method raises the errors of ``idx.errors``; an answer that the person can act on is returned, whatever
    its status.
    """

    def __init__(
        self, app: App, transport: Transport, visitor: Visitor = Visitor(), product: str = "django-selfreg"
    ) -> None:
        self.app, self.transport, self.visitor, self.product = app, transport, visitor, product

    def interact(self, *, activation_token: str = "") -> Transaction:
        """Starts a transaction: POST ``{issuer}/v1/interact`` with PKCE S256, state and nonce."""
        verifier = pkce.new_verifier()
        state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        fields = {
            "scope": self.app.scopes,
            "redirect_uri": self.app.redirect_uri,
            "code_challenge": pkce.challenge(verifier),
            "code_challenge_method": "S256",
            "state": state,
            "nonce": nonce,
        }
        if activation_token:
            fields["activation_token"] = activation_token
        body = self._post_form("interact", fields)
        handle = body.get("interaction_handle")
        if not isinstance(handle, str) or not handle:
            raise MalformedAnswer("interact answered without a handle")
        return Transaction(handle, state, nonce, verifier)

    def introspect(self, transaction: Transaction) -> Answer:
        """The current step of a transaction, whatever happened meanwhile. Changes nothing."""
        body = {"interactionHandle": transaction.interaction_handle}
        return self._idx(f"{self.app.origin}/idp/idx/introspect", body, ION, repeatable=True)

    def proceed(self, action: Action, values: Mapping[str, Any]) -> Answer:
        """Submits a remediation or an action as the org described it.

        :param values: nested JSON, ``{"userProfile": {"email": ...}}``; the hidden constants of the top level are added
        """
        body = {**_presets(action.fields), **values, **_constants(action.fields)}
        return self._idx(self.app.absolute(action.href), body, "application/json")

    def token(self, grant: Mapping[str, str]) -> Tokens:
        """Exchanges a grant (``grant_type`` and what belongs to it) at the token endpoint."""
        body = self._post_form("token", grant)
        id_token, access_token = body.get("id_token"), body.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str) or not access_token:
            raise MalformedAnswer("the token endpoint answered without an ID token")
        if str(body.get("token_type")).lower() != "bearer":
            raise MalformedAnswer("the token endpoint answered with tokens of another type")
        return Tokens(id_token, access_token)

    def userinfo(self, access_token: str) -> Json:
        """The claims of the person (OIDC Core 5.3). The ID token of an interaction code is thin: the address is
        only here.
        """
        headers = {**self._headers("application/json"), "Authorization": f"Bearer {access_token}"}
        return self._object(self.transport.get(self.app.endpoint("userinfo"), headers))

    def keys(self) -> Json:
        """The signing keys (JWKS) of the issuer."""
        return self._object(self.transport.get(self.app.endpoint("keys"), self._headers("application/json")))

    def _idx(self, url: str, body: Mapping[str, Any], content_type: str, *, repeatable: bool = False) -> Answer:
        headers = {**self._headers(ION), "Content-Type": content_type}
        reply = self.transport.post(url, headers, json.dumps(body), repeatable=repeatable)
        if not isinstance(reply.body, Mapping) or not reply.body.get("version"):
            raise failure_of(reply, time.time())
        response = parse(reply.body)
        if response.has_message(EXPIRED) and not response.remediations:
            raise with_origin(TransactionExpired(EXPIRED), reply, " ".join(m.text for m in response.messages))
        wait = retry_after(reply.headers, time.time()) if reply.status == 429 else 0
        return Answer(response, reply.text, reply.status, reply.request_id, reply.seconds, wait)

    def _post_form(self, endpoint: str, fields: Mapping[str, str]) -> Json:
        """OAuth endpoints take forms and want to know which app asks."""
        url = self.app.endpoint(endpoint)
        identity, proof = self.app.credentials.proof(url)
        headers = {**self._headers("application/json"), "Content-Type": FORM, **proof}
        return self._object(self.transport.post(url, headers, urlencode({**fields, **identity})))

    def _object(self, reply: Reply) -> Json:
        if reply.status != 200 or not isinstance(reply.body, Mapping) or "error" in reply.body:
            raise failure_of(reply, time.time())
        return reply.body

    def _headers(self, accept: str) -> dict[str, str]:
        visitor, confidential = self.visitor, self.app.credentials.confidential
        headers = {
            "Accept": accept,
            "Accept-Language": visitor.language,
            "User-Agent": visitor.user_agent or self.product,
            "X-Okta-User-Agent-Extended": self.product,
            "X-Forwarded-For": visitor.ip if confidential else "",
            "X-Device-Token": visitor.device_token[:32] if confidential else "",
        }
        return {name: value for name, value in headers.items() if value}


def _presets(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {f.name: f.value for f in fields if f.mutable and f.value is not None}


def _constants(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Immutable fields go back unchanged, ``stateHandle`` above all; only the top level is automatic."""
    return {f.name: f.value for f in fields if not f.mutable and f.value is not None}
