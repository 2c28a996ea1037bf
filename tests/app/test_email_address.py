import pytest

from selfreg.email_addresses import canonical, folded, is_same_mailbox, likely_meant, masked


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM ", "ada@example.com"),
        ("ADA+tag@example.com", "ada+tag@example.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("jose\u0301@example.com", "josé@example.com"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "straße@example.com"),
        ("ﬁnn@example.com", "ﬁnn@example.com"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("ada@fass.example", "ada@fass.example"),
        ("ada@xn--fa-hia.example", "ada@xn--fa-hia.example"),
        ("ada@βόλος.com", "ada@xn--nxasmm1c.com"),
        ("ada@βόλοσ.com", "ada@xn--nxasmq6b.com"),
        ("ada@ab--cd.example", "ada@ab--cd.example"),
        ("ada@نامه\u200cای.com", "ada@xn--mgba3gch31f060k.com"),
        ("ada@a\u200db.com", ""),
        ("ada@\U0001f600.example", ""),
        ("ada@example.com.", ""),
        ("ada@-a.example", ""),
        ("ada@a_b.example", ""),
        ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
        ('"ada"@example.com', "ada@example.com"),
        ('"a\\d\\a"@example.com', "ada@example.com"),
        ('"a b"@example.com', ""),
        ("a b@example.com", ""),
        ("a\u3000b@example.com", ""),
        ("a\u200bb@example.com", ""),
        ("a;b@example.com", ""),
        ("a@b;=1+1;", ""),
        ("z@q;=1+1", ""),
        ('a@b;=HYPERLINK("//evil.test";"Open");', ""),
        ("a@b whole text", ""),
        ("a,b@example.com", ""),
        ("<ada@example.com>", ""),
        ("o'brien@example.com", "o'brien@example.com"),
        ("", ""),
        ("ada", ""),
        ("ada@", ""),
        ("@example.com", ""),
        ("a@b@example.com", ""),
        ("ada@" + "x" * 64 + ".example", ""),
        ("ada@a..example", ""),
        ("a" * 243 + "@example.com", ""),
    ],
)
def test_canonical_form_of_addresses(typed: str, expected: str) -> None:
    assert canonical(typed) == expected


def test_canonical_form_is_idempotent() -> None:
    for typed in ("Ada@Bücher.Example", "JOSE\u0301@example.com", "ada@example.com"):
        assert canonical(canonical(typed)) == canonical(typed)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ada@example.com", "a•••@example.com"),
        ("a@example.com", "a•••@example.com"),
        (" ada@Bücher.example ", "a•••@Bücher.example"),
        ("ada@faß.example", "a•••@faß.example"),
        ("a@b whole text", "a•••"),
        ("a@b;=1+1", "a•••"),
        ("a@b@example.com", "a•••"),
        ("@x", "@•••"),
        ("", ""),
        ("ada", ""),
    ],
)
def test_masked_address_shows_first_letter_and_domain(address: str, expected: str) -> None:
    assert masked(address) == expected


SAME_MAILBOX = [
    ("ada@example.com", "Ada@EXAMPLE.com"),
    ("josé@example.com", "JOSé@example.com"),
    ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ("ada@bücher.example", "ada@BÜCHER.example"),
    ("ada@faß.example", "ada@xn--fa-hia.example"),
]
OTHER_MAILBOX = [
    ("ceo@fass.example", "ceo@faß.example"),
    ("ceo@fass.example", "ceo@fa\u017fs.example"),
    ("ceo@example.com", "ceo@exa\u00admple.com"),
    ("ceo@example.com", "ceo@ex\u200dample.com"),
    ("ceo@example.com", "ceo@ｅxample.com"),
    ("strasse@example.com", "straße@example.com"),
    ("finn@example.com", "ﬁnn@example.com"),
    ("kim@example.com", "\u212aim@example.com"),
    ("jose\u0301@example.com", "josé@example.com"),
    ("ada@βόλος.com", "ada@βόλοσ.com"),
    ("a.da@gmail.com", "ada@gmail.com"),
    ("ada+x@example.com", "ada@example.com"),
    ('"ada"@example.com', "ada@example.com"),
    ("ada@example.com", ""),
    ("", ""),
    ("x", "x"),
    ("i@example.com", "ı@example.com"),
]


@pytest.mark.parametrize(("one", "other"), SAME_MAILBOX)
def test_equivalent_spellings_are_the_same_mailbox(one: str, other: str) -> None:
    assert is_same_mailbox(one, other)
    assert is_same_mailbox(other, one)


@pytest.mark.parametrize(("one", "other"), OTHER_MAILBOX)
def test_similar_addresses_are_not_the_same_mailbox(one: str, other: str) -> None:
    assert not is_same_mailbox(one, other)
    assert not is_same_mailbox(other, one)


@pytest.mark.parametrize(
    "spelling",
    [
        "victim@gmail.com",
        "VICTIM@GMAIL.COM",
        "v.ic.tim@gmail.com",
        "victim+1@gmail.com",
        "victim@googlemail.com",
        '"victim"@gmail.com',
        '"v\\ictim"@gmail.com',
        '"v.ictim+x"@googlemail.com',
        " victim@gmail.com ",
        "victim@gmail.com.",
        "ｖictim@gmail.com",
        "vic\u200btim@gmail.com",
        "victim@gm\u00adail.com",
        "victim@ｇmail.com",
    ],
)
def test_all_spellings_of_a_mailbox_share_one_rate_limit_key(spelling: str) -> None:
    assert folded(spelling) == "victim@gmail.com"


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("ada@me.com", "ada@icloud.com"),
        ("a.da@mac.com", "ada@icloud.com"),
        ("ada+1@pm.me", "ada@protonmail.com"),
        ("ada@proton.me", "ada@protonmail.com"),
        ("ada@ya.ru", "ada@yandex.ru"),
        ("news@ada.fastmail.com", "ada@fastmail.com"),
        ("shop+1@ada.fastmail.com", "ada@fastmail.com"),
    ],
)
def test_alias_domains_of_a_provider_share_one_rate_limit_key(spelling: str, expected: str) -> None:
    assert folded(spelling) == folded(expected) == expected


@pytest.mark.parametrize(
    "one", ["straße@x.example", "ﬁnn@x.example", "ada@faß.example", "a b@x.example", "x", "", "@", '"']
)
def test_rate_limit_key_of_an_address_is_idempotent(one: str) -> None:
    assert folded(folded(one)) == folded(one) == folded(one.upper())


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmai.com", "ada@gmail.com"),
        ("ada@gmaill.com", "ada@gmail.com"),
        ("ada@gmail.con", "ada@gmail.com"),
        ("Ada.Lovelace@GMAIL.CM", "ada.lovelace@gmail.com"),
        ("ada@hotnail.com", "ada@hotmail.com"),
        ("ada@outlok.com", "ada@outlook.com"),
        ("ada@yahooo.com", "ada@yahoo.com"),
        ("ada@gmail.com", ""),
        ("ada@mail.com", ""),
        ("ada@ymail.com", ""),
        ("ada@yahoo.com.ar", ""),
        ("ada@yahoo.se", ""),
        ("ada@hotmail.be", ""),
        ("ada@outlook.ie", ""),
        ("ada@example.com", ""),
        ("ada@gmial.con", ""),
        ("no address", ""),
        ("", ""),
    ],
)
def test_typing_errors_in_well_known_domains_are_detected(typed: str, expected: str) -> None:
    assert likely_meant(typed) == expected
