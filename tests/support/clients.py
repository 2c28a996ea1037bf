"""What the tests of Okta's own clients share. What is missing is skipped with a line; under CI it fails."""

import os
from pathlib import Path

import pytest

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
CLIENT = {"client_id": "0oaClients", "client_secret": None, "redirect_uris": ["http://127.0.0.1:8000/callback"]}


def missing(what: str) -> None:
    reason = f"left out: {what}"
    pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
