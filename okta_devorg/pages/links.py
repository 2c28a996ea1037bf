"""Where mailed links lead (docs/protocol.md, sections 4.9, 4.10, 5.7). Looking at one changes nothing: mail scanners
look too.
"""

from flask import Request, Response, g, render_template

from okta_devorg.idx.activation import is_usable
from okta_devorg.idx.challenges import take_email
from okta_devorg.idx.completion import advance
from okta_devorg.idx.endpoints import renew
from okta_devorg.policy.settings import App
from okta_devorg.state.org import Link, Org
from okta_devorg.state.transaction import Step, Transaction
from okta_devorg.state.users import Status
from okta_devorg.wire.ion import message
from okta_devorg.wire.pages import forbid_cross_site, origin_of, page_headers, plain_page
from okta_devorg.wire.replies import back_to_app, redirect_to, with_query

# The org's own pages about a link: key of the message, title, text, status.
PAGES = {
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
        "This link does not work",
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
TRANSFERRED = message("Flow continued in a new tab.", "idx.transferred.to.new.tab", kind="INFO")
CANCELLED = message("Operation cancelled on other device.", "idx.operation.cancelled.on.other.device")


def page(key: str) -> Response:
    title, text, status = PAGES[key]
    return plain_page(title, text, status, key=key)


def magic_link(org: Org, request: Request, app_id: str) -> Response:
    """To the app's callback with the code. Without a callback the org's own page: the code, or a question."""
    link, app = org.links.get(request.args.get("token", "")), org.policy.app(app_id)
    if link is None or link.purpose != "code" or app is None or link.request is None:
        return page("idx.return.error")
    if link.expires_at <= org.clock.now():
        return page("idx.return.link.expired")
    if app.email_callback_uri:
        return redirect_to(
            with_query(app.email_callback_uri, {"state": link.request.state or "", "otp": str(link.code)})
        )
    tx = waiting(org, link)
    if tx is None:
        return page("idx.return.stale")
    if org.policy.email_link_page == "enter_code":
        return enter_code(request, app, link)
    values = {"app": app, "agent": request.user_agent.string, "token": request.args["token"]}
    form_action = origin_of(tx.request.redirect_uri)
    return page_headers(Response(render_template("email_consent.html", **values)), form_action=form_action)


def enter_code(request: Request, app: App, link: Link) -> Response:
    text = f"Enter this code on the sign up page of {app.label}, in your original browser or device."
    asked = (
        f"Request from: {request.user_agent.string or 'an unknown browser'}. "
        "If you didn't request this code, you can ignore this message."
    )
    return plain_page("Your verification code", text, code=link.code, note=asked, key="idx.enter.otp.in.original.tab")


def waiting(org: Org, link: Link) -> Transaction | None:
    """The transaction whose newest code this is; none when a newer mail was sent or the step is done."""
    open_ones = (tx for tx in org.transactions.by_state.values() if tx.user_id == link.user_id)
    for tx in open_ones:
        if tx.authenticator == "okta_email" and any(code.value == link.code for code in tx.codes):
            return tx
    return None


def email_consent(org: Org, request: Request, app_id: str) -> Response:
    """The answer to "did you just try to sign up?" on the page of the link (`email-challenge-consent`)."""
    forbid_cross_site(request)
    link = usable(org, request.form.get("token", ""), "code")
    tx = waiting(org, link) if link else None
    if link is None or tx is None:
        return page("idx.return.stale")
    g.served = tx
    if request.form.get("consent") != "true":
        tx.end(CANCELLED)
        return page("idx.operation.cancelled.by.user")
    if org.policy.email_link_page == "continue_here":
        tx = org.transactions.transfer(tx, TRANSFERRED)
    take_email(org, tx)
    tx.prove("okta_email")
    advance(org, tx)
    renew(org, tx)
    return come_back(tx) if org.policy.email_link_page == "continue_here" else page("idx.return.to.original.tab")


def come_back(tx: Transaction) -> Response:
    """The app goes on in this tab: with the code when all is done, else by asking where the transaction stands."""
    wanted = tx.request
    if tx.step is Step.SUCCESS:
        return back_to_app(wanted.redirect_uri, wanted.state, interaction_code=str(tx.interaction_code))
    return back_to_app(wanted.redirect_uri, wanted.state, error="interaction_required")


def registration_link(org: Org, request: Request, token: str) -> Response:
    """Activates the account, or marks the address as proven; ends at the app's Initiate login URI."""
    link = usable(org, token, "activation") or usable(org, token, "verification")
    user = org.users.find(link.user_id) if link else None
    if link is None or user is None or link.request is None:
        return page("idx.return.link.expired")
    user.email_verified = True
    user.updated = org.clock.now()
    if link.purpose == "activation" and user.status is not Status.ACTIVE:
        user.status = Status.ACTIVE
        org.record("user.lifecycle.activate", user)
    app = org.policy.app(link.request.client_id) or App(link.request.client_id)
    if app.initiate_login_uri:
        return redirect_to(with_query(app.initiate_login_uri, {"iss": link.request.issuer}))
    return plain_page("Your email address is verified", "You can sign in now.")


def invitation(org: Org, request: Request, token: str) -> Response:
    """The org's own activation page, which is the sign-up page of the first app that has one.

    An expired token goes there too where the policy lets the app ask for a new one.
    """
    link = org.activation_tokens.get(token)
    app = next((app for app in org.policy.apps if app.sign_up_uri), None)
    known = link is not None and org.policy.unknowns.expired_activation_token != "oauth_error"
    if app is None or not (known or is_usable(org, link)):
        return page("idx.return.link.expired")
    return redirect_to(with_query(str(app.sign_up_uri), {"activationToken": token}))


def usable(org: Org, token: str, purpose: str) -> Link | None:
    link = org.links.get(token)
    return link if link and link.purpose == purpose and link.expires_at > org.clock.now() else None
