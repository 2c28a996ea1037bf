"""The call sequences of docs/protocol.md, section 5."""

import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, PASSWORD, Journey

PHONE = "+14155550100"


def test_email_and_password_make_nine_calls(org: OrgHandle, journey: Journey) -> None:
    journey.begin()
    assert journey.steps == ["identify", "select-enroll-profile"]
    journey.take("select-enroll-profile")
    assert journey.steps == ["enroll-profile", "select-identify"]
    journey.enroll_profile()
    assert journey.steps == ["select-authenticator-enroll"]
    assert journey.offered == ["Email", "Password"]
    assert org.users[0].status == "STAGED"
    journey.choose("Email")
    assert journey.steps == ["enroll-authenticator", "select-authenticator-enroll"]
    journey.answer(org.code(ADA["email"]))
    assert journey.offered == ["Password"]
    journey.choose("Password")
    journey.answer(PASSWORD)
    assert "successWithInteractionCode" in journey.document
    assert "remediation" not in journey.document
    assert journey.token().status_code == 200
    assert journey.calls == 9
    assert org.users[0].status == "ACTIVE"


def test_the_org_issuer_works_like_a_custom_authorization_server(org: OrgHandle) -> None:
    journey = Journey(org, issuer=org.base)
    journey.signed_up()
    assert journey.document["successWithInteractionCode"]["href"] == org.base + "/oauth2/v1/token"
    assert journey.token().status_code == 200
    journey.close()


def test_a_required_phone_adds_two_calls(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    journey.signed_up()
    assert journey.offered == ["Phone"]
    journey.choose("Phone", methodType="sms", phoneNumber=PHONE)
    assert org.messages(PHONE)[0].channel == "sms"
    journey.answer(org.code(PHONE))
    assert journey.token().status_code == 200
    assert journey.calls == 11


def test_phone_method_and_number_can_be_submitted_separately(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    journey.signed_up().choose("Phone")
    assert journey.steps[0] == "authenticator-enrollment-data"
    fields = journey.document["remediation"]["value"][0]["value"][0]["form"]["value"]
    phone_id = fields[0]["value"]
    assert [option["value"] for option in fields[1]["options"]] == ["sms", "voice"]
    journey.take("authenticator-enrollment-data", authenticator={"id": phone_id, "methodType": "voice"})
    fields = journey.document["remediation"]["value"][0]["value"][0]["form"]["value"]
    assert [option["value"] for option in fields[1]["options"]] == ["voice"]
    chosen = {"id": phone_id, "methodType": "voice", "phoneNumber": PHONE}
    journey.take("authenticator-enrollment-data", authenticator=chosen)
    assert journey.steps[0] == "enroll-authenticator"
    assert org.messages(PHONE)[0].channel == "voice"
    journey.answer(org.code(PHONE))
    assert journey.token().status_code == 200
    assert journey.calls == 13


def test_optional_authenticators_can_be_skipped_together(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy(
        {"email_verification": False, "authenticators": {"okta_email": "optional", "phone_number": "optional"}}
    )
    journey.registered()
    assert journey.offered == ["Password"]
    journey.set_password()
    assert journey.offered == ["Email", "Phone"]
    assert journey.steps == ["select-authenticator-enroll", "skip"]
    journey.verify_email()
    assert journey.offered == ["Phone"]
    journey.take("skip")
    assert journey.token().status_code == 200
    assert journey.calls == 10


def test_password_first_offers_the_password_before_the_email(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"order": "password_first"})
    journey.registered()
    assert journey.offered == ["Password"]
    journey.set_password()
    assert journey.offered == ["Email"]


def test_a_password_on_the_form_makes_six_calls(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"password_on_form": True})
    journey.to_profile()
    assert "settings" in journey.document["currentAuthenticator"]["value"]
    journey.enroll_profile(credentials={"passcode": PASSWORD})
    assert journey.steps[0] == "enroll-authenticator"
    journey.answer(org.code(ADA["email"]))
    assert journey.token().status_code == 200
    assert journey.calls == 6


def test_the_email_is_not_started_automatically_if_disabled(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"password_on_form": True, "auto_select_single_required": False})
    journey.to_profile().enroll_profile(credentials={"passcode": PASSWORD})
    assert journey.steps == ["select-authenticator-enroll"]
    assert org.messages() == []
    journey.verify_email()
    assert journey.token().status_code == 200
    assert journey.calls == 7


