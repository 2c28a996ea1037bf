"""Choices between objects: the visitor can choose one, and the org gets the whole object."""

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


def choosing(authenticator: Json, *details: Json, beside: tuple[Json, ...] = ()) -> Json:
    """An optional choice between a password and an authenticator that has details."""
    options = [
        option("Password", constant("id", PASSWORD["id"]), relatesTo="$.authenticators.value[0]"),
        option(
            authenticator["displayName"],
            constant("id", authenticator["id"]),
            *details,
            relatesTo="$.authenticators.value[1]",
        ),
    ]
    selector = {"name": "authenticator", "type": "object", "options": options}
    steps = (step("select-authenticator-enroll", selector, *beside), step("skip", path="/idp/idx/skip"))
    return document(*steps, authenticators=array(PASSWORD, authenticator))


def opens_page(ada: Person, scripted: ScriptedOrg, page: Json) -> Person:
    scripted.answers_with(page, DONE)
    return ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})


# ---- an authenticator with details


@pytest.mark.parametrize(
    ("authenticator", "detail"),
    [
        (EMAIL, {"name": "email", "label": "Which address", "required": True}),
        (TOKEN, {"name": "username", "label": "Which user name", "required": True}),
        (TOKEN, {"name": "username", "label": "Which nickname"}),
    ],
    ids=["address", "username", "optional username"],
)
def test_the_details_of_an_authenticator_are_fields_and_sent_with_its_id(
    ada: Person, scripted: ScriptedOrg, authenticator: Json, detail: Json
) -> None:
    opens_page(ada, scripted, choosing(authenticator, constant("methodType", "otp"), detail)).chooses(
        authenticator["displayName"]
    )
    path = f"authenticator.{detail['name']}"
    assert ada.page.names() == [path]
    ada.fills_and_presses({path: "somebody@example.com"})
    assert scripted.body["authenticator"] == {
        "id": authenticator["id"],
        "methodType": "otp",
        detail["name"]: "somebody@example.com",
    }


def test_the_details_page_can_go_back_to_the_choice(ada: Person, scripted: ScriptedOrg) -> None:
    detail = {"name": "username", "label": "User", "required": True}
    opens_page(ada, scripted, choosing(TOKEN, detail)).chooses("RSA SecurID").presses("Choose a different method")
    assert scripted.body["authenticator"] == {"id": PASSWORD["id"]}


def test_an_authenticator_whose_details_have_one_option_is_sent_immediately(ada: Person, scripted: ScriptedOrg) -> None:
    only = {"name": "methodType", "required": False, "options": [{"label": "Email", "value": "email"}]}
    opens_page(ada, scripted, choosing(EMAIL, only)).chooses("Email")
    assert scripted.body["authenticator"] == {"id": "autEMAIL"}


@pytest.mark.parametrize("authenticator", [EMAIL, PHONE], ids=lambda h: h["key"])
def test_fields_beside_the_choice_are_shown_with_the_details(
    ada: Person, scripted: ScriptedOrg, authenticator: Json
) -> None:
    number = [{"name": "phoneNumber", "label": "Phone number"}] if authenticator is PHONE else []
    opens_page(ada, scripted, choosing(authenticator, *number, beside=(NICKNAME,))).chooses(
        authenticator["displayName"]
    )
    typed = {"authenticator.phoneNumber": "+1 415 555 0100"} if number else {}
    ada.fills_and_presses({"Name this device": "Dinghy", **typed})
    assert scripted.body["nickname"] == "Dinghy"
    sent_number = {"phoneNumber": "+14155550100"} if number else {}
    assert scripted.body["authenticator"] == {"id": authenticator["id"], **sent_number}


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


def test_a_chosen_object_is_sent_with_its_own_fields_only(ada: Person, scripted: ScriptedOrg) -> None:
    opens_page(ada, scripted, document(step("choose-address", ADDRESS)))
    assert ada.page.names() == ["address", "address.street", "address.company", "address.floor"]
    ada.picks("Work").fills_and_presses({"Street": "left over", "Company": "Moor & Sons"})
    assert scripted.body["address"] == {"kind": "work", "company": "Moor & Sons"}


def test_required_fields_of_the_chosen_object_are_validated(ada: Person, scripted: ScriptedOrg) -> None:
    opens_page(ada, scripted, document(step("choose-address", ADDRESS)))
    sent = len(scripted.sent)
    ada.picks("Work").fills_and_presses({"Street": "left over"})
    assert len(scripted.sent) == sent
    assert [bool(ada.page.beside(f"address.{n}")) for n in ("street", "company", "floor")] == [False, True, False]


def test_a_choice_and_a_value_with_the_same_name_are_no_error(ada: Person, scripted: ScriptedOrg) -> None:
    letters = {"name": "address", "label": "By letter", "options": [{"label": "Yes", "value": "y"}]}
    opens_page(ada, scripted, document(step("choose-address", ADDRESS, letters)))
    ada.picks("Yes").fills_and_presses({"Company": "Moor & Sons"})
    assert ada.status == 200


def test_a_choice_between_kinds_of_credentials_sends_the_chosen_one(ada: Person, scripted: ScriptedOrg) -> None:
    kinds = [option("Card", {"name": "cardNumber", "required": True}), option("Badge", {"name": "badge"})]
    badge = {**TOKEN, "key": "badge", "type": "badge"}
    opens_page(ada, scripted, enrolling(badge, {"name": "credentials", "type": "object", "options": kinds}))
    ada.picks("Card").fills_and_presses({"credentials.cardNumber": "4711"})
    assert scripted.body["credentials"] == {"cardNumber": "4711"}


def test_a_choice_of_authenticators_without_ids_is_unsupported(ada: Person, scripted: ScriptedOrg) -> None:
    selector = {"name": "authenticator", "type": "object", "options": [option("Email", constant("key", "okta_email"))]}
    opens_page(ada, scripted, document(step("select-authenticator-enroll", selector)))
    assert ada.heading == "This can't be done here"


def test_a_field_beside_a_security_question_is_shown_and_sent(ada: Person, scripted: ScriptedOrg) -> None:
    (own, *_rest) = question()["remediation"]["value"]
    credentials = own["value"][0]
    opens_page(ada, scripted, enrolling(QUESTION, credentials, {"name": "hint", "label": "A hint for yourself"}))
    ada.picks("Write one").fills({"credentials.question": "Which sea?", "Answer": "The North Sea"})
    ada.fills_and_presses({"A hint for yourself": "cold"})
    assert scripted.body["hint"] == "cold"
    assert scripted.body["credentials"] == {
        "questionKey": "custom",
        "question": "Which sea?",
        "answer": "The North Sea",
    }
