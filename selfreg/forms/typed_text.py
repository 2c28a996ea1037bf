"""What people type and paste, taken as they meant it: one pure function for each kind of field.

The forms apply them to whatever comes in, from the pages, without JavaScript, and by the JSON API. Nothing is guessed:
a function only removes or replaces what cannot matter to a value of its kind.
"""

import re
import unicodedata

# Characters that are not shown, beside those of the category Cf (Unicode's Default_Ignorable_Code_Point).
HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# What copying from a page, an address book or a chat leaves around a name. Joiners inside it and at its ends belong to
# it, and direction overrides are refused, not removed.
AROUND_NAMES = " \t\r\n\u00a0\u00ad\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u2060\u2066\u2067\u2068\u2069\u3000\ufeff"
# Around a code or an address in a sentence.
QUOTES_AND_STOPS = "\"'`\u00b4\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d.,;:\u3002()[]{}*"
DASHES_BESIDE_PD = "\u2212\u30fc\uff70"
DECIMAL_MARK, GROUP_MARK = "\u066b", "\u066c"
EXTENSION_WORD = re.compile(r"(?:ext(?:ension|n)?|x|#)\.?", re.IGNORECASE)
DIALLED_PREFIX = re.compile(r"[\s(+]*00[\s)./-]*(?=[1-9])")


def code(text: str) -> str:
    """Return a one-time code without the spaces and dashes that group it. The case of letters is kept."""
    shown = "".join(c for c in _compatible(text) if not c.isspace() and not _is_dash(c))
    return shown.strip(QUOTES_AND_STOPS)


def extension(text: str) -> str:
    """Return the extension of a phone number, without the word that people put before it."""
    digits = code(text)
    word = EXTENSION_WORD.match(digits)
    return digits[word.end() :] if word else digits


def phone(text: str) -> str:
    """Return a phone number as people write it, with its spaces and dashes."""
    return " ".join(_compatible(text).split())


def international(number: str) -> str:
    """Return the same number with ``+`` for the prefix 00 that most countries dial, "" if it has none."""
    prefix = DIALLED_PREFIX.match(number)
    return f"+{number[prefix.end() :]}" if prefix else ""


def address(text: str) -> str:
    """Return an email address, also out of ``mailto:`` and ``Name <address>``; a username without "@" stays one."""
    shown = _compatible(text).strip()
    inner = re.fullmatch(r"[^<>]*<([^<>@]+@[^<>@]+)>[\s,;.]*", shown)
    shown = inner[1].strip() if inner else shown
    if shown.lower().startswith("mailto:"):
        shown = shown[len("mailto:") :].partition("?")[0]
    local, at, domain = shown.strip().rpartition("@")
    if not at:
        return shown
    domain = re.sub(r"\s*\.\s*", ".", domain.replace("\u3002", ".")).strip()
    return f"{local.replace(chr(0x3002), '.').strip()}@{domain.rstrip('.,;:')}"


def number(text: str) -> str:
    """Return a whole or decimal number, as programs write it."""
    shown = "".join(c for c in _compatible(text) if not c.isspace() and c not in (GROUP_MARK, "'", "\u2019"))
    return shown.replace("\u2212", "-").replace(DECIMAL_MARK, ".")


def postal_code(text: str) -> str:
    """Return a postal code: its letters, spaces and dashes kept, each in its plain form."""
    return "".join("-" if _is_dash(c) else c for c in " ".join(_compatible(text).split()))


def link(text: str) -> str:
    """Return the address of a page, without what is not shown of it."""
    return HIDDEN.sub("", text).strip()


def name(text: str) -> str:
    """Return a name, or any other text: every letter, mark and joiner stays as it was typed."""
    return text.strip(AROUND_NAMES)


def _compatible(text: str) -> str:
    """In compatible characters (NFKC), with digits of any script as 0 to 9, and without what is not shown."""
    visible = (c for c in HIDDEN.sub("", text) if unicodedata.category(c) != "Cf")
    plain = unicodedata.normalize("NFKC", "".join(visible))
    return "".join(str(unicodedata.decimal(c, c)) for c in HIDDEN.sub("", plain))


def _is_dash(character: str) -> bool:
    return unicodedata.category(character) == "Pd" or character in DASHES_BESIDE_PD
