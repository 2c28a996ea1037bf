"""QR codes for authenticator apps, as inline SVG: no extra request, nothing to allow in a Content-Security-Policy."""

import io
from urllib.parse import quote, urlencode

import segno
from django.utils.safestring import SafeString, mark_safe
from segno.encoder import DataOverflowError

# Encoded length of a name. A key URI has the issuer twice, and a QR code holds about 2,300 bytes.
MAX_NAME = 240


def authenticator_uri(secret: str, account: str, issuer: str) -> str:
    """Return ``otpauth://totp/Issuer:account?secret=...``, the key URI format of authenticator apps.

    Long names are cut, because they only label the entry in the app.
    """
    account, issuer = _cut(account), _cut(issuer)
    label = ":".join(quote(part) for part in (issuer, account) if part) or "account"
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, **({'issuer': issuer} if issuer else {})})}"


def qr_svg(text: str) -> SafeString:
    """Return an ``<svg class="qr">`` that shows the text as a QR code; "" if the text is too long for one."""
    drawn = io.BytesIO()
    try:
        code = segno.make(text, error="m")
    except DataOverflowError:
        return mark_safe("")
    code.save(drawn, kind="svg", xmldecl=False, svgclass="qr", lineclass=None, omitsize=True, border=2)
    return mark_safe(drawn.getvalue().decode("ascii"))  # noqa: S308 (shapes only, no input)


def _cut(name: str) -> str:
    while len(quote(name)) > MAX_NAME:
        name = name[:-1]
    return name
