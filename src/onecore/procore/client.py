"""Procore's REST API as a port: one method, as few requests as it takes, no retries."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import httpx2

from onecore.domain.documents import CostCode, Requisition
from onecore.domain.ids import (
    CommitmentId,
    CompanyId,
    CostCodeId,
    ProjectId,
    RequisitionId,
)
from onecore.http.transport import BeforeWrite, Call, Params, Transport
from onecore.http.wire import Reader
from onecore.ports import (
    CallLog,
    Clock,
    Commitment,
    Company,
    CostType,
    Lane,
    NotVisible,
    ProcorePort,
    Project,
    ReadFailed,
    Remote,
    RequisitionHead,
    Tokens,
    Vendor,
)
from onecore.procore import read, wire
from onecore.procore.hooks import Hooks
from onecore.procore.paging import whole_list

IDS_A_CALL = 100  # as many claims as one page holds
V10, V11 = "/rest/v1.0", "/rest/v1.1"
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


Row = TypeVar("Row")
Body = TypeVar("Body")
Value = TypeVar("Value")

_COMPANIES = Reader(list[wire.Company])
_BASE_URL = Reader(wire.BaseUrl)
_PROJECTS = Reader(list[wire.Project])
_TOOLS = Reader(list[wire.Tool])
_VENDORS = Reader(list[wire.Vendor])
_COST_CODES = Reader(list[wire.CostCode])
_COST_TYPES = Reader(list[wire.CostType])
_COMMITMENTS = Reader(list[wire.Commitment])
_COMMITMENT = Reader(wire.Commitment)
_CHANGE_ORDER = Reader(wire.ChangeOrder)
_HEADS = Reader(list[wire.RequisitionHead])
_REQUISITIONS = Reader(list[wire.Requisition])
_DETAIL = Reader(list[wire.DetailLine])
_HISTORY = Reader(list[wire.Change])


class ProcoreClient(ProcorePort):
    """Reads one company. Lists go in `Lane.LIST`, documents in `Lane.DOCUMENT`, unless this is
    a view made by `in_lane`."""

    def __init__(
        self,
        base_url: str,
        company_id: CompanyId,
        tokens: Tokens,
        call_log: CallLog,
        http: httpx2.AsyncClient,
        clock: Clock,
        *,
        scope: str | None = None,
        before_write: BeforeWrite | None = None,
    ) -> None:
        """`scope` is what the call log counts under; the company's id unless it is given."""
        self._company_id = company_id
        self._headers = {"Procore-Company-Id": str(company_id)}
        self._lane: Lane | None = None
        self._transport = Transport(
            Remote.PROCORE,
            base_url,
            scope or str(company_id),
            tokens,
            call_log,
            http,
            clock,
            before_write,
        )

    def in_lane(self, lane: Lane) -> "ProcoreClient":
        """The same client, all of whose calls are made in that lane."""
        view = copy(self)
        view._lane = lane
        return view

    @property
    def webhooks(self) -> Hooks:
        """Management of this company's hooks."""
        return Hooks(self._transport, self._company_id, self._lane or Lane.LIST)

    async def company(self) -> Company:
        """The company and where its pages are. Raises NotVisible when the grant does not see it."""
        rows = await self._list("companies", f"{V10}/companies", (), _COMPANIES)
        own = next((row for row in rows if row.id == self._company_id), None)
        if own is None:
            raise NotVisible(Remote.PROCORE, "companies", 404, "the company is not in the list")
        base = await self._one("company_base_url", f"{V10}/company_base_url", (), _BASE_URL)
        return Company(self._company_id, own.name or "", base.web_base_url.rstrip("/"))

    async def projects(self) -> tuple[Project, ...]:
        """Every project this grant sees, inactive ones too."""
        params = (*self._of_company(), ("filters[by_status]", "All"), ("view", "extended"))
        rows = await self._list("projects", f"{V11}/projects", params, _PROJECTS)
        return tuple(self._read("projects", read.read_project, row) for row in rows)

    async def tools(self, project: ProjectId) -> Mapping[str, bool]:
        """Whether each tool, by engine name, is on in a project."""
        rows = await self._list(
            "tools", f"{V10}/projects/{project}/tools", (), _TOOLS, lambda row: row.engine_name
        )
        return {row.engine_name: row.is_active is not False for row in rows}

    async def vendors(self) -> tuple[Vendor, ...]:
        """The company directory: the ordinary list and the list of inactive ones [P G40]."""
        path = f"{V10}/companies/{self._company_id}/vendors/inactive"
        active = await self._list(
            "vendors",
            f"{V10}/vendors",
            (*self._of_company(), ("view", "normal")),
            _VENDORS,
        )
        inactive = await self._list("vendors.inactive", path, (("view", "normal"),), _VENDORS)
        known = {row.id: read.read_vendor(row, active=False) for row in inactive}
        known.update({row.id: read.read_vendor(row) for row in active})
        return tuple(known.values())

    async def cost_codes(self, project: ProjectId) -> tuple[CostCode, ...]:
        """The project's cost codes that are not deleted."""
        rows = await self._list(
            "cost_codes", f"{V10}/cost_codes", self._of_project(project), _COST_CODES
        )
        return tuple(read.read_cost_code(row) for row in rows if not row.deleted_at)

    async def cost_types(self) -> tuple[CostType, ...]:
        """The company's cost types. The list wants a project, so any visible one is named."""
        projects = await self._one(
            "projects.any",
            f"{V11}/projects",
            (*self._of_company(), ("view", "compact"), ("page", "1"), ("per_page", "1")),
            _PROJECTS,
        )
        if not projects:
            return ()
        params = (*self._of_company(), *self._of_project(ProjectId(projects[0].id)))
        rows = await self._list("cost_types", f"{V10}/line_item_types", params, _COST_TYPES)
        return tuple(read.read_cost_type(row) for row in rows)

    async def commitments(self, project: ProjectId, lines: bool) -> tuple[Commitment, ...]:
        """Subcontracts and purchase orders. With `lines`, each live contract is read on its own
        (one request, and one for each approved change order)."""
        found: list[Commitment] = []
        for kind, name in (
            ("WorkOrderContract", "work_order_contracts"),
            ("PurchaseOrderContract", "purchase_order_contracts"),
        ):
            params = (*self._of_project(project), ("view", "extended"))
            rows = await self._list(name, f"{V10}/{name}", params, _COMMITMENTS)
            for row in rows:
                contract = read.read_commitment(row, kind)
                if lines and contract.is_live:
                    contract = await self._with_lines(project, name, kind, row.id)
                found.append(contract)
        return tuple(found)

    async def requisitions_changed(
        self, project: ProjectId, since: datetime | None, until: datetime
    ) -> tuple[RequisitionHead, ...]:
        """Claims whose `updated_at` lies in the range, both ends included, to the second."""
        span = f"{_stamp(since or _LONG_AGO)}...{_stamp(until, round_up=True)}"
        params = (("filters[updated_at]", span),)
        return await self._heads("requisitions.changed", project, params)

    async def requisitions_of(
        self, project: ProjectId, commitment: CommitmentId
    ) -> tuple[RequisitionHead, ...]:
        """Every claim of one contract: complete, or an error."""
        params = (("filters[commitment_id]", str(commitment)),)
        heads = await self._heads("requisitions.of", project, params)
        return tuple(head for head in heads if head.commitment == commitment)

    async def requisitions(
        self,
        project: ProjectId,
        ids: Sequence[RequisitionId],
        cost_codes: Mapping[CostCodeId, CostCode],
        commitment_numbers: Mapping[CommitmentId, str],
        web_base_url: str,
    ) -> tuple[Requisition, ...]:
        """The claims with their lines, 100 a request; those not seen are left out."""
        operation = "requisitions"
        wanted = tuple(dict.fromkeys(ids))
        found: list[Requisition] = []
        for start in range(0, len(wanted), IDS_A_CALL):
            some = wanted[start : start + IDS_A_CALL]
            params = (
                *self._of_project(project),
                ("view", "extended"),
                *(("filters[id][]", str(one)) for one in some),
            )
            rows = await self._list(
                operation, f"{V11}/requisitions", params, _REQUISITIONS, lane=Lane.DOCUMENT
            )
            found += [
                self._read(
                    operation,
                    lambda row: read.read_requisition(
                        row, project, cost_codes, commitment_numbers, web_base_url
                    ),
                    row,
                )
                for row in rows
                if row.id in some
            ]
        return tuple(found)

    async def movements(
        self, project: ProjectId, requisition: RequisitionId
    ) -> dict[int, tuple[Decimal, Decimal]]:
        """Retained and released this period by line id, from the detail page [P 8.1]."""
        path = f"{V10}/requisitions/{requisition}/detail"
        lines = await self._one(
            "requisition.detail", path, self._of_project(project), _DETAIL, Lane.DOCUMENT
        )
        return read.read_movements(lines)

    async def approved_at(self, project: ProjectId, requisition: RequisitionId) -> datetime | None:
        """When the claim last became approved, from its change history."""
        path = f"{V10}/requisitions/{requisition}/change_histories"
        operation = "requisition.history"
        history = await self._one(
            operation, path, self._of_project(project), _HISTORY, Lane.DOCUMENT
        )
        return self._read(operation, read.approved_at, history)

    async def _with_lines(
        self, project: ProjectId, name: str, kind: str, contract: int
    ) -> Commitment:
        params = self._of_project(project)
        row = await self._one(f"{name}.show", f"{V10}/{name}/{contract}", params, _COMMITMENT)
        lines = list(row.line_items or ())
        for package in row.change_order_packages or ():
            if package.status == "approved" and not package.deleted_at:
                path = f"{V10}/change_order_packages/{package.id}"
                one = await self._one("change_order_packages.show", path, params, _CHANGE_ORDER)
                lines += one.line_items or ()
        row.line_items = lines
        return read.read_commitment(row, kind)

    async def _heads(
        self, operation: str, project: ProjectId, params: Params
    ) -> tuple[RequisitionHead, ...]:
        rows = await self._list(
            operation,
            f"{V11}/requisitions",
            (*self._of_project(project), ("view", "header_only"), *params),
            _HEADS,
        )
        return tuple(
            self._read(operation, lambda row: read.read_requisition_head(row, project), row)
            for row in rows
        )

    async def _list(
        self,
        operation: str,
        path: str,
        params: Params,
        reader: Reader[list[Any]],
        id_of: Callable[[Any], object] = lambda row: row.id,
        lane: Lane = Lane.LIST,
    ) -> tuple[Any, ...]:
        return await whole_list(
            self._transport,
            operation,
            path,
            params,
            self._lane or lane,
            self._headers,
            reader,
            lambda body: body,
            id_of,
        )

    async def _one(
        self,
        operation: str,
        path: str,
        params: Params,
        reader: Reader[Body],
        lane: Lane = Lane.LIST,
    ) -> Body:
        call = Call(operation, "GET", path, self._lane or lane, params, self._headers)
        return (await self._transport.send(call)).read(reader)

    def _read(self, operation: str, reading: Callable[[Row], Value], raw: Row) -> Value:
        """What `reading` makes of an answer; ReadFailed where it lacks what it must have."""
        try:
            return reading(raw)
        except ValueError as error:
            raise ReadFailed(Remote.PROCORE, operation, str(error)) from None

    def _of_company(self) -> Params:
        return (("company_id", str(self._company_id)),)

    def _of_project(self, project: ProjectId) -> Params:
        return (("project_id", str(project)),)


def _stamp(at: datetime, round_up: bool = False) -> str:
    """UTC to the second, as Procore's ranges take it; rounded so that nothing falls outside."""
    whole = at.astimezone(UTC).replace(microsecond=0)
    if round_up and at.microsecond:
        whole += timedelta(seconds=1)
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")
