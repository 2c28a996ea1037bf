"""QR codes for authenticator apps, as inline SVG: no request, nothing a Content-Security-Policy has to allow."""

import io
from urllib.parse import quote, urlencode

import segno
from django.utils.safestring import SafeString, mark_safe


def authenticator_uri(secret: str, account: str, issuer: str) -> str:
    """``otpauth://totp/Issuer:account?secret=...`` (the key URI format that authenticator apps read)."""
    label = ":".join(quote(part) for part in (issuer, account) if part) or "account"
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, **({'issuer': issuer} if issuer else {})})}"


def qr_svg(text: str) -> SafeString:
    """An ``<svg class="qr">`` of the text; it has no text of its own, so nothing in it needs escaping."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(
        drawn, kind="svg", xmldecl=False, svgclass="qr", lineclass=None, omitsize=True, border=2
    )
    return mark_safe(drawn.getvalue().decode("ascii"))  # noqa: S308 (made by segno from modules, holds no input)
