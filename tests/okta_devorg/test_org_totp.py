"""An authenticator app: a real secret, real codes."""

import base64
import hashlib
import hmac
import struct
import time

from okta_devorg import OrgHandle
from support.local_org.org_journey import Journey


def code(secret: str, at: float) -> str:
    """RFC 6238, written here a second time on purpose."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(at // 30)), hashlib.sha1).digest()
    offset = digest[19] & 0xF
    return str(int.from_bytes(digest[offset : offset + 4], "big") % (1 << 31) % 10**6).zfill(6)


def test_the_shown_secret_makes_codes_the_org_accepts(org: OrgHandle, journey: Journey) -> None:
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
