"""Fixtures for a visitor of a site whose org returns scripted answers."""

from collections.abc import Callable, Iterator

import pytest

from support.idx.scripted_org import ISSUER, ScriptedOrg
from support.person import Person


@pytest.fixture
def scripted(db: None, configure: Callable[..., None]) -> Iterator[ScriptedOrg]:
    # Where the address has to be proven here, the site hides some ways to skip that the org offers.
    configure(ISSUER=ISSUER, EMAIL_VERIFICATION="optional")
    with ScriptedOrg() as org:
        yield org


@pytest.fixture
def ada(scripted: ScriptedOrg) -> Person:
    return Person()
