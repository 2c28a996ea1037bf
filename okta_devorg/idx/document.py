"""The IDX document of a transaction's current step (docs/protocol.md, sections 3, 4 and 6)."""

from collections.abc import Callable

from okta_devorg.factors import passkeys, passwords, questions, totp
from okta_devorg.factors.assurance import enrollment_in_hand, still_to_prove
from okta_devorg.factors.catalogue import AUTHENTICATORS, enrolled, factor_json, to_enroll, to_json
from okta_devorg.factors.enrollment import offer_to
from okta_devorg.idx import prompts, remediations
from okta_devorg.idx.activation import EXPIRED
from okta_devorg.state.org import Org
from okta_devorg.state.transaction import Step, Transaction
from okta_devorg.state.users import Enrollment, User
from okta_devorg.verification import okta_verify
from okta_devorg.wire.ion import Json, array, message, obj, with_messages
from okta_devorg.wire.refusals import IdxRefusal

ORDER = (
    "remediation",
    "messages",
    "currentAuthenticator",
    "authenticators",
    "authenticatorEnrollments",
    "enrollmentAuthenticator",
    "currentAuthenticatorEnrollment",
    "recoveryAuthenticator",
    "user",
    "cancel",
    "app",
    "uiDisplay",
    "captcha",
    "successWithInteractionCode",
)


def page(org: Org, tx: Transaction, refusal: IdxRefusal | None = None) -> Json:
    """The current step; with a refusal, its messages on the page and on the first remediation's fields."""
    parts = STEPS[tx.step](org, tx)
    if refusal and refusal.messages:
        parts["messages"] = array(refusal.messages)
    for path, messages in (refusal.fields if refusal else {}).items():
        step = parts["remediation"]["value"][0]
        step["value"] = with_messages(step["value"], path.split("."), messages)
    return {**head(org, tx), **{key: parts[key] for key in ORDER if key in parts}}


def head(org: Org, tx: Transaction) -> Json:
    expires = org.clock.iso(tx.expires_at)
    return {"version": "1.0.0", "stateHandle": tx.state_handle, "expiresAt": expires, "intent": "LOGIN"}


def messages_only(messages: list[Json]) -> Json:
    return {"version": "1.0.0", "messages": array(messages)}


def frame(org: Org, tx: Transaction) -> Json:
    """What surrounds every step: who, cancel, app."""
    app = org.app_of(tx)
    return {
        **({"user": user_json(org, tx)} if tx.user_id else {}),
        "cancel": remediations.cancel(org.base, tx),
        "app": obj({"name": "oidc_client", "label": app.label, "id": app.client_id}),
    }


def user_json(org: Org, tx: Transaction) -> Json:
    user = org.user_of(tx)
    return obj({"id": user.id, "identifier": user.login})


def identify(org: Org, tx: Transaction) -> Json:
    if org.policy.idps_only:
        return {"remediation": array(providers(org, tx)), **frame(org, tx)}
    asked = org.policy.password.recovery
    steps = [remediations.identify(org.base, tx, with_password=not org.policy.identifier_first)]
    if org.policy.sign_up:
        steps.append(remediations.select_enroll_profile(org.base, tx))
    if asked.unlock:
        steps.append(remediations.unlock_account(org.base, tx))
    steps += providers(org, tx)
    recover = {"recover": remediations.recover(org.base, tx)} if asked.reset else {}
    password = obj({**recover, **to_json(AUTHENTICATORS["okta_password"])})
    shown = {} if org.policy.identifier_first else {"currentAuthenticator": password}
    return {"remediation": array(steps), **shown, **frame(org, tx)}


def identify_recovery(org: Org, tx: Transaction) -> Json:
    steps = array([remediations.identify_recovery(org.base, tx)])
    return {"remediation": steps, **recovery_of_password(tx, "recovery"), **frame(org, tx)}


def unlock(org: Org, tx: Transaction) -> Json:
    keys = org.policy.password.recovery.authenticators
    steps = array([remediations.select_authenticator_unlock(org.base, tx, keys)])
    return {"remediation": steps, "authenticators": to_enroll(keys), **frame(org, tx)}


def recovery_of_password(tx: Transaction, purpose: str) -> Json:
    return {"recoveryAuthenticator": obj(to_json(AUTHENTICATORS["okta_password"]))} if purpose == "recovery" else {}


def to_prove(org: Org, tx: Transaction) -> Json:
    """The challenge in hand, then the choice it came from."""
    user = org.user_of(tx)
    factors = still_to_prove(org.policy, user, tx.purpose, tx.proven)
    steps = [remediations.select_authenticator_authenticate(org.base, tx, factors)]
    enrollments = array(factor_json(item, user) for item in factors)
    parts = {"authenticatorEnrollments": enrollments, **recovery_of_password(tx, tx.purpose), **frame(org, tx)}
    if tx.authenticator is None:
        return {"remediation": array(steps), **parts}
    held = enrollment_in_hand(org.policy, user, tx.authenticator)
    first = (
        remediations.authenticator_verification_data if tx.step is Step.METHOD else remediations.challenge_authenticator
    )
    return {
        "remediation": array([first(org.base, tx, held), *steps]),
        "currentAuthenticatorEnrollment": obj(challenged(org, tx, user, held)),
        **parts,
    }