def test_an_optional_password_can_be_skipped_after_the_email(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_password": "optional"}})
    journey.registered()
    journey.answer(org.code(ADA["email"]))
    assert journey.offered == ["Password"]
    journey.take("skip")
    assert journey.token().status_code == 200
    assert journey.calls == 7


def test_a_second_factor_required_by_the_sign_on_policy_cannot_be_skipped(org: OrgHandle, journey: Journey) -> None:
    optional = {"okta_email": "optional", "phone_number": "optional"}
    org.patch_policy({"sign_on": "password_and_another", "email_verification": False, "authenticators": optional})
    journey.registered().set_password()
    assert journey.steps == ["select-authenticator-enroll"]
    journey.verify_email()
    assert journey.steps == ["select-authenticator-enroll", "skip"]


def test_an_unverified_address_ends_the_sign_up_with_an_activation_email(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    journey.registered().set_password()
    assert journey.calls == 6
    assert journey.keys == ["idx.email.verification.required"]
    assert "remediation" not in journey.document
    mail = org.messages(ADA["email"])[0]
    assert mail.template == "Registration - Activation"
    assert org.users[0].status == "STAGED"
    reply = requests.get(str(mail.link), allow_redirects=False, timeout=60)
    assert reply.headers["Location"].startswith("http://127.0.0.1:8000/oidc/authenticate/?iss=")
    assert (org.users[0].status, org.users[0].email_verified) == ("ACTIVE", True)


def test_without_email_verification_the_address_is_verified_later(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"email_verification": False, "authenticators": {"okta_email": "disabled"}})
    journey.registered().set_password()
    assert journey.token().status_code == 200
    assert (org.users[0].status, org.users[0].email_verified) == ("ACTIVE", False)
    mail = org.messages(ADA["email"])[0]
    assert mail.template == "Registration - Email Verification"
    requests.get(str(mail.link), allow_redirects=False, timeout=60)
    assert org.users[0].email_verified


def test_an_activation_token_skips_the_profile_form(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    api, headers = org.base + "/api/v1/users", {"Authorization": "SSWS local-api-token-not-for-production"}
    profile = {"profile": {**ADA, "login": ADA["email"]}}
    user = requests.post(api, params={"activate": "false"}, json=profile, headers=headers, timeout=60).json()
    assert user["status"] == "STAGED"
    url = f"{api}/{user['id']}/lifecycle/activate"
    token = requests.post(url, params={"sendEmail": "false"}, headers=headers, timeout=60).json()["activationToken"]
    journey.begin(activation_token=token)
    assert journey.steps == ["select-authenticator-enroll"]
    assert journey.document["user"]["value"]["id"] == user["id"]
    journey.set_password()
    assert journey.token().status_code == 200
    assert journey.calls == 5


def test_an_api_token_without_a_space_after_ssws_is_accepted(org: OrgHandle) -> None:
    url = org.base + "/api/v1/users"
    for token, status in (("SSWSlocal-api-token-not-for-production", 200), ("SSWS wrong", 401)):
        assert requests.get(url, headers={"Authorization": token}, timeout=60).status_code == status


def test_an_existing_address_is_an_error_and_another_address_works(org: OrgHandle, journey: Journey) -> None:
    journey.registered()
    second = Journey(org)
    second.to_profile().enroll_profile(userProfile={**ADA, "email": "ADA@Example.com"})
    assert (second.status, second.calls) == (400, 4)
    assert second.steps == ["enroll-profile", "select-identify"]
    assert second.keys == ["registration.error.notUniqueWithinOrg"]
    second.enroll_profile(userProfile={**ADA, "email": "other@example.com"})
    assert second.steps == ["select-authenticator-enroll"]
    second.close()


def test_a_staged_user_can_sign_up_again_if_configured(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"unknowns": {"staged_user_signs_up_again": "resume"}})
    journey.registered()
    second = Journey(org)
    second.registered()
    assert second.steps == ["select-authenticator-enroll"]
    assert len(org.users) == 1
    second.close()


def test_cancel_returns_the_first_page_with_a_new_state_handle(journey: Journey) -> None:
    before = journey.registered().document
    journey.post(before["cancel"]["href"], {"stateHandle": before["stateHandle"]})
    assert journey.steps == ["identify", "select-enroll-profile"]
    after = journey.document["stateHandle"]
    assert after != before["stateHandle"]
    assert journey.introspect()["stateHandle"] == after


def test_a_security_question_can_be_predefined_or_custom(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"security_question": "required"}})
    journey.signed_up().choose("Security Question")
    options = journey.document["remediation"]["value"][0]["value"][0]["options"]
    assert [option["label"] for option in options] == ["Choose a security question", "Create my own security question"]
    journey.take("enroll-authenticator", credentials={"questionKey": "disliked_food", "answer": "abc"})
    assert (journey.status, journey.keys) == (400, ["securityQuestion.answer.tooShort.arg"])
    own = {"questionKey": "custom", "question": "Which ship?", "answer": "Beagle"}
    journey.take("enroll-authenticator", credentials=own)
    assert "successWithInteractionCode" in journey.document
    assert "Beagle" not in repr(org.users[0])


def test_skip_is_refused_before_required_authenticators_are_enrolled(org: OrgHandle, journey: Journey) -> None:
    journey.registered()
    handle = journey.document["stateHandle"]
    assert journey.post(org.base + "/idp/idx/skip", {"stateHandle": handle})["messages"]["value"][0]["i18n"] == {
        "key": "security.access_denied"
    }
    assert journey.status == 403


def test_an_unassigned_app_ends_at_the_first_page_with_an_error(org: OrgHandle, journey: Journey) -> None:
    app = {"client_id": "0oaLocalDemoApp0000", "redirect_uris": ["http://127.0.0.1:8000/oidc/callback/"]}
    org.patch_policy({"apps": [{**app, "assigned": False}]})
    journey.signed_up()
    assert (journey.status, journey.steps[0]) == (400, "identify")
    assert journey.keys == ["idx.error.user.not.assigned.to.app"]
