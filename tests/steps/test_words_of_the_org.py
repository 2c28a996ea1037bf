"""What the org says beside a step, or instead of one, reaches the person as it was written."""

import pytest
from documents import document, message, profile_field, step
from person import Person
from scripted_org import ScriptedOrg
from situations import EMAIL, enrolling, link

from selfreg.models import Registration

BOAT = document(step("profile-update", profile_field("boat"), path="/idp/idx/enroll/update"))


def with_message(text: str, severity: str) -> dict[str, object]:
    return {**BOAT, "messages": {"type": "array", "value": [message(text, "words", None, severity)]}}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"message": "The mast broke."}),
        (500, {"errorCode": "E0000009", "errorSummary": "The mast broke."}),
        (429, {"errorCode": "E0000047", "errorSummary": "The mast broke."}),
        (403, {"errorCode": "E0000006", "errorSummary": "The mast broke."}),
    ],
    ids=str,
)
def test_an_error_outside_the_protocol_is_told_in_the_orgs_words(
    ada: Person, scripted: ScriptedOrg, status: int, body: dict[str, str]
) -> None:
    scripted.answers_with(body, status=status)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.path == "/signup/step/"
    assert "The mast broke." in ada.page.text


def test_a_session_that_ran_out_is_told_in_the_orgs_words(ada: Person, scripted: ScriptedOrg) -> None:
    gone = {
        "version": "1.0.0",
        "messages": {"type": "array", "value": [message("You drifted off.", "idx.session.expired")]},
    }
    scripted.answers_with(gone, status=401)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "This took too long"
    assert "You drifted off." in ada.page.text


def test_the_same_page_again_is_told_to_be_one(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(BOAT, with_message("Boats are inspected.", "INFO"))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.page.problems() == []
    ada.fills_and_presses({"userProfile.boat": "Ketch"})
    assert ada.page.problems() == ["This is asked for again. Please check it."]
    assert "Boats are inspected." in ada.page.notices()


def test_an_org_that_goes_on_at_its_own_page_has_made_the_account(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(document(link("success-redirect"), user={"type": "object", "value": {"id": "00u1"}}))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "Your account is ready"


def test_a_code_that_is_answered_by_the_same_page_proves_nothing(ada: Person, scripted: ScriptedOrg) -> None:
    code_page = enrolling(EMAIL)
    scripted.answers_with(code_page, code_page)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.fills_and_presses({"credentials.passcode": "000000"})
    assert ada.heading == "Check your e-mail"
    assert Registration.objects.get().email_verified_at is None