def challenged(org: Org, tx: Transaction, user: User, held: Enrollment) -> Json:
    """What can be done about the challenge beside answering it, and what is known of the authenticator."""
    actions: Json = {}
    if tx.step is Step.CHALLENGE and held.key in ("okta_email", "phone_number"):
        actions["resend"] = remediations.resend(org.base, tx)
    if held.key == "okta_email":
        actions["poll"] = remediations.poll(org.base, tx)
    if held.key == "okta_password" and org.policy.password.recovery.reset:
        actions["recover"] = remediations.recover(org.base, tx)
    shown = factor_json(held, user)
    if tx.method:
        shown["methods"] = [{"type": tx.method}]
    return {**actions, **shown, **CHALLENGE_DETAILS.get(held.key, no_details)(org, tx, held)}


def no_details(org: Org, tx: Transaction, held: Enrollment) -> Json:
    return {}


def passkey_details(org: Org, tx: Transaction, held: Enrollment) -> Json:
    if held.passkey is None:
        return {}
    return {"contextualData": {"challengeData": passkeys.challenge_data(held.passkey, tx.passkey_challenge or b"")}}


CHALLENGE_DETAILS: dict[str, Callable[[Org, Transaction, Enrollment], Json]] = {
    "okta_email": lambda org, tx, held: {"contextualData": {"useEmailMagicLink": org.policy.magic_link}},
    "security_question": lambda org, tx, held: {"contextualData": questions.enrolled_question(held)},
    "webauthn": passkey_details,
}


def new_password(org: Org, tx: Transaction) -> Json:
    """After a recovery, or because the old one has expired."""
    reset = tx.step is Step.RESET
    step = remediations.reset_authenticator if reset else remediations.reenroll_authenticator
    current = obj(in_hand(org, tx))
    extra = {"recoveryAuthenticator": current} if reset else {}
    return {"remediation": array([step(org.base, tx)]), "currentAuthenticator": current, **extra, **frame(org, tx)}


def profile(org: Org, tx: Transaction) -> Json:
    policy = org.policy
    with_password = policy.password_on_profile_form
    form = remediations.enroll_profile(org.base, tx, policy.profile, with_password, policy.captcha)
    links = providers(org, tx) if policy.unknowns.idps_on_profile_form else []
    steps = [form, remediations.select_identify(org.base, tx), *links]
    parts = {"remediation": array(steps), **frame(org, tx)}
    if with_password:
        settings = {"settings": passwords.settings(policy.password)}
        parts["currentAuthenticator"] = obj({**to_json(AUTHENTICATORS["okta_password"]), **settings})
    if policy.ui_display:
        parts["uiDisplay"] = obj({"label": policy.ui_display.label, "buttonLabel": policy.ui_display.button_label})
    if policy.captcha:
        captcha = {
            "id": remediations.CAPTCHA_ID,
            "name": policy.captcha.type.title(),
            "siteKey": policy.captcha.site_key,
        }
        parts["captcha"] = obj({**captcha, "type": policy.captcha.type})
    return parts


def providers(org: Org, tx: Transaction) -> list[Json]:
    authorize = org.oauth_base(tx.request.issuer) + "/authorize"
    return [remediations.redirect_idp(authorize, tx, idp) for idp in org.policy.idps]


def select(org: Org, tx: Transaction) -> Json:
    return safe_mode(org, tx) if org.policy.safe_mode else choice(org, tx, [])


def safe_mode(org: Org, tx: Transaction) -> Json:
    """Nothing can be enrolled; what is optional can still be skipped."""
    key = "idx.error.server.safe.mode.enrollment.unavailable"
    text = message("Set up is temporarily unavailable due to server maintenance. Try again later.", key)
    offer = offer_to(org.policy, org.user_of(tx), tx)
    steps = [remediations.skip(org.base, tx)] if offer.can_skip else []
    return {"remediation": array(steps), "messages": array([text]), **frame(org, tx)}


def data(org: Org, tx: Transaction) -> Json:
    """The phone's number is asked; there is no enrollmentAuthenticator yet, but resend is there, as recorded."""
    current = {"resend": remediations.resend(org.base, tx), **in_hand(org, tx)}
    step = remediations.authenticator_enrollment_data(org.base, tx)
    return {**choice(org, tx, [step]), "currentAuthenticator": obj(current)}


