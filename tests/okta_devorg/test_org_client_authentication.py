"""Client authentication with a secret in the body, with Basic authentication or with a signed JWT."""

import time
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from okta_devorg import OrgHandle
from support.local_org.org_journey import CLIENT, REDIRECT, SECRET, Journey

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def signing_app(org: OrgHandle, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    org.patch_policy({"apps": [{"client_id": CLIENT, "public_keys": [pem], "redirect_uris": [REDIRECT]}]})


def assertion(key: ec.EllipticCurvePrivateKey, audience: str, **changes: Any) -> dict[str, str]:
    now = int(time.time())
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": audience, "iat": now, "exp": now + 300, **changes}
    signed = jwt.encode(claims, key, algorithm="ES256")
    return {"client_assertion_type": TYPE, "client_assertion": signed}


def interact(journey: Journey, **more: Any) -> requests.Response:
    return journey.interact(client_secret=None, **more)


@pytest.mark.usefixtures("signing_app")
def test_a_signed_assertion_is_accepted_in_place_of_the_secret(
    journey: Journey, key: ec.EllipticCurvePrivateKey
) -> None:
    endpoint = journey.oauth + "/interact"
    assert interact(journey, **assertion(key, endpoint)).status_code == 200
    assert interact(journey, client_id=None, **assertion(key, journey.issuer)).status_code == 200
    journey.introspect()
    journey.take("select-enroll-profile")
    journey.enroll_profile()
    journey.verify_email()
    journey.set_password()
    form = {**journey.token_form(), **assertion(key, journey.oauth + "/token")}
    del form["client_secret"]
    assert requests.post(journey.oauth + "/token", data=form, timeout=60).status_code == 200


@pytest.mark.usefixtures("signing_app")
@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example"}, {"sub": "0oaOther"}, {"iss": "0oaOther"}, {"exp": 1}, {"aud": [{}]},
        {"aud": {}}, {"aud": None}, {"aud": 7},
    ],
)  # fmt: skip
def test_an_assertion_with_a_wrong_claim_is_refused(
    journey: Journey, key: ec.EllipticCurvePrivateKey, changes: dict[str, Any]
) -> None:
    reply = interact(journey, **assertion(key, journey.oauth + "/interact", **changes))
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


@pytest.mark.usefixtures("signing_app")
def test_a_replayed_missing_or_foreign_assertion_is_refused(journey: Journey, key: ec.EllipticCurvePrivateKey) -> None:
    endpoint = journey.oauth + "/interact"
    used = assertion(key, endpoint, jti="once")
    assert interact(journey, **used).status_code == 200
    foreign = assertion(ec.generate_private_key(ec.SECP256R1()), endpoint)
    for refused in (used, foreign, {}, {**used, "client_assertion": "a.b.c"}):
        assert interact(journey, **refused).status_code == 401


def test_basic_authentication_is_accepted_at_interact(journey: Journey) -> None:
    form = {name: value for name, value in journey.interact_form().items() if name != "client_secret"}
    del form["client_id"]
    for secret, status in (("wrong", 401), (SECRET, 200)):
        reply = requests.post(journey.oauth + "/interact", data=form, auth=(CLIENT, secret), timeout=60)
        assert reply.status_code == status
