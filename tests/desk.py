"""A desk: all of OneCore in this process, both simulators beside it, over real HTTP."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from onecore.app import HttpRemotes
from onecore.domain.ids import AccountCode, ProjectId, WorkspaceId
from onecore.domain.refs import Flow, SourceRef
from onecore.engine import calls, config
from onecore.engine.service import Service
from onecore.engine.use import attending, configuring, connecting, syncing, workspaces
from onecore.environment import Settings, read_settings
from onecore.ports import LimitKind, Remote
from onecore.store.models import Document, Intent, Link
from onecore.store.secrets import Keyring
from onecore.store.vault import Vault
from tests.simulators import Simulators

SECRET = "a test's secret key of more than thirty-two characters"
PROJECT = 7
COMMITMENT = 31


class MovableClock:
    """The machine's clock plus an offset that tests move."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


def settings_for(simulators: Simulators, **more: str) -> Settings:
    procore, xero = simulators.procore.url, simulators.xero.url
    return read_settings(
        {
            "ONECORE_SECRET_KEY": SECRET,
            "ONECORE_PROCORE_LOGIN_URL": procore,
            "ONECORE_PROCORE_API_URL": procore,
            "ONECORE_PROCORE_CLIENT_ID": "sim-procore-client",
            "ONECORE_PROCORE_CLIENT_SECRET": "sim-procore-secret",
            "ONECORE_XERO_LOGIN_URL": xero,
            "ONECORE_XERO_IDENTITY_URL": xero,
            "ONECORE_XERO_API_URL": xero,
            "ONECORE_XERO_CLIENT_ID": "sim-xero-client",
            "ONECORE_XERO_CLIENT_SECRET": "sim-xero-secret",
            "ONECORE_XERO_WEBHOOK_KEY": "sim-xero-webhook-key",
            "ONECORE_POLL_SECONDS": "1",
            "ONECORE_POLL_LONGEST_SECONDS": "6",
            **more,
        }
    )


