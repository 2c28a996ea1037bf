"""Enrolling an authenticator app with the secret of the org."""

import base64
import hashlib
import hmac
import struct
import time

import pytest

from okta_devorg import OrgHandle
from support.local_org.org_journey import CLIENT, REDIRECT, SECRET, Journey


def code(secret: str, at: float) -> str:
    """RFC 6238, implemented a second time as an independent check."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(at // 30)), hashlib.sha1).digest()
    offset = digest[19] & 0xF
    return str(int.from_bytes(digest[offset : offset + 4], "big") % (1 << 31) % 10**6).zfill(6)


def test_codes_made_from_the_shared_secret_are_accepted(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"google_otp": "required"}})
    journey.signed_up().choose("Google Authenticator")
    shown = journey.document["currentAuthenticator"]["value"]["contextualData"]
    assert shown["qrcode"]["href"].startswith("data:image/png;base64,")
    now = time.time()
    wrong = code(shown["sharedSecret"], now + 3600)
    journey.answer(wrong)
    assert (journey.status, journey.keys) == (401, ["api.authn.error.PASSCODE_INVALID"])
    journey.answer(code(shown["sharedSecret"], now))
    assert "successWithInteractionCode" in journey.document


@pytest.mark.parametrize("login", ["a" * 100, "\U0001f600" * 100, "é" * 100])
def test_long_names_fit_in_the_qr_code(org: OrgHandle, journey: Journey, login: str) -> None:
    username = {"name": "login", "label": "Username", "required": True}
    only = {"okta_email": "disabled", "okta_password": "disabled", "google_otp": "required"}
    label = {"label": "\U0001f600" * 5_000}
    apps = [{"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT], **label}]
    org.patch_policy({"username_format": "none", "profile": [username], "authenticators": only, "apps": apps})
    journey.to_profile().enroll_profile(userProfile={"login": login + "a"})
    assert journey.status == 400
    journey.enroll_profile(userProfile={"login": login})
    journey.choose("Google Authenticator")
    assert journey.document["currentAuthenticator"]["value"]["contextualData"]["qrcode"]["href"].startswith("data:")
