"""The tiny builder's books: what a person would fill in, and the claims a contractor sends."""

import re
from typing import Any

from tests.harness import Installation
from tests.simulators import Simulators

PROJECT, CONTRACT = 7, 31
LINES = (301, 302, 303)  # preliminaries, formwork, steel: 01-100, 03-300, 05-100


def filled_in(text: str, codes: str = '{cost_code: "*", expense: "310"}') -> str:
    """The starter document with tracking, retention, codes, and a cut-over long ago."""
    for before, after in (
        ("tracking: {project: null,", 'tracking: {project: "Projects",'),
        ("payable: {method: line, account: null", 'payable: {method: line, account: "820R"'),
        ("codes: []", f"codes:\n  - {codes}"),
    ):
        assert before in text, before
        text = text.replace(before, after)
    return re.sub(r"cut_over: \d.*", "cut_over: 2020-01-01", text, count=1)


def map_everything(onecore: Installation) -> None:
    onecore.run("match", "vendors", "--accept", 80).ok()
    onecore.document(filled_in(onecore.run("config", "export").ok().out)).ok()
    onecore.run("match", "projects", "--accept", 90).ok()


def claim(
    simulators: Simulators, *work: str, status: str = "approved", **more: Any
) -> tuple[str, dict[str, Any]]:
    """A claim on the tiny builder's contract: its ref, and what the simulator told."""
    lines = [{"line_id": at, "work": amount} for at, amount in zip(LINES, work, strict=False)]
    made = simulators.procore.do(
        "new_claim", project_id=PROJECT, commitment_id=CONTRACT, lines=lines, status=status, **more
    )
    return f"requisition:{PROJECT}/{made['id']}", made


def bills(simulators: Simulators) -> list[dict[str, Any]]:
    """Every bill in Xero, gone ones too."""
    return [
        bill
        for organisation in simulators.xero.state()["organisations"].values()
        for bill in organisation["invoices"].values()
        if bill["type"] == "ACCPAY"
    ]
