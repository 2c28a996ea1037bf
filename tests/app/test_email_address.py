import pytest

from selfreg.addresses import canonical, masked


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
        ("straße@example.com", "strasse@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("", ""),
        ("ada", ""),
        ("ada@", ""),
        ("@example.com", ""),
        ("a@b@example.com", ""),
        ("ada@" + "x" * 64 + ".example", ""),
        ("ada@a..example", ""),
        ("a" * 243 + "@example.com", ""),
        ("\u0390" * 120 + "@example.com", ""),  # folded, each letter is three
    ],
)
def test_an_address_has_one_canonical_form(typed: str, expected: str) -> None:
    assert canonical(typed) == expected


def test_the_canonical_form_is_its_own_canonical_form() -> None:
    for typed in ("Ada@Bücher.Example", "JOSE\u0301@example.com", "ada@example.com"):
        assert canonical(canonical(typed)) == canonical(typed)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("ada@example.com", "a•••@example.com"), ("a@example.com", "a•••@example.com"), ("", ""), ("ada", "")],
)
def test_a_masked_address_is_recognised_by_its_owner_only(address: str, expected: str) -> None:
    assert masked(address) == expected
