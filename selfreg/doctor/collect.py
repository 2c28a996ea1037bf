"""Asks the org everything that can be asked without creating anybody. The only module of the doctor that does I/O.

A sign-up is begun and left at its first page: the org forgets it by itself.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse

from selfreg import __version__
from selfreg.conf import conf
from selfreg.doctor import documents
from selfreg.doctor.evidence import Discovery, Evidence, Look, OrgSettings, RateLimit, Site
from selfreg.doctor.network import CLAIMED_ADDRESS
from selfreg.idx import pkce
from selfreg.idx.client import App, IdxClient, Transaction, Visitor
from selfreg.idx.document import IdxResponse, Remediation
from selfreg.idx.errors import IdxError, MalformedAnswer, OrgRefused, RateLimited
from selfreg.idx.steps import current_remediation, sign_up_offered
from selfreg.idx.transport import Reply, Transport
from selfreg.okta_api import client as management_api
from selfreg.registration.policy import client_for

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint")
TEXT_LIMIT = 20_000


class Onlooker(Transport):
    """A transport of its own, so that what the doctor meets never makes the site think that the org is away. Keeps the
    last answer, and can look at what a browser would get.
    """

    def __init__(self, origin: str) -> None:
        super().__init__(origin)
        self.last: Reply | None = None

    def _exchange(self, *args: Any) -> Reply:
        self.last = super()._exchange(*args)
        return self.last

    def look(self, url: str) -> Look | None:
        """A GET without following anything. None when there is no whole answer."""
        try:
            answer = self.fetch("GET", url, {})
        except IdxError:
            return None
        text = answer.body.decode("utf-8", "replace")
        return Look(answer.status, answer.headers.get("Location", ""), text[:TEXT_LIMIT])


@dataclass
class Begun:
    """How far a sign-up came."""

    transaction: Transaction | None = None
    refusal: IdxError | None = None
    rate_limit: RateLimit | None = None
    response: IdxResponse | None = None
    form: Remediation | None = None
    lifetime: float | None = None
    request_id: str = field(default="", repr=False)


def site() -> Site:
    """This site as its settings make it. A route that is not mounted gives "": ``this_side`` reports it."""
    known, base = conf(), conf().base_url
    confidential = known.client_auth == "private_key" or bool(known.client_secret)
    return Site(
        issuer=known.issuer,
        client_id=known.client_id,
        client_auth=known.client_auth if confidential else "none",
        base_url=base,
        redirect_uri=_url("oidc_authentication_callback"),
        sign_out_uri=urljoin(f"{base}/", resolve_url(settings.LOGOUT_REDIRECT_URL or "/")),
        initiate_login_uri=_url("oidc_authentication_init"),
        email_callback_uri=_url("selfreg:verify"),
        hook_url=_url("selfreg:registration_hook") if known.hook_secret else "",
        event_hook_url=_url("selfreg:event_hook") if known.hook_secret else "",
        scopes=known.scopes,
        workflow=known.email_verification,
        authenticators=known.authenticators,
        attributes=known.attributes,
    )


def gather() -> Evidence:
    """Everything that the org tells an app; ``selfreg.doctor.examination`` adds what it tells an administrator."""
    about = site()
    client = client_for(Visitor(ip=CLAIMED_ADDRESS, language=settings.LANGUAGE_CODE))
    onlooker = Onlooker(client.app.origin)
    client = IdxClient(client.app, onlooker, client.visitor, f"django-selfreg-doctor/{__version__}")
    discovery = _discovery(onlooker, about.issuer)
    evidence = Evidence(about, discovery, has_token=management_api.is_configured())
    if isinstance(discovery, IdxError):
        return evidence
    difference = _clock_difference(onlooker.last)
    begun = begin(client, onlooker)
    return replace(
        evidence,
        keys=_keys(client),
        clock_difference=difference,
        interact=begun.refusal,
        rate_limit=begun.rate_limit,
        response=begun.response,
        form=begun.form,
        lifetime=begun.lifetime,
        token=_token_refusal(client) if begun.transaction else None,
        authorize=onlooker.look(_authorize_url(client.app)),
        sign_out=onlooker.look(_sign_out_url(client.app, about.sign_out_uri)),
        settings=as_administrator(about, begun.request_id) if evidence.has_token else None,
    )


def begin(client: IdxClient, onlooker: Onlooker) -> Begun:
    """Interact, introspect, and "sign up" where that has to be pressed."""
    begun = Begun()
    try:
        begun.transaction = client.interact()
        begun.rate_limit = _rate_limit(onlooker.last)
        begun.request_id = onlooker.last.request_id if onlooker.last else ""
        answer = client.introspect(begun.transaction)
        sign_up = sign_up_offered(answer.response)
        if sign_up and current_remediation(answer.response) is None:
            answer = client.proceed(sign_up, {})
    except IdxError as error:
        begun.refusal = error
        return begun
    begun.response, begun.form = answer.response, current_remediation(answer.response)
    if answer.response.expires_at and begun.form:
        begun.lifetime = answer.response.expires_at.timestamp() - time.time()
    return begun


def as_administrator(about: Site, request_id: str) -> OrgSettings | IdxError:
    """What the API token shows, and the address that the System Log has for the doctor's own call."""
    api = management_api.Management()
    try:
        known = documents.settings_of(documents.read(api, about), about)
        return replace(known, seen_address=_seen_address(api, request_id))
    except IdxError as error:
        return error


