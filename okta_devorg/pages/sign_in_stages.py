"""The stages of the org's own sign-in page: a table of the stages, and one of the buttons beside their answers.

Each handler returns True once the sign-in is finished. It raises IdxError for a wrong answer, and ApiError if another
code is requested too soon.
"""

from collections.abc import Callable
from contextlib import suppress

from flask import Request

from okta_devorg.factors.proof import still_to_prove
from okta_devorg.idx.steps.progressive_profile import can_skip_attributes, lacks_attributes, update_profile
from okta_devorg.policy.settings import Attribute
from okta_devorg.state.org import Org
from okta_devorg.state.sign_ins import SignInAttempt
from okta_devorg.state.users import Enrollment, Passkey, User
from okta_devorg.verification.challenge import check_challenge, require_something_to_prove, start_challenge
from okta_devorg.verification.codes import require_resend_pause
from okta_devorg.verification.new_credentials import replace_password, set_security_question
from okta_devorg.verification.sign_in_password import (
    is_password_expired,
    is_right_password,
    may_sign_in,
    shows_lockout,
    sign_in_failed_messages,
)
from okta_devorg.wire.errors import IdxError


def passkey_of(org: Org, attempt: SignInAttempt) -> Passkey | None:
    """Return the passkey of the user, or of the user who was only named so far; None if there is none."""
    user = _user(org, attempt)
    enrollment = user.enrollments.get("webauthn") if user else None
    return enrollment.passkey if enrollment else None


def other_choice(org: Org, attempt: SignInAttempt) -> Enrollment | None:
    """Return what the user can prove instead of the current authenticator: the next in the list, or the first again."""
    enrollments = _choices(org, attempt)
    keys = [enrollment.key for enrollment in enrollments]
    if len(keys) < 2 or attempt.authenticator not in keys:
        return None
    return enrollments[(keys.index(attempt.authenticator) + 1) % len(keys)]


def _user(org: Org, attempt: SignInAttempt) -> User | None:
    """Return the user, or the one who was only named so far; None if there is none who may sign in."""
    user = org.users.find(attempt.user_id) if attempt.user_id else _named_user(org, attempt)
    return user if user and may_sign_in(org, user) else None


def _named_user(org: Org, attempt: SignInAttempt) -> User | None:
    """Return the user of the identifier that was typed, by whatever the settings allow to be one."""
    return org.users.find_by_identifier(attempt.identifier, org.policy.allowed_identifiers)


def _known_user(org: Org, attempt: SignInAttempt) -> User:
    """Return the user of an attempt that has proven one.

    :raises IdxError: if the account was shut or deleted meanwhile.
    """
    user = _user(org, attempt) if attempt.user_id else None
    if user is None:
        raise _failed()
    return user


def _choices(org: Org, attempt: SignInAttempt) -> tuple[Enrollment, ...]:
    user = _user(org, attempt) if attempt.stage == "factor" and attempt.user_id else None
    return still_to_prove(org.policy, user, "sign_in", attempt.proven) if user else ()


def _failed() -> IdxError:
    """Return the error that does not tell an unknown account from a wrong answer."""
    return IdxError(401, [{"message": "Unable to sign in"}])


# ---- moving on


def _add_proven(org: Org, attempt: SignInAttempt, user: User, key: str) -> bool:
    attempt.user_id, attempt.proven = user.id, (*attempt.proven, key)
    return _advance(org, attempt, user)


def _advance(org: Org, attempt: SignInAttempt, user: User) -> bool:
    """Move to the next stage; return True if there is none."""
    enrollments = still_to_prove(org.policy, user, "sign_in", attempt.proven)
    if enrollments:
        _ask_for(org, attempt, user, enrollments[0])
    elif "okta_password" in attempt.proven and is_password_expired(org, user):
        attempt.move_to("expired")
    elif _lacks_question(org, user):
        attempt.move_to("question")
    elif lacks_attributes(org, user) and not attempt.profile_skipped:
        attempt.move_to("profile")
    else:
        return True
    return False


def _ask_for(org: Org, attempt: SignInAttempt, user: User, enrollment: Enrollment) -> None:
    if enrollment.key == "okta_password":
        attempt.move_to("password")
        return
    attempt.move_to("factor", enrollment.key)
    attempt.method = enrollment.methods[0] if enrollment.key == "phone_number" else None
    start_challenge(org, attempt, user, enrollment)


