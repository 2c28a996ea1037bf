"""The hostile server of the client's tests is at hand here too; no test inherits the circuit of another."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "idx"))

from selfreg import org as configured_org


@pytest.fixture(autouse=True)
def _circuit_closed() -> Iterator[None]:
    configured_org._transport.cache_clear()
    yield
    configured_org._transport.cache_clear()
