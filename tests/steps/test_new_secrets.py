"""A new secret has a confirmation field, whatever its name; an existing secret has none."""

from collections.abc import Callable
from functools import reduce
from operator import getitem
from typing import Any

import pytest

from support.idx.documents import PASSWORD, document, profile_field, step
from support.idx.scripted_org import ScriptedOrg
from support.idx.situations import credentials, ending, enrolling
from support.person import Person

DONE = ending("Enough.", "enough")
PIN: dict[str, Any] = {"name": "pin", "label": "Choose a PIN", "required": True, "secret": True}
OLD, CURRENT, NEW, PASSCODE = (
    {"name": name, "label": label, "required": True, "secret": True}
    for name, label in (
        ("oldPassword", "Old password"),
        ("currentPassword", "Current password"),
        ("newPassword", "New password"),
        ("passcode", "New password"),
    )
)


def reenrolling(*secrets: Any) -> Any:
    return enrolling(PASSWORD, credentials(*secrets), name="reenroll-authenticator")


PAGES = {
    "profile attribute": (document(step("profile-update", profile_field(**PIN))), ["userProfile.pin", "confirm_pin"]),
    "top level": (document(step("set-pin", PIN)), ["pin", "confirm_pin"]),
    "unknown step": (
        document(step("change-password", credentials(CURRENT, NEW))),
        ["credentials.currentPassword", "credentials.newPassword", "confirm_newPassword"],
    ),
    "new, then current": (
        reenrolling(NEW, CURRENT),
        ["credentials.newPassword", "confirm_newPassword", "credentials.currentPassword"],
    ),
    "old, then new": (
        reenrolling(OLD, PASSCODE),
        ["credentials.oldPassword", "credentials.passcode", "confirm_passcode"],
    ),
}


@pytest.fixture(params=PAGES.values(), ids=list(PAGES))
def names(
    request: pytest.FixtureRequest, ada: Person, scripted: ScriptedOrg, configure: Callable[..., None]
) -> list[str]:
    configure(REPEAT_PASSWORD=True)
    page, names = request.param
    scripted.answers_with(page, DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    expected: list[str] = names
    return expected


def test_the_confirmation_field_follows_the_new_secret(ada: Person, names: list[str]) -> None:
    assert ada.page.names() == names


def test_the_confirmation_is_compared_with_the_new_secret(ada: Person, scripted: ScriptedOrg, names: list[str]) -> None:
    typed = {n: "Old-4711" if "old" in n or "current" in n else "NEw-+-+4711" for n in names}
    (second,) = [n for n in names if n.startswith("confirm_")]
    sent = len(scripted.sent)
    ada.fills_and_presses({**typed, second: "Old-4711"})
    assert ada.page.beside(second) == ["The passwords don't match."]
    assert len(scripted.sent) == sent
    ada.fills_and_presses(typed)
    for name in set(names) - {second}:
        sent_value: Any = reduce(getitem, name.split("."), scripted.body)
        assert sent_value == typed[name]
    assert "confirm" not in str(scripted.body)


def test_the_password_rules_are_listed_at_the_new_password(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(reenrolling(OLD, PASSCODE))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.page.text.count("At least 8 characters") == 1
    assert ada.page.text.index("Old password") < ada.page.text.index("At least 8 characters")


# ---- the rules of the org


def choosing_password(complexity: Any, age: Any = None) -> Any:
    settings = {"complexity": complexity, **({"age": age} if age else {})}
    return enrolling({**PASSWORD, "settings": settings}, credentials(PASSCODE))


@pytest.mark.parametrize(
    ("complexity", "password", "unmet_rules"),
    [
        ({"minLength": 10, "minNumber": 1}, "short", "at least 10 characters, a number"),
        ({"excludeUsername": True}, "Xexample7X", "no part of your email address or username"),
        ({"maxLength": 9}, "much-too-long", "at most 9 characters"),
        ({}, "x" * 80, "at most 72 characters"),
    ],
)
def test_a_password_that_breaks_the_rules_makes_no_call(
    ada: Person, scripted: ScriptedOrg, complexity: Any, password: str, unmet_rules: str
) -> None:
    scripted.answers_with(choosing_password(complexity), DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    sent = len(scripted.sent)
    ada.sets_a_password(password)
    assert ada.page.beside("credentials.passcode") == [f"Use a password with: {unmet_rules}."]
    assert len(scripted.sent) == sent
    ada.sets_a_password("Sea-horse-7" if "maxLength" not in complexity else "Horse-77")
    assert len(scripted.sent) == sent + 1


def test_the_minimum_age_rule_is_listed_only_for_accounts_with_a_password(ada: Person, scripted: ScriptedOrg) -> None:
    first, age = choosing_password({"minLength": 8}, {"minAgeMinutes": 60}), "Last changed at least 60 minutes ago"
    again = enrolling({**PASSWORD, "settings": {"age": {"minAgeMinutes": 60}}}, PASSCODE, name="reenroll-authenticator")
    scripted.answers_with(first, again)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert age not in ada.page.text
    ada.sets_a_password("Sea-horse-7")
    assert age in ada.page.text
