"""Documents of the steps that identify a user and challenge an authenticator."""

from collections.abc import Callable

from okta_devorg.factors import passkeys, questions
from okta_devorg.factors.catalogue import (
    AUTHENTICATORS,
    authenticator_json,
    authenticators_json,
    challenge_json,
)
from okta_devorg.factors.proof import challenged_enrollment, still_to_prove
from okta_devorg.idx.documents import remediations
from okta_devorg.idx.documents.frame import frame, idp_remediations
from okta_devorg.idx.documents.sign_up_steps import current_authenticator
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.state.users import Enrollment, User
from okta_devorg.wire.ion import Json, ion_array, ion_object


def identify_document(org: Org, tx: Transaction) -> Json:
    """Return the first page (docs/protocol.md, section 2)."""
    policy = org.policy
    if policy.idps_only:
        return {"remediation": ion_array(idp_remediations(org, tx)), **frame(org, tx)}
    recovery = policy.password.recovery
    steps = [remediations.identify(org.base, tx, with_password=not policy.identifier_first)]
    if policy.sign_up:
        steps.append(remediations.select_enroll_profile(org.base, tx))
    if recovery.unlock:
        steps.append(remediations.unlock_account(org.base, tx))
    steps += idp_remediations(org, tx)
    document: Json = {"remediation": ion_array(steps), **frame(org, tx)}
    if not policy.identifier_first:
        recover = {"recover": remediations.recover(org.base, tx)} if recovery.reset else {}
        password = authenticator_json(AUTHENTICATORS["okta_password"])
        document["currentAuthenticator"] = ion_object({**recover, **password})
    return document


def identify_recovery_document(org: Org, tx: Transaction) -> Json:
    """Return the question whose password is to be reset."""
    steps = ion_array([remediations.identify_recovery(org.base, tx)])
    return {"remediation": steps, "recoveryAuthenticator": _password(), **frame(org, tx)}


def select_unlock_document(org: Org, tx: Transaction) -> Json:
    """Return the question who is to be unlocked, and by which authenticator."""
    keys = org.policy.password.recovery.authenticators
    steps = ion_array([remediations.select_authenticator_unlock(org.base, tx, keys)])
    return {"remediation": steps, "authenticators": authenticators_json(keys), **frame(org, tx)}


def challenge_document(org: Org, tx: Transaction) -> Json:
    """Return the current challenge, if there is one, and the choice it came from."""
    user = org.user_of(tx)
    enrollments = still_to_prove(org.policy, user, tx.purpose, tx.proven)
    steps = [remediations.select_authenticator_authenticate(org.base, tx, enrollments)] if enrollments else []
    document: Json = {
        "authenticatorEnrollments": ion_array(challenge_json(item, user) for item in enrollments),
        **({"recoveryAuthenticator": _password()} if tx.purpose == "recovery" else {}),
        **frame(org, tx),
    }
    if tx.authenticator is not None:
        current = challenged_enrollment(org.policy, user, tx.authenticator)
        asks_for_method = tx.step is Step.VERIFICATION_DATA
        remediation = (
            remediations.authenticator_verification_data if asks_for_method else remediations.challenge_authenticator
        )
        steps.insert(0, remediation(org.base, tx, current))
        document["currentAuthenticatorEnrollment"] = ion_object(_current_enrollment(org, tx, user, current))
    return {"remediation": ion_array(steps), **document}


def new_password_document(org: Org, tx: Transaction) -> Json:
    """Return the question for a new password, after a recovery or because the old one has expired."""
    is_reset = tx.step is Step.RESET
    step = remediations.reset_authenticator if is_reset else remediations.reenroll_authenticator
    current = ion_object(current_authenticator(org, tx))
    return {
        "remediation": ion_array([step(org.base, tx)]),
        "currentAuthenticator": current,
        **({"recoveryAuthenticator": current} if is_reset else {}),
        **frame(org, tx),
    }


def _password() -> Json:
    return ion_object(authenticator_json(AUTHENTICATORS["okta_password"]))


def _current_enrollment(org: Org, tx: Transaction, user: User, enrollment: Enrollment) -> Json:
    """Return the challenged enrollment with its actions and with what the client needs to answer."""
    actions: Json = {}
    if tx.step is Step.CHALLENGE and enrollment.key in ("okta_email", "phone_number"):
        actions["resend"] = remediations.resend(org.base, tx)
    if enrollment.key == "okta_email":
        actions["poll"] = remediations.poll(org.base, tx)
    if enrollment.key == "okta_password" and org.policy.password.recovery.reset:
        actions["recover"] = remediations.recover(org.base, tx)
    enrollment_json = challenge_json(enrollment, user)
    if tx.method:
        enrollment_json["methods"] = [{"type": tx.method}]
    details = DETAILS.get(enrollment.key)
    return {**actions, **enrollment_json, **(details(org, tx, enrollment) if details else {})}


def _passkey_details(org: Org, tx: Transaction, enrollment: Enrollment) -> Json:
    if enrollment.passkey is None:
        return {}
    data = passkeys.challenge_data(enrollment.passkey, tx.passkey_challenge or b"")
    return {"contextualData": {"challengeData": data}}


# By key: further members of an enrollment.
DETAILS: dict[str, Callable[[Org, Transaction, Enrollment], Json]] = {
    "okta_email": lambda org, tx, enrollment: {"contextualData": {"useEmailMagicLink": org.policy.magic_link}},
    "security_question": lambda org, tx, enrollment: {"contextualData": questions.enrolled_question(enrollment)},
    "webauthn": _passkey_details,
}
