"""Bad input by command: a clear message with the next step, the right code, nothing lost."""

import subprocess
from collections.abc import Callable

from tests.cli.books import bills, claim, filled_in
from tests.harness import Installation
from tests.simulators import Simulators


def says(ran: object, *words: str) -> None:
    err = ran.err  # type: ignore[attr-defined]
    assert "Traceback" not in err, err
    for word in words:
        assert word in err, err


def test_a_wrong_procore_secret(bare: Installation, simulators: Simulators) -> None:
    bare.run("workspace", "add", "Main").ok()
    company = simulators.procore.state()["company_id"]
    wrong = bare.run(
        "connect", "procore", "--company-id", company, "--json",
        PROCORE_CLIENT_SECRET="not-the-secret",
    )  # fmt: skip
    assert wrong.code == 1
    says(wrong, "Procore refused the client id or secret", "ONECORE_PROCORE_CLIENT_SECRET")
    assert wrong.json["error"] in wrong.err
    assert "not-the-secret" not in wrong.out + wrong.err
    assert bare.run("workspace", "show", "Main", "--json").json["connections"] == []


def test_no_procore_credentials_at_all(bare: Installation) -> None:
    bare.run("workspace", "add", "Main").ok()
    none = bare.run("connect", "procore", "--company-id", 4, PROCORE_CLIENT_ID="")
    assert none.code == 2
    says(none, "Set ONECORE_PROCORE_CLIENT_ID")


def test_a_company_the_app_is_not_in(bare: Installation) -> None:
    bare.run("workspace", "add", "Main").ok()
    unknown = bare.run("connect", "procore", "--company-id", 999)
    assert unknown.code == 1
    says(unknown, "Company 999 is not visible", "Check the number")


def test_a_wrong_secret_of_a_custom_connection(bare: Installation) -> None:
    bare.run("workspace", "add", "Main").ok()
    wrong = bare.connect_xero(secret="not-the-secret")
    assert wrong.code == 1
    says(wrong, "Xero refused the custom connection", "client id and secret")
    assert "not-the-secret" not in wrong.out + wrong.err


def test_a_custom_connection_takes_its_secret_by_standard_input_alone(bare: Installation) -> None:
    bare.run("workspace", "add", "Main").ok()
    argv = bare.run("connect", "xero", "--client-id", "x", "--client-secret", "in-the-open")
    assert argv.code == 2
    lone = bare.run("connect", "xero", "--client-id", "x")
    assert lone.code == 2
    says(lone, "--client-id and --client-secret-stdin go together")
    empty = bare.run("connect", "xero", "--client-id", "x", "--client-secret-stdin")
    assert empty.code == 2
    says(empty, "Standard input gave no client secret")


def test_a_remote_that_does_not_answer(bare: Installation) -> None:
    bare.run("workspace", "add", "Main").ok()
    nobody = "http://127.0.0.1:9"
    away = bare.run("connect", "procore", "--company-id", 4, PROCORE_LOGIN_URL=nobody)
    assert away.code == 3
    says(away, f"Procore at {nobody} did not answer", "Nothing was changed")


def test_a_revoked_grant_loses_nothing(switched: Installation, simulators: Simulators) -> None:
    ref, _ = claim(simulators, "10000.00")
    simulators.procore.do("revoke_app")
    simulators.procore.do("expire_tokens")
    gone = switched.run("sync", "--until-idle", "--json")
    assert gone.code in (1, 3)
    assert bills(simulators) == []
    assert switched.run("coverage").code == 1

    simulators.procore.do("revoke_app", connected=True)
    company = simulators.procore.state()["company_id"]
    switched.run("connect", "procore", "--company-id", company).ok()
    switched.run("sync", "--until-idle", "--json").ok()
    [pair] = switched.run("documents", "--json").json
    assert (pair["source"], pair["state"]) == (ref, "in_step")


def test_a_missing_scope_is_named(connected: Installation, simulators: Simulators) -> None:
    tenant = next(iter(simulators.xero.state()["organisations"]))
    simulators.xero.do(
        "grant_scopes", client_id="sim-xero-custom", tenant_id=tenant,
        scopes=["accounting.contacts"],
    )  # fmt: skip
    lacking = connected.run("match", "codes")
    assert lacking.code == 1
    says(lacking, "Xero lacks a right", "onecore connect xero")


def test_malformed_yaml_names_line_and_field(connected: Installation) -> None:
    text = connected.run("config", "export").out
    lines = text.splitlines()
    at = next(n for n, line in enumerate(lines, 1) if line.startswith("  bill:"))
    lines[at - 1] = "  bill: {mode: sometimes, colour: blue}"
    bad = connected.document("\n".join(lines) + "\n", "--json")
    assert bad.code == 2
    says(bad, f"line {at}", "mode", "colour")
    assert bad.json["error"]
    assert connected.run("config", "export").out == text

    torn = connected.document("version: 1\ncodes: [\n")
    assert torn.code == 2
    says(torn, "line")
    binary = connected.home / "not-text.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert connected.run("config", "import", binary).code == 2


