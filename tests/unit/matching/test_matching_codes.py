"""Weak suggestions: accounts for cost codes, tracking options for projects."""

from uuid import UUID

import pytest

from onecore.domain.chart import Account, AccountClass, Category, Option
from onecore.domain.documents import CostCode
from onecore.domain.ids import AccountCode, CategoryId, CostCodeId, OptionId, ProjectId
from onecore.domain.matching_codes import division_of
from onecore.engine.matching import suggest_accounts, suggest_options
from onecore.ports import Project


def account(
    code: str,
    name: str,
    klass: AccountClass = AccountClass.EXPENSE,
    active: bool = True,
    kind: str = "DIRECTCOSTS",
) -> Account:
    return Account(AccountCode(code), name, klass, kind, None, active)


BOOKS = [
    account("310", "Concrete and masonry"),
    account("314", "Carpentry and joinery"),
    account("320", "Electrical services"),
    account("200", "Concrete sales", AccountClass.REVENUE),
    account("399", "Precast concrete", active=False),
]


def suggested(
    codes: dict[str, str], known: dict[str, str] | None = None, books: list[Account] = BOOKS
) -> dict[str, tuple[str, int]]:
    rows = [CostCode(CostCodeId(i), code, name) for i, (code, name) in enumerate(codes.items())]
    chosen = {code: AccountCode(account) for code, account in (known or {}).items()}
    return {s.subject: (s.target, s.score) for s in suggest_accounts(rows, books, chosen)}


def test_the_same_name_is_the_strongest_and_still_for_a_person() -> None:
    assert suggested({"16-100": "Electrical services"}) == {"16-100": ("320", 80)}


def test_shared_words() -> None:
    assert suggested({"03-310": "Concrete supply"}) == {"03-310": ("310", 57)}


def test_a_division_goes_where_its_other_codes_go() -> None:
    found = suggested({"06-400": "Joinery", "06-150": "Decking"})
    assert found["06-150"] == ("314", 45)


def test_what_a_person_chose_outweighs_a_guess() -> None:
    found = suggested({"03-310": "Concrete supply", "03-350": "Reo"}, known={"03-320": "314"})
    assert found["03-350"] == ("314", 40)
    assert "03-320" not in found


def test_a_division_alone_is_the_weakest() -> None:
    assert suggested({"04-200": "Besser"}) == {"04-200": ("310", 40)}


def test_revenue_archived_and_bank_accounts_are_never_suggested() -> None:
    books = [*BOOKS, account("090", "Signage", kind="BANK")]
    assert suggested({"10-400": "Signage", "77-100": "Precast"}, books=books) == {}


def test_a_code_in_several_projects_is_suggested_once() -> None:
    rows = [CostCode(CostCodeId(i), "16-100", "Electrical services") for i in range(3)]
    assert len(suggest_accounts(rows, BOOKS)) == 1


@pytest.mark.parametrize(
    ("code", "division"), [("03-300", "03"), ("03 30 00", "03"), ("1.20", "1"), ("X", ""), ("", "")]
)
def test_divisions(code: str, division: str) -> None:
    assert division_of(code) == division


# --- projects ---------------------------------------------------------------------------------


def project(number: str, name: str, id: int = 7) -> Project:
    return Project(ProjectId(id), number, name, True, "Adelaide")


def options(*names: str, archived: tuple[str, ...] = ()) -> Category:
    rows = [Option(OptionId(UUID(int=i + 1)), name, True) for i, name in enumerate(names)]
    rows += [Option(OptionId(UUID(int=i + 90)), name, False) for i, name in enumerate(archived)]
    return Category(CategoryId(UUID(int=1)), "Jobs", True, tuple(rows))


@pytest.mark.parametrize(
    ("option", "score"),
    [
        ("P-007 Riverside Stage 2", 100),
        ("P007 - riverside stage 2", 100),
        ("Riverside Stage 2 (P-7)", 100),
        ("P-007 Riverside", 95),
        ("Riverside Stage 2", 88),
        ("P-007", 85),
        ("P-007 Harbour", 70),
        ("Riverside Stge 2", 73),
        ("Harbour", None),
        ("P-070 Riverside", None),
    ],
)
def test_an_option_for_a_project(option: str, score: int | None) -> None:
    found = suggest_options([project("P-007", "Riverside Stage 2")], options(option))
    assert [s.score for s in found] == ([score] if score else [])


def test_a_number_that_two_projects_share_says_nothing() -> None:
    rows = [project("1", "Jetty", 1), project("1", "Glenelg", 2)]
    assert suggest_options(rows, options("1")) == ()
    found = suggest_options(rows, options("Glenelg", "Jetty"))
    assert {s.subject: s.target.int for s in found} == {1: 2, 2: 1}


def test_each_option_goes_to_one_project() -> None:
    rows = [project("10", "Jetty", 1), project("11", "Jetty", 2)]
    found = suggest_options(rows, options("11 Jetty", "Jetty"))
    assert {s.subject: (s.target.int, s.score) for s in found} == {2: (1, 100), 1: (2, 88)}


def test_archived_options_and_mapped_projects_are_left_out() -> None:
    rows = [project("10", "Jetty")]
    assert suggest_options(rows, options(archived=("10 Jetty",))) == ()
    assert suggest_options(rows, options("10 Jetty"), mapped={ProjectId(7)}) == ()
