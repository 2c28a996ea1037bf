"""Settings of how the org behaves: lifetimes, rate limits, and switches for what is not documented of a real org."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Lifetimes:
    """How long things stay valid, in seconds (docs/protocol.md, section 2.1).

    A transaction expires after `before_user` while no user is known, after `with_user` once one is, and after
    `success` at the end; each successful answer renews it.
    """

    before_user: int = 7200
    with_user: int = 300
    success: int = 60
    interaction_code: int = 60
    authorization_code: int = 300
    email_code: int = 300
    sms_code: int = 300
    activation_link: int = 604800
    recovery_link: int = 3600
    tokens: int = 3600
    session: int = 7200


@dataclass(frozen=True)
class Statuses:
    """HTTP statuses of errors that no recording shows (docs/protocol.md, sections 4.12 and 9)."""

    profile_error: int = 400
    existing_user: int = 400
    password_rule: int = 400
    bad_phone: int = 400
    security_answer: int = 400
    passkey: int = 400
    captcha: int = 400
    hook_refused: int = 400
    sign_up_refused: int = 400
    wrong_code: int = 401
    too_many_codes: int = 429
    resend_too_early: int = 429
    registration_unavailable: int = 403
    step_not_open: int = 403
    not_assigned: int = 400
    session_expired: int = 401


@dataclass(frozen=True)
class Unknowns:
    """One switch for each question about a real org that no source answers (docs/protocol.md, section 9)."""

    old_code_valid_after_resend: bool = False
    poll_renews: bool = False
    introspect_renews: bool = False
    interact_requires_secret: bool = False
    apps_have_email_callback: bool = False
    staged_user_signs_up_again: Literal["already_exists", "resume"] = "already_exists"
    phone_refusal: Literal["fall_back", "stay"] = "fall_back"
    idps_on_profile_form: bool = True
    unassigned_refused_at: Literal["enrollment", "token"] = "enrollment"
    too_many_codes_has_remediation: bool = True
    expired_activation_token: Literal["oauth_error", "request", "terminal"] = "oauth_error"


@dataclass(frozen=True)
class Limits:
    """Rate limits (docs/protocol.md, section 4.12). 0 switches a limit off.

    `org_per_minute` counts by group of paths. `idx_body` is how the org answers an IDX request over a limit:
    `classic` with the error of Okta's other APIs, `messages` with an IDX document of messages only, `page` with the
    current step and the messages on it.
    """

    wrong_codes_per_5_minutes: int = 5
    client_per_minute: int = 0
    state_handle_per_5_seconds: int = 0
    user_per_5_seconds: int = 0
    org_per_minute: int = 0
    concurrent: int = 0
    tokens_per_user_per_second: int = 0
    recipient_per_minute: int = 0
    resend_after_seconds: int = 0
    idx_body: Literal["classic", "messages", "page"] = "classic"
