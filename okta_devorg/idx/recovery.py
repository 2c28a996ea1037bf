"""Coming back without the password, or to a locked account: the person says who they are, then proves it."""

from okta_devorg.factors.catalogue import AUTHENTICATORS, by_id
from okta_devorg.idx.completion import advance
from okta_devorg.policy.settings import App
from okta_devorg.state.mailbox import RESET
from okta_devorg.state.org import Link, Org
from okta_devorg.state.transaction import Purpose, Step, Transaction
from okta_devorg.state.users import Status, User
from okta_devorg.verification.challenge import text
from okta_devorg.wire.identifiers import new_bearer
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.refusals import IdxRefusal, access_denied, bad_request

RECOVERABLE = (Status.ACTIVE, Status.PASSWORD_EXPIRED, Status.LOCKED_OUT, Status.RECOVERY)
NOT_POSSIBLE = message(
    "We are unable to unlock your account at this time, please contact your administrator",
    "selfservice.unlock_user.failed.message",
)


def recover(org: Org, tx: Transaction) -> None:
    """From the first page, where nobody is known yet, or from the password of somebody who is."""
    if not org.policy.password.recovery.reset:
        raise access_denied(org.policy.statuses.step_not_open)
    if tx.user_id is None:
        tx.to_step(Step.RECOVER)
    else:
        begin(org, tx, org.user_of(tx), "recovery")


def begin(org: Org, tx: Transaction, user: User, purpose: Purpose) -> None:
    tx.user_id, tx.purpose, tx.proven = user.id, purpose, ()
    advance(org, tx)


def find(org: Org, identifier: str) -> User:
    """Raises IdxRefusal, with the page, when nobody is called so or the account cannot be recovered."""
    user = org.users.find(identifier.strip())
    if user is None or user.status not in RECOVERABLE:
        unknown = f"There is no account with the Username {identifier}."
        raise IdxRefusal(200, [message(unknown, "idx.unknown.user", [identifier], kind="INFO")])
    return user


def identify(org: Org, tx: Transaction, body: Json) -> None:
    begin(org, tx, find(org, text(body, "identifier")), "recovery")


def unlock_page(org: Org, tx: Transaction) -> None:
    if not org.policy.password.recovery.unlock:
        raise access_denied(org.policy.statuses.step_not_open)
    tx.to_step(Step.UNLOCK)


def identify_locked(org: Org, tx: Transaction, body: Json) -> Json:
    """Who is to be unlocked, and the authenticator to prove, which the answer is."""
    chosen = body.get("authenticator")
    if not isinstance(chosen, dict):
        raise bad_request()
    authenticator, user = by_id(chosen.get("id")), find(org, text(body, "identifier"))
    if authenticator is None or authenticator.key not in org.policy.password.recovery.authenticators:
        raise bad_request()
    if authenticator is AUTHENTICATORS["phone_number"] and "phone_number" not in user.enrollments:
        raise IdxRefusal(400, [NOT_POSSIBLE])
    begin(org, tx, user, "unlock")
    return chosen


def begin_with_token(tx: Transaction, user: User) -> None:
    """The token came by mail, so the address is proven."""
    tx.user_id, tx.purpose, tx.proven = user.id, "recovery", ("okta_email",)
    tx.to_step(Step.RESET, "okta_password")


def issue_token(org: Org, user: User) -> str:
    """For an administrator's reset: stands for the proof of the address it is mailed to."""
    token = new_bearer(size=15)
    expires = org.clock.now() + org.policy.lifetimes.recovery_link
    org.recovery_tokens[token] = Link("recovery", user.id, None, expires)
    return token


def mail_token(org: Org, user: User) -> None:
    app = next(iter(org.policy.apps), App(""))
    org.send("email", user, RESET, app, link=f"{org.base}/signin/reset-password/{issue_token(org, user)}")


def holder_of(org: Org, token: str) -> User | None:
    link = org.recovery_tokens.get(token)
    user = org.users.find(link.user_id) if link and link.expires_at > org.clock.now() else None
    return user if user and user.status in RECOVERABLE else None
