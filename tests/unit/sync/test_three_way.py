"""Random edits on both sides of a bill: Procore's fields end as Procore says, coding as coded.

A machine plays the claim, a bookkeeper and Xero, and OneCore's look in between, with the same
deciding, merging and agreeing the engine uses. The digest is the value itself.
"""

from collections.abc import Set
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from onecore.domain.documents import Bill, BillLine, BillStatus, PostedBill, PostedLine, Tracking
from onecore.domain.ids import (
    AccountCode,
    BillId,
    BillLineId,
    CategoryId,
    ContactId,
    OptionId,
    TaxType,
)
from onecore.domain.settings import Policies
from onecore.sync.agreement import (
    after_accepting,
    after_creating,
    after_looking,
    after_updating,
)
from onecore.sync.decide import (
    Case,
    Drifted,
    Nothing,
    Source,
    Target,
    TargetState,
    Update,
    decide,
)
from onecore.sync.fields import EXTRA, Owner, key_of, owner, posted_values, wanted_values
from onecore.sync.merge import merged

CONTACTS = [ContactId(UUID(int=n)) for n in (1, 2)]
CATEGORY = CategoryId(UUID(int=9))
PARTS = ("account", "tax", "tracking", "description")

amounts = st.integers(-50_000, 50_000).map(lambda n: Decimal(n) / 100)
words = st.sampled_from(["Slab", "Columns", "Kerbs", "Lift pit"])
accounts = st.sampled_from(["310", "311", "429"]).map(AccountCode)
taxes = st.sampled_from(["INPUT", "EXEMPTEXPENSES", "BASEXCLUDED"]).map(TaxType)
trackings = st.sampled_from([(), *((Tracking(CATEGORY, OptionId(UUID(int=n))),) for n in (1, 2))])
days = st.integers(0, 60).map(lambda n: date(2026, 9, 1) + timedelta(days=n))
numbers = st.sampled_from(["INV-1", "INV-2", "INV-3"])
pick = st.integers(0, 10)


