"""The clauses of OpenID Connect Core 3.1.3.7, tested with signed tokens."""

import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from selfreg.idx.id_token import Expected, InvalidToken, UnknownKey, verify
from selfreg.secret import Secret

NOW = 1_800_000_000
ISSUER, CLIENT, NONCE, ACCESS = (
    "https://dev-1.example.com/oauth2/default",
    "0oa1",
    "canary-nonce",
    "canary-access-token",
)
EXPECTED = Expected(ISSUER, CLIENT, Secret(NONCE))
Json = dict[str, Any]
ABSENT = object()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def keys(rsa_key: rsa.RSAPrivateKey) -> Json:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key.public_key()))
    return {"keys": [{**public, "kid": "k1", "alg": "RS256", "use": "sig"}]}


def at_hash(access_token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()


def claims(**changes: Any) -> Json:
    good = {
        "iss": ISSUER, "sub": "00u1", "aud": CLIENT, "iat": NOW - 5, "exp": NOW + 3600, "nonce": NONCE,
        "at_hash": at_hash(ACCESS), "ver": 1,
    }  # fmt: skip
    return {k: v for k, v in (good | changes).items() if v is not ABSENT}


@pytest.fixture(scope="module")
def sign(rsa_key: rsa.RSAPrivateKey) -> Callable[..., str]:
    def sign_claims(header: Json | None = None, key: Any = rsa_key, algorithm: str = "RS256", **changes: Any) -> str:
        payload = json.dumps(claims(**changes)).encode()
        return jwt.PyJWS().encode(payload, key, algorithm, headers={"kid": "k1", **(header or {})})

    return sign_claims


def check(token: str, keys: Json, expected: Expected = EXPECTED) -> Json:
    return verify(Secret(token), keys, expected, access_token=Secret(ACCESS), now=NOW)


def test_a_valid_token_returns_its_claims(sign: Callable[..., str], keys: Json) -> None:
    assert check(sign(), keys)["sub"] == "00u1"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"azp": CLIENT},
        {"at_hash": ABSENT},
        {"exp": NOW - 59},
        {"iat": NOW + 59},
        {"nbf": NOW + 59},
        {"iat": NOW - 3 * 3600},
        {"sub": "x" * 255},
        {"iat": NOW - 0.5, "exp": NOW + 10.5},
    ],
)
def test_optional_variants_of_the_standard_are_accepted(sign: Callable[..., str], keys: Json, changes: Json) -> None:
    assert check(sign(**changes), keys)["iss"] == ISSUER


CLAUSES = [
    ("issuer", {"iss": ISSUER + "/"}),
    ("issuer", {"iss": "https://dev-1.example.com"}),
    ("issuer", {"iss": [ISSUER]}),
    ("subject", {"sub": ""}),
    ("subject", {"sub": 7}),
    ("subject", {"sub": "x" * 256}),
    ("audience", {"aud": "0oa2"}),
    ("audience", {"aud": []}),
    ("audience", {"aud": CLIENT + "x"}),
    ("audience", {"aud": [CLIENT, 7], "azp": CLIENT}),
    ("authorized party", {"aud": [CLIENT, "0oa2"]}),
    ("authorized party", {"azp": "0oa2"}),
    ("authorized party", {"aud": [CLIENT, "0oa2"], "azp": "0oa2"}),
    ("expired", {"exp": NOW - 60}),
    ("expired", {"exp": 0}),
    ("issued in the future", {"iat": NOW + 61}),
    ("too old", {"iat": NOW - 3 * 3600 - 1}),
    ("not yet valid", {"nbf": NOW + 61}),
    ("times", {"exp": "soon"}),
    ("times", {"exp": True}),
    ("times", {"iat": "1800000000"}),
    ("times", {"nbf": -1}),
    ("times", {"exp": 10**12}),
    ("nonce", {"nonce": "another"}),
    ("nonce", {"nonce": ABSENT}),
    ("nonce", {"nonce": ""}),
    ("nonce", {"nonce": [NONCE]}),
    ("access token hash", {"at_hash": at_hash("another token")}),
    ("access token hash", {"at_hash": ""}),
    ("access token hash", {"at_hash": 7}),
    ("signature or required claims", {"iss": ABSENT}),
    ("signature or required claims", {"sub": ABSENT}),
    ("signature or required claims", {"aud": ABSENT}),
    ("signature or required claims", {"exp": ABSENT}),
    ("signature or required claims", {"iat": ABSENT}),
]


@pytest.mark.parametrize(("clause", "changes"), CLAUSES, ids=[f"{c}-{n}" for n, (c, _) in enumerate(CLAUSES)])
def test_a_token_that_violates_a_clause_is_refused_with_its_name(
    sign: Callable[..., str], keys: Json, clause: str, changes: Json
) -> None:
    with pytest.raises(InvalidToken, match=f"^{clause}$"):
        check(sign(**changes), keys)


def test_an_empty_expected_nonce_never_matches(sign: Callable[..., str], keys: Json) -> None:
    with pytest.raises(InvalidToken, match="nonce"):
        check(sign(nonce=""), keys, Expected(ISSUER, CLIENT, Secret("")))


