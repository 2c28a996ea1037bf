"""The IDX endpoints, one handler each; `serve` turns their outcome into a document (docs/protocol.md, section 4)."""

from collections.abc import Callable
from functools import partial

from flask import Request, Response, g

from okta_devorg.factors import passkeys, passwords
from okta_devorg.factors.assurance import enrollment_in_hand, provable, still_to_prove
from okta_devorg.factors.catalogue import AUTHENTICATORS, by_id
from okta_devorg.factors.enrollment import offer_to, selected_without_asking
from okta_devorg.factors.profile_form import read_profile
from okta_devorg.idx import challenges, recovery
from okta_devorg.idx.activation import request_new
from okta_devorg.idx.completion import advance, finish
from okta_devorg.idx.document import head, messages_only, page
from okta_devorg.idx.prompts import PROMPTS, can_skip
from okta_devorg.idx.registration_hook import ask_about_sign_up
from okta_devorg.idx.sign_up_refusals import refuse_sign_up
from okta_devorg.state.mailbox import FACTOR
from okta_devorg.state.org import Org
from okta_devorg.state.transaction import Step, Transaction
from okta_devorg.state.users import Status, User
from okta_devorg.verification import challenge
from okta_devorg.verification.challenge import text
from okta_devorg.verification.codes import refuse_early_resend, send_email_code, send_phone_code
from okta_devorg.verification.okta_verify import finish_pairing
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import ION, Json, message
from okta_devorg.wire.refusals import IdxRefusal, access_denied, bad_request, idx_rate_limited, session_expired
from okta_devorg.wire.replies import json_reply, parse_json

Handler = Callable[[Org, Transaction, Json], Transaction | None]
BEFORE_USER = (Step.IDENTIFY, Step.PROFILE, Step.RECOVER, Step.UNLOCK)
PROVING = (Step.CHOOSE, Step.METHOD, Step.CHALLENGE)
ENROLLING = (Step.SELECT, Step.DATA, Step.ENROLL, Step.PAIR, Step.CHANNEL)


def serve(org: Org, request: Request, handler: Handler, renews: bool = True) -> Response:
    """Good answers renew the transaction, refusals do not (docs/protocol.md, section 2.1). A handler may return the
    transaction to go on with.
    """
    tx = None
    try:
        body = read_body(request)
        tx = find_transaction(org, body)
        count(org, tx)
        tx = handler(org, tx, body) or tx
    except IdxRefusal as refusal:
        return refuse(org, request, tx, refusal)
    if renews:
        renew(org, tx)
    return json_reply(page(org, tx), 200, ION)


def read_body(request: Request) -> Json:
    body = parse_json(request.get_data())
    if not isinstance(body, dict):
        raise bad_request()
    return body


def find_transaction(org: Org, body: Json) -> Transaction:
    """By `stateHandle`; introspect also by `interactionHandle`, and calls a state handle `stateToken`."""
    handles = (body.get("interactionHandle"), body.get("stateHandle", body.get("stateToken")))
    if not any(isinstance(handle, str) and handle for handle in handles):
        raise bad_request()
    tx = org.transactions.find(interaction_handle=handles[0], state_handle=handles[1])
    g.thread, g.served = tx.request.thread if tx else "", tx
    if tx is None:
        raise session_expired(org.policy.statuses.session_expired)
    return tx


def count(org: Org, tx: Transaction) -> None:
    """Against the limits of the state handle and of the person. Raises ApiError or IdxRefusal, as the policy has it."""
    limits = org.policy.limits
    over = org.counters.exceeds("state:" + tx.state_handle, limits.state_handle_per_5_seconds, 5)
    if tx.user_id and org.counters.exceeds("user:" + tx.user_id, limits.user_per_5_seconds, 5):
        over = True
    if over:
        raise idx_rate_limited(limits.idx_body)


def renew(org: Org, tx: Transaction) -> None:
    lifetimes = org.policy.lifetimes
    phase = lifetimes.with_user if tx.user_id else lifetimes.before_user
    tx.expires_at = org.clock.now() + (lifetimes.success if tx.step is Step.SUCCESS else phase)


