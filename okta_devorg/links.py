"""Where mailed links lead (protocol 4.9, 4.10, 5.7)."""

from urllib.parse import urlencode

from flask import Request, Response

from .org import Link, Org
from .pages import plain_page
from .policy import App
from .replies import redirect_to
from .users import Status


def magic_link(org: Org, request: Request, app_id: str) -> Response:
    """To the app's callback with the code; without one, the org shows it. Changes nothing: scanners come too."""
    link = usable(org, request.args.get("token", ""), "code")
    app = org.policy.app(app_id)
    if link is None or app is None or link.request is None:
        return expired()
    if app.email_callback_uri:
        return redirect_to(
            with_query(app.email_callback_uri, {"state": link.request.state or "", "otp": str(link.code)})
        )
    title = "Enter the code where you signed up"
    return plain_page(title, "Enter this code in your original browser or device:", code=link.code)


def registration_link(org: Org, request: Request, token: str) -> Response:
    """Activates the account, or marks the address as proven; ends at the app's Initiate login URI."""
    link = usable(org, token, "activation") or usable(org, token, "verification")
    user = org.users.find(link.user_id) if link else None
    if link is None or user is None or link.request is None:
        return expired()
    user.email_verified = True
    user.updated = org.clock.now()
    if link.purpose == "activation":
        user.status = Status.ACTIVE
    app = org.policy.app(link.request.client_id) or App(link.request.client_id)
    if app.initiate_login_uri:
        return redirect_to(with_query(app.initiate_login_uri, {"iss": link.request.issuer}))
    return plain_page("Your email address is verified", "You can sign in now.")


def invitation(org: Org, request: Request, token: str) -> Response:
    """The org's own activation page, which is the sign-up page of the first app that has one."""
    link = org.activation_tokens.get(token)
    app = next((app for app in org.policy.apps if app.sign_up_uri), None)
    if link is None or link.expires_at <= org.clock.now() or app is None:
        return expired()
    return redirect_to(with_query(str(app.sign_up_uri), {"activationToken": token}))


def usable(org: Org, token: str, purpose: str) -> Link | None:
    link = org.links.get(token)
    return link if link and link.purpose == purpose and link.expires_at > org.clock.now() else None


def with_query(uri: str, values: dict[str, str]) -> str:
    return uri + ("&" if "?" in uri else "?") + urlencode(values)


def expired() -> Response:
    return plain_page("This link has expired", "Ask for a new one where you asked for this one.", status=410)