def _seen_address(api: management_api.Management, request_id: str) -> str | None:
    """None while the log does not show the call yet, or may not be read."""
    if not request_id:
        return None
    events = api.all("logs", filter=f'debugContext.debugData.requestId eq "{request_id}"')
    try:
        addresses = (documents.at(event, "client", "ipAddress") for event in events)
        return next((str(address) for address in addresses if address), None)
    except OrgRefused:
        return None


def _discovery(onlooker: Onlooker, issuer: str) -> Discovery | IdxError:
    try:
        reply = onlooker.get(f"{issuer}/.well-known/openid-configuration", {"Accept": "application/json"})
    except IdxError as error:
        return error
    body = reply.body
    if reply.status == 429:
        return RateLimited(60)
    if 400 <= reply.status < 500:
        return OrgRefused("not_found", f"HTTP {reply.status}", reply.status)
    if reply.status >= 500:
        return IdxError(f"HTTP {reply.status}")
    if not isinstance(body, Mapping) or not isinstance(body.get("issuer"), str):
        return MalformedAnswer("not a discovery document")
    return Discovery(body["issuer"], tuple(str(body[name]) for name in ENDPOINTS if body.get(name)))


def _keys(client: IdxClient) -> int | IdxError:
    try:
        keys = client.keys().get("keys")
    except IdxError as error:
        return error
    return len(keys) if isinstance(keys, list) else 0


def _clock_difference(reply: Reply | None) -> float | None:
    """By the Date header, which has whole seconds; None when there is none that can be read."""
    try:
        theirs = parsedate_to_datetime(reply.headers["Date"] if reply else "").timestamp()
    except (KeyError, ValueError, TypeError):
        return None
    return theirs - time.time()


def _rate_limit(reply: Reply | None) -> RateLimit | None:
    try:
        headers = reply.headers if reply else {}
        return RateLimit(int(headers["X-Rate-Limit-Limit"]), int(headers["X-Rate-Limit-Remaining"]))
    except (KeyError, ValueError):
        return None


def _token_refusal(client: IdxClient) -> IdxError | None:
    """Orgs that do not look at the secret at interact do so here. The code is made up: nothing is spent."""
    grant = {"grant_type": "interaction_code", "interaction_code": "none", "code_verifier": pkce.new_verifier()}
    try:
        client.token(grant)
    except IdxError as error:
        return error
    return None


def _authorize_url(app: App) -> str:
    """``prompt=none`` asks for an answer to the app at once: ``login_required`` is the right one."""
    query = {
        "client_id": app.client_id,
        "response_type": "code",
        "scope": app.scopes,
        "redirect_uri": app.redirect_uri,
        "state": secrets.token_urlsafe(16),
        "nonce": secrets.token_urlsafe(16),
        "code_challenge": pkce.challenge(pkce.new_verifier()),
        "code_challenge_method": "S256",
        "prompt": "none",
    }
    return f"{app.endpoint('authorize')}?{urlencode(query)}"


def _sign_out_url(app: App, uri: str) -> str:
    return f"{app.endpoint('logout')}?{urlencode({'client_id': app.client_id, 'post_logout_redirect_uri': uri})}"


def _url(name: str) -> str:
    reversed_url: Callable[[str], str] = reverse
    try:
        return conf().base_url + reversed_url(name)
    except NoReverseMatch:
        return ""
