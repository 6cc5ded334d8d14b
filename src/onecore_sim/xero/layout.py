"""The frame of the simulator's pages: banner, navigation, stylesheet."""

from html import escape

STYLE = """
:root { color-scheme: light dark; --line: #c6ccd2; --soft: #f2f5f7; --ink: #1b2733;
  --accent: #0b6e99; --paper: #ffffff; --warn: #9a3412; }
@media (prefers-color-scheme: dark) { :root { --line: #3a4650; --soft: #1c252d; --ink: #e6ebef;
  --accent: #63c2e8; --paper: #12181d; --warn: #fdba74; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
header { background: var(--soft); border-bottom: 3px solid var(--accent); padding: .6rem 1.2rem; }
header strong { margin-right: 1rem; }
header a, nav a { margin-right: .9rem; }
a { color: var(--accent); }
main { padding: 1rem 1.2rem 3rem; max-width: 76rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 1.2rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
form.row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: end; margin: .6rem 0; }
label { display: inline-block; }
form.row label span { display: block; font-size: .85rem; }
input, select, button { font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: 4px; padding: .3rem .5rem; }
button { background: var(--accent); border-color: var(--accent); color: var(--paper);
  cursor: pointer; }
button.quiet { background: transparent; color: var(--accent); }
fieldset { border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; }
.alert { border-left: 4px solid var(--warn); background: var(--soft); padding: .6rem 1rem; }
.tag { border: 1px solid var(--line); border-radius: 99px; padding: 0 .6rem; font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { font-weight: 600; } dd { margin: 0; }
"""


def page(title: str, body: str, navigation: str = "") -> str:
    """A whole HTML page around `body`, which is already escaped."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Xero simulator</title><style>{STYLE}</style></head>"
        '<body><header><strong>Xero simulator</strong><a href="/">Organisations</a>'
        '<a href="/sim/apps">Connected apps</a><a href="/sim/clock">Clock</a>'
        '<a href="/sim/switches">Switches</a><a href="/sim/faults">Faults</a></header>'
        f"<nav aria-label='Organisation'>{navigation}</nav><main>{body}</main></body></html>"
    )
