"""QR codes."""

import segno

from okta_devorg.wire.ion import Json


def qr_code(text: str) -> Json:
    """Return a QR code of the text as IDX embeds it: a data URI of a PNG."""
    picture = segno.make(text, micro=False).png_data_uri(scale=4)
    return {"method": "embedded", "href": picture, "type": "image/png"}
