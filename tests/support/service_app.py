"""An OAuth service app, with which the site can call the Management API instead of with an API token."""

from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from okta_devorg import OrgHandle
from okta_devorg.policy.serialization import policy_to_json

CLIENT_ID = "0oaService"


def add_service_app(
    org: OrgHandle, configure: Callable[..., None], scopes: Sequence[str], site_key: str | None = None
) -> None:
    """Add a service app with these scopes to the org, and configure its key in the site, or another one.

    :param site_key: PEM of another key, to be configured instead of the right one
    """
    key = rsa_key()
    public = load_pem_private_key(key.encode(), None).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    app = {"client_id": CLIENT_ID, "label": "Set-up", "public_keys": [pem], "api_scopes": list(scopes)}
    others = [app for app in policy_to_json(org.policy)["apps"] if app["client_id"] != CLIENT_ID]
    org.patch_policy({"apps": [*others, {**app, "grants": ["client_credentials"]}]})
    configure(API_TOKEN="", API_CLIENT_ID=CLIENT_ID, API_PRIVATE_KEY=site_key or key)


def rsa_key() -> str:
    """Return the PEM of a new private key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
