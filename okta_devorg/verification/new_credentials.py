"""Setting a new password or security question, wherever a user is asked for one."""

from okta_devorg.factors import questions
from okta_devorg.factors.passwords import password_problems
from okta_devorg.state.org import Org
from okta_devorg.state.users import User, hash_secret, new_enrollment
from okta_devorg.wire.errors import IdxError, bad_request
from okta_devorg.wire.ion import Json
from okta_devorg.wire.request_values import text_value


def set_new_password(org: Org, user: User, password: str) -> None:
    """Give the user a new password.

    :raises IdxError: if the password policy refuses it.
    """
    messages = password_problems(org.policy.password, password, user.login, user.profile, user)
    if messages:
        raise IdxError(org.policy.statuses.password_rule, field_messages={"credentials.passcode": messages})
    user.set_password(password, org.clock.now())


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
