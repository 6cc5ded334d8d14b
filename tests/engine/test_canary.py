"""Nothing is kept: what documents say is planted everywhere, and then looked for everywhere."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from onecore.domain.ids import ContactId, ProjectId
from onecore.domain.refs import SourceRef
from onecore.domain.settings import PartyRow
from onecore.engine import config, db
from onecore.engine.use import attending, configuring
from onecore.store import audit, embedded
from onecore.store.models import Attention, AttentionItem, Document, ReferenceList
from onecore.store.server_files import home_at
from tests.database import HOME, SERVER
from tests.desk import PROJECT, Desk
from tests.simulators import Simulator
from tests.worker_process import another

BIRD = "zqkanarie"
"""Begins every planted text; nothing else on this machine is spelled so."""
AMOUNT = "73519.43"
CONTROL = "zqcontrolword"
"""Written in the clear on purpose: a search that finds it is known to be a search."""
FREE_TEXT = {
    "name", "title", "description", "invoice_number", "comment", "notes", "address", "city",
    "trade_name", "abbreviated_name", "website", "phone", "first_name", "last_name",
}  # fmt: skip
KEPT_LABELS = {"company_name", "categories", "tax_rates", "apps", "grants", "users"}
"""Names of connections and tracking options stand in settings, which are the customer's own."""

Claims = dict[str, SourceRef]


