"""Cleaning of typed text by kind of field: digits of any script, pasted text, invisible characters."""

import unicodedata
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from selfreg.forms import typed_text
from selfreg.forms.typed_fields import Number, WholeNumber

# The digit zero of each script in use.
ZEROS = "0٠۰߀०০੦૦୦௦౦೦൦๐໐༠၀០᠐０𝟎𝟘🯰"
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202e\u2060\u2066\u2069\u3164\ufe0f\ufeff"
    "\U000e0020"
)
SPACES = " \t\u00a0\u1680\u2002\u2009\u202f\u205f\u3000"
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d"
NAMES = [
    "محمد‌رضا",
    "D’Arcy",
    "O'Neill",
    "क्‍ष",
    "Nguyễn",
    "Ngu\u0079\u0065\u0302\u0303n",
    "﨑山",
    "Jean–Luc",
    "Ａｄａ",
    "ﬁ",
]


def in_script(digits: str, zero: str) -> str:
    return "".join(chr(ord(zero) + int(d)) for d in digits)


def interleave(text: str, between: str) -> str:
    return between + between.join(text) + between


@given(
    digits=st.text("0123456789", min_size=4, max_size=10),
    zero=st.sampled_from(ZEROS),
    between=st.text(INVISIBLE + SPACES + DASHES, max_size=4),
)
def test_code_accepts_digits_of_any_script_and_grouping(digits: str, zero: str, between: str) -> None:
    assert typed_text.code(interleave(in_script(digits, zero), between)) == digits


@given(
    code=st.text("ABCxyz0123456789", min_size=6, max_size=12),
    between=st.text(INVISIBLE + SPACES + DASHES, max_size=3),
)
def test_code_keeps_the_case_of_letters(code: str, between: str) -> None:
    assert typed_text.code(interleave(code, between)) == code


@pytest.mark.parametrize("typed", ["“123456”", "123456.", "(123456)", "**123456**", "１２３４５６。", "①②③④⑤⑥"])
def test_punctuation_around_a_code_is_removed(typed: str) -> None:
    assert typed_text.code(typed) == "123456"


@pytest.mark.parametrize(
    "typed",
    [
        "Code: 123-456",
        "Code：１２３４５６",
        "Your verification code is 123456.",
        "123456 is your code",
        "Your code is 123 456. It expires in 5 minutes.",
        "رمز التحقق: ١٢٣٤٥٦",
        "確認コード「123456」",
        "#123456",
        "<123456>",
        "123.456",
        "123·456",
        "1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣",
    ],
)
def test_numeric_code_is_found_in_pasted_text(typed: str) -> None:
    assert typed_text.digits(typed) == "123456"


@pytest.mark.parametrize("typed", ["abcdef", "call 0800 123456 or 0800 654321", "", "12"])
def test_numeric_code_is_not_guessed_from_ambiguous_text(typed: str) -> None:
    assert typed_text.digits(typed) == typed_text.code(typed)


@pytest.mark.parametrize("typed", ["Code: aB3-dE6", "“aB3dE6”"])
def test_pasted_label_before_a_code_is_removed(typed: str) -> None:
    assert typed_text.code(typed) == "aB3dE6"


@given(
    zero=st.sampled_from(ZEROS),
    around=st.text(INVISIBLE + SPACES, max_size=3),
)
def test_invisible_characters_around_an_address_are_removed(zero: str, around: str) -> None:
    typed = f"{around}ada.{in_script('42', zero)}@example.com{around}"
    assert typed_text.address(typed) == "ada.42@example.com"


@pytest.mark.parametrize(
    "typed",
    [
        "ada@example.com",
        "ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "ada＠example。com",
        "ada@example｡com",
        "ada﹫example.com",
        "mailto:ada@example.com",
        "MAILTO:ada@example.com?subject=Hello",
        "Ada Lovelace <ada@example.com>",
        '"Lovelace, Ada" <ada@example.com>,',
        "<ada@example.com>",
        "<mailto:ada@example.com>",
        "ada @ example.com",
        "ada@example .com",
        "ada@example.com.",
        "ada@example.com;",
        "\u202aada@example.com\u202c",
        "\ufeffada@exam\u00adple.com",
        '"ada@example.com"',
        "'ada@example.com'",
        "“ada@example.com”",
        "«ada@example.com».",
        "(ada@example.com)",
        "[ada@example.com](mailto:ada@example.com)",
        "**ada@example.com**",
        "「ada@example.com」",
        "Email: ada@example.com",
        "E-Mail：ada@example.com",
        "mailto:ada%40example.com",
        "mailto:ada@example.com?subject=x@y.org",
        "ada@example.com)",
    ],
)
def test_address_is_found_in_pasted_text(typed: str) -> None:
    assert typed_text.address(typed) == "ada@example.com"


