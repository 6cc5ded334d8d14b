"""The bill flow with something in its way: what is done about it, what a person mends, the proof.

One `Flow` may go round many times on one desk: each round approves claims, changes one and takes
one back.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest

from onecore.domain.refs import SourceRef
from onecore.engine.use import mapping
from onecore.engine.use.errors import NeedsPerson, OutOfReach, UseError
from onecore.http import oauth, transport
from onecore.ports import RemoteError
from onecore.store.models import Attention, Document, Grant, Hint, Intent, Link, RemoteLimit
from tests.desk import PROJECT, Desk, money
from tests.engine.fifty import approve, change, marks, reopen

BIRD = "zqfinch"
"""In every text of the claims here; what a person is told of the way there must not have it."""
VENDOR = 12
SECRETS = ("sim-procore-secret", "sim-xero-custom-secret", "sim-xero-secret")
PLAIN = re.compile(r"^(xero|procore): [a-z]|^(Xero|Procore) |^Company |^This consent ")
TURNS = 25
A_MOMENT = timedelta(seconds=5)
LONG_ENOUGH = timedelta(seconds=310)
"""For the longest wait that is no limit: an organisation that is offline."""


class Flow:
    """Claims of one desk that are bills by now, and those that are none any more."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.live: list[SourceRef] = []
        self.gone: list[SourceRef] = []
        self.round: list[SourceRef] = []
        self.told: list[str] = []
        self.mended = 0

    # --- what people do -------------------------------------------------------------------

    def connect(self) -> None:
        """As often as it takes, each time with what was wrong put right."""
        self._insist(self.desk.connect)

    def map(self) -> None:
        """Look at what could be mapped, which reads the directories of both."""
        service, workspace = self.desk.service, self.desk.workspace
        self._insist(lambda: service.run(mapping.proposals(service, workspace, "vendors")))

    def _insist(self, act: Callable[[], object]) -> None:
        for _ in range(8):
            try:
                if self._broken():
                    self.desk.connect()
                act()
                return
            except (UseError, OutOfReach, NeedsPerson, RemoteError) as error:
                self.told.append(str(error))
                restore_access(self.desk)
                self._wait()
        raise AssertionError(self.told)

    def create(self) -> None:
        """Three claims; the first can be reckoned from its detail page alone."""
        made = self.desk.procore.do(
            "new_commitment",
            project_id=PROJECT,
            vendor_id=VENDOR,
            title=f"Works {BIRD}",
            retainage_percent="10",
            lines=[{"amount": "5000.00", "description": f"Slab {BIRD}"}],
        )
        line = {"line_id": made["line_ids"][0], "work": "700.00", "new_materials": "300.00"}
        first = self.desk.claim(
            commitment_id=made["id"], lines=[line], invoice_number=f"{BIRD}-{made['id']}"
        )
        self.round = [first, *approve(self.desk, 2)]
        self.live += self.round

    def alter(self) -> None:
        """One claim is changed, one reopened, one is new."""
        _, changed, taken_back = self.round
        change(self.desk, [changed], "2000.00")
        reopen(self.desk, [taken_back])
        self.live.remove(taken_back)
        self.gone.append(taken_back)
        self.round = [*self.round[:2], *approve(self.desk, 1)]
        self.live.append(self.round[-1])

    def go_round(self) -> None:
        self.create()
        self.run()
        self.alter()
        self.run()

    def follow(self, part: str) -> None:
        """What comes of a part: a person's own doing, or else a sync."""
        {"connect": self.connect, "map": self.map}.get(part, self.run)()

    # --- what is done about it --------------------------------------------------------------

    def run(self) -> None:
        """Sync, moving the clocks on while anything waits, until all is done and nothing asked."""
        for _ in range(TURNS):
            result = self.desk.sync(timeout=0)
            self.told += result.troubles
            if self._asks():
                self._answer()
            elif result.idle and not result.troubles and not Intent.objects.exists():
                return
            self._wait()
        raise AssertionError(self.told or self.desk.causes())

    def _wait(self) -> None:
        """Until a limit that was met is over, or any other wait a remote asks for."""
        now = self.desk.clock.now()
        ends = RemoteLimit.objects.filter(blocked_until__gt=now).values_list("blocked_until")
        later(self.desk, max([LONG_ENOUGH, *(at - now + A_MOMENT for (at,) in ends)]))

    def _asks(self) -> bool:
        return bool(self._broken()) or Attention.objects.exists()

    def _answer(self) -> None:
        """What a person does about lost access and refused documents."""
        self.mended += 1
        if broken := self._broken():
            self.told += broken
            restore_access(self.desk)
            self._insist(lambda: None)
        for group in self.desk.attention():
            assert group.cause == "refused", group
            self.desk.answer("refused", "look_again")

    def _broken(self) -> list[str]:
        """Why access was lost, where it was."""
        return list(Grant.objects.exclude(broken="").values_list("broken", flat=True))

    # --- the proof --------------------------------------------------------------------------

    def assert_right(self) -> None:
        """Each live claim is one bill of its amount, each that is gone none; nothing is open."""
        states = dict(Document.objects.values_list("ref", "state"))
        assert states == {
            **{str(ref): "in_step" for ref in self.live},
            **{str(ref): "withdrawn" for ref in self.gone},
        }, self.told
        for ref in self.round:
            told = self.desk.procore.do("claim", project_id=PROJECT, id=int(ref.id))
            lines = self.desk.bill_of(ref)["lines"]
            total = sum((money(line["amount"]) for line in lines), Decimal(0))
            assert total == money(told["gross"]) - money(told["retained"])
        assert marks(self.desk) == {str(ref): 1 for ref in self.live}
        assert Link.objects.filter(withdrawn=False).count() == len(self.live)
        assert not Intent.objects.exists()
        assert not Hint.objects.exists()
        assert not self._asks()
        for text in self.told:
            assert PLAIN.search(text), text
            assert BIRD not in text, text
            assert not any(secret in text for secret in SECRETS), text


def later(desk: Desk, by: timedelta) -> None:
    """So much later, by the clocks of OneCore and of both simulators."""
    desk.clock.offset += by
    desk.procore.advance(by)
    desk.xero.advance(by)


def restore_access(desk: Desk) -> None:
    """What people over there do so that the app is let in again."""
    desk.procore.switch(app_connected=True)
    desk.xero.do("token", client_id="sim-xero-custom")


@contextmanager
def given_up_after(seconds: float) -> Iterator[None]:
    """Requests are given up so soon, instead of after forty seconds and a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "LONGEST_READ", seconds)
        patch.setattr(transport, "LONGEST_WRITE", seconds)
        patch.setattr(oauth, "LONGEST_WRITE", seconds)
        yield
