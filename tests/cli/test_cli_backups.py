"""The rehearsal: the database is lost, an older backup is brought back, and nothing doubles."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.cli.books import CONTRACT, PROJECT, bills, claim
from tests.harness import Installation
from tests.simulators import Simulators


def live(simulators: Simulators) -> dict[str, str]:
    """Total by bill number, of bills that are neither voided nor deleted; none twice."""
    found = [b for b in bills(simulators) if b["status"] not in ("VOIDED", "DELETED")]
    numbers = [bill["number"] for bill in found]
    assert len(numbers) == len(set(numbers)), numbers
    return {bill["number"]: bill["total"] for bill in found}


def states(onecore: Installation, **environ: str) -> dict[str, str]:
    rows: list[dict[str, Any]] = onecore.run("documents", "--json", **environ).ok().json
    return {row["source"]: row["state"] for row in rows}


def synced(onecore: Installation, **environ: str) -> None:
    onecore.run("sync", "--until-idle", "--timeout", 30, **environ).ok()


def test_an_older_backup_brought_back_posts_nothing_twice(
    switched: Installation, simulators: Simulators, new_database: Callable[..., str]
) -> None:
    """After the backup one claim is amended, one withdrawn, one is new, one is new and amended."""
    onecore = switched
    simulators.procore.advance(timedelta(minutes=-10))
    document = onecore.run("config", "export").ok().out
    onecore.document(document.replace("source_reopened: keep", "source_reopened: void")).ok()
    kept, _ = claim(simulators, "1000.00", invoice_number="K-1")
    withdrawn, gone = claim_elsewhere(simulators, "500.00", invoice_number="W-1")
    amended, told = claim(simulators, "0.00", "1000.00", invoice_number="A-1")
    synced(onecore)
    assert states(onecore) == dict.fromkeys((kept, amended, withdrawn), "in_step")
    file = onecore.home / "monday.dump"
    onecore.run("backup", file).ok()

    simulators.procore.advance(timedelta(seconds=90))
    edited(simulators, told, "2000.00")
    simulators.procore.do("set_status", project_id=PROJECT, id=gone["id"], status="under_review")
    fresh, _ = claim(simulators, "0.00", "0.00", "700.00", invoice_number="F-1")
    twice, again = claim(simulators, "0.00", "0.00", "300.00", invoice_number="T-1")
    synced(onecore)
    edited(simulators, again, "0.00", "400.00")
    synced(onecore)
    before, then = live(simulators), states(onecore)
    assert set(before) == {"K-1", "A-1", "F-1", "T-1"}
    assert then == {
        kept: "in_step", amended: "in_step", withdrawn: "withdrawn", fresh: "in_step",
        twice: "in_step",
    }  # fmt: skip

    url = new_database()
    onecore.run("restore", file, DATABASE_URL=url).ok()
    simulators.xero.forget_requests()
    synced(onecore, DATABASE_URL=url)
    assert live(simulators) == before
    assert states(onecore, DATABASE_URL=url) == then
    written = [row for row in simulators.xero.requests("/Invoices") if row["method"] != "GET"]
    assert written == []

    edited(simulators, again, "0.00", "350.00")  # and it all goes on from there
    synced(onecore, DATABASE_URL=url)
    assert states(onecore, DATABASE_URL=url) == then
    after = live(simulators)
    assert after["T-1"] != before["T-1"]
    assert {**after, "T-1": ""} == {**before, "T-1": ""}


def claim_elsewhere(simulators: Simulators, work: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """An approved claim on a contract of its own: only a contract's latest claim may change."""
    contract = simulators.procore.do(
        "new_commitment", project_id=PROJECT, vendor_id=12, title="Fencing",
        retainage_percent="0", lines=[{"amount": "9000.00", "description": "Fence"}],
    )  # fmt: skip
    commitments = simulators.procore.state()["projects"][str(PROJECT)]["commitments"]
    line = commitments[str(contract["id"])]["lines"][0]["id"]
    made = simulators.procore.do(
        "new_claim", project_id=PROJECT, commitment_id=contract["id"],
        lines=[{"line_id": line, "work": work}], status="approved", **more,
    )  # fmt: skip
    return f"requisition:{PROJECT}/{made['id']}", made


def edited(simulators: Simulators, told: dict[str, Any], *work: str) -> None:
    """The contractor corrects an approved claim, after the second of its last change is over."""
    simulators.procore.advance(timedelta(seconds=2))
    lines = simulators.procore.state()["projects"][str(PROJECT)]["commitments"][str(CONTRACT)]
    rows = [
        {"line_id": line["id"], "work": amount}
        for line, amount in zip(lines["lines"][1:], work, strict=False)
    ]
    simulators.procore.do("edit_claim", project_id=PROJECT, id=told["id"], lines=rows)
