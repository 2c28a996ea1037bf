"""The encrypted state of a registration, as JSON."""

from typing import Any

from selfreg.encryption import decrypt, encrypt
from selfreg.models import Registration
from selfreg.registration.state import place_of


def stored_state(row: Registration) -> Any:
    """What is stored about the sign-up; its secrets in plain text."""
    return decrypt(row.sealed, place_of(row.pk), row.settings.encryption_keys)


def sealed(row: Registration, state: Any) -> str:
    """A state (JSON) as it is stored in this row."""
    return encrypt(state, place_of(row.pk), row.settings.encryption_keys)
