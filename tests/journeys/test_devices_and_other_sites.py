"""Steps that happen on another device or at another site, and come back to the sign-up."""

from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.statuses import Status
from support.page import text
from support.person import PASSWORD, Person

VERIFY = "Set up Okta Verify"


def pressable(person: Person) -> list[str]:
    return [text(e) for tag in ("button", "a") for e in person.page.all(tag)]


def at_the_end_of(person: Person, org: OrgHandle, **policy: Any) -> Person:
    """All that is asked of everybody is done."""
    org.patch_policy(policy)
    return person.signs_up(org)


def sets_up_on_the_phone(org: OrgHandle, to: str) -> None:
    link = next(m.link for m in org.messages(to) if m.link and "/okta-verify/" in m.link)
    assert requests.post(link, timeout=5).status_code == 200


# ---- a search for Okta Verify on the visitor's machine


@pytest.mark.parametrize("way", ["loopback", "custom_uri", "app_link", "universal_link"])
def test_a_search_on_the_first_page_is_ended_as_the_widget_ends_it(person: Person, org: OrgHandle, way: str) -> None:
    org.patch_policy({"device_probe": way})
    assert person.opens_the_sign_up().heading == "Create your account"
    assert len(org.calls("/authenticators/poll/cancel")) == 1
    assert person.does_whatever_the_page_asks(org).is_signed_in


# ---- Okta Verify


def test_okta_verify_is_set_up_by_the_code_on_the_page(person: Person, org: OrgHandle) -> None:
    at_the_end_of(person, org, authenticators={"okta_verify": "optional"})
    person.picks("Okta Verify").presses("Continue")
    assert person.heading == VERIFY
    (image,) = person.page.all("img", "qr")
    assert str(dict(image.attributes)["src"]).startswith("data:image/")
    assert "img-src" in person.seen[-1].headers
    assert 'data-poll="4000"' in person.page.html
    assert person.presses("Check again").page.notices() == [
        "Nothing has happened yet. Finish on your other device, then check again."
    ]
    sets_up_on_the_phone(org, person.email)
    assert person.presses("Check again").is_signed_in
    assert "okta_verify" in org.users[0].enrollments


def test_the_page_goes_on_by_itself_once_the_phone_is_done(person: Person, org: OrgHandle) -> None:
    at_the_end_of(person, org, authenticators={"okta_verify": "required"})
    assert person.heading == VERIFY
    fields = {c.name: c.value for f in person.page.forms for c in f.controls if c.name in ("step", "registration")}
    sets_up_on_the_phone(org, person.email)
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
def test_who_cannot_scan_gets_a_link(person: Person, org: OrgHandle, channel: str, field: str, to: str) -> None:
    at_the_end_of(person, org, authenticators={"okta_verify": "optional"})
    person.picks("Okta Verify").presses("Continue").presses("Get the link a different way")
    assert "Scan a QR code" not in person.page.text
    person.picks(channel).presses("Continue")
    assert person.heading == "Where should we send the link?"
    person.fills_and_presses({field: to}, "Send the link")
    assert "Open it on the phone that has Okta Verify." in person.page.text
    sets_up_on_the_phone(org, to)
    assert person.presses("Check again").is_signed_in


def test_a_number_that_is_none_is_told_beside_its_field(person: Person, org: OrgHandle) -> None:
    at_the_end_of(person, org, authenticators={"okta_verify": "optional"})
    person.picks("Okta Verify").presses("Continue").presses("Get the link a different way")
    person.picks("Get a link by text message").presses("Continue")
    calls = len(org.calls())
    person.fills_and_presses({"authenticator.phoneNumber": "none"}, "Send the link")
    assert len(person.page.beside("authenticator.phoneNumber")) == 1
    assert len(org.calls()) == calls


# ---- passkeys


def test_a_passkey_that_is_promoted_is_the_passkeys_page_and_can_be_skipped(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"passkey_promotion": True, "authenticators": {"webauthn": "optional"}})
    person.signs_up(org).presses("Skip for now")
    assert person.heading == "Create a passkey"
    names = {c.name for f in person.page.forms for c in f.controls}
    assert {"credentials.clientData", "credentials.attestation"} <= names
    assert Registration.objects.get().step == "enroll-authenticator-promotion webauthn"
    assert person.presses("Skip for now").is_signed_in


def test_what_is_required_later_says_from_when_and_can_be_skipped_now(person: Person, org: OrgHandle) -> None:
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


def test_a_scope_that_is_left_out_is_not_granted(person: Person, org: OrgHandle) -> None:
    at_the_end_of(person, org, granular_consent=True)
    assert person.heading == "Allow access to your account?"
    person.left_out.add("optedScopes.profile")
    assert person.picks("Allow").presses("Continue").is_signed_in
    assert org.calls("/idp/idx/consent")[-1].status == 200
    assert "family_name" not in person.browser.session["selfreg_claims"]
    assert person.browser.session["selfreg_claims"]["email"] == person.email


def test_no_consent_ends_the_sign_up(person: Person, org: OrgHandle) -> None:
    at_the_end_of(person, org, granular_consent=True).picks("Don't allow").presses("Continue")
    assert person.heading == "We couldn't finish your sign-up"
    assert not person.is_signed_in


# ---- other sites


def test_who_verified_the_identity_elsewhere_comes_back_and_is_signed_in(person: Person, org: OrgHandle) -> None:
    at_the_end_of(person, org, identity_verification="Persona")
    assert person.heading == "Confirm who you are"
    person.presses("Continue at Persona")
    assert person.page.url.startswith(org.base)
    assert person.presses("Cancel").heading == "Confirm who you are"
    assert person.presses("Continue at Persona").presses("Yes, it's me").is_signed_in


def test_an_identity_provider_is_an_authenticator_among_others(person: Person, org: OrgHandle) -> None:
    at_the_end_of(person, org, authenticators={"external_idp": "optional"})
    person.picks("IdP Authenticator").presses("Continue")
    assert person.heading == "Continue at another site"
    assert "Skip for now" in pressable(person)
    assert person.presses("Continue at IdP Authenticator").page.url.startswith(org.base)
    assert person.presses("Yes, it's me").is_signed_in
    assert "external_idp" in org.users[0].enrollments


# ---- codes with letters, and a known password asked for once more


def test_a_mailed_code_with_letters_is_typed_as_it_came(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"email_code": {"length": 10, "alphanumeric": True}})
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    (control,) = person.form.find("credentials.passcode")
    assert dict(control.attributes)["inputmode"] == "text"
    assert person.types_the_code_from(org).chooses("Password").sets_a_password().is_signed_in


def test_a_known_password_that_is_asked_for_again_says_why(person: Person, org: OrgHandle) -> None:
    at_the_end_of(person, org, account_management="password_first", authenticators={"security_question": "optional"})
    person.presses("Continue")
    assert person.heading == "Confirm that it's you"
    assert "confirm that it's you with something you've already set up" in person.page.text
    (control,) = person.form.find("credentials.passcode")
    assert control.attributes["autocomplete"] == "current-password"
    person.fills_and_presses({"credentials.passcode": PASSWORD})
    assert person.heading == "Set up a security question"
