"""Whatever people and apps do in whatever order, the books of the simulator stay in order."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore_sim.builder import Builder, CostCode, CostType, Party, Project
from onecore_sim.xero import documents, payments
from onecore_sim.xero.desk import Actor, Desk, Refused, utc
from onecore_sim.xero.seed import state_from
from onecore_sim.xero.state import Document, Organisation

NOW = utc(2026, 8, 14)
CONTACT = "7d1f0a52-16b0-4c3c-9b6f-0f5f0a1b2c3d"
PERSON, APP = Actor("Bea Ledger"), Actor("Avery Owner", "sim-xero-client")
BUILDER = Builder(
    company_id=1,
    name="Small Builder",
    today=NOW.date(),
    tenant_id="3B283072-3b36-4fc5-81a2-613eafddf374",
    cost_types=(CostType(1, "S", "Subcontract", "commitment"),),
    cost_codes=(CostCode(1, "03-300", "Concrete", "311"), CostCode(2, "09-900", "Paint", None)),
    parties=(Party(1, "Steel Ltd", "51824753556", "a@b.example", CONTACT, "Steel"),),
    projects=(Project(7, "7", "Tower", "NSW", "Sydney", True, "P-007 Tower"),),
    accounts={"820R": "Retentions payable", "615R": "Retentions receivable"},
)

cents = st.decimals("-500", "2000", places=2)
numbers = st.integers(0, 9)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from(["ACCPAY", "ACCREC"]), cents, cents),
        st.tuples(st.just("status"), numbers, st.sampled_from([*documents.NEXT, "VOIDED"])),
        st.tuples(st.just("amount"), numbers, cents, st.booleans()),
        st.tuples(st.just("pay"), numbers, cents),
        st.tuples(st.just("unpay"), numbers),
        st.tuples(st.just("credit"), numbers, cents),
        st.tuples(st.just("lock"), st.sampled_from([None, date(2026, 8, 14)])),
    ),
    max_size=25,
)


def organisation() -> Organisation:
    (org,) = state_from(BUILDER, NOW).organisations.values()
    return org


def body(type_: str, *amounts: Decimal) -> dict[str, Any]:
    code = "200" if type_.startswith("ACCREC") else "311"
    return {
        "Type": type_, "Contact": {"ContactID": CONTACT}, "DueDate": "2026-09-01",
        "Status": "AUTHORISED",
        "LineItems": [{"Description": "x", "UnitAmount": a, "AccountCode": code} for a in amounts],
    }  # fmt: skip


def credited(desk: Desk, invoice: Document, amount: Decimal) -> None:
    note = documents.save(desk, body(f"{invoice.type}CREDIT", amount), None, credit=True)
    part = min(note.due, invoice.due)
    payments.allocate(desk, note, {"Invoice": {"InvoiceID": invoice.id}, "Amount": part})


def act(desk: Desk, step: tuple[Any, ...]) -> None:
    """One step; which document it means wraps around those there are."""
    org = desk.org
    invoices = list(org.invoices.values())
    if step[0] == "lock":
        org.period_lock = step[1]
    elif step[0] == "create":
        documents.save(desk, body(step[1], *step[2:]), None)
    elif invoices:
        chosen = invoices[step[1] % len(invoices)]
        if step[0] == "status":
            documents.save(desk, {"Status": step[2]}, chosen)
        elif step[0] == "amount":
            desk.actor = PERSON if step[3] else APP
            lines = body(chosen.type, step[2])["LineItems"]
            documents.save(desk, {"LineItems": lines}, chosen)
        elif step[0] == "pay":
            sent = {"Invoice": {"InvoiceID": chosen.id}, "Account": {"Code": "090"}}
            payments.create(desk, {**sent, "Amount": step[2]})
        elif step[0] == "credit":
            credited(desk, chosen, step[2])
        elif chosen.payment_ids:
            payments.delete(desk, org.payments[chosen.payment_ids[-1]])


def check(org: Organisation) -> None:
    for item in [*org.invoices.values(), *org.credit_notes.values()]:
        live = [org.payments[i] for i in item.payment_ids]
        assert item.paid == sum(p.amount for p in live if p.status == "AUTHORISED")
        assert item.credited == sum(org.allocations[i].amount for i in item.allocation_ids)
        assert (
            item.total
            == item.sub_total + item.total_tax
            == sum((line.amount + line.tax for line in item.lines), Decimal(0))
        )
        assert 0 <= item.due <= item.total
        assert (item.status == "PAID") is (item.settled_in_part and item.due == 0)
        if item.settled_in_part:
            assert item.status in ("AUTHORISED", "PAID")
    sales = [d.number for d in org.invoices.values() if d.is_sale]
    assert len(sales) == len(set(sales))


@settings(max_examples=200, deadline=None)
@given(steps)
def test_the_books_stay_in_order(taken: list[tuple[Any, ...]]) -> None:
    org = organisation()
    for step in taken:
        before = msgspec.json.encode([org.invoices, org.credit_notes, org.payments])
        try:
            act(Desk(org, NOW, APP), step)
        except Refused as refused:
            assert refused.messages
            if step[0] != "credit":  # two requests: the note may stand without its allocation
                now = msgspec.json.encode([org.invoices, org.credit_notes, org.payments])
                assert now == before
        check(org)


def test_the_builder_fills_the_organisation() -> None:
    org = organisation()
    assert org.id == BUILDER.tenant_id.lower()
    assert org.contacts[CONTACT].tax_number == "51824753556"
    account = org.account("311")
    assert account is not None
    assert (account.name, account.type, account.tax_type) == ("Concrete", "DIRECTCOSTS", "INPUT")
    held = org.account("820R")
    assert held is not None
    assert (held.type, held.system) == ("CURRLIAB", None)
    named = {c.name: [o.name for o in c.options] for c in org.categories.values()}
    assert named == {"Projects": ["P-007 Tower"], "Cost Types": ["Subcontract"]}
