"""What the accountant does with OneCore in a run: sets it up, and connects again what was lost."""

from datetime import date

from onecore import app
from onecore.domain.ids import AccountCode, WorkspaceId
from onecore.domain.refs import Flow
from onecore.domain.settings import CodeRule, Mode, PartyRow

WHO = "accountant"


def furnish(company: str, client: str, secret: str, reopened: str, deleted: str) -> int:
    """Tables, a workspace named Main joined to both simulators, vendors matched, every code
    mapped, the flow on, with these two policies; the exit code 0."""
    service = app.bootstrap()
    from onecore.engine import config  # noqa: PLC0415 - Django is ready from here on
    from onecore.engine.use import configuring, upgrading, workspaces  # noqa: PLC0415

    upgrading.migrate()
    workspace = workspaces.add(service, "Main", WHO)
    _connect(workspace, int(company), client, secret)
    text = config.set_vendors(configuring.export(workspace), _vendors(workspace))
    text = config.set_value(text, ("cut_over",), date(2020, 1, 1))
    text = config.add_codes(text, [CodeRule("*", expense=AccountCode("310"))])
    text = config.set_retention_account(text, "payable", AccountCode("820R"))
    text = config.set_value(text, ("source_reopened",), reopened)
    text = config.set_value(text, ("source_deleted",), deleted)
    text = config.set_flow_mode(text, Flow.BILL, Mode.AUTO)
    configuring.import_text(service, workspace, text, WHO)
    service.close()
    return 0


def reconnect(company: str, client: str, secret: str) -> int:
    """Both remotes connected anew; the exit code 0."""
    service = app.bootstrap()
    from onecore.engine.use import workspaces  # noqa: PLC0415

    _connect(workspaces.find("Main"), int(company), client, secret)
    service.close()
    return 0


def _connect(workspace: WorkspaceId, company: int, client: str, secret: str) -> None:
    from onecore.engine.use import connecting  # noqa: PLC0415

    service = app.service()
    service.run(connecting.connect_procore(service, workspace, company, WHO))
    service.run(connecting.connect_xero_custom(service, workspace, client, secret, WHO))


def _vendors(workspace: WorkspaceId) -> list[PartyRow]:
    """Every vendor with the contact of the same tax number."""
    service = app.service()
    ctx = service.run(service.context(workspace))
    books = next(iter(ctx.books.values()))
    contacts = {row.tax_number: row.id for row in service.run(books.lists.contacts())}
    vendors = service.run(ctx.lists.vendors())
    return [PartyRow(row.id, contacts[row.abn]) for row in vendors if row.abn in contacts]


COMMANDS = {"furnish": furnish, "reconnect": reconnect}
