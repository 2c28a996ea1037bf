"""E-mail addresses in the forms used for comparing, limiting and displaying them. Mail goes to the address as typed."""

import unicodedata

MAX_LENGTH = 254


def canonical(address: str) -> str:
    """Returns the form by which addresses are compared and searched; "" for text that is not an address.

    The text is NFC and case-folded, and the domain is IDNA-encoded. Dots and tags of the local part stay: whether they
    matter depends on the mail provider.
    """
    address = address.strip()
    if len(address) > MAX_LENGTH or address.count("@") != 1:
        return ""
    local, domain = unicodedata.normalize("NFC", address).casefold().split("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    result = f"{local}@{domain}" if local and domain else ""
    return result if len(result) <= MAX_LENGTH else ""  # case folding turns some letters into three


def folded(address: str) -> str:
    """Returns the canonical form without dots and ``+tag`` in the local part.

    For rate limits only: spelling an address differently gives no new quota. Different people may share a form.
    """
    local, at, domain = (canonical(address) or address.strip().casefold()).rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}{at}{domain}"


def masked(address: str) -> str:
    """Returns ``a•••@example.com``: the owner recognises it, others do not learn the address. "" if there is no "@"."""
    local, at, domain = address.partition("@")
    return f"{local[:1]}•••{at}{domain}" if at else ""
