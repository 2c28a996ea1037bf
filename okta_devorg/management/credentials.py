"""Changing a user's password or security question, and ending the user's sessions."""

from flask import Request, Response

from okta_devorg.idx.steps import recovery
from okta_devorg.management.json_api import api_body, no_content, object_at, validation_error, value_at
from okta_devorg.management.user_documents import user_json
from okta_devorg.management.users import find_user
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status, User
from okta_devorg.verification.new_credentials import set_new_password, set_security_question
from okta_devorg.verification.sign_in_password import RECOVERABLE, is_right_password
from okta_devorg.wire.errors import ApiError, IdxError
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

NOT_ALLOWED = "This operation is not allowed in the user's current status."


def change_password(org: Org, request: Request, user_id: str) -> Response:
    """POST users/{id}/credentials/change_password: from `oldPassword` to `newPassword`.

    :raises ApiError: 404; 403, if the old password is wrong; 400, if the new one breaks the policy.
    """
    user, body = find_user(org, user_id), api_body(request)
    _require_password(org, user, value_at(body, "oldPassword", "value"))
    new = value_at(body, "newPassword", "value")
    try:
        set_new_password(org, user, new if isinstance(new, str) else "")
    except IdxError as error:
        text = error.field_messages["credentials.passcode"][0]["message"]
        raise validation_error(f"password: {text}") from error
    if user.status is Status.PASSWORD_EXPIRED:
        user.move_to(Status.ACTIVE, org.clock.now())
    org.record("user.account.update_password", user)
    return json_reply(user_json(org, user)["credentials"])


def change_recovery_question(org: Org, request: Request, user_id: str) -> Response:
    """POST users/{id}/credentials/change_recovery_question: with the `password`, a new question and its answer.

    :raises ApiError: 404; 403, if the password is wrong; 400, if question or answer are not acceptable.
    """
    user, body = find_user(org, user_id), api_body(request)
    _require_password(org, user, value_at(body, "password", "value"))
    sent = object_at(body, "recovery_question")
    values: Json = {"questionKey": "custom", **{key: str(sent.get(key, "")) for key in ("question", "answer")}}
    try:
        set_security_question(org, user, values)
    except IdxError as error:
        text = next(iter(error.field_messages.values()))[0]["message"]
        raise validation_error(f"recovery_question: {text}") from error
    return json_reply(user_json(org, user)["credentials"])


def forgot_password(org: Org, request: Request, user_id: str) -> Response:
    """POST users/{id}/credentials/forgot_password: mail a token for a new password; with `sendEmail=false` return it.

    The old password works until the new one is set.

    :raises ApiError: 404; 403, if the user's status does not allow it.
    """
    user = find_user(org, user_id)
    if user.status not in RECOVERABLE:
        raise ApiError(403, "E0000038", NOT_ALLOWED)
    if request.args.get("sendEmail", "true") == "true":
        recovery.mail_recovery_token(org, user)
        return json_reply({})
    token = recovery.issue_recovery_token(org, user)
    return json_reply({"resetPasswordUrl": f"{org.base}/signin/reset-password/{token}"})


def end_sessions(org: Org, request: Request, user_id: str) -> Response:
    """DELETE users/{id}/sessions.

    :raises ApiError: 404, if there is no such user.
    """
    org.sign_ins.end_sessions_of(find_user(org, user_id).id)
    return no_content()


def _require_password(org: Org, user: User, password: object) -> None:
    if not is_right_password(org, user, password if isinstance(password, str) else ""):
        raise ApiError(403, "E0000014", "Update of credentials failed", ("oldPassword: The password is wrong.",))
