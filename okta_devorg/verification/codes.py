"""One-time codes: sending, checking, and the limit on wrong ones (docs/protocol.md, sections 4.6, 4.7)."""

import hmac

from okta_devorg.state.mailbox import SMS, VOICE, Channel, Template
from okta_devorg.state.org import EmailFactor, Org
from okta_devorg.state.sessions import SignIn
from okta_devorg.state.transaction import IssuedCode, Transaction
from okta_devorg.state.users import User
from okta_devorg.wire.identifiers import new_code
from okta_devorg.wire.ion import message
from okta_devorg.wire.refusals import ApiError, IdxRefusal, too_many_messages

WINDOW = 300.0
Holder = Transaction | SignIn
Codes = Holder | EmailFactor


def send_email_code(org: Org, holder: Holder, user: User, template: Template) -> None:
    """With a link beside the code where a transaction waits for it; the org's own sign-in page takes the code only."""
    app, lifetime = org.app_of(holder), org.policy.lifetimes.email_code
    code = issue_code(org, holder, user.email, lifetime)
    values = {"code": code, "minutes": str(lifetime // 60)}
    if org.policy.magic_link and isinstance(holder, Transaction):
        token = org.new_link("code", user, holder.request, lifetime, code)
        values["link"] = f"{org.base}/email/verify/{app.client_id}?token={token}"
    org.send("email", user, template, app, **values)


def send_phone_code(org: Org, holder: Holder, user: User, to: str) -> None:
    channel: Channel = "voice" if holder.method == "voice" else "sms"
    code = issue_code(org, holder, to, org.policy.lifetimes.sms_code)
    org.send(channel, user, VOICE if channel == "voice" else SMS, org.app_of(holder), to=to, code=code)


def issue_code(org: Org, holder: Codes, recipient: str, lifetime: int) -> str:
    """A new code for the step in hand. Older ones stay good only where `unknowns` says so."""
    if org.counters.exceeds("to:" + recipient, org.policy.limits.recipient_per_minute, 60):
        raise IdxRefusal(429, too_many_messages())
    code, now = new_code(), org.clock.now()
    older = holder.codes if org.policy.unknowns.old_code_valid_after_resend else []
    holder.codes = [*older, IssuedCode(code, now + lifetime)]
    holder.code_sent_at = now
    return code


def refuse_early_resend(org: Org, holder: Codes) -> None:
    pause = org.policy.limits.resend_after_seconds
    if pause and org.clock.now() < holder.code_sent_at + pause:
        summary = f"A code was recently sent. Please wait {pause} seconds before trying again."
        raise ApiError(
            org.policy.statuses.resend_too_early, "E0000133" if holder.method == "voice" else "E0000109", summary
        )


def check_code(org: Org, holder: Codes, user: User, typed: str) -> None:
    """Raises IdxRefusal for a wrong code, and for any code after too many wrong ones."""
    refuse_after_too_many(org, user)
    good, entered = (
        [code for code in holder.codes if code.expires_at > org.clock.now()],
        typed.encode("utf-8", "replace"),
    )
    if not any(hmac.compare_digest(code.value.encode(), entered) for code in good):
        refuse_wrong_code(org, user)


def refuse_wrong_code(org: Org, user: User) -> None:
    user.wrong_codes.append(org.clock.now())
    wrong = message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID", [])
    raise IdxRefusal(org.policy.statuses.wrong_code, fields={"credentials.passcode": [wrong]})


def refuse_after_too_many(org: Org, user: User) -> None:
    """Five failures in a rolling five minutes close the door until the window has passed, for right codes too."""
    most = org.policy.limits.wrong_codes_per_5_minutes
    user.wrong_codes = [at for at in user.wrong_codes if at > org.clock.now() - WINDOW]
    if most and len(user.wrong_codes) >= most:
        page = org.policy.unknowns.too_many_codes_has_remediation
        raise IdxRefusal(org.policy.statuses.too_many_codes, too_many_messages(), page=page)
