"""The worked figures of retention, by method and country [C 2, C 3]."""

from decimal import Decimal

import pytest
from tests.unit.domain.books import (
    CONTACT,
    account,
    accounts,
    amounts_of,
    bill,
    chart,
    claim,
    gaps,
    line,
    outcome,
    side,
)

from onecore.domain.chart import AccountClass, Chart
from onecore.domain.documents import Bill, RequisitionLine
from onecore.domain.ids import AccountCode, TaxType
from onecore.domain.money import ZERO
from onecore.domain.settings import CodeRule, Policies, TaxOverride
from onecore.domain.tax import journal, predicted_totals

CLAIMS = (
    line("100000", retained="10000"),
    line("60000", retained="6000"),
    line("0", released="8000"),  # at practical completion
    line("0", released="8000"),  # at the end of the defects period
)


def totals(made: Bill, books: Chart) -> tuple[str, str, str]:
    found = predicted_totals(made, books)
    return f"{found.net:.2f}", f"{found.tax:.2f}", f"{found.gross:.2f}"


def booked(made: Bill, books: Chart) -> dict[str, Decimal]:
    """Debits less credits by account code."""
    return {row.account: row.debit - row.credit for row in journal(made, books)}


@pytest.mark.parametrize("method", ["net", "line"])
@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (CLAIMS[0], ("90000.00", "9000.00", "99000.00")),
        (CLAIMS[1], ("54000.00", "5400.00", "59400.00")),
        (CLAIMS[2], ("8000.00", "800.00", "8800.00")),
        (CLAIMS[3], ("8000.00", "800.00", "8800.00")),
    ],
)
def test_cash_and_gst_are_the_same_by_net_and_by_line(
    method: str, claimed: RequisitionLine, expected: tuple[str, str, str]
) -> None:
    books = chart(payable=side(method))
    assert totals(bill(claim(claimed), books), books) == expected


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (CLAIMS[0], ("90000.00", "10000.00", "100000.00")),
        (CLAIMS[1], ("54000.00", "6000.00", "60000.00")),
        (CLAIMS[2], ("8000.00", "0.00", "8000.00")),
        (CLAIMS[3], ("8000.00", "0.00", "8000.00")),
    ],
)
def test_untaxed_retention_brings_all_gst_forward(
    claimed: RequisitionLine, expected: tuple[str, str, str]
) -> None:
    books = chart(payable=side(tax="none"))
    assert totals(bill(claim(claimed), books), books) == expected


@pytest.mark.parametrize(
    ("method", "tax", "cost_after_two"),
    [("net", "same", 144_000), ("line", "same", 160_000), ("line", "none", 160_000)],
)
def test_every_method_ends_at_the_same_cost_gst_and_cash(
    method: str, tax: str, cost_after_two: int
) -> None:
    books = chart(payable=side(method, tax=tax))
    entries = [booked(bill(claim(x), books), books) for x in CLAIMS]

    def after(count: int, code: str) -> Decimal:
        return sum((entry.get(code, ZERO) for entry in entries[:count]), ZERO)

    assert after(2, "311") == cost_after_two
    assert after(4, "311") == 160_000
    assert after(4, "820") == 16_000
    assert after(4, "800") == -176_000
    assert after(4, "820R") == 0
    assert after(2, "820R") == (0 if method == "net" else -16_000)


def test_the_journal_of_claim_one_by_line() -> None:
    books = chart()
    assert [
        (row.account, row.name, row.debit, row.credit)
        for row in journal(bill(claim(CLAIMS[0]), books), books)
    ] == [
        ("311", "Concrete", 100_000, 0),
        ("820", "GST", 9_000, 0),
        ("820R", "Retention Payable", 0, 10_000),
        ("800", "Accounts Payable", 0, 99_000),
    ]


def test_the_journal_of_a_release_by_line_has_no_cost() -> None:
    books = chart()
    assert booked(bill(claim(CLAIMS[2]), books), books) == {
        "820": 800,
        "820R": 8_000,
        "800": -8_800,
    }


@pytest.mark.parametrize("method", ["net", "line"])
@pytest.mark.parametrize(
    ("country", "now", "later"),
    [
        ("NZ", "103500.00", "11500.00"),
        ("GB", "108000.00", "12000.00"),
        ("US", "90000.00", "10000.00"),
    ],
)
def test_claim_one_elsewhere(method: str, country: str, now: str, later: str) -> None:
    books = chart(country, payable=side(method))
    released = line("0", released="10000")
    assert totals(bill(claim(CLAIMS[0]), books), books)[2] == now
    assert totals(bill(claim(released), books), books)[2] == later


