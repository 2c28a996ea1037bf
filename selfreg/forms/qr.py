"""QR codes for authenticator apps, as inline SVG: no request, nothing a Content-Security-Policy has to allow."""

import io
from urllib.parse import quote, urlencode

import segno
from django.utils.safestring import SafeString, mark_safe
from segno.encoder import DataOverflowError

# Of a name in a key URI, encoded. The issuer stands in it twice, and a QR code has room for some 2,300 bytes.
MAX_NAME = 240


def authenticator_uri(secret: str, account: str, issuer: str) -> str:
    """``otpauth://totp/Issuer:account?secret=...`` (the key URI format that authenticator apps read).

    Long names are cut: they only label the entry in the app.
    """
    account, issuer = _cut(account), _cut(issuer)
    label = ":".join(quote(part) for part in (issuer, account) if part) or "account"
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, **({'issuer': issuer} if issuer else {})})}"


def qr_svg(text: str) -> SafeString:
    """Return an ``<svg class="qr">`` of the text; it has no text of its own, so nothing in it needs escaping.

    "" if the text is too long for a QR code.
    """
    drawn = io.BytesIO()
    try:
        code = segno.make(text, error="m")
    except DataOverflowError:
        return mark_safe("")
    code.save(drawn, kind="svg", xmldecl=False, svgclass="qr", lineclass=None, omitsize=True, border=2)
    return mark_safe(drawn.getvalue().decode("ascii"))  # noqa: S308 (made by segno from modules, holds no input)


def _cut(name: str) -> str:
    while len(quote(name)) > MAX_NAME:
        name = name[:-1]
    return name
