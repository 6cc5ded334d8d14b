"""Many rows in one statement: every kind of value arrives as it was, and nobody waits for ever."""

from datetime import UTC, date, datetime
from threading import Thread
from uuid import uuid4

import pytest
from django.db import connection, transaction

from onecore.store import batch
from onecore.store.models import (
    AuditEntry,
    BillIndex,
    Document,
    Intent,
    Link,
    Organisation,
    Workspace,
)

NOW = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)
ODD = "a ' \" \\ \u2028 {\u00e9} \U0001f600\tb"


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return Workspace.objects.create(name="W", digest_key=b"k", created_at=NOW)


@pytest.fixture
def organisation(workspace: Workspace) -> Organisation:
    return Organisation.objects.create(tenant=uuid4())


def document(workspace: Workspace, ref: str, **more: object) -> Document:
    values = {"flow": "bill", "state": "waiting", "since": NOW} | more
    return Document(workspace=workspace, ref=ref, **values)


def test_rows_are_as_they_were_given_and_get_their_ids(
    workspace: Workspace, organisation: Organisation
) -> None:
    rows = [
        document(workspace, ODD, subject=b"\x00\xff'", answers={"q": [ODD, None, 1.5, True]}),
        document(workspace, "two", organisation=organisation, project_id=2**40),
    ]
    batch.insert(rows)
    for row in rows:
        stored = Document.objects.get(pk=row.pk)
        for field in Document._meta.concrete_fields:
            there = getattr(stored, field.attname)
            there = bytes(there) if isinstance(there, memoryview) else there
            assert there == getattr(row, field.attname), field.name


def test_dates_ids_and_nested_fields_arrive(
    workspace: Workspace, organisation: Organisation
) -> None:
    (one,) = rows = [document(workspace, "one")]
    batch.insert(rows)
    intent = Intent(
        document=one, organisation=organisation, part="main", action="create", key="k",
        fence=7, sent_at=NOW, wanted={"line.item:1.amount": "ab'c"}, lines=["item:1", ODD],
    )  # fmt: skip
    batch.insert([intent])
    again = Intent.objects.get(pk=intent.pk)
    assert (again.wanted, again.lines, again.sent_at) == (intent.wanted, intent.lines, NOW)
    bill = BillIndex(
        organisation=organisation, bill_id=uuid4(), contact_id=uuid4(), number="n", total="t",
        bill_date=date(2026, 2, 28), updated_at=NOW,
    )  # fmt: skip
    batch.put([bill], ["organisation", "bill_id"], ["total"])
    bill.total, bill.number = "other", "not written"
    batch.put([bill], ["organisation", "bill_id"], ["total"])
    stored = BillIndex.objects.get()
    assert (stored.total, stored.number, stored.bill_date) == ("other", "n", bill.bill_date)


def test_what_is_there_is_passed_over_and_what_is_gone_stays_gone(workspace: Workspace) -> None:
    batch.insert([document(workspace, "one")])
    batch.insert_missing([document(workspace, "one", state="held"), document(workspace, "two")])
    rows = list(Document.objects.order_by("ref"))
    assert [(row.ref, row.state) for row in rows] == [("one", "waiting"), ("two", "waiting")]
    Document.objects.filter(pk=rows[1].pk).delete()
    for row in rows:
        row.state, row.subject, row.absent_at, row.note = "held", b"\x01", NOW, "unwritten"
    batch.update(rows, ["state", "subject", "absent_at"])
    (left,) = Document.objects.all()
    assert (left.state, bytes(left.subject or b""), left.absent_at) == ("held", b"\x01", NOW)
    assert left.note == ""


def test_nothing_to_write_is_no_statement() -> None:
    batch.insert([])
    batch.insert_missing([])
    batch.put([], ["id"], ["id"])
    batch.update([], ["state"])


def test_a_text_too_long_for_its_column_is_refused_and_not_cut(workspace: Workspace) -> None:
    from django.db import DataError

    with pytest.raises(DataError):
        batch.insert([document(workspace, "x" * 81)])


def test_two_batches_of_the_same_rows_wait_for_each_other(workspace: Workspace) -> None:
    rows = [document(workspace, str(n)) for n in range(40)]
    batch.insert(rows)
    failed: list[Exception] = []

    def write(order: list[Document]) -> None:
        try:
            for _ in range(25):
                with transaction.atomic():
                    batch.update(order, ["state"])
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [Thread(target=write, args=[order]) for order in (rows, rows[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


def test_links_and_the_audit_log_take_them_too(
    workspace: Workspace, organisation: Organisation
) -> None:
    (one,) = rows = [document(workspace, "one")]
    batch.insert(rows)
    link = Link(
        document=one, part="main", organisation=organisation, target_kind="bill",
        target_id=uuid4(), wanted={"a": "1"}, created_at=NOW, settled_at=NOW,
    )  # fmt: skip
    batch.insert([link])
    link.wanted, link.withdrawn = {"a": "2"}, True
    batch.update([link], ["wanted", "withdrawn"])
    stored = Link.objects.get()
    assert (stored.wanted, stored.withdrawn, stored.target) == ({"a": "2"}, True, {})
    batch.insert([AuditEntry(workspace=workspace, at=NOW, actor="a", act="b", facts={"n": 1})])
    assert AuditEntry.objects.get().facts == {"n": 1}