# --- United Kingdom: reverse charge, CIS -------------------------------------------------------


def reverse_charge() -> TaxType:
    """By name and class, as a person picks it: the code says nothing about the direction."""
    books = chart("GB")
    (found,) = [
        rate.type
        for rate in books.tax_rates.values()
        if "Reverse Charge" in rate.name and AccountClass.EXPENSE in rate.classes
    ]
    return found


@pytest.mark.parametrize("method", ["net", "line"])
def test_reverse_charge_puts_no_vat_on_claim_or_release(method: str) -> None:
    override = TaxOverride(reverse_charge(), contact=CONTACT)
    books = chart("GB", payable=side(method), tax_overrides=(override,))
    made = bill(claim(CLAIMS[0]), books)
    assert totals(made, books) == ("90000.00", "0.00", "90000.00")
    assert {x.tax_type for x in made.lines} == {"TAX017"}
    release = bill(claim(line("0", released="10000")), books)
    assert totals(release, books) == ("10000.00", "0.00", "10000.00")
    assert {x.tax_type for x in release.lines} == {"TAX017"}


def test_the_retention_line_carries_the_reverse_charge_type() -> None:
    override = TaxOverride(reverse_charge(), contact=CONTACT)
    books = chart("GB", tax_overrides=(override,))
    made = bill(claim(CLAIMS[0]), books)
    assert [(x.key, x.tax_type) for x in made.lines] == [
        ("item:9", "TAX017"),
        ("retention:TAX017", "TAX017"),
    ]


def test_the_reverse_charge_of_sales_is_refused_on_work() -> None:
    books = chart("GB", tax_overrides=(TaxOverride(TaxType("TAX018"), contact=CONTACT),))
    assert gaps(claim(CLAIMS[0]), books) == [("tax_unfit", "TAX018/311")]


def cis_books(method: str) -> Chart:
    labour = account("321", "CIS Labour Expense", tax="INPUT2", system="CISLABOUREXPENSE")
    return chart(
        "GB",
        payable=side(method),
        accounts=accounts("GB") | {labour.code: labour},
        codes=(CodeRule("*", expense=labour.code),),
        tax_overrides=(TaxOverride(reverse_charge(), contact=CONTACT),),
    )


def test_cis_labour_goes_over_net_so_that_xero_deducts_from_what_is_paid() -> None:
    books = cis_books("net")
    paid = []
    for claimed in CLAIMS:
        made = bill(claim(claimed), books)
        assert totals(made, books)[1] == "0.00"
        labour = sum(x.amount for x in made.lines if x.account == "321")
        paid.append(labour - labour * Decimal("0.2"))
    assert paid == [72_000, 43_200, 6_400, 6_400]


@pytest.mark.parametrize("claimed", [CLAIMS[0], CLAIMS[2]])
def test_cis_labour_with_a_retention_line_is_held(claimed: RequisitionLine) -> None:
    assert gaps(claim(claimed), cis_books("line")) == [("retention_method_unfit", "line")]


def test_cis_labour_without_retention_goes_over_by_any_method() -> None:
    assert amounts_of(bill(claim(line("500")), cis_books("line"))) == {"item:9": "500.00"}


# --- tax of the retention line -----------------------------------------------------------------

MIXED = (
    line("50000", retained="5000", id=1),
    line("10000", retained="1000", id=2, cost_code="01-400"),  # permits, free of GST
)


@pytest.mark.parametrize("lines", ["one", "tax", "line"])
def test_taxed_and_free_work_hold_retention_under_their_own_types(lines: str) -> None:
    books = chart(payable=side(lines=lines))
    made = bill(claim(*MIXED), books)
    assert totals(made, books) == ("54000.00", "4500.00", "58500.00")


@pytest.mark.parametrize("lines", ["one", "tax"])
def test_one_line_means_one_per_tax_type(lines: str) -> None:
    made = bill(claim(*MIXED), chart(payable=side(lines=lines)))
    assert amounts_of(made) == {
        "item:1": "50000.00",
        "item:2": "10000.00",
        "retention:INPUT": "-5000.00",
        "retention:EXEMPTEXPENSES": "-1000.00",
    }
    assert [x.tax_type for x in made.lines] == [None, None, "INPUT", "EXEMPTEXPENSES"]


def test_the_type_sent_is_the_works_never_the_retention_accounts_default() -> None:
    books = chart()
    assert books.accounts[AccountCode("820R")].tax_type == "BASEXCLUDED"
    made = bill(claim(CLAIMS[0]), books)
    assert made.lines[1].account == "820R"
    assert made.lines[1].tax_type == "INPUT"


