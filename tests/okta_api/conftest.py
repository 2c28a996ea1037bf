import pytest

from support import service_app


@pytest.fixture(scope="session")
def rsa_key() -> str:
    """PEM of a private key."""
    return service_app.rsa_key()