def test_an_organisation_that_is_not_connected(connected: Installation) -> None:
    text = connected.run("config", "export").out
    own = next(line for line in text.splitlines() if "tenant_id" in line and "#" not in line)
    other = '  - {tenant_id: "00000000-0000-4000-8000-000000000001", default: false}'
    refused = connected.document(text.replace(own, f"{own}\n{other}"))
    assert refused.code == 2
    says(refused, "is not connected", "onecore connect xero")


def test_an_unknown_workspace_is_named(bare: Installation) -> None:
    bare.run("workspace", "add", "Main").ok()
    for args in (
        ("coverage",), ("documents",), ("sync",), ("config", "export"), ("match", "vendors"),
        ("switch-on",), ("pause",),
    ):  # fmt: skip
        unknown = bare.run(*args, "-w", "Nowhere", "--json")
        assert unknown.code == 2, args
        says(unknown, "'Nowhere'", "There are: Main")
        assert "Nowhere" in unknown.json["error"]


def test_which_workspace_must_be_said_where_there_are_more(bare: Installation) -> None:
    none = bare.run("documents")
    assert none.code == 2
    says(none, "onecore workspace add NAME")
    bare.run("workspace", "add", "One").ok()
    assert bare.run("documents").ok().out == "None yet.\n"
    bare.run("workspace", "add", "Two").ok()
    two = bare.run("documents")
    assert two.code == 2
    says(two, "-w NAME", "One, Two")
    taken = bare.run("workspace", "add", "One")
    assert taken.code == 2
    says(taken, "already")


def test_refs_that_name_nothing(connected: Installation) -> None:
    nonsense = connected.run("preview", "invoice-55")
    assert nonsense.code == 2
    says(nonsense, "requisition:7/55")
    never_seen = connected.run("preview", "requisition:55")
    assert never_seen.code == 2
    says(never_seen, "requisition:PROJECT/55")
    not_there = connected.run("preview", "requisition:7/55", "--json")
    assert not_there.code == 2
    says(not_there, "shows no requisition:7/55")
    other_kind = connected.run("sync", "direct_cost:7/55")
    assert other_kind.code == 2
    says(other_kind, "not carried in this version")
    assert connected.run("resolve", 12, "void").code == 2
    assert connected.run("approve", "requisition:7/55").code == 2


def test_flows_and_commands_to_come_say_so(connected: Installation) -> None:
    later = connected.run("switch-on", "sales_invoice", "--json")
    assert later.code == 2
    says(later, "not built in this version", "Built: bill")
    unknown = connected.run("switch-on", "billing")
    assert unknown.code == 2
    says(unknown, "There is no flow 'billing'")
    assert connected.run("documents", "--flow", "timesheet").code == 2
    for command in ("reconcile", "retention"):
        unbuilt = connected.run(command, "--json")
        assert unbuilt.code == 2
        assert "not built in this version" in unbuilt.json["error"]
    assert connected.run("frobnicate").code == 2


def test_a_workspace_that_is_not_connected(bare: Installation) -> None:
    bare.run("workspace", "add", "Main").ok()
    early = bare.run("coverage")
    assert early.code == 2
    says(early, "not connected to Procore", "onecore connect procore")
    assert bare.run("sync").code == 2


def test_a_database_that_is_gone_and_back(mapped: Installation, simulators: Simulators) -> None:
    nobody = "postgresql://onecore@127.0.0.1:9/onecore"
    for args in (("documents",), ("sync", "--until-idle"), ("workspace", "list"), ("migrate",)):
        away = mapped.run(*args, "--json", DATABASE_URL=nobody)
        assert away.code == 3, away
        says(away, "database")
        assert "database" in away.json["error"]
    checked = mapped.run("doctor", "--json", DATABASE_URL=nobody)
    assert checked.code == 3
    state = {check["name"]: check for check in checked.json}
    assert state["database"]["ok"] is False
    assert "ONECORE_DATABASE_URL" in state["database"]["next_step"]
    assert state["clock"]["ok"] is True
    assert mapped.run("coverage", "--json").ok().json["share"] == 1


def test_settings_that_cannot_be_used(bare: Installation) -> None:
    plain = bare.run("documents", "--json", XERO_API_URL="http://xero.example.com")
    assert plain.code == 2
    says(plain, "ONECORE_XERO_API_URL", "use https")
    bind = bare.run("workspace", "list", BIND="everywhere")
    assert bind.code == 2
    says(bind, "ONECORE_BIND")
    short = bare.run("workspace", "list", SECRET_KEY="short")
    assert short.code == 2
    says(short, "32 or more")


