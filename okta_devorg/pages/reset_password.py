"""Resetting a forgotten password: the page that mails a link, and the one that the link leads to."""

from contextlib import suppress

from flask import Request, Response

from okta_devorg.idx.steps.recovery import find_recoverable_user, mail_recovery_token, user_of_recovery_token
from okta_devorg.state.org import Org
from okta_devorg.verification.new_credentials import replace_password
from okta_devorg.wire.errors import IdxError
from okta_devorg.wire.guards import require_same_site
from okta_devorg.wire.replies import error_page, html_page, message_page


def forgot_password_page(org: Org, request: Request) -> Response:
    """GET and POST /signin/forgot-password: mail a link for a new password. Every address gets the same answer.

    :raises ApiError: 403, if another site's page sent it.
    """
    if not org.policy.password.recovery.reset:
        return error_page("This org lets nobody reset a password by themselves.")
    if request.method == "GET":
        return html_page("forgot_password.html")
    require_same_site(request)
    with suppress(IdxError):
        mail_recovery_token(org, find_recoverable_user(org, request.form.get("identifier", "")))
    return message_page("Check your email", "If there is an account, we sent it a link for a new password.")


def reset_password_page(org: Org, request: Request, token: str) -> Response:
    """GET and POST /signin/reset-password/{token}: set a new password.

    :raises ApiError: 403, if another site's page sent it.
    """
    user = user_of_recovery_token(org, token)
    if user is None:
        return error_page("This link has expired or was already used.")
    if request.method == "GET":
        return _page(token)
    require_same_site(request)
    try:
        replace_password(org, user, request.form.get("password", ""), is_reset=True)
    except IdxError as error:
        return _page(token, error.field_messages["credentials.passcode"][0]["message"], error.status)
    org.links.remove(token)
    return message_page("Your password is set", "You can sign in now.")


def _page(token: str, error: str = "", status: int = 200) -> Response:
    return html_page("reset_password.html", status, token=token, error=error)
