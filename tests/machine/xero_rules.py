"""What people do in Xero: coding, payments, lock dates, contacts, and what they should not."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.machine.books import TAX_RATES, Claim, shown
from tests.machine.ledger import RETENTION, Bill
from tests.machine.stage import Stage

which = st.integers(0, 7)
ACCOUNTS = ("311", "429", "453", "310")
CHANGES = ("amount", "number", "date", "contact", "extra line", "line away", "line reworded")


class XeroRules(Stage):
    """Acts on bills that bear our mark, and on the organisation around them."""

    def _bill(self, at: int, *, paid: bool | None = None) -> tuple[Claim, Bill] | None:
        rows = self.our_bills(self.world.ledger())
        return self.pick(at, [row for row in rows if paid in (None, bool(row[1].paid))])

    def _do(self, action: str, **said: Any) -> Any | None:
        """A person's act, a moment after the last one; None where Xero refuses it."""
        self.world.pass_time(timedelta(seconds=2))
        return self.world.attempt(self.world.xero, action, **said)

    # --- what is theirs -------------------------------------------------------------------------

    @rule(at=which, line=which, account=st.sampled_from(ACCOUNTS))
    def bookkeeper_recodes(self, at: int, line: int, account: str) -> None:
        found = self._bill(at)
        if found is None:
            return
        claim, bill = found
        work = [x for x in bill.lines if not self.history.names[x.id].startswith(RETENTION)]
        one = self.pick(line, work)
        if one is None:
            return
        if self._do("edit_line", invoice_id=bill.id, line_item_id=one.id, account=account):
            self.history.recoded[one.id] = account
            self.tell(f"bill of {claim.name}: {one.text} recoded to {account}")

    @rule(at=which, line=which, kind=st.sampled_from(sorted(TAX_RATES)))
    def bookkeeper_retaxes(self, at: int, line: int, kind: str) -> None:
        found = self._bill(at)
        if found is None:
            return
        claim, bill = found
        one = self.pick(line, bill.lines)
        assert one is not None
        if self._do("edit_line", invoice_id=bill.id, line_item_id=one.id, tax_type=kind):
            self.history.of(claim.ref).retaxed = True
            self.tell(f"bill of {claim.name}: {one.text} taxed {kind}")

    @rule(at=which, days=st.integers(1, 60))
    def bookkeeper_moves_due_date(self, at: int, days: int) -> None:
        found = self._bill(at)
        if found is None:
            return
        claim, bill = found
        day = (self.world.clock.now().date() + timedelta(days=days)).isoformat()
        if bill.is_posted and self._do("edit_invoice", invoice_id=bill.id, due_date=day):
            self.history.due_dates[bill.id] = day
            self.tell(f"bill of {claim.name}: due {day}")

    # --- what is Procore's ----------------------------------------------------------------------

    @rule(at=which, what=st.sampled_from(CHANGES), line=which, cents=st.integers(1, 500_000))
    def bookkeeper_changes_what_is_procores(
        self, at: int, what: str, line: int, cents: int
    ) -> None:
        found = self._bill(at)
        if found is None:
            return
        claim, bill = found
        one = self.pick(line, bill.lines)
        assert one is not None
        self._change(bill, what, one.id, Decimal(cents) / 100, line)
        if self._touch(claim, bill):
            self.tell(f"bill of {claim.name}: {what} changed there ({one.text}, {cents / 100:.2f})")

    def _change(self, bill: Bill, what: str, line: str, amount: Decimal, at: int) -> None:
        id_ = bill.id
        others = sorted(set(self.world.contact_of.values()) - {bill.contact})
        said: dict[str, dict[str, Any]] = {
            "amount": {"line_item_id": line, "amount": shown(amount)},
            "line reworded": {"line_item_id": line, "description": f"Reworded {at}"},
            "number": {"number": f"{bill.number}-X{at}"},
            "date": {"date": (bill.day - timedelta(days=at + 1)).isoformat()},
            "contact": {"contact_id": self.pick(at, others)},
        }
        if what in said:
            action = "edit_line" if "line_item_id" in said[what] else "edit_invoice"
            self._do(action, invoice_id=id_, **said[what])
            return
        kept: list[dict[str, Any]] = [{"LineItemID": x.id} for x in bill.lines]
        if what == "extra line":
            kept.append({"Description": f"Freight {at}", "Quantity": 1,
                         "UnitAmount": shown(amount), "AccountCode": "425"})  # fmt: skip
        else:
            kept = [x for x in kept if x["LineItemID"] != line]
        if kept:
            self.world.save_lines(id_, kept)

    def _touch(self, claim: Claim, before: Bill) -> bool:
        """Note which fields of Procore's differ now from what they were; whether anything moved."""
        after = self.world.ledger().bill(before.id)
        assert after is not None
        self._name_lines(after)
        names = self.history.names
        was, now = before.fields(names), after.fields(names)
        changed = {name for name in {*was, *now} if was.get(name) != now.get(name)}
        self.history.of(claim.ref).touched |= changed
        return after != before

    @rule(at=which)
    def bookkeeper_voids(self, at: int) -> None:
        found = self._bill(at)
        if found is None:
            return
        claim, bill = found
        if self._do("void", invoice_id=bill.id):
            self.history.of(claim.ref).voided_there = True
            self.tell(f"bill of {claim.name} is voided there")

    # --- money ----------------------------------------------------------------------------------

    @rule(at=which, part=st.sampled_from([100, 100, 40, 1]))
    def pay(self, at: int, part: int) -> None:
        found = self._bill(at)
        if found is None:
            return
        claim, bill = found
        amount = shown((bill.total - bill.paid) * part / 100)
        if Decimal(amount) > 0 and self._do("pay", invoice_id=bill.id, amount=amount):
            self.tell(f"bill of {claim.name}: {amount} of {bill.total} paid")

    @rule(at=which)
    def payment_removed(self, at: int) -> None:
        ledger = self.world.ledger()
        live = sorted(id_ for id_, row in ledger.payments.items()
                      if row.get("status", "AUTHORISED") == "AUTHORISED")  # fmt: skip
        payment = self.pick(at, live)
        if payment is not None and self._do("remove_payment", payment_id=payment):
            bill = ledger.bill(ledger.payments[payment]["document_id"])
            self.tell(f"a payment of {bill.number if bill else '?'} is taken away")

    # --- the organisation -----------------------------------------------------------------------

    @rule(days_ago=st.one_of(st.none(), st.integers(0, 45)), which_lock=st.booleans())
    def lock_dates(self, days_ago: int | None, which_lock: bool) -> None:
        said: dict[str, str] = {}
        if days_ago is not None:
            day = (self.world.clock.now().date() - timedelta(days=days_ago)).isoformat()
            said = {"period" if which_lock else "end_of_year": day}
        self._do("lock", **said)
        self.history.ever_locked |= bool(said)
        self.tell(f"lock dates: {said or 'none'}")

    @rule(at=which, archived=st.booleans())
    def contact_archived(self, at: int, archived: bool) -> None:
        contact = self.pick(at, sorted(set(self.world.contact_of.values())))
        assert contact is not None
        if self.world.ledger().contacts[contact].get("merged_to"):
            return
        if self._do("archive_contact", contact_id=contact, archived=archived):
            self.history.ever_archived |= archived
            self.tell(f"contact {contact[:8]} {'archived' if archived else 'active again'}")

    @rule(at=which, into=which)
    def contacts_merged(self, at: int, into: int) -> None:
        living = sorted({c for c in self.world.contact_of.values()
                         if not self.world.ledger().contacts[c].get("merged_to")})  # fmt: skip
        loser = self.pick(at, living)
        winner = self.pick(into, [one for one in living if one != loser])
        if loser and winner and self._do("merge_contact", contact_id=loser, into=winner):
            self.tell(f"contact {loser[:8]} is merged into {winner[:8]}")

    @precondition(lambda self: any(self.books.claims()))
    @rule(at=which, same=st.sampled_from(["number", "total", "both"]))
    def somebody_types_the_bill(self, at: int, same: str) -> None:
        """A bill that could be taken for a claim's, typed by hand or by another app."""
        claim = self.pick(at, [c for c in self.books.claims() if not c.deleted])
        if claim is None or claim.wanted().net <= 0:
            return
        wanted = claim.wanted()
        number = wanted.number if same != "total" else f"TYPED-{claim.id}"
        amount = wanted.net if same != "number" else wanted.net + 1
        contact = self.world.contact_of[claim.contract.vendor]
        made = self._do(
            "new_bill",
            contact_id=self.world.ledger().contact_now(contact),
            number=number,
            date=claim.billing_date.isoformat(),
            status="AUTHORISED",
            lines=[{"description": "Typed", "amount": shown(amount), "account": "310"}],
        )
        if made:
            self.tell(f"somebody types a bill like {claim.name}: {number}, {amount}")
