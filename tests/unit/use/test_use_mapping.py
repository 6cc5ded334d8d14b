"""Suggestions for whole lists, accepted above a score, with one organisation and with two."""

import pytest
from tests.desk import Desk

from onecore.domain.settings import WorkspaceDocument
from onecore.engine import config
from onecore.engine.use import configuring, connecting, mapping
from onecore.engine.use.errors import UseError


def proposals(desk: Desk, what: mapping.What) -> list[mapping.Proposal]:
    return desk.service.run(mapping.proposals(desk.service, desk.workspace, what))


def accept(desk: Desk, what: mapping.What, score: int) -> list[mapping.Proposal]:
    return desk.service.run(mapping.accept(desk.service, desk.workspace, what, score, "test"))


def document(desk: Desk) -> WorkspaceDocument:
    return config.read(configuring.export(desk.workspace))


@pytest.fixture
def joined(bare_desk: Desk) -> Desk:
    bare_desk.connect()
    return bare_desk


def test_vendors_above_a_score_are_accepted_and_the_rest_left(joined: Desk) -> None:
    joined.procore.do("new_vendor", name="Ironbark Steelworks")
    found = proposals(joined, "vendors")
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    assert {p.subject for p in found} >= {"12", "13", "14"}
    accepted, left = joined.service.run(
        mapping.accept_and_leave(joined.service, joined.workspace, "vendors", 95, "test")
    )
    assert {p.subject for p in accepted} == {"12", "13", "14"}
    assert all(p.score < 95 for p in left)
    rows = {row.vendor: str(row.contact) for row in document(joined).base.vendors}
    assert rows == {int(p.subject): p.target for p in accepted}
    assert all(row.organisation is None for row in document(joined).base.vendors)
    assert not {p.subject for p in proposals(joined, "vendors")} & {"12", "13", "14"}


def test_accepting_is_one_version_with_who_did_it(joined: Desk) -> None:
    before = configuring.export(joined.workspace)
    assert accept(joined, "vendors", 101) == []
    assert configuring.export(joined.workspace) == before
    accept(joined, "vendors", 80)
    changes = config.diff(before, configuring.export(joined.workspace))
    assert len(changes) == 3


def test_codes_are_those_live_contracts_carry_and_no_rule_covers(joined: Desk) -> None:
    found = {p.subject: p for p in proposals(joined, "codes")}
    assert found["05-100"].target == "313"
    assert found["05-100"].reasons == (
        "both speak of steel, structural: Structural steel and metalwork",
    )
    assert found["01-100"].subject_label == "01-100 Preliminaries"
    text = config.add_code(configuring.export(joined.workspace), "05-*", "310")
    configuring.import_text(joined.service, joined.workspace, text, "test")
    assert "05-100" not in {p.subject for p in proposals(joined, "codes")}
    joined.procore.do("edit_commitment", project_id=7, id=31, status="Draft")
    assert proposals(joined, "codes") == []


def test_a_code_lacking_its_account_in_one_project_alone_is_still_proposed(joined: Desk) -> None:
    text = config.add_code(configuring.export(joined.workspace), "05-*", "310", project=7)
    configuring.import_text(joined.service, joined.workspace, text, "test")
    made = joined.procore.do("new_project", name="Quay", number="P-009", permitted=True)
    joined.procore.do(
        "new_commitment", project_id=made["id"], vendor_id=12,
        lines=[{"amount": "900.00", "cost_code": "05-100", "cost_type": "S"}],
    )  # fmt: skip
    assert "05-100" in {p.subject for p in proposals(joined, "codes")}


def test_projects_are_matched_only_where_tracking_is_used(joined: Desk) -> None:
    assert proposals(joined, "projects") == []
    joined.set(tracking={"project": "Projects"})
    [found] = proposals(joined, "projects")
    assert (found.subject, found.target, found.score) == ("7", "P-007 Riverside", 100)
    [accepted] = accept(joined, "projects", 90)
    assert accepted == found
    assert {r.project: r.option for r in document(joined).projects} == {7: "P-007 Riverside"}
    assert proposals(joined, "projects") == []


def test_with_two_organisations_rows_name_theirs(joined: Desk) -> None:
    joined.xero.do("new_organisation", name="Banksia NZ", country="NZ")
    second = next(
        o["id"] for o in joined.xero.state()["organisations"].values() if o["name"] == "Banksia NZ"
    )
    app = joined.xero.do("new_app", client_id="nz", secret="nz-secret", tenant_id=second)
    joined.xero.do(
        "new_contact", tenant_id=second, name="Rossi Electrical", tax_number="31009052060"
    )
    joined.service.run(
        connecting.connect_xero_custom(
            joined.service, joined.workspace, app.get("client_id", "nz"), "nz-secret", "test"
        )
    )
    accepted = accept(joined, "vendors", 90)
    rows = {(row.vendor, str(row.organisation)) for row in document(joined).base.vendors}
    assert len(rows) == len(accepted)
    assert (13, second) in rows
    assert all(organisation != "None" for _, organisation in rows)
    assert {vendor for vendor, organisation in rows if organisation == second} == {13}


def test_without_xero_there_is_nothing_to_suggest(bare_desk: Desk) -> None:
    service = bare_desk.service
    service.run(connecting.connect_procore(service, bare_desk.workspace, bare_desk.company, "test"))
    with pytest.raises(UseError, match="not connected to Xero"):
        proposals(bare_desk, "vendors")
