"""Managing webhooks of a company or of one project; a hook's triggers share its scope [P 5.1]."""

from collections.abc import Sequence

from onecore.domain.ids import CompanyId, ProjectId
from onecore.http.transport import Call, Transport
from onecore.http.wire import Reader, encoded
from onecore.ports import HookResource, HookTrigger, Lane, RemoteHook
from onecore.procore import wire
from onecore.procore.paging import whole_list

PAYLOAD_VERSION = "v4.0"
BULK = 100  # triggers a request; no limit is published for v2.0, 500 was v1's


_HOOKS = Reader(wire.HookList)
_HOOK = Reader(wire.OneHook)
_RESOURCES = Reader(wire.ResourceList)
_TRIGGERS = Reader(wire.TriggerList)


class Hooks:
    """`ports.HooksPort`: `project` None means the company's own hooks."""

    def __init__(self, transport: Transport, company: CompanyId, lane: Lane) -> None:
        self._transport = transport
        self._company = company
        self._lane = lane
        self._headers = {"Procore-Company-Id": str(company)}

    async def resources(
        self, project: ProjectId | None, payload_version: str = PAYLOAD_VERSION
    ) -> tuple[HookResource, ...]:
        """What hooks of this scope can be told of; may one day list requisitions [P 5.4]."""
        rows = await whole_list(
            self._transport,
            "webhooks.resources",
            f"{self._base(project)}/resources",
            (("payload_version", payload_version),),
            self._lane,
            self._headers,
            _RESOURCES,
            lambda body: body.data,
            lambda row: row.name,
        )
        return tuple(HookResource(row.name, tuple(row.actions or ())) for row in rows)

    async def hooks(
        self, project: ProjectId | None, namespace: str | None = None
    ) -> tuple[RemoteHook, ...]:
        """The hooks in this scope, of one namespace or of all that this app may see."""
        rows = await whole_list(
            self._transport,
            "webhooks.hooks",
            f"{self._base(project)}/hooks",
            () if namespace is None else (("namespace", namespace),),
            self._lane,
            self._headers,
            _HOOKS,
            lambda body: body.data,
            lambda row: row.id,
        )
        return tuple(_hook(row) for row in rows if namespace in (None, row.namespace))

    async def create(
        self,
        project: ProjectId | None,
        url: str,
        bearer: str,
        namespace: str,
        payload_version: str = PAYLOAD_VERSION,
    ) -> str:
        """The id of a new hook. `bearer` comes back in the header of every delivery."""
        body = _destination(url, bearer, payload_version) | {"namespace": namespace}
        answer = await self._transport.send(
            self._write("webhooks.create_hook", "POST", f"{self._base(project)}/hooks", body)
        )
        return str(answer.read(_HOOK).data.id)

    async def mend(self, project: ProjectId | None, hook: str, url: str, bearer: str) -> None:
        """At this address and with this bearer. Raises NotVisible when it is not there."""
        path = f"{self._base(project)}/hooks/{hook}"
        body = _destination(url, bearer, PAYLOAD_VERSION)
        await self._transport.send(self._write("webhooks.mend_hook", "PATCH", path, body))

    async def triggers(self, project: ProjectId | None, hook: str) -> tuple[HookTrigger, ...]:
        """What a hook is set to be told of."""
        rows = await whole_list(
            self._transport,
            "webhooks.triggers",
            f"{self._base(project)}/hooks/{hook}/triggers",
            (),
            self._lane,
            self._headers,
            _TRIGGERS,
            lambda body: body.data,
            lambda row: row.id,
        )
        return tuple(
            HookTrigger(row.resource_name or "", row.event_type or "", str(row.id)) for row in rows
        )

    async def tell(
        self, project: ProjectId | None, hook: str, triggers: Sequence[HookTrigger]
    ) -> bool:
        """Whether all of them were taken; a part may be declined (207)."""
        taken = True
        path = f"{self._base(project)}/hooks/{hook}/triggers/bulk"
        for start in range(0, len(triggers), BULK):
            some = triggers[start : start + BULK]
            body = [{"resource_name": t.resource, "event_type": t.action} for t in some]
            answer = await self._transport.send(
                self._write("webhooks.create_triggers", "POST", path, body, len(some))
            )
            taken = taken and answer.status != 207
        return taken

    async def untell(self, project: ProjectId | None, hook: str, ids: Sequence[str]) -> None:
        """Ends these triggers; one that is not there is as good as ended (207)."""
        path = f"{self._base(project)}/hooks/{hook}/triggers/bulk"
        for start in range(0, len(ids), BULK):
            some = list(ids[start : start + BULK])
            await self._transport.send(
                self._write("webhooks.delete_triggers", "DELETE", path, some, len(some))
            )

    async def delete(self, project: ProjectId | None, hook: str) -> None:
        """Ends a hook and its triggers. Raises NotVisible when it is not there."""
        path = f"{self._base(project)}/hooks/{hook}"
        await self._transport.send(
            Call("webhooks.delete_hook", "DELETE", path, self._lane, (), self._headers)
        )

    def _base(self, project: ProjectId | None) -> str:
        within = "" if project is None else f"/projects/{project}"
        return f"/rest/v2.0/companies/{self._company}{within}/webhooks"

    def _write(self, operation: str, method: str, path: str, body: object, count: int = 1) -> Call:
        return Call(operation, method, path, self._lane, (), self._headers, encoded(body), count)


def _destination(url: str, bearer: str, payload_version: str) -> dict[str, object]:
    return {
        "payload_version": payload_version,
        "destination_url": url,
        "destination_headers": {"Authorization": f"Bearer {bearer}"},
    }


def _hook(row: wire.Hook) -> RemoteHook:
    headers = {name.lower(): value for name, value in (row.destination_headers or {}).items()}
    return RemoteHook(
        id=str(row.id),
        url=row.destination_url or "",
        active=row.status != "disabled" and row.payload_version in (None, PAYLOAD_VERSION),
        authorization=headers.get("authorization", ""),
    )
