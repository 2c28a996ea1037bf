"""What people type is taken as they mean it: by kind of field, whatever they type it with."""

import unicodedata
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from selfreg.forms import typed_text
from selfreg.forms.typed_fields import Number, WholeNumber

# The zeros of scripts that are in use.
ZEROS = "0٠۰߀०০੦૦୦௦౦೦൦๐໐༠၀០᠐０𝟎𝟘🯰"
NOTHING_TO_SEE = (
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


def sprinkled(text: str, between: str) -> str:
    return between + between.join(text) + between


@given(
    digits=st.text("0123456789", min_size=4, max_size=10),
    zero=st.sampled_from(ZEROS),
    between=st.text(NOTHING_TO_SEE + SPACES + DASHES, max_size=4),
)
def test_a_code_is_its_digits_in_whatever_script_and_grouping(digits: str, zero: str, between: str) -> None:
    assert typed_text.code(sprinkled(in_script(digits, zero), between)) == digits


@given(
    code=st.text("ABCxyz0123456789", min_size=6, max_size=12),
    between=st.text(NOTHING_TO_SEE + SPACES + DASHES, max_size=3),
)
def test_the_letters_of_a_code_keep_their_case(code: str, between: str) -> None:
    assert typed_text.code(sprinkled(code, between)) == code


@pytest.mark.parametrize("typed", ["“123456”", "123456.", "(123456)", "**123456**", "１２３４５６。", "①②③④⑤⑥"])
def test_what_stands_around_a_code_in_a_mail_is_not_part_of_it(typed: str) -> None:
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
def test_a_code_of_digits_is_found_in_what_was_pasted(typed: str) -> None:
    assert typed_text.digits(typed) == "123456"


@pytest.mark.parametrize("typed", ["abcdef", "call 0800 123456 or 0800 654321", "", "12"])
def test_no_code_of_digits_is_guessed(typed: str) -> None:
    assert typed_text.digits(typed) == typed_text.code(typed)


@pytest.mark.parametrize("typed", ["Code: aB3-dE6", "“aB3dE6”"])
def test_a_code_with_letters_loses_the_label_that_was_pasted_with_it(typed: str) -> None:
    assert typed_text.code(typed) == "aB3dE6"


@given(
    zero=st.sampled_from(ZEROS),
    around=st.text(NOTHING_TO_SEE + SPACES, max_size=3),
)
def test_an_address_is_taken_without_what_is_not_seen(zero: str, around: str) -> None:
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
def test_an_address_is_found_in_what_was_pasted(typed: str) -> None:
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
def test_what_may_matter_in_an_address_stays(typed: str) -> None:
    assert typed_text.address(typed) == typed


@given(
    digits=st.text("123456789", min_size=6, max_size=10),
    zero=st.sampled_from(ZEROS),
    around=st.text(NOTHING_TO_SEE, max_size=3),
)
def test_a_phone_number_is_taken_in_every_script(digits: str, zero: str, around: str) -> None:
    assert typed_text.phone(f"{around}＋{in_script(digits, zero)}{around}") == f"+{digits}"


@pytest.mark.parametrize(
    "typed",
    ["tel:+44 7911 123456", "Tel.: +44 7911 123456", "<tel:+44 7911 123456>", "☎ +44 7911 123456", "+44 7911 123456."],
)
def test_a_phone_number_is_found_in_what_was_pasted(typed: str) -> None:
    assert typed_text.phone(typed) == "+44 7911 123456"


@pytest.mark.parametrize(
    "typed", ["(202) 555-0123 x42", "+1 202 555 0123;ext=42", "house 12", "#31#0171 234", "*31*0171 234"]
)
def test_what_may_matter_in_a_phone_number_stays(typed: str) -> None:
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
def test_two_zeros_dial_abroad(typed: str, expected: str | None) -> None:
    assert typed_text.international(typed) == (expected or "")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("42", "42"), ("٤٢", "42"), ("ext. 42", "42"), ("x42", "42"), ("#42", "42"), ("４ ２", "42"), ("4a", "4a")],
)
def test_an_extension_is_its_digits(typed: str, expected: str) -> None:
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
def test_a_number_is_read_in_every_script(typed: str, expected: str) -> None:
    assert typed_text.number(typed) == expected


@pytest.mark.parametrize(
    ("language", "typed", "expected"),
    [("de", "1.000", 1000), ("es", "12.500", 12500), ("pt-br", "1.000.000", 1_000_000), ("en", "1.000", None)],
)
def test_a_point_between_thousands_is_never_read_as_another_number(
    language: str, typed: str, expected: int | None
) -> None:
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
def test_a_postal_code_keeps_its_letters_and_its_form(typed: str, expected: str) -> None:
    assert typed_text.postal_code(typed) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_name_keeps_every_letter_mark_and_joiner(name: str) -> None:
    assert typed_text.name(name) == name


@given(st.text())
def test_a_name_only_loses_what_surrounds_it(typed: str) -> None:
    assert typed_text.name(typed) in typed
    lost = set(typed) - set(typed_text.name(typed))
    assert all(unicodedata.category(c) in ("Cf", "Zs", "Cc") for c in lost)


def test_a_name_that_was_copied_from_a_chat_is_the_name() -> None:
    assert typed_text.name("\u2068Ada\u2069\u200e ") == "Ada"


@pytest.mark.parametrize(
    "meant",
    [typed_text.code, typed_text.phone, typed_text.number, typed_text.postal_code, typed_text.name, typed_text.link],
)
@given(typed=st.text("abcXYZ0189" + ZEROS + NOTHING_TO_SEE + SPACES + DASHES))
def test_what_was_meant_is_meant_by_itself(meant: Callable[[str], str], typed: str) -> None:
    assert meant(meant(typed)) == meant(typed)
