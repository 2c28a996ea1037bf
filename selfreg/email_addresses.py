"""Email addresses: which ones are the same mailbox or share a limit, and how they are displayed.

Three ways to compare them, from strict to loose. Mail is always sent to the address as it was typed.

- ``is_same_mailbox``: decides whether the verification of one address counts for the other. Only the case of ASCII
  letters and the encoding of the domain (IDNA 2008) may differ.
- ``canonical``: for storing, searching and erasing. Ignores case and composition, and reads the domain like browsers
  (IDNA 2008 with the mapping of UTS 46). ``faß.example`` is not ``fass.example``.
- ``folded``: for rate limits. Different people may have the same result.

It also defines the characters that addresses and names may have.
"""

import re
import unicodedata

import idna

MAX_LENGTH = 254
# RFC 1123. The idna library would refuse ASCII labels that exist, such as ab--cd.
ASCII_DOMAIN = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
ADDRESS_LITERAL = re.compile(r"\[[0-9a-f:.]+\]")
# A local part: RFC 5322's dot-atom, with the letters, digits and marks of all scripts (RFC 6531), but without spaces
# and characters that separate addresses or columns.
LOCAL = re.compile(r"[^\s\x00-\x20\x7f()<>\[\]:;@\\,\"|]+")
# Other domains of a provider, with which an address is the same mailbox.
SAME_PROVIDER = {
    "googlemail.com": "gmail.com", "me.com": "icloud.com", "mac.com": "icloud.com", "proton.me": "protonmail.com",
    "pm.me": "protonmail.com", "protonmail.ch": "protonmail.com", "yandex.com": "yandex.ru", "ya.ru": "yandex.ru",
}  # fmt: skip
# Mail to anything@ada.fastmail.com is delivered to ada@fastmail.com.
FASTMAIL = re.compile(r"([^.]+)\.(fastmail\.(?:com|fm))")
# Providers whose domains are checked for typos. Shorter domains are too similar to others.
WELL_KNOWN = frozenset({
    "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.es", "yahoo.co.jp",
    "yahoo.com.br", "hotmail.com", "hotmail.co.uk", "hotmail.fr", "hotmail.de", "outlook.com", "outlook.de",
    "outlook.fr", "icloud.com", "live.com", "comcast.net", "protonmail.com", "fastmail.com", "libero.it", "orange.fr",
    "laposte.net", "t-online.de", "freenet.de",
})  # fmt: skip
# Domains that look like a typo of one of them, but aren't.
ALSO_RIGHT = frozenset(
    {
        "mail.com", "ymail.com", "email.com", "rocketmail.com", "outlook.es", "outlook.be", "outlook.ie", "outlook.dk",
        "hotmail.be", "hotmail.se", "hotmail.dk", "yahoo.se", "yahoo.ie", "yahoo.be", "yahoo.dk", "yahoo.gr",
        "yahoo.com.ar",
    }
)  # fmt: skip
# Control characters, lone surrogates and direction overrides. Joiners are allowed, because Persian and Hindi names
# need them.
UNUSABLE_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a\u202b\u202d\u202e\u2066-\u2068]")


def canonical(address: str) -> str:
    """Return the form for comparing and searching addresses; "" for text that is not an address.

    Dots and tags in the local part are kept, because they matter to some mail providers. Unnecessary quotes are removed
    (RFC 5321, section 4.1.2).
    """
    address = address.strip()
    if len(address) > MAX_LENGTH:
        return ""
    local, _at, domain = unicodedata.normalize("NFC", address).lower().rpartition("@")
    local, domain = _unquoted(local), _ascii_domain(domain, is_mapped=True)
    is_valid = LOCAL.fullmatch(local) and not any(_is_invisible(c) for c in local)
    result = f"{local}@{domain}" if is_valid and domain else ""
    return result if len(result) <= MAX_LENGTH else ""


def is_same_mailbox(one: str, other: str) -> bool:
    """Return whether two addresses are one mailbox beyond doubt."""
    return bool(canonical(one)) and _exact(one) == _exact(other)


def folded(address: str) -> str:
    """Return the same text for all spellings of a mailbox, so that no other spelling gets a new quota.

    For rate limits only, because different people may share a result.
    """
    text = "".join(c for c in unicodedata.normalize("NFKC", address).casefold() if not _is_invisible(c))
    local, at, domain = text.strip().rpartition("@")
    local = _unquoted(local.strip()).partition("+")[0].replace(".", "")
    domain = domain.strip().rstrip(".")
    domain = _ascii_domain(domain, is_mapped=True) or domain
    if own := FASTMAIL.fullmatch(domain):
        local, domain = own.groups()
    return f"{local}{at}{SAME_PROVIDER.get(domain, domain)}"


def likely_meant(address: str) -> str:
    """Return the address with the well-known domain that was probably meant; "" if there is no typo.

    A typo is one letter too many, missing or wrong, or two letters swapped.
    """
    local, _at, domain = canonical(address).rpartition("@")
    if not domain or domain in WELL_KNOWN | ALSO_RIGHT:
        return ""
    meant = sorted(known for known in WELL_KNOWN if _is_slip(domain, known))
    return f"{local}@{meant[0]}" if meant else ""


def _is_slip(typed: str, meant: str) -> bool:
    """Return whether two texts differ by one typo."""
    start = next((i for i, (one, other) in enumerate(zip(typed, meant, strict=False)) if one != other), None)
    start = min(len(typed), len(meant)) if start is None else start
    rests = typed[start:], meant[start:]
    while all(rests) and rests[0][-1] == rests[1][-1]:
        rests = rests[0][:-1], rests[1][:-1]
    one, other = rests
    return max(len(one), len(other)) == 1 or (len(one) == len(other) == 2 and one == other[::-1])


def _exact(address: str) -> tuple[str, str]:
    """Return local part and domain, with ASCII letters in lower case, and the domain encoded if it can be."""
    local, _at, domain = address.strip().encode("utf-8", "replace").lower().decode().rpartition("@")
    return local, _ascii_domain(domain.lower(), is_mapped=False) or domain


def _ascii_domain(domain: str, *, is_mapped: bool) -> str:
    """Return the domain in ASCII (IDNA 2008); "" if it is invalid.

    :param is_mapped: whether to map similar characters to one, and drop invisible ones, like browsers do (UTS 46)
    """
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=is_mapped, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ""
    return domain if ASCII_DOMAIN.fullmatch(domain) or ADDRESS_LITERAL.fullmatch(domain) else ""


def _unquoted(local: str) -> str:
    """Return the local part without quotes and backslashes, if it is quoted."""
    is_quoted = len(local) > 1 and local[0] == local[-1] == '"'
    return re.sub(r"\\(.)", r"\1", local[1:-1]) if is_quoted else local


def _is_invisible(character: str) -> bool:
    """Return whether it is a control character, a format character or a surrogate."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")


def masked(address: str) -> str:
    """Return ``a•••@example.com``, which the owner recognises, but others can't use; "" for text without "@".

    For other text that is not an address, only the first character is shown.
    """
    if "@" not in address:
        return ""
    domain = address.strip().rpartition("@")[2] if canonical(address) else ""
    return f"{address.strip()[:1]}•••{'@' if domain else ''}{domain}"
