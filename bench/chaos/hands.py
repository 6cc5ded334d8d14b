"""The people of a run, in Procore and in Xero, and the book of what they did to each claim."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.simulators import Simulator, Simulators

CENT = Decimal("0.01")
FURTHER = 0.25
"""The share of claims that are the next one of a contract that has some."""
REVIEWED = 0.3
"""The share of claims that are under review for a while before they are approved."""

RATES: dict[str, float] = {
    "amend": 0.15,
    "reopen": 0.10,
    "reapprove": 0.07,
    "delete": 0.04,
    "pay": 0.10,
    "pay_part": 0.03,
    "recode": 0.05,
}
"""How often each is done, for one claim approved."""
OTHER_ACCOUNTS = ("311", "313")


@dataclass(slots=True)
class Claim:
    """One claim: what it was worth each time it stood approved, and how often it was touched."""

    project: int
    id: int
    commitment: int
    lines: list[int]
    status: str
    dues: list[Decimal] = field(default_factory=list)
    changes: int = 0

    @property
    def ref(self) -> str:
        return f"requisition:{self.project}/{self.id}"


class Hands:
    """Everybody who works over there. `claims` are approved bit by bit, as far as `progress`
    says; what else people do keeps pace with that."""

    def __init__(self, simulators: Simulators, rng: random.Random, claims: int) -> None:
        self.claims: list[Claim] = []
        self.deleted: list[Claim] = []
        self.did: Counter[str] = Counter()
        self.recoded: dict[tuple[str, str], str] = {}  # bill and line -> the account it got
        self.last_act = time.time()
        self._wanted = claims
        self._procore: Simulator = simulators.procore
        self._xero: Simulator = simulators.xero
        self._rng = rng
        self._owed: Counter[str] = Counter()
        self._newest: dict[int, list[Claim]] = {}  # of each contract, oldest first
        self.projects: list[int] = []
        self._vendors: list[int] = []
        self._number = 0

    def set_up(self, projects: int) -> None:
        """Further projects beside the tiny builder's own."""
        state = self._procore.state()
        self.projects = [int(id_) for id_ in state["projects"]]
        self._vendors = [int(id_) for id_ in state["vendors"]]
        for n in range(2, projects + 1):
            made = self._procore.do(
                "new_project", name=f"Site {n}", number=f"P-1{n:02}", permitted=True
            )
            self.projects.append(made["id"])

    @property
    def is_done(self) -> bool:
        return self.did["approve"] >= self._wanted

    def act(self, progress: float) -> None:
        """One round: approve what is due by now, then whatever else has come up."""
        due = min(self._wanted, round(self._wanted * progress))
        while self.did["approve"] < due:
            self._approve_one()
            self._owed.update(dict.fromkeys(RATES, 1))
        self._did_others()

    def _did_others(self) -> None:
        acts: dict[str, Callable[[], bool]] = {
            "amend": self._amend,
            "reopen": self._reopen,
            "reapprove": self._reapprove,
            "delete": self._delete,
        }
        for kind, act in acts.items():
            while self._owed[kind] * RATES[kind] >= 1 and act():
                self._noted(kind)
        if any(self._owed[kind] * RATES[kind] >= 1 for kind in ("pay", "pay_part", "recode")):
            self._keep_books()

    def _noted(self, kind: str) -> None:
        self.did[kind] += 1
        self._owed[kind] -= round(1 / RATES[kind])
        self.last_act = time.time()

    # --- in Procore ---------------------------------------------------------------------------

    def _amount(self) -> str:
        return str(Decimal(self._rng.randint(50_000, 900_000)) * CENT)

    def _approve_one(self) -> None:
        waiting = [c for c in self.claims if c.status == "under_review" and not c.dues]
        if len(waiting) > 3:
            claim = self._rng.choice(waiting)
            self._status(claim, "approved")
        else:
            claim = self._new_claim()
            if self._rng.random() < REVIEWED:
                return
            self._status(claim, "approved")
        self.did["approve"] += 1
        self.last_act = time.time()

    def _new_claim(self) -> Claim:
        made = None
        if self._rng.random() < FURTHER:
            made = self._further_claim()
        if made is None:
            made = self._first_claim()
        self.claims.append(made)
        self._newest.setdefault(made.commitment, []).append(made)
        self.did["claim"] += 1
        return made

    def _first_claim(self) -> Claim:
        project = self._rng.choice(self.projects)
        lines = [{"amount": "90000.00", "description": f"Works {n + 1}"} for n in range(2)]
        contract = self._procore.do(
            "new_commitment",
            project_id=project,
            vendor_id=self._rng.choice(self._vendors),
            retainage_percent="10",
            lines=lines,
        )
        return self._claim_on(project, contract["id"], contract["line_ids"])

    def _further_claim(self) -> Claim | None:
        chains = [chain for chain in self._newest.values() if len(chain) in (1, 2)]
        chains = [chain for chain in chains if chain[-1].status == "approved"]
        if not chains:
            return None
        last = self._rng.choice(chains)[-1]
        return self._claim_on(last.project, last.commitment, last.lines)

    def _claim_on(self, project: int, contract: int, lines: list[int]) -> Claim:
        self._number += 1
        made = self._procore.do(
            "new_claim",
            project_id=project,
            commitment_id=contract,
            lines=self._work(lines),
            invoice_number=f"CH-{self._number:05}",
            status="under_review",
        )
        return Claim(project, made["id"], contract, lines, "under_review")

    def _work(self, lines: list[int]) -> list[dict[str, object]]:
        entered: list[dict[str, object]] = [
            {"line_id": line, "work": self._amount()} for line in lines
        ]
        if self._rng.random() < 0.3:
            entered[0]["new_materials"] = self._amount()
        return entered

    def _status(self, claim: Claim, status: str) -> None:
        told = self._procore.do("set_status", project_id=claim.project, id=claim.id, status=status)
        claim.status = status
        claim.changes += 1
        self._note_due(claim, told)

    def _note_due(self, claim: Claim, told: dict[str, Any]) -> None:
        if claim.status == "approved":
            claim.dues.append(Decimal(told["current_payment_due"]))

    def _one(self, status: str) -> Claim | None:
        """Any claim of that status that was approved before and may be changed."""
        found = [c[-1] for c in self._newest.values() if c and c[-1].status == status]
        found = [claim for claim in found if claim.dues]
        return self._rng.choice(found) if found else None

    def _amend(self) -> bool:
        claim = self._one("approved")
        if claim is None:
            return False
        self._edit(claim)
        return True

    def _edit(self, claim: Claim) -> None:
        told = self._procore.do(
            "edit_claim",
            project_id=claim.project,
            id=claim.id,
            lines=self._work(claim.lines),
        )
        claim.changes += 1
        self._note_due(claim, told)

    def _reopen(self) -> bool:
        claim = self._one("approved")
        if claim is None:
            return False
        self._status(claim, "under_review")
        return True

    def _reapprove(self) -> bool:
        claim = self._one("under_review")
        if claim is None:
            return False
        if self._rng.random() < 0.6:
            self._edit(claim)
        self._status(claim, "approved")
        return True

    def _delete(self) -> bool:
        claim = self._one(self._rng.choice(("approved", "approved", "under_review")))
        if claim is None:
            return False
        self._procore.do("delete_claim", project_id=claim.project, id=claim.id)
        claim.status = "deleted"
        self._newest[claim.commitment].pop()
        self.claims.remove(claim)
        self.deleted.append(claim)
        return True

    # --- in Xero ------------------------------------------------------------------------------

    def _keep_books(self) -> None:
        """The bookkeeper's turn: pay some bills, some in part, and code some lines anew."""
        unpaid = [
            bill
            for organisation in self._xero.state()["organisations"].values()
            for bill in organisation["invoices"].values()
            if bill["type"] == "ACCPAY" and bill["status"] == "AUTHORISED"
            and not Decimal(bill["paid"])
        ]  # fmt: skip
        self._rng.shuffle(unpaid)
        acts = {"pay": self._pay, "pay_part": self._pay_part, "recode": self._recode}
        for kind, act in acts.items():
            while self._owed[kind] * RATES[kind] >= 1 and unpaid:
                act(unpaid.pop())
                self._noted(kind)

    def _pay(self, bill: dict[str, Any]) -> None:
        self._xero.do("pay", invoice_id=bill["id"])

    def _pay_part(self, bill: dict[str, Any]) -> None:
        amount = (Decimal(bill["total"]) / 3).quantize(CENT)
        self._xero.do("pay", invoice_id=bill["id"], amount=str(amount))

    def _recode(self, bill: dict[str, Any]) -> None:
        line = next(x for x in bill["lines"] if Decimal(x["amount"]) > 0)
        account = self._rng.choice(OTHER_ACCOUNTS)
        self._xero.do("edit_line", invoice_id=bill["id"], line_item_id=line["id"], account=account)
        self.recoded[bill["id"], line["id"]] = account
