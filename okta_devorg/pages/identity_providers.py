"""Signing up or in at another identity provider, which the org plays itself (docs/protocol.md, section 4.8)."""

from collections.abc import Callable
from typing import Any

from flask import Request, Response, g

from okta_devorg.factors.profile_form import is_email
from okta_devorg.idx.serving import renew
from okta_devorg.idx.steps.activation import activate
from okta_devorg.idx.steps.next_step import advance, finish
from okta_devorg.idx.steps.sign_up import add_staged_user
from okta_devorg.policy.settings import IdentityProvider
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.wire.errors import IdxError
from okta_devorg.wire.guards import require_same_site
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import error_page, html_page, send_to_app
from okta_devorg.wire.urls import origin_of

REQUEST_URI_PREFIX = "urn:okta:"
BAD_REQUEST_URI = "The 'request_uri' parameter is invalid or has expired."


def idp_page(org: Org, request: Request) -> Response:
    """Return the provider's sign-in page for the `request_uri` that a `redirect-idp` link carries."""
    request_uri = request.values.get("request_uri", "")
    tx, idp = _find(org, request_uri)
    return _page(tx, idp, request_uri) if tx and idp else error_page(BAD_REQUEST_URI)


def idp_sign_in(org: Org, request: Request, idp_id: str) -> Response:
    """POST /sso/idps/{id}: what the user typed at the provider; back to the app.

    :raises ApiError: 403, if another site's page sent it.
    """
    require_same_site(request)
    request_uri = request.form.get("request_uri", "")
    tx, idp = _find(org, request_uri)
    if tx is None or idp is None:
        return error_page(BAD_REQUEST_URI)
    if request.form.get("action") == "cancel":
        return _to_app(tx, error="access_denied", error_description="The user cancelled at the identity provider.")
    email = request.form.get("email", "").strip()
    if not is_email(email):
        return _page(tx, idp, request_uri, "Enter an email address.", 400)
    names = {name: request.form.get(name, "").strip() for name in ("firstName", "lastName")}
    profile = {**{name: value for name, value in names.items() if value}, "email": email}
    return _return_from_idp(org, tx, idp, profile)


def _find(org: Org, request_uri: str) -> tuple[Transaction | None, IdentityProvider | None]:
    """Return the transaction and the provider of a `request_uri`, each None if there is none."""
    token, _, idp_id = request_uri.removeprefix(REQUEST_URI_PREFIX).partition(":")
    tx = org.transactions.find_by_idp_token(token)
    g.thread, g.flow = tx.request.thread if tx else "", tx
    return tx, next((item for item in org.policy.idps if item.id == idp_id), None)


def _page(tx: Transaction, idp: IdentityProvider, request_uri: str, error: str = "", status: int = 200) -> Response:
    form_action = origin_of(tx.request.redirect_uri)
    values: dict[str, Any] = {"idp": idp, "request_uri": request_uri, "error": error}
    return html_page("identity_provider.html", status, form_action=form_action, **values)


def _return_from_idp(org: Org, tx: Transaction, idp: IdentityProvider, profile: Json) -> Response:
    """Sign the person up or in, and return to the app."""
    user = org.users.find(profile["email"])
    is_new = user is None
    if user is None:
        if not org.policy.sign_up:
            text = "User is not assigned to the client application."
            return _to_app(tx, error="access_denied", error_description=text)
        user = add_staged_user(org, new_id("00u"), profile["email"], profile)
        user.email_verified = True  # the provider vouches for the address
    tx.user_id = user.id
    return move_on(org, tx, advance if is_new and idp.interaction_required else _enter)


def _enter(org: Org, tx: Transaction) -> None:
    activate(org, org.user_of(tx))
    finish(org, tx)


def move_on(org: Org, tx: Transaction, move: Callable[[Org, Transaction], None]) -> Response:
    """Move the transaction on and return to the app, which is also told if the user may not go on."""
    try:
        move(org, tx)
    except IdxError as error:
        return _to_app(tx, error="access_denied", error_description=error.messages[0]["message"])
    renew(org, tx)
    return to_app(tx)


def to_app(tx: Transaction) -> Response:
    """Return to the app with the interaction code, or with `interaction_required` if further steps remain."""
    if tx.step is Step.SUCCESS:
        return _to_app(tx, interaction_code=str(tx.interaction_code))
    text = "Your client is configured to use the interaction code flow and user interaction is required to continue."
    return _to_app(tx, error="interaction_required", error_description=text)


def _to_app(tx: Transaction, **values: str) -> Response:
    return send_to_app(tx.request.redirect_uri, tx.request.state, **values)
