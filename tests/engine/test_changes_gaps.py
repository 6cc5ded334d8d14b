"""What holds a claim, all of it at once; what Xero refuses; and how either is mended."""

from datetime import date, timedelta
from typing import Any

import pytest

from onecore.domain.ids import AccountCode
from onecore.domain.settings import CodeRule
from onecore.engine import config
from onecore.engine.use import configuring, syncing
from tests.desk import Desk, money
from tests.engine.changing import choices, detail, edit, later, look, total, writes


def import_text(desk: Desk, text: str) -> None:
    configuring.import_text(desk.service, desk.workspace, text, "test")


def test_every_gap_is_named_at_once(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.connect()
    desk.set(cut_over=date(2020, 1, 1), flows__bill__mode="auto", tracking={"project": "Projects"})
    ref = desk.claim("10000.00", "50000.00", invoice_number="INV-0101")
    look(desk)
    assert desk.state_of(ref) == "held"
    assert desk.causes() == [
        "cost_code_unmapped",
        "cost_code_unmapped",
        "retention_account_missing",
        "tracking_option_missing",
        "vendor_unmapped",
    ]
    subjects = {g.subject for g in desk.attention() if g.cause == "cost_code_unmapped"}
    assert subjects == {"01-100", "03-300"}
    assert all(choices(desk, cause) == ["look_again"] for cause in set(desk.causes()))
    assert "Smith Bros" in detail(desk, "vendor_unmapped")
    assert desk.bills() == []


def test_mending_the_mapping_releases_what_it_held_at_once(desk: Desk) -> None:
    text = configuring.export(desk.workspace)
    import_text(desk, config.set_vendors(config.set_value(text, ("vendors",), []), []))
    held = [
        desk.claim("10000.00", invoice_number="INV-0101"),
        desk.claim("0.00", "2000.00", invoice_number="INV-0102"),
    ]
    look(desk)
    assert {desk.state_of(ref) for ref in held} == {"held"}
    (group,) = desk.attention()
    assert group.cause == "vendor_unmapped"
    assert set(group.refs) == {str(ref) for ref in held}
    import_text(desk, text)  # and nothing else is said: the import says the hints
    result = desk.service.run(
        syncing.sync(
            desk.service, desk.workspace, held[:1], until_idle=True, timeout=timedelta(seconds=20)
        )
    )
    assert result.idle
    assert {desk.state_of(ref) for ref in held} == {"in_step"}
    assert desk.attention() == []
    assert sorted(total(bill) for bill in desk.bills()) == [money("1980.00"), money("9900.00")]


def test_one_gap_of_several_mended_leaves_the_others(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.connect()
    desk.map_all(retention__payable__account=None)
    text = configuring.export(desk.workspace)
    import_text(desk, config.set_value(text, ("codes",), []))
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    assert desk.causes() == ["cost_code_unmapped", "retention_account_missing"]
    desk.set(retention__payable__account="820R")
    look(desk)
    assert desk.state_of(ref) == "held"
    assert desk.causes() == ["cost_code_unmapped"]
    text = configuring.export(desk.workspace)
    import_text(desk, config.add_codes(text, [CodeRule("*", expense=AccountCode("310"))]))
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.attention() == []


def test_a_gap_after_posting_holds_the_change_and_not_the_bill(desk: Desk) -> None:
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    text = configuring.export(desk.workspace)
    import_text(desk, config.set_value(text, ("codes",), []))
    edit(desk, ref, "12000.00")
    look(desk)
    assert desk.state_of(ref) == "held"
    assert total(desk.bill_of(ref)) == money("9900.00")
    import_text(desk, text)
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert total(desk.bill_of(ref)) == money("11880.00")


def test_a_held_claim_that_is_deleted_or_reopened_leaves_nothing_behind(desk: Desk) -> None:
    desk.set(retention__payable__account=None)
    reopened = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    desk.procore.do("set_status", project_id=7, id=int(reopened.id), status="draft")
    look(desk, reopened)
    assert desk.document(reopened) is None
    assert desk.attention() == []
    desk.procore.do("set_status", project_id=7, id=int(reopened.id), status="approved")
    look(desk, reopened)
    assert desk.state_of(reopened) == "held"
    desk.procore.do("delete_claim", project_id=7, id=int(reopened.id))
    look(desk, reopened)
    assert desk.document(reopened) is None
    assert desk.attention() == []


# --- refused by Xero --------------------------------------------------------------------------


def test_an_account_archived_after_the_lists_were_read(desk: Desk) -> None:
    first = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)  # and with it the chart of accounts
    assert desk.state_of(first) == "in_step"
    desk.xero.do("archive_account", code="310")
    ref = desk.claim("5000.00", invoice_number="INV-0102")
    look(desk)
    assert desk.state_of(ref) == "refused"
    assert desk.causes() == ["account_archived"]
    told = detail(desk, "account_archived")
    assert told.startswith("Xero refused: ")
    assert "'310' has been archived" in told
    assert choices(desk, "account_archived") == ["look_again"]
    later(desk, minutes=1)
    desk.answer("account_archived", "look_again")
    look(desk)  # now planned on a fresh chart: a gap that names the account, nothing sent
    assert desk.state_of(ref) == "held"
    (group,) = desk.attention()
    assert (group.cause, group.subject) == ("account_archived", "310")
    desk.xero.do("archive_account", code="310", archived=False)
    later(desk, minutes=50)
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.attention() == []
    assert total(desk.bill_of(ref)) == money("4950.00")


def test_one_refused_bill_keeps_no_other_of_its_batch(desk: Desk) -> None:
    desk.xero.do("new_account", code="319", name="Steel", type="DIRECTCOSTS")
    desk.set(
        codes=[{"cost_code": "05-100", "expense": "319"}, {"cost_code": "*", "expense": "310"}]
    )
    first = desk.claim("1000.00", "0.00", "1000.00", invoice_number="INV-0101")
    look(desk)
    assert desk.state_of(first) == "in_step"
    desk.xero.do("archive_account", code="319")
    good = desk.claim("5000.00", invoice_number="INV-0102")
    bad = desk.claim("0.00", "0.00", "7000.00", invoice_number="INV-0103")
    desk.xero.forget_requests()
    look(desk)
    assert desk.state_of(good) == "in_step"
    assert desk.state_of(bad) == "refused"
    assert writes(desk) == ["PUT"]
    assert len(desk.bills()) == 2


def test_a_tax_type_the_account_cannot_take_is_named_before_anything_is_sent(desk: Desk) -> None:
    desk.set(tax_overrides=[{"account": "310", "tax_type": "OUTPUT"}])
    desk.xero.forget_requests()
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    assert desk.state_of(ref) == "held"
    assert "tax_unfit" in desk.causes()
    assert writes(desk) == []
    desk.set(tax_overrides=[])
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert desk.attention() == []


def test_a_contact_archived_after_the_lists_were_read(desk: Desk) -> None:
    first = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    contact = desk.bill_of(first)["contact_id"]
    desk.xero.do("archive_contact", contact_id=contact)
    ref = desk.claim("5000.00", invoice_number="INV-0102")
    look(desk)
    assert desk.state_of(ref) in ("refused", "held")
    (cause,) = desk.causes()
    assert cause in ("contact_refused", "contact_archived")
    later(desk, minutes=1)
    desk.answer(cause, "look_again")
    look(desk)
    assert desk.causes() == ["contact_archived"]
    desk.xero.do("archive_contact", contact_id=contact, archived=False)
    later(desk, minutes=1)
    desk.answer("contact_archived", "look_again")
    look(desk)
    assert desk.state_of(ref) == "in_step"


@pytest.mark.parametrize("after", ["edit", "nothing"])
def test_a_refused_change_of_a_posted_bill(desk: Desk, after: str) -> None:
    """Locked between the reading of the organisation and the write: Xero itself says no."""
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    desk.xero.do("lock", period=(desk.clock.now().date() + timedelta(days=1)).isoformat())
    edit(desk, ref, "12000.00")
    look(desk)
    assert desk.state_of(ref) == "refused"
    assert desk.causes() == ["period_locked"]
    assert total(desk.bill_of(ref)) == money("9900.00")
    desk.xero.do("lock", period=None)
    later(desk, minutes=1)
    if after == "edit":
        edit(desk, ref, "13000.00")
    else:
        desk.answer("period_locked", "look_again")
    look(desk)
    assert desk.state_of(ref) == "in_step"
    assert total(desk.bill_of(ref)) == money("12870.00" if after == "edit" else "11880.00")
    assert desk.attention() == []


def test_the_next_look_after_a_mended_refusal_forgets_the_subject(desk: Desk) -> None:
    """A short subject is kept sealed while a document waits, and erased once it is in step."""
    desk.set(retention__payable__account=None)
    ref = desk.claim("10000.00", invoice_number="INV-0101")
    look(desk)
    held: Any = desk.document(ref)
    assert held.subject is not None
    assert "INV-0101" not in bytes(held.subject).decode("latin-1")
    (group,) = desk.attention()
    assert group.items[0].subject == "INV-0101 · Smith Bros Concreting Pty Ltd"
    desk.set(retention__payable__account="820R")
    look(desk)
    done: Any = desk.document(ref)
    assert (done.state, done.subject) == ("in_step", None)
