"""Every gap has its remedy: what to choose from, what a choice changes, what can be made."""

import re

import pytest
from tests.desk import Desk

from onecore.engine import config
from onecore.engine.use import configuring, mapping, switching
from onecore.engine.use.errors import NeedsPerson, NotFound, UseError


def gaps(desk: Desk) -> set[tuple[str, str]]:
    found = desk.service.run(switching.coverage(desk.service, desk.workspace))
    return {(stake.gap.code, stake.gap.subject) for stake in found.coverage.gaps}


def remedy(desk: Desk, cause: str, subject: str) -> mapping.Remedy:
    return desk.service.run(mapping.remedy(desk.service, desk.workspace, cause, subject))


def apply(desk: Desk, cause: str, subject: str, value: str) -> str:
    work = mapping.apply(desk.service, desk.workspace, cause, subject, value, "test")
    return desk.service.run(work)


def create(desk: Desk, cause: str, subject: str) -> str:
    return desk.service.run(mapping.create(desk.service, desk.workspace, cause, subject, "test"))


def document(desk: Desk) -> str:
    return configuring.export(desk.workspace)


def contacts(desk: Desk, name: str) -> list[dict[str, str]]:
    [organisation] = desk.xero.state()["organisations"].values()
    return [c for c in organisation["contacts"].values() if c["name"] == name]


def options(desk: Desk, category: str) -> list[str]:
    [organisation] = desk.xero.state()["organisations"].values()
    [found] = [c for c in organisation["categories"].values() if c["name"] == category]
    return [option["name"] for option in found["options"] if option["status"] == "ACTIVE"]


@pytest.fixture
def joined(bare_desk: Desk) -> Desk:
    """Connected, nothing mapped."""
    bare_desk.connect()
    return bare_desk


def test_everything_a_first_contract_needs_is_filled_gap_by_gap(joined: Desk) -> None:
    joined.set(tracking={"project": "Projects"})
    assert gaps(joined) == {
        ("vendor_unmapped", "12"),
        ("cost_code_unmapped", "01-100"),
        ("cost_code_unmapped", "03-300"),
        ("cost_code_unmapped", "05-100"),
        ("retention_account_missing", "payable"),
        ("tracking_option_missing", "project:7"),
    }
    vendor = remedy(joined, "vendor_unmapped", "12")
    assert vendor.question == "Which contact in Xero is Smith Bros Concreting Pty Ltd?"
    assert vendor.options[0].label == "Smith Brothers Concreting"
    assert vendor.options[0].score == 100
    assert "same tax number" in vendor.options[0].reason
    assert len(vendor.options) == 3
    assert vendor.may_create == "contact"
    for cause, subject in sorted(gaps(joined)):
        found = remedy(joined, cause, subject)
        assert found.question.endswith("?")
        assert found.elsewhere == ""
        best = found.options[0].value
        if cause == "cost_code_unmapped":
            best = next(o.value for o in found.options if o.value == "310")
        apply(joined, cause, subject, best)
    assert gaps(joined) == set()
    kept = config.read(document(joined)).base
    assert kept.retention.payable.account == "820R"
    assert {rule.cost_code: rule.expense for rule in kept.codes} == {
        "01-100": "310", "03-300": "310", "05-100": "310",
    }  # fmt: skip


def test_options_are_of_the_kind_a_gap_needs(joined: Desk) -> None:
    [organisation] = joined.xero.state()["organisations"].values()
    classes = {a["code"]: a["type"] for a in organisation["accounts"].values()}
    expense = remedy(joined, "cost_code_unmapped", "03-300").options
    assert {classes[o.value] for o in expense} <= {
        "EXPENSE", "DIRECTCOSTS", "OVERHEADS", "DEPRECIATN",
    }  # fmt: skip
    held = remedy(joined, "retention_account_missing", "payable").options
    assert held[0].value == "820R"
    assert held[0].score > held[1].score == 0
    assert "310" not in {o.value for o in held}
    assert "03-300 Concrete formwork" in remedy(joined, "cost_code_unmapped", "03-300").question