def refuse(org: Org, request: Request, tx: Transaction | None, refusal: IdxRefusal) -> Response:
    """An error of introspect is plain JSON: okta-auth-js reads it only so. Others are ION."""
    if tx is not None and refusal.page:
        document = page(org, tx, refusal)
    else:
        document = {**(head(org, tx) if tx else {}), **messages_only(refusal.messages)}
    kind = "application/json" if request.path.endswith("/introspect") else ION
    return json_reply(document, refusal.status, kind)


def require(org: Org, tx: Transaction, steps: tuple[Step, ...]) -> None:
    if tx.step not in steps:
        raise access_denied(org.policy.statuses.step_not_open)


def introspect(org: Org, tx: Transaction, body: Json) -> None:
    """The current step, whatever it is."""


def poll(org: Org, tx: Transaction, body: Json) -> None:
    """The step in hand while waiting, the next one as soon as another call has moved the transaction on."""
    if tx.step is Step.PAIR and finish_pairing(org, tx):
        advance(org, tx)


def identify_page(org: Org, tx: Transaction, body: Json) -> None:
    require(org, tx, BEFORE_USER)
    tx.to_step(Step.IDENTIFY)


def identify(org: Org, tx: Transaction, body: Json) -> None:
    """Who comes back, with the password where the first page asks for it; or whose password is to be reset."""
    require(org, tx, (Step.IDENTIFY, Step.RECOVER))
    if tx.step is Step.RECOVER:
        recovery.identify(org, tx, body)
        return
    user = org.users.find(text(body, "identifier").strip())
    if org.policy.identifier_first and "credentials" not in body:
        begin_with_identifier(org, tx, recovery.find(org, text(body, "identifier")))
        return
    right = challenge.is_password(org, user, read_password(org, body))
    if user is None or not right:
        raise IdxRefusal(401, challenge.sign_in_failed(org, user))
    tx.user_id, tx.purpose = user.id, "sign_in"
    tx.prove("okta_password")
    advance(org, tx)


def begin_with_identifier(org: Org, tx: Transaction, user: User) -> None:
    """People with a password are asked for it at once; the other ways stand beside it."""
    tx.user_id, tx.purpose = user.id, "sign_in"
    advance(org, tx)
    if "okta_password" in provable(org.policy, user):
        start_challenge(org, tx, "okta_password", None)


def select_challenge(org: Org, tx: Transaction, body: Json) -> None:
    """The authenticator to prove, chosen or chosen anew; a phone may still lack its method."""
    require(org, tx, (*PROVING, Step.UNLOCK))
    chosen = recovery.identify_locked(org, tx, body) if tx.step is Step.UNLOCK else body.get("authenticator")
    if not isinstance(chosen, dict):
        raise bad_request()
    authenticator = by_id(chosen.get("id"))
    if authenticator is None:
        raise bad_request()
    start_challenge(org, tx, authenticator.key, text(chosen, "methodType") or None)


def start_challenge(org: Org, tx: Transaction, key: str, method: str | None) -> None:
    user = org.user_of(tx)
    wanted = {item.key: item for item in still_to_prove(org.policy, user, tx.purpose, tx.proven)}
    if key not in wanted or method not in (None, *AUTHENTICATORS[key].methods):
        raise bad_request()
    tx.to_step(Step.CHALLENGE, key)
    tx.method = method
    if key == "phone_number" and method is None:
        tx.step = Step.METHOD
        return
    challenge.start(org, tx, user, wanted[key])


def enroll(org: Org, tx: Transaction, body: Json) -> None:
    require(org, tx, BEFORE_USER)
    if not org.policy.sign_up or org.policy.idps_only or org.policy.sign_up_refusal == "unavailable":
        tx.to_step(Step.IDENTIFY)
        text = message("Registration is currently unavailable.", "idx.error.registration.unavailable")
        raise IdxRefusal(org.policy.statuses.registration_unavailable, [text])
    tx.to_step(Step.PROFILE)


