"""A choice between objects, whatever belongs to them: the person can make it, and the org gets all of it."""

from typing import Any

import pytest

from support.idx.documents import EMAIL, PASSWORD, PHONE, array, document, step
from support.idx.scripted_org import ScriptedOrg
from support.idx.situations import QUESTION, TOKEN, ending, enrolling, question
from support.person import Person

Json = dict[str, Any]
DONE = ending("Enough.", "enough")
NICKNAME = {"name": "nickname", "label": "Name this device", "required": True}


def option(label: str, *fields: Json, **more: Any) -> Json:
    return {"label": label, "value": {"form": {"value": list(fields)}}, **more}


def constant(name: str, value: str) -> Json:
    return {"name": name, "value": value, "required": True, "mutable": False}


def choosing(holder: Json, *details: Json, beside: tuple[Json, ...] = ()) -> Json:
    """Between a password and ``holder``, which needs more; neither is needed."""
    options = [
        option("Password", constant("id", PASSWORD["id"]), relatesTo="$.authenticators.value[0]"),
        option(holder["displayName"], constant("id", holder["id"]), *details, relatesTo="$.authenticators.value[1]"),
    ]
    chooser = {"name": "authenticator", "type": "object", "options": options}
    steps = (step("select-authenticator-enroll", chooser, *beside), step("skip", path="/idp/idx/skip"))
    return document(*steps, authenticators=array(PASSWORD, holder))


def comes_to(ada: Person, scripted: ScriptedOrg, page: Json) -> Person:
    scripted.answers_with(page, DONE)
    return ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})


# ---- an authenticator with details


@pytest.mark.parametrize(
    ("holder", "detail"),
    [
        (EMAIL, {"name": "email", "label": "Which address", "required": True}),
        (TOKEN, {"name": "username", "label": "Which user name", "required": True}),
        (TOKEN, {"name": "username", "label": "Which nickname"}),
    ],
    ids=["an address", "a user name", "an optional one"],
)
def test_the_details_of_an_authenticator_are_asked_for_and_sent_with_it(
    ada: Person, scripted: ScriptedOrg, holder: Json, detail: Json
) -> None:
    comes_to(ada, scripted, choosing(holder, constant("methodType", "otp"), detail)).chooses(holder["displayName"])
    path = f"authenticator.{detail['name']}"
    assert ada.page.names() == [path]
    ada.fills_and_presses({path: "somebody@example.com"})
    assert scripted.body["authenticator"] == {
        "id": holder["id"],
        "methodType": "otp",
        detail["name"]: "somebody@example.com",
    }


def test_from_the_details_one_can_go_back_to_the_choice(ada: Person, scripted: ScriptedOrg) -> None:
    detail = {"name": "username", "label": "User", "required": True}
    comes_to(ada, scripted, choosing(TOKEN, detail)).chooses("RSA SecurID").presses("Choose a different method")
    assert scripted.body["authenticator"] == {"id": PASSWORD["id"]}


def test_where_there_is_nothing_to_decide_the_choice_is_sent_at_once(ada: Person, scripted: ScriptedOrg) -> None:
    only = {"name": "methodType", "required": False, "options": [{"label": "Email", "value": "email"}]}
    comes_to(ada, scripted, choosing(EMAIL, only)).chooses("Email")
    assert scripted.body["authenticator"] == {"id": "autEMAIL"}


@pytest.mark.parametrize("holder", [EMAIL, PHONE], ids=lambda h: h["key"])
def test_fields_beside_the_choice_are_asked_for_with_the_details(
    ada: Person, scripted: ScriptedOrg, holder: Json
) -> None:
    number = [{"name": "phoneNumber", "label": "Phone number"}] if holder is PHONE else []
    comes_to(ada, scripted, choosing(holder, *number, beside=(NICKNAME,))).chooses(holder["displayName"])
    typed = {"authenticator.phoneNumber": "+1 415 555 0100"} if number else {}
    ada.fills_and_presses({"Name this device": "Dinghy", **typed})
    assert scripted.body["nickname"] == "Dinghy"
    told = {"phoneNumber": "+14155550100"} if number else {}
    assert scripted.body["authenticator"] == {"id": holder["id"], **told}


# ---- objects without an id


ADDRESS = {
    "name": "address",
    "label": "Which address?",
    "options": [
        option("Home", constant("kind", "home"), {"name": "street", "label": "Street", "required": True}),
        option(
            "Work",
            constant("kind", "work"),
            {"name": "company", "label": "Company", "required": True},
            {"name": "floor", "label": "Floor"},
        ),
    ],
}


def test_one_of_several_objects_is_chosen_and_filled_in(ada: Person, scripted: ScriptedOrg) -> None:
    comes_to(ada, scripted, document(step("choose-address", ADDRESS)))
    assert ada.page.names() == ["address", "address.street", "address.company", "address.floor"]
    ada.picks("Work").fills_and_presses({"Street": "left over", "Company": "Moor & Sons"})
    assert scripted.body["address"] == {"kind": "work", "company": "Moor & Sons"}


def test_what_the_chosen_one_needs_must_be_filled_in(ada: Person, scripted: ScriptedOrg) -> None:
    comes_to(ada, scripted, document(step("choose-address", ADDRESS)))
    sent = len(scripted.sent)
    ada.picks("Work").fills_and_presses({"Street": "left over"})
    assert len(scripted.sent) == sent
    assert [bool(ada.page.beside(f"address.{n}")) for n in ("street", "company", "floor")] == [False, True, False]


def test_a_name_that_is_a_choice_and_a_value_at_once_is_no_error(ada: Person, scripted: ScriptedOrg) -> None:
    letters = {"name": "address", "label": "By letter", "options": [{"label": "Yes", "value": "y"}]}
    comes_to(ada, scripted, document(step("choose-address", ADDRESS, letters)))
    ada.picks("Yes").fills_and_presses({"Company": "Moor & Sons"})
    assert ada.status == 200


def test_credentials_of_either_kind(ada: Person, scripted: ScriptedOrg) -> None:
    ways = [option("Card", {"name": "cardNumber", "required": True}), option("Badge", {"name": "badge"})]
    badge = {**TOKEN, "key": "badge", "type": "badge"}
    comes_to(ada, scripted, enrolling(badge, {"name": "credentials", "type": "object", "options": ways}))
    ada.picks("Card").fills_and_presses({"credentials.cardNumber": "4711"})
    assert scripted.body["credentials"] == {"cardNumber": "4711"}


def test_a_choice_of_authenticators_without_ids_cannot_be_made_here(ada: Person, scripted: ScriptedOrg) -> None:
    chooser = {"name": "authenticator", "type": "object", "options": [option("Email", constant("key", "okta_email"))]}
    comes_to(ada, scripted, document(step("select-authenticator-enroll", chooser)))
    assert ada.heading == "This can't be done here"


def test_a_field_beside_a_security_question_is_asked_for(ada: Person, scripted: ScriptedOrg) -> None:
    (own, *_rest) = question()["remediation"]["value"]
    credentials = own["value"][0]
    comes_to(ada, scripted, enrolling(QUESTION, credentials, {"name": "hint", "label": "A hint for yourself"}))
    ada.picks("Write one").fills({"credentials.question": "Which sea?", "Answer": "The North Sea"})
    ada.fills_and_presses({"A hint for yourself": "cold"})
    assert scripted.body["hint"] == "cold"
    assert scripted.body["credentials"] == {
        "questionKey": "custom",
        "question": "Which sea?",
        "answer": "The North Sea",
    }
