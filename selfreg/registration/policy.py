"""The configured org: a client for a visitor, a fresh transaction, and the sign-up form that its policy asks for."""

import hashlib
import json
import time
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from django.urls import reverse

from selfreg import __version__, cache
from selfreg.conf import Conf, conf
from selfreg.idx.client import App, IdxClient, Visitor
from selfreg.idx.credentials import Credentials
from selfreg.idx.document import IdxResponse, Message, Remediation
from selfreg.idx.errors import ForeignHref
from selfreg.idx.parser import parse, without_bearers
from selfreg.idx.steps import current_remediation, sign_up_offered
from selfreg.idx.transport import Transport
from selfreg.registration.policy_history import record_version
from selfreg.registration.state import Flow


class SignUpUnavailable(Exception):
    """The org answers, and its policy offers no sign-up; ``messages`` are its own words, if it has any."""

    def __init__(self, messages: tuple[Message, ...] = ()) -> None:
        super().__init__("the org offers no sign-up")
        self.messages = messages


def client_for(visitor: Visitor) -> IdxClient:
    """A client of the configured app on behalf of one visitor."""
    settings = conf()
    app = App(
        issuer=settings.issuer,
        credentials=_credentials(settings),
        redirect_uri=settings.base_url + reverse("oidc_authentication_callback"),
        scopes=settings.scopes,
    )
    return IdxClient(app, _transport(app.origin), visitor, f"django-selfreg/{__version__}")


def _credentials(settings: Conf) -> Credentials:
    if settings.client_auth == "private_key":
        key, key_id = settings.private_key, settings.private_key_id
        return Credentials(settings.client_id, "private_key", private_key=key, key_id=key_id)
    method = settings.client_auth if settings.client_secret else "none"
    return Credentials(settings.client_id, method, secret=settings.client_secret)


@lru_cache(maxsize=8)
def _transport(origin: str) -> Transport:
    """One pool of connections a process and org."""
    return Transport(origin, conf().calls_at_once)


def open_transaction(client: IdxClient, *, activation_token: str = "") -> Flow:
    """A fresh transaction that stands at its first step: interact, introspect, and "sign up" where that has to be
    pressed.

    :raises IdxError: any of them
    :raises SignUpUnavailable: the org's policy offers none
    """
    started = client.interact(activation_token=activation_token)
    answer = client.introspect(started)
    sign_up = sign_up_offered(answer.response)
    if sign_up and current_remediation(answer.response) is None:
        answer = client.proceed(sign_up, {})
    if current_remediation(answer.response) is None:
        raise SignUpUnavailable(answer.response.messages)
    flow = Flow(started, answer.document, calls=(time.time(),) * (2 if sign_up else 1))
    # A captcha belongs to one sitting; and who cannot solve the cached one should not have to wait for it to go.
    if not activation_token and flow.response.captcha is None:
        _remember_form(client, flow)
    return flow


def sign_up_form(client: IdxClient) -> tuple[IdxResponse, Flow | None]:
    """The org's first step for showing, and the transaction it came from if it had to be asked for.

    The form is shared for ``form_cache_seconds`` between visitors of one language; it holds no handle.
    Raises what ``open_transaction`` raises.
    """
    kept = cache.get(_form_key(client))
    if kept is not None:
        return parse(kept), None
    flow = open_transaction(client)
    return flow.response, flow


def _remember_form(client: IdxClient, flow: Flow) -> None:
    form = current_remediation(flow.response)
    record_version(client.app.issuer, client.visitor.language, fingerprint(form), form)
    shared = without_bearers(json.loads(flow.document))
    cache.keep(_form_key(client), shared, conf().form_cache_seconds)


def _form_key(client: IdxClient) -> str:
    parts = json.dumps([client.app.issuer, client.app.client_id, client.visitor.language])
    return f"selfreg:form:{hashlib.sha256(parts.encode()).hexdigest()[:32]}"


def within_org(client: IdxClient, href: str) -> str:
    """``href`` if a browser may be sent there: the org's own authorize or identity provider pages; else ""."""
    try:
        parts = urlsplit(client.app.absolute(href))
    except ForeignHref:
        return ""
    own = f"{parts.scheme}://{parts.netloc}" == client.app.origin and parts.path.startswith(("/oauth2/", "/sso/"))
    return urlunsplit(parts) if own else ""


def fingerprint(remediation: Remediation | None) -> str:
    """Changes when an administrator of the org changes the form: fields, labels, order, choices."""
    shown = [
        (f.path, f.label, f.type, f.required, f.display, [(o.label, o.value) for o in f.options])
        for f in (remediation.leaves if remediation else ())
        if f.name != "stateHandle"
    ]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]
