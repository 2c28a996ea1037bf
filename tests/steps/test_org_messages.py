"""Messages of the org, with or without a step, are shown to the visitor."""

from typing import Any

import pytest

from okta_devorg import OrgHandle
from okta_devorg.idx.documents import document as documents_of_the_org
from okta_devorg.state.transactions import Step
from selfreg.models import Registration
from selfreg.monitoring.log import fields_of
from support.idx.documents import EMAIL, PASSWORD, POLL, RESEND, array, document, message, profile_field, step, wrapped
from support.idx.scripted_org import FORM, ISSUER, ScriptedOrg
from support.idx.situations import choosing, credentials, ending, enrolling, link
from support.page import text
from support.person import Person

pytestmark = pytest.mark.database

BOAT = document(step("profile-update", profile_field("boat"), path="/idp/idx/enroll/update"))


def with_message(text: str, severity: str) -> dict[str, object]:
    return {**BOAT, "messages": {"type": "array", "value": [message(text, "words", None, severity)]}}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (500, {"message": "The mast broke."}, "AnswerLost The mast broke."),
        (500, {"errorCode": "E0000009", "errorSummary": "The mast broke."}, "AnswerLost The mast broke."),
        (429, {"errorCode": "E0000047", "errorSummary": "The mast broke."}, "RateLimited The mast broke."),
        (403, {"errorCode": "E0000006", "errorSummary": "The mast broke."}, "OrgRefused E0000006"),
    ],
    ids=str,
)
def test_an_error_outside_idx_is_in_the_event_and_not_on_the_page(
    ada: Person, scripted: ScriptedOrg, status: int, body: dict[str, str], outcome: str
) -> None:
    scripted.answers_with(body, status=status)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.path == "/signup/step/"
    assert "The mast broke." not in ada.page.text
    assert len(ada.page.all("div", "error-summary")) == 1
    assert outcome in [event.outcome for event in Registration.objects.get().events.all()]


def test_an_expired_session_shows_the_text_of_this_site(ada: Person, scripted: ScriptedOrg) -> None:
    expired = {
        "version": "1.0.0",
        "messages": {"type": "array", "value": [message("You drifted off.", "idx.session.expired")]},
    }
    scripted.answers_with(expired, status=401)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "Your session timed out"
    assert "You drifted off." not in ada.page.text