# ---- signature and key


def test_a_changed_payload_is_refused(sign: Callable[..., str], keys: Json) -> None:
    header, _, signature = sign().split(".")
    forged = base64.urlsafe_b64encode(json.dumps(claims(sub="00uAdmin")).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidToken, match="signature"):
        check(f"{header}.{forged}.{signature}", keys)


def test_a_token_signed_by_another_key_with_the_same_id_is_refused(sign: Callable[..., str], keys: Json) -> None:
    other = rsa.generate_private_key(65537, 2048)
    with pytest.raises(InvalidToken, match="signature"):
        check(sign(key=other), keys)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512"])
def test_symmetric_algorithms_and_none_are_refused(sign: Callable[..., str], keys: Json, algorithm: str) -> None:
    secret = None if algorithm == "none" else "s" * 64
    with pytest.raises(InvalidToken, match="algorithm not allowed"):
        check(sign(key=secret, algorithm=algorithm), keys)


def test_the_public_key_is_not_accepted_as_an_hmac_secret(rsa_key: rsa.RSAPrivateKey, keys: Json) -> None:
    """The classic algorithm confusion attack: HMAC with the published key."""
    head = {"alg": "HS256", "kid": "k1", "typ": "JWT"}
    pieces = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in (head, claims())]
    with pytest.raises(InvalidToken, match="algorithm not allowed"):
        check(".".join([*pieces, "eHh4"]), keys)


def test_algorithms_outside_the_configured_list_are_refused(sign: Callable[..., str], keys: Json) -> None:
    with pytest.raises(InvalidToken, match="algorithm not allowed"):
        check(sign(), keys, Expected(ISSUER, CLIENT, Secret(NONCE), algorithms=("ES256",)))


def test_a_token_with_es256_is_accepted(sign: Callable[..., str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(private.public_key()))
    jwks = {"keys": [{**public, "kid": "k1", "alg": "ES256", "use": "sig"}]}
    assert check(sign(key=private, algorithm="ES256"), jwks)["sub"] == "00u1"


def test_a_key_for_another_algorithm_is_not_used(sign: Callable[..., str], keys: Json) -> None:
    with pytest.raises(UnknownKey):
        check(sign(), {"keys": [{**keys["keys"][0], "alg": "RS512"}]})


def test_an_encryption_key_is_not_used(sign: Callable[..., str], keys: Json) -> None:
    with pytest.raises(UnknownKey):
        check(sign(), {"keys": [{**keys["keys"][0], "use": "enc"}]})


@pytest.mark.parametrize("header", [{"kid": "k2"}, {"kid": ""}, {"kid": "k1 "}])
def test_an_unknown_key_id_raises_unknown_key(sign: Callable[..., str], keys: Json, header: Json) -> None:
    with pytest.raises(UnknownKey):
        check(sign(header), keys)


def test_a_key_in_the_header_of_the_token_is_not_used(rsa_key: rsa.RSAPrivateKey, sign: Callable[..., str]) -> None:
    own_key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key.public_key()))
    with pytest.raises(UnknownKey):
        check(sign({"jwk": own_key, "jku": "https://evil.example/keys"}), {"keys": []})


@pytest.mark.parametrize("jwks", [{}, {"keys": None}, {"keys": ["x", 1]}, {"keys": {"kid": "k1"}}])
def test_a_malformed_key_set_has_no_keys(sign: Callable[..., str], jwks: Json) -> None:
    with pytest.raises(UnknownKey):
        check(sign(), jwks)


@pytest.mark.parametrize("damage", [{"n": "AA"}, {"n": None}, {"kty": "EC"}, {"e": "!!"}])
def test_a_malformed_key_raises_invalid_token(sign: Callable[..., str], keys: Json, damage: Json) -> None:
    with pytest.raises(InvalidToken):
        check(sign(), {"keys": [keys["keys"][0] | damage]})


@pytest.mark.parametrize(
    "token", ["", "x", "a.b", "a.b.c", "....", "é.é.é", "e30.e30.e30", "eyJhbGciOjF9.e30.", "\x00"]
)
def test_a_malformed_token_is_refused(keys: Json, token: str) -> None:
    with pytest.raises(InvalidToken):
        check(token, keys)


def test_the_error_contains_no_value_of_the_token(sign: Callable[..., str], keys: Json) -> None:
    for changes in ({"nonce": "canary-other"}, {"aud": "canary-aud"}, {"sub": ""}, {"iss": "canary-iss"}):
        with pytest.raises(InvalidToken) as refusal:
            check(sign(**changes), keys)
        assert "canary" not in repr(refusal.value)
        assert "canary" not in str(refusal.value)


def test_the_repr_of_the_expectation_hides_the_nonce() -> None:
    assert NONCE not in repr(EXPECTED)


def test_the_system_clock_is_not_used() -> None:
    """The valid token above is for another year than that of the system clock."""
    assert abs(time.time() - NOW) > 60
