"""Spellings that mean the same, and those that do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore.domain.names import email_key, name_keys, sorted_words, tax_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gulf Concrete Pty Ltd", "GULF CONCRETE PTY. LTD."),
        ("Gulf Concrete P/L", "Gulf Concrete Proprietary Limited"),
        ("Smith Bros. Plumbing", "Smith Brothers Plumbing Limited"),
        ("Hall & Sons", "Hall and Sons"),
        ("O'Brien Glass", "OBrien Glass"),
        ("The Paint Shop", "Paint Shop"),
        ("A.B.C. Hire", "ABC Hire"),
        ("Müller Steel", "Muller Steel"),
        ("Coast Elec Svcs", "Coast Electrical Services"),
        ("Ridge Constructions", "Ridge Construction"),
        ("Delta-Civil  (Vic)", "Delta Civil Vic"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert name_keys(one) == name_keys(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Gulf Concrete", "Gulf Concreting"), ("Level 1 Hire", "Level 2 Hire"), ("Hall", "Hall Hire")],
)
def test_names_that_differ(one: str, other: str) -> None:
    assert name_keys(one) != name_keys(other)


def test_a_name_that_names_itself_twice_has_two_keys() -> None:
    assert name_keys("J Hall Family Trust T/A Hall Plumbing") == (
        "j hall family trust",
        "hall plumbing",
    )
    assert name_keys("Hall Nominees Pty Ltd as trustee for the Hall Trust") == (
        "hall nominees",
        "hall trust",
    )


def test_a_name_of_nothing_but_a_legal_form_is_still_a_name() -> None:
    assert name_keys("The Pty Ltd") == ("the pty ltd",)
    assert name_keys(" - ") == ()


@given(st.text(max_size=40))
def test_a_key_is_its_own_key(name: str) -> None:
    for key in name_keys(name):
        assert key == key.strip()
        assert set(sorted_words(key).split()) == set(key.split())


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("51 824 753 556", "51824753556"),
        ("ABN 51-824-753-556", "51824753556"),
        ("GB 123 4567 89", "123456789"),
        ("00 000 000 000", ""),
        ("n/a", ""),
        ("1234567", ""),
    ],
)
def test_tax_numbers(number: str, key: str) -> None:
    assert tax_key(number) == key


def test_addresses() -> None:
    assert email_key(" Accounts@Gulf.example ") == "accounts@gulf.example"
    assert email_key("none") == ""
    assert email_key("a b@c.example") == ""
