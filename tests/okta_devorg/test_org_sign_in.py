"""Embedded sign-in: identify, the second factor the policy asks for, what is missing, a password too old, a lockout."""

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
    """Somebody with e-mail and password."""
    return journey.signed_up()


def with_phone(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    ada.sign_in().choose("Phone", methodType="sms", phoneNumber=PHONE)
    ada.answer(org.code(PHONE))


def held(journey: Journey) -> dict[str, Any]:
    value: dict[str, Any] = journey.document["currentAuthenticatorEnrollment"]["value"]
    return value


# ---- the password


def test_one_factor_is_enough_where_the_policy_says_so(ada: Journey) -> None:
    ada.sign_in()
    assert ada.claims["amr"] == ["pwd"]


@pytest.mark.parametrize("identifier", [ADA["email"], "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_person_look_the_same(ada: Journey, identifier: str) -> None:
    ada.begin().take("identify", identifier=identifier, credentials={"passcode": "Wrong-horse-7"})
    assert (ada.status, ada.keys) == (401, ["errors.E0000004"])
    assert ada.steps[0] == "identify"
    ada.take("identify", identifier=ADA["email"], credentials={"passcode": PASSWORD})
    assert "successWithInteractionCode" in ada.document


def test_somebody_not_yet_active_does_not_get_in(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    journey.registered().set_password()
    journey.sign_in()
    assert (journey.status, journey.keys) == (401, ["errors.E0000004"])


# ---- the second factor


def test_a_code_by_mail(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy(TWO)
    ada.sign_in()
    assert (ada.steps, ada.offered) == (["select-authenticator-authenticate"], ["Email"])
    ada.prove("Email")
    assert ada.steps == ["challenge-authenticator", "select-authenticator-authenticate"]
    assert held(ada)["profile"] == {"email": "a***a@example.com"}
    assert org.messages(ADA["email"])[0].template == "Email Challenge"
    ada.pass_with("000000x")
    assert (ada.status, ada.keys, ada.steps[0]) == (
        401,
        ["api.authn.error.PASSCODE_INVALID"],
        "challenge-authenticator",
    )
    ada.pass_with(org.code(ADA["email"]))
    assert ada.claims["amr"] == ["pwd", "otp"]


def test_a_new_code_takes_the_old_one_s_place(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy(TWO)
    ada.sign_in().prove("Email")
    first = org.code(ADA["email"])
    ada.act("resend")
    asked = ada.document
    ada.pass_with(first)
    assert ada.status == 401
    ada.document = asked
    ada.pass_with(org.code(ADA["email"]))
    assert "successWithInteractionCode" in ada.document


def test_the_link_of_the_mail_lets_the_waiting_page_go_on(org: OrgHandle, ada: Journey) -> None:
    apps = [{**app, "email_callback_uri": None} for app in policy_apps(org)]
    org.patch_policy({**TWO, "apps": apps, "email_link_page": "return_to_tab"})
    ada.sign_in().prove("Email")
    ada.act("poll")
    assert ada.steps[0] == "challenge-authenticator"
    waiting = ada.document
    page = requests.get(str(org.messages(ADA["email"])[0].link), timeout=5)
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token
    done = requests.post(page.url, data={"token": token[1], "consent": "true"}, timeout=5)
    assert "Return to the original tab" in done.text
    ada.document = waiting
    ada.act("poll")
    assert ada.claims["amr"] == ["pwd", "otp"]


def policy_apps(org: OrgHandle) -> list[dict[str, Any]]:
    apps: list[dict[str, Any]] = requests.get(org.base + "/_devorg/policy", timeout=5).json()["apps"]
    return apps


def test_a_text_after_the_method_is_chosen(org: OrgHandle, ada: Journey) -> None:
    with_phone(org, ada)
    org.patch_policy(TWO)
    ada.sign_in()
    assert ada.offered == ["Email", "Phone"]
    before = len(org.messages(PHONE))
    ada.prove("Phone")
    assert ada.steps[0] == "authenticator-verification-data"
    assert len(org.messages(PHONE)) == before
    fields = ada.document["remediation"]["value"][0]["value"][0]["form"]["value"]
    given = {field["name"]: field["value"] for field in fields if "value" in field}
    assert set(given) == {"id", "enrollmentId"}
    ada.take("authenticator-verification-data", authenticator={**given, "methodType": "voice"})
    assert (held(ada)["profile"], held(ada)["methods"]) == (
        {"phoneNumber": "+1 XXX-XXX-0100"},
        [{"type": "voice"}],
    )
    assert org.messages(PHONE)[0].channel == "voice"
    ada.pass_with(org.code(PHONE))
    assert ada.claims["amr"] == ["pwd", "sms"]


def test_one_can_change_one_s_mind(org: OrgHandle, ada: Journey) -> None:
    with_phone(org, ada)
    org.patch_policy(TWO)
    ada.sign_in().prove("Email")
    ada.prove("Phone", methodType="sms")
    ada.pass_with(org.code(ADA["email"]))
    assert ada.status == 401
    ada.pass_with(org.code(PHONE))
    assert "successWithInteractionCode" in ada.document


def test_an_authenticator_app(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"authenticators": {"google_otp": "required"}})
    ada.sign_in().choose("Google Authenticator")
    secret = ada.document["currentAuthenticator"]["value"]["contextualData"]["sharedSecret"]
    now = org.org.clock
    ada.answer(code_at(secret, now.real_time(now.now())))
    org.patch_policy(TWO)
    ada.sign_in().prove("Google Authenticator")
    assert "sharedSecret" not in str(ada.document)
    ada.pass_with("123")
    assert (ada.status, ada.keys) == (401, ["api.authn.error.PASSCODE_INVALID"])
    ada.pass_with(code_at(secret, now.real_time(now.now())))
    assert "successWithInteractionCode" in ada.document


def test_a_security_question(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"authenticators": {"security_question": "required"}})
    ada.sign_in().choose("Security Question")
    ada.take("enroll-authenticator", credentials={"questionKey": "disliked_food", "answer": "Beetroot"})
    org.patch_policy(TWO)
    ada.sign_in().prove("Security Question")
    asked = held(ada)["contextualData"]["enrolledQuestion"]
    assert asked == {"questionKey": "disliked_food", "question": "What is the food you least liked as a child?"}
    ada.take("challenge-authenticator", credentials={"questionKey": "disliked_food", "answer": "Chocolate"})
    assert (ada.status, ada.keys) == (400, ["authfactor.challenge.question_factor.answer_invalid"])
    ada.take("challenge-authenticator", credentials={"questionKey": "disliked_food", "answer": "beetroot"})
    assert ada.claims["amr"] == ["pwd", "kba"]


def test_a_passkey(org: OrgHandle, ada: Journey) -> None:
    key = SecurityKey(SITE)
    org.patch_policy({"authenticators": {"webauthn": "required"}})
    ada.sign_in().choose("Security Key or Biometric")
    activation = ada.document["currentAuthenticator"]["value"]["contextualData"]["activationData"]
    ada.take("enroll-authenticator", credentials=key.create(activation))
    org.patch_policy(TWO)
    ada.sign_in().prove("Security Key or Biometric")
    challenge = held(ada)["contextualData"]["challengeData"]
    asked = ada.document
    ada.take("challenge-authenticator", credentials={**key.get(challenge), "signatureData": "AAAA"})
    assert (ada.status, ada.keys) == (400, ["authfactor.webauthn.error"])
    ada.document = asked
    ada.take("challenge-authenticator", credentials=key.get(challenge))
    assert ada.claims["amr"] == ["pwd", "hwk"]


@pytest.mark.parametrize("chosen", [None, [], {}, {"id": 7}, {"id": "autLocalPhone0000001"}, {"id": "nonsense"}])
def test_what_one_does_not_have_cannot_be_chosen(org: OrgHandle, ada: Journey, chosen: object) -> None:
    org.patch_policy(TWO)
    ada.sign_in().take("select-authenticator-authenticate", authenticator=chosen)
    assert (ada.status, ada.keys) == (400, ["E0000020"])


def test_too_many_wrong_codes_close_the_door(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy(TWO)
    ada.sign_in().prove("Email")
    for _ in range(5):
        ada.pass_with("000000x")
    ada.pass_with(org.code(ADA["email"]))
    assert (ada.status, ada.keys) == (429, ["tooManyRequests"])


def test_no_step_of_the_second_factor_is_open_before_the_first(org: OrgHandle, ada: Journey) -> None:
    handle = ada.begin().document["stateHandle"]
    for path in ("challenge", "challenge/answer", "challenge/resend", "unlock-account"):
        ada.post(f"{org.base}/idp/idx/{path}", {"stateHandle": handle, "credentials": {"passcode": "1"}})
        assert ada.status == 403, path


# ---- the username first


def test_the_username_may_come_first(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"identifier_first": True})
    ada.begin()
    fields = [field["name"] for field in ada.document["remediation"]["value"][0]["value"]]
    assert fields == ["identifier", "rememberMe", "stateHandle"]
    ada.take("identify", identifier="nobody@example.com")
    assert (ada.status, ada.keys, ada.steps[0]) == (200, ["idx.unknown.user"], "identify")
    ada.take("identify", identifier=ADA["email"])
    assert ada.steps == ["challenge-authenticator", "select-authenticator-authenticate"]
    assert held(ada)["key"] == "okta_password"
    ada.pass_with("Wrong-horse-7")
    assert (ada.status, ada.keys) == (401, ["incorrectPassword"])
    ada.prove("Email")
    ada.pass_with(org.code(ADA["email"]))
    assert ada.claims["amr"] == ["otp"]


# ---- what must be there and is not


def test_what_the_policy_requires_by_now_is_set_up_at_sign_in(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required", "security_question": "optional"}})
    ada.sign_in()
    assert (ada.steps, ada.offered) == (["select-authenticator-enroll"], ["Phone"])
    ada.choose("Phone", methodType="sms", phoneNumber=PHONE)
    ada.answer(org.code(PHONE))
    assert "successWithInteractionCode" in ada.document
    assert len(org.messages(ADA["email"])) == 1


def test_somebody_made_by_an_administrator_signs_in_without_more(org: OrgHandle, journey: Journey) -> None:
    profile = {"profile": {**ADA, "login": ADA["email"]}, "credentials": {"password": {"value": PASSWORD}}}
    headers = {"Authorization": f"SSWS {org.policy.api_token}"}
    assert requests.post(org.base + "/api/v1/users", json=profile, headers=headers, timeout=5).status_code == 200
    journey.sign_in()
    assert "successWithInteractionCode" in journey.document


# ---- a password too old


def api(org: OrgHandle, path: str, **query: str) -> requests.Response:
    headers = {"Authorization": f"SSWS {org.policy.api_token}"}
    return requests.post(f"{org.base}/api/v1/users/{path}", params=query, headers=headers, timeout=5)


def test_an_expired_password_is_changed_on_the_way(org: OrgHandle, ada: Journey) -> None:
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


def to_recovery(ada: Journey) -> None:
    ada.begin().act("recover")
    ada.take("identify-recovery", identifier=ADA["email"])


def test_a_forgotten_password_is_reset_by_mail(org: OrgHandle, ada: Journey) -> None:
    ada.begin().act("recover")
    assert ada.steps == ["identify-recovery"]
    ada.take("identify-recovery", identifier="nobody@example.com")
    assert (ada.status, ada.keys, ada.steps) == (200, ["idx.unknown.user"], ["identify-recovery"])
    ada.take("identify-recovery", identifier=ADA["email"])
    assert (ada.steps, ada.offered) == (["select-authenticator-authenticate"], ["Email"])
    assert ada.document["recoveryAuthenticator"]["value"]["key"] == "okta_password"
    ada.prove("Email")
    assert org.messages(ADA["email"])[0].template == "Forgot Password"
    ada.pass_with(org.code(ADA["email"]))
    assert ada.steps == ["reset-authenticator"]
    ada.take("reset-authenticator", credentials={"passcode": "short"})
    assert (ada.status, ada.keys) == (400, ["password.passwordRequirementsNotMet"])
    ada.take("reset-authenticator", credentials={"passcode": "Another-horse-8"})
    assert ada.claims["amr"] == ["otp", "pwd"]
    ada.sign_in("Another-horse-8")
    assert "successWithInteractionCode" in ada.document


def test_recovery_may_start_at_the_password(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"identifier_first": True})
    ada.begin().take("identify", identifier=ADA["email"])
    ada.act("recover")
    assert (ada.steps, ada.offered) == (["select-authenticator-authenticate"], ["Email"])


def test_recovery_asks_for_the_phone_and_the_question_where_the_policy_does(org: OrgHandle, ada: Journey) -> None:
    with_phone(org, ada)
    org.patch_policy({"authenticators": {"security_question": "required"}})
    ada.sign_in().choose("Security Question")
    question = {"questionKey": "custom", "question": "Which horse was correct?", "answer": "The old grey"}
    ada.take("enroll-authenticator", credentials=question)
    wanted = {"authenticators": ["okta_email", "phone_number"], "security_question": True}
    org.patch_policy({"password": {"recovery": wanted}})
    to_recovery(ada)
    assert ada.offered == ["Email", "Phone"]
    ada.prove("Phone", methodType="sms")
    ada.pass_with(org.code(PHONE))
    assert ada.offered == ["Security Question"]
    ada.prove("Security Question")
    ada.take("challenge-authenticator", credentials={"questionKey": "custom", "answer": "the old grey"})
    assert ada.steps == ["reset-authenticator"]


def test_recovery_alone_is_one_factor_and_the_new_password_another(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy(TWO)
    to_recovery(ada)
    ada.prove("Email")
    ada.pass_with(org.code(ADA["email"]))
    ada.take("reset-authenticator", credentials={"passcode": "Another-horse-8"})
    assert "successWithInteractionCode" in ada.document


def test_a_reset_may_end_all_other_sessions(org: OrgHandle, ada: Journey) -> None:
    sid = org.org.sign_ins.start_session(org.users[0].id, ("pwd",), 7200)
    to_recovery(ada)
    ada.prove("Email")
    ada.pass_with(org.code(ADA["email"]))
    ada.take("reset-authenticator", credentials={"passcode": "Another-horse-8", "revokeSessions": True})
    assert org.org.sign_ins.find_session(sid) is None


def test_recovery_can_be_switched_off(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({"password": {"recovery": {"reset": False}}})
    handle = ada.begin().document["stateHandle"]
    assert "recover" not in ada.document["currentAuthenticator"]["value"]
    ada.post(org.base + "/idp/idx/recover", {"stateHandle": handle})
    assert ada.status == 403


def test_an_administrator_s_reset_is_finished_with_its_token(org: OrgHandle, ada: Journey) -> None:
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


def test_or_at_the_org_s_own_page(org: OrgHandle, ada: Journey) -> None:
    api(org, f"{ADA['email']}/lifecycle/reset_password")
    mail = org.messages(ADA["email"])[0]
    assert mail.template == "Password Reset"
    url = str(mail.link)
    assert "New password" in requests.get(url, timeout=5).text
    assert "Password requirements" in requests.post(url, data={"password": "short"}, timeout=5).text
    assert "Your password is set" in requests.post(url, data={"password": "Another-horse-8"}, timeout=5).text
    assert requests.get(url, timeout=5).status_code == 400
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


def test_a_locked_account_stays_shut_to_the_right_password(org: OrgHandle, locked: Journey) -> None:
    locked.sign_in()
    assert (locked.status, locked.keys) == (401, ["errors.E0000004"])
    org.patch_policy({"password": {"lockout": {"showLockoutFailures": True}}})
    locked.sign_in()
    assert (locked.status, locked.keys) == (401, ["errors.E0000119"])


def test_a_locked_account_is_unlocked_by_mail(org: OrgHandle, locked: Journey) -> None:
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
    locked.pass_with(org.code(ADA["email"]))
    assert (locked.status, locked.steps, locked.keys) == (200, [], ["selfservice.unlock_user.success.message"])
    locked.sign_in()
    assert "successWithInteractionCode" in locked.document


def test_unlocking_by_phone_needs_one(org: OrgHandle, locked: Journey) -> None:
    org.patch_policy({"password": {"recovery": {"authenticators": ["phone_number"]}}})
    locked.begin().take("unlock-account")
    phone = {"id": "autLocalPhone0000001", "methodType": "sms"}
    locked.take("select-authenticator-unlock-account", identifier=ADA["email"], authenticator=phone)
    assert (locked.status, locked.keys) == (400, ["selfservice.unlock_user.failed.message"])


def test_a_reset_unlocks_as_well(org: OrgHandle, locked: Journey) -> None:
    to_recovery(locked)
    locked.prove("Email")
    locked.pass_with(org.code(ADA["email"]))
    locked.take("reset-authenticator", credentials={"passcode": "Another-horse-8"})
    assert (org.users[0].status, "successWithInteractionCode" in locked.document) == ("ACTIVE", True)


def test_a_lock_opens_by_itself_or_by_an_administrator(org: OrgHandle, locked: Journey) -> None:
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


def test_consent_and_staying_signed_in_are_asked_at_sign_in_too(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy({**TWO, "consent": True, "keep_me_signed_in": True})
    ada.sign_in().prove("Email")
    ada.pass_with(org.code(ADA["email"]))
    assert ada.steps == ["consent"]
    ada.take("consent", consent=True)
    assert ada.steps == ["keep-me-signed-in"]
    ada.take("keep-me-signed-in", keepMeSignedIn=True)
    assert "successWithInteractionCode" in ada.document


def test_cancelling_forgets_what_was_proven(org: OrgHandle, ada: Journey) -> None:
    org.patch_policy(TWO)
    cancel = ada.sign_in().document["cancel"]
    ada.post(cancel["href"], {"stateHandle": ada.document["stateHandle"]})
    assert ada.steps == ["identify", "select-enroll-profile"]
    assert "user" not in ada.document
