"""One-time codes: sending and checking them, and the limit on wrong ones (docs/protocol.md, sections 4.6 and 4.7)."""

import hmac
import string

from okta_devorg.factors import totp
from okta_devorg.policy.settings import CodeFormat
from okta_devorg.state.mailbox import CODE_CALL, CODE_TEXT_MESSAGE, Template
from okta_devorg.state.org import EmailFactor, Org
from okta_devorg.state.sign_ins import Flow
from okta_devorg.state.transactions import IssuedCode, Transaction
from okta_devorg.state.users import User
from okta_devorg.wire.errors import ApiError, IdxError, too_many_requests
from okta_devorg.wire.identifiers import new_code
from okta_devorg.wire.ion import message

SIX_DIGITS = CodeFormat()
WRONG_CODES_WINDOW = 300.0
# What a code is sent for.
CodeHolder = Flow | EmailFactor


def send_email_code(org: Org, flow: Flow, user: User, template: Template) -> None:
    """Mail the user a code, and with `magic_link` of the settings also a link that contains it.

    The org's own sign-in page accepts only the code, so its mails have no link.

    :raises IdxError: if the address has been sent too many codes.
    """
    app, lifetime = org.app_of(flow), org.policy.lifetimes.email_code
    code = issue_code(org, flow, user.email, lifetime, org.policy.email_code)
    values = {"code": code, "minutes": str(lifetime // 60)}
    if org.policy.magic_link and isinstance(flow, Transaction):
        token = org.links.issue("code", user, lifetime, flow.request, code)
        values["link"] = f"{org.base}/email/verify/{app.client_id}?token={token}"
    org.send("email", user, template, app, **values)


def send_phone_code(org: Org, flow: Flow, user: User, number: str) -> None:
    """Text a code to the number, or call it, as the `method` of the flow says.

    :raises IdxError: if the number has been sent too many codes.
    """
    code = issue_code(org, flow, number, org.policy.lifetimes.sms_code)
    if flow.method == "voice":
        org.send("voice", user, CODE_CALL, org.app_of(flow), to=number, code=code)
    else:
        org.send("sms", user, CODE_TEXT_MESSAGE, org.app_of(flow), to=number, code=code)


def issue_code(
    org: Org, holder: CodeHolder, recipient: str, lifetime: int, code_format: CodeFormat = SIX_DIGITS
) -> str:
    """Return a new code for `holder` that is valid for `lifetime` seconds.

    Older codes stay valid only if `unknowns.old_code_valid_after_resend` says so.

    :raises IdxError: if the recipient, an address or number, has been sent too many codes.
    """
    if org.counters.exceeds("to:" + recipient, org.policy.limits.recipient_per_minute, 60):
        raise IdxError(429, too_many_requests())
    alphabet = string.ascii_uppercase + string.digits if code_format.alphanumeric else string.digits
    code, now = new_code(code_format.length, alphabet), org.clock.now()
    older_codes = holder.codes if org.policy.unknowns.old_code_valid_after_resend else []
    holder.codes = [*older_codes, IssuedCode(code, now + lifetime)]
    holder.code_sent_at = now
    return code


def require_resend_pause(org: Org, holder: CodeHolder) -> None:
    """Refuse another code if the last one was sent less than `limits.resend_after_seconds` ago.

    :raises ApiError: if it is too early.
    """
    pause = org.policy.limits.resend_after_seconds
    if pause and org.clock.now() < holder.code_sent_at + pause:
        error_code = "E0000133" if holder.method == "voice" else "E0000109"
        summary = f"A code was recently sent. Please wait {pause} seconds before trying again."
        raise ApiError(org.policy.statuses.resend_too_early, error_code, summary)


def check_sent_code(org: Org, holder: CodeHolder, user: User, code: str) -> None:
    """Check a code that was sent to the user.

    :raises IdxError: if it is wrong or has expired, or after too many wrong ones.
    """
    require_few_wrong_codes(org, user)
    valid = [issued for issued in holder.codes if issued.expires_at > org.clock.now()]
    entered = code.encode("utf-8", "replace")
    if not any(hmac.compare_digest(issued.value.encode(), entered) for issued in valid):
        _refuse_wrong_code(org, user)


def check_totp_code(org: Org, user: User, secret: str, code: str) -> None:
    """Check a code of an authenticator app with this secret.

    :raises IdxError: if it is wrong, or after too many wrong ones.
    """
    require_few_wrong_codes(org, user)
    if not totp.is_valid_code(secret, code, org.clock.real_time(org.clock.now())):
        _refuse_wrong_code(org, user)


def require_few_wrong_codes(org: Org, user: User) -> None:
    """Refuse every code, even a right one, if the user entered too many wrong ones in the last five minutes.

    :raises IdxError: if so.
    """
    limit = org.policy.limits.wrong_codes_per_5_minutes
    user.wrong_codes = [at for at in user.wrong_codes if at > org.clock.now() - WRONG_CODES_WINDOW]
    if limit and len(user.wrong_codes) >= limit:
        repeats_step = org.policy.unknowns.too_many_codes_has_remediation
        raise IdxError(org.policy.statuses.too_many_codes, too_many_requests(), repeats_step=repeats_step)


def _refuse_wrong_code(org: Org, user: User) -> None:
    user.wrong_codes.append(org.clock.now())
    wrong = message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID", [])
    raise IdxError(org.policy.statuses.wrong_code, field_messages={"credentials.passcode": [wrong]})
