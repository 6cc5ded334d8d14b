"""The HTML inside the bookkeeper's pages; everything a person typed is escaped."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from html import escape

from onecore_sim.xero import chart
from onecore_sim.xero.state import (
    Contact,
    Document,
    Line,
    Organisation,
    State,
)


def alert(text: str) -> str:
    return f'<p class="alert" role="alert">{escape(text)}</p>' if text else ""


def word_for(document: Document) -> str:
    return {"ACCPAY": "Bill", "ACCREC": "Invoice"}.get(document.type, "Credit note")


def link_to(document: Document) -> str:
    return f"/{'invoicing' if document.is_sale else 'bills'}/view/{document.id}"


def money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def navigation(org: Organisation) -> str:
    places = (
        ("bills", "Bills"), ("sales", "Sales invoices"), ("credits", "Credit notes"),
        ("contacts", "Contacts"), ("tracking", "Tracking"), ("accounts", "Chart of accounts"),
        ("locks", "Lock dates"),
    )  # fmt: skip
    links = "".join(f'<a href="/o/{org.id}/{path}">{label}</a>' for path, label in places)
    return (
        f"<p style='padding:.4rem 1.2rem;margin:0'><strong>{escape(org.name)}</strong> {links}</p>"
    )


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], figures: frozenset[int]) -> str:
    """A table of cells that are HTML already; the columns in `figures` are set right."""

    def cells(tag: str, row: Iterable[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if place in figures else ''}>{cell}</{tag}>"
            for place, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', heads)}</tr></thead><tbody>{body}</tbody></table>"


def form(action: str, button: str, fields: str, hidden: dict[str, str], quiet: bool = False) -> str:
    """A form that posts to one action and comes back to the page."""
    kept = "".join(
        f'<input type="hidden" name="{key}" value="{escape(value)}">'
        for key, value in hidden.items()
    )
    style = ' class="quiet"' if quiet else ""
    return (
        f'<form class="row" method="post" action="/act/{action}">{kept}{fields}'
        f"<button{style}>{escape(button)}</button></form>"
    )


def field(name: str, label: str, value: str = "", kind: str = "text") -> str:
    step = ' step="any"' if kind == "number" else ""
    return (
        f'<label><span>{escape(label)}</span><input type="{kind}" name="{name}"{step} '
        f'value="{escape(value)}"></label>'
    )


def choice(name: str, label: str, options: Iterable[tuple[str, str]], value: str = "") -> str:
    chosen = "".join(
        f'<option value="{escape(key)}"{mark}>{escape(text)}</option>'
        for key, text in options
        for mark in (" selected" if key == value else "",)
    )
    return f'<label><span>{escape(label)}</span><select name="{name}">{chosen}</select></label>'


def home(state: State) -> str:
    orgs = table(
        ("Organisation", "Country", "Bills", "Contacts", "Tenant id"),
        (
            (
                f'<a href="/o/{org.id}/bills">{escape(org.name)}</a>',
                org.country,
                str(sum(d.type == "ACCPAY" for d in org.invoices.values())),
                str(len(org.contacts)),
                f"<code>{org.id}</code>",
            )
            for org in state.organisations.values()
        ),
        frozenset({2, 3}),
    )
    clients = table(
        ("App", "Client id", "Client secret", "Kind"),
        (
            (
                escape(app.name),
                f"<code>{escape(app.client_id)}</code>",
                f"<code>{escape(app.secret)}</code>",
                "custom connection" if app.tenant_id else "web app, PKCE",
            )
            for app in state.apps.values()
        ),
        frozenset(),
    )
    return (
        "<h1>Organisations</h1><p>This is a stand-in for Xero. Nothing here is real.</p>"
        f"{orgs}<h2>Apps</h2><p>Use one of these to connect.</p>{clients}"
    )


def documents(org: Organisation, type_: str) -> str:
    found = [d for d in org.invoices.values() if d.type == type_]
    return _document_table(org, found)


def credit_notes(org: Organisation) -> str:
    return _document_table(org, org.credit_notes.values())


def _document_table(org: Organisation, found: Iterable[Document]) -> str:
    newest = sorted(found, key=lambda d: (d.date, d.updated_at), reverse=True)
    rows = [
        (
            f'<a href="{link_to(d)}">{escape(d.number or "(no number)")}</a>',
            escape(_contact_name(org, d)),
            d.date.isoformat(),
            d.due_date.isoformat() if d.due_date else "",
            money(d.total),
            money(d.due),
            f'<span class="tag">{d.status.title()}</span>',
        )
        for d in newest
    ]
    if not rows:
        return "<p>Nothing yet.</p>"
    heads = ("Number", "Contact", "Date", "Due", "Total", "Amount due", "Status")
    return table(heads, rows, frozenset({4, 5}))


def _contact_name(org: Organisation, document: Document) -> str:
    known = org.contacts.get(document.contact_id)
    return known.name if known else ""


def document(org: Organisation, item: Document) -> str:
    """One document with its lines, what may be done with it, and its history."""
    source = (
        f'<p><a href="{escape(item.url)}" rel="noreferrer">Go to source</a> '
        f"<code>{escape(item.url)}</code></p>"
        if item.url
        else ""
    )
    due = item.due_date.isoformat() if item.due_date else "-"
    facts = (
        f"<dl><dt>Contact</dt><dd>{escape(_contact_name(org, item))}</dd>"
        f"<dt>Date</dt><dd>{item.date}</dd><dt>Due date</dt><dd>{due}</dd>"
        f"<dt>Status</dt><dd><span class='tag'>{item.status.title()}</span></dd>"
        f"<dt>Amounts are</dt><dd>{item.line_amount_types}</dd></dl>"
    )
    totals = (
        f"<dl><dt>Subtotal</dt><dd>{money(item.sub_total)}</dd>"
        f"<dt>Tax</dt><dd>{money(item.total_tax)}</dd><dt>Total</dt><dd>{money(item.total)}</dd>"
        f"<dt>Paid</dt><dd>{money(item.paid)}</dd><dt>Credited</dt><dd>{money(item.credited)}</dd>"
        f"<dt>Amount due</dt><dd>{money(item.due)} {item.currency}</dd></dl>"
    )
    return (
        f"<h1>{word_for(item)} {escape(item.number)}</h1>{source}{facts}"
        f"<h2>Lines</h2>{_line_table(org, item)}{totals}{_buttons(org, item)}"
        f"{_edit_forms(org, item)}{_history(item)}"
    )


def _hidden(item: Document) -> dict[str, str]:
    key = "credit_note_id" if item.is_credit else "invoice_id"
    return {key: item.id, "back": link_to(item)}


def _line_table(org: Organisation, item: Document) -> str:
    rows = [
        (
            escape(line.description),
            f"{line.quantity.normalize():f}" if line.unit is not None else "",
            f"{line.unit:,.4f}".rstrip("0").rstrip(".") if line.unit is not None else "",
            escape(_account_label(org, line)),
            escape(line.tax_type),
            escape(_tracking_label(org, line)),
            money(line.tax),
            money(line.amount),
        )
        for line in item.lines
    ]
    heads = ("Description", "Qty", "Unit price", "Account", "Tax rate", "Tracking", "Tax", "Amount")
    return table(heads, rows, frozenset({1, 2, 6, 7}))


def _account_label(org: Organisation, line: Line) -> str:
    account = org.account(line.account_code)
    return f"{account.code} {account.name}" if account else line.account_code


def _tracking_label(org: Organisation, line: Line) -> str:
    names = []
    for tracked in line.tracking:
        category = org.categories.get(tracked.category_id)
        options = category.options if category else []
        names += [
            f"{category.name}: {o.name}" for o in options if category and o.id == tracked.option_id
        ]
    return ", ".join(names)


def _buttons(org: Organisation, item: Document) -> str:
    hidden = _hidden(item)
    made = []
    if item.status in ("DRAFT", "SUBMITTED"):
        made += [form("approve", "Approve", "", hidden), form("void", "Delete", "", hidden, True)]
    if item.status == "AUTHORISED":
        banks = [
            (a.code, f"{a.code} {a.name}")
            for a in org.accounts.values()
            if a.status == "ACTIVE" and (a.type == "BANK" or a.payments_enabled)
        ]
        fields = (
            field("amount", "Amount paid", str(item.due), "number")
            + field("date", "Date paid", "", "date")
            + choice("account", "Paid from", banks)
        )
        made += [form("pay", "Pay", fields, hidden), form("void", "Void", "", hidden, True)]
    for id_ in item.payment_ids:
        payment = org.payments[id_]
        if payment.status == "AUTHORISED":
            text = f"<p>Payment of {money(payment.amount)} on {payment.date}</p>"
            made.append(
                form("remove_payment", "Remove payment", text, {**hidden, "payment_id": id_}, True)
            )
    return "<h2>Actions</h2>" + "".join(made) if made else ""


def _edit_forms(org: Organisation, item: Document) -> str:
    if item.status in ("VOIDED", "DELETED"):
        return ""
    hidden = _hidden(item)
    dates = field("due_date", "Due date", str(item.due_date or ""), "date") + field(
        "date", "Date", str(item.date), "date"
    )
    parts = [f"<h2>Edit</h2>{form('edit_invoice', 'Save dates', dates, hidden)}"]
    accounts = [
        (a.code, f"{a.code} {a.name}")
        for a in org.accounts.values()
        if a.status == "ACTIVE" and chart.may_be_on_a_line(a)
    ]
    taxes = [(r.tax_type, r.name) for r in org.tax_rates]
    for place, line in enumerate(item.lines, start=1):
        fields = (
            field("description", f"Description of line {place}", line.description)
            + choice("account", f"Account of line {place}", accounts, line.account_code)
            + choice("tax_type", f"Tax rate of line {place}", taxes, line.tax_type)
        )
        if line.unit is not None:
            fields += field("amount", f"Amount of line {place}", str(line.amount), "number")
        kept = {**hidden, "line_item_id": line.id}
        parts.append(form("edit_line", f"Save line {place}", fields, kept))
    return "".join(parts)


def _history(item: Document) -> str:
    rows = [
        (
            entry.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
            escape(entry.changes),
            escape(entry.user),
            escape(entry.details),
        )
        for entry in reversed(item.history)
    ]
    files = "".join(f"<li>{escape(a.name)}</li>" for a in item.attachments)
    attached = f"<h2>Attachments</h2><ul>{files}</ul>" if files else ""
    heads = ("When", "What", "Who", "Details")
    return attached + "<h2>History</h2>" + table(heads, rows, frozenset())


def contacts(org: Organisation) -> str:
    back = {"tenant_id": org.id, "back": f"/o/{org.id}/contacts"}
    fields = (
        field("name", "Name of the new contact")
        + field("tax_number", "ABN or tax number")
        + field("email", "E-mail", "", "email")
    )
    others = [(c.id, c.name) for c in org.contacts.values() if c.status == "ACTIVE"]
    rows = [
        (
            escape(c.name),
            escape(c.tax_number),
            escape(c.email),
            _contact_status(org, c),
            _contact_forms(c, others, back),
        )
        for c in sorted(org.contacts.values(), key=lambda c: c.name.lower())
    ]
    heads = ("Name", "Tax number", "E-mail", "Status", "Actions")
    return form("new_contact", "Add contact", fields, back) + table(heads, rows, frozenset())


def _contact_status(org: Organisation, contact: Contact) -> str:
    if contact.merged_to and contact.merged_to in org.contacts:
        return f"Merged into {escape(org.contacts[contact.merged_to].name)}"
    return contact.status.title()


def _contact_forms(contact: Contact, others: list[tuple[str, str]], back: dict[str, str]) -> str:
    hidden = {**back, "contact_id": contact.id}
    if contact.merged_to:
        return ""
    if contact.status != "ACTIVE":
        text = f"Restore {contact.name}"
        return form("archive_contact", text, "", {**hidden, "archived": "false"}, True)
    rest = [(id_, name) for id_, name in others if id_ != contact.id]
    into = choice("into", f"Merge {contact.name} into", rest)
    return form("archive_contact", f"Archive {contact.name}", "", hidden, True) + (
        form("merge_contact", f"Merge {contact.name}", into, hidden, True) if rest else ""
    )


def tracking(org: Organisation) -> str:
    parts = []
    for category in org.categories.values():
        back = {"tenant_id": org.id, "back": f"/o/{org.id}/tracking", "category": category.id}
        rows = []
        for option in category.options:
            status = "ACTIVE" if option.status == "ARCHIVED" else "ARCHIVED"
            word = "Restore" if option.status == "ARCHIVED" else "Archive"
            kept = {**back, "option_id": option.id, "status": status}
            button = form("edit_option", f"{word} {option.name}", "", kept, True)
            rows.append((escape(option.name), option.status.title(), button))
        add = form(
            "new_option", f"Add to {category.name}", field("name", "Name of the new option"), back
        )
        parts.append(
            f"<h2>{escape(category.name)} <span class='tag'>{category.status.title()}</span></h2>"
            f"{add}{table(('Option', 'Status', 'Actions'), rows, frozenset())}"
        )
    return "".join(parts) or "<p>No tracking categories.</p>"


def accounts(org: Organisation) -> str:
    back = {"tenant_id": org.id, "back": f"/o/{org.id}/accounts"}
    types = [(t, t) for t in chart.CLASSES if t != "BANK"]
    fields = (
        field("code", "Code of the new account")
        + field("name", "Name of the new account")
        + choice("type", "Type", types, "DIRECTCOSTS")
        + choice(
            "tax_type", "Tax rate", [("", "usual")] + [(r.tax_type, r.name) for r in org.tax_rates]
        )
    )
    rows = []
    for account in sorted(org.accounts.values(), key=lambda a: a.code):
        archived = account.status == "ARCHIVED"
        hidden = {**back, "code": account.code, "archived": "false" if archived else "true"}
        word = "Restore" if archived else "Archive"
        button = (
            ""
            if account.system
            else form("archive_account", f"{word} {account.code}", "", hidden, True)
        )
        rows.append(
            (
                escape(account.code),
                escape(account.name),
                account.type,
                escape(account.tax_type),
                account.status.title(),
                button,
            )
        )
    heads = ("Code", "Name", "Type", "Tax rate", "Status", "Actions")
    return form("new_account", "Add account", fields, back) + table(heads, rows, frozenset())


def locks(org: Organisation) -> str:
    fields = field(
        "period", "Everyone but advisers: locked up to", str(org.period_lock or ""), "date"
    ) + field("end_of_year", "Everyone: locked up to", str(org.year_lock or ""), "date")
    hidden = {"tenant_id": org.id, "back": f"/o/{org.id}/locks"}
    return (
        "<p>Documents dated on these days or before cannot be approved, changed or paid.</p>"
        + form("lock", "Save lock dates", fields, hidden)
    )


def apps(state: State) -> str:
    rows = []
    for known in state.connections.values():
        app = state.apps[known.client_id]
        org = state.organisations[known.tenant_id]
        kept = (
            f'<input type="hidden" name="client_id" value="{escape(app.client_id)}">'
            f'<input type="hidden" name="tenant_id" value="{org.id}">'
        )
        button = (
            f'<form method="post" action="/sim/disconnect">{kept}'
            f'<button class="quiet">Disconnect {escape(app.name)} from {escape(org.name)}'
            "</button></form>"
        )
        rows.append((escape(app.name), escape(org.name), escape(known.user), button))
    heads = ("App", "Organisation", "Allowed by", "Actions")
    listed = table(heads, rows, frozenset()) if rows else "<p>No app is connected.</p>"
    return f"<h1>Connected apps</h1>{listed}"


def clock(now: datetime) -> str:
    return (
        f"<h1>Clock</h1><p>It is {now.strftime('%Y-%m-%d %H:%M:%S')} UTC here.</p>"
        '<form class="row" method="post" action="/sim/clock">'
        f"{field('hours', 'Hours', '24', 'number')}<button>Move forward</button></form>"
        '<form class="row" method="post" action="/sim/clock">'
        f"{field('now', 'Date and time', '', 'datetime-local')}"
        "<button>Set the clock</button></form>"
    )