def enroll(org: Org, tx: Transaction) -> Json:
    actions: Json = {}
    if tx.authenticator in ("okta_email", "phone_number"):
        actions["resend"] = remediations.resend(org.base, tx)
    if tx.authenticator == "okta_email":
        actions["poll"] = remediations.poll(org.base, tx)
    authenticator = in_hand(org, tx)
    return {
        **choice(org, tx, [remediations.enroll_authenticator(org.base, tx)]),
        "currentAuthenticator": obj({**actions, **authenticator}),
        "enrollmentAuthenticator": obj(authenticator),
    }


def pair(org: Org, tx: Transaction) -> Json:
    """Okta Verify waits for the phone, or asks where to send the link."""
    poll = {"poll": remediations.poll(org.base, tx)} if tx.step is Step.PAIR else {}
    return {
        **choice(org, tx, okta_verify.steps(org, tx)),
        "currentAuthenticator": obj({**poll, **in_hand(org, tx)}),
    }


def prompt(org: Org, tx: Transaction) -> Json:
    skip = [remediations.skip(org.base, tx)] if prompts.can_skip(org, tx) else []
    return {
        "remediation": array([prompts.remediation(org, tx), *skip]),
        **frame(org, tx),
        **prompts.extras(org, tx),
    }


def request_activation(org: Org, tx: Transaction) -> Json:
    steps = array([remediations.request_activation(org.base, tx)])
    return {"remediation": steps, "messages": array([EXPIRED]), **frame(org, tx)}


def terminal(org: Org, tx: Transaction) -> Json:
    return {"messages": array([tx.ending] if tx.ending else [])}


def choice(org: Org, tx: Transaction, first: list[Json]) -> Json:
    """The step in hand, then the choice it came from, then skip: some clients look at the first only."""
    user = org.user_of(tx)
    offer = offer_to(org.policy, user, tx)
    steps = [*first, remediations.select_authenticator_enroll(org.base, tx, offer.keys)]
    if offer.can_skip:
        steps.append(remediations.skip(org.base, tx))
    return {
        "remediation": array(steps),
        "authenticators": to_enroll(offer.keys),
        "authenticatorEnrollments": enrolled(user),
        **frame(org, tx),
    }


def in_hand(org: Org, tx: Transaction) -> Json:
    authenticator = AUTHENTICATORS[str(tx.authenticator)]
    plain = to_json(authenticator, (tx.method,) if tx.method else ())
    return {**plain, **DETAILS.get(authenticator.key, nothing)(org, tx)}


def nothing(org: Org, tx: Transaction) -> Json:
    return {}


def activation_data(org: Org, tx: Transaction) -> Json:
    rp_id = passkeys.rp_id_of(tx.request.redirect_uri)
    return passkeys.activation_data(org.user_of(tx), org.app_of(tx).label, rp_id, tx.passkey_challenge or b"")


DETAILS: dict[str, Callable[[Org, Transaction], Json]] = {
    "okta_email": lambda org, tx: {"contextualData": {"useEmailMagicLink": org.policy.magic_link}},
    "okta_password": lambda org, tx: {"settings": passwords.settings(org.policy.password)},
    "security_question": lambda org, tx: {"contextualData": questions.contextual_data()},
    "webauthn": lambda org, tx: {"contextualData": {"activationData": activation_data(org, tx)}},
    "okta_verify": lambda org, tx: {"contextualData": okta_verify.contextual_data(org, tx)},
    "duo": lambda org, tx: {"contextualData": okta_verify.duo_data(org, tx)},
    "google_otp": lambda org, tx: {
        "contextualData": totp.contextual_data(str(tx.totp_secret), org.user_of(tx).login, org.app_of(tx).label)
    },
}


def success(org: Org, tx: Transaction) -> Json:
    endpoint = org.oauth_base(tx.request.issuer) + "/token"
    return {**frame(org, tx), "successWithInteractionCode": remediations.issue(endpoint, tx)}


def check_mail(org: Org, tx: Transaction) -> Json:
    """Terminal: the account waits for the link in the activation mail (docs/protocol.md, section 4.10)."""
    text = message("To finish signing in, check your email.", "idx.email.verification.required", kind="INFO")
    return {"messages": array([text]), "user": user_json(org, tx)}


STEPS: dict[Step, Callable[[Org, Transaction], Json]] = {
    Step.IDENTIFY: identify,
    Step.RECOVER: identify_recovery,
    Step.UNLOCK: unlock,
    Step.CHOOSE: to_prove,
    Step.METHOD: to_prove,
    Step.CHALLENGE: to_prove,
    Step.RESET: new_password,
    Step.EXPIRED: new_password,
    Step.PROFILE: profile,
    Step.SELECT: select,
    Step.DATA: data,
    Step.ENROLL: enroll,
    Step.SUCCESS: success,
    Step.CHECK_MAIL: check_mail,
    Step.PAIR: pair,
    Step.CHANNEL: pair,
    **{item.step: prompt for item in prompts.PROMPTS},
    Step.REQUEST_ACTIVATION: request_activation,
    Step.TERMINAL: terminal,
}