def test_what_is_no_option_is_refused_and_changes_nothing(joined: Desk) -> None:
    before = document(joined)
    for cause, subject, value in (
        ("vendor_unmapped", "12", "00000000-0000-4000-8000-000000000001"),
        ("cost_code_unmapped", "03-300", "999"),
        ("retention_account_missing", "payable", "310"),
    ):
        with pytest.raises(UseError, match="no choice"):
            apply(joined, cause, subject, value)
    with pytest.raises(NotFound, match="no vendor 777"):
        remedy(joined, "vendor_unmapped", "777")
    assert document(joined) == before


@pytest.mark.parametrize(
    ("cause", "who"),
    [
        ("amounts_differ", "contracts administrator, in Procore"),
        ("period_locked", "accountant, in Xero"),
        ("negative_total", "credit note by hand"),
        ("tax_unfit", "default tax rate"),
        ("something_new", "details say"),
    ],
)
def test_what_is_not_ours_says_who_mends_it(joined: Desk, cause: str, who: str) -> None:
    found = remedy(joined, cause, "55")
    assert who in found.elsewhere
    assert (found.options, found.may_create) == ((), "")
    with pytest.raises(UseError):
        apply(joined, cause, "55", "anything")
    with pytest.raises(UseError):
        create(joined, cause, "55")


def test_a_refusal_is_mended_where_its_reasons_point(joined: Desk) -> None:
    found = remedy(joined, "account_archived", "requisition:7/55")
    assert "declined" in found.question
    assert "looked at again" in found.elsewhere
    assert found.options == ()


def test_filling_a_gap_releases_what_waited(desk: Desk) -> None:
    configuring.edit(
        desk.service, desk.workspace, lambda t: config.remove_vendor(t, 12), "test", ""
    )
    ref = desk.claim("10000.00")
    desk.sync()
    assert desk.causes() == ["vendor_unmapped"]
    best = remedy(desk, "vendor_unmapped", "12").options[0]
    said = apply(desk, "vendor_unmapped", "12", best.value)
    assert "Smith Brothers Concreting" in said
    desk.sync()
    assert desk.state_of(ref) == "in_step"
    assert desk.bill_of(ref)["contact_id"] == best.value
    assert desk.attention() == []


def test_another_contact_takes_an_archived_one_s_place(desk: Desk) -> None:
    rows = config.read(document(desk)).base.vendors
    old = next(row.contact for row in rows if row.vendor == 12)
    new = desk.xero.do("new_contact", name="Smith Concreting 2026")["ContactID"]
    desk.xero.do("archive_contact", contact_id=str(old))
    found = remedy(desk, "contact_archived", str(old))
    assert "Smith Bros Concreting" in found.question
    assert str(old) not in {o.value for o in found.options}
    apply(desk, "contact_archived", str(old), new)
    rows = config.read(document(desk)).base.vendors
    assert str(next(row.contact for row in rows if row.vendor == 12)) == new


def test_another_account_takes_the_place_of_one_that_is_gone_everywhere(desk: Desk) -> None:
    text = re.sub(r"uncoded: .*", 'uncoded: {expense: "310", revenue: null}', document(desk))
    text = config.add_code(text, "05-*", "310", project=7)
    configuring.import_text(desk.service, desk.workspace, text, "test")
    apply(desk, "account_archived", "310", "311")
    kept = config.read(document(desk))
    assert {rule.expense for rule in kept.base.codes} == {"311"}
    assert kept.base.uncoded.expense == "311"
    own = config.effective(kept, 7, None, desk.organisation).codes
    assert {rule.expense for rule in own if rule.rank > 0} == {"311"}
    apply(desk, "retention_account_archived", "820R", "825")
    assert config.read(document(desk)).base.retention.payable.account == "825"
    with pytest.raises(NotFound, match="named nowhere"):
        apply(desk, "account_archived", "310", "311")


# --- made in Xero -----------------------------------------------------------------------------


def newcomer(desk: Desk, **more: str) -> int:
    said = {"name": "Newcomer Fencing Pty Ltd", "abn": "51 824 753 556", **more}
    return int(desk.procore.do("new_vendor", **said)["id"])


def mapped(desk: Desk, vendor: int) -> str:
    rows = config.read(document(desk)).base.vendors
    return str(next(row.contact for row in rows if row.vendor == vendor))


def test_a_contact_is_made_once_however_often_it_is_asked_for(desk: Desk) -> None:
    vendor = newcomer(desk, email="office@newcomer.example")
    for _ in range(3):
        create(desk, "vendor_unmapped", str(vendor))
    [made] = contacts(desk, "Newcomer Fencing Pty Ltd")
    assert mapped(desk, vendor) == made["id"]
    assert made["tax_number"].replace(" ", "") == "51824753556"
    assert made["email"] == "office@newcomer.example"


