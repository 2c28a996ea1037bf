"""Setting a new password or security question, wherever a user is asked for one."""

from okta_devorg.factors import questions
from okta_devorg.factors.passwords import password_problems
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status, User, hash_secret, new_enrollment
from okta_devorg.verification.sign_in_password import RECOVERABLE, sign_in_failed, unlock
from okta_devorg.wire.errors import IdxError, bad_request
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.request_values import text_value

# No recording shows what an org says then.
TOO_NEW = message("The password was changed too recently. Try again later.")


def set_new_password(org: Org, user: User, password: str) -> None:
    """Give the user a new password.

    :raises IdxError: if the password policy refuses it.
    """
    messages = password_problems(org.policy.password, password, user.login, user.profile, user)
    if not messages and _is_too_new(org, user):
        messages = [TOO_NEW]
    if messages:
        raise IdxError(org.policy.statuses.password_rule, field_messages={"credentials.passcode": messages})
    user.set_password(password, org.clock.now())


def _is_too_new(org: Org, user: User) -> bool:
    """Return whether the present password is younger than the policy wants it to be before the user changes it.

    That does not matter if the user has to change it.
    """
    minutes = org.policy.password.age.min_age_minutes
    is_own_wish = user.password_hash is not None and user.status is Status.ACTIVE
    return bool(minutes) and is_own_wish and org.clock.now() < user.password_changed + 60 * minutes


def replace_password(org: Org, user: User, password: str, is_reset: bool) -> None:
    """Replace a forgotten (`is_reset`) or expired password; that also unlocks the account.

    :raises IdxError: if the account is shut, or the password policy refuses the password.
    """
    if user.status not in RECOVERABLE:
        raise sign_in_failed(org, user)
    set_new_password(org, user, password)
    unlock(org, user)
    user.move_to(Status.ACTIVE, org.clock.now())
    org.record("user.account.reset_password" if is_reset else "user.account.update_password", user)


def set_security_question(org: Org, user: User, credentials: Json) -> None:
    """Set up the security question in `credentials`: `questionKey`, `answer`, and `question` if it is the user's own.

    :raises IdxError: if the question or the answer is not acceptable.
    """
    key, answer = text_value(credentials, "questionKey"), text_value(credentials, "answer").strip()
    is_custom = key == "custom"
    if not is_custom and key not in questions.PREDEFINED:
        raise bad_request()
    question = text_value(credentials, "question").strip() if is_custom else questions.PREDEFINED[key]
    problems = questions.question_problems(question, answer)
    if problems:
        raise IdxError(org.policy.statuses.security_answer, field_messages=problems)
    answer_hash = hash_secret(answer.casefold())
    user.enroll(new_enrollment("security_question", ("security_question",), question=question, answer_hash=answer_hash))
