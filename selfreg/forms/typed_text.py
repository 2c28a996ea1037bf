"""Cleans up what people type and paste: one pure function for each kind of field.

The forms of the pages and of the JSON API use them. Nothing is guessed: a function only removes or replaces what can't
matter to a value of its kind.
"""

import re
import unicodedata
from urllib.parse import unquote

# Invisible characters (Unicode's Default_Ignorable_Code_Point), in addition to those of the category Cf, and the keycap
# around an emoji's digit.
HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# What copying from a page, an address book or a chat leaves around a name. Joiners belong to the name, and direction
# overrides are refused, not removed.
AROUND_NAMES = " \t\r\n\u00a0\u00ad\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u2060\u2066\u2067\u2068\u2069\u3000\ufeff"
# Punctuation around a code or an address in a sentence.
QUOTES_AND_STOPS = "\"'`\u00b4\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d.,;:\u3002()[]{}*"
# Quotes and brackets that an address can be in.
PAIRS = ("()", "<>", "[]", "{}", '""', "''", "``", "**", "“”", "„“", "‘’", "«»", "‹›", "「」", "『』")
ADDRESS_LABEL = re.compile(r'^[^"@]*:\s*(?=[^@]*@)')
PHONE_LABEL = re.compile(r"^[^\d+(*#]+(?:(?=\+)|:\s*(?=.*\d))")
# Four or more digits, with at most one sign between two of them.
RUN_OF_DIGITS = re.compile(r"\d(?:[\W_]?\d){3,}")
DASHES_BESIDE_PD = "\u2212\u30fc\uff70"
DECIMAL_MARK, GROUP_MARK = "\u066b", "\u066c"
EXTENSION_WORD = re.compile(r"^(?:ext(?:ension|n)?|x|#)\.?", re.IGNORECASE)
DIALLED_PREFIX = re.compile(r"[\s(+]*00[\s)./-]*(?=[1-9])")


def code(text: str) -> str:
    """Return a one-time code without a label, and without spaces and dashes between groups. Letters keep their case."""
    shown = "".join(c for c in _compatible(text) if not c.isspace() and not _is_dash(c))
    return shown.strip(QUOTES_AND_STOPS).rpartition(":")[2].strip(QUOTES_AND_STOPS)


def digits(text: str) -> str:
    """Return a one-time code that only has digits, from the sentence that it was pasted in."""
    plain = _compatible(text)
    runs = RUN_OF_DIGITS.findall(plain) if any(map(str.isalpha, plain)) else [plain]
    return re.sub(r"\D", "", runs[0]) if len(runs) == 1 else code(text)


def extension(text: str) -> str:
    """Return the extension of a phone number, without a word such as "ext." before it."""
    return EXTENSION_WORD.sub("", code(text))


def phone(text: str) -> str:
    """Return a phone number without a label. Its spaces and dashes stay, because ``phonenumbers`` reads them."""
    return PHONE_LABEL.sub("", " ".join(_compatible(text).split())).strip(" .,;<>")


def international(number: str) -> str:
    """Return a number with the prefix 00 with ``+`` instead; "" if it does not have that prefix."""
    prefix = DIALLED_PREFIX.match(number)
    return f"+{number[prefix.end() :]}" if prefix else ""


def address(text: str) -> str:
    """Return an email address without ``mailto:``, label, or the name in ``Name <address>``. Usernames have no "@"."""
    if "\n" in text.strip():
        return text  # these are lines, not an address with a label
    shown = _compatible(text).strip()
    if link := re.search(r"mailto:([^?>]*)", shown, re.IGNORECASE):
        shown = unquote(link[1])
    elif inner := re.fullmatch(r"[^<>]*<([^<>@]+@[^<>@]+)>[\s,;.]*", shown):
        shown = inner[1]
    shown = ADDRESS_LABEL.sub("", shown.strip())
    if "@" not in shown:
        return shown
    shown = shown.rstrip(".,;: ")
    while shown[:1] + shown[-1:] in PAIRS:
        shown = shown[1:-1].strip()
    local, _at, domain = shown.rpartition("@")
    domain = re.sub(r"\s*\.\s*", ".", domain.replace("\u3002", ".")).strip()
    return f"{local.replace(chr(0x3002), '.').strip()}@{domain.rstrip('.,;:)>')}"


def number(text: str) -> str:
    """Return a whole or decimal number in the format of programming languages."""
    shown = "".join(c for c in _compatible(text) if not c.isspace() and c not in (GROUP_MARK, "'", "\u2019"))
    return shown.replace("\u2212", "-").replace(DECIMAL_MARK, ".")


def postal_code(text: str) -> str:
    """Return a postal code with plain letters, spaces and dashes."""
    return "".join("-" if _is_dash(c) else c for c in " ".join(_compatible(text).split()))


def link(text: str) -> str:
    """Return a URL without invisible characters."""
    return HIDDEN.sub("", text).strip()


def name(text: str) -> str:
    """Return a name or any other text, with every letter, mark and joiner as it was typed."""
    return text.strip(AROUND_NAMES)


def _compatible(text: str) -> str:
    """Return the text in NFKC, with the digits of any script as 0 to 9, and without invisible characters."""
    visible = (c for c in HIDDEN.sub("", text) if unicodedata.category(c) != "Cf")
    plain = unicodedata.normalize("NFKC", "".join(visible))
    return "".join(str(unicodedata.decimal(c, c)) for c in HIDDEN.sub("", plain))


def _is_dash(character: str) -> bool:
    return unicodedata.category(character) == "Pd" or character in DASHES_BESIDE_PD