@pytest.mark.parametrize(
    ("country", "kind"), [("AU", "BASEXCLUDED"), ("NZ", "NONE"), ("GB", "NONE"), ("US", "NONE")]
)
def test_untaxed_retention_takes_the_countrys_own_word(country: str, kind: str) -> None:
    made = bill(claim(CLAIMS[0]), chart(country, payable=side(tax="none")))
    assert (made.lines[1].key, made.lines[1].tax_type) == (f"retention:{kind}", kind)


# --- cents -------------------------------------------------------------------------------------

CENTS = (
    line("1000.05", retained="100.01", id=1),
    line("2000.15", retained="200.02", id=2),
    line("333.35", retained="33.34", id=3),
)


@pytest.mark.parametrize(
    ("method", "lines", "cents", "gross"),
    [
        ("net", "one", "xero", "3300.19"),
        ("line", "one", "xero", "3300.21"),
        ("line", "line", "xero", "3300.22"),
        ("net", "one", "document", "3300.20"),
        ("line", "one", "document", "3300.20"),
        ("line", "line", "document", "3300.20"),
    ],
)
def test_the_cent_that_rounding_per_line_moves(
    method: str, lines: str, cents: str, gross: str
) -> None:
    books = chart(payable=side(method, lines=lines), policies=Policies(tax_cents=cents))
    made = bill(claim(*CENTS), books)
    assert totals(made, books)[0] == "3000.18"
    assert totals(made, books)[2] == gross


def test_document_cents_are_put_on_the_largest_line_alone() -> None:
    books = chart(policies=Policies(tax_cents="document"))
    made = bill(claim(*CENTS), books)
    assert {x.key: x.tax_amount for x in made.lines} == {
        "item:1": None,
        "item:2": Decimal("200.01"),  # 200.02 less the cent
        "item:3": None,
        "retention:INPUT": None,
    }


def test_document_cents_leave_a_bill_alone_that_needs_none() -> None:
    made = bill(claim(CLAIMS[0]), chart(policies=Policies(tax_cents="document")))
    assert [x.tax_amount for x in made.lines] == [None, None]


def test_document_cents_reckon_each_rate_by_itself() -> None:
    free = line("10000.05", retained="1000.01", id=4, cost_code="01-400")
    books = chart(policies=Policies(tax_cents="document"))
    made = bill(claim(*CENTS, free), books)
    assert totals(made, books)[1] == "300.02"
    assert [x.key for x in made.lines if x.tax_amount is not None] == ["item:2"]


# --- read, never reckoned ----------------------------------------------------------------------


def test_a_sliding_scale_is_carried_as_procore_has_it() -> None:
    """10 % until 5 % of 400,000 is held: 12,000, then 8,000, then nothing."""
    books = chart()
    seen = [("120000", "12000"), ("90000", "8000"), ("150000", "0")]
    made = [bill(claim(line(gross, retained=held)), books) for gross, held in seen]
    assert [amounts_of(x).get("retention:INPUT") for x in made] == ["-12000.00", "-8000.00", None]
    held = sum((x.amount for b in made for x in b.lines if x.account == "820R"), ZERO)
    assert held == -20_000
    assert [f"{predicted_totals(x, books).gross:.2f}" for x in made] == [
        "118800.00",
        "90200.00",
        "165000.00",
    ]


# --- the cases each method must state ----------------------------------------------------------


def test_release_only_by_net_is_cost_on_the_lines_account() -> None:
    made = bill(claim(CLAIMS[2]), chart(payable=side("net")))
    assert [(x.key, x.account, x.amount, x.tax_type) for x in made.lines] == [
        ("item:9", "311", 8000, None)
    ]


def test_release_only_by_line_is_one_positive_line_with_the_works_type() -> None:
    made = bill(claim(CLAIMS[2]), chart())
    assert [(x.key, x.account, x.amount, x.tax_type) for x in made.lines] == [
        ("retention:INPUT", "820R", 8000, "INPUT")
    ]


def test_releases_go_under_the_types_they_were_held_under() -> None:
    lines = (
        line("0", released="5000", id=1),
        line("0", released="1000", id=2, cost_code="01-400"),
    )
    books = chart()
    made = bill(claim(*lines), books)
    assert amounts_of(made) == {
        "retention:INPUT": "5000.00",
        "retention:EXEMPTEXPENSES": "1000.00",
    }
    assert totals(made, books) == ("6000.00", "500.00", "6500.00")


BOTH = (line("20000", retained="2000", id=1), line("0", released="8000", id=2))


