"""Unusual field names and shapes: the visitor gets a page, and the org gets its own names back."""

from typing import Any

import pytest

from support.idx.documents import document, step
from support.idx.scripted_org import ScriptedOrg
from support.idx.situations import SKIP, ending
from support.person import Person

pytestmark = pytest.mark.database

DONE = ending("Enough.", "enough")


def test_a_plain_value_in_place_of_an_authenticator_object_is_sent_unchanged(
    ada: Person, scripted: ScriptedOrg
) -> None:
    tokens = [{"label": "Token A", "value": "a"}, {"label": "Token B", "value": "b"}]
    scripted.answers_with(document(step("choose-factor", {"name": "authenticator", "options": tokens})), DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.picks("Token B").presses("Continue")
    assert scripted.body["authenticator"] == "b"


@pytest.mark.parametrize(
    "profile",
    [{"name": "userProfile", "type": "object"}, {"name": "userProfile", "form": {"value": []}}],
    ids=["no form", "empty form"],
)
def test_an_empty_object_has_no_fields_and_is_sent_empty(
    ada: Person, scripted: ScriptedOrg, profile: dict[str, object]
) -> None:
    page = document(step("enroll-profile", profile, path="/idp/idx/enroll/new"), SKIP)
    scripted.starts_with(page).answers_with(page, DONE)
    assert ada.opens("/signup/").page.names() == []
    assert ada.presses("Sign up").page.names() == []
    ada.presses("Sign up")
    assert [body["userProfile"] for _path, body in scripted.sent] == [{}, {}]


def test_a_profile_that_is_a_plain_value_can_be_submitted(ada: Person, scripted: ScriptedOrg) -> None:
    page = document(step("enroll-profile", {"name": "userProfile", "label": "About you"}, path="/idp/idx/enroll/new"))
    scripted.starts_with(page).answers_with(page, DONE)
    ada.opens("/signup/").fills_and_presses({"About you": "A sailor"}).fills_and_presses({"About you": "A sailor"})
    assert ada.heading == "We couldn't finish your sign-up"


@pytest.mark.parametrize("reverse", [False, True])
def test_the_object_is_sent_if_a_value_and_an_object_have_the_same_name(
    ada: Person, scripted: ScriptedOrg, reverse: bool
) -> None:
    fields: list[dict[str, Any]] = [
        {"name": "a", "label": "A"},
        {"name": "a", "form": {"value": [{"name": "b", "label": "B"}]}},
    ]
    scripted.answers_with(document(step("odd", *(fields[::-1] if reverse else fields))), DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.fills_and_presses({"a": "1", "a.b": "2"})
    assert scripted.body["a"] == {"b": "2"}


def test_a_field_name_with_a_dot_is_not_split(ada: Person, scripted: ScriptedOrg) -> None:
    scopes = [
        {"name": "some.scope", "label": "Your boats", "type": "boolean", "value": True},
        {"name": "other.scope", "label": "Your crew", "type": "boolean"},
        {"name": "fixed.scope", "type": "boolean", "value": True, "mutable": False},
    ]
    scripted.answers_with(document(step("odd-step", {"name": "optedScopes", "form": {"value": scopes}})), DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.page.names() == ["optedScopes.some.scope", "optedScopes.other.scope"]
    ada.presses("Continue")
    assert scripted.body["optedScopes"] == {"some.scope": True, "other.scope": False, "fixed.scope": True}
