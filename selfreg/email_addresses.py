"""Email addresses: which are the same mailbox, and how they are limited and displayed. Mail goes to them as typed.

Three rules, from strict to wide:

- ``is_same_mailbox``: what was proven for one address counts for another spelling of it. Only the case of ASCII letters
  and the encoding of the domain (IDNA 2008) may differ.
- ``canonical``: how addresses are stored, searched and erased. Case and composed characters do not matter, and the
  domain is read as browsers read it (IDNA 2008 with the mapping of UTS 46). ``faß.example`` is not ``fass.example``.
- ``folded``: what shares a limit. Different people may share a form.

Also which characters addresses and names may have.
"""

import re
import unicodedata

import idna

MAX_LENGTH = 254
# RFC 1123. Not by the idna library, which refuses ASCII labels that exist, such as ab--cd.
ASCII_DOMAIN = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
ADDRESS_LITERAL = re.compile(r"\[[0-9a-f:.]+\]")
# A local part: RFC 5322's dot-atom, with the letters, digits and marks of all scripts (RFC 6531). Nothing that
# separates addresses or columns, and no space.
LOCAL = re.compile(r"[^\s\x00-\x20\x7f()<>\[\]:;@\\,\"|]+")
# Other names of a provider, with which an address is the same mailbox.
SAME_PROVIDER = {
    "googlemail.com": "gmail.com", "me.com": "icloud.com", "mac.com": "icloud.com", "proton.me": "protonmail.com",
    "pm.me": "protonmail.com", "protonmail.ch": "protonmail.com", "yandex.com": "yandex.ru", "ya.ru": "yandex.ru",
}  # fmt: skip
# Mail to anything@ada.fastmail.com comes to ada@fastmail.com.
FASTMAIL = re.compile(r"([^.]+)\.(fastmail\.(?:com|fm))")
# Providers whose name is worth a look for slips. Shorter names are too much like others.
WELL_KNOWN = frozenset({
    "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.es", "yahoo.co.jp",
    "yahoo.com.br", "hotmail.com", "hotmail.co.uk", "hotmail.fr", "hotmail.de", "outlook.com", "outlook.de",
    "outlook.fr", "icloud.com", "live.com", "comcast.net", "protonmail.com", "fastmail.com", "libero.it", "orange.fr",
    "laposte.net", "t-online.de", "freenet.de",
})  # fmt: skip
# Like one of them, and right.
ALSO_RIGHT = frozenset({"mail.com", "ymail.com", "email.com", "rocketmail.com", "outlook.es"})
# Control characters, lone surrogates, and what turns around the text beside it. Joiners belong to names, such as
# Persian and Hindi ones.
UNUSABLE_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a\u202b\u202d\u202e\u2066-\u2068]")


def canonical(address: str) -> str:
    """Return the form by which addresses are compared and searched; "" for text that is not an address.

    Dots and tags of the local part stay: whether they matter depends on the mail provider. Needless quotes do not
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
    """Return one form for all spellings of a mailbox.

    For rate limits only: spelling an address differently gives no new quota. Different people may share a form.
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
    """Return the address with the well-known domain that it misses by one slip; "" if there is none.

    A slip is a letter too much, too little or wrong, or two letters the wrong way round.
    """
    local, _at, domain = canonical(address).rpartition("@")
    if not domain or domain in WELL_KNOWN | ALSO_RIGHT:
        return ""
    meant = sorted(known for known in WELL_KNOWN if _is_slip(domain, known))
    return f"{local}@{meant[0]}" if meant else ""


def _is_slip(typed: str, meant: str) -> bool:
    """Return whether two texts differ by one slip."""
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
    """Return the domain in ASCII (IDNA 2008), "" if it is none.

    :param is_mapped: read as browsers do: signs that look alike become one, and invisible ones vanish (UTS 46)
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
    """Return whether it is a control character, or shows nothing, or a surrogate."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")


def masked(address: str) -> str:
    """Return ``a•••@example.com``: the owner recognises it, others do not learn the address.

    Of text that is no address nothing but its first character is shown; "" if there is no "@" in it.
    """
    if "@" not in address:
        return ""
    domain = address.strip().rpartition("@")[2] if canonical(address) else ""
    return f"{address.strip()[:1]}•••{'@' if domain else ''}{domain}"