def test_retain_and_release_in_one_claim_is_netted_on_one_account() -> None:
    made = bill(claim(*BOTH), chart())
    assert amounts_of(made) == {"item:1": "20000.00", "retention:INPUT": "6000.00"}
    assert "2,000.00 held, 8,000.00 released" in made.lines[1].description


def test_retain_and_release_on_accounts_of_their_own() -> None:
    books = chart(payable=side(released_account=AccountCode("821R")))
    made = bill(claim(*BOTH), books)
    assert [(x.key, x.account, f"{x.amount:.2f}") for x in made.lines] == [
        ("item:1", "311", "20000.00"),
        ("retention:INPUT", "820R", "-2000.00"),
        ("retention:INPUT:released", "821R", "8000.00"),
    ]


def test_retention_per_work_line() -> None:
    made = bill(claim(*BOTH), chart(payable=side(lines="line")))
    assert amounts_of(made) == {
        "item:1": "20000.00",
        "retention:item:1": "-2000.00",
        "retention:item:2": "8000.00",
    }


def test_retention_per_work_line_on_two_accounts() -> None:
    both = line("20000", retained="2000", released="500", id=1)
    books = chart(payable=side(lines="line", released_account=AccountCode("821R")))
    assert amounts_of(bill(claim(both), books)) == {
        "item:1": "20000.00",
        "retention:item:1": "-2000.00",
        "retention:item:1:released": "500.00",
    }


def test_the_same_account_named_twice_is_one_account() -> None:
    made = bill(claim(*BOTH), chart(payable=side(released_account=AccountCode("820R"))))
    assert amounts_of(made) == {"item:1": "20000.00", "retention:INPUT": "6000.00"}


def test_held_and_released_alike_leaves_no_line() -> None:
    evened = line("5000", retained="500", released="500")
    assert amounts_of(bill(claim(evened), chart())) == {"item:9": "5000.00"}


@pytest.mark.parametrize(("method", "net"), [("net", "9000.00"), ("line", "10000.00")])
def test_stored_materials_hold_retention_like_work(method: str, net: str) -> None:
    """Gross takes materials in, and `retained` what is held on them."""
    stored = line("10000", retained="1000", description="Steel, stored")
    assert amounts_of(bill(claim(stored), chart(payable=side(method))))["item:9"] == net


@pytest.mark.parametrize("method", ["net", "line"])
def test_materials_moved_into_work_move_no_money(method: str) -> None:
    moved = line("0", retained="1000", released="1000")
    other = line("500", id=10)
    made = bill(claim(moved, other), chart(payable=side(method)))
    assert amounts_of(made) == {"item:10": "500.00"}


def test_a_claim_of_moved_materials_alone_is_nothing_due() -> None:
    moved = line("0", retained="1000", released="1000")
    assert outcome(claim(moved), chart()).reason == "no_movement"


def test_lowered_retention_on_the_newest_claim_is_read_afresh() -> None:
    first = bill(claim(line("100000", retained="10000")), chart())
    edited = bill(claim(line("100000", retained="5000")), chart())
    assert amounts_of(first)["retention:INPUT"] == "-10000.00"
    assert amounts_of(edited)["retention:INPUT"] == "-5000.00"
    assert [x.key for x in first.lines] == [x.key for x in edited.lines]


@pytest.mark.parametrize("method", ["net", "line"])
def test_a_negative_claim_with_negative_retention_is_held_for_now(method: str) -> None:
    back = line("-1000", retained="-100")
    assert gaps(claim(back), chart(payable=side(method))) == [("negative_total", "55")]


def test_a_back_charge_within_a_claim_gives_its_retention_back() -> None:
    back = line("-1000", retained="-100", id=1)
    made = bill(claim(back, line("5000", retained="500", id=2)), chart())
    assert amounts_of(made) == {
        "item:1": "-1000.00",
        "item:2": "5000.00",
        "retention:INPUT": "-400.00",
    }


def test_a_claim_wholly_retained_is_a_bill_of_nothing_by_line() -> None:
    books = chart()
    made = bill(claim(line("4000", retained="4000")), books)
    assert amounts_of(made) == {"item:9": "4000.00", "retention:INPUT": "-4000.00"}
    assert totals(made, books) == ("0.00", "0.00", "0.00")


def test_a_claim_wholly_retained_has_nothing_to_post_by_net() -> None:
    held = claim(line("4000", retained="4000"))
    assert outcome(held, chart(payable=side("net"))).reason == "all_retained"


def test_lines_that_even_out_by_net_still_post() -> None:
    lines = (line("100", id=1), line("-100", id=2))
    made = bill(claim(*lines), chart(payable=side("net")))
    assert amounts_of(made) == {"item:1": "100.00", "item:2": "-100.00"}
