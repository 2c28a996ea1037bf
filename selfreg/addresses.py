"""The one canonical form of an e-mail address, for comparing and searching. Never for sending."""

import unicodedata

MAX_LENGTH = 254


def canonical(address: str) -> str:
    """NFC, case-folded, the domain as IDNA where it can be; "" for what is no address.

    Dots and tags of the local part are kept: whether they matter is the mail provider's business.
    """
    address = address.strip()
    if len(address) > MAX_LENGTH or address.count("@") != 1:
        return ""
    local, domain = unicodedata.normalize("NFC", address).casefold().split("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    found = f"{local}@{domain}" if local and domain else ""
    return found if len(found) <= MAX_LENGTH else ""  # some letters become three


def folded(address: str) -> str:
    """The canonical form without dots and ``+tag`` in the local part: for limits only, where strangers may well share
    one, and nobody may have a new one by spelling.
    """
    local, at, domain = (canonical(address) or address.strip().casefold()).rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}{at}{domain}"


def masked(address: str) -> str:
    """``a•••@example.com``: enough to recognise one's own, too little to learn another's."""
    local, at, domain = address.partition("@")
    return f"{local[:1]}•••{at}{domain}" if at else ""
