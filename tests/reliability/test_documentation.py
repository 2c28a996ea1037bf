"""Every row of docs/reliability.md names tests that exist or gives a reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([FT]\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "reliability.md").read_text())
TESTS = {
    name for path in (ROOT / "tests").rglob("*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
}


def test_every_fault_and_threat_has_a_row() -> None:
    threats = [*range(19, 37), 46, 47, *range(61, 83)]
    assert [number for number, _, _ in ROWS] == [*(f"F{n}" for n in range(1, 77)), *(f"T{n}" for n in threats)]


@pytest.mark.parametrize(("number", "subject", "proof"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_existing_tests_or_gives_a_reason(number: str, subject: str, proof: str) -> None:
    if proof.startswith("reason: "):
        assert len(proof) > len("reason: ") + 10
    else:
        assert set(proof.split(", ")) <= TESTS
