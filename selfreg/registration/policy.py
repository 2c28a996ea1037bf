"""The org: its client, new transactions, and the sign-up form of its profile policy."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urljoin, urlsplit, urlunsplit

from django.conf import settings as django_settings
from django.shortcuts import resolve_url
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.translation import get_supported_language_variant, override

from selfreg import __version__, cache
from selfreg.conf import Conf
from selfreg.database_connections import release_pooled_connections, retried
from selfreg.idx.client import App, IdxClient, Visitor, origin_of
from selfreg.idx.credentials import Credentials
from selfreg.idx.document import IdxResponse, Message, Remediation
from selfreg.idx.document_edits import without_bearers
from selfreg.idx.errors import ForeignHref
from selfreg.idx.parser import VERIFY_IDENTITY, parse
from selfreg.idx.steps import SIGN_UP, current_remediation, needed_after
from selfreg.idx.transport import Route, Transport
from selfreg.monitoring import okta
from selfreg.registration.policy_history import record_version
from selfreg.registration.state import EnrollmentState
from selfreg.secret import NOTHING, Secret
from selfreg.web.orgs import callback_url


class SignUpUnavailable(Exception):
    """The org's policy offers no sign-up. ``messages`` are the org's own, if any."""

    def __init__(self, messages: tuple[Message, ...] = ()) -> None:
        super().__init__("the org offers no sign-up")
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Org:
    """The org of one request: its settings and a client on behalf of the visitor.

    ``hides_accounts`` is whether the sign-up must not reveal which addresses have an account.
    """

    settings: Conf
    client: IdxClient
    hides_accounts: bool = False


def connect(settings: Conf, visitor: Visitor) -> Org:
    """Return the org of these settings, on behalf of one visitor."""
    client = IdxClient(app_of(settings), _transport_of(settings), visitor, f"django-selfreg/{__version__}")
    return Org(settings, client, hides_accounts=settings.enumeration == "neutral")


def app_of(settings: Conf) -> App:
    """Return this site's OIDC app at the org."""
    return App(
        issuer=settings.issuer,
        credentials=credentials_of(settings),
        redirect_uri=url_at_org(settings, callback_url),
        scopes=settings.scopes,
    )


def site_language() -> str:
    """Return ``LANGUAGE_CODE`` as in URLs, for URLs that must be the same for all visitors."""
    try:
        return get_supported_language_variant(django_settings.LANGUAGE_CODE)
    except LookupError:
        return django_settings.LANGUAGE_CODE


def url_at_org(settings: Conf, path_of: Callable[[str], str]) -> str:
    """Return a URL as it is registered at the org: with ``BASE_URL``, and in the same language for all visitors.

    :param path_of: returns the path for the name of an org, like ``web.orgs.callback_url``
    :raises NoReverseMatch: it is not mounted
    """
    with override(site_language()):
        return settings.base_url + path_of(settings.org)


def sign_out_url(settings: Conf) -> str:
    """Return the URL that the org redirects to after a sign-out, as registered there."""
    with override(site_language()):
        return urljoin(f"{settings.base_url}/", resolve_url(django_settings.LOGOUT_REDIRECT_URL or get_script_prefix()))


def credentials_of(settings: Conf) -> Credentials:
    """Return the credentials of the app at the org."""
    method = settings.client_auth if settings.client_auth == "private_key" or settings.client_secret else "none"
    return Credentials(
        settings.client_id, method, settings.client_secret, settings.private_key, settings.private_key_id
    )


def _transport_of(settings: Conf) -> Transport:
    return _transport(settings.issuer, settings.calls_at_once, route_of(settings))


def route_of(settings: Conf) -> Route:
    """Return the proxy and the certificate authorities for calls to the org."""
    return Route(settings.proxy, settings.ca_bundle)


