"""Sign-ups the org turns away for no fault of the form (docs/protocol.md, section 4.2): the flow is over, the client
starts again.
"""

from okta_devorg.state.org import Org
from okta_devorg.wire.ion import Json, message
from okta_devorg.wire.refusals import IdxRefusal, access_denied

TEXTS: dict[str, Json] = {
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


def refuse_sign_up(org: Org) -> None:
    """Raises IdxRefusal when the policy says so."""
    refusal = org.policy.sign_up_refusal
    if refusal == "access_denied":
        raise access_denied()
    if refusal in TEXTS:
        raise IdxRefusal(org.policy.statuses.sign_up_refused, [TEXTS[refusal]], page=False)
