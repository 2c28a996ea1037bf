"""Resetting a forgotten password and unlocking a locked account: users say who they are, then prove it."""

from okta_devorg.factors.catalogue import authenticator_by_id
from okta_devorg.factors.proof import still_to_prove
from okta_devorg.idx.steps.next_step import advance, require_step
from okta_devorg.state.mailbox import PASSWORD_RESET_MAIL
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Purpose, Step, Transaction
from okta_devorg.state.users import User
from okta_devorg.verification.challenge import CANNOT_PROVE, require_something_to_prove
from okta_devorg.verification.sign_in_password import RECOVERABLE
from okta_devorg.wire.errors import IdxError, access_denied, bad_request
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.request_values import object_value, text_value

# ---- endpoints


def recover(org: Org, tx: Transaction, body: Json) -> None:
    """POST /idp/idx/recover: from the first page, where no user is known yet, or from the challenge of a known one.

    :raises IdxError: if the step or the settings do not allow it.
    """
    require_step(org, tx, (Step.IDENTIFY, Step.CHALLENGE))
    if not org.policy.password.recovery.reset:
        raise access_denied(org.policy.statuses.step_not_open)
    if tx.user_id is None:
        tx.move_to(Step.IDENTIFY_RECOVERY)
    else:
        _start(org, tx, org.user_of(tx), "recovery")


def unlock_account(org: Org, tx: Transaction, body: Json) -> None:
    """POST /idp/idx/unlock-account: the page that asks who is to be unlocked, and by which authenticator.

    :raises IdxError: if the step or the settings do not allow it.
    """
    require_step(org, tx, (Step.IDENTIFY,))
    if not org.policy.password.recovery.unlock:
        raise access_denied(org.policy.statuses.step_not_open)
    tx.move_to(Step.SELECT_UNLOCK)


# ---- parts of other endpoints


def identify_for_recovery(org: Org, tx: Transaction, body: Json) -> None:
    """Start the recovery of the user that `identifier` names.

    :raises IdxError: if there is none or the account cannot be recovered.
    """
    _start(org, tx, find_recoverable_user(org, text_value(body, "identifier")), "recovery")


def identify_for_unlock(org: Org, tx: Transaction, body: Json) -> Json:
    """Start unlocking the user that `identifier` names; return the `authenticator` to prove, as it was sent.

    :raises IdxError: if there is no such user, or the authenticator cannot unlock the account.
    """
    choice = object_value(body, "authenticator")
    authenticator = authenticator_by_id(choice.get("id"))
    user = find_recoverable_user(org, text_value(body, "identifier"))
    if authenticator is None or authenticator.key not in org.policy.password.recovery.authenticators:
        raise bad_request()
    if all(item.key != authenticator.key for item in still_to_prove(org.policy, user, "unlock", ())):
        raise IdxError(400, [CANNOT_PROVE["unlock"]])
    _start(org, tx, user, "unlock")
    return choice


def find_recoverable_user(org: Org, identifier: str) -> User:
    """Return the user with this login or other identifier that the settings allow.

    :raises IdxError: with the page again, if there is none or the account cannot be recovered.
    """
    user = org.users.find_by_identifier(identifier.strip(), org.policy.allowed_identifiers)
    if user is None or user.status not in RECOVERABLE:
        text = f"There is no account with the Username {identifier}."
        raise IdxError(200, [message(text, "idx.unknown.user", [identifier], kind="INFO")])
    return user


def _start(org: Org, tx: Transaction, user: User, purpose: Purpose) -> None:
    require_something_to_prove(org, user, purpose)
    tx.user_id, tx.purpose, tx.proven = user.id, purpose, ()
    advance(org, tx)


# ---- resets by an administrator


def issue_recovery_token(org: Org, user: User) -> str:
    """Return a new token for setting a new password. It also proves the address that it is mailed to."""
    return org.links.issue("recovery", user, org.policy.lifetimes.recovery_link)


def mail_recovery_token(org: Org, user: User) -> None:
    """Mail the user a link with a new recovery token."""
    link = f"{org.base}/signin/reset-password/{issue_recovery_token(org, user)}"
    org.send("email", user, PASSWORD_RESET_MAIL, org.policy.main_app, link=link)


def user_of_recovery_token(org: Org, token: str) -> User | None:
    """Return the user who may set a new password with the token, None if it is invalid or has expired."""
    link = org.links.find_valid(token, "recovery")
    user = org.users.find(link.user_id) if link else None
    return user if user and user.status in RECOVERABLE else None


def start_with_recovery_token(tx: Transaction, user: User) -> None:
    """Move a new transaction to setting a new password."""
    tx.user_id, tx.purpose, tx.proven = user.id, "recovery", ("okta_email",)
    tx.move_to(Step.RESET, "okta_password")
