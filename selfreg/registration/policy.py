"""The configured org: a client for a visitor, a fresh transaction, and the sign-up form that its policy asks for."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from django.urls import reverse
from django.utils import timezone

from selfreg import __version__, cache
from selfreg.conf import Conf
from selfreg.idx.client import App, IdxClient, Visitor, origin_of
from selfreg.idx.credentials import Credentials
from selfreg.idx.document import IdxResponse, Message, Remediation
from selfreg.idx.editing import without_bearers
from selfreg.idx.errors import ForeignHref
from selfreg.idx.parser import parse
from selfreg.idx.steps import current_remediation, sign_up_offered
from selfreg.idx.transport import Transport
from selfreg.registration.policy_history import record_version
from selfreg.registration.state import EnrollmentState


class SignUpUnavailable(Exception):
    """The org answers, and its policy offers no sign-up; ``messages`` are its own words, if it has any."""

    def __init__(self, messages: tuple[Message, ...] = ()) -> None:
        super().__init__("the org offers no sign-up")
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Org:
    """The org of one request: its settings, read once, and a client on behalf of the visitor.

    ``hides_accounts``: nothing in the sign-up may tell whether an address has an account.
    """

    settings: Conf
    client: IdxClient
    hides_accounts: bool = False


def connect(settings: Conf, visitor: Visitor) -> Org:
    """The org of these settings, on behalf of one visitor."""
    app = app_of(settings)
    client = IdxClient(
        app, _transport(settings.issuer, settings.calls_at_once), visitor, f"django-selfreg/{__version__}"
    )
    return Org(settings, client, hides_accounts=settings.enumeration == "neutral")


def app_of(settings: Conf) -> App:
    """The OIDC app that this site is at the org."""
    return App(
        issuer=settings.issuer,
        credentials=_credentials(settings),
        redirect_uri=settings.base_url + reverse("oidc_authentication_callback"),
        scopes=settings.scopes,
    )


def _credentials(settings: Conf) -> Credentials:
    if settings.client_auth == "private_key":
        key, key_id = settings.private_key, settings.private_key_id
        return Credentials(settings.client_id, "private_key", private_key=key, key_id=key_id)
    method = settings.client_auth if settings.client_secret else "none"
    return Credentials(settings.client_id, method, secret=settings.client_secret)


@lru_cache(maxsize=8)
def _transport(issuer: str, calls_at_once: int) -> Transport:
    """One pool of connections for each process and issuer."""
    return Transport(origin_of(issuer), calls_at_once)


def reset_connections() -> None:
    """Forgets all connections and what is known of each org's health: for tests, and after a fork."""
    _transport.cache_clear()


def open_transaction(org: Org, *, activation_token: str = "") -> EnrollmentState:
    """A fresh transaction that stands at its first step: interact, introspect, and "sign up" where that has to be
    pressed.

    :raises IdxError: one of these calls failed
    :raises SignUpUnavailable: the org's policy offers no sign-up
    """
    client = org.client
    transaction = client.interact(activation_token=activation_token)
    answer = client.introspect(transaction)
    sign_up = sign_up_offered(answer.response)
    if sign_up and current_remediation(answer.response) is None:
        answer = client.proceed(sign_up, {})
    if current_remediation(answer.response) is None:
        raise SignUpUnavailable(answer.response.messages)
    state = EnrollmentState(
        transaction, answer.document, answer.response, calls=(timezone.now().timestamp(),) * (2 if sign_up else 1)
    )
    # A captcha belongs to one transaction; and a visitor who cannot solve it must not get it again from the cache.
    if not activation_token and state.response.captcha is None:
        _cache_form(org, state)
    return state


def sign_up_form(org: Org) -> tuple[IdxResponse, EnrollmentState | None]:
    """The org's first step for showing, and the transaction it came from if it had to be asked for.

    The form is shared for ``form_cache_seconds`` between visitors of one language; it holds no handle.

    :raises IdxError: see ``open_transaction``
    :raises SignUpUnavailable: see there
    """
    document = cache.get(_form_key(org))
    if document is not None:
        return parse(document), None
    state = open_transaction(org)
    return state.response, state


def _cache_form(org: Org, state: EnrollmentState) -> None:
    form = current_remediation(state.response)
    record_version(org.settings.issuer, org.client.visitor.language, fingerprint(form), form)
    cache.keep(_form_key(org), without_bearers(json.loads(state.document)), org.settings.form_cache_seconds)


def _form_key(org: Org) -> str:
    parts = json.dumps([org.settings.issuer, org.settings.client_id, org.client.visitor.language])
    return f"selfreg:form:{hashlib.sha256(parts.encode()).hexdigest()[:32]}"


def within_org(app: App, href: str) -> str:
    """``href`` if a browser may be sent there: the org's own authorize or identity provider pages; else ""."""
    try:
        parts = urlsplit(app.absolute(href))
    except ForeignHref:
        return ""
    own = f"{parts.scheme}://{parts.netloc}" == app.origin and parts.path.startswith(("/oauth2/", "/sso/"))
    return urlunsplit(parts) if own else ""


def fingerprint(remediation: Remediation | None) -> str:
    """Changes when an administrator of the org changes the form: fields, labels, order, choices."""
    visible = [
        (f.path, f.label, f.type, f.required, f.display, [(o.label, o.value) for o in f.options])
        for f in (remediation.leaves if remediation else ())
        if f.name != "stateHandle"
    ]
    return hashlib.sha256(json.dumps(visible).encode()).hexdigest()[:16]
