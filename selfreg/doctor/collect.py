"""Collects the evidence: everything that can be read from an org without creating an account.

It starts a sign-up and abandons it at the first page, so that the org lets it expire.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import urlencode

from django.conf import settings as django_settings
from django.urls import NoReverseMatch
from django.utils import timezone

from selfreg import __version__
from selfreg.conf import Conf
from selfreg.doctor.documents import org_settings_of, read_documents
from selfreg.doctor.evidence import CLAIMED_ADDRESS, Discovery, Evidence, OrgSettings, PageProbe, RateLimit, Site
from selfreg.idx import pkce
from selfreg.idx.client import App, IdxClient, Transaction, Visitor
from selfreg.idx.document import IdxResponse
from selfreg.idx.errors import IdxError, MalformedAnswer
from selfreg.idx.failures import failure_of
from selfreg.idx.steps import SIGN_UP, current_remediation
from selfreg.idx.transport import Observer, Reply, Route, Transport
from selfreg.okta_api import scopes
from selfreg.okta_api.client import ManagementClient, is_configured, value_at
from selfreg.registration.policy import connect, credentials_of, route_of, sign_out_url, url_at_org
from selfreg.web.orgs import callback_url, page_url, sign_in_url

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint")
PAGE_TEXT_LIMIT = 20_000


class ProbeTransport:
    """A separate transport, so that failures here do not open the circuit breaker of the site's transport.

    ``last_reply`` is the last answer that ``transport`` got. Its headers have the rate limit, the time and the request
    id.
    """

    def __init__(self, origin: str, route: Route) -> None:
        self.last_reply: Reply | None = None
        self.transport = Transport(origin, observer=Observer(on_reply=self._remember), route=route)

    def fetch_page(self, url: str) -> PageProbe | None:
        """Return what a browser would get for a GET; None if the call failed."""
        try:
            raw = self.transport.fetch("GET", url, {})
        except IdxError:
            return None
        text = raw.body.reveal().decode("utf-8", "replace")
        return PageProbe(raw.status, raw.headers.get("Location", ""), text[:PAGE_TEXT_LIMIT])

    def _remember(self, reply: Reply) -> None:
        self.last_reply = reply


@dataclass(frozen=True, slots=True)
class StartedSignUp:
    """The result of starting a sign-up: the first page (``response``), or why there is none (``error``)."""

    transaction: Transaction | None = None
    error: IdxError | None = None
    rate_limit: RateLimit | None = None
    request_id: str = field(default="", repr=False)
    response: IdxResponse | None = None


def describe_site(settings: Conf) -> Site:
    """Return what this site needs, by its settings. URLs that are not included are "", which is a finding."""
    confidential = settings.client_auth == "private_key" or bool(settings.client_secret)
    return Site(
        issuer=settings.issuer,
        client_id=settings.client_id,
        client_auth=settings.client_auth if confidential else "none",
        base_url=settings.base_url,
        redirect_uri=_absolute_url(settings, callback_url),
        sign_out_uri=sign_out_url(settings),
        initiate_login_uri=_absolute_url(settings, sign_in_url),
        email_callback_uri=_absolute_url(settings, partial(page_url, page="verify")),
        hook_url=_absolute_url(settings, partial(page_url, page="registration_hook")) if settings.hook_secret else "",
        event_hook_url=_absolute_url(settings, partial(page_url, page="event_hook")) if settings.hook_secret else "",
        scopes=settings.scopes,
        email_is_mandatory=settings.email_is_mandatory(),
        authenticators=settings.authenticators,
        attributes=settings.attributes,
        name=settings.name,
        hides_accounts=settings.enumeration == "neutral",
        public_key=credentials_of(settings).public_key,
    )


def collect_evidence(settings: Conf) -> Evidence:
    """Read everything that an app can see of the org, and if possible what the Management API shows."""
    site = describe_site(settings)
    visitor = Visitor(ip=CLAIMED_ADDRESS, language=django_settings.LANGUAGE_CODE)
    site_client = connect(settings, visitor).client
    app, probe = site_client.app, ProbeTransport(site_client.app.origin, route_of(settings))
    client = IdxClient(app, probe.transport, site_client.visitor, f"django-selfreg-doctor/{__version__}")
    discovery = _discovery(probe.transport, site.issuer)
    evidence = Evidence(site, discovery, has_api_access=is_configured(settings))
    if isinstance(discovery, IdxError):
        return evidence
    clock_difference = _clock_difference(probe.last_reply)
    sign_up = start_sign_up(client, probe)
    return replace(
        evidence,
        key_count=_key_count(client),
        clock_difference=clock_difference,
        interact_error=sign_up.error,
        rate_limit=sign_up.rate_limit,
        response=sign_up.response,
        form=current_remediation(sign_up.response) if sign_up.response else None,
        transaction_seconds=_seconds_left(sign_up.response),
        token_error=_token_error(client) if sign_up.transaction else None,
        authorize_page=probe.fetch_page(_authorize_url(app)),
        sign_out_page=probe.fetch_page(_sign_out_url(app, site.sign_out_uri)),
        org=_read_org(settings, site, sign_up.request_id) if evidence.has_api_access else None,
    )


def start_sign_up(client: IdxClient, probe: ProbeTransport) -> StartedSignUp:
    """Start a sign-up: interact, introspect, and "sign up" if the org shows its sign-in page first.

    :param probe: has the client's transport
    """
    try:
        transaction = client.interact()
    except IdxError as error:
        return StartedSignUp(error=error)
    reply = probe.last_reply
    started = StartedSignUp(transaction, rate_limit=_rate_limit(reply), request_id=reply.request_id if reply else "")
    try:
        answer = client.introspect(transaction)
        sign_up = answer.response.remediation(SIGN_UP)
        if sign_up and current_remediation(answer.response) is None:
            answer = client.proceed(sign_up, {})
    except IdxError as error:
        return replace(started, error=error)
    return replace(started, response=answer.response)


def _seconds_left(response: IdxResponse | None) -> float | None:
    """Return how many seconds a transaction is still valid, if it is at its form."""
    if response is None or response.expires_at is None or current_remediation(response) is None:
        return None
    return response.expires_at.timestamp() - timezone.now().timestamp()


def _read_org(settings: Conf, site: Site, request_id: str) -> OrgSettings | IdxError:
    """Return what the Management API shows, and the IP address of the doctor's own call in the System Log."""
    client = ManagementClient(settings, scopes.to_read_org(settings))
    try:
        org = org_settings_of(read_documents(client, site), site)
        return replace(org, seen_address=_seen_address(client, request_id))
    except IdxError as error:
        return error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return MalformedAnswer(f"a document of another shape ({type(error).__name__})")