def test_nothing_of_what_documents_say_is_kept(
    desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    plant(desk.procore)
    plant(desk.xero)
    desk.set(source_reopened="void")
    claims = claimed(desk)
    told = _met_with_trouble(desk) + _changed(desk, claims) + _refused(desk, claims)
    found = {name: desk.state_of(ref) for name, ref in claims.items()}
    assert found == {
        "plain": "in_step", "held": "held", "amended": "in_step", "voided": "withdrawn",
        "drifted": "drifted", "refused": "refused",
    }  # fmt: skip
    _people_see_it(desk, claims)
    assert_clean(desk, told + "".join(capfd.readouterr()))

    told = _settled(desk, claims)
    states = set(Document.objects.values_list("state", flat=True))
    assert states == {"in_step", "withdrawn"}
    assert not Document.objects.filter(subject__isnull=False).exists()
    assert not AttentionItem.objects.exists()
    assert not Attention.objects.exists()
    assert_clean(desk, told + "".join(capfd.readouterr()))


# --- planting ---------------------------------------------------------------------------------


def plant(simulator: Simulator) -> None:
    """A text of its own in every free field of a simulator's state."""
    count = 0

    def walked(value: Any, key: str, depth: int) -> Any:
        nonlocal count
        if key in KEPT_LABELS:
            return value
        if isinstance(value, dict):
            return {
                k: v if k == "name" and "tax_rates" in value else walked(v, k, depth + 1)
                for k, v in value.items()
            }
        if isinstance(value, list):
            return [walked(one, key, depth + 1) for one in value]
        if key in FREE_TEXT and isinstance(value, str | None):
            count += 1
            return f"{value or ''} {BIRD}{count}".strip()
        return value

    simulator.put_state(walked(simulator.state(), "", 0))
    assert count > 20


def claimed(desk: Desk) -> Claims:
    """Claims that will go over, be held, be amended, be voided, and be changed in Xero."""
    nobody = desk.procore.do("new_vendor", name=f"Nobody {BIRD}900 Pty Ltd", notes=f"{BIRD}901")
    names = ("plain", "held", "amended", "voided", "drifted")
    return {name: claim(desk, nobody["id"] if name == "held" else 12) for name in names}


def claim(desk: Desk, vendor: int) -> SourceRef:
    made = desk.procore.do(
        "new_commitment",
        project_id=PROJECT,
        vendor_id=vendor,
        title=f"Works {BIRD}902",
        description=f"All of them {BIRD}903",
        retainage_percent="10",
        lines=[{"amount": "900000.00", "description": f"Slab {BIRD}904"}],
    )
    work = {"line_id": desk.contract_lines(made["id"])[0], "work": AMOUNT,
            "comment": f"Said {BIRD}905", "description": f"Poured {BIRD}906"}  # fmt: skip
    number = f"INV-{BIRD}907-{made['id']}"
    return desk.claim(commitment_id=made["id"], lines=[work], invoice_number=number)


# --- the whole path, by processes of their own ------------------------------------------------


def ran(desk: Desk, timeout: float = 30) -> str:
    """Everything a worker printed while it synced."""
    told = another(desk, timeout=timeout).said(timeout=90)
    assert "remote.call" in told
    return told


def _met_with_trouble(desk: Desk) -> str:
    """Answers nobody can read, requests declined in words, a reply lost; then all goes well."""
    unreadable = json.dumps([{"id": f"{BIRD}910", "status": f"{BIRD}911"}])
    declined = json.dumps({"ErrorNumber": 16, "Message": f"Cannot parse {BIRD}912"})
    desk.procore.fault("status", "view=extended", status=200, body=unreadable)
    desk.procore.fault("status", "view=extended", status=422, body=declined)
    desk.xero.fault("status", "/Invoices", "GET", status=400, body=declined)
    desk.xero.fault("status_after", "/Invoices", "PUT", status=500, body=f"{BIRD}913")
    told = ran(desk, timeout=1)
    for _ in range(3):
        desk.clock.offset += timedelta(minutes=2)
        told += ran(desk, timeout=4)
    desk.xero.no_faults()
    desk.procore.no_faults()
    assert BIRD not in told
    assert desk.intents() == 0
    return told


def _changed(desk: Desk, claims: Claims) -> str:
    desk.procore.advance(timedelta(seconds=2))
    number = {"invoice_number": f"INV-{BIRD}920"}
    desk.procore.do("edit_claim", project_id=PROJECT, id=int(claims["amended"].id), **number)
    voided = int(claims["voided"].id)
    desk.procore.do("set_status", project_id=PROJECT, id=voided, status="under_review")
    bill = desk.bill_of(claims["drifted"])
    desk.xero.do(
        "edit_line",
        invoice_id=bill["id"],
        line_item_id=bill["lines"][0]["id"],
        description=f"A bookkeeper's words {BIRD}921",
        amount="61234.56",
        by=f"Bea {BIRD}922",
    )
    desk.xero.do("edit_contact", contact_id=bill["contact_id"], name=f"Renamed {BIRD}923")
    desk.clock.offset += timedelta(minutes=3)
    return ran(desk)


def _refused(desk: Desk, claims: Claims) -> str:
    errors = [{"Message": f"No good: {BIRD}930"}]
    element = {"StatusAttributeString": "ERROR", "HasErrors": True, "ValidationErrors": errors}
    body = json.dumps({"Invoices": [element]})
    claims["refused"] = claim(desk, 12)
    desk.xero.fault("status", "/Invoices", "PUT", status=200, body=body)
    return ran(desk)


def _people_see_it(desk: Desk, claims: Claims) -> None:
    """What waits is known by its number, vendor and detail: kept, and sealed."""
    seen = {item.ref: item for group in desk.attention() for item in group.items}
    for name in ("held", "drifted", "refused"):
        assert BIRD in seen[str(claims[name])].subject
    assert BIRD in seen[str(claims["refused"])].detail
    assert AMOUNT in seen[str(claims["drifted"])].detail
    desk.service.run(_lists_read_again(desk))


async def _lists_read_again(desk: Desk) -> None:
    """The labels mappings point at, every list of them, as the screens of mappings ask."""
    ctx = await desk.service.context(desk.workspace)
    now, books = timedelta(0), ctx.books[desk.organisation].lists
    named = [
        *await ctx.lists.projects(now),
        *await ctx.lists.vendors(now),
        *await ctx.lists.cost_types(now),
        *await ctx.lists.cost_codes(ProjectId(PROJECT), now),
        *await books.contacts(now),
        *await books.accounts(now),
    ]
    assert all(BIRD in one.name for one in named)
    titled = await ctx.lists.commitments(ProjectId(PROJECT), now)
    assert all(BIRD in one.title for one in titled)
    stored = await db.run(lambda: set(ReferenceList.objects.values_list("kind", flat=True)))
    assert {"vendors", "contacts", "cost_codes", "commitments", "accounts"} <= stored


def _settled(desk: Desk, claims: Claims) -> str:
    """A person mends each of them."""
    contact = desk.xero.do("new_contact", name=f"At last {BIRD}940")["ContactID"]
    vendor = next(v for v, row in desk.procore.state()["vendors"].items() if "900" in row["name"])
    text = configuring.export(desk.workspace)
    rows = [*config.read(text).base.vendors, PartyRow(int(vendor), ContactId(contact))]
    configuring.import_text(desk.service, desk.workspace, config.set_vendors(text, rows), "test")
    desk.answer("drifted", "restore")
    for group in desk.attention():
        if group.cause == "refused":
            attending.resolve(desk.service, desk.workspace, group.id, "look_again", "test")
    desk.clock.offset += timedelta(minutes=3)
    told = ran(desk)
    assert desk.bill_of(claims["held"])["number"].startswith(f"INV-{BIRD}907")
    return told


# --- looking everywhere -----------------------------------------------------------------------


def assert_clean(desk: Desk, printed: str) -> None:
    assert _planted_in(printed.encode()) == []
    with connection.cursor() as cursor:
        assert [where for where, raw in _rows(cursor) if _planted_in(raw)] == []
    audit.record(desk.workspace, desk.clock.now(), CONTROL, "control")
    _checkpoint()
    files = list(_files())
    assert len(files) > 100
    assert [str(path) for path, raw in files if _planted_in(raw)] == []
    assert any(CONTROL.encode() in raw for _, raw in files)
    assert _planted_in(SERVER.status().log.read_bytes()) == []


def _planted_in(raw: bytes) -> list[bytes]:
    """What was planted, in the clear, in capitals, in hexadecimal, or as UTF-16."""
    low = raw.lower()
    wanted = [BIRD.encode(), BIRD.encode().hex().encode(), BIRD.encode("utf-16-le")]
    return [one for one in (*wanted, AMOUNT.encode()) if one in low]


def _rows(cursor: Any) -> Iterator[tuple[str, bytes]]:
    """Every row of every table: as text, and its bytes as they are."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    tables = [name for (name,) in cursor.fetchall()]
    assert len(tables) > 25
    for table in tables:
        cursor.execute(f'SELECT t::text FROM "{table}" t')
        for (row,) in cursor.fetchall():
            yield table, row.encode()
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = %s AND data_type = 'bytea'",
            [table],
        )
        for (column,) in cursor.fetchall():
            cursor.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL')
            for (value,) in cursor.fetchall():
                yield f"{table}.{column}", bytes(value)


def _checkpoint() -> None:
    """Everything in memory goes to the files, which only an administrator can ask for."""
    admin = embedded._admin(home_at(HOME / "database"))
    assert admin is not None
    with admin:
        admin.execute("CHECKPOINT")


def _files() -> Iterator[tuple[Path, bytes]]:
    """The server's files: tables, indexes, the log of writes, what it spilled."""
    for path in SERVER.status().directory.rglob("*"):
        if path.is_file() and "password" not in path.name:
            yield path, path.read_bytes()
