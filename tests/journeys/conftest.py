import pytest

from selfreg import rate_limits


@pytest.fixture(autouse=True)
def _quicker_than_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test presses more buttons in five seconds than the pace of one sign-up allows a person."""
    monkeypatch.setattr(rate_limits, "CALLS", 1_000)