class BothSides(RuleBasedStateMachine):
    @initialize(first=amounts, draft=st.booleans())
    def post(self, first: Decimal, draft: bool) -> None:
        self.last_id = 100
        self.keys = 1
        self.draft = draft
        self.recoded: dict[str, str] = {}
        self.dated_there = False
        self.bill = Bill(
            contact=CONTACTS[0],
            number="INV-1",
            bill_date=date(2026, 9, 1),
            due_date=date(2026, 10, 1),
            status=BillStatus.DRAFT if draft else BillStatus.AUTHORISED,
            currency=None,
            url="https://procore.test/7/project/contracts/requisitions/1?onecore=main.1",
            lines=(self.new_line(first, "Slab"),),
        )
        self.line_keys: dict[BillLineId, str] = {}
        self.posted = self.saved(self.bill, {}, ())
        self.agreed = after_creating(wanted_values(self.bill), self.there())
        self.left = self.there()  # as OneCore left it

    # --- Xero -------------------------------------------------------------------------------

    def saved(
        self, bill: Bill, ids: dict[str, BillLineId], kept: tuple[PostedLine, ...]
    ) -> PostedBill:
        """What Xero makes of a write: lines it knows, new ones, and no others."""
        before = {line.id: line for line in self.posted.lines} if hasattr(self, "posted") else {}
        lines: list[PostedLine] = []
        for line in bill.lines:
            id_ = ids.get(line.key) or self.new_id()
            assert line.key not in ids or id_ in before
            tax_type = line.tax_type or (before[id_].tax_type if id_ in before else None)
            lines.append(
                PostedLine(
                    id_, line.description, line.account, line.amount,
                    tax_type or TaxType("INPUT"), Decimal(0), line.tracking,
                )
            )  # fmt: skip
            self.line_keys[id_] = line.key
        there = (*lines, *kept)
        self.line_keys = {x.id: self.line_keys[x.id] for x in lines}
        net = sum((x.amount for x in there), Decimal(0))
        return PostedBill(
            BillId(UUID(int=1)), "ACCPAY", bill.contact, bill.number, bill.bill_date,
            bill.due_date, bill.status, None, bill.url, there, net, Decimal(0), net, net,
            Decimal(0), Decimal(0), datetime(2026, 9, 1, tzinfo=UTC),
        )  # fmt: skip

    def new_id(self) -> BillLineId:
        self.last_id += 1
        return BillLineId(UUID(int=self.last_id))

    def there(self) -> dict[str, str]:
        return posted_values(self.posted, self.line_keys)

    def with_lines(self, *lines: PostedLine) -> None:
        self.posted = replace(
            self.posted, lines=lines, net=sum((x.amount for x in lines), Decimal(0))
        )

    # --- the claim --------------------------------------------------------------------------

    def new_line(self, amount: Decimal, text: str) -> BillLine:
        self.keys += 1
        return BillLine(f"item:{self.keys}", text, AccountCode("310"), amount, None)

    @rule(amount=amounts, at=pick)
    def claim_changes_an_amount(self, amount: Decimal, at: int) -> None:
        lines = list(self.bill.lines)
        lines[at % len(lines)] = replace(lines[at % len(lines)], amount=amount)
        self.bill = replace(self.bill, lines=tuple(lines))

    @rule(text=words, at=pick)
    def claim_words_a_line_otherwise(self, text: str, at: int) -> None:
        lines = list(self.bill.lines)
        lines[at % len(lines)] = replace(lines[at % len(lines)], description=text)
        self.bill = replace(self.bill, lines=tuple(lines))

    @rule(amount=amounts, text=words)
    def claim_gets_a_line(self, amount: Decimal, text: str) -> None:
        self.bill = replace(self.bill, lines=(*self.bill.lines, self.new_line(amount, text)))

    @precondition(lambda self: len(self.bill.lines) > 1)
    @rule(at=pick)
    def claim_loses_a_line(self, at: int) -> None:
        lines = list(self.bill.lines)
        del lines[at % len(lines)]
        self.bill = replace(self.bill, lines=tuple(lines))

    @rule(number=numbers, day=days)
    def claim_changes_its_head(self, number: str, day: date) -> None:
        self.bill = replace(
            self.bill, number=number, bill_date=day, due_date=day + timedelta(days=30)
        )

    @rule(account=accounts, at=pick)
    def mapping_moves_a_line(self, account: AccountCode, at: int) -> None:
        lines = list(self.bill.lines)
        lines[at % len(lines)] = replace(lines[at % len(lines)], account=account)
        self.bill = replace(self.bill, lines=tuple(lines))

    # --- the bookkeeper ---------------------------------------------------------------------

    @rule(at=pick, account=accounts, tax=taxes, tracking=trackings, text=words, part=pick)
    def bookkeeper_recodes(
        self, at: int, account: AccountCode, tax: TaxType, tracking: tuple[Tracking, ...],
        text: str, part: int,
    ) -> None:  # fmt: skip
        if not self.posted.lines:
            return
        line = self.posted.lines[at % len(self.posted.lines)]
        name = PARTS[part % 4]
        new = {"account": account, "tax": tax, "tracking": tracking, "description": f"{text}, ok"}
        field = "tax_type" if name == "tax" else name
        changed = replace(line, **{field: new[name]})  # type: ignore[arg-type]
        self.with_lines(*(changed if x.id == line.id else x for x in self.posted.lines))
        key = key_of(line, self.line_keys)
        at_line, value = f"line.{key}.{name}", self.there()[f"line.{key}.{name}"]
        if value == self.agreed.target.get(at_line):
            self.recoded.pop(at_line, None)  # put back as it was: nobody's any more
        elif changed != line and not key.startswith(EXTRA):
            self.recoded[at_line] = value

    @precondition(lambda self: not self.draft)
    @rule(day=days)
    def bookkeeper_moves_the_due_date(self, day: date) -> None:
        if self.posted.due_date != day:
            self.posted = replace(self.posted, due_date=day)
            self.dated_there = True

    @rule(amount=amounts, at=pick)
    def bookkeeper_changes_an_amount(self, amount: Decimal, at: int) -> None:
        if self.posted.lines:
            id_ = self.posted.lines[at % len(self.posted.lines)].id
            self.with_lines(
                *(replace(x, amount=amount) if x.id == id_ else x for x in self.posted.lines)
            )

    @rule(amount=amounts)
    def bookkeeper_adds_a_line(self, amount: Decimal) -> None:
        line = PostedLine(
            self.new_id(), "Freight", AccountCode("429"), amount, TaxType("INPUT"), Decimal(0)
        )
        self.with_lines(*self.posted.lines, line)

    @rule(at=pick)
    def bookkeeper_takes_a_line(self, at: int) -> None:
        if len(self.posted.lines) > 1:
            lines = list(self.posted.lines)
            gone = lines.pop(at % len(lines))
            self.with_lines(*lines)
            key = key_of(gone, self.line_keys)
            self.forget_coding({key})

    @rule(contact=st.sampled_from(CONTACTS), number=numbers)
    def bookkeeper_changes_the_head(self, contact: ContactId, number: str) -> None:
        self.posted = replace(self.posted, contact=contact, number=number)

    def forget_coding(self, keys: Set[str]) -> None:
        self.recoded = {n: v for n, v in self.recoded.items() if n.split(".")[1] not in keys}

    # --- OneCore looks ----------------------------------------------------------------------

    def look(self, answer: str) -> bool:
        """One look; whether there is nothing more to do."""
        wanted, there = wanted_values(self.bill), self.there()
        state = TargetState.OPEN if self.draft else TargetState.APPROVED
        step = decide(
            Case(
                Source.POSTING, wanted, self.agreed, Target(state, there), Policies(),
                said=lambda code, fields: answer,
            )
        )  # fmt: skip
        assert not isinstance(step, Drifted)
        if isinstance(step, Nothing):
            if step.accepted:
                self.agreed = after_accepting(self.agreed, wanted, there, not self.draft)
            return True
        assert isinstance(step, Update)
        before = {line.id: key for line, key in self.pairs()}
        bill, ids, kept = merged(self.bill, self.posted, self.line_keys, step.fields)
        self.posted = self.saved(bill, ids, kept)
        for line, key in self.pairs():
            # a line keeps its id and an id its line; one Procore dropped may stay as theirs
            assert before.get(line.id, key) == key or key.startswith(EXTRA)
        assert set(ids) <= {key for _, key in self.pairs()}
        self.agreed = after_updating(self.agreed, wanted, self.there(), step.fields)
        return False

    def pairs(self) -> list[tuple[PostedLine, str]]:
        return [(line, key_of(line, self.line_keys)) for line in self.posted.lines]

    def settle(self, answer: str) -> None:
        for _ in range(4):
            if self.look(answer):
                break
        else:
            raise AssertionError("looking again and again finds ever more to do")
        again = decide(
            Case(
                Source.POSTING, wanted_values(self.bill), self.agreed,
                Target(
                    TargetState.OPEN if self.draft else TargetState.APPROVED, self.there()
                ),
            )
        )  # fmt: skip
        assert again == Nothing()
        self.forget_coding({n.split(".")[1] for n in self.recoded} - {k for _, k in self.pairs()})
        wanted = wanted_values(self.bill)
        ours = {n for n in wanted if owner(n, approved=not self.draft) is Owner.SOURCE}
        self.agreed = after_looking(self.agreed, wanted, self.there(), ours)
        self.left = self.there()

    @invariant()
    def nobody_is_asked_about_what_nobody_touched_there(self) -> None:
        if not hasattr(self, "posted"):
            return
        there = self.there()
        touched = {n for n in {*there, *self.left} if there.get(n) != self.left.get(n)}
        step = decide(
            Case(
                Source.POSTING,
                wanted_values(self.bill),
                self.agreed,
                Target(TargetState.OPEN if self.draft else TargetState.APPROVED, there),
            )
        )
        if isinstance(step, Drifted):
            assert step.fields <= touched

    @rule()
    def look_and_restore(self) -> None:
        expected = self.expected("restore")
        self.settle("restore")
        self.check(expected)
        if not self.residue():
            assert [(k, x.amount) for x, k in self.pairs()] == [
                (x.key, x.amount) for x in self.bill.lines
            ]
            assert self.posted.net == self.bill.net

    @rule()
    def look_and_accept(self) -> None:
        expected = self.expected("accept")
        self.settle("accept")
        self.check(expected)

    def expected(self, answer: str) -> dict[str, str | None]:
        """Three ways by field: what was agreed, what each side says now, and who owns it."""
        wanted, there, agreed = wanted_values(self.bill), self.there(), self.agreed
        names = {*wanted, *there, *agreed.wanted, *agreed.target}
        found: dict[str, str | None] = {}
        for name in names:
            ours = owner(name, approved=not self.draft) is Owner.SOURCE
            edited = there.get(name) != agreed.target.get(name)
            moved = wanted.get(name) != agreed.wanted.get(name)
            if edited and (not ours or answer == "accept"):
                found[name] = there.get(name)
            else:
                found[name] = wanted.get(name) if edited or moved else there.get(name)
        return found

    def check(self, expected: dict[str, str | None]) -> None:
        there = self.there()
        lines = {key for _, key in self.pairs()}
        for name, value in expected.items():
            if not name.startswith("line."):
                assert there[name] == value
                continue
            key = name.split(".")[1]
            if name.endswith(".amount"):
                dropped = key not in {x.key for x in self.bill.lines} and key.startswith("item:")
                if value is None or not dropped:  # else it stays, and stays as theirs
                    assert there.get(name) == value
            elif key in lines and value:
                assert there[name] == value
        self.check_coding()

    def residue(self) -> bool:
        """Whether something of Procore's stands otherwise in Xero because it was accepted."""
        wanted, there = wanted_values(self.bill), self.there()
        names = {n for n in {*wanted, *there} if n.endswith(".amount")}
        return any(wanted.get(n) != there.get(n) for n in names)

    def check_coding(self) -> None:
        there = self.there()
        for name, value in self.recoded.items():
            assert there[name] == value

    @invariant()
    def ids_are_known(self) -> None:
        if hasattr(self, "posted"):
            assert len({x.id for x in self.posted.lines}) == len(self.posted.lines)


BothSides.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestBothSides = BothSides.TestCase
