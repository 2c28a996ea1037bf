"""Embedded sign-in: identify, second factor, missing enrollments, expired passwords, recovery and lockout."""

import re
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.factors.totp import code_at
from support.local_org.org_journey import ADA, PASSWORD, Journey
from support.local_org.security_key import SecurityKey

PHONE = "+14155550100"
TWO = {"sign_on": "password_and_another"}
SITE = "http://127.0.0.1:8000"


@pytest.fixture
def ada(journey: Journey) -> Journey:
    """A user with email and password."""
    return journey.signed_up()


def enroll_phone(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    ada.sign_in().choose("Phone", methodType="sms", phoneNumber=PHONE)
    ada.answer(org.code(PHONE))


def current_enrollment(journey: Journey) -> dict[str, Any]:
    value: dict[str, Any] = journey.document["currentAuthenticatorEnrollment"]["value"]
    return value


# ---- the password


def test_one_factor_is_enough_by_default(ada: Journey) -> None:
    ada.sign_in()
    assert ada.claims["amr"] == ["pwd"]


@pytest.mark.parametrize("identifier", [ADA["email"], "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_user_have_the_same_error(ada: Journey, identifier: str) -> None:
    ada.begin().take("identify", identifier=identifier, credentials={"passcode": "Wrong-horse-7"})
    assert (ada.status, ada.keys) == (401, ["errors.E0000004"])
    assert ada.steps[0] == "identify"
    ada.take("identify", identifier=ADA["email"], credentials={"passcode": PASSWORD})
    assert "successWithInteractionCode" in ada.document


def test_a_staged_user_is_refused(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    journey.registered().set_password()
    journey.sign_in()
    assert (journey.status, journey.keys) == (401, ["errors.E0000004"])


# ---- the second factor


def test_the_second_factor_can_be_an_email_code(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy(TWO)
    ada.sign_in()
    assert (ada.steps, ada.offered) == (["select-authenticator-authenticate"], ["Email"])
    ada.choose_challenge("Email")
    assert ada.steps == ["challenge-authenticator", "select-authenticator-authenticate"]
    assert current_enrollment(ada)["profile"] == {"email": "a***a@example.com"}
    assert org.messages(ADA["email"])[0].template == "Email Challenge"
    ada.answer_challenge("000000x")
    assert (ada.status, ada.keys, ada.steps[0]) == (
        401,
        ["api.authn.error.PASSCODE_INVALID"],
        "challenge-authenticator",
    )
    ada.answer_challenge(org.code(ADA["email"]))
    assert ada.claims["amr"] == ["pwd", "otp"]


def test_a_resent_code_replaces_the_old_one(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy(TWO)
    ada.sign_in().choose_challenge("Email")
    first = org.code(ADA["email"])
    ada.act("resend")
    page = ada.document
    ada.answer_challenge(first)
    assert ada.status == 401
    ada.document = page
    ada.answer_challenge(org.code(ADA["email"]))
    assert "successWithInteractionCode" in ada.document


def test_the_link_of_the_email_continues_the_polling_page(org: OrgHandle, ada: Journey) -> None:
    apps = [{**app, "email_callback_uri": None} for app in policy_apps(org)]
    org.patch_policy({**TWO, "apps": apps, "email_link_page": "return_to_tab"})
    ada.sign_in().choose_challenge("Email")
    ada.act("poll")
    assert ada.steps[0] == "challenge-authenticator"
    code_page = ada.document
    page = requests.get(str(org.messages(ADA["email"])[0].link), timeout=60)
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token
    confirmed = requests.post(page.url, data={"token": token[1], "consent": "true"}, timeout=60)
    assert "Return to the original tab" in confirmed.text
    ada.document = code_page
    ada.act("poll")
    assert ada.claims["amr"] == ["pwd", "otp"]


def policy_apps(org: OrgHandle) -> list[dict[str, Any]]:
    apps: list[dict[str, Any]] = requests.get(org.base + "/_devorg/policy", timeout=60).json()["apps"]
    return apps


def test_the_second_factor_can_be_a_phone_after_choosing_the_method(org: OrgHandle, ada: Journey) -> None:
    enroll_phone(org, ada)
    org.patch_policy(TWO)
    ada.sign_in()
    assert ada.offered == ["Email", "Phone"]
    before = len(org.messages(PHONE))
    ada.choose_challenge("Phone")
    assert ada.steps[0] == "authenticator-verification-data"
    assert len(org.messages(PHONE)) == before
    fields = ada.document["remediation"]["value"][0]["value"][0]["form"]["value"]
    values = {field["name"]: field["value"] for field in fields if "value" in field}
    assert set(values) == {"id", "enrollmentId"}
    ada.take("authenticator-verification-data", authenticator={**values, "methodType": "voice"})
    assert (current_enrollment(ada)["profile"], current_enrollment(ada)["methods"]) == (
        {"phoneNumber": "+1 XXX-XXX-0100"},
        [{"type": "voice"}],
    )
    assert org.messages(PHONE)[0].channel == "voice"
    ada.answer_challenge(org.code(PHONE))
    assert ada.claims["amr"] == ["pwd", "sms"]


def test_another_second_factor_can_be_chosen(org: OrgHandle, ada: Journey) -> None:
    enroll_phone(org, ada)
    org.patch_policy(TWO)
    ada.sign_in().choose_challenge("Email")
    ada.choose_challenge("Phone", methodType="sms")
    ada.answer_challenge(org.code(ADA["email"]))
    assert ada.status == 401
    ada.answer_challenge(org.code(PHONE))
    assert "successWithInteractionCode" in ada.document


def test_the_second_factor_can_be_an_authenticator_app(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"authenticators": {"google_otp": "required"}})
    ada.sign_in().choose("Google Authenticator")
    secret = ada.document["currentAuthenticator"]["value"]["contextualData"]["sharedSecret"]
    clock = org.org.clock
    ada.answer(code_at(secret, clock.real_time(clock.now())))
    org.patch_policy(TWO)
    ada.sign_in().choose_challenge("Google Authenticator")
    assert "sharedSecret" not in str(ada.document)
    ada.answer_challenge("123")
    assert (ada.status, ada.keys) == (401, ["api.authn.error.PASSCODE_INVALID"])
    ada.answer_challenge(code_at(secret, clock.real_time(clock.now())))
    assert "successWithInteractionCode" in ada.document


def test_the_second_factor_can_be_a_security_question(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"authenticators": {"security_question": "required"}})
    ada.sign_in().choose("Security Question")
    ada.take("enroll-authenticator", credentials={"questionKey": "disliked_food", "answer": "Beetroot"})
    org.patch_policy(TWO)
    ada.sign_in().choose_challenge("Security Question")
    question = current_enrollment(ada)["contextualData"]["enrolledQuestion"]
    assert question == {"questionKey": "disliked_food", "question": "What is the food you least liked as a child?"}
    ada.take("challenge-authenticator", credentials={"questionKey": "disliked_food", "answer": "Chocolate"})
    assert (ada.status, ada.keys) == (400, ["authfactor.challenge.question_factor.answer_invalid"])
    ada.take("challenge-authenticator", credentials={"questionKey": "disliked_food", "answer": "beetroot"})
    assert ada.claims["amr"] == ["pwd", "kba"]


def test_the_second_factor_can_be_a_passkey(org: OrgHandle, ada: Journey) -> None:
    key = SecurityKey(SITE)
    org.patch_policy({"authenticators": {"webauthn": "required"}})
    ada.sign_in().choose("Security Key or Biometric")
    activation = ada.document["currentAuthenticator"]["value"]["contextualData"]["activationData"]
    ada.take("enroll-authenticator", credentials=key.create(activation))
    org.patch_policy(TWO)
    ada.sign_in().choose_challenge("Security Key or Biometric")
    challenge = current_enrollment(ada)["contextualData"]["challengeData"]
    page = ada.document
    ada.take("challenge-authenticator", credentials={**key.get(challenge), "signatureData": "AAAA"})
    assert (ada.status, ada.keys) == (400, ["authfactor.webauthn.error"])
    ada.document = page
    ada.take("challenge-authenticator", credentials=key.get(challenge))
    assert ada.claims["amr"] == ["pwd", "hwk"]


@pytest.mark.parametrize("chosen", [None, [], {}, {"id": 7}, {"id": "autLocalPhone0000001"}, {"id": "nonsense"}])
def test_an_authenticator_that_is_not_enrolled_cannot_be_chosen(org: OrgHandle, ada: Journey, chosen: object) -> None:
    org.patch_policy(TWO)
    ada.sign_in().take("select-authenticator-authenticate", authenticator=chosen)
    assert (ada.status, ada.keys) == (400, ["E0000020"])


def test_a_correct_code_is_refused_after_too_many_wrong_codes(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy(TWO)
    ada.sign_in().choose_challenge("Email")
    for _ in range(5):
        ada.answer_challenge("000000x")
    ada.answer_challenge(org.code(ADA["email"]))
    assert (ada.status, ada.keys) == (429, ["tooManyRequests"])


def test_second_factor_steps_are_refused_before_the_first_factor(org: OrgHandle, ada: Journey) -> None:
    handle = ada.begin().document["stateHandle"]
    for path in ("challenge", "challenge/answer", "challenge/resend", "unlock-account"):
        ada.post(f"{org.base}/idp/idx/{path}", {"stateHandle": handle, "credentials": {"passcode": "1"}})
        assert ada.status == 403, path


# ---- the username first


def test_identifier_first_asks_for_the_password_on_a_second_page(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"identifier_first": True})
    ada.begin()
    fields = [field["name"] for field in ada.document["remediation"]["value"][0]["value"]]
    assert fields == ["identifier", "rememberMe", "stateHandle"]
    ada.take("identify", identifier="nobody@example.com")
    assert (ada.status, ada.keys, ada.steps[0]) == (200, ["idx.unknown.user"], "identify")
    ada.take("identify", identifier=ADA["email"])
    assert ada.steps == ["challenge-authenticator", "select-authenticator-authenticate"]
    assert current_enrollment(ada)["key"] == "okta_password"
    ada.answer_challenge("Wrong-horse-7")
    assert (ada.status, ada.keys) == (401, ["incorrectPassword"])
    ada.choose_challenge("Email")
    ada.answer_challenge(org.code(ADA["email"]))
    assert ada.claims["amr"] == ["otp"]


# ---- what must be there and is not


def test_an_authenticator_that_became_required_is_enrolled_at_sign_in(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required", "security_question": "optional"}})
    ada.sign_in()
    assert (ada.steps, ada.offered) == (["select-authenticator-enroll"], ["Phone"])
    ada.choose("Phone", methodType="sms", phoneNumber=PHONE)
    ada.answer(org.code(PHONE))
    assert "successWithInteractionCode" in ada.document
    assert len(org.messages(ADA["email"])) == 1


def test_a_user_created_by_an_administrator_can_sign_in(org: OrgHandle, journey: Journey) -> None:
    profile = {"profile": {**ADA, "login": ADA["email"]}, "credentials": {"password": {"value": PASSWORD}}}
    headers = {"Authorization": f"SSWS {org.policy.api_token}"}
    assert requests.post(org.base + "/api/v1/users", json=profile, headers=headers, timeout=60).status_code == 200
    journey.sign_in()
    assert "successWithInteractionCode" in journey.document


# ---- a password too old


def api(org: OrgHandle, path: str, **query: str) -> requests.Response:
    headers = {"Authorization": f"SSWS {org.policy.api_token}"}
    return requests.post(f"{org.base}/api/v1/users/{path}", params=query, headers=headers, timeout=60)


def test_an_expired_password_is_changed_at_sign_in(org: OrgHandle, ada: Journey) -> None:
    assert api(org, f"{ADA['email']}/lifecycle/expire_password").json()["status"] == "PASSWORD_EXPIRED"
    ada.sign_in()
    assert ada.steps == ["reenroll-authenticator"]
    assert "settings" in ada.document["currentAuthenticator"]["value"]
    ada.take("reenroll-authenticator", credentials={"passcode": PASSWORD})
    assert (ada.status, ada.keys) == (400, ["password.passwordRequirementsNotMet"])
    ada.take("reenroll-authenticator", credentials={"passcode": "Another-horse-8"})
    assert "successWithInteractionCode" in ada.document
    assert org.users[0].status == "ACTIVE"
    ada.sign_in(PASSWORD)
    assert ada.status == 401
    ada.sign_in("Another-horse-8")
    assert "successWithInteractionCode" in ada.document


def test_a_password_expires_by_age(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"password": {"age": {"maxAgeDays": 30}}})
    org.advance(29 * 86400)
    ada.sign_in()
    assert "successWithInteractionCode" in ada.document
    org.advance(2 * 86400)
    ada.sign_in()
    assert ada.steps == ["reenroll-authenticator"]


# ---- a forgotten password


def start_recovery(ada: Journey) -> None:
    ada.begin().act("recover")
    ada.take("identify-recovery", identifier=ADA["email"])


def test_a_forgotten_password_can_be_reset_by_email(org: OrgHandle, ada: Journey) -> None:
    ada.begin().act("recover")
    assert ada.steps == ["identify-recovery"]
    ada.take("identify-recovery", identifier="nobody@example.com")
    assert (ada.status, ada.keys, ada.steps) == (200, ["idx.unknown.user"], ["identify-recovery"])
    ada.take("identify-recovery", identifier=ADA["email"])
    assert (ada.steps, ada.offered) == (["select-authenticator-authenticate"], ["Email"])
    assert ada.document["recoveryAuthenticator"]["value"]["key"] == "okta_password"
    ada.choose_challenge("Email")
    assert org.messages(ADA["email"])[0].template == "Forgot Password"
    ada.answer_challenge(org.code(ADA["email"]))
    assert ada.steps == ["reset-authenticator"]
    ada.take("reset-authenticator", credentials={"passcode": "short"})
    assert (ada.status, ada.keys) == (400, ["password.passwordRequirementsNotMet"])
    ada.take("reset-authenticator", credentials={"passcode": "Another-horse-8"})
    assert ada.claims["amr"] == ["otp", "pwd"]
    ada.sign_in("Another-horse-8")
    assert "successWithInteractionCode" in ada.document


def test_recovery_can_start_from_the_password_page(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"identifier_first": True})
    ada.begin().take("identify", identifier=ADA["email"])
    ada.act("recover")
    assert (ada.steps, ada.offered) == (["select-authenticator-authenticate"], ["Email"])


def test_recovery_requires_phone_and_security_question_if_configured(org: OrgHandle, ada: Journey) -> None:
    enroll_phone(org, ada)
    org.patch_policy({"authenticators": {"security_question": "required"}})
    ada.sign_in().choose("Security Question")
    question = {"questionKey": "custom", "question": "Which horse was correct?", "answer": "The old grey"}
    ada.take("enroll-authenticator", credentials=question)
    recovery = {"authenticators": ["okta_email", "phone_number"], "security_question": True}
    org.patch_policy({"password": {"recovery": recovery}})
    start_recovery(ada)
    assert ada.offered == ["Email", "Phone"]
    ada.choose_challenge("Phone", methodType="sms")
    ada.answer_challenge(org.code(PHONE))
    assert ada.offered == ["Security Question"]
    ada.choose_challenge("Security Question")
    ada.take("challenge-authenticator", credentials={"questionKey": "custom", "answer": "the old grey"})
    assert ada.steps == ["reset-authenticator"]


def test_recovery_and_the_new_password_count_as_two_factors(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy(TWO)
    start_recovery(ada)
    ada.choose_challenge("Email")
    ada.answer_challenge(org.code(ADA["email"]))
    ada.take("reset-authenticator", credentials={"passcode": "Another-horse-8"})
    assert "successWithInteractionCode" in ada.document


def test_a_password_reset_can_end_all_other_sessions(org: OrgHandle, ada: Journey) -> None:
    sid = org.org.sign_ins.start_session(org.users[0].id, ("pwd",), 7200)
    start_recovery(ada)
    ada.choose_challenge("Email")
    ada.answer_challenge(org.code(ADA["email"]))
    ada.take("reset-authenticator", credentials={"passcode": "Another-horse-8", "revokeSessions": True})
    assert org.org.sign_ins.find_session(sid) is None


def test_recovery_can_be_disabled(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"password": {"recovery": {"reset": False}}})
    handle = ada.begin().document["stateHandle"]
    assert "recover" not in ada.document["currentAuthenticator"]["value"]
    ada.post(org.base + "/idp/idx/recover", {"stateHandle": handle})
    assert ada.status == 403


def test_a_reset_by_an_administrator_is_completed_with_a_recovery_token(org: OrgHandle, ada: Journey) -> None:
    url = api(org, f"{ADA['email']}/lifecycle/reset_password", sendEmail="false").json()["resetPasswordUrl"]
    assert org.users[0].status == "RECOVERY"
    ada.sign_in()
    assert ada.status == 401
    assert ada.interact(recovery_token="nonsense").json()["error_description"] == "The recovery token is invalid"
    ada.begin(recovery_token=url.rpartition("/")[2])
    assert ada.steps == ["reset-authenticator"]
    ada.take("reset-authenticator", credentials={"passcode": "Another-horse-8"})
    assert "successWithInteractionCode" in ada.document
    assert org.users[0].status == "ACTIVE"


def test_a_reset_by_an_administrator_is_completed_on_the_orgs_own_page(org: OrgHandle, ada: Journey) -> None:
    api(org, f"{ADA['email']}/lifecycle/reset_password")
    mail = org.messages(ADA["email"])[0]
    assert mail.template == "Password Reset"
    url = str(mail.link)
    assert "New password" in requests.get(url, timeout=60).text
    assert "Password requirements" in requests.post(url, data={"password": "short"}, timeout=60).text
    assert "Your password is set" in requests.post(url, data={"password": "Another-horse-8"}, timeout=60).text
    assert requests.get(url, timeout=60).status_code == 400
    ada.sign_in("Another-horse-8")
    assert "successWithInteractionCode" in ada.document


# ---- a locked account


@pytest.fixture
def locked(org: OrgHandle, ada: Journey) -> Journey:
    org.patch_policy({"password": {"lockout": {"maxAttempts": 2}, "recovery": {"unlock": True}}})
    for _ in range(2):
        ada.sign_in("Wrong-horse-7")
    assert org.users[0].status == "LOCKED_OUT"
    return ada


def test_a_locked_account_refuses_the_correct_password(org: OrgHandle, locked: Journey) -> None:
    locked.sign_in()
    assert (locked.status, locked.keys) == (401, ["errors.E0000004"])
    org.patch_policy({"password": {"lockout": {"showLockoutFailures": True}}})
    locked.sign_in()
    assert (locked.status, locked.keys) == (401, ["errors.E0000119"])


def test_a_locked_account_can_be_unlocked_by_email(org: OrgHandle, locked: Journey) -> None:
    locked.begin()
    assert locked.steps == ["identify", "select-enroll-profile", "unlock-account"]
    locked.take("unlock-account")
    assert (locked.steps, locked.offered) == (["select-authenticator-unlock-account"], ["Email"])
    email = locked.option("select-authenticator-unlock-account", "Email")["value"]["form"]["value"][0]["value"]
    chosen = {"authenticator": {"id": email, "methodType": "email"}}
    locked.take("select-authenticator-unlock-account", identifier="nobody@example.com", **chosen)
    assert locked.keys == ["idx.unknown.user"]
    locked.take("select-authenticator-unlock-account", identifier=ADA["email"], **chosen)
    assert locked.steps[0] == "challenge-authenticator"
    assert org.messages(ADA["email"])[0].template == "Self-Service Unlock"
    locked.answer_challenge(org.code(ADA["email"]))
    assert (locked.status, locked.steps, locked.keys) == (200, [], ["selfservice.unlock_user.success.message"])
    locked.sign_in()
    assert "successWithInteractionCode" in locked.document


def test_unlocking_by_phone_requires_an_enrolled_phone(org: OrgHandle, locked: Journey) -> None:
    org.patch_policy({"password": {"recovery": {"authenticators": ["phone_number"]}}})
    locked.begin().take("unlock-account")
    phone = {"id": "autLocalPhone0000001", "methodType": "sms"}
    locked.take("select-authenticator-unlock-account", identifier=ADA["email"], authenticator=phone)
    assert (locked.status, locked.keys) == (400, ["selfservice.unlock_user.failed.message"])


def test_a_password_reset_unlocks_the_account(org: OrgHandle, locked: Journey) -> None:
    start_recovery(locked)
    locked.choose_challenge("Email")
    locked.answer_challenge(org.code(ADA["email"]))
    locked.take("reset-authenticator", credentials={"passcode": "Another-horse-8"})
    assert (org.users[0].status, "successWithInteractionCode" in locked.document) == ("ACTIVE", True)


def test_a_locked_account_is_unlocked_after_a_period_or_by_an_administrator(org: OrgHandle, locked: Journey) -> None:
    org.patch_policy({"password": {"lockout": {"autoUnlockMinutes": 30}}})
    org.advance(1800)
    locked.sign_in()
    assert "successWithInteractionCode" in locked.document
    for _ in range(2):
        locked.sign_in("Wrong-horse-7")
    assert api(org, f"{ADA['email']}/lifecycle/unlock").status_code == 200
    locked.sign_in()
    assert "successWithInteractionCode" in locked.document


# ---- prompts at sign-in


def test_consent_and_keep_me_signed_in_are_prompted_at_sign_in(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({**TWO, "consent": True, "keep_me_signed_in": True})
    ada.sign_in().choose_challenge("Email")
    ada.answer_challenge(org.code(ADA["email"]))
    assert ada.steps == ["consent"]
    ada.take("consent", consent=True)
    assert ada.steps == ["keep-me-signed-in"]
    ada.take("keep-me-signed-in", keepMeSignedIn=True)
    assert "successWithInteractionCode" in ada.document


def test_cancel_discards_the_verified_factors(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy(TWO)
    cancel = ada.sign_in().document["cancel"]
    ada.post(cancel["href"], {"stateHandle": ada.document["stateHandle"]})
    assert ada.steps == ["identify", "select-enroll-profile"]
    assert "user" not in ada.document
