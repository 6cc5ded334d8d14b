"""What every group of rules stands on: one example's world, its history, and its story."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import ClassVar, TypeVar

from hypothesis import currently_in_test_context, note
from hypothesis.stateful import RuleBasedStateMachine

from onecore.store.models import AttentionItem
from tests.machine.books import Claim
from tests.machine.ledger import RETENTION, Bill, Ledger
from tests.machine.past import History
from tests.machine.rest import AtRest, Settings, each_mark_once
from tests.machine.world import World

T = TypeVar("T")
POLICIES = {
    "mode": "auto",
    "drift": "ask",
    "locked_period": "hold",
    "source_reopened": "keep",
    "source_deleted": "ask",
}
"""The settings rules change, as they are at first."""
PATHS = {"mode": "flows__bill__mode"}


class Stage(RuleBasedStateMachine):
    """A fresh world per example, and the proofs."""

    new_world: ClassVar[Callable[[], World]]
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.hidden: set[int] = set()
        self.policies = dict(POLICIES)
        self.story: list[str] = []
        self.world = type(self).new_world()
        self.world.after_turn = self.take_note
        self.books = self.world.books

    def teardown(self) -> None:
        try:
            self.rest(thorough=True)
        finally:
            self.world.close()

    def tell(self, text: str) -> None:
        """A sentence of the story, shown when the example fails; what always holds is checked."""
        now = self.world.clock.now()
        self.story.append(f"{now:%d %b %H:%M:%S} {text}")
        if currently_in_test_context():
            note(f"  {len(self.story):3} {self.story[-1]}")
        each_mark_once(self.world.ledger())

    @staticmethod
    def pick(at: int, among: Iterable[T]) -> T | None:
        rows: Sequence[T] = list(among)
        return rows[at % len(rows)] if rows else None

    # --- what is looked at --------------------------------------------------------------------

    def proof(self, ledger: Ledger, slow_walked: bool = False) -> AtRest:
        return AtRest(
            self.books, self.history, ledger, Settings(**self.policies), self.world.contact_of,
            self.hidden, slow_walked,
        )  # fmt: skip

    def take_note(self) -> None:
        """After a turn: new lines are named by the text they were made with, and what a new
        question is about is kept, since its answer holds for that."""
        ledger = self.world.ledger()
        each_mark_once(ledger)
        for bill in ledger.bills:
            self._name_lines(bill)
        proof = self.proof(ledger)
        rows = AttentionItem.objects.select_related("document")
        for item in rows.exclude(question=""):
            past = self.history.of(item.document.ref)
            if past.shown[0] != item.question:
                claim = self.books.claim(item.document.ref)
                ours = proof.bill_of(claim)
                past.shown = item.question, proof.differences(claim, ours) if ours else {}

    def _name_lines(self, bill: Bill) -> None:
        texts = [text for contract in self.books.contracts for text in contract.lines.values()]
        for line in bill.lines:
            if line.id in self.history.names:
                continue
            known = [text for text in texts if line.text.startswith(text)]
            named = line.text if line.text.startswith(RETENTION) or not known else known[0]
            self.history.names[line.id] = named

    def our_bills(self, ledger: Ledger) -> list[tuple[Claim, Bill]]:
        """Living bills that bear a claim's mark."""
        return [(self.books.claim(bill.ref), bill) for bill in ledger.bills
                if bill.lives and bill.ref]  # fmt: skip

    # --- proofs -------------------------------------------------------------------------------

    def rest(self, thorough: bool = False) -> None:
        """Faults end, broken connections are mended, and OneCore is left alone until it is at
        rest; `thorough` waits for the nightly walk and for absences to be certain."""
        world = self.world
        self.tell("all is left to come to rest" + (", for two days" if thorough else ""))
        world.no_faults()
        world.nursery.kill_all()
        world.mend_connections()
        world.come_to_rest()
        self.check(slow_walked=False)
        if thorough:
            self.people_put_right()
            for hours in (21, 1.1, 21, 1.1, 1.1):
                world.pass_time(timedelta(hours=hours))
                world.come_to_rest()
            self.check(slow_walked=True)

    def people_put_right(self) -> None:
        """Hidden projects are shown, the flow is switched on and what was refused is tried again,
        so that nothing is excused."""
        for project in sorted(self.hidden):
            self.show(project)
        if self.policies["mode"] != "auto":
            self.set_policy("mode", "auto")
        for group in self.world.desk.attention():
            if group.state == "refused":
                self.world.desk.answer(group.cause, "look_again")

    def show(self, project: int) -> None:
        self.hidden.discard(project)
        self.world.procore.do(
            "set_project", project_id=project, permitted=True, tools={"commitments": True}
        )
        self.tell(f"project {project} is shown again")

    def set_policy(self, name: str, value: str) -> None:
        self.world.desk.set(**{PATHS.get(name, name): value})
        self.policies[name] = value
        self.history.settings.add(f"{name}={value}")
        self.tell(f"setting {name} becomes {value}")

    def check(self, slow_walked: bool) -> None:
        ledger = self.world.ledger()
        each_mark_once(ledger)
        complaints = self.proof(ledger, slow_walked).complaints()
        assert not complaints, "not right at rest:\n  " + "\n  ".join(complaints)
