"""Public keys of apps: as PEM in the settings, as JSON Web Keys (RFC 7517) on the wire."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from jwt import PyJWK, PyJWTError
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from okta_devorg.wire.ion import Json

# What the libraries raise for text, members and numbers that are no key, or none that they know.
UNREADABLE = (PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, AttributeError)


def pem_to_jwk(pem: str) -> Json:
    """Return a public key as a JSON Web Key.

    :raises ValueError: if it is no public key for RSA or an elliptic curve.
    """
    try:
        key = load_pem_public_key(pem.encode())
        if isinstance(key, RSAPublicKey):
            return dict(RSAAlgorithm.to_jwk(key, as_dict=True))
        if isinstance(key, EllipticCurvePublicKey):
            return dict(ECAlgorithm.to_jwk(key, as_dict=True))
    except UNREADABLE as error:
        raise ValueError("not a public key") from error
    raise ValueError("not a key for RSA or an elliptic curve")


def jwk_to_pem(jwk: object) -> str:
    """Return a public key as PEM.

    :raises ValueError: if it cannot be read, or is no public key for RSA or an elliptic curve.
    """
    try:
        key = PyJWK(jwk).key  # type: ignore[arg-type]
        pem: str = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    except UNREADABLE as error:
        raise ValueError("not a public key") from error
    pem_to_jwk(pem)
    return pem
