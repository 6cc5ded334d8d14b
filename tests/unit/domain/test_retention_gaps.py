"""What holds a claim that moves retention; it never goes over by another method instead."""

import pytest
from tests.unit.domain.books import (
    account,
    accounts,
    amounts_of,
    bill,
    chart,
    claim,
    gaps,
    line,
    side,
)

from onecore.domain.chart import AccountClass
from onecore.domain.ids import AccountCode

CLAIM = line("100000", retained="10000")


def test_no_account_holds_the_claim_and_never_another_method() -> None:
    books = chart(payable=side(account=None))
    assert gaps(claim(CLAIM), books) == [("retention_account_missing", "payable")]


def test_no_account_is_needed_where_nothing_moves() -> None:
    made = bill(claim(line("1000")), chart(payable=side(account=None)))
    assert amounts_of(made) == {"item:9": "1000.00"}


def test_net_needs_no_retention_account() -> None:
    made = bill(claim(CLAIM), chart(payable=side("net", account=None)))
    assert amounts_of(made) == {"item:9": "90000.00"}


def test_an_archived_retention_account_holds_the_claim() -> None:
    shut = account("820R", "Retention", AccountClass.LIABILITY, active=False)
    books = chart(accounts=accounts("AU") | {shut.code: shut})
    assert gaps(claim(CLAIM), books) == [("retention_account_archived", "820R")]


def test_both_retention_accounts_are_checked() -> None:
    shut = account("821R", "Released", AccountClass.LIABILITY, active=False)
    books = chart(
        accounts=accounts("AU") | {shut.code: shut},
        payable=side(account=AccountCode("999"), released_account=AccountCode("821R")),
    )
    assert gaps(claim(CLAIM), books) == [
        ("retention_account_missing", "999"),
        ("retention_account_archived", "821R"),
    ]


def test_a_control_account_cannot_hold_retention() -> None:
    books = chart(payable=side(account=AccountCode("800")))
    assert gaps(claim(CLAIM), books) == [("account_refused", "800")]


def test_a_type_the_retention_account_cannot_take_holds_the_claim() -> None:
    income = account("820R", "Retention", AccountClass.REVENUE)
    books = chart(accounts=accounts("AU") | {income.code: income})
    assert gaps(claim(CLAIM), books) == [("retention_tax_unfit", "INPUT/820R")]


def test_no_untaxed_type_to_be_had_holds_the_claim() -> None:
    rates = {k: v for k, v in chart().tax_rates.items() if k != "BASEXCLUDED"}
    books = chart(payable=side(tax="none"), tax_rates=rates)
    assert gaps(claim(CLAIM), books) == [("tax_unknown", "BASEXCLUDED")]


@pytest.mark.parametrize("method", ["document", "credit_note"])
def test_methods_not_built_yet_say_so(method: str) -> None:
    books = chart(payable=side(method))
    assert gaps(claim(CLAIM), books) == [("retention_method_unbuilt", method)]
    assert amounts_of(bill(claim(line("500")), books)) == {"item:9": "500.00"}
