"""Steps that continue on another device or another site and return to the sign-up."""

from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.statuses import Status
from support.page import text
from support.person import PASSWORD, Person

VERIFY = "Set up Okta Verify"


def buttons_and_links(person: Person) -> list[str]:
    return [text(e) for tag in ("button", "a") for e in person.page.all(tag)]


def enrolls_email_and_password(person: Person, org: OrgHandle, **policy: Any) -> Person:
    """Enrolls email and password under a policy that asks for more."""
    org.patch_policy(policy)
    return person.signs_up(org)


def enrolls_on_phone(org: OrgHandle, to: str) -> None:
    link = next(m.link for m in org.messages(to) if m.link and "/okta-verify/" in m.link)
    assert requests.post(link, timeout=60).status_code == 200


# ---- a search for Okta Verify on the visitor's machine


@pytest.mark.parametrize("probe", ["loopback", "custom_uri", "app_link", "universal_link"])
def test_a_device_probe_before_the_form_is_cancelled_like_the_widget_does(
    person: Person, org: OrgHandle, probe: str
) -> None:
    org.patch_policy({"device_probe": probe})
    assert person.opens_the_sign_up().heading == "Create your account"
    assert len(org.calls("/authenticators/poll/cancel")) == 1
    assert person.completes_the_sign_up(org).is_signed_in


# ---- Okta Verify


def test_okta_verify_is_enrolled_with_the_qr_code_on_the_page(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(person, org, authenticators={"okta_verify": "optional"})
    person.picks("Okta Verify").presses("Continue")
    assert person.heading == VERIFY
    (image,) = person.page.all("img", "qr")
    assert str(dict(image.attributes)["src"]).startswith("data:image/")
    assert "img-src" in person.seen[-1].headers
    assert 'data-poll="4000"' in person.page.html
    assert person.presses("Check again").page.notices() == [
        "Nothing has happened yet. Finish on your other device, then check again."
    ]
    enrolls_on_phone(org, person.email)
    assert person.presses("Check again").is_signed_in
    assert "okta_verify" in org.users[0].enrollments


def test_polling_completes_the_sign_up_after_okta_verify_was_enrolled_on_the_phone(
    person: Person, org: OrgHandle
) -> None:
    enrolls_email_and_password(person, org, authenticators={"okta_verify": "required"})
    assert person.heading == VERIFY
    fields = {c.name: c.value for f in person.page.forms for c in f.controls if c.name in ("step", "registration")}
    enrolls_on_phone(org, person.email)
    person.posts("/signup/step/", {**fields, "action": "poll"})
    assert '"go"' in person.page.html
    assert person.is_signed_in
    assert Registration.objects.get().status == Status.COMPLETED


@pytest.mark.parametrize(
    ("channel", "field", "to"),
    [
        ("Get a link by email", "authenticator.email", "ada@example.com"),
        ("Get a link by text message", "authenticator.phoneNumber", "+14155550123"),
    ],
)
def test_okta_verify_can_be_enrolled_with_a_link_by_email_or_text_message(
    person: Person, org: OrgHandle, channel: str, field: str, to: str
) -> None:
    enrolls_email_and_password(person, org, authenticators={"okta_verify": "optional"})
    person.picks("Okta Verify").presses("Continue").presses("Get the link a different way")
    assert "Scan a QR code" not in person.page.text
    person.picks(channel).presses("Continue")
    assert person.heading == "Where should we send the link?"
    person.fills_and_presses({field: to}, "Send the link")
    assert "Open it on the phone that has Okta Verify." in person.page.text
    enrolls_on_phone(org, to)
    assert person.presses("Check again").is_signed_in


def test_an_invalid_number_for_the_link_is_an_error_beside_its_field_without_a_call(
    person: Person, org: OrgHandle
) -> None:
    enrolls_email_and_password(person, org, authenticators={"okta_verify": "optional"})
    person.picks("Okta Verify").presses("Continue").presses("Get the link a different way")
    person.picks("Get a link by text message").presses("Continue")
    calls = len(org.calls())
    person.fills_and_presses({"authenticator.phoneNumber": "none"}, "Send the link")
    assert len(person.page.beside("authenticator.phoneNumber")) == 1
    assert len(org.calls()) == calls


# ---- passkeys


def test_a_promoted_passkey_shows_the_passkey_page_and_can_be_skipped(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"passkey_promotion": True, "authenticators": {"webauthn": "optional"}})
    person.signs_up(org).presses("Skip for now")
    assert person.heading == "Create a passkey"
    names = {c.name for f in person.page.forms for c in f.controls}
    assert {"credentials.clientData", "credentials.attestation"} <= names
    assert Registration.objects.get().step == "enroll-authenticator-promotion webauthn"
    assert person.presses("Skip for now").is_signed_in


