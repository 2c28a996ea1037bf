"""The pages that links in mails lead to (docs/protocol.md, sections 4.9, 4.10 and 5.7).

Opening a magic link changes nothing, because mail scanners open links too.
"""

from typing import Any

from flask import Request, Response, g

from okta_devorg.idx.serving import renew
from okta_devorg.idx.steps.activation import accepts_activation_token, activate
from okta_devorg.idx.steps.enrollment import confirm_email
from okta_devorg.idx.steps.next_step import advance
from okta_devorg.policy.settings import App
from okta_devorg.state.links import Link
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.verification.challenge import require_open_account
from okta_devorg.wire.errors import IdxError
from okta_devorg.wire.guards import require_same_site
from okta_devorg.wire.ion import message
from okta_devorg.wire.replies import html_page, message_page, redirect_to, send_to_app
from okta_devorg.wire.urls import origin_of, with_query

# By i18n key: title, text and status of the page.
MESSAGE_PAGES = {
    "idx.return.link.expired": (
        "This link has expired",
        "This email link has expired. To resend it, return to the screen where you requested it.",
        410,
    ),
    "idx.return.stale": (
        "This link is out of date",
        "This email link is out of date. Return to the screen where you requested it.",
        410,
    ),
    "idx.return.error": (
        "This link doesn't work",
        "Could not process this email link. Return to the screen where you requested it.",
        410,
    ),
    "idx.return.to.original.tab": (
        "Success! Return to the original tab or window",
        "To continue, please return to the original browser tab or window you used to verify.",
        200,
    ),
    "idx.operation.cancelled.by.user": ("Operation cancelled by user.", "Close this window anytime.", 200),
}
# Messages for the page that waits for the code.
CONTINUED_IN_NEW_TAB = message("Flow continued in a new tab.", "idx.transferred.to.new.tab", kind="INFO")
CANCELLED = message("Operation cancelled on other device.", "idx.operation.cancelled.on.other.device")


def code_link(org: Org, request: Request, app_id: str) -> Response:
    """GET /email/verify/{app}: the magic link. Redirects to the app's callback with the code.

    If the app has no callback, the org's own page shows the code or asks whether the user requested it.
    """
    token = request.args.get("token", "")
    link, app = org.links.find(token, "code"), org.policy.app(app_id)
    if link is None or app is None or link.request is None:
        return _page(org, "idx.return.error")
    if org.links.is_expired(link):
        return _page(org, "idx.return.link.expired")
    if app.email_callback_uri:
        values = {"state": link.request.state or "", "otp": str(link.code)}
        return redirect_to(with_query(app.email_callback_uri, values))
    tx = org.transactions.find_by_email_code(link.user_id, link.code)
    if tx is None:
        return _page(org, "idx.return.stale")
    if org.policy.email_link_page == "enter_code":
        return _code_page(request, app, link)
    return html_page(
        "email_consent.html",
        form_action=origin_of(tx.request.redirect_uri),
        app=app,
        agent=request.user_agent.string,
        token=token,
    )


def email_consent(org: Org, request: Request, app_id: str) -> Response:
    """POST /email/verify/{app}: the answer to "did you just try to sign in?" (`email-challenge-consent`).

    :raises ApiError: 403, if another site's page sent it.
    """
    require_same_site(request)
    link = org.links.find_valid(request.form.get("token", ""), "code")
    tx = org.transactions.find_by_email_code(link.user_id, link.code) if link else None
    if tx is None:
        return _page(org, "idx.return.stale")
    g.thread, g.flow = tx.request.thread, tx
    if request.form.get("consent") != "true":
        tx.end_with(CANCELLED)
        return _page(org, "idx.operation.cancelled.by.user")
    continues_here = org.policy.email_link_page == "continue_here"
    if continues_here:
        tx = org.transactions.continue_elsewhere(tx, CONTINUED_IN_NEW_TAB)
    try:
        require_open_account(org, tx, org.user_of(tx))
        confirm_email(org, tx)
        tx.add_proven("okta_email")
        advance(org, tx)
    except IdxError as error:
        return message_page("We can't continue", error.messages[0]["message"], error.status)
    renew(org, tx)
    return _to_app(tx) if continues_here else _page(org, "idx.return.to.original.tab")


def registration_link(org: Org, request: Request, token: str) -> Response:
    """GET /tokens/{token}/verify: activate the account, or mark the address as verified; then go to the app."""
    link = org.links.find_valid(token, "activation") or org.links.find_valid(token, "verification")
    user = org.users.find(link.user_id) if link else None
    if link is None or user is None or link.request is None:
        return _page(org, "idx.return.link.expired")
    if link.purpose == "activation":
        try:
            activate(org, user)
        except IdxError:
            return _page(org, "idx.return.error")
    user.email_verified = True
    user.updated = org.clock.now()
    app = org.policy.app(link.request.client_id)
    if app and app.initiate_login_uri:
        return redirect_to(with_query(app.initiate_login_uri, {"iss": link.request.issuer}))
    return message_page("Your email address is verified", "You can sign in now.", **_way_on(org))


def invitation_link(org: Org, request: Request, token: str) -> Response:
    """GET /welcome/{token}: go to the sign-up page of the first app that has one, with the activation token.

    The sign-up page also gets an expired token, if the settings have a step for it.
    """
    app = next((app for app in org.policy.apps if app.sign_up_uri), None)
    if app is None or not accepts_activation_token(org, token):
        return _page(org, "idx.return.link.expired")
    return redirect_to(with_query(str(app.sign_up_uri), {"activationToken": token}))


def _page(org: Org, key: str) -> Response:
    title, text, status = MESSAGE_PAGES[key]
    return message_page(title, text, status, key=key, **_way_on(org))


def _way_on(org: Org) -> dict[str, Any]:
    """Return where somebody can go from a page that leads nowhere by itself: to the site."""
    app = org.policy.main_app
    href = app.sign_up_uri or app.initiate_login_uri
    return {"href": href, "link_text": f"Go to {app.label}"} if href else {}


def _code_page(request: Request, app: App, link: Link) -> Response:
    text = f"Enter this code on the sign up page of {app.label}, in your original browser or device."
    note = (
        f"Request from: {request.user_agent.string or 'an unknown browser'}. "
        "If you didn't request this code, you can ignore this message."
    )
    return message_page("Your verification code", text, code=link.code, note=note, key="idx.enter.otp.in.original.tab")


def _to_app(tx: Transaction) -> Response:
    """Return to the app in this tab: with the code if everything is done, else to let it ask for the next step."""
    request = tx.request
    if tx.step is Step.SUCCESS:
        return send_to_app(request.redirect_uri, request.state, interaction_code=str(tx.interaction_code))
    return send_to_app(request.redirect_uri, request.state, error="interaction_required")
