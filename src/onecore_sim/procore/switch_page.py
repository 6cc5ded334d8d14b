"""The page of the switches: what is not established about Procore, and how it stands here."""

from onecore_sim.kit.switches import Switch, Value
from onecore_sim.procore.core import Core
from onecore_sim.procore.errors import ApiError
from onecore_sim.procore.markup import button, form, row, table, text
from onecore_sim.procore.theme import page


def switches_page(core: Core) -> str:
    rows = [
        row(
            f"<code>{text(switch.name)}</code>",
            text(switch.about),
            text(_shown(core.switches[switch.name])),
            form("/switches", _control(switch, core.switches[switch.name]), inline=True),
        )
        for switch in core.switches.declared.values()
    ]
    heads = ("Switch", "What it is about", "Now", "Change")
    return page(
        "Switches",
        "<h1>Switches</h1><p>Facts about Procore that no public source settles, and figures that "
        f"differ from one app to the next.</p>{table(heads, rows, 'Switches')}",
    )


def _shown(value: Value) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _control(switch: Switch, value: Value) -> str:
    """What changes one switch: a button, a choice or a field, each named after it."""
    hidden = f'<input type="hidden" name="name" value="{text(switch.name)}">'
    label = f'aria-label="{text(switch.name)}"'
    if isinstance(switch.default, bool):
        turned = "off" if value else "on"
        return hidden + button(f"Turn {switch.name} {turned}", "value", turned, quiet=True)
    if switch.choices:
        options = "".join(
            f"<option{' selected' if choice == value else ''}>{text(choice)}</option>"
            for choice in switch.choices
        )
        field = f'<select name="value" {label}>{options}</select>'
    else:
        field = f'<input name="value" size="6" {label} value="{text(value)}">'
    return hidden + field + " " + button(f"Set {switch.name}", quiet=True)


def set_switch(core: Core, fields: dict[str, str]) -> None:
    """Turn the switch a form names; a value of the wrong kind is refused with the reason."""
    name, given = fields.get("name", ""), fields.get("value", "")
    declared = core.switches.declared.get(name)
    if declared is None:
        raise ApiError(404, f"There is no switch {name}")
    try:
        if isinstance(declared.default, bool):
            core.switches.set(name, given == "on")
        elif isinstance(declared.default, int):
            core.switches.set(name, int(given))
        else:
            core.switches.set(name, given)
    except ValueError as error:
        raise ApiError(400, str(error)) from None
