"""The page that the mail of an administrator's password reset leads to."""

from flask import Request, Response

from okta_devorg.idx.steps.recovery import user_of_recovery_token
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status
from okta_devorg.verification.new_credentials import set_new_password
from okta_devorg.wire.errors import IdxError
from okta_devorg.wire.guards import require_same_site
from okta_devorg.wire.replies import error_page, html_page, message_page


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
        set_new_password(org, user, request.form.get("password", ""))
    except IdxError as error:
        return _page(token, error.field_messages["credentials.passcode"][0]["message"], error.status)
    org.links.remove(token)
    user.status = Status.ACTIVE
    return message_page("Your password is set", "You can sign in now.")


def _page(token: str, error: str = "", status: int = 200) -> Response:
    return html_page("reset_password.html", status, token=token, error=error)
