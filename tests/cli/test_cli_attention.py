"""Deciding by command: approving, rejecting, answering, pausing; and connecting with consent."""

from urllib.parse import parse_qs, urlsplit

import pytest
from tests.cli.books import bills, claim
from tests.harness import Installation
from tests.simulators import Simulators


@pytest.fixture
def approving(mapped: Installation) -> Installation:
    """Mapped, every bill to be approved first."""
    mapped.run("switch-on", "--mode", "approve").ok()
    return mapped


def test_a_bill_is_approved_then_made(approving: Installation, simulators: Simulators) -> None:
    ref, _ = claim(simulators, "10000.00")
    waiting = approving.run("sync", "--until-idle", "--json")
    assert waiting.code == 1
    assert bills(simulators) == []
    [matter] = approving.run("attention", "--json").ok().json
    assert (matter["cause"], matter["refs"]) == ("approval", [ref])
    assert [choice["code"] for choice in matter["choices"]] == ["approve", "reject"]
    assert all(choice["label"] and choice["effect"] for choice in matter["choices"])
    approving.run("approve", ref, "--json").ok()
    approving.run("sync", "--until-idle").ok()
    assert len(bills(simulators)) == 1
    assert approving.run("approve", ref).code == 2


def test_a_bill_is_rejected_with_a_reason(approving: Installation, simulators: Simulators) -> None:
    ref, _ = claim(simulators, "10000.00")
    approving.run("sync", "--until-idle")
    assert approving.run("reject", ref).code == 2
    empty = approving.run("reject", ref, "--reason", " ")
    assert empty.code == 2
    approving.run("reject", ref, "--reason", "wrong month").ok()
    approving.run("sync", "--until-idle")
    assert bills(simulators) == []
    [entry] = [
        row for row in approving.run("audit", "--json").json if row["act"] == "document.reject"
    ]
    assert (entry["subject"], entry["facts"]) == (ref, {"reason": "wrong month"})
    assert "command line" in entry["actor"]


def test_a_matter_is_answered_by_its_number(
    approving: Installation, simulators: Simulators
) -> None:
    ref, _ = claim(simulators, "10000.00")
    approving.run("sync", "--until-idle")
    [matter] = approving.run("attention", "--json").json
    wrong = approving.run("resolve", matter["id"], "perhaps", "--json")
    assert wrong.code == 2
    assert "approve, reject" in wrong.json["error"]
    assert approving.run("resolve", matter["id"], "approve", "--json").ok().json == {"refs": [ref]}
    approving.run("sync", "--until-idle").ok()
    assert len(bills(simulators)) == 1
    gone = approving.run("resolve", matter["id"], "approve")
    assert gone.code == 2
    assert "settled already" in gone.err


def test_a_paused_workspace_says_so_and_goes_on(
    approving: Installation, simulators: Simulators
) -> None:
    approving.run("pause").ok()
    claim(simulators, "10000.00")
    stopped = approving.run("sync", "--json", "--timeout", 5)
    assert stopped.code == 1
    assert any("paused" in trouble for trouble in stopped.json["troubles"])
    assert approving.run("resume", "--json").ok().json == {"paused": False}
    assert approving.run("pause", "bill", "--json").ok().json == [
        {"flow": "bill", "before": "approve", "mode": "off", "changed": True}
    ]
    assert approving.run("resume", "bill", "--json").ok().json[0]["mode"] == "approve"


def test_documents_can_be_chosen_by_state(approving: Installation, simulators: Simulators) -> None:
    first, _ = claim(simulators, "10000.00")
    approving.run("sync", "--until-idle")
    approving.run("approve", first).ok()
    approving.run("sync", "--until-idle").ok()
    second, _ = claim(simulators, "5000.00")
    approving.run("sync", "--until-idle")
    whole = approving.run("documents", "--json").ok().json
    assert {row["source"] for row in whole} == {first, second}
    [row] = approving.run("documents", "--state", "approval", "--json").ok().json
    assert (row["source"], row["target"], row["state"]) == (second, None, "approval")
    assert row["subject"] != ""
    assert approving.run("documents", "--project", 8, "--json").ok().json == []
    assert len(approving.run("documents", "--limit", 1, "--json").ok().json) == 1
    assert approving.run("documents", "--state", "lost").code == 2
    plain = approving.run("documents").ok().out.splitlines()
    assert plain[0].split("\t")[:3] == ["source", "target", "state"]
    assert len(plain) == 3


def test_the_consent_address_is_printed(bare: Installation) -> None:
    bare.run("workspace", "add", "Main").ok()
    told = bare.run("connect", "xero", "--json").ok().json
    query = parse_qs(urlsplit(told["url"]).query)
    assert query["client_id"] == ["sim-xero-client"]
    assert query["state"] == [told["state"]]
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://localhost:8000/connect/xero/callback"]
    assert "sim-xero-secret" not in told["url"]
    assert bare.run("connect", "xero").ok().out.startswith("http")
    assert bare.run("connect", "xero", "--tenant-id", "mine").code == 2
    nobody = bare.run("connect", "xero", "--wait", "--timeout", 1, "--json")
    assert nobody.code == 1
    assert nobody.json == {"organisations": []}
    assert nobody.err.startswith("http")
    unset = bare.run("connect", "xero", XERO_CLIENT_ID="")
    assert unset.code == 2
    assert "ONECORE_XERO_CLIENT_ID" in unset.err


def test_the_document_goes_out_and_in_and_says_what_changes(connected: Installation) -> None:
    file = connected.home / "main.yaml"
    assert connected.run("config", "export", file, "--json").ok().json["file"] == str(file)
    text = file.read_text()
    assert connected.run("config", "export").ok().out == text
    same = connected.run("config", "import", file, "--json").ok().json
    assert same["changes"] == []
    file.write_text(text.replace("source_deleted: ask", "source_deleted: void"))
    dry = connected.run("config", "import", file, "--dry-run", "--json").ok().json
    assert dry["changes"] == [{"path": "source_deleted", "before": "ask", "after": "void"}]
    assert connected.run("config", "export").out == text
    real = connected.run("config", "import", "-", stdin=file.read_text()).ok()
    assert "~ source_deleted: ask -> void" in real.out
    assert connected.run("config", "export").out == file.read_text()
    assert connected.run("config", "import", connected.home / "none.yaml").code == 2
