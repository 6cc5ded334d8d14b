"""The frame of the simulator's own pages: banner, navigation, stylesheet."""

import html

STYLE = """
:root { color-scheme: light dark; --line: #d4d4d0; --soft: #f5f4f1; --text: #22211f;
  --back: #fff; --mark: #b8410b; --on-mark: #fff; --quiet: #66645f; }
@media (prefers-color-scheme: dark) {
  :root { --line: #454340; --soft: #262523; --text: #ecebe8; --back: #1a1918;
    --mark: #e8875a; --on-mark: #1a1918; --quiet: #a5a29c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
.banner { background: var(--mark); color: var(--on-mark); padding: .4rem 1.2rem;
  font-weight: 600; }
nav { border-bottom: 1px solid var(--line); padding: .5rem 1.2rem; display: flex; gap: 1.2rem;
  flex-wrap: wrap; }
main { max-width: 76rem; margin: 0 auto; padding: 1rem 1.2rem 4rem; }
a { color: inherit; text-underline-offset: .15em; }
h1 { font-size: 1.45rem; margin: .6rem 0; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left;
  vertical-align: top; }
th { background: var(--soft); font-weight: 600; }
.number { text-align: right; }
td.number { white-space: nowrap; }
dd.amount { text-align: right; } dl.amounts { width: max-content; }
button { font: inherit; padding: .35rem .9rem; border: 1px solid var(--mark); border-radius: 4px;
  background: var(--mark); color: var(--on-mark); cursor: pointer; }
button.quiet { background: transparent; color: var(--text); border-color: var(--line); }
button:focus-visible, a:focus-visible, input:focus-visible, select:focus-visible {
  outline: 3px solid var(--mark); outline-offset: 2px; }
input, select { font: inherit; padding: .25rem .4rem; border: 1px solid var(--line);
  border-radius: 4px; background: var(--back); color: var(--text); }
input.amount { width: 8.5rem; text-align: right; }
form.inline, .actions { display: inline-flex; gap: .5rem; flex-wrap: wrap; align-items: center; }
.status { border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .6rem;
  background: var(--soft); white-space: nowrap; }
.quiet-text { color: var(--quiet); }
.alert { border: 2px solid var(--mark); padding: .5rem .8rem; border-radius: 4px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: .5rem 0; }
dt { color: var(--quiet); } dd { margin: 0; }
"""


def page(title: str, body: str) -> str:
    """A whole page. `body` is markup, made from escaped text; `title` is plain text."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)} · Procore simulator</title><style>{STYLE}</style></head>"
        '<body><div class="banner" role="note">Procore simulator: nothing here is real</div>'
        '<nav aria-label="Main"><a href="/">Projects</a><a href="/vendors">Vendors</a>'
        '<a href="/clock">Clock</a><a href="/switches">Switches</a>'
        '<a href="/faults">Faults</a></nav>'
        f"<main>{body}</main></body></html>"
    )