def test_an_answer_with_the_same_page_shows_an_error(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(BOAT, with_message("Boats are inspected.", "INFO"))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.page.problems() == []
    ada.fills_and_presses({"userProfile.boat": "Ketch"})
    assert ada.page.problems() == ["We need this again. Check it, then continue."]
    assert "Boats are inspected." in ada.page.notices()


def test_a_success_redirect_shows_that_the_account_is_ready(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(document(link("success-redirect"), user={"type": "object", "value": {"id": "00u1"}}))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "Your account is ready"


def test_a_code_answered_by_the_same_page_does_not_verify_the_address(ada: Person, scripted: ScriptedOrg) -> None:
    code_page = enrolling(EMAIL)
    scripted.answers_with(code_page, code_page)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.fills_and_presses({"credentials.passcode": "000000"})
    assert ada.heading == "Check your email"
    assert Registration.objects.get().email_verified_at is None


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_cause_of_a_refusal_is_shown_in_every_language(scripted: ScriptedOrg, language: str) -> None:
    cause = {"errorSummary": "login: The berth is taken."}
    refusal = {"errorCode": "E0000001", "errorSummary": "Api validation failed: login.", "errorCauses": [cause]}
    scripted.answers_with(refusal, status=400)
    ada = Person(language=language).opens("/signup/").fills_and_presses({"userProfile.email": "ada@example.com"})
    assert "login: The berth is taken." in ada.page.text
    assert "Api validation failed" not in ada.page.text


@pytest.mark.parametrize("causes", [[], [{"errorSummary": "Registration cannot be completed at this time"}]])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_refusal_without_a_readable_cause_shows_the_text_of_this_site(
    scripted: ScriptedOrg, language: str, causes: list[dict[str, str]]
) -> None:
    summary = "Api validation failed: null"
    scripted.answers_with({"errorCode": "E0000001", "errorSummary": summary, "errorCauses": causes}, status=400)
    ada = Person(language=language).opens("/signup/").fills_and_presses({"userProfile.email": "ada@example.com"})
    assert len(ada.page.problems()) == 1
    assert "Api validation" not in ada.page.text
    assert "cannot be completed" not in ada.page.text


@pytest.mark.parametrize("key", ["E0000001", "E0000009", "E0000020"])
@pytest.mark.parametrize("status", [400, 500])
def test_the_end_page_does_not_show_technical_messages(
    ada: Person, scripted: ScriptedOrg, key: str, status: int
) -> None:
    words = "Api validation failed: null"
    scripted.answers_with(ending(words, key), status=status)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert words not in ada.page.text
    assert len(notices(ada) or ada.page.problems()) == 1


def test_a_choice_with_a_message_of_the_org_is_shown(ada: Person, scripted: ScriptedOrg) -> None:
    choice = choosing(EMAIL, messages=array(message("Only mail is taken.", "mail", None, "INFO")))
    scripted.answers_with(choice, ending("Enough.", "enough"))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "Secure your account"
    assert "Only mail is taken." in notices(ada)


def test_a_configuration_error_of_the_org_is_logged_and_not_shown(
    scripted: ScriptedOrg, caplog: pytest.LogCaptureFixture
) -> None:
    words = "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings"
    refusal = {"error": "invalid_request", "error_description": words}
    scripted.mock.replace("POST", f"{ISSUER}/v1/interact", status=400, json=refusal)
    visitor = Person().opens("/signup/")
    assert visitor.heading == "Sign-up isn't available"
    assert "redirect_uri" not in visitor.page.text
    assert words in str([fields_of(record) for record in caplog.records])


def test_links_of_a_message_are_shown_with_it(ada: Person, scripted: ScriptedOrg) -> None:
    urls = [{"label": "Rules of the harbour", "url": "https://harbour.example/rules"}, {"url": "https://quay.example"}]
    links = [*urls, {"label": "Nothing"}]
    scripted.answers_with(document(messages=array({**message("Partners only.", "x"), "links": links})), status=403)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert notices(ada) == ["Partners only. Rules of the harbour: https://harbour.example/rules https://quay.example"]


def test_check_your_email_is_detected_after_another_message(ada: Person, scripted: ScriptedOrg) -> None:
    greeting = message("Welcome to the harbour.", "harbour.welcome", None, "INFO")
    mail = message("To finish signing in, check your email.", "idx.email.verification.required", None, "INFO")
    scripted.answers_with(document(messages=array(greeting, mail), user=wrapped({"id": "00u1"})))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "Check your email"


def test_a_message_beside_a_form_stays_after_an_input_error(ada: Person, scripted: ScriptedOrg) -> None:
    required = document(step("profile-update", profile_field("boat", required=True), path="/idp/idx/enroll/update"))
    scripted.answers_with({**required, "messages": array(message("Boats are inspected.", "words", None, "INFO"))})
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.fills_and_presses({"userProfile.boat": ""})
    assert ada.page.problems() != []
    assert "Boats are inspected." in ada.page.notices()


@pytest.mark.parametrize("visit", ["first", "second"])
def test_a_message_beside_the_profile_form_is_shown_to_every_visitor(scripted: ScriptedOrg, visit: str) -> None:
    closing = message("Sign-up closes at 18:00.", "x.closing", None, "INFO")
    scripted.starts_with({**FORM, "messages": array(closing)})
    person = Person().opens("/signup/")
    if visit == "second":
        person = Person().opens("/signup/")
    assert "Sign-up closes at 18:00." in person.page.notices()


# ---- a password that breaks a rule

LISTED = "Password requirements: at least 8 characters. Your password cannot be your name."
RULES = {"complexity": {"minLength": 8}}


@pytest.mark.parametrize(
    ("language", "rules", "expected"),
    [
        ("en", RULES, "Your password cannot be your name."),
        ("en", None, f"Password requirements were not met. {LISTED}"),
        ("de", RULES, "Your password cannot be your name."),
        ("de", {"complexity": {}}, f"Password requirements were not met. {LISTED}"),
        ("de", None, f"Password requirements were not met. {LISTED}"),
    ],
)
def test_unmet_password_rules_that_are_not_listed_are_shown(
    scripted: ScriptedOrg, language: str, rules: dict[str, object] | None, expected: str
) -> None:
    wrong = message(f"Password requirements were not met. {LISTED}", "password.passwordRequirementsNotMet", [LISTED])
    authenticator = {**PASSWORD, "settings": rules}
    scripted.answers_with(
        enrolling(authenticator, credentials({"name": "passcode", "messages": array(wrong)})), status=400
    )
    ada = Person(language=language).opens("/signup/").fills_and_presses({"userProfile.email": "ada@example.com"})
    assert ada.page.beside("credentials.passcode") == [expected]


# ---- beside an end


LONG = " ".join(f"Sentence {n} about the harbour and its rules." for n in range(30))
GRANTED = document(
    messages=array(message("Your berth is on pier 7.", "berth", None, "INFO")),
    user=wrapped({"id": "00u1"}),
    successWithInteractionCode={
        "name": "issue",
        "href": f"{ISSUER}/v1/token",
        "value": [{"name": "interaction_code", "value": "made-up-code"}],
    },
)


def notices(ada: Person) -> list[str]:
    return [text(e) for box in ada.page.all("div", "notice") for e in ada.page.all("p", within=box)]


def test_the_end_page_shows_all_messages_in_full(ada: Person, scripted: ScriptedOrg) -> None:
    also = message("Ask the harbour master.", "harbour.ask", None, "INFO")
    scripted.answers_with(document(messages=array(message(LONG, "harbour.closed"), also)), status=403)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "We couldn't finish your sign-up"
    assert notices(ada) == [LONG, "Ask the harbour master."]


def test_the_end_page_translates_known_messages_and_shows_others_unchanged(scripted: ScriptedOrg) -> None:
    known = message("Registration is currently unavailable.", "idx.error.registration.unavailable")
    scripted.answers_with(document(messages=array(known, message("Der Hafen ist zu.", "harbour.closed"))), status=403)
    ada = Person(language="de").opens("/signup/").fills_and_presses({"userProfile.email": "ada@example.com"})
    assert notices(ada) == ["Die Registrierung ist zurzeit nicht verfügbar.", "Der Hafen ist zu."]


def test_a_message_of_an_expired_grant_is_shown_on_the_sign_in_page(ada: Person, scripted: ScriptedOrg) -> None:
    refusal = {"error": "invalid_grant", "error_description": "The interaction code is invalid or has expired."}
    scripted.mock.get(f"{ISSUER}/v1/keys", json={"keys": []})
    scripted.mock.post(f"{ISSUER}/v1/token", status=400, json=refusal)
    scripted.answers_with(GRANTED)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "Your account is ready"
    assert notices(ada) == ["Your berth is on pier 7."]


def test_a_message_of_a_grant_is_shown_on_the_page_after_the_sign_up(
    person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = documents_of_the_org.STEPS[Step.SUCCESS]

    def with_message_of_org(*about: Any) -> dict[str, Any]:
        return {**plain(*about), "messages": array(message("Your berth is on pier 7.", "berth", None, "INFO"))}

    monkeypatch.setitem(documents_of_the_org.STEPS, Step.SUCCESS, with_message_of_org)
    person.signs_up(org)
    assert person.is_signed_in
    assert "Your berth is on pier 7." in notices(person)


def test_a_message_of_a_success_redirect_is_shown(ada: Person, scripted: ScriptedOrg) -> None:
    expected = array(message("Your berth is on pier 7.", "berth", None, "INFO"))
    scripted.answers_with(document(link("success-redirect"), messages=expected, user=wrapped({"id": "00u1"})))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert (ada.heading, notices(ada)) == ("Your account is ready", ["Your berth is on pier 7."])


def test_a_step_that_only_polls_shows_its_message_and_polls(ada: Person, scripted: ScriptedOrg) -> None:
    waiting = document(
        step("challenge-poll", path="/idp/idx/challenge/poll", refresh=4000),
        messages=array(message("Wave at the lighthouse.", "wave", None, "INFO")),
        user=wrapped({"id": "00u1"}),
    )
    scripted.answers_with(waiting, waiting, ending("Seen.", "seen"))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert "Wave at the lighthouse." in notices(ada)
    assert 'data-poll="4000"' in ada.page.html
    assert "Wave at the lighthouse." in ada.presses("Check again").page.text
    assert notices(ada.presses("Check again")) == ["Seen."]
    assert {path for path, _body in scripted.sent[1:]} == {"/idp/idx/challenge/poll"}


def test_a_poll_updates_the_poll_interval_and_the_resend_button(ada: Person, scripted: ScriptedOrg) -> None:
    poll = {**POLL, "refresh": 4200}
    scripted.answers_with(
        enrolling({**EMAIL, "poll": poll}), enrolling({**EMAIL, "poll": {**poll, "refresh": 6202}, "resend": RESEND})
    )
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert 'data-poll="4200"' in ada.page.html
    assert "Resend code" not in ada.page.text
    ada.browser.post("/signup/step/", ada.form.data() | {"action": "poll"})
    ada.opens("/signup/step/")
    assert 'data-poll="6202"' in ada.page.html
    assert "Resend code" in ada.page.text


def test_rules_about_earlier_passwords_are_not_shown_at_sign_up(scripted: ScriptedOrg) -> None:
    rules = (
        "Password requirements: at least 8 characters. Your password cannot be any of your last 4 passwords. "
        "At least 2 hour(s) must have elapsed since you last changed your password."
    )
    wrong = message(f"Password requirements were not met. {rules}", "password.passwordRequirementsNotMet", [rules])
    authenticator = {**PASSWORD, "settings": RULES}
    scripted.answers_with(
        enrolling(authenticator, credentials({"name": "passcode", "messages": array(wrong)})), status=400
    )
    ada = Person().opens("/signup/").fills_and_presses({"userProfile.email": "ada@example.com"})
    assert ada.page.beside("credentials.passcode") == ["This password doesn't meet the rules. Choose a different one."]
