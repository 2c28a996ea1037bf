"""Documents of the steps that create a user and set up authenticators (docs/protocol.md, sections 4.2 to 4.6)."""

from collections.abc import Callable

from okta_devorg.factors import passkeys, passwords, questions, totp
from okta_devorg.factors.catalogue import (
    AUTHENTICATORS,
    authenticator_json,
    enrollments_json,
)
from okta_devorg.factors.enrollment_offer import enrollment_offer
from okta_devorg.idx.documents import remediations
from okta_devorg.idx.documents.frame import frame, idp_remediations
from okta_devorg.idx.steps import okta_verify
from okta_devorg.idx.steps.activation import EXPIRED
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.wire.ion import Json, ion_array, ion_object, message

SECONDS_A_DAY = 86_400
# Authenticators that are set up behind a link: the name of the remediation, and the type of the provider.
LINKS = {"external_idp": ("redirect-idp", "OIDC"), "smart_card_idp": ("piv-idp", "X509")}


def profile_document(org: Org, tx: Transaction) -> Json:
    """Return the profile form (section 4.2)."""
    policy = org.policy
    with_password = policy.password_on_profile_form
    form = remediations.enroll_profile(org.base, tx, policy.profile, with_password, policy.captcha)
    idps = idp_remediations(org, tx) if policy.unknowns.idps_on_profile_form else []
    document = {
        "remediation": ion_array([form, remediations.select_identify(org.base, tx), *idps]),
        **frame(org, tx),
    }
    if with_password:
        rules = {"settings": passwords.rules_json(policy.password)}
        document["currentAuthenticator"] = ion_object({**authenticator_json(AUTHENTICATORS["okta_password"]), **rules})
    if policy.ui_display:
        labels = {"label": policy.ui_display.label, "buttonLabel": policy.ui_display.button_label}
        document["uiDisplay"] = ion_object(labels)
    if policy.captcha:
        own: Json = {"siteKey": policy.captcha.site_key}
        if policy.captcha.type == "ALTCHA":
            own = {"challengeUrlForm": remediations.captcha_challenge(org.base, tx)}
        head = {"id": remediations.CAPTCHA_ID, "name": policy.captcha.type.title()}
        document["captcha"] = ion_object({**head, **own, "type": policy.captcha.type})
    return document


def select_enroll_document(org: Org, tx: Transaction) -> Json:
    """Return the choice of what to set up (section 4.4). In safe mode nothing can be, but the rest can be skipped."""
    if not org.policy.safe_mode:
        return _choice_document(org, tx, [])
    text = message(
        "Set up is temporarily unavailable due to server maintenance. Try again later.",
        "idx.error.server.safe.mode.enrollment.unavailable",
    )
    offer = enrollment_offer(org.policy, org.user_of(tx), tx)
    steps = [remediations.skip(org.base, tx)] if offer.can_skip else []
    return {"remediation": ion_array(steps), "messages": ion_array([text]), **frame(org, tx)}


def enrollment_data_document(org: Org, tx: Transaction) -> Json:
    """Return the question for the phone number (section 4.5).

    As recorded, there is no `enrollmentAuthenticator` yet, but `resend` is there already.
    """
    authenticator = {"resend": remediations.resend(org.base, tx), **current_authenticator(org, tx)}
    step = remediations.authenticator_enrollment_data(org.base, tx)
    return {**_choice_document(org, tx, [step]), "currentAuthenticator": ion_object(authenticator)}


def enroll_document(org: Org, tx: Transaction) -> Json:
    """Return the form of the authenticator that is being set up (section 4.6)."""
    actions: Json = {}
    if tx.authenticator in ("okta_email", "phone_number"):
        actions["resend"] = remediations.resend(org.base, tx)
    if tx.authenticator == "okta_email":
        actions["poll"] = remediations.poll(org.base, tx)
    authenticator = current_authenticator(org, tx)
    step = remediations.enroll_authenticator(org.base, tx, org.policy.email_code)
    if tx.authenticator in LINKS:
        name, kind = LINKS[tx.authenticator]
        href = f"{org.base}/sso/idps/{authenticator['id']}/enroll?stateToken={tx.idp_token}"
        id_, label, relates_to = authenticator["id"], authenticator["displayName"], ["$.currentAuthenticator"]
        step = remediations.link_elsewhere(name, href, id_, label, type=kind, relatesTo=relates_to)
    return {
        **_choice_document(org, tx, [step]),
        "currentAuthenticator": ion_object({**actions, **authenticator}),
        "enrollmentAuthenticator": ion_object(authenticator),
    }


