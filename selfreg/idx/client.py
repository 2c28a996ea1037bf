"""A client of the Identity Engine: interact, introspect, proceed, token (docs/protocol.md, sections 1 to 6).

The addresses of interact, introspect, token, userinfo and keys are built from the issuer, because the org's discovery
document names no interaction endpoint. Every other call goes to the ``href`` that the org sent, which must be on the
issuer's origin.
"""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from selfreg.idx import pkce
from selfreg.idx.credentials import Credentials
from selfreg.idx.document import Action, Field, IdxResponse, Json
from selfreg.idx.errors import ForeignHref, MalformedAnswer, OrgRefused, TransactionExpired
from selfreg.idx.failures import failure_of, with_origin
from selfreg.idx.parser import parse
from selfreg.idx.transport import Reply, Transport, retry_after
from selfreg.secret import NOTHING, Secret, reveal

__all__ = ["Answer", "App", "IdxClient"]

ION = "application/ion+json; okta-version=1.0.0"
FORM = "application/x-www-form-urlencoded"
EXPIRED = "idx.session.expired"
# The reason that Okta's widget gives for ending a search for Okta Verify on the visitor's device.
NOTHING_LISTENS = "OV_UNREACHABLE_BY_LOOPBACK"


def origin_of(issuer: str) -> str:
    """Return the origin of an issuer: ``https://dev-1.okta.com``, whatever its authorization server."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}"


def endpoint_of(issuer: str, name: str) -> str:
    """Return the URL of an OAuth endpoint: ``{issuer}/v1/name``, or ``{org}/oauth2/v1/name`` for the org itself."""
    base = issuer if "/oauth2" in issuer else f"{issuer}/oauth2"
    return f"{base}/v1/{name}"


@dataclass(frozen=True, slots=True)
class App:
    """This site's OIDC app at the org.

    :param issuer: the org or a custom authorization server, without a trailing slash: ``https://dev-1.okta.com`` or
        ``https://dev-1.okta.com/oauth2/default``
    :param redirect_uri: as registered; interact and token require it, although nobody is redirected there
    :param scopes: separated by spaces
    """

    issuer: str
    credentials: Credentials
    redirect_uri: str = ""
    scopes: str = "openid profile email"

    @property
    def client_id(self) -> str:
        """The app's public id at the org."""
        return self.credentials.client_id

    @property
    def origin(self) -> str:
        """``https://dev-1.okta.com``: the Identity Engine's paths are here, whatever the authorization server."""
        return origin_of(self.issuer)

    def endpoint(self, name: str) -> str:
        """Return the URL of an OAuth endpoint, see ``endpoint_of``."""
        return endpoint_of(self.issuer, name)

    def absolute(self, href: str) -> str:
        """Return the absolute URL of a link in an answer of the org.

        :raises ForeignHref: the link is not a URL
        """
        try:
            return urljoin(f"{self.origin}/", href)
        except ValueError as error:
            raise ForeignHref("the org's answer has an invalid link") from error


@dataclass(frozen=True, slots=True)
class Visitor:
    """The visitor whom calls are made for. Okta uses these values in rate limits, network zones and logs.

    :param ip: the visitor's address. Okta accepts it from confidential clients behind a trusted proxy only
    :param language: for ``Accept-Language``
    :param device_token: at most 32 characters, the same for all visits of one browser. Okta accepts it from
        confidential clients only
    """

    ip: str = ""
    user_agent: str = ""
    language: str = ""
    device_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a sign-up needs from one request to the next, besides the last answer: the handle from interact, and the
    random values of OAuth (``state``), OpenID Connect (``nonce``) and PKCE.
    """

    interaction_handle: Secret[str]
    state: Secret[str]
    nonce: Secret[str]
    code_verifier: Secret[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An IDX document, with facts about the call that returned it.

    :param document: its JSON text, for storage; it holds the state handle
    :param status: the HTTP status; pages come with 4xx too
    :param request_id: Okta's id of the call, "" if it sent none
    :param seconds: how long the call took
    :param wait: after a 429, seconds until the next call may be made; else 0
    :param outcome: for the log, if the document says something else
    :param calls: how many calls it took
    """

    response: IdxResponse
    document: Secret[str]
    status: int
    request_id: str
    seconds: float
    wait: int = 0
    outcome: str = ""
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token endpoint's answer. Never store it."""

    id_token: Secret[str]
    access_token: Secret[str]