def test_an_authenticator_with_a_grace_period_shows_the_date_and_can_be_skipped(person: Person, org: OrgHandle) -> None:
    org.patch_policy(
        {
            "authenticators": {"security_question": "required"},
            "grace_period": {"authenticators": ["security_question"], "days": 7},
        }
    )
    person.signs_up(org)
    assert "Set this up now, or skip it" in person.page.text
    assert "Required from" in person.page.text
    assert person.presses("Skip for now").is_signed_in


# ---- consent to single scopes


def test_an_unticked_scope_is_not_granted(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(person, org, granular_consent=True)
    assert person.heading == "Allow access to your account?"
    person.left_out.add("optedScopes.profile")
    assert person.picks("Allow").presses("Continue").is_signed_in
    assert org.calls("/idp/idx/consent")[-1].status == 200
    assert "family_name" not in person.browser.session["selfreg_claims"]
    assert person.browser.session["selfreg_claims"]["email"] == person.email


def test_refusing_granular_consent_ends_the_sign_up(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(person, org, granular_consent=True).picks("Don't allow").presses("Continue")
    assert person.heading == "We couldn't finish your sign-up"
    assert not person.is_signed_in


# ---- other sites


def test_identity_verification_at_another_site_returns_and_signs_in(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(person, org, identity_verification="Persona")
    assert person.heading == "Confirm who you are"
    person.presses("Continue at Persona")
    assert person.page.url.startswith(org.base)
    assert person.presses("Cancel").heading == "Confirm who you are"
    assert person.presses("Continue at Persona").presses("Yes, it's me").is_signed_in


def test_an_identity_provider_can_be_enrolled_as_an_authenticator(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(person, org, authenticators={"external_idp": "optional"})
    person.picks("IdP Authenticator").presses("Continue")
    assert person.heading == "Continue at another site"
    assert "Skip for now" in buttons_and_links(person)
    assert person.presses("Continue at IdP Authenticator").page.url.startswith(org.base)
    assert person.presses("Yes, it's me").is_signed_in
    assert "external_idp" in org.users[0].enrollments


def test_a_smart_card_is_enrolled_at_the_link_of_the_org(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(person, org, authenticators={"smart_card_idp": "optional"})
    person.picks("Smart Card").presses("Continue")
    assert "Have your smart card ready." in person.page.text
    assert person.presses("Continue").page.url.startswith(org.base)
    assert "Have your smart card ready." in person.presses("Cancel").page.text
    assert person.presses("Continue").presses("Yes, it's me").is_signed_in
    assert "smart_card_idp" in org.users[0].enrollments


# ---- codes with letters, and a known password asked for once more


def test_an_alphanumeric_code_gets_a_text_keyboard_and_is_accepted(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"email_code": {"length": 10, "alphanumeric": True}})
    person.opens_the_sign_up().submits_profile().chooses("Email")
    (control,) = person.form.find("credentials.passcode")
    assert dict(control.attributes)["inputmode"] == "text"
    assert person.types_the_code_from(org).chooses("Password").sets_a_password().is_signed_in


def test_reauthentication_with_a_known_password_explains_why(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(
        person, org, account_management="password_first", authenticators={"security_question": "optional"}
    )
    person.presses("Continue")
    assert person.heading == "Confirm that it's you"
    assert "confirm that it's you with something you've already set up" in person.page.text
    (control,) = person.form.find("credentials.passcode")
    assert control.attributes["autocomplete"] == "current-password"
    person.fills_and_presses({"credentials.passcode": PASSWORD})
    assert person.heading == "Set up a security question"
