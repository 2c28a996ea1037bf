"""Every step that an org can send: the page has its fields and messages, and a way to continue."""

import json
from collections.abc import Callable

import pytest

from selfreg.models import RateLimitCounter
from selfreg.rate_limits import LIMITS
from support.idx.documents import EMAIL, PHONE, SELECT, array, document, message, profile_field, step, wrapped
from support.idx.scripted_org import FORM, SIGN_IN, ScriptedOrg
from support.idx.situations import (
    CONSENT,
    DUO,
    IDENTIFY,
    PASSKEY,
    QUESTION,
    SECRET_CODE,
    SIGN_UP,
    SITUATIONS,
    SKIP,
    TOKEN,
    Situation,
    challenging,
    choice,
    choosing,
    credentials,
    ending,
    enrolling,
    link,
)
from support.page import Page, text
from support.person import Person

PASSWORD = {"type": "password", "key": "okta_password", "id": "autPASSWORD", "displayName": "Password"}
DONE = ending("Enough.", "enough")


def buttons_and_links(page: Page) -> list[str]:
    return [text(e) for tag in ("button", "a") for e in page.all(tag)]


def opens_situation(ada: Person, scripted: ScriptedOrg, situation: Situation) -> Page:
    scripted.answers_with(situation.document, status=situation.status)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email}, "Sign up")
    return ada.page


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda s: s.name)
def test_the_page_has_the_fields_and_messages_of_the_org_and_a_way_to_continue(
    ada: Person, scripted: ScriptedOrg, situation: Situation
) -> None:
    page = opens_situation(ada, scripted, situation)
    assert ada.status == 200
    assert page.heading == situation.heading
    assert page.names() == list(situation.names)
    assert [words for words in situation.says if words not in page.text] == []
    assert [words for words in situation.offers if words not in buttons_and_links(page)] == []
    assert {"Cancel sign-up", "Start again", "Sign in", "I've confirmed my email"} & set(buttons_and_links(page))


@pytest.mark.parametrize("situation", [s for s in SITUATIONS if s.names], ids=lambda s: s.name)
def test_every_field_has_a_label(ada: Person, scripted: ScriptedOrg, situation: Situation) -> None:
    page = opens_situation(ada, scripted, situation)
    assert [c.name for f in page.forms for c in f.controls if not c.hidden and not c.label] == []


