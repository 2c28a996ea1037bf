"""Identifying a returning user, and choosing what to prove."""

from okta_devorg.factors.catalogue import AUTHENTICATORS, authenticator_by_id
from okta_devorg.factors.proof import challengeable_enrollments, still_to_prove
from okta_devorg.idx.steps.next_step import advance, require_step
from okta_devorg.idx.steps.recovery import find_recoverable_user, identify_for_recovery, identify_for_unlock
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.state.users import User
from okta_devorg.verification.challenge import require_something_to_prove, start_challenge
from okta_devorg.verification.sign_in_password import is_right_password, may_sign_in, sign_in_failed
from okta_devorg.wire.errors import bad_request
from okta_devorg.wire.ion import Json
from okta_devorg.wire.request_values import object_value, text_value

STEPS_BEFORE_USER = (Step.IDENTIFY, Step.ENROLL_PROFILE, Step.IDENTIFY_RECOVERY, Step.SELECT_UNLOCK)
STEPS_TO_CHOOSE_CHALLENGE = (
    Step.SELECT_AUTHENTICATE,
    Step.VERIFICATION_DATA,
    Step.CHALLENGE,
    Step.SELECT_UNLOCK,
)


def select_identify(org: Org, tx: Transaction, body: Json) -> None:
    """POST /idp/idx/identify/select: back to the first page (docs/protocol.md, section 4.3).

    :raises IdxError: if a user is known already.
    """
    require_step(org, tx, STEPS_BEFORE_USER)
    tx.move_to(Step.IDENTIFY)


def identify(org: Org, tx: Transaction, body: Json) -> None:
    """POST /idp/idx/identify: who signs in, with the password if the page asks for it; or who resets the password.

    :raises IdxError: if the user or the password is wrong.
    """
    require_step(org, tx, (Step.IDENTIFY, Step.IDENTIFY_RECOVERY))
    if tx.step is Step.IDENTIFY_RECOVERY:
        identify_for_recovery(org, tx, body)
        return
    identifier = text_value(body, "identifier").strip()
    if org.policy.identifier_first and "credentials" not in body:
        _start_with_identifier(org, tx, find_recoverable_user(org, identifier))
        return
    user = org.users.find_by_identifier(identifier, org.policy.allowed_identifiers)
    is_right = is_right_password(org, user, submitted_password(body))
    if user is None or not is_right:
        raise sign_in_failed(org, user)
    tx.user_id, tx.purpose = user.id, "sign_in"
    tx.add_proven("okta_password")
    advance(org, tx)


def select_challenge(org: Org, tx: Transaction, body: Json) -> None:
    """POST /idp/idx/challenge: the authenticator to prove. A phone may still lack its method.

    :raises IdxError: if the step does not allow it, or the authenticator is not offered.
    """
    require_step(org, tx, STEPS_TO_CHOOSE_CHALLENGE)
    is_unlock = tx.step is Step.SELECT_UNLOCK
    choice = identify_for_unlock(org, tx, body) if is_unlock else object_value(body, "authenticator")
    authenticator = authenticator_by_id(choice.get("id"))
    if authenticator is None:
        raise bad_request()
    _move_to_challenge(org, tx, authenticator.key, text_value(choice, "methodType") or None)


def submitted_password(body: Json) -> str:
    """Return the password under `credentials`, an empty one if it was not sent.

    :raises IdxError: if the body has another shape.
    """
    if "credentials" not in body:
        return ""
    return text_value(object_value(body, "credentials"), "passcode")


def _start_with_identifier(org: Org, tx: Transaction, user: User) -> None:
    """Ask for the password right away if the user has one; the other authenticators can be chosen instead."""
    if not may_sign_in(org, user):
        raise sign_in_failed(org, user)
    require_something_to_prove(org, user, "sign_in")
    tx.user_id, tx.purpose = user.id, "sign_in"
    advance(org, tx)
    if "okta_password" in challengeable_enrollments(org.policy, user):
        _move_to_challenge(org, tx, "okta_password", None)


def _move_to_challenge(org: Org, tx: Transaction, key: str, method: str | None) -> None:
    user = org.user_of(tx)
    enrollments = {item.key: item for item in still_to_prove(org.policy, user, tx.purpose, tx.proven)}
    if key not in enrollments or method not in (None, *AUTHENTICATORS[key].methods):
        raise bad_request()
    tx.move_to(Step.CHALLENGE, key)
    tx.method = method
    if key == "phone_number" and method is None:
        tx.step = Step.VERIFICATION_DATA
        return
    start_challenge(org, tx, user, enrollments[key])
