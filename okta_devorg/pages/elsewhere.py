"""Pages of other companies, which the org plays itself: one that verifies an identity, and an identity provider that is
an authenticator (docs/protocol.md, section 4.13).
"""

from flask import Request, Response

from okta_devorg.idx.serving import renew
from okta_devorg.idx.steps.next_step import advance, finish
from okta_devorg.pages.identity_providers import to_app
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
    if request.form.get("action") != "cancel":
        tx.answered_extra_steps.add(Step.IDENTITY_VERIFICATION)
        finish(org, tx)
        renew(org, tx)
    return to_app(tx)


def authenticator_page(org: Org, request: Request, idp_id: str) -> Response:
    """GET and POST /sso/idps/{id}/enroll: sign in at the provider, and go back to the app.

    :raises ApiError: 403, if another site's page sent it.
    """
    tx = _find(org, request, Step.ENROLL)
    if tx is None or tx.authenticator != "external_idp":
        return error_page(UNKNOWN_TOKEN)
    if request.method == "GET":
        return _page(tx, request, "IdP Authenticator")
    require_same_site(request)
    if request.form.get("action") != "cancel":
        org.user_of(tx).enroll(new_enrollment("external_idp", ("idp",)))
        tx.add_proven("external_idp")
        advance(org, tx)
        renew(org, tx)
    return to_app(tx)


def _find(org: Org, request: Request, step: Step) -> Transaction | None:
    tx = org.transactions.find_by_idp_token(request.values.get("stateToken", ""))
    return tx if tx and tx.step is step else None


def _page(tx: Transaction, request: Request, name: str) -> Response:
    values = {"name": name, "path": request.path, "token": tx.idp_token}
    return html_page("elsewhere.html", 200, origin_of(tx.request.redirect_uri), **values)