def enroll_new(org: Org, tx: Transaction, body: Json) -> None:
    require(org, tx, (Step.PROFILE,))
    profile, errors = read_profile(org.policy.profile, body.get("userProfile"))
    login = str(profile.get("login") or profile.get("email", ""))
    password = read_password(org, body)
    if org.policy.password_on_profile_form:
        found = passwords.problems(org.policy.password, password, login, profile, None)
        errors |= {"credentials.passcode": found} if found else {}
    errors |= captcha_problem(org, body)
    if errors:
        only_password = list(errors) == ["credentials.passcode"]
        statuses = org.policy.statuses
        raise IdxRefusal(statuses.password_rule if only_password else statuses.profile_error, fields=errors)
    refuse_sign_up(org)
    refuse_taken(org, login, profile)
    profile = ask_about_sign_up(org, profile, login)
    user = stage(org, login, profile)
    tx.user_id = user.id
    if org.policy.password_on_profile_form:
        user.set_password(password, org.clock.now())
        tx.prove("okta_password")
    if selected_without_asking(org.policy, user.enrollments):
        challenges.start(org, tx, "okta_email", {})
    else:
        advance(org, tx)


def captcha_problem(org: Org, body: Json) -> dict[str, list[Json]]:
    captcha, given = org.policy.captcha, body.get("captchaVerify")
    token = given.get("captchaToken") if isinstance(given, dict) else None
    if captcha is None or token == captcha.accept_token:
        return {}
    return {"captchaVerify.captchaToken": [message("The captcha was not solved. Try again.")]}


def read_password(org: Org, body: Json) -> str:
    credentials = body.get("credentials", {})
    if not isinstance(credentials, dict):
        raise bad_request()
    return text(credentials, "passcode")


def refuse_taken(org: Org, login: str, profile: Json) -> None:
    existing = org.users.find(login)
    resumes = org.policy.unknowns.staged_user_signs_up_again == "resume"
    if existing and not (resumes and existing.status is Status.STAGED):
        name = "login" if "login" in profile else "email"
        label = next(attribute.label for attribute in org.policy.profile if attribute.name == name)
        text = message(f"A user with this {label} already exists", "registration.error.notUniqueWithinOrg", [label])
        raise IdxRefusal(org.policy.statuses.existing_user, fields={f"userProfile.{name}": [text]})


def stage(org: Org, login: str, profile: Json) -> User:
    """A new STAGED person. Looks again whether the login is free: a hook may have taken its time."""
    refuse_taken(org, login, profile)
    existing, now = org.users.find(login), org.clock.now()
    user = User(existing.id if existing else new_id("00u"), login, profile, Status.STAGED, now, now)
    org.users.add(user)
    org.record("user.lifecycle.create", user)
    if org.policy.target_group:
        org.groups.join(org.policy.target_group, user)
    return user


def credential_enroll(org: Org, tx: Transaction, body: Json) -> None:
    require(org, tx, ENROLLING)
    if org.policy.safe_mode:
        tx.to_step(Step.SELECT)
        raise access_denied(org.policy.statuses.step_not_open)
    chosen = body.get("authenticator")
    if not isinstance(chosen, dict):
        raise bad_request()
    authenticator = by_id(chosen.get("id"))
    offer = offer_to(org.policy, org.user_of(tx), tx)
    if authenticator is None or authenticator.key not in offer.keys:
        raise bad_request()
    challenges.start(org, tx, authenticator.key, chosen)


def challenge_answer(org: Org, tx: Transaction, body: Json) -> None:
    """Of an authenticator being set up, or proven, or of a new password."""
    require(org, tx, tuple(ANSWERS))
    credentials = body.get("credentials")
    if not isinstance(credentials, dict):
        raise bad_request()
    ANSWERS[tx.step](org, tx, credentials)
    tx.prove(str(tx.authenticator))
    advance(org, tx)


def answer_enrollment(org: Org, tx: Transaction, credentials: Json) -> None:
    challenges.ANSWER[str(tx.authenticator)](org, tx, credentials)
    org.record("user.mfa.factor.activate", org.user_of(tx), debug={"factor": tx.authenticator})


def answer_challenge(org: Org, tx: Transaction, credentials: Json) -> None:
    origins = passkeys.origins_of(org.app_of(tx))
    challenge.check(org, tx, org.user_of(tx), credentials, origins)


