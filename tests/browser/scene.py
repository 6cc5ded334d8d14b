"""A builder's month: documents in every state a busy workspace has, over real HTTP."""

from dataclasses import dataclass

from onecore.domain.refs import SourceRef
from tests.browser.stage import Stage
from tests.desk import PROJECT, Desk

TRADES = [
    (12, "Formwork and slabs", "03-300", "18400.00", "9250.50"),
    (13, "Electrical rough-in", "01-100", "22150.00", "4380.25"),
    (14, "Structural steel", "05-100", "61200.00", "11975.00"),
]
NEWCOMER = ("Bayside Formwork Pty Ltd", "51824753556", "accounts@bayside.example")


@dataclass(frozen=True, slots=True)
class Month:
    """Claims by how they ended up."""

    in_step: list[SourceRef]
    held: SourceRef
    drifted: SourceRef
    voided: SourceRef
    approval: SourceRef


def month(stage: Stage) -> Month:
    """Seven claims in step, one changed in Xero, one voided there, one held, one to approve."""
    desk = stage.desk
    desk.connect()
    desk.map_all()
    contracts = [_contract(desk, vendor, title, code) for vendor, title, code, _, _ in TRADES]
    carried: list[SourceRef] = []
    for _ in range(3):
        for (contract, lines), trade in zip(contracts, TRADES, strict=True):
            number = f"INV-{2040 + len(carried)}"
            carried.append(_claim(desk, contract, lines, trade[3:], number))
        desk.sync()
    _edit_number(stage, carried[-1])
    _void(stage, carried[-2])
    held = _unknown_vendor(desk)
    desk.sync(carried[-1], carried[-2], held)
    desk.set(flows__bill__mode="approve")
    contract, lines = contracts[0]
    approval = _claim(desk, contract, lines, ("7300.00", "0"), "INV-2077")
    desk.sync()
    return Month(carried[:-2], held, carried[-1], carried[-2], approval)


def _contract(desk: Desk, vendor: int, title: str, code: str) -> tuple[int, list[int]]:
    made = desk.procore.do(
        "new_commitment",
        project_id=PROJECT,
        vendor_id=vendor,
        title=title,
        retainage_percent="5",
        lines=[
            {"amount": "240000", "description": title, "cost_code": code, "cost_type": "S"},
            {"amount": "80000", "description": "Variations", "cost_code": code, "cost_type": "S"},
        ],
    )
    return made["id"], made["line_ids"]


def _claim(
    desk: Desk, contract: int, lines: list[int], work: tuple[str, str], number: str
) -> SourceRef:
    said = [{"line_id": line, "work": amount} for line, amount in zip(lines, work, strict=True)]
    return desk.claim(lines=said, commitment_id=contract, invoice_number=number)


def _unknown_vendor(desk: Desk) -> SourceRef:
    name, abn, email = NEWCOMER
    vendor = desk.procore.do("new_vendor", name=name, abn=abn, email=email)["id"]
    contract, lines = _contract(desk, vendor, "Stair formwork", "03-300")
    return _claim(desk, contract, lines, ("12600.00", "1480.75"), "BF-118")


def _edit_number(stage: Stage, ref: SourceRef) -> None:
    bill = str(stage.desk.links(ref)[0].target_id)
    stage.xero.do("edit_invoice", invoice_id=bill, number="INV-2048A")


def _void(stage: Stage, ref: SourceRef) -> None:
    stage.xero.do("void", invoice_id=str(stage.desk.links(ref)[0].target_id))
