"""The page that the phone shows when it sets up Okta Verify."""

from flask import Request, Response

from okta_devorg.state.org import Org
from okta_devorg.wire.guards import require_same_site
from okta_devorg.wire.replies import html_page, message_page


def pairing_page(org: Org, request: Request, token: str) -> Response:
    """GET and POST /okta-verify/{token}. Only the button sets it up, because mail scanners open links too.

    :raises ApiError: 403, if another site's page pressed the button.
    """
    tx = org.transactions.find_by_pairing_token(token)
    if tx is None:
        return message_page("This link has expired", "Ask for a new one where you set up Okta Verify.", 410)
    if request.method == "POST":
        require_same_site(request)
        tx.paired = True
        return message_page("Okta Verify is set up", "Return to the page where you sign up. It continues by itself.")
    return html_page("pairing.html", app=org.app_of(tx).label, token=token, user=org.user_of(tx))
