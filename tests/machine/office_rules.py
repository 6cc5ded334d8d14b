"""What people do in OneCore: they answer what it asks, and change its settings."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from onecore.domain.refs import parse_ref
from onecore.engine.use import attending, syncing
from onecore.engine.use.errors import UseError
from tests.machine.stage import Stage

which = st.integers(0, 7)
SETTINGS = {
    "mode": ("auto", "auto", "approve", "preview", "off"),
    "drift": ("ask", "restore", "accept"),
    "locked_period": ("hold", "shift"),
    "source_reopened": ("keep", "ask", "void"),
    "source_deleted": ("ask", "void"),
}
EVERY_SETTING = [(name, value) for name, values in SETTINGS.items() for value in values]


class OfficeRules(Stage):
    """Acts of the people who see OneCore's pages."""

    @rule(at=which, choice=which)
    def answer(self, at: int, choice: int) -> None:
        """One of the choices of one of the open questions, for all it keeps."""
        group = self.pick(at, sorted(self.world.desk.attention(), key=lambda g: (g.cause, g.id)))
        if group is None:
            return
        code = self.pick(choice, [code for code, _, _ in group.choices])
        if code is None:
            return
        try:
            attending.resolve(
                self.world.desk.service, self.world.desk.workspace, group.id, code, "test"
            )
        except UseError:
            return  # settled meanwhile
        for item in group.items:
            past = self.history.of(item.ref)
            past.answers.add(f"{group.cause}:{code}")
            if code == "accept":
                past.accept(past.shown[1])
        self.tell(f"{group.cause} is answered: {code}, for {', '.join(group.refs)}")

    @rule(setting=st.sampled_from(EVERY_SETTING))
    def change_setting(self, setting: tuple[str, str]) -> None:
        self.set_policy(*setting)

    @rule(at=which)
    def look_at_one(self, at: int) -> None:
        """Somebody clicks "sync now" on one claim."""
        claim = self.pick(at, self.books.claims())
        if claim is None:
            return
        world = self.world
        syncing.say(world.desk.service, world.desk.workspace, [parse_ref(claim.ref)])
        world.turn()
        self.tell(f"{claim.name} is looked at")