def promotion_document(org: Org, tx: Transaction) -> Json:
    """Return the offer of a passkey (section 4.13)."""
    steps = [remediations.enroll_promotion(org.base, tx), remediations.skip(org.base, tx)]
    return {
        "remediation": ion_array(steps),
        "currentAuthenticator": ion_object(current_authenticator(org, tx)),
        "authenticatorEnrollments": enrollments_json(org.user_of(tx)),
        **frame(org, tx),
    }


def okta_verify_document(org: Org, tx: Transaction) -> Json:
    """Return the step of Okta Verify: waiting for the phone, or asking where to send the link."""
    poll = {"poll": remediations.poll(org.base, tx)} if tx.step is Step.ENROLL_POLL else {}
    return {
        **_choice_document(org, tx, okta_verify.pairing_remediations(org, tx)),
        "currentAuthenticator": ion_object({**poll, **current_authenticator(org, tx)}),
    }


def request_activation_document(org: Org, tx: Transaction) -> Json:
    """Return the offer to mail a new activation token (section 4.11)."""
    steps = ion_array([remediations.request_activation(org.base, tx)])
    return {"remediation": steps, "messages": ion_array([EXPIRED]), **frame(org, tx)}


def current_authenticator(org: Org, tx: Transaction) -> Json:
    """Return the authenticator of the current step with what the client needs to set it up."""
    authenticator = AUTHENTICATORS[str(tx.authenticator)]
    details = DETAILS.get(authenticator.key)
    return {
        **authenticator_json(authenticator, (tx.method,) if tx.method else ()),
        **(details(org, tx) if details else {}),
    }


def _choice_document(org: Org, tx: Transaction, current: list[Json]) -> Json:
    """Return the remediations of the current step, the choice it came from, and skip.

    They are in this order because some clients look at the first one only.
    """
    user = org.user_of(tx)
    offer = enrollment_offer(org.policy, user, tx)
    steps = [*current, remediations.select_authenticator_enroll(org.base, tx, offer.keys)]
    if offer.can_skip:
        steps.append(remediations.skip(org.base, tx))
    return {
        "remediation": ion_array(steps),
        "authenticators": ion_array(_offered_authenticator(org, tx, key) for key in offer.keys),
        "authenticatorEnrollments": enrollments_json(user),
        **frame(org, tx),
    }


def _offered_authenticator(org: Org, tx: Transaction, key: str) -> Json:
    """Return an authenticator of the choice; one that may be put off says until when (section 4.13)."""
    authenticator, grace = authenticator_json(AUTHENTICATORS[key]), org.policy.grace_period
    if key not in grace.authenticators:
        return authenticator
    expiry = org.clock.iso(org.user_of(tx).created + grace.days * SECONDS_A_DAY) if grace.days else ""
    limits = {"expiry": expiry, "remainingSkips": grace.skips}
    return {**authenticator, "gracePeriod": {name: value for name, value in limits.items() if value}}


def _passkey_data(org: Org, tx: Transaction) -> Json:
    rp_id = passkeys.rp_id_of(tx.request.redirect_uri)
    return passkeys.activation_data(org.user_of(tx), org.app_of(tx).label, rp_id, tx.passkey_challenge or b"")


def _duo_data(org: Org, tx: Transaction) -> Json:
    host = "api-local.duosecurity.invalid"
    return {"host": host, "signedToken": "TX|local", "script": f"https://{host}/frame/hosted/Duo-Web-v2.js"}


# By key: further members of an authenticator.
DETAILS: dict[str, Callable[[Org, Transaction], Json]] = {
    "okta_email": lambda org, tx: {"contextualData": {"useEmailMagicLink": org.policy.magic_link}},
    "okta_password": lambda org, tx: {"settings": passwords.rules_json(org.policy.password)},
    "security_question": lambda org, tx: {"contextualData": questions.contextual_data()},
    "webauthn": lambda org, tx: {"contextualData": {"activationData": _passkey_data(org, tx)}},
    "okta_verify": lambda org, tx: {"contextualData": okta_verify.contextual_data(org, tx)},
    "duo": lambda org, tx: {"contextualData": _duo_data(org, tx)},
    "google_otp": lambda org, tx: {
        "contextualData": totp.contextual_data(str(tx.totp_secret), org.user_of(tx).login, org.app_of(tx).label)
    },
}