@lru_cache(maxsize=8)
def _transport(issuer: str, calls_at_once: int, route: Route) -> Transport:
    """Return the pool of connections for an issuer; each process has one."""
    observer = replace(okta.OBSERVER, before_call=release_pooled_connections)
    return Transport(origin_of(issuer), calls_at_once, observer=observer, route=route)


def is_org_avoided(settings: Conf) -> bool:
    """Return whether this process stopped calling the org, because the last calls failed."""
    return _transport_of(settings).circuit.is_open


def reset_connections() -> None:
    """Close all connections, and forget the health of each org: for tests, and after a fork."""
    _transport.cache_clear()


def open_transaction(
    org: Org, *, activation_token: Secret[str] = NOTHING, shown: IdxResponse | None = None
) -> EnrollmentState:
    """Open a transaction at its first step: interact, introspect, and "sign up" if the org shows its sign-in page.

    :param shown: the cached form that the visitor saw; the same form isn't cached again
    :raises IdxError: one of these calls failed
    :raises SignUpUnavailable: the org's policy offers no sign-up
    """
    client = org.client
    transaction = client.interact(activation_token=activation_token)
    answer = client.introspect(transaction)
    sign_up, calls = answer.response.remediation(SIGN_UP), answer.calls
    if sign_up and current_remediation(answer.response) is None:
        answer = client.proceed(sign_up, {})
        calls += answer.calls
    if current_remediation(answer.response) is None:
        raise SignUpUnavailable(answer.response.messages)
    times, needed = (timezone.now().timestamp(),) * calls, needed_after((), answer.response)
    state = EnrollmentState(transaction, answer.document, answer.response, needed=needed, calls=times)
    # A captcha belongs to one transaction, and a visitor who can't solve it must not get it again from the cache.
    if not activation_token and answer.response.captcha is None:
        form = current_remediation(answer.response)
        if shown is None or fingerprint(current_remediation(shown)) != fingerprint(form):
            _cache_form(org, state)
    return state


def sign_up_form(org: Org) -> IdxResponse:
    """Return the org's first step, for showing its form.

    All visitors with the same language share the form for ``form_cache_seconds``. It has no handle.

    :raises IdxError: see ``open_transaction``
    :raises SignUpUnavailable: see there
    """
    return cached_form(org) or open_transaction(org).response


def cached_form(org: Org) -> IdxResponse | None:
    """Return the org's first step, if it is in the cache."""
    return cache.get_lately(_form_key(org), parse)  # type: ignore[no-any-return]


def _cache_form(org: Org, state: EnrollmentState) -> None:
    form = current_remediation(state.response)
    retried(lambda: record_version(org.settings, org.client.visitor.language, fingerprint(form), form))
    cache.keep(_form_key(org), without_bearers(json.loads(state.document.reveal())), org.settings.form_cache_seconds)


def _form_key(org: Org) -> str:
    parts = json.dumps([org.settings.issuer, org.settings.client_id, org.client.visitor.language])
    return f"selfreg:form:{hashlib.sha256(parts.encode()).hexdigest()[:32]}"


def within_org(app: App, link: Remediation) -> str:
    """Return the URL of a link if a browser may be sent there, else "".

    Allowed are the org's own authorize and identity provider pages; for verifying an identity, any page of the org.
    """
    paths = ("/",) if link.name == VERIFY_IDENTITY else ("/oauth2/", "/sso/")
    try:
        parts = urlsplit(app.absolute(link.href))
    except ForeignHref:
        return ""
    own = f"{parts.scheme}://{parts.netloc}" == app.origin and parts.path.startswith(paths)
    return urlunsplit(parts) if own else ""


def fingerprint(remediation: Remediation | None) -> str:
    """Return a digest that changes when an org's administrator changes the form: fields, labels, order, choices."""
    visible = [
        (f.path, f.label, f.type, f.required, f.display, [(o.label, o.value) for o in f.options])
        for f in (remediation.leaves if remediation else ())
        if f.name != "stateHandle"
    ]
    return hashlib.sha256(json.dumps(visible).encode()).hexdigest()[:16]