def _seen_address(client: ManagementClient, request_id: str) -> str | None:
    """Return the IP address of a call; None if the log does not have the call yet, or can't be read."""
    if not request_id:
        return None
    events = client.items("logs", filter=f'debugContext.debugData.requestId eq "{request_id}"')
    try:
        addresses = (value_at(event, "client", "ipAddress") for event in events)
        return next((str(address) for address in addresses if address), None)
    except IdxError:
        return None


def _discovery(transport: Transport, issuer: str) -> Discovery | IdxError:
    try:
        reply = transport.get(f"{issuer}/.well-known/openid-configuration", {"Accept": "application/json"})
    except IdxError as error:
        return error
    if reply.status != 200:
        return failure_of(reply, timezone.now().timestamp())
    body = reply.body
    if not isinstance(body, Mapping) or not isinstance(body.get("issuer"), str):
        return MalformedAnswer("not a discovery document")
    return Discovery(body["issuer"], tuple(str(body[name]) for name in ENDPOINTS if body.get(name)))


def _key_count(client: IdxClient) -> int | IdxError:
    try:
        keys = client.keys().get("keys")
    except IdxError as error:
        return error
    return len(keys) if isinstance(keys, list) else 0


def _clock_difference(reply: Reply | None) -> float | None:
    """Return how many seconds the org's clock is ahead, by its Date header; None without a valid one."""
    try:
        org_time = parsedate_to_datetime(reply.headers["Date"] if reply else "").timestamp()
    except (KeyError, ValueError, TypeError):
        return None
    return org_time - timezone.now().timestamp()


def _rate_limit(reply: Reply | None) -> RateLimit | None:
    try:
        headers = reply.headers if reply else {}
        return RateLimit(int(headers["X-Rate-Limit-Limit"]), int(headers["X-Rate-Limit-Remaining"]))
    except (KeyError, ValueError):
        return None


def _token_error(client: IdxClient) -> IdxError | None:
    """Return the token endpoint's answer to an invalid code. Orgs check the secret there, if not at interact."""
    grant = {"grant_type": "interaction_code", "interaction_code": "none", "code_verifier": pkce.new_verifier()}
    try:
        client.token(grant)
    except IdxError as error:
        return error
    return None


def _authorize_url(app: App) -> str:
    """Return a URL that redirects at once with the error ``login_required``: ``prompt=none`` (OIDC Core 3.1.2.1)."""
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


def _absolute_url(settings: Conf, path_of: Callable[[str], str]) -> str:
    try:
        return url_at_org(settings, path_of)
    except NoReverseMatch:
        return ""
