"""Switches: facts of a remote that no source settles, and knobs a test may turn."""

from dataclasses import dataclass

Value = bool | int | str


@dataclass(frozen=True, slots=True)
class Switch:
    """One knob: `choices` is empty for booleans and integers."""

    name: str
    default: Value
    about: str
    choices: tuple[str, ...] = ()


class Switches:
    """The values of a simulator's declared switches; an undeclared name is an error."""

    def __init__(self, declared: tuple[Switch, ...]) -> None:
        self.declared = {switch.name: switch for switch in declared}
        self._values: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        return self._values.get(name, self.declared[name].default)

    def on(self, name: str) -> bool:
        return bool(self[name])

    def number(self, name: str) -> int:
        return int(self[name])

    def set(self, name: str, value: Value) -> None:
        """Turn a switch; raises ValueError naming what is known when it cannot be."""
        switch = self.declared.get(name)
        if switch is None:
            known = ", ".join(sorted(self.declared))
            raise ValueError(f"There is no switch {name!r}. Known: {known}.")
        if type(value) is not type(switch.default):
            kind = type(switch.default).__name__
            raise ValueError(f"Switch {name!r} takes a {kind}, not {value!r}.")
        if switch.choices and value not in switch.choices:
            raise ValueError(f"Switch {name!r} takes one of {', '.join(switch.choices)}.")
        self._values[name] = value

    def reset(self) -> None:
        self._values.clear()

    def values(self) -> dict[str, Value]:
        return {name: self[name] for name in self.declared}