@dataclass(frozen=True, slots=True)
class Grant:
    """A code to redeem at the token endpoint, with what is needed to handle the answer.

    :param code: the interaction code of a registration, which is valid for 60 seconds, or the authorization code of a
        sign-in
    :param code_verifier: of PKCE: proves that the transaction was ours
    :param nonce: must be in the ID token
    :param workflow: of the registration: "mandatory" or "optional"; "" for a sign-in
    :param proven_email: the address that was verified in the registration, or ""
    """

    code: Secret[str]
    code_verifier: Secret[str]
    nonce: Secret[str]
    workflow: str = ""
    proven_email: str = ""


@dataclass(frozen=True, slots=True)
class IdxClient:
    """A client of one app on behalf of one visitor. Cheap to create: the connections belong to the shared
    ``Transport``.

    An answer that the person can act on is returned, whatever its HTTP status. Every method that calls the org raises:

    :raises OrgUnreachable: nothing was sent
    :raises AnswerLost: sent, and no usable answer came back; the org may have done its work
    :raises MalformedAnswer: an ``AnswerLost`` whose answer was not one of the protocol
    :raises RateLimited: HTTP 429 without a page
    :raises OrgRefused: the org's error, in its own words
    """

    app: App
    transport: Transport
    visitor: Visitor = Visitor()
    product: str = "django-selfreg"

    def interact(self, *, activation_token: Secret[str] = NOTHING) -> Transaction:
        """Start a transaction: POST ``{issuer}/v1/interact`` with PKCE S256, state and nonce.

        :param activation_token: of an invitation, to continue the sign-up of an account that exists already
        :raises OrgRefused: among others for a wrong redirect URI, client secret or activation token
        :raises MalformedAnswer: an answer without a handle
        :raises ValueError: the app's private key is unusable
        """
        verifier = Secret(pkce.new_verifier())
        state, nonce = Secret(secrets.token_urlsafe(32)), Secret(secrets.token_urlsafe(32))
        fields: dict[str, str | Secret[str]] = {
            "scope": self.app.scopes,
            "redirect_uri": self.app.redirect_uri,
            "code_challenge": pkce.challenge(verifier.reveal()),
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
        return Transaction(Secret(handle), state, nonce, verifier)

    def introspect(self, transaction: Transaction) -> Answer:
        """Return the current step of a transaction. Changes nothing, so it may be repeated.

        :raises TransactionExpired: the handle is unknown or too old
        """
        body = {"interactionHandle": transaction.interaction_handle}
        return self._past_probe(self._idx(f"{self.app.origin}/idp/idx/introspect", body, ION, repeatable=True))

    def proceed(self, action: Action, values: Mapping[str, Any]) -> Answer:
        """Submit a remediation or an action as the org described it.

        :param values: nested JSON, ``{"userProfile": {"email": ...}}``; immutable fields of the top level are added
        :raises ForeignHref: the org's answer said to call an address outside its origin; nothing was sent
        :raises TransactionExpired: the handle is unknown or too old
        """
        return self._past_probe(self._submit(action, values))

    def captcha_challenge(self, action: Action) -> Json:
        """Return the proof-of-work task of a captcha, for the visitor's browser (docs/protocol.md, section 4.2).

        :raises ForeignHref: see ``proceed``
        """
        url, headers = self.app.absolute(action.href), self._headers("application/json")
        if action.method == "GET":
            return self._object(self.transport.get(url, headers))
        body = Secret(json.dumps(_constants(action.fields), default=reveal))
        return self._object(self.transport.post(url, {**headers, "Content-Type": "application/json"}, body))

    def token(self, grant: Mapping[str, str | Secret[str]]) -> Tokens:
        """Exchange a grant for tokens (docs/protocol.md, section 6.2).

        :param grant: ``grant_type`` and the form fields that belong to it
        :raises OrgRefused: ``invalid_grant`` for a code that is used, expired or not ours; ``invalid_client``
        :raises MalformedAnswer: an answer without both tokens, or with tokens that are not bearer tokens
        :raises ValueError: the app's private key is unusable
        """
        body = self._post_form("token", grant)
        id_token, access_token = body.get("id_token"), body.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str) or not access_token:
            raise MalformedAnswer("the token endpoint answered without an ID token")
        if str(body.get("token_type")).lower() != "bearer":
            raise MalformedAnswer("the token endpoint answered with tokens of another type")
        return Tokens(Secret(id_token), Secret(access_token))

    def userinfo(self, access_token: Secret[str]) -> Json:
        """Return the person's claims (OpenID Connect Core 5.3).

        Only these have the email address: the ID token for an interaction code doesn't.
        """
        headers = {**self._headers("application/json"), "Authorization": Secret(f"Bearer {access_token.reveal()}")}
        return self._object(self.transport.get(self.app.endpoint("userinfo"), headers))

    def keys(self) -> Json:
        """Return the issuer's signing keys: ``{"keys": [...]}`` (RFC 7517)."""
        return self._object(self.transport.get(self.app.endpoint("keys"), self._headers("application/json")))

    def _past_probe(self, answer: Answer) -> Answer:
        """End a search for Okta Verify on the visitor's device, and return the next page (docs/protocol.md, 4.13).

        The search is for a program on the same machine, which a server can't reach. It is ended as Okta's widget does
        when no program answers.
        """
        end = answer.response.end_of_probe
        if end is None:
            return answer
        takes_reason = any(f.name == "reason" for f in end.fields)
        try:
            after = self._submit(end, {"reason": NOTHING_LISTENS} if takes_reason else {})
        except OrgRefused:  # the page of the search says what else is offered
            return answer
        return replace(after, calls=answer.calls + 1, seconds=answer.seconds + after.seconds)

    def _submit(self, action: Action, values: Mapping[str, Any]) -> Answer:
        body = {**_presets(action.fields), **values, **_constants(action.fields)}
        return self._idx(self.app.absolute(action.href), body, "application/json")

    def _idx(self, url: str, body: Mapping[str, Any], content_type: str, *, repeatable: bool = False) -> Answer:
        headers = {**self._headers(ION), "Content-Type": content_type}
        reply = self.transport.post(url, headers, Secret(json.dumps(body, default=reveal)), repeatable=repeatable)
        if not isinstance(reply.body, Mapping) or not reply.body.get("version"):
            raise failure_of(reply, time.time())
        response = parse(reply.body)
        if not response.remediations and response.has_message(EXPIRED):
            raise with_origin(TransactionExpired(EXPIRED), reply, " ".join(m.text for m in response.messages))
        wait = retry_after(reply.headers, time.time()) if reply.status == 429 else 0
        return Answer(response, reply.text, reply.status, reply.request_id, reply.seconds, wait)

    def _post_form(self, endpoint: str, fields: Mapping[str, str | Secret[str]]) -> Json:
        """Call an OAuth endpoint, with a form and the app's credentials."""
        url = self.app.endpoint(endpoint)
        identity, proof = self.app.credentials.proof(url)
        headers = {**self._headers("application/json"), "Content-Type": FORM, **proof}
        return self._object(self.transport.post(url, headers, form_body({**fields, **identity})))

    def _object(self, reply: Reply) -> Json:
        if reply.status != 200 or not isinstance(reply.body, Mapping) or "error" in reply.body:
            raise failure_of(reply, time.time())
        return reply.body

    def _headers(self, accept: str) -> dict[str, str | Secret[str]]:
        visitor, is_confidential = self.visitor, self.app.credentials.method != "none"
        headers: dict[str, str | Secret[str]] = {
            "Accept": accept,
            "Accept-Language": visitor.language,
            "User-Agent": visitor.user_agent or self.product,
            "X-Okta-User-Agent-Extended": self.product,
            # Okta accepts these from confidential clients only.
            "X-Forwarded-For": visitor.ip if is_confidential else "",
            "X-Device-Token": Secret(visitor.device_token[:32] if is_confidential else ""),
        }
        return {name: value for name, value in headers.items() if value}


def form_body(fields: Mapping[str, str | Secret[str]]) -> Secret[str]:
    """Return a form as the body of a call."""
    return Secret(urlencode({n: v.reveal() if isinstance(v, Secret) else v for n, v in fields.items()}))


def _presets(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Return the values that the org filled in for the visitor."""
    return {f.name: f.value for f in fields if f.mutable and f.value is not None}


def _constants(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Return the immutable fields of the top level, such as ``stateHandle``, which are sent back unchanged."""
    return {f.name: Secret(f.value) for f in fields if not f.mutable and f.value is not None}