def test_a_contact_is_not_doubled_when_the_answer_is_lost(desk: Desk) -> None:
    vendor = newcomer(desk)
    desk.xero.fault("lost", path="/Contacts", method="PUT")
    create(desk, "vendor_unmapped", str(vendor))
    [made] = contacts(desk, "Newcomer Fencing Pty Ltd")
    assert mapped(desk, vendor) == made["id"]


@pytest.mark.parametrize(
    "there",
    [
        {"name": "Fencing by Newcomer", "tax_number": "51824753556"},
        {"name": "NEWCOMER FENCING PTY LTD"},
    ],
)
def test_a_contact_that_is_there_is_taken(desk: Desk, there: dict[str, str]) -> None:
    vendor = newcomer(desk)
    known = desk.xero.do("new_contact", **there)["ContactID"]
    create(desk, "vendor_unmapped", str(vendor))
    assert mapped(desk, vendor) == known
    assert len(contacts(desk, "Newcomer Fencing Pty Ltd")) == 0


def test_a_namesake_with_another_tax_number_is_a_person_s_choice(desk: Desk) -> None:
    vendor = newcomer(desk)
    desk.xero.do("new_contact", name="Newcomer Fencing Pty Ltd", tax_number="31009052060")
    with pytest.raises(NeedsPerson, match="another tax number"):
        create(desk, "vendor_unmapped", str(vendor))
    assert len(contacts(desk, "Newcomer Fencing Pty Ltd")) == 1


def test_a_project_s_option_is_made_and_chosen(desk: Desk) -> None:
    project = desk.procore.do("new_project", name="Harbour Steps", number="P-008", permitted=True)
    subject = f"project:{project['id']}"
    found = remedy(desk, "tracking_option_missing", subject)
    assert found.question == "Which option of Projects is P-008 Harbour Steps?"
    assert found.may_create == "tracking option"
    desk.xero.fault("lost", path="/Options", method="PUT")
    for _ in range(2):
        create(desk, "tracking_option_missing", subject)
    assert options(desk, "Projects") == ["P-007 Riverside", "P-008 Harbour Steps"]
    rows = {row.project: row.option for row in config.read(document(desk)).projects}
    assert rows[project["id"]] == "P-008 Harbour Steps"


def test_an_option_the_settings_name_is_made_without_changing_them(desk: Desk) -> None:
    text = config.set_project_option(document(desk), 7, "Riverside North")
    configuring.import_text(desk.service, desk.workspace, text, "test")
    create(desk, "tracking_option_missing", "Riverside North")
    assert "Riverside North" in options(desk, "Projects")
    assert document(desk) == text
    assert gaps(desk) == set()


def test_the_second_category_s_options_by_cost_type(desk: Desk) -> None:
    desk.set(
        tracking={
            "project": "Projects",
            "second": {"category": "Cost Types", "source": "cost_type"},
        }
    )
    [(cause, subject)] = gaps(desk)
    assert cause == "second_option_missing"
    found = remedy(desk, cause, subject)
    assert "Subcontract" in {o.value for o in found.options}
    apply(desk, cause, subject, "Subcontract")
    assert gaps(desk) == set()


def test_another_category_takes_a_missing_one_s_place(desk: Desk) -> None:
    desk.set(tracking={"project": "Jobs", "second": None})
    assert ("tracking_category_missing", "Jobs") in gaps(desk)
    assert {o.value for o in remedy(desk, "tracking_category_missing", "Jobs").options} == {
        "Projects", "Cost Types",
    }  # fmt: skip
    apply(desk, "tracking_category_missing", "Jobs", "Projects")
    assert gaps(desk) == set()


def test_a_retention_method_that_is_not_built_is_exchanged(desk: Desk) -> None:
    desk.set(retention__payable__method="document")
    assert ("retention_method_unbuilt", "document") in gaps(desk)
    assert [o.value for o in remedy(desk, "retention_method_unbuilt", "document").options] == [
        "line", "net",
    ]  # fmt: skip
    apply(desk, "retention_method_unbuilt", "document", "net")
    assert gaps(desk) == set()
