"""An activation token that is no longer good: asking for a new mail, and the pages where nothing can be asked.

Which of them a real org shows, or whether it refuses at interact already, is not known: `unknowns`.
"""

from okta_devorg.policy.settings import App
from okta_devorg.state.mailbox import INVITATION
from okta_devorg.state.org import Link, Org
from okta_devorg.state.transaction import Step, Transaction
from okta_devorg.state.users import Status, User
from okta_devorg.wire.identifiers import new_bearer
from okta_devorg.wire.ion import Json, message

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


def issue_token(org: Org, user: User) -> str:
    token = new_bearer(size=15)
    expires = org.clock.now() + org.policy.lifetimes.activation_link
    org.activation_tokens[token] = Link("invitation", user.id, None, expires)
    return token


def mail_token(org: Org, user: User) -> None:
    app = next(iter(org.policy.apps), App(""))
    org.send("email", user, INVITATION, app, link=f"{org.base}/welcome/{issue_token(org, user)}")


def is_usable(org: Org, link: Link | None) -> bool:
    user = org.users.find(link.user_id) if link else None
    waiting = user is not None and user.status in (Status.STAGED, Status.PROVISIONED)
    return link is not None and waiting and link.expires_at > org.clock.now()


def begin_without(org: Org, tx: Transaction, link: Link | None) -> None:
    """A transaction whose token is no good: at the request for a new mail, or at an end."""
    user = org.users.find(link.user_id) if link else None
    if user is None or user.status is Status.ACTIVE:
        tx.end(MISSING)
    elif user.status in (Status.SUSPENDED, Status.DEPROVISIONED):
        tx.end(INACTIVE)
    elif org.policy.unknowns.expired_activation_token == "terminal":
        tx.end(EXPIRED)
    else:
        tx.user_id = user.id
        tx.to_step(Step.REQUEST_ACTIVATION)


def request_new(org: Org, tx: Transaction, body: Json) -> None:
    mail_token(org, org.user_of(tx))
    tx.end(REQUESTED)