def answer_new_password(org: Org, tx: Transaction, credentials: Json) -> None:
    """A reset or an expired password. What was proven for it counts at the sign-in that follows."""
    user = org.user_of(tx)
    challenges.take_password(org, user, text(credentials, "passcode"))
    challenge.unlock(org, user)
    user.status = Status.ACTIVE
    org.record("user.account.reset_password" if tx.step is Step.RESET else "user.account.update_password", user)
    if credentials.get("revokeSessions") in (True, "true"):
        org.sign_ins.end_sessions(user.id)
    tx.purpose = "sign_in"


ANSWERS: dict[Step, Callable[[Org, Transaction, Json], None]] = {
    Step.ENROLL: answer_enrollment,
    Step.CHALLENGE: answer_challenge,
    Step.RESET: answer_new_password,
    Step.EXPIRED: answer_new_password,
}


def challenge_resend(org: Org, tx: Transaction, body: Json) -> None:
    require(org, tx, (Step.ENROLL, Step.CHALLENGE))
    refuse_early_resend(org, tx)
    user = org.user_of(tx)
    if tx.authenticator not in ("okta_email", "phone_number"):
        raise access_denied(org.policy.statuses.step_not_open)
    if tx.step is Step.CHALLENGE:
        challenge.start(org, tx, user, enrollment_in_hand(org.policy, user, tx.authenticator))
    elif tx.authenticator == "okta_email":
        send_email_code(org, tx, user, FACTOR)
    else:
        send_phone_code(org, tx, user, str(tx.phone))


def skip(org: Org, tx: Transaction, body: Json) -> None:
    """Skips everything optional at once."""
    if can_skip(org, tx):
        leave_prompt(org, tx)
        return
    require(org, tx, ENROLLING)
    if not offer_to(org.policy, org.user_of(tx), tx).can_skip:
        raise access_denied(org.policy.statuses.step_not_open)
    tx.skipped = True
    advance(org, tx)


def answer_prompt(org: Org, tx: Transaction, body: Json, path: str) -> None:
    prompt = next((item for item in PROMPTS if item.step is tx.step and item.path == path), None)
    if prompt is None:
        raise access_denied(org.policy.statuses.step_not_open)
    prompt.answer(org, tx, body)
    if tx.step is prompt.step:
        leave_prompt(org, tx)


def leave_prompt(org: Org, tx: Transaction) -> None:
    tx.prompted.add(tx.step)
    finish(org, tx)


def request_activation(org: Org, tx: Transaction, body: Json) -> None:
    require(org, tx, (Step.REQUEST_ACTIVATION,))
    request_new(org, tx, body)


def cancel(org: Org, tx: Transaction, body: Json) -> Transaction:
    return org.transactions.restart(tx, org.policy.lifetimes.before_user)


def recover(org: Org, tx: Transaction, body: Json) -> None:
    require(org, tx, (Step.IDENTIFY, Step.CHALLENGE))
    recovery.recover(org, tx)


def unlock_account(org: Org, tx: Transaction, body: Json) -> None:
    require(org, tx, (Step.IDENTIFY,))
    recovery.unlock_page(org, tx)


HANDLERS: dict[str, Handler] = {
    "introspect": introspect,
    "identify": identify,
    "identify/select": identify_page,
    "enroll": enroll,
    "enroll/new": enroll_new,
    "credential/enroll": credential_enroll,
    "challenge": select_challenge,
    "challenge/answer": challenge_answer,
    "challenge/resend": challenge_resend,
    "challenge/poll": poll,
    "skip": skip,
    "cancel": cancel,
    "recover": recover,
    "unlock-account": unlock_account,
    "request-activation": request_activation,
    **{prompt.path: partial(answer_prompt, path=prompt.path) for prompt in PROMPTS},
}


def endpoint(org: Org, request: Request, name: str) -> Response:
    unknowns = org.policy.unknowns
    renews = {"introspect": unknowns.introspect_renews, "challenge/poll": unknowns.poll_renews}.get(name, True)
    return serve(org, request, HANDLERS[name], renews)
