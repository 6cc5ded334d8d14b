"""What people do in Procore: claims are made, approved, changed, reopened, deleted."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.machine.books import ZERO, Claim, Entry, cents, shown
from tests.machine.stage import Stage

which = st.integers(0, 7)
work = st.one_of(
    st.sampled_from(["1000.05", "100.00", "76.30", "9999.99"]),
    st.integers(40_000, 2_000_000).map(lambda n: shown(Decimal(n) / 100)),
)
amounts = st.one_of(work, st.sampled_from(["0.00", "-250.10", "-33.35"]))
entered = st.builds(lambda first, rest: [first, *rest], work, st.lists(amounts, max_size=2))
"""What is entered for the first lines of a claim: work, and now and then something taken back."""
OPEN = ("draft", "under_review", "revise_and_resubmit")


class ProcoreRules(Stage):
    """Acts on the newest claim of a contract, the only one Procore lets people change."""

    @initialize(works=st.lists(entered, min_size=2, max_size=5))
    def begin(self, works: list[list[str]]) -> None:
        """Some claims are in step already."""
        for at, work in enumerate(works):
            self.new_claim(at, work, approved=True, days_ago=at, supplier=bool(at % 2))
        self.world.come_to_rest()

    def _tick(self) -> None:
        """Procore tells changes to the second; two people are never quicker than that here."""
        self.world.pass_time(timedelta(seconds=2))

    def _newest(self, at: int, *, posts: bool | None = None) -> Claim | None:
        newest = [c.newest for c in self.books.contracts]
        living = [c for c in newest if c is not None and posts in (None, c.posts)]
        return self.pick(at, living)

    @rule(at=which, work=entered, approved=st.booleans(), days_ago=st.integers(0, 40),
          supplier=st.booleans())  # fmt: skip
    def new_claim(
        self, at: int, work: list[str], approved: bool, days_ago: int, supplier: bool
    ) -> None:
        contract = self.pick(at, self.books.contracts)
        assert contract is not None
        status = "approved" if approved else "under_review"
        entries = {
            line: Entry(work=Decimal(amount))
            for line, amount in zip(contract.lines, work, strict=False)
        }
        number = max((c.number for c in contract.living), default=0) + 1
        invoice = f"INV-{contract.id}-{number}" if supplier else ""
        day = self.world.clock.now().date() - timedelta(days=days_ago)
        made = self.world.procore.do(
            "new_claim",
            project_id=contract.project,
            commitment_id=contract.id,
            status=status,
            invoice_number=invoice,
            billing_date=day.isoformat(),
            lines=[{"line_id": line, "work": str(e.work)} for line, e in entries.items()],
        )
        claim = Claim(made["id"], number, contract, invoice, day, status, entries,
                      ever_approved=approved)  # fmt: skip
        contract.claims.append(claim)
        self._check_due(claim, made["current_payment_due"])
        self.tell(f"{claim.name} is made, {status}: {', '.join(work)}")

    def _check_due(self, claim: Claim, due: str) -> None:
        """The books and Procore agree on what is due, or one of them reckons wrongly."""
        assert claim.wanted().net == Decimal(due), (claim.name, claim.wanted(), due)

    @precondition(lambda self: self._newest(0, posts=False))
    @rule(at=which)
    def approve(self, at: int) -> None:
        claim = self._newest(at, posts=False)
        assert claim is not None
        self._set_status(claim, "approved")

    @precondition(lambda self: self._newest(0, posts=True))
    @rule(at=which, status=st.sampled_from(OPEN))
    def reopen(self, at: int, status: str) -> None:
        claim = self._newest(at, posts=True)
        assert claim is not None
        self._set_status(claim, status)

    def _set_status(self, claim: Claim, status: str) -> None:
        self._tick()
        self.world.procore.do("set_status", project_id=claim.project, id=claim.id, status=status)
        claim.left_approval |= claim.posts and status != "approved"
        claim.status = status
        claim.ever_approved |= claim.posts
        self.tell(f"{claim.name} becomes {status}")

    @precondition(lambda self: self._newest(0))
    @rule(at=which, line=which, amount=amounts, what=st.sampled_from(["work", "materials"]))
    def change_amount(self, at: int, line: int, amount: str, what: str) -> None:
        claim = self._newest(at)
        assert claim is not None
        line_id = self.pick(line, claim.contract.lines)
        assert line_id is not None
        entry = claim.entries.setdefault(line_id, Entry())
        if what == "work":
            entry.work = Decimal(amount)
        else:
            entry.materials = Decimal(amount)
        self._edit_line(claim, line_id, entry)

    @precondition(lambda self: self._newest(0))
    @rule(at=which, line=which, percent=st.sampled_from([50, 100, 0]))
    def release(self, at: int, line: int, percent: int) -> None:
        """The newest claim gives back a part of what is held on a line."""
        claim = self._newest(at)
        assert claim is not None
        line_id = self.pick(line, claim.contract.lines)
        assert line_id is not None
        entry = claim.entries.setdefault(line_id, Entry())
        entry.released = ZERO
        entry.released = max(ZERO, cents(claim.contract.held(line_id) * percent / 100))
        self._edit_line(claim, line_id, entry)

    def _edit_line(self, claim: Claim, line: int, entry: Entry) -> None:
        self._tick()
        said = {
            "line_id": line,
            "work": str(entry.work),
            "new_materials": str(entry.materials),
            "work_released": str(entry.released),
        }
        made = self.world.procore.do(
            "edit_claim", project_id=claim.project, id=claim.id, lines=[said]
        )
        self._check_due(claim, made["current_payment_due"])
        self.tell(
            f"{claim.name}, {claim.contract.lines[line]}: work {entry.work}, "
            f"materials {entry.materials}, released {entry.released}"
        )

    @precondition(lambda self: self._newest(0))
    @rule(at=which, suffix=st.sampled_from(["A", "B", ""]), days_ago=st.integers(0, 40))
    def change_head(self, at: int, suffix: str, days_ago: int) -> None:
        """Another invoice number and another date."""
        claim = self._newest(at)
        assert claim is not None
        self._tick()
        claim.invoice_number = f"INV-{claim.contract.id}-{claim.number}{suffix}"
        claim.billing_date = self.world.clock.now().date() - timedelta(days=days_ago)
        self.world.procore.do(
            "edit_claim",
            project_id=claim.project,
            id=claim.id,
            invoice_number=claim.invoice_number,
            billing_date=claim.billing_date.isoformat(),
        )
        self.tell(f"{claim.name} is now {claim.invoice_number} of {claim.billing_date}")

    @precondition(lambda self: self._newest(0))
    @rule(at=which)
    def delete(self, at: int) -> None:
        claim = self._newest(at)
        assert claim is not None
        self._tick()
        self.world.procore.do("delete_claim", project_id=claim.project, id=claim.id)
        claim.deleted = True
        self.tell(f"{claim.name} is deleted")

    @rule(at=which, status=st.sampled_from(["404", "403"]), by=st.sampled_from(["right", "tool"]))
    def hide_or_show_project(self, at: int, status: str, by: str) -> None:
        """The service account loses a project, or the tool is switched off; or all is back."""
        project = self.pick(at, sorted({c.project for c in self.books.contracts}))
        assert project is not None
        if project in self.hidden:
            self.show(project)
            return
        self.hidden.add(project)
        self.world.procore.switch(hidden_project_status=int(status))
        if by == "right":
            self.world.procore.do("set_project", project_id=project, permitted=False)
        else:
            self.world.procore.do("set_project", project_id=project, tools={"commitments": False})
        self.tell(f"project {project} is hidden ({by}, {status})")