@pytest.mark.parametrize(
    "typed",
    [
        "ada lovelace@example.com",
        "ada@b@example.com",
        "ada",
        "用户@例子.公司",
        "Ada+x@EXAMPLE.com",
        '"ada lovelace"@example.com',
        "o'neill@example.com",
        "'ada@example.com",
        "ada@[192.0.2.1]",
        '"a:b"@example.com',
        "ada@[IPv6:2001:db8::1]",
    ],
)
def test_significant_characters_of_an_address_are_kept(typed: str) -> None:
    assert typed_text.address(typed) == typed


@given(
    digits=st.text("123456789", min_size=6, max_size=10),
    zero=st.sampled_from(ZEROS),
    around=st.text(INVISIBLE, max_size=3),
)
def test_phone_number_accepts_digits_of_any_script(digits: str, zero: str, around: str) -> None:
    assert typed_text.phone(f"{around}＋{in_script(digits, zero)}{around}") == f"+{digits}"


@pytest.mark.parametrize(
    "typed",
    ["tel:+44 7911 123456", "Tel.: +44 7911 123456", "<tel:+44 7911 123456>", "☎ +44 7911 123456", "+44 7911 123456."],
)
def test_phone_number_is_found_in_pasted_text(typed: str) -> None:
    assert typed_text.phone(typed) == "+44 7911 123456"


@pytest.mark.parametrize(
    "typed", ["(202) 555-0123 x42", "+1 202 555 0123;ext=42", "house 12", "#31#0171 234", "*31*0171 234"]
)
def test_significant_characters_of_a_phone_number_are_kept(typed: str) -> None:
    assert typed_text.phone(typed) == typed


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("0044 7911 123456", "+44 7911 123456"),
        ("+0044 7911", "+44 7911"),
        ("00 (44) 7911", None),
        ("0171 234", None),
        ("000 1", None),
        ("555 0044", None),
    ],
)
def test_international_prefix_00_becomes_plus(typed: str, expected: str | None) -> None:
    assert typed_text.international(typed) == (expected or "")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("42", "42"), ("٤٢", "42"), ("ext. 42", "42"), ("x42", "42"), ("#42", "42"), ("４ ２", "42"), ("4a", "4a")],
)
def test_extension_is_reduced_to_its_digits(typed: str, expected: str) -> None:
    assert typed_text.extension(typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("１９９０", "1990"),
        ("١٩٩٠", "1990"),
        ("1 990", "1990"),
        ("1\u202f990", "1990"),
        ("−3", "-3"),
        ("٣٫٥", "3.5"),
        ("١٬٠٠٠", "1000"),
        ("1'000", "1000"),
        ("seven", "seven"),
    ],
)
def test_number_accepts_digits_and_separators_of_any_script(typed: str, expected: str) -> None:
    assert typed_text.number(typed) == expected


@pytest.mark.parametrize(
    ("language", "typed", "expected"),
    [("de", "1.000", 1000), ("es", "12.500", 12500), ("pt-br", "1.000.000", 1_000_000), ("en", "1.000", None)],
)
def test_thousands_separator_is_never_read_as_a_decimal_point(language: str, typed: str, expected: int | None) -> None:
    with translation.override(language):
        if expected is not None:
            assert WholeNumber().clean(typed) == Number().clean(typed) == expected
            return
        with pytest.raises(ValidationError):
            WholeNumber().clean(typed)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("１００－０００１", "100-0001"), (" SW1A  1AA ", "SW1A 1AA"), ("٩٠٢١٠", "90210"), ("ec1a\u200b 1bb", "ec1a 1bb")],
)
def test_postal_code_is_normalized_and_keeps_its_letters(typed: str, expected: str) -> None:
    assert typed_text.postal_code(typed) == expected


@pytest.mark.parametrize("name", NAMES)
def test_name_keeps_every_letter_mark_and_joiner(name: str) -> None:
    assert typed_text.name(name) == name


@given(st.text())
def test_name_loses_only_surrounding_characters(typed: str) -> None:
    assert typed_text.name(typed) in typed
    lost = set(typed) - set(typed_text.name(typed))
    assert all(unicodedata.category(c) in ("Cf", "Zs", "Cc") for c in lost)


def test_direction_marks_around_a_name_are_removed() -> None:
    assert typed_text.name("\u2068Ada\u2069\u200e ") == "Ada"


@pytest.mark.parametrize(
    "clean",
    [typed_text.code, typed_text.phone, typed_text.number, typed_text.postal_code, typed_text.name, typed_text.link],
)
@given(typed=st.text("abcXYZ0189" + ZEROS + INVISIBLE + SPACES + DASHES))
def test_cleaning_is_idempotent(clean: Callable[[str], str], typed: str) -> None:
    assert clean(clean(typed)) == clean(typed)
