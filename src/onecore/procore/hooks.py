"""Managing webhooks of a company or of one project; a hook's triggers share its scope [P 5.1]."""

from collections.abc import Sequence
from dataclasses import dataclass

from onecore.domain.ids import CompanyId, ProjectId
from onecore.http.transport import Call, Transport
from onecore.http.wire import Reader, encoded
from onecore.ports import Lane
from onecore.procore import wire
from onecore.procore.paging import whole_list

PAYLOAD_VERSION = "v4.0"
BULK = 100  # triggers a request; no limit is published for v2.0, 500 was v1's


@dataclass(frozen=True, slots=True)
class HookResource:
    """Something a hook may be told of, with the reasons it is told for."""

    name: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hook:
    id: str
    url: str
    namespace: str
    active: bool
    payload_version: str
    project: ProjectId | None


@dataclass(frozen=True, slots=True)
class Trigger:
    resource: str
    action: str  # create, update, delete


_HOOKS = Reader(wire.HookList)
_HOOK = Reader(wire.OneHook)
_RESOURCES = Reader(wire.ResourceList)
_TRIGGERS = Reader(wire.TriggerList)


class Hooks:
    """`project` None means the company's own hooks."""

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
    ) -> tuple[Hook, ...]:
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

    async def create_hook(
        self,
        project: ProjectId | None,
        url: str,
        bearer: str,
        namespace: str,
        payload_version: str = PAYLOAD_VERSION,
    ) -> Hook:
        """A new hook. `bearer` comes back in the Authorization header of every delivery."""
        body = {
            "payload_version": payload_version,
            "namespace": namespace,
            "destination_url": url,
            "destination_headers": {"Authorization": f"Bearer {bearer}"},
        }
        answer = await self._transport.send(
            self._write("webhooks.create_hook", "POST", f"{self._base(project)}/hooks", body)
        )
        return _hook(answer.read(_HOOK).data)

    async def triggers(self, project: ProjectId | None, hook: str) -> tuple[Trigger, ...]:
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
        return tuple(Trigger(row.resource_name or "", row.event_type or "") for row in rows)

    async def create_triggers(
        self, project: ProjectId | None, hook: str, triggers: Sequence[Trigger]
    ) -> int:
        """How many were made. Fewer than asked means that some were declined (207)."""
        made, declined = 0, False
        path = f"{self._base(project)}/hooks/{hook}/triggers/bulk"
        for start in range(0, len(triggers), BULK):
            some = triggers[start : start + BULK]
            body = [{"resource_name": t.resource, "event_type": t.action} for t in some]
            answer = await self._transport.send(
                self._write("webhooks.create_triggers", "POST", path, body, len(some))
            )
            if answer.status == 207:  # the shape of its rows is not published
                declined = True
            else:
                made += len(answer.read(_TRIGGERS).data)
        return len(await self.triggers(project, hook)) if declined else made

    async def delete_hook(self, project: ProjectId | None, hook: str) -> None:
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


def _hook(row: wire.Hook) -> Hook:
    return Hook(
        id=str(row.id),
        url=row.destination_url or "",
        namespace=row.namespace or "",
        active=row.status != "disabled",
        payload_version=row.payload_version or "",
        project=ProjectId(int(row.project_id)) if row.project_id else None,
    )