class Desk:
    """A workspace connected and mapped for the tiny builder, with the words tests speak in."""

    def __init__(self, simulators: Simulators, **more: str) -> None:
        self.procore, self.xero = simulators.procore, simulators.xero
        simulators.reset()
        # What happens in Procore is two minutes old when it is found, so that no test waits for
        # the second of a change to be over.
        self.procore.advance(timedelta(minutes=-2))
        self.clock = MovableClock()
        settings = settings_for(simulators, **more)
        vault = Vault(Keyring([SECRET]))
        self.service = Service(settings, HttpRemotes(settings, self.clock), vault, self.clock)
        self.company = self.procore.state()["company_id"]
        self.workspace: WorkspaceId = workspaces.add(self.service, "Test", "test")

    def close(self) -> None:
        self.service.close()

    # --- setting up ---------------------------------------------------------------------------

    def connect(self) -> None:
        service = self.service
        service.run(connecting.connect_procore(service, self.workspace, self.company, "test"))
        service.run(
            connecting.connect_xero_custom(
                service, self.workspace, "sim-xero-custom", "sim-xero-custom-secret", "test"
            )
        )

    def map_all(self, **values: Any) -> None:
        """Vendors by name, every code to 310, tracking by project, retention on 820R, flow on."""
        ctx = self.service.run(self.service.context(self.workspace))
        organisation, books = next(iter(ctx.books.items()))
        self.organisation = organisation
        contacts = {c.tax_number: c.id for c in self.service.run(books.lists.contacts())}
        vendors = self.service.run(ctx.lists.vendors())
        text = configuring.export(self.workspace)
        from onecore.domain.settings import CodeRule, PartyRow

        rows = [PartyRow(v.id, contacts[v.abn]) for v in vendors if v.abn in contacts]
        text = config.set_vendors(text, rows)
        text = config.add_codes(text, [CodeRule("*", expense=AccountCode("310"))])
        text = config.set_retention_account(text, "payable", AccountCode("820R"))
        text = config.set_tracking(text, project="Projects", second=None)
        text = config.set_project_option(text, ProjectId(PROJECT), "P-007 Riverside")
        text = config.set_value(text, ("cut_over",), date(2020, 1, 1))
        text = config.set_value(text, ("flows", "bill", "mode"), "auto")
        for path, value in values.items():
            text = config.set_value(text, tuple(path.split("__")), value)
        configuring.import_text(self.service, self.workspace, text, "test")

    def map_project(self, project: int, option: str) -> None:
        text = config.set_project_option(
            configuring.export(self.workspace), ProjectId(project), option
        )
        configuring.import_text(self.service, self.workspace, text, "test")

    def set(self, **values: Any) -> None:
        text = configuring.export(self.workspace)
        for path, value in values.items():
            text = config.set_value(text, tuple(path.split("__")), value)
        configuring.import_text(self.service, self.workspace, text, "test")

    # --- acting -------------------------------------------------------------------------------

    def told_to_wait(self, remote: Remote, kind: LimitKind, until: datetime) -> None:
        """As after a 429 of one of this workspace's allowances."""
        key = next(k for k in calls.keys_of(self.workspace) if k.remote == remote)
        self.service.contexts.calls.block(key, kind, until)

    def claim(self, *work: str, status: str = "approved", **more: Any) -> SourceRef:
        """A claim on the tiny builder's contract: work of this period per line."""
        lines = self.contract_lines()
        said = [
            {"line_id": line, "work": amount} for line, amount in zip(lines, work, strict=False)
        ]
        made = self.procore.do(
            "new_claim",
            project_id=PROJECT,
            commitment_id=more.pop("commitment_id", COMMITMENT),
            lines=more.pop("lines", said),
            status=status,
            **more,
        )
        return SourceRef.requisition(PROJECT, made["id"])

    def contract_lines(self, commitment: int = COMMITMENT) -> list[int]:
        state = self.procore.state()
        project = state["projects"][str(PROJECT)]
        return [line["id"] for line in project["commitments"][str(commitment)]["lines"]]

    def sync(self, *refs: SourceRef, timeout: float = 30) -> syncing.Synced:
        return self.service.run(
            syncing.sync(
                self.service,
                self.workspace,
                refs,
                until_idle=True,
                timeout=timedelta(seconds=timeout),
            )
        )

    def answer(self, cause: str, choice: str) -> None:
        group = next(g for g in self.attention() if g.cause == cause)
        attending.resolve(self.service, self.workspace, group.id, choice, "test")

    # --- seeing -------------------------------------------------------------------------------

    def attention(self) -> list[attending.Group]:
        return attending.groups(self.service, self.workspace)

    def causes(self) -> list[str]:
        return sorted(group.cause for group in self.attention())

    def document(self, ref: SourceRef) -> Document | None:
        return Document.objects.filter(workspace_id=self.workspace, ref=str(ref)).first()

    def state_of(self, ref: SourceRef) -> str | None:
        row = self.document(ref)
        return row.state if row is not None else None

    def links(self, ref: SourceRef) -> list[Link]:
        return list(Link.objects.filter(document__ref=str(ref)).order_by("version"))

    def intents(self) -> int:
        return Intent.objects.count()

    def bill_of(self, ref: SourceRef) -> dict[str, Any]:
        """The bill the ref's live link points at, as the simulator has it."""
        link = next(x for x in self.links(ref) if not x.withdrawn)
        return self.bill(link.target_id)

    def bill(self, id_: UUID) -> dict[str, Any]:
        for bill in self.bills(include_gone=True):
            if bill["id"] == str(id_):
                return bill
        raise AssertionError(f"Xero has no bill {id_}")

    def bills(self, include_gone: bool = False) -> list[dict[str, Any]]:
        organisations = self.xero.state()["organisations"]
        found = [
            bill
            for organisation in organisations.values()
            for bill in organisation["invoices"].values()
            if bill["type"] == "ACCPAY"
        ]
        if include_gone:
            return found
        return [bill for bill in found if bill["status"] not in ("VOIDED", "DELETED")]


def money(text: Any) -> Decimal:
    return Decimal(str(text))


FLOW = Flow.BILL
