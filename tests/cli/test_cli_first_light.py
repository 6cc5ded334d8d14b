"""From an empty database to a bill in Xero, by commands alone."""

from decimal import Decimal

from tests.cli.books import bills, claim, map_everything
from tests.harness import Installation
from tests.simulators import Simulators


def test_a_claim_becomes_a_bill_by_commands_alone(
    bare: Installation, simulators: Simulators
) -> None:
    said = ("user", "add", "boss@example.com", "--role", "owner", "--password-stdin", "--json")
    person = bare.run(*said, stdin="seven-silver-spades\n").ok().json
    assert (person["email"], person["role"]) == ("boss@example.com", "owner")
    bare.connect(simulators)

    before = bare.run("coverage", "--json").ok().json
    assert before["share"] == 0
    assert {gap["code"] for gap in before["gaps"]} == {
        "vendor_unmapped", "cost_code_unmapped", "retention_account_missing",
    }  # fmt: skip
    assert before["total"] == "400000.00"

    map_everything(bare)
    after = bare.run("coverage", "--json").ok().json
    assert (after["share"], after["gaps"], after["ready_contracts"]) == (1, [], 1)
    assert bare.run("preflight", "--json").ok().json == []
    switched = bare.run("switch-on", "bill", "--json").ok().json
    assert switched == [{"flow": "bill", "before": "off", "mode": "auto", "changed": True}]

    ref, made = claim(simulators, "10000.00", "20000.00", status="under_review")
    assert bare.run("sync", "--until-idle", "--json").ok().json["done"] == 0
    simulators.procore.do("approve_claim", project_id=7, id=made["id"])
    plan = bare.run("preview", ref, "--json").ok().json
    assert plan["step"] == "create"
    assert plan["totals"] == {"net": "27000.00", "tax": "2700.00", "gross": "29700.00"}
    assert [(x["account"], x["amount"]) for x in plan["target"]["lines"]] == [
        ("310", "10000.00"), ("310", "20000.00"), ("820R", "-3000.00"),
    ]  # fmt: skip
    debits = sum(Decimal(row["debit"]) for row in plan["journal"])
    assert debits == sum(Decimal(row["credit"]) for row in plan["journal"]) == Decimal("32700.00")
    assert bills(simulators) == []

    synced = bare.run("sync", "--until-idle", "--json").ok().json
    assert (synced["done"], synced["waiting"], synced["attention"]) == (1, 0, 0)
    assert synced["idle"] is True
    assert synced["calls"]["procore"] > 0
    assert synced["calls"]["xero"] > 0

    [bill] = bills(simulators)
    [pair] = bare.run("documents", "--json").ok().json
    assert (pair["flow"], pair["source"], pair["state"]) == ("bill", ref, "in_step")
    assert pair["target"] == f"xero_invoice:{bill['id']}"
    assert pair["subject"] == ""
    assert bare.run("attention", "--json").ok().json == []
    assert bare.run("preview", ref, "--json").ok().json["step"] == "nothing"

    again = bare.run("sync", "--until-idle", "--json").ok().json
    assert (again["waiting"], len(bills(simulators))) == (0, 1)
    acts = [row["act"] for row in bare.run("audit", "--json").ok().json]
    assert {"workspace.added", "procore.connected", "xero.connected", "config.changed"} <= set(acts)
    told = {row["remote"]: row for row in bare.run("budget", "--json").ok().json}
    assert told["procore"]["last_day"] >= synced["calls"]["procore"]
    assert told["xero"]["last_day"] >= synced["calls"]["xero"]
    assert (told["xero"]["limit"], told["procore"]["limit"]) == (5000, 3600)
    for row in told.values():
        assert row["used"] == row["limit"] - row["remaining"] == row["last_day"]
        assert sum(row["lanes"].values()) == row["last_day"] == row["ours_day"]
        assert row["forecast"]["left_at_end"] < row["remaining"]
        assert row["blocked_until"] is None
    assert "calls are left of this day" in bare.run("budget").ok().out


def test_one_gap_is_seen_filled_and_gone(switched: Installation, simulators: Simulators) -> None:
    vendor = simulators.procore.do("new_vendor", name="Newcomer Fencing Pty Ltd")["id"]
    contract = simulators.procore.do(
        "new_commitment", project_id=7, vendor_id=vendor, retainage_percent="0",
        lines=[{"amount": "5000.00", "cost_code_id": 101, "line_item_type_id": 5}],
    )  # fmt: skip
    made = simulators.procore.do(
        "new_claim", project_id=7, commitment_id=contract["id"], status="approved",
        lines=[{"line_id": contract["line_ids"][0], "work": "5000.00"}],
    )  # fmt: skip
    ref = f"requisition:7/{made['id']}"

    held = switched.run("sync", ref, "--json")
    assert held.code == 1
    assert held.json["attention"] == 1
    [matter] = switched.run("attention", "--json").ok().json
    assert (matter["cause"], matter["subject"]) == ("vendor_unmapped", str(vendor))
    assert (matter["state"], matter["refs"]) == ("held", [ref])
    assert set(matter) >= {"id", "cause", "state", "refs", "choices"}
    assert "Newcomer Fencing" in switched.run("attention").out

    simulators.xero.do("new_contact", name="Newcomer Fencing")
    accepted = switched.run("match", "vendors", "--accept", 80, "--json").ok().json["accepted"]
    assert [row["subject"] for row in accepted] == [str(vendor)]
    switched.run("sync", "--until-idle", "--json").ok()
    assert switched.run("attention", "--json").ok().json == []
    assert [b["contact_id"] for b in bills(simulators)] == [accepted[0]["target"]]
