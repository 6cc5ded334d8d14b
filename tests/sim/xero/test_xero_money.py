"""Amounts, tax and totals to the cent, and what a line may name."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecore_sim.xero.state import Line
from onecore_sim.xero.tax import Rounding, line_amount, line_tax, suits, totals
from onecore_sim.xero.tax import rates as rates_of

D = Decimal
UP, EVEN = Rounding(), Rounding(half_even=True)


@pytest.mark.parametrize(
    ("amount", "percent", "kind", "up", "even"),
    [
        ("76.30", "15", "Exclusive", "11.45", "11.44"),
        ("-76.30", "15", "Exclusive", "-11.45", "-11.44"),
        ("25.06", "15", "Exclusive", "3.76", "3.76"),
        ("110.00", "10", "Inclusive", "10.00", "10.00"),
        ("100.00", "10", "Inclusive", "9.09", "9.09"),
        ("100.00", "12.5", "Exclusive", "12.50", "12.50"),
        ("100.00", "10", "NoTax", "0.00", "0.00"),
        ("-600.00", "0", "Exclusive", "0.00", "0.00"),
    ],
)
def test_tax_of_a_line(amount: str, percent: str, kind: str, up: str, even: str) -> None:
    assert str(line_tax(D(amount), D(percent), kind, UP)) == up
    assert line_tax(D(amount), D(percent), kind, EVEN) == D(even)


@pytest.mark.parametrize(
    ("quantity", "unit", "discount", "amount"),
    [
        ("3", "0.335", None, "1.01"),
        ("1", "100", "33.333", "66.67"),
        ("-2", "1.0025", None, "-2.01"),
    ],
)
def test_amount_of_a_line(quantity: str, unit: str, discount: str | None, amount: str) -> None:
    percent = D(discount) if discount else None
    assert line_amount(D(quantity), D(unit), percent, UP) == D(amount)


@given(st.lists(st.decimals("-99999", "99999", places=2), min_size=1, max_size=8))
def test_totals_add_up_exactly(amounts: list[Decimal]) -> None:
    lines = [
        Line(id=str(n), amount=a, tax=line_tax(a, D(10), "Exclusive", UP))
        for n, a in enumerate(amounts)
    ]
    figures = totals(lines, "Exclusive")
    assert figures.sub_total == sum(amounts)
    assert figures.total - figures.tax == figures.sub_total
    inclusive = totals(lines, "Inclusive")
    assert inclusive.total == sum(amounts)
    assert inclusive.sub_total + inclusive.tax == inclusive.total


def test_tax_rates_say_what_they_may_be_used_with() -> None:
    rates = {r.tax_type: r for r in rates_of("AU")}
    assert suits(rates["INPUT"], "LIABILITY")
    assert not suits(rates["INPUT"], "REVENUE")
    assert not suits(rates["OUTPUT"], "EXPENSE")
    assert suits(rates["GSTONIMPORTS"], "LIABILITY")
    assert not suits(rates["GSTONIMPORTS"], "EXPENSE")
    uk = {r.tax_type: r for r in rates_of("UK")}
    assert suits(uk["DRCHARGE20"], "REVENUE")
    assert suits(uk["DRCHARGESUPPLY20"], "EXPENSE")
    assert not suits(uk["DRCHARGE20"], "EXPENSE")


@pytest.fixture
def nz(xero: Any) -> Any:
    made = xero.do("new_organisation", country="NZ", name="Kauri Builders")
    xero.sign_in(tenant_ids=[made["tenant_id"]])
    xero.do("new_contact", tenant_id=made["tenant_id"], name="Southern Steel")
    return xero


def test_tax_is_rounded_by_line_and_then_summed(nz: Any) -> None:
    made = nz.put(nz.bill("25.06", "25.61", "25.63"))
    assert made["TotalTax"] == D("11.44")
    assert [line["TaxType"] for line in made["LineItems"]] == ["INPUT2"] * 3
    assert nz.put(nz.bill("76.30"))["TotalTax"] == D("11.45")
    nz.switch(rounding_mode="half_even")
    assert nz.put(nz.bill("76.30"))["TotalTax"] == D("11.44")


@pytest.mark.parametrize("country", ["AU", "NZ", "UK", "US"])
def test_each_country_has_its_tax_rates(xero: Any, country: str) -> None:
    made = xero.do("new_organisation", country=country)
    xero.sign_in(tenant_ids=[made["tenant_id"]])
    listed = {r["TaxType"]: r for r in xero.get("/TaxRates")["TaxRates"]}
    expenses = {"AU": "INPUT", "NZ": "INPUT2", "UK": "INPUT2", "US": "INPUT"}[country]
    percent = {"AU": 10, "NZ": 15, "UK": 20, "US": 0}[country]
    assert listed[expenses]["EffectiveRate"] == percent
    assert listed[expenses]["CanApplyToExpenses"] is True
    assert ("NONE" in listed) is (country != "AU")
    (org,) = xero.get("/Organisation")["Organisations"]
    assert org["CountryCode"] == {"UK": "GB"}.get(country, country)


def test_inclusive_and_untaxed_documents(xero: Any) -> None:
    made = xero.put(xero.bill("110", LineAmountTypes="Inclusive"))
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (100, 10, 110)
    made = xero.put(xero.bill("110", LineAmountTypes="NoTax"))
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (110, 0, 110)
    assert made["LineItems"][0]["TaxType"] == "NONE"


def test_unit_amounts_keep_two_places_or_four_by_unitdp(xero: Any) -> None:
    body = xero.bill("10.1234")
    body["LineItems"][0]["Quantity"] = 100
    assert xero.put(body, unitdp=2)["SubTotal"] == D("1012.00")
    made = xero.put(body, unitdp=4)
    assert made["SubTotal"] == D("1012.34")
    id_ = made["InvoiceID"]
    assert xero.invoice(id_, unitdp=4)["LineItems"][0]["UnitAmount"] == D("10.1234")
    read = xero.invoice(id_)["LineItems"][0]
    assert read["UnitAmount"] == D("10.12")
    xero.call("POST", f"/Invoices/{id_}", body={"LineItems": [
        {"LineItemID": read["LineItemID"], "UnitAmount": read["UnitAmount"]}
    ]})  # fmt: skip
    assert xero.invoice(id_)["SubTotal"] == D("1012.00")  # what was read wrong is written wrong


def test_a_line_amount_has_to_match(xero: Any) -> None:
    body = xero.bill("33.333")
    body["LineItems"][0] |= {"Quantity": 3, "LineAmount": "100.01"}
    assert xero.put_errors(body) == [
        "The line total 100.01 does not match the expected line total 100.00"
    ]
    body["LineItems"][0]["LineAmount"] = "100.00"
    assert xero.put(body)["SubTotal"] == 100


def test_a_tax_amount_may_be_given(xero: Any) -> None:
    body = xero.bill("100")
    body["LineItems"][0]["TaxAmount"] = "10.01"
    made = xero.put(body)
    assert made["TotalTax"] == D("10.01")
    again = xero.update(made["InvoiceID"], DueDate="2026-10-10")
    assert again["TotalTax"] == D("10.01")
    line = {"LineItemID": made["LineItems"][0]["LineItemID"], "UnitAmount": 200}
    assert xero.update(made["InvoiceID"], LineItems=[line])["TotalTax"] == 20
    xero.switch(tax_amount_override=False)
    assert xero.put(body)["TotalTax"] == 10


def test_the_tax_type_comes_from_the_account_or_by_switch_from_the_contact(xero: Any) -> None:
    made = xero.do("new_contact", name="Exempt Supplies", payable_tax_type="EXEMPTEXPENSES")
    body = xero.bill("100", contact_id=made["ContactID"])
    assert xero.put(body)["TotalTax"] == 10
    xero.switch(contact_tax_default_wins=True)
    assert xero.put(body)["TotalTax"] == 0


@pytest.mark.parametrize("code", ["610", "800", "090", "9999"])
def test_control_bank_and_unknown_accounts_are_refused(xero: Any, code: str) -> None:
    body = xero.bill("100")
    body["LineItems"][0]["AccountCode"] = code
    assert xero.put_errors(body) == [
        f"Account code '{code}' is not a valid code for this document."
    ]


def test_an_archived_account_is_refused_for_new_lines_only(xero: Any) -> None:
    made = xero.put(xero.bill("100"))
    xero.do("archive_account", code="310")
    assert xero.put_errors(xero.bill("100")) == [
        "Account code '310' has been archived, or has been deleted. "
        "Each line item must reference a valid account."
    ]
    assert xero.update(made["InvoiceID"], DueDate="2026-11-01")["Status"] == "AUTHORISED"


def test_tax_type_and_account_class_must_go_together(xero: Any) -> None:
    body = xero.bill("100")
    body["LineItems"][0]["TaxType"] = "OUTPUT"
    assert xero.put_errors(body) == [
        "The TaxType code 'OUTPUT' cannot be used with account code '310'."
    ]
    body["LineItems"][0]["TaxType"] = "NOSUCH"
    assert "NOSUCH" in xero.put_errors(body)[0]


def test_a_retention_line_lowers_total_and_tax(xero: Any) -> None:
    body = xero.bill("10000")
    body["LineItems"].append(
        {"Description": "Retention held", "Quantity": 1, "UnitAmount": "-500",
         "AccountCode": "820R", "TaxType": "INPUT"}
    )  # fmt: skip
    made = xero.put(body)
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (9500, 950, 10450)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Description": "x" * 4001}, "4000"),
        ({"Quantity": "1234567890.123"}, "13 characters"),
        ({"UnitAmount": "10000000000"}, "9,999,999,999.99"),
        ({"Description": ""}, "Description"),
        ({"AccountCode": ""}, "Account code ''"),
        ({"DiscountRate": 10}, "discount"),
    ],
)
def test_limits_of_a_line(xero: Any, change: dict[str, Any], said: str) -> None:
    body = xero.bill("1")
    body["LineItems"][0] |= change
    assert any(said in error for error in xero.put_errors(body))


def test_a_draft_may_be_incomplete(xero: Any) -> None:
    body = xero.bill("1", Status="DRAFT")
    body["LineItems"] = [{"Description": "later", "UnitAmount": 5}]
    made = xero.put(body)
    assert made["SubTotal"] == 5
    assert xero.update_errors(made["InvoiceID"], Status="AUTHORISED") == [
        "Account code '' is not a valid code for this document."
    ]


def test_tracking_is_found_by_name_or_id_and_unknown_is_refused(xero: Any) -> None:
    listed = xero.get("/TrackingCategories")["TrackingCategories"]
    assert [c["Name"] for c in listed] == ["Projects", "Cost Types"]
    project, kind = listed[0]["Options"][0], listed[1]["Options"][0]
    body = xero.bill("100")
    body["LineItems"][0]["Tracking"] = [
        {"Name": "projects", "Option": project["Name"]},
        {"TrackingCategoryID": listed[1]["TrackingCategoryID"],
         "TrackingOptionID": kind["TrackingOptionID"]},
    ]  # fmt: skip
    made = xero.put(body)
    carried = [(t["Name"], t["Option"]) for t in made["LineItems"][0]["Tracking"]]
    assert carried == [("Projects", project["Name"]), ("Cost Types", kind["Name"])]
    for wrong in ({"Name": "Projects", "Option": "Nowhere"}, {"Name": "Sites", "Option": "x"}):
        body["LineItems"][0]["Tracking"] = [wrong]
        assert "could not be found" in xero.put_errors(body)[0]


def test_another_currency_is_refused_and_the_own_taken(xero: Any) -> None:
    assert "USD" in xero.put_errors(xero.bill("1", CurrencyCode="USD"))[0]
    assert xero.put(xero.bill("1", CurrencyCode="AUD"))["CurrencyCode"] == "AUD"
