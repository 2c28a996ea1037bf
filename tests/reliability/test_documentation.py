"""docs/reliability.md is true: every row has tests that exist, or a reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([FT]\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "reliability.md").read_text())
WRITTEN = {
    name for path in (ROOT / "tests").rglob("*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
}


def test_no_row_is_left_out() -> None:
    threats = [*range(19, 37), 46, 47, *range(61, 83)]
    assert [number for number, _, _ in ROWS] == [*(f"F{n}" for n in range(1, 77)), *(f"T{n}" for n in threats)]


@pytest.mark.parametrize(("number", "what", "proof"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_tests_that_exist_or_a_reason(number: str, what: str, proof: str) -> None:
    if proof.startswith("reason: "):
        assert len(proof) > len("reason: ") + 10
    else:
        assert set(proof.split(", ")) <= WRITTEN