def test_another_secret_key_says_what_no_longer_opens(connected: Installation) -> None:
    other = "another test's secret key of more than thirty-two characters"
    lost = connected.run("coverage", SECRET_KEY=other)
    assert lost.code == 1
    says(lost, "sealed with a key that is not here")
    checked = connected.run("doctor", "--json", SECRET_KEY=other)
    assert checked.code == 1
    assert [c["name"] for c in checked.json if not c["ok"]] == ["stored secrets"]


def test_a_database_not_yet_migrated(
    simulators: Simulators, new_database: Callable[..., str]
) -> None:
    fresh = Installation(simulators, new_database())
    try:
        early = fresh.run("workspace", "list", "--json")
        assert early.code == 3
        says(early, "Run: onecore migrate")
        assert fresh.run("migrate", "--json").ok().json["applied"] > 0
        assert fresh.run("migrate", "--json").ok().json == {"applied": 0}
        assert fresh.run("workspace", "list", "--json").ok().json == []
    finally:
        fresh.close()


def test_an_archived_account_is_a_gap_with_a_way_out(
    switched: Installation, simulators: Simulators
) -> None:
    tenant = next(iter(simulators.xero.state()["organisations"]))
    simulators.xero.do("archive_account", tenant_id=tenant, code="310")
    ref, _ = claim(simulators, "10000.00")
    held = switched.run("sync", ref, "--json")
    assert held.code == 1
    [matter] = switched.run("attention", "--json").json
    assert (matter["cause"], matter["refs"]) == ("account_archived", [ref])
    assert matter["choices"][0]["code"] == "look_again"
    text = switched.run("config", "export").out
    switched.document(text.replace('expense: "310"', 'expense: "311"')).ok()
    switched.run("sync", "--until-idle").ok()
    [bill] = bills(simulators)
    assert bill["lines"][0]["account_code"] == "311"


def test_a_tax_type_the_account_cannot_take(
    connected: Installation, simulators: Simulators
) -> None:
    text = filled_in(connected.run("config", "export").out)
    text = text.replace(
        "tax_overrides: []", 'tax_overrides:\n  - {account: "310", tax_type: "OUTPUT"}'
    )
    connected.document(text).ok()
    connected.run("match", "vendors", "--accept", 80).ok()
    connected.run("match", "projects", "--accept", 80).ok()
    gaps = connected.run("coverage", "--json").ok().json["gaps"]
    assert {(gap["code"], gap["subject"]) for gap in gaps} >= {("tax_unfit", "OUTPUT/310")}
    refused = connected.run("switch-on", "--json")
    assert refused.code == 1
    assert refused.json["gaps"] == gaps
    found = connected.run("preflight", "--json")
    assert found.code == 1
    [finding] = [f for f in found.json if f["code"] == "tax_unfit"]
    assert (finding["project"], finding["severity"]) == (7, "blocks")
    assert "Xero" in finding["who"]


def test_a_project_taken_from_the_permitted_list_voids_nothing(
    switched: Installation, simulators: Simulators
) -> None:
    ref, _ = claim(simulators, "10000.00")
    switched.run("sync", "--until-idle").ok()
    [before] = bills(simulators)
    simulators.procore.do("set_project", project_id=7, permitted=False)
    switched.run("sync", ref, "--json")
    switched.run("sync", "--until-idle", "--json")
    [after] = bills(simulators)
    assert (after["id"], after["status"]) == (before["id"], "AUTHORISED")
    found = switched.run("preflight", "--json")
    assert found.code == 1
    assert [f["code"] for f in found.json if f["severity"] == "blocks"] == ["no_project"]
    simulators.procore.do("set_project", project_id=7, permitted=True)
    switched.run("sync", ref).ok()
    [pair] = switched.run("documents", "--json").json
    assert pair["state"] == "in_step"


def test_a_tool_that_is_off_is_named_with_who_can_mend_it(
    mapped: Installation, simulators: Simulators
) -> None:
    simulators.procore.do("set_project", project_id=7, tools={"commitments": False})
    found = mapped.run("preflight", "--json")
    assert found.code == 1
    [finding] = [f for f in found.json if f["severity"] == "blocks"]
    assert (finding["code"], finding["project"]) == ("tool_off", 7)
    assert "project admin in Procore" in finding["who"]
    assert mapped.run("coverage", "--json").ok().json["hidden_projects"] == ["P-007 Riverside"]


def test_a_pipe_that_closes_early_is_no_fault(bare: Installation) -> None:
    bare.run("workspace", "add", "Main").ok()
    process = subprocess.Popen(
        bare.command("config", "export"),
        env=bare.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
