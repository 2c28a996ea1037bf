"""The sequences of protocol section 5, with their number of calls."""

from org_journey import ADA, PASSWORD, Journey

from okta_devorg import OrgHandle


def test_email_and_password_take_nine_calls(org: OrgHandle, journey: Journey) -> None:
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


def test_a_required_phone_adds_two_calls(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    journey.signed_up()
    assert journey.offered == ["Phone"]
    journey.choose("Phone", methodType="sms", phoneNumber="+14155550100")
    journey.answer(org.code("+14155550100"))
    assert journey.token().status_code == 200
    assert journey.calls == 11
