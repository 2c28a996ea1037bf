"""The profile form and the creation of the user (docs/protocol.md, sections 4.1 and 4.2)."""

from okta_devorg.factors import altcha
from okta_devorg.factors.enrollment_offer import starts_with_email
from okta_devorg.factors.passwords import password_problems
from okta_devorg.factors.profile_form import not_unique, read_profile
from okta_devorg.idx.steps.enrollment import start_enrollment
from okta_devorg.idx.steps.next_step import advance, require_step
from okta_devorg.idx.steps.registration_hook import approved_sign_up
from okta_devorg.idx.steps.sign_in import STEPS_BEFORE_USER, submitted_password
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.state.users import Status, User
from okta_devorg.wire.errors import IdxError, access_denied
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json, message

CAPTCHA_TOKEN = "captchaVerify.captchaToken"
# By `sign_up_refusal` of the settings: the message with which the org refuses valid answers.
REFUSALS: dict[str, Json] = {
    "generic": message(
        "There was an error creating your account. Please try registering again.", "registration.error.generic"
    ),
    "not_completed": message(
        "Your request could not be completed. Try again later.", "registration.error.request.not.completed"
    ),
    "enrollment_not_allowed": message(
        "Authenticator enrollment is not allowed at this time. Please contact support for assistance."
    ),
}


def enroll(org: Org, tx: Transaction, body: Json) -> None:
    """POST /idp/idx/enroll: move to the profile form.

    :raises IdxError: if nobody can sign up, or a user is known already.
    """
    require_step(org, tx, STEPS_BEFORE_USER)
    if not org.policy.sign_up or org.policy.idps_only or org.policy.sign_up_refusal == "unavailable":
        tx.move_to(Step.IDENTIFY)
        text = message("Registration is currently unavailable.", "idx.error.registration.unavailable")
        raise IdxError(org.policy.statuses.registration_unavailable, [text])
    tx.move_to(Step.ENROLL_PROFILE)


def enroll_new(org: Org, tx: Transaction, body: Json) -> None:
    """POST /idp/idx/enroll/new: create the user from the profile form and move to the first authenticator.

    :raises IdxError: if an answer is wrong, or the login is taken, or the settings or the hook refuse.
    """
    require_step(org, tx, (Step.ENROLL_PROFILE,))
    profile, problems = read_profile(org.policy.profile, body.get("userProfile"), org.policy.username_format)
    login = str(profile.get(_login_attribute(org, profile), ""))
    password = submitted_password(body)
    if org.policy.password_on_profile_form:
        messages = password_problems(org.policy.password, password, login, profile)
        problems |= {"credentials.passcode": messages} if messages else {}
    problems |= _captcha_problem(org, body)
    if problems:
        raise IdxError(_status_of(org, list(problems)), field_messages=problems)
    _refuse_by_settings(org)
    _refuse_taken_identifiers(org, login, profile)
    profile = approved_sign_up(org, profile, login)
    user = _create_user(org, str(profile.get("login", login)), profile)
    tx.user_id = user.id
    if org.policy.password_on_profile_form:
        user.set_password(password, org.clock.now())
        tx.add_proven("okta_password")
    if starts_with_email(org.policy, user):
        start_enrollment(org, tx, "okta_email", {})
    else:
        advance(org, tx)


def _status_of(org: Org, paths: list[str]) -> int:
    """Return the status of an answer with problems at these fields: a special one if only that field is wrong."""
    statuses = org.policy.statuses
    special = {"credentials.passcode": statuses.password_rule, CAPTCHA_TOKEN: statuses.captcha}
    return special.get(paths[0], statuses.profile_error) if len(paths) == 1 else statuses.profile_error


def _captcha_problem(org: Org, body: Json) -> dict[str, list[Json]]:
    captcha, answer = org.policy.captcha, body.get("captchaVerify")
    token = answer.get("captchaToken") if isinstance(answer, dict) else None
    if captcha is None:
        return {}
    if captcha.type == "ALTCHA":
        is_solved = altcha.is_solved(org.altcha_key, token, org.clock.now())
    else:
        is_solved = token == captcha.accept_token
    return {} if is_solved else {CAPTCHA_TOKEN: [message("The captcha was not solved. Try again.")]}


def _refuse_by_settings(org: Org) -> None:
    refusal = org.policy.sign_up_refusal
    if refusal == "access_denied":
        raise access_denied()
    if refusal in REFUSALS:
        raise IdxError(org.policy.statuses.sign_up_refused, [REFUSALS[refusal]], repeats_step=False)


def _refuse_taken_identifiers(org: Org, login: str, profile: Json) -> None:
    """Two users share neither a login nor another identifier that the settings allow."""
    identifiers = {_login_attribute(org, profile): login}
    identifiers |= {name: str(profile[name]) for name in org.policy.allowed_identifiers if profile.get(name)}
    labels = {attribute.name: attribute.label for attribute in org.policy.profile}
    error = IdxError(org.policy.statuses.existing_user)
    for name, value in identifiers.items():
        existing = org.users.find_by_identifier(value, ("login", *org.policy.allowed_identifiers))
        if existing and not _resumes(org, existing, login):
            text = not_unique(labels.get(name, name))
            # The hook may have set an identifier that the form does not ask for.
            place = error.field_messages.setdefault(f"userProfile.{name}", []) if name in labels else error.messages
            place.append(text)
    if error.messages or error.field_messages:
        raise error


def _resumes(org: Org, existing: User, login: str) -> bool:
    """Return whether the sign-up goes on with an account that an earlier one left behind."""
    can_resume = org.policy.unknowns.staged_user_signs_up_again == "resume"
    return can_resume and existing.status is Status.STAGED and existing is org.users.find(login)


def _login_attribute(org: Org, profile: Json) -> str:
    """Return the attribute that is the login: what the form has of `login`, `email` and the other identifiers."""
    names = ("login", "email", *org.policy.allowed_identifiers)
    return next((name for name in names if profile.get(name)), "email")


def _create_user(org: Org, login: str, profile: Json) -> User:
    """Create a STAGED user. Checks the login again: while the org waited for the hook, another sign-up may have it."""
    _refuse_taken_identifiers(org, login, profile)
    existing = org.users.find(login)
    return add_staged_user(org, existing.id if existing else new_id("00u"), login, profile)


def add_staged_user(org: Org, user_id: str, login: str, profile: Json) -> User:
    """Add a STAGED user to the org and to the group for new users, and return it."""
    now = org.clock.now()
    user = User(user_id, login, profile, Status.STAGED, now, now)
    org.users.add(user)
    org.record("user.lifecycle.create", user)
    if org.policy.target_group:
        org.groups.join(org.policy.target_group, user)
    return user
