"""The members that the documents of several steps share."""

from okta_devorg.idx.documents import remediations
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Transaction
from okta_devorg.wire.ion import Json, ion_object


def frame(org: Org, tx: Transaction) -> Json:
    """Return the user, the cancel action and the app."""
    app = org.app_of(tx)
    return {
        **({"user": user_json(org, tx)} if tx.user_id else {}),
        "cancel": remediations.cancel(org.base, tx),
        "app": ion_object({"name": "oidc_client", "label": app.label, "id": app.client_id}),
    }


def user_json(org: Org, tx: Transaction) -> Json:
    """Return the user of a transaction that has one."""
    user = org.user_of(tx)
    return ion_object({"id": user.id, "identifier": user.login})


def idp_remediations(org: Org, tx: Transaction) -> list[Json]:
    """Return the links to other identity providers."""
    authorize = org.oauth_base(tx.request.issuer) + "/authorize"
    return [remediations.redirect_idp(authorize, tx, idp) for idp in org.policy.idps]