def _lacks_question(org: Org, user: User) -> bool:
    """Return whether the user must set up a security question, the only authenticator that this page can set up."""
    return org.policy.authenticators.security_question == "required" and "security_question" not in user.enrollments


# ---- stages


def _identifier(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    """Send a code if the user has no password. Unknown users are asked for a password like all others."""
    attempt.identifier = request.form.get("identifier", "").strip()
    user = _user(org, attempt)
    if user is None or user.password_hash:
        attempt.move_to("password")
        return False
    require_something_to_prove(org, user, "sign_in")
    attempt.user_id = user.id
    return _advance(org, attempt, user)


def _password(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    user = _named_user(org, attempt)
    is_right = is_right_password(org, user, request.form.get("password", ""))
    if user is None or not is_right:
        raise IdxError(401, sign_in_failed_messages(org, user)) if shows_lockout(org, user) else _failed()
    return _add_proven(org, attempt, user, "okta_password")


def _factor(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    user = _user(org, attempt)
    if user is None or (attempt.authenticator not in user.enrollments and attempt.authenticator != "okta_email"):
        raise _failed()
    form = request.form.to_dict()
    credentials = {**form, "passcode": form.get("code", "")}
    check_challenge(org, attempt, user, credentials, [f"{request.scheme}://{request.host}"])
    return _add_proven(org, attempt, user, str(attempt.authenticator))


def _new_password(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    user = _known_user(org, attempt)
    replace_password(org, user, request.form.get("password", ""), is_reset=False)
    return _advance(org, attempt, user)


def _new_question(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    user = _known_user(org, attempt)
    set_security_question(org, user, request.form.to_dict())
    return _advance(org, attempt, user)


def _profile(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    user = _known_user(org, attempt)
    attributes = org.policy.progressive_profile.attributes
    texts = {item: request.form.get(f"userProfile.{item.name}", "").strip() for item in attributes}
    update_profile(org, user, {item.name: _converted(item, text) for item, text in texts.items()})
    # The page asks once in a sign-in, even if something was left out.
    attempt.profile_skipped = True
    return _advance(org, attempt, user)


def _converted(attribute: Attribute, text: str) -> object:
    """Return what was typed for an attribute as its type: a number, or the texts between commas.

    Text that is no number stays text, and is refused as such.
    """
    if attribute.type == "array":
        return [part.strip() for part in text.split(",") if part.strip()]
    if attribute.type in ("integer", "number"):
        with suppress(ValueError):
            return int(text) if attribute.type == "integer" else float(text)
    return text


# ---- other buttons


def _skip_profile(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    user = _user(org, attempt)
    if user is None or attempt.stage != "profile" or not can_skip_attributes(org):
        raise _failed()
    attempt.profile_skipped = True
    return _advance(org, attempt, user)


def _use_passkey(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    """Ask for the passkey instead of the password. An unknown account fails like one without a passkey."""
    if attempt.stage != "password" or passkey_of(org, attempt) is None:
        raise _failed()
    attempt.move_to("factor", "webauthn")
    return False


def _resend(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    require_resend_pause(org, attempt)
    current = next((item for item in _choices(org, attempt) if item.key == attempt.authenticator), None)
    if current:
        start_challenge(org, attempt, _known_user(org, attempt), current)
    return False


def _use_other(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    other = other_choice(org, attempt)
    if other:
        _ask_for(org, attempt, _known_user(org, attempt), other)
    return False


def _restart(org: Org, attempt: SignInAttempt, request: Request) -> bool:
    attempt.move_to("identifier")
    attempt.user_id, attempt.codes, attempt.proven = None, [], ()
    attempt.profile_skipped = False
    return False


Handler = Callable[[Org, SignInAttempt, Request], bool]
# By stage.
STAGES: dict[str, Handler] = {
    "identifier": _identifier,
    "password": _password,
    "factor": _factor,
    "expired": _new_password,
    "question": _new_question,
    "profile": _profile,
}
# By the value of the button.
ACTIONS: dict[str, Handler] = {
    "resend": _resend,
    "other": _use_other,
    "passkey": _use_passkey,
    "restart": _restart,
    "skip": _skip_profile,
}