def test_a_choice_offers_only_supported_authenticators(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(choosing(EMAIL, DUO, TOKEN))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert [c.label for c in ada.form.find("authenticator.id")] == ["Email", "RSA SecurID"]


def test_a_challenge_with_a_password_has_one_field(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(challenging(PASSWORD, credentials(SECRET_CODE)), DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    (control,) = ada.form.find("credentials.passcode")
    assert (control.type, control.attributes["autocomplete"]) == ("password", "current-password")
    ada.fills_and_presses({"credentials.passcode": " mine "})
    assert scripted.body["credentials"] == {"passcode": " mine "}


def test_fields_of_the_same_object_are_sent_together(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(document(step("profile-update", profile_field("boat"), profile_field("berth"))), DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.fills_and_presses({"userProfile.boat": "Ketch", "userProfile.berth": "7"})
    assert scripted.body["userProfile"] == {"boat": "Ketch", "berth": "7"}


def test_an_authenticator_chosen_for_a_challenge_is_sent_by_its_id(ada: Person, scripted: ScriptedOrg) -> None:
    selection, authenticators = choice(EMAIL, PHONE, name="select-authenticator-authenticate")
    scripted.answers_with(document(selection, authenticators=authenticators), DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.picks("Phone").presses("Continue")
    assert scripted.body["authenticator"] == {"id": "autPHONE"}


def test_the_second_enrollment_of_an_authenticator_is_sent_with_its_enrollment_id(
    ada: Person, scripted: ScriptedOrg
) -> None:
    (phones,) = [s for s in SITUATIONS if s.name == "which of one's own, two of a kind"]
    scripted.answers_with(phones.document, DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.picks("Phone +1 XXX-XXX-5310").presses("Continue")
    assert scripted.body["authenticator"] == {"id": "autPHONE", "enrollmentId": "pae1"}


def test_a_hidden_preset_is_sent_back(ada: Person, scripted: ScriptedOrg) -> None:
    key = {"name": "questionKey", "required": True, "value": "harbour", "visible": False}
    scripted.answers_with(challenging(QUESTION, credentials(key, {"name": "answer", "label": "First harbour?"})), DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.fills_and_presses({"credentials.answer": "Oban"})
    assert scripted.body["credentials"] == {"questionKey": "harbour", "answer": "Oban"}


def test_a_question_is_shown_once(ada: Person, scripted: ScriptedOrg) -> None:
    holder = {**QUESTION, "profile": {"question": "First harbour?"}}
    scripted.answers_with(challenging(holder, credentials({"name": "answer", "label": "First harbour?"})))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.page.text.count("First harbour?") == 1


def test_a_challenge_with_a_passkey_has_its_credential_id(ada: Person, scripted: ScriptedOrg) -> None:
    challenge = {**PASSKEY, "contextualData": {"challengeData": {"challenge": "YWJj", "rpId": "boats.example"}}}
    known = {**PASSKEY, "credentialId": "a2V5"}
    page = challenging(challenge, credentials({"name": "signatureData", "required": True, "visible": False}))
    scripted.answers_with({**page, "authenticatorEnrollments": array(known, EMAIL)}, DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    (script,) = [e for e in ada.page.all("script") if ("id", "passkey-activation") in e.attributes]
    assert json.loads("".join(map(str, script.children))) == {
        "challenge": "YWJj",
        "rpId": "boats.example",
        "allowCredentials": [{"type": "public-key", "id": "a2V5"}],
    }
    hidden = {c.name: c.value for f in ada.page.forms for c in f.controls if c.name in ("step", "registration")}
    ada.posts("/signup/step/", hidden | {"credentials.signatureData": "c2ln"})
    assert scripted.body["credentials"] == {"signatureData": "c2ln"}


def test_a_boolean_option_is_sent_as_a_boolean(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(document(step("consent", CONSENT, path="/idp/idx/consent")), DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.picks("Don't allow").presses("Continue")
    assert scripted.sent[-1][0] == "/idp/idx/consent"
    assert scripted.body["consent"] is False


def test_a_code_of_a_token_has_a_text_keyboard(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(enrolling(TOKEN))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.form.find("credentials.passcode")[0].attributes["inputmode"] == "text"


@pytest.mark.parametrize("idp", [{"idp": {"id": "IDV_CLEAR", "name": "CLEAR"}}, {}])
def test_a_redirect_step_redirects_the_browser_and_makes_no_call(
    ada: Person, scripted: ScriptedOrg, idp: dict[str, object]
) -> None:
    scripted.answers_with(document(link("redirect-idverify", **idp)))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    sent = len(scripted.sent)
    hidden = {c.name: c.value for form in ada.page.forms for c in form.controls if c.name in ("step", "registration")}
    ada.posts("/signup/step/", hidden)
    assert len(scripted.sent) == sent
    (value,) = [value for form in ada.page.forms for name, value, _ in form.buttons if value.startswith("idp:")]
    answer = ada.browser.post("/signup/step/", hidden | {"action": value, **token(ada)})
    assert answer["Location"].startswith("https://dev-1.example.com/")


def token(ada: Person) -> dict[str, str]:
    return {"csrfmiddlewaretoken": ada.browser.cookies["csrftoken"].value}


@pytest.mark.parametrize("consent", [True, False])
def test_granular_consent_sends_every_scope(ada: Person, scripted: ScriptedOrg, consent: bool) -> None:
    (scopes,) = [s for s in SITUATIONS if s.name == "consent to each scope"]
    scripted.answers_with(scopes.document, DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.left_out.add("optedScopes.boats.read")
    ada.picks("Allow" if consent else "Don't allow").presses("Continue")
    assert scripted.body["optedScopes"] == {"openid": True, "boats.read": False}
    assert scripted.body["consent"] is consent


# ---- the sign-in page and what is on it


@pytest.mark.parametrize(
    "beside",
    [
        step("device-challenge-poll", path="/idp/idx/authenticators/poll"),
        step(
            "challenge-webauthn-autofillui-authenticator", credentials({"name": "authenticatorData", "visible": False})
        ),
        link("redirect-idp", type="GOOGLE", idp={"id": "0oa1", "name": "Google"}),
    ],
    ids=lambda s: s["name"],
)
def test_remediations_of_the_sign_in_page_are_skipped_for_the_sign_up(
    ada: Person, scripted: ScriptedOrg, beside: dict[str, object]
) -> None:
    scripted.starts_with(document(beside, IDENTIFY, SIGN_UP))
    assert ada.opens("/signup/").page.names() == ["userProfile.email"]


@pytest.mark.parametrize("name", ["device-challenge-poll", "device-apple-sso-extension"])
def test_a_device_probe_is_cancelled_with_the_reason_of_the_widget(
    ada: Person, scripted: ScriptedOrg, name: str
) -> None:
    reason = {"name": "reason", "required": False, "visible": False}
    cancel = step("cancel-polling", reason, path="/idp/idx/authenticators/poll/cancel")
    probe = document(
        step(name, path="/idp/idx/authenticators/poll"), authenticatorChallenge=wrapped({"cancel": cancel})
    )
    scripted.starts_with(probe).answers_with(SIGN_IN)
    assert ada.opens("/signup/").page.names() == ["userProfile.email"]
    ((path, body),) = scripted.sent
    assert path == "/idp/idx/authenticators/poll/cancel"
    assert body == {"reason": "OV_UNREACHABLE_BY_LOOPBACK", "stateHandle": "02canaryStateHandle"}


@pytest.mark.parametrize(
    ("more", "path"),
    [
        (
            {"authenticatorChallenge": {"cancel": step("cancel-polling", path="/idp/idx/probe/end")}},
            "/idp/idx/probe/end",
        ),
        ({"authenticatorChallenge": wrapped({"challengeMethod": "LOOPBACK"})}, "/idp/idx/authenticators/poll/cancel"),
        ({}, "/idp/idx/authenticators/poll/cancel"),
    ],
    ids=["not wrapped", "no cancel", "no challenge"],
)
def test_a_device_probe_is_cancelled_with_or_without_a_cancel_link(
    ada: Person, scripted: ScriptedOrg, more: dict[str, object], path: str
) -> None:
    scripted.starts_with(document(step("device-challenge-poll"), **more)).answers_with(SIGN_IN)
    assert ada.opens("/signup/").page.names() == ["userProfile.email"]
    assert [sent for sent, _ in scripted.sent] == [path]


def test_a_page_that_only_waits_polls(ada: Person, scripted: ScriptedOrg) -> None:
    (waiting,) = [s for s in SITUATIONS if s.name == "maintenance that the org asks to wait for"]
    scripted.answers_with(waiting.document)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert 'data-poll="10000"' in ada.page.html


def test_a_device_probe_with_a_cancel_step_is_cancelled_by_that_step(ada: Person, scripted: ScriptedOrg) -> None:
    probe = document(step("device-challenge-poll"), step("cancel-polling", path="/idp/idx/probe/end"))
    scripted.starts_with(probe).answers_with(SIGN_IN)
    assert ada.opens("/signup/").page.names() == ["userProfile.email"]
    assert [sent for sent, _ in scripted.sent] == ["/idp/idx/probe/end"]


def test_a_device_probe_that_cannot_be_cancelled_is_unsupported(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.starts_with(document(step("device-challenge-poll")))
    scripted.answers_with({"errorCode": "E0000007", "errorSummary": "Not found"}, status=404)
    assert ada.opens("/signup/").page.heading == "This can't be done here"


def test_a_phone_number_of_an_older_org_is_sent_in_international_format(ada: Person, scripted: ScriptedOrg) -> None:
    (older,) = [s for s in SITUATIONS if s.name.endswith("as older orgs ask for it")]
    scripted.answers_with(older.document, DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    ada.fills({"country": "US"}).fills_and_presses({"phoneNumber": "(202) 555-01234"})
    assert ada.page.beside("phoneNumber")
    ada.fills_and_presses({"phoneNumber": "(202) 555-0123"})
    assert scripted.body["phoneNumber"] == "+12025550123"


def test_a_phone_number_of_an_older_org_has_the_same_country_and_rate_limits(
    ada: Person, scripted: ScriptedOrg, configure: Callable[..., None]
) -> None:
    (older,) = [s for s in SITUATIONS if s.name.endswith("as older orgs ask for it")]
    configure(PHONE_COUNTRIES=["AT"])
    scripted.answers_with(older.document, DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    sent, counters = len(scripted.sent), RateLimitCounter.objects.count()
    ada.fills_and_presses({"country": "US", "phoneNumber": "(202) 555-0123"})
    assert ada.page.beside("phoneNumber")
    assert len(scripted.sent) == sent
    ada.fills_and_presses({"country": "AT", "phoneNumber": "0664 1234567"})
    assert len(scripted.sent) == sent + 1
    assert RateLimitCounter.objects.count() - counters > len([name for name in LIMITS if name.startswith("text")])


def test_an_unticked_checkbox_stays_unticked_when_the_page_is_shown_again(ada: Person, scripted: ScriptedOrg) -> None:
    box = {"name": "news", "label": "Send me news", "type": "boolean", "value": True}
    page = document(step("odd-step", box))
    scripted.answers_with(page, {**page, "messages": array(message("Wait for the tide."))})
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert "checked" in ada.page.html
    ada.left_out = {"news"}
    ada.presses("Continue")
    assert "Wait for the tide." in ada.page.text
    assert "checked" not in ada.page.html


def test_a_device_probe_is_cancelled_only_once(ada: Person, scripted: ScriptedOrg) -> None:
    cancel = step("cancel-polling", path="/idp/idx/authenticators/poll/cancel")
    probe = document(step("device-challenge-poll"), authenticatorChallenge=wrapped({"cancel": cancel}))
    scripted.starts_with(probe).answers_with(probe)
    ada.opens("/signup/")
    assert len(scripted.sent) == 1


def test_a_sign_in_page_without_sign_up_shows_the_message_of_the_org(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.starts_with(document(IDENTIFY, messages=array(message("The harbour is closed."))))
    page = ada.opens("/signup/").page
    assert page.heading == "Sign-up isn't available"
    assert "The harbour is closed." in page.text
    assert {"Try again", "Sign in"} <= set(buttons_and_links(page))


def test_a_transaction_that_starts_with_the_profile_form_makes_no_call_for_it(
    ada: Person, scripted: ScriptedOrg
) -> None:
    scripted.starts_with(FORM)
    assert ada.opens("/signup/").page.names() == ["userProfile.email"]


def test_skip_and_select_before_the_step_are_not_taken_for_the_step(ada: Person, scripted: ScriptedOrg) -> None:
    email = enrolling(EMAIL)
    steps = [SKIP, SELECT, *email["remediation"]["value"]]
    scripted.answers_with(
        {**email, "remediation": array(*steps[:1], *steps[2:], steps[1]), "authenticators": array(EMAIL, PHONE)}
    )
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "Check your email"
    assert {"Skip for now", "Choose a different method"} <= set(buttons_and_links(ada.page))


def test_a_repeated_message_is_shown_once(ada: Person, scripted: ScriptedOrg) -> None:
    notice = message("Bad boat.", "boat.bad")
    field = profile_field("boat", messages=array(notice, notice))
    scripted.answers_with(document(step("enroll-profile", field), messages=array(notice)), status=400)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.page.beside("userProfile.boat") == ["Bad boat."]
    assert len(ada.page.problems()) == 1


def test_an_info_message_about_a_field_is_a_notice(ada: Person, scripted: ScriptedOrg) -> None:
    notice = message("Boats are inspected.", "boats", None, "INFO")
    scripted.answers_with(document(step("profile-update", profile_field("boat", messages=array(notice)))))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert (ada.page.problems(), ada.page.notices()) == ([], ["Boats are inspected."])


SAILS = [{"label": "Red", "value": "r"}, {"label": "Blue", "value": "b"}]


@pytest.mark.parametrize(
    ("display", "preset"),
    [
        ({"inputType": "select", "format": "timezone"}, "US/Eastern"),
        ({"inputType": "select", "format": "country-code"}, "XK"),
        ({"inputType": "select", "format": "country-code"}, "AN"),
        ({"inputType": "select", "options": SAILS}, "patched"),
        ({"inputType": "radio", "options": SAILS}, "patched"),
    ],
)
def test_a_preset_outside_the_options_is_kept(
    ada: Person, scripted: ScriptedOrg, display: dict[str, object], preset: str
) -> None:
    shown = [{"label": "display", "value": {"type": "object", "value": display}}]
    boat = profile_field("boat", value=preset, required=True, options=shown)
    scripted.answers_with(document(step("profile-update", boat)), DONE)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email}).presses("Save")
    assert scripted.body["userProfile"] == {"boat": preset}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("a push that can be sent again", "Send again"),
        ("Okta Verify by mail", "Send a new link"),
        ("phone code", "Resend code"),
    ],
)
def test_the_resend_button_has_the_same_label_on_the_page_and_in_the_api(
    ada: Person, scripted: ScriptedOrg, name: str, label: str
) -> None:
    (situation,) = [s for s in SITUATIONS if s.name == name]
    assert label in buttons_and_links(opens_situation(ada, scripted, situation))
    actions = ada.browser.get("/signup/api/step/").json()["step"]["actions"]
    assert {"name": "resend", "label": label} in actions


def test_a_message_about_a_hidden_field_is_shown_in_the_error_summary(ada: Person, scripted: ScriptedOrg) -> None:
    token = {"name": "captchaToken", "required": True, "visible": False, "hint": "captcha"}
    check = {"name": "captchaVerify", "form": {"value": [{**token, "messages": array(message("Are you a person?"))}]}}
    scripted.answers_with(
        document(
            step("enroll-profile", profile_field("boat"), check),
            captcha=wrapped({"id": "cap1", "siteKey": "key", "type": "HCAPTCHA"}),
        ),
        status=400,
    )
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.page.problems() == ["Are you a person?"]


def test_a_captcha_without_a_site_key_shows_an_error_and_no_submit_button(ada: Person, scripted: ScriptedOrg) -> None:
    token = {"name": "captchaToken", "required": True, "visible": False, "hint": "captcha"}
    check = {"name": "captchaVerify", "form": {"value": [token]}}
    form = document(
        step("enroll-profile", profile_field("boat"), check), captcha=wrapped({"id": "1", "type": "HCAPTCHA"})
    )
    scripted.answers_with(form, status=400)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.page.text.count("can't show a check") == 1
    assert not {"Sign up", "Save", "Continue"} & set(buttons_and_links(ada.page))
    assert "Cancel sign-up" in buttons_and_links(ada.page)
    assert "hcaptcha.com" not in ada.page.html


def test_the_sign_in_page_as_an_answer_ends_the_sign_up(ada: Person, scripted: ScriptedOrg) -> None:
    scripted.answers_with(SIGN_IN)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "We couldn't finish your sign-up"
    assert ada.page.names() == []


def test_mandatory_verification_with_only_a_skip_is_unsupported(
    ada: Person, scripted: ScriptedOrg, configure: Callable[..., None]
) -> None:
    """An org in safe mode enrolls no authenticators, and the address must be verified first (T12)."""
    configure(EMAIL_VERIFICATION="mandatory")
    closed = message("Set up is closed for maintenance.", "x.closed")
    scripted.answers_with(document(SKIP, authenticators=array(EMAIL), messages=array(closed)))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.heading == "This can't be done here"
    assert "Set up is closed for maintenance." in ada.page.text
    submitted = len(scripted.sent)
    for forged in ({}, {"action": "skip"}):
        hidden = {
            c.name: c.value for form in ada.page.forms for c in form.controls if c.name in ("step", "registration")
        }
        ada.posts("/signup/step/", hidden | forged)
    assert len(scripted.sent) == submitted
