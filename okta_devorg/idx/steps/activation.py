"""Activation tokens, with which invited users set up their accounts (docs/protocol.md, section 5.7).

If a token is invalid, the org refuses it at interact, offers to mail a new one, or shows a terminal page. Which of
these a real org does is not known: see `unknowns.expired_activation_token`.
"""

from okta_devorg.state.links import Link
from okta_devorg.state.mailbox import INVITATION_MAIL
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.state.users import Status, User
from okta_devorg.wire.errors import access_denied
from okta_devorg.wire.ion import message

NOT_ACTIVE_YET = (Status.STAGED, Status.PROVISIONED)
EXPIRED = message(
    "Your account activation link is no longer valid. Request a new activation email below.",
    "idx.expired.activation.token",
)
MISSING = message(
    "This can happen if you have already activated your account, or if the URL you are trying to use is invalid. "
    "Contact your administrator for further assistance.",
    "idx.missing.activation.token",
)
INACTIVE = message(
    "Your account has been temporarily suspended. Contact your administrator for further assistance.",
    "idx.activating.inactive.user",
)
REQUESTED = message(
    "New activation link requested. If your information matches our records, you will receive a new activation link "
    "in your inbox soon.",
    "idx.request.activation.email",
    kind="INFO",
)


def activate(org: Org, user: User) -> None:
    """Activate the account of a user who signs up or was invited. One that is active already stays as it is.

    :raises IdxError: if the account is shut: locked, suspended, deactivated or waiting for a new password.
    """
    if user.status is Status.ACTIVE:
        return
    if user.status not in NOT_ACTIVE_YET:
        raise access_denied()
    user.move_to(Status.ACTIVE, org.clock.now())
    org.record("user.lifecycle.activate", user)


def issue_activation_token(org: Org, user: User) -> str:
    """Return a new activation token for the user."""
    return org.links.issue("invitation", user, org.policy.lifetimes.activation_link)


def mail_activation_token(org: Org, user: User) -> None:
    """Mail the user a link with a new activation token."""
    link = f"{org.base}/welcome/{issue_activation_token(org, user)}"
    org.send("email", user, INVITATION_MAIL, org.policy.main_app, link=link)


def accepts_activation_token(org: Org, token: str) -> bool:
    """Return whether a transaction may start with the token: if it is valid, or the settings have a page for others."""
    link = org.links.find(token, "invitation")
    has_page = link is not None and org.policy.unknowns.expired_activation_token != "oauth_error"
    return has_page or _is_usable(org, link)


def start_with_activation_token(org: Org, tx: Transaction, token: str) -> None:
    """Move a new transaction to the first step of an invited user: choosing what to set up.

    The token came by mail, so the address is verified. An invalid token leads to the offer to mail a new one, or to a
    terminal page.
    """
    link = org.links.find(token, "invitation")
    user = org.users.find(link.user_id) if link else None
    if user is not None and _is_usable(org, link):
        tx.user_id = user.id
        tx.step = Step.SELECT_ENROLL
        user.email_verified = True
    elif user is None or user.status is Status.ACTIVE:
        tx.end_with(MISSING)
    elif user.status in (Status.SUSPENDED, Status.DEPROVISIONED):
        tx.end_with(INACTIVE)
    elif org.policy.unknowns.expired_activation_token == "terminal":
        tx.end_with(EXPIRED)
    else:
        tx.user_id = user.id
        tx.move_to(Step.REQUEST_ACTIVATION)


def request_new_token(org: Org, tx: Transaction) -> None:
    """Mail the user of the transaction a new token; that ends the transaction."""
    mail_activation_token(org, org.user_of(tx))
    tx.end_with(REQUESTED)


def _is_usable(org: Org, link: Link | None) -> bool:
    user = org.users.find(link.user_id) if link else None
    is_waiting = user is not None and user.status in NOT_ACTIVE_YET
    return link is not None and is_waiting and not org.links.is_expired(link)
