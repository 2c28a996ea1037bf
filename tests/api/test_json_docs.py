"""docs/json-api.md matches the API, and its example works."""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from okta_devorg import OrgHandle
from selfreg.api.problems import PROBLEMS
from selfreg.models import Registration
from selfreg.statuses import Status
from support.person import PASSWORD

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "json-api.md").read_text()


def test_every_problem_is_documented_with_its_status_code() -> None:
    documented: dict[str, int] = {}
    for names, statuses in re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| ([\d, ]+) \|", PAGE, re.MULTILINE):
        numbers = [int(n) for n in statuses.split(", ")]
        for position, name in enumerate(re.findall(r"`([a-z-]+)`", names)):
            documented[name] = numbers[min(position, len(numbers) - 1)]
    assert documented == {name: status for name, (status, _title) in PROBLEMS.items()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("emails", "seconds"),
    [(["ada@example.com"], 0), (["", "ada@example.com"], 0), (["ada@example.com"], 1)],
    ids=["at once", "after an empty field", "faster than the minimum fill time"],
)
def test_documented_example_completes_a_sign_up(
    org: OrgHandle, live_server: Any, configure: Callable[..., None], emails: list[str], seconds: int
) -> None:
    """``emails``: values typed into that field in turn. ``seconds``: ``MINIMUM_FILL_SECONDS``."""
    configure(MINIMUM_FILL_SECONDS=seconds)
    spec = importlib.util.spec_from_file_location("json_api_example", DOCS / "json_api_example.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    headings: list[str] = []
    typed = iter(emails)

    def ask(step: dict[str, Any]) -> dict[str, str]:
        headings.append(step["heading"])
        answers: dict[str, Callable[[], str]] = {
            "userProfile.firstName": lambda: "Ada",
            "userProfile.lastName": lambda: "Lovelace",
            "userProfile.email": lambda: next(typed),
            "credentials.passcode": lambda: org.code("ada@example.com") if step["page"] == "code" else PASSWORD,
        }
        first_choices = {f["name"]: f["choices"][0]["value"] for f in step["fields"] if f["choices"]}
        return first_choices | {f["name"]: answers[f["name"]]() for f in step["fields"] if f["name"] in answers}

    answer = example.sign_up(live_server.url, ask)
    assert (answer["status"], answer["signed_in"]) == ("completed", True)
    assert {"Create your account", "Check your email", "Choose a password"} <= set(headings)
    assert headings.count("Create your account") == len(emails)
    assert Registration.objects.get().status == Status.COMPLETED
