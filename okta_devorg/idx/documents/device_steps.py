"""Documents of the steps that happen on the visitor's device or at another site (docs/protocol.md, section 4.13)."""

from okta_devorg.idx.documents import remediations
from okta_devorg.idx.documents.frame import frame
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Transaction
from okta_devorg.wire.ion import Json, ion_array, ion_object

# What the client needs to find Okta Verify, by way. The values lead nowhere.
CHALLENGES: dict[str, Json] = {
    "loopback": {"domain": "http://localhost", "ports": ["2000", "6511", "6512", "6513"], "probeTimeoutMillis": 100},
    "custom_uri": {"href": "com-okta-authenticator:/deviceChallenge?challengeRequest=local"},
    "app_link": {"href": "https://login.invalid/signin/verify/okta/signed_nonce?challengeRequest=local"},
    "universal_link": {"href": "https://login.invalid/signin/verify/okta/signed_nonce?challengeRequest=local"},
}


def probe_document(org: Org, tx: Transaction) -> Json:
    """Return the search for Okta Verify, and the action that ends it."""
    way = org.policy.device_probe or "loopback"
    challenge = {
        "challengeMethod": way.upper(),
        "challengeRequest": "local",
        **CHALLENGES[way],
        "cancel": remediations.cancel_polling(org.base, tx),
    }
    return {
        "remediation": ion_array([remediations.device_challenge_poll(org.base, tx)]),
        "authenticatorChallenge": ion_object(challenge),
        **frame(org, tx),
    }


def identity_verification_document(org: Org, tx: Transaction) -> Json:
    """Return the link to the company that verifies who somebody is."""
    name = org.policy.identity_verification or ""
    href = f"{org.base}/idp/identity-verification?stateToken={tx.idp_token}"
    link = remediations.link_elsewhere("redirect-idverify", href, f"IDV_{name.upper()}", name)
    return {"remediation": ion_array([link]), **frame(org, tx)}
