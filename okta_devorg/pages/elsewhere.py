"""Pages that an org sends the browser to, and that come back: one that verifies an identity, and those of an identity
provider or a smart card that is an authenticator (docs/protocol.md, section 4.13).
"""

from flask import Request, Response, g

from okta_devorg.factors.catalogue import AUTHENTICATORS
from okta_devorg.idx.documents.sign_up_steps import LINKS
from okta_devorg.idx.steps.next_step import advance, finish
from okta_devorg.pages.identity_providers import move_on, to_app
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.state.users import new_enrollment
from okta_devorg.wire.guards import require_same_site
from okta_devorg.wire.replies import error_page, html_page
from okta_devorg.wire.urls import origin_of

UNKNOWN_TOKEN = "The link is invalid or has expired."


def identity_verification_page(org: Org, request: Request) -> Response:
    """GET and POST /idp/identity-verification: ask who somebody is, and go back to the app.

    :raises ApiError: 403, if another site's page sent it.
    """
    tx = _find(org, request, Step.IDENTITY_VERIFICATION)
    if tx is None:
        return error_page(UNKNOWN_TOKEN)
    if request.method == "GET":
        return _page(tx, request, org.policy.identity_verification or "")
    require_same_site(request)
    if request.form.get("action") == "cancel":
        return to_app(tx)
    tx.answered_extra_steps.add(Step.IDENTITY_VERIFICATION)
    return move_on(org, tx, finish)


def authenticator_page(org: Org, request: Request, idp_id: str) -> Response:
    """GET and POST /sso/idps/{id}/enroll: sign in at the provider or show the smart card, and go back to the app.

    :raises ApiError: 403, if another site's page sent it.
    """
    tx = _find(org, request, Step.ENROLL)
    if tx is None or tx.authenticator not in LINKS:
        return error_page(UNKNOWN_TOKEN)
    authenticator = AUTHENTICATORS[tx.authenticator]
    if request.method == "GET":
        return _page(tx, request, authenticator.label)
    require_same_site(request)
    if request.form.get("action") == "cancel":
        return to_app(tx)
    user = org.user_of(tx)
    user.enroll(new_enrollment(authenticator.key, authenticator.methods))
    org.record("user.mfa.factor.activate", user, debug={"factor": authenticator.key})
    tx.add_proven(authenticator.key)
    return move_on(org, tx, advance)


def _find(org: Org, request: Request, step: Step) -> Transaction | None:
    tx = org.transactions.find_by_idp_token(request.values.get("stateToken", ""))
    g.thread, g.flow = tx.request.thread if tx else "", tx
    return tx if tx and tx.step is step else None


def _page(tx: Transaction, request: Request, name: str) -> Response:
    values = {"name": name, "path": request.path, "token": tx.idp_token}
    return html_page("elsewhere.html", 200, origin_of(tx.request.redirect_uri), **values)
