"""Our Xero client against a running Xero."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.contract.remotes import Calls, RealClock, XeroSide

from onecore.domain.chart import AccountClass
from onecore.domain.documents import Bill, BillLine, BillStatus, PostedBill, Tracking
from onecore.domain.ids import (
    AccountCode,
    BillId,
    CategoryId,
    ContactId,
    OptionId,
    OrganisationId,
    TaxType,
)
from onecore.domain.money import Currency
from onecore.http.transport import open_client
from onecore.ports import (
    AccessLost,
    BillChange,
    Lane,
    LimitKind,
    NotReached,
    NotVisible,
    OutcomeUnknown,
    Posted,
    Refusal,
    RequestRefused,
    ScopeMissing,
    Throttled,
)
from onecore.xero.client import XeroClient
from onecore.xero.connections import XeroConnections

TODAY = datetime.now(UTC).date()


def contact_of(xero: XeroSide, name: str = "Concrete & Co") -> ContactId:
    made = xero.do("new_contact", name=name)
    return ContactId(UUID(made["ContactID"]))


def a_bill(contact: ContactId, number: str, *lines: BillLine, **more: Any) -> Bill:
    said: dict[str, Any] = {
        "contact": contact,
        "number": number,
        "bill_date": TODAY,
        "due_date": TODAY + timedelta(days=30),
        "status": BillStatus.AUTHORISED,
        "currency": Currency("AUD"),
        "url": f"https://app.procore.com/7/project/contracts/requisitions/{number}",
        "lines": lines or (a_line("item:1", "100000.00"),),
    }
    return Bill(**{**said, **more})


def a_line(key: str, amount: str, account: str = "310", **more: Any) -> BillLine:
    return BillLine(key, f"Work {key}", AccountCode(account), Decimal(amount), None, **more)


def posted(outcome: object) -> PostedBill:
    assert isinstance(outcome, Posted), outcome
    return outcome.bill


def key() -> str:
    return f"onecore-{uuid4()}"


def create(xero: XeroSide, *bills: Bill) -> list[PostedBill]:
    return [posted(o) for o in xero.run(lambda c: c.create_bills(bills, key()))]


def test_the_books_lists_read_whole(xero: XeroSide) -> None:
    xero.do("lock", period="2026-06-30")

    async def everything(client: XeroClient) -> None:
        organisation = await client.organisation()
        assert organisation.id == UUID(xero.tenant)
        assert (organisation.country, organisation.base_currency) == ("AU", "AUD")
        assert "AUD" in await client.currencies()
        assert organisation.short_code
        accounts = {a.code: a for a in await client.accounts()}
        assert accounts[AccountCode("310")].klass is AccountClass.EXPENSE
        assert accounts[AccountCode("800")].system == "CREDITORS"
        assert not accounts[AccountCode("800")].may_carry_lines
        rates = {r.type: r for r in await client.tax_rates()}
        assert rates[TaxType("INPUT")].rate == 10
        assert AccountClass.EXPENSE in rates[TaxType("INPUT")].classes
        assert AccountClass.REVENUE not in rates[TaxType("INPUT")].classes
        categories = await client.categories()
        assert categories
        assert all(o.name for c in categories for o in c.options)
        contacts = await client.contacts()
        assert contacts
        assert all(c.name for c in contacts)

    xero.run(everything)
    assert set(xero.calls.lanes) == {Lane.LIST}
    assert xero.calls.scopes == {xero.tenant}
    assert {"minute_remaining", "day_remaining", "app_minute_remaining"} <= set(
        xero.calls.told[0][2]
    )


def test_lock_dates_are_the_days_xero_shows(xero: XeroSide) -> None:
    xero.do("lock", period="2026-06-30", end_of_year="2025-06-30")
    organisation = xero.run(lambda c: c.organisation())
    assert organisation.period_lock == date(2026, 6, 30)
    assert organisation.end_of_year_lock == date(2025, 6, 30)
    assert organisation.locked_until == date(2026, 6, 30)


def test_a_bill_comes_back_as_it_was_sent(xero: XeroSide) -> None:
    contact = contact_of(xero)

    async def tracked(client: XeroClient) -> Tracking:
        category = (await client.categories())[0]
        option = await client.add_option(category.id, "P-777 Riverside")
        return Tracking(category.id, option, category.name, "P-777 Riverside")

    tracking = xero.run(tracked)
    lines = (
        a_line("item:1", "100000.00", tracking=(tracking,)),
        a_line("retention:INPUT", "-10000.00", tax_amount=Decimal("-1000.00")),
    )
    bill = a_bill(contact, "INV-0123", *lines)
    (made,) = create(xero, bill)
    figures = [Decimal(f) for f in ("90000", "9000", "99000")]
    assert [made.net, made.tax, made.total] == figures
    assert (made.kind, made.contact, made.number) == ("ACCPAY", contact, "INV-0123")
    assert (made.bill_date, made.due_date, made.status) == (TODAY, bill.due_date, "AUTHORISED")
    assert (made.url, made.currency, made.amount_due) == (bill.url, "AUD", Decimal("99000.00"))
    assert [x.amount for x in made.lines] == [Decimal("100000.00"), Decimal("-10000.00")]
    assert [x.tax_type for x in made.lines] == ["INPUT", "INPUT"]
    assert made.lines[0].tracking == (tracking,)
    assert xero.run(lambda c: c.bills([made.id])) == (made,)


def test_cents_and_long_amounts_are_exact(xero: XeroSide) -> None:
    amounts = ("0.01", "12345678.91", "-0.10", "1000.05")
    lines = [a_line(f"item:{n}", amount) for n, amount in enumerate(amounts)]
    (made,) = create(xero, a_bill(contact_of(xero), "CENTS", *lines))
    assert [x.amount for x in made.lines] == [Decimal(a) for a in amounts]
    (exchange,) = [e for e in xero.sim.requests() if e["method"] == "PUT"]
    assert '"UnitAmount":12345678.91' in exchange["request_body"]
    assert 'LineAmount"' not in exchange["request_body"]


def test_fifty_bills_are_one_put(xero: XeroSide) -> None:
    contact = contact_of(xero)
    bills = [a_bill(contact, f"B-{n}", a_line("item:1", f"{n}.25")) for n in range(1, 51)]
    made = create(xero, *bills)
    assert [b.number for b in made] == [b.number for b in bills]
    assert [(o, s) for o, s, _ in xero.calls.told] == [("bills.create", 200)]
    assert xero.writes == 1
    (put,) = [e for e in xero.sim.requests() if e["path"].endswith("/Invoices")]
    assert put["method"] == "PUT"
    assert "summarizeErrors=false" in put["query"]
    assert "unitdp=4" in put["query"]


def test_one_refused_bill_does_not_stop_the_others(xero: XeroSide) -> None:
    contact = contact_of(xero)
    bills = [
        a_bill(contact, "GOOD-1"),
        a_bill(contact, "BAD", a_line("item:1", "5.00", account="NOPE")),
        a_bill(contact, "GOOD-2"),
    ]
    first, second, third = xero.run(lambda c: c.create_bills(bills, key()))
    assert (posted(first).number, posted(third).number) == ("GOOD-1", "GOOD-2")
    assert isinstance(second, Refusal)
    assert any("NOPE" in reason for reason in second.reasons)


def test_the_same_key_and_body_are_carried_out_once(xero: XeroSide) -> None:
    bill = a_bill(contact_of(xero), "ONCE")
    one = key()
    (first,) = xero.run(lambda c: c.create_bills([bill], one))
    (again,) = xero.run(lambda c: c.create_bills([bill], one))
    assert posted(first).id == posted(again).id
    with pytest.raises(RequestRefused) as caught:
        xero.run(lambda c: c.create_bills([replace(bill, number="OTHER")], one))
    assert "is used with a different request" in caught.value.reasons[0]


def test_an_update_keeps_lines_by_their_ids(xero: XeroSide) -> None:
    contact = contact_of(xero)
    before = a_bill(contact, "UP", a_line("item:1", "100.00"), a_line("item:2", "50.00"))
    (made,) = create(xero, before)
    edited = xero.do(
        "edit_line",
        invoice_id=str(made.id),
        line_item_id=str(made.lines[1].id),
        description="The bookkeeper's own words",
        account="461",
    )
    assert edited["LineItems"]
    (now,) = xero.run(lambda c: c.bills([made.id]))
    wanted = a_bill(contact, "UP", a_line("item:1", "120.00"), a_line("item:3", "7.00"))
    change = BillChange(made.id, wanted, {"item:1": made.lines[0].id}, kept=(now.lines[1],))
    (outcome,) = xero.run(lambda c: c.update_bills([change], key()))
    after = posted(outcome)
    by_id = {x.id: x for x in after.lines}
    assert len(after.lines) == 3
    assert by_id[made.lines[0].id].amount == Decimal("120.00")
    assert by_id[made.lines[1].id] == now.lines[1]
    assert after.net == Decimal("177.00")


def test_drafts_are_deleted_and_approved_bills_voided(xero: XeroSide) -> None:
    contact = contact_of(xero)
    draft, approved = create(
        xero, a_bill(contact, "D", status=BillStatus.DRAFT), a_bill(contact, "A")
    )
    outcomes = xero.run(lambda c: c.remove_bills([draft, approved], key()))
    assert [posted(o).status for o in outcomes] == ["DELETED", "VOIDED"]
    found = xero.run(lambda c: c.bills([approved.id, draft.id]))
    assert [(b.id, b.is_gone) for b in found] == [(approved.id, True), (draft.id, True)]


def test_a_paid_bill_refuses_with_words(xero: XeroSide) -> None:
    (made,) = create(xero, a_bill(contact_of(xero), "PAID"))
    xero.do("pay", invoice_id=str(made.id), amount="10.00")
    (frozen,) = xero.run(lambda c: c.bills([made.id]))
    assert frozen.amount_paid == 10
    assert frozen.is_frozen
    (outcome,) = xero.run(lambda c: c.remove_bills([frozen], key()))
    assert isinstance(outcome, Refusal)
    assert "payments" in outcome.reasons[0]


def test_more_than_forty_ids_are_read_in_pieces(xero: XeroSide) -> None:
    contact = contact_of(xero)
    made = create(xero, *[a_bill(contact, f"N-{n}") for n in range(45)])
    ids = [b.id for b in made]
    xero.calls.told.clear()
    found = xero.run(lambda c: c.bills([*ids, BillId(uuid4()), ids[0]]))
    assert [b.id for b in found] == ids
    assert all(b.lines for b in found)
    assert len(xero.calls.told) == 2
    assert xero.run(lambda c: c.bills([])) == ()


def test_changes_are_walked_by_value(xero: XeroSide) -> None:
    contact = contact_of(xero)
    start = datetime.now(UTC) - timedelta(seconds=1)
    made = create(xero, *[a_bill(contact, f"W-{n}") for n in range(20)])
    xero.do("void", invoice_id=str(made[3].id))
    found = xero.run(lambda c: c.bills_changed(start))
    ours = {b.id for b in made}
    assert ours <= {b.id for b in found}
    assert {b.id: b.status for b in found}[made[3].id] == "VOIDED"
    assert all(b.kind == "ACCPAY" and b.lines for b in found)
    assert list(found) == sorted(found, key=lambda b: b.updated_at)
    later = xero.run(lambda c: c.bills_changed(datetime.now(UTC) + timedelta(minutes=5)))
    assert later == ()


def test_ours_only_leaves_strangers_out(xero: XeroSide) -> None:
    contact = contact_of(xero)
    (ours,) = create(xero, a_bill(contact, "OURS"))
    theirs = xero.do(
        "new_bill",
        contact_id=str(contact),
        number="THEIRS",
        status="AUTHORISED",
        lines=[{"description": "Theirs", "amount": "11.00", "account": "310"}],
    )
    found = {b.id for b in xero.run(lambda c: c.bills_changed(None, ours_only=True))}
    assert ours.id in found
    assert BillId(UUID(theirs["InvoiceID"])) not in found
    everything = {b.id for b in xero.run(lambda c: c.bills_changed(None))}
    assert {ours.id, BillId(UUID(theirs["InvoiceID"]))} <= everything


def test_inclusive_bills_of_others_are_read_ex_tax(xero: XeroSide) -> None:
    theirs = xero.do(
        "new_bill",
        contact_id=str(contact_of(xero)),
        status="AUTHORISED",
        line_amount_types="Inclusive",
        lines=[{"description": "With tax", "amount": "110.00", "account": "310"}],
    )
    (read,) = xero.run(lambda c: c.bills([BillId(UUID(theirs["InvoiceID"]))]))
    assert [read.net, read.total, read.lines[0].amount] == [
        Decimal(100),
        Decimal(110),
        Decimal(100),
    ]


def test_contacts_are_made_once_and_found(xero: XeroSide) -> None:
    one = key()
    made = xero.run(lambda c: c.add_contact("Acme Pty Ltd", "51824753556", "a@acme.test", one))
    found = {c.id: c for c in xero.run(lambda c: c.contacts())}
    assert found[made].name == "Acme Pty Ltd"
    assert (found[made].tax_number, found[made].email) == ("51824753556", "a@acme.test")
    with pytest.raises(RequestRefused) as caught:
        xero.run(lambda c: c.add_contact("Acme Pty Ltd", "", "", key()))
    assert "already assigned to another contact" in caught.value.reasons[0]


def test_merged_and_archived_contacts_are_listed(xero: XeroSide) -> None:
    keep, gone, old = (contact_of(xero, f"Contact {n}") for n in "ABC")
    xero.do("merge_contact", contact_id=str(gone), into=str(keep))
    xero.do("archive_contact", contact_id=str(old))
    found = {c.id: c for c in xero.run(lambda c: c.contacts())}
    assert found[gone].merged_to == keep
    assert not found[old].active


def test_a_taken_option_name_is_refused(xero: XeroSide) -> None:
    async def twice(client: XeroClient) -> None:
        category = (await client.categories())[0].id
        await client.add_option(category, "P-010 Twice")
        await client.add_option(category, "P-010 Twice")

    with pytest.raises(RequestRefused):
        xero.run(twice)


def test_history_says_who_did_what(xero: XeroSide) -> None:
    (made,) = create(xero, a_bill(contact_of(xero), "HIST"))
    xero.do("void", invoice_id=str(made.id))
    entries = xero.run(lambda c: c.history(made.id))
    assert {"Created", "Voided"} <= {e.what for e in entries}
    assert all(e.who and e.at.tzinfo is UTC for e in entries)


def test_a_lost_answer_is_unknown_and_the_bill_is_there(xero: XeroSide) -> None:
    contact = contact_of(xero)
    for number, kind in enumerate(("lost", "truncated", "status_after")):
        xero.sim.fault(kind, path="/Invoices", method="PUT", status=500)
        with pytest.raises(OutcomeUnknown):
            create(xero, a_bill(contact, f"LOST-{number}"))
        found = xero.run(lambda c: c.bills_changed(None, ours_only=True))
        assert [b.number for b in found].count(f"LOST-{number}") == 1


def test_offline_means_nothing_was_done(xero: XeroSide) -> None:
    contact = contact_of(xero)
    xero.sim.switch(organisation_offline=True)
    with pytest.raises(NotReached) as caught:
        xero.run(lambda c: c.create_bills([a_bill(contact, "OFF")], key()))
    assert caught.value.wait == timedelta(minutes=5)
    xero.sim.switch(organisation_offline=False)
    assert xero.run(lambda c: c.bills_changed(None, ours_only=True)) == ()


def test_limits_are_three_different_waits(xero: XeroSide) -> None:
    def ask(problem: str, **headers: str) -> Throttled:
        xero.sim.fault(
            "status",
            path="/Accounts",
            status=429,
            content_type="text/plain",
            headers={"X-Rate-Limit-Problem": problem, **headers},
        )
        with pytest.raises(Throttled) as caught:
            xero.run(lambda c: c.accounts())
        return caught.value

    minute = ask("minute", **{"Retry-After": "17"})
    assert minute.kind is LimitKind.MINUTE
    assert timedelta(seconds=17) <= minute.wait <= timedelta(seconds=19)
    day = ask("day", **{"Retry-After": "81000"})
    assert day.kind is LimitKind.DAY
    assert day.wait >= timedelta(seconds=81000)
    concurrent = ask("concurrent")
    assert concurrent.kind is LimitKind.CONCURRENT
    assert timedelta(0) < concurrent.wait <= timedelta(seconds=3)
    assert ask("appminute").kind is LimitKind.APP_MINUTE
    assert ask("app-minute").kind is LimitKind.APP_MINUTE
    assert ask("something new").kind is LimitKind.UNKNOWN


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_missing_scope_is_never_refreshed(xero: XeroSide, status: str) -> None:
    xero.sim.switch(missing_scope_status=status)
    (made,) = create(xero, a_bill(contact_of(xero), "SCOPE"))
    xero.sim.do("grant_scopes", scopes=["accounting.settings.read"])

    async def ask(client: XeroClient) -> None:
        await client.accounts()
        await asyncio.to_thread(xero.sim.do, "grant_scopes", scopes=["accounting.settings.read"])
        await client.bills([made.id])

    with pytest.raises(ScopeMissing):
        xero.run(ask)
    assert xero.tokens.renewals == 0


def test_an_expired_token_is_renewed_once(xero: XeroSide) -> None:
    async def ask(client: XeroClient) -> None:
        await client.accounts()
        await asyncio.to_thread(xero.sim.post, "/_sim/clock", {"advance_seconds": 1900})
        await client.create_bills([a_bill(contact, "RENEWED")], key())

    contact = contact_of(xero)
    xero.run(ask)
    assert xero.tokens.renewals == 1
    assert [s for _, s, _ in xero.calls.told] == [200, 401, 200]
    assert xero.writes == 2


def test_a_disconnected_organisation_is_access_lost(xero: XeroSide) -> None:
    async def ask(client: XeroClient) -> None:
        await client.accounts()
        await asyncio.to_thread(xero.sim.do, "disconnect")
        await client.accounts()

    with pytest.raises(AccessLost):
        xero.run(ask)


def test_the_lease_check_stops_a_write_before_it_leaves(xero: XeroSide) -> None:
    class LeaseGone(Exception):
        pass

    async def stop() -> None:
        raise LeaseGone

    async def ask() -> None:
        async with open_client(xero.sim.url) as http:
            client = XeroClient(
                xero.sim.url,
                OrganisationId(UUID(xero.tenant)),
                xero.tokens,
                xero.calls,
                http,
                RealClock(),
                stop,
            )
            await client.accounts()
            await client.create_bills([a_bill(contact, "NEVER")], key())

    contact = contact_of(xero)
    with pytest.raises(LeaseGone):
        asyncio.run(ask())
    assert [e for e in xero.sim.requests() if e["method"] == "PUT"] == []


def test_a_custom_connection_names_no_organisation(xero: XeroSide) -> None:
    app = xero.sim.do("new_app", client_id="custom-1", tenant_id=xero.tenant)
    token = xero.sim.do("token", client_id=app["client_id"])["access_token"]
    xero.tokens._mint = lambda: str(token)

    async def ask() -> UUID:
        async with xero.client(named=False) as client:
            return (await client.organisation()).id

    assert asyncio.run(ask()) == UUID(xero.tenant)
    apis = [e for e in xero.sim.requests() if e["path"].startswith("/api.xro")]
    assert apis
    assert all("xero-tenant-id" not in e["request_headers"] for e in apis)
    xero.sim.forget()  # the spec demands the header that custom connections leave out [X 1]


def test_connections_are_listed_and_left(xero: XeroSide) -> None:
    async def ask() -> None:
        async with open_client(xero.sim.url) as http:
            mine = XeroConnections(xero.sim.url, xero.tokens, Calls(), http, RealClock())
            (first, *_) = await mine.connections()
            assert first.organisation == UUID(xero.tenant)
            assert first.name
            assert first.id != xero.tenant
            await mine.remove(first.id)
            assert first not in await mine.connections()
            with pytest.raises(NotVisible):
                await mine.remove(first.id)

    asyncio.run(ask())


def test_unknown_options_and_categories_are_ids(xero: XeroSide) -> None:
    categories = xero.run(lambda c: c.categories())
    assert all(isinstance(c.id, UUID) and CategoryId(c.id) for c in categories)
    assert all(OptionId(o.id) for c in categories for o in c.options)
