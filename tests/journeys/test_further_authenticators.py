"""Security questions and authenticator apps at sign-up, over the local org (scenarios B16 to B18 and B20)."""

import re
import time

import pytest
import segno
from django.contrib.auth import get_user_model

from okta_devorg import OrgHandle
from okta_devorg.factors.totp import code_at
from support.person import Person


def enrolls_email_and_password_with(person: Person, org: OrgHandle, **authenticators: str) -> Person:
    org.patch_policy({"authenticators": authenticators})
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org)
    return person.chooses("Password").sets_a_password()


def qr_path(svg: str) -> str:
    """The path of the SVG, which has every module of the QR code."""
    (path,) = re.findall(r' d="[^"]+"', svg)
    return str(path)


@pytest.fixture
def at_question_step(person: Person, org: OrgHandle) -> Person:
    return enrolls_email_and_password_with(person, org, security_question="required").chooses("Security Question")


def test_answering_a_question_of_the_org_enrolls_it(at_question_step: Person, org: OrgHandle) -> None:
    assert at_question_step.heading == "Set up a security question"
    questions = at_question_step.form.find("credentials.questionKey")
    assert questions[0].value == "disliked_food", "the first question is preselected"
    at_question_step.fills_and_presses({"credentials.answer": "Okra stew"})
    assert at_question_step.is_signed_in
    assert get_user_model().objects.get().email == at_question_step.email
    assert "security_question" in org.users[0].enrollments


def test_answering_a_custom_question_enrolls_it(at_question_step: Person, org: OrgHandle) -> None:
    at_question_step.picks("Create my own security question")
    at_question_step.fills_and_presses({"credentials.question": "Name of my boat?", "credentials.answer": "Kestrel"})
    assert at_question_step.is_signed_in
    assert "security_question" in org.users[0].enrollments


def test_an_empty_custom_question_is_an_error_beside_its_field(at_question_step: Person) -> None:
    at_question_step.picks("Create my own security question").fills_and_presses({"credentials.answer": "Kestrel"})
    assert at_question_step.page.beside("credentials.question") != []
    assert not at_question_step.is_signed_in


def test_an_answer_that_is_too_short_shows_the_error_of_the_org(at_question_step: Person) -> None:
    at_question_step.fills_and_presses({"credentials.answer": "ok"})
    assert at_question_step.page.problems() != []
    assert at_question_step.heading == "Set up a security question"


def test_an_optional_question_can_be_enrolled_and_the_other_authenticators_skipped(
    person: Person, org: OrgHandle
) -> None:
    enrolls_email_and_password_with(person, org, security_question="optional", google_otp="optional")
    person.chooses("Security Question").fills_and_presses({"credentials.answer": "Okra stew"})
    assert person.presses("Skip for now").is_signed_in
    assert set(org.users[0].enrollments) == {"okta_email", "okta_password", "security_question"}
    assert {person.email, "Ada Lovelace"} <= set(person.page.cells())


def test_an_optional_question_can_be_skipped(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password_with(person, org, security_question="optional").presses("Skip for now")
    assert person.is_signed_in


def test_the_passkey_page_without_javascript_explains_that_and_offers_other_methods(
    person: Person, org: OrgHandle
) -> None:
    enrolls_email_and_password_with(person, org, webauthn="optional", security_question="optional")
    person.chooses("Passkey")
    assert "Passkeys need JavaScript." in person.page.text
    assert person.presses("Choose a different method").heading == "Set up a security question"
    assert person.presses("Skip for now").is_signed_in


def test_an_authenticator_app_is_enrolled_with_the_key_shown_on_the_page(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password_with(person, org, google_otp="required").chooses("Google Authenticator")
    page = person.seen[-1].body
    secret = re.search(r'class="code-like"[^>]*>\s*([A-Z2-7 ]+?)\s*<', page)
    assert secret
    key = secret[1].replace(" ", "")
    uri = f"otpauth://totp/Demo%20site:{person.email.replace('@', '%40')}?secret={key}&issuer=Demo+site"
    assert qr_path(segno.make(uri, error="m").svg_inline(border=2)) in page
    person.fills_and_presses({"credentials.passcode": "000000"})
    assert person.heading == "Set up your authenticator app"
    assert person.page.beside("credentials.passcode") != []
    person.fills_and_presses({"credentials.passcode": code_at(key, time.time())})
    assert person.is_signed_in
    assert "google_otp" in org.users[0].enrollments
