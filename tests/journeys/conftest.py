import pytest

from selfreg import rate_limits


@pytest.fixture(autouse=True)
def _no_pace_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise the call limit of one registration: a test submits steps faster than a visitor could."""
    monkeypatch.setattr(rate_limits, "CALLS", 1_000)
