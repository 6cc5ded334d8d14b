"""What has to be done so that a scope has the one webhook it should have; pure [P 5.1].

Ours are known by their address, whose last part is a long random name of ours, or by their id.
Hooks of anybody else are left alone, also those of another OneCore that uses the same app.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from onecore.ports import HookResource, HookTrigger, RemoteHook

PATH = "/webhooks/procore/"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The hook a scope should have. `id` is the one it is known to have had, or ""; `is_new`:
    Procore cannot have been told this bearer for sure."""

    name: str
    base_url: str
    bearer: str = field(repr=False)
    id: str = ""
    is_new: bool = False

    @property
    def url(self) -> str:
        return f"{self.base_url}{PATH}{self.name}"


@dataclass(frozen=True, slots=True)
class Plan:
    """`keep` is the hook to go on with, None: make one. `mend`: it has to be set right first.
    `remove` are doubles of ours, and what was switched off."""

    keep: str | None
    mend: bool
    remove: tuple[str, ...]


def plan(known: Sequence[RemoteHook], wanted: Wanted, names: Collection[str]) -> Plan:
    """What to do about the hooks there are in the scope; `names` are those of every hook of ours.

    One that is switched off is replaced: a project's hook takes no status [P 5.1].
    """
    ours = [h for h in known if name_of(h.url) == wanted.name or (wanted.id and h.id == wanted.id)]
    at_our_address = [h for h in known if h.url.startswith(f"{wanted.base_url}{PATH}")]
    forgotten = [h for h in at_our_address if name_of(h.url) not in names and h not in ours]
    live = [hook for hook in ours if hook.active]
    live.sort(key=lambda hook: (not _is_right(hook, wanted), hook.id != wanted.id))
    keep = live[0] if live else None
    return Plan(
        keep=keep.id if keep else None,
        mend=keep is not None and not _is_right(keep, wanted),
        remove=tuple(hook.id for hook in [*ours, *forgotten] if hook is not keep),
    )


def name_of(url: str) -> str:
    """The name a hook's address ends with, "" where it is no address of a OneCore."""
    path = urlsplit(url).path
    _, found, name = path.rpartition(PATH)
    return name if found and "/" not in name else ""


def _is_right(hook: RemoteHook, wanted: Wanted) -> bool:
    """Whether it rings here with our secret, as far as Procore tells; a masked one says nothing."""
    told = hook.authorization
    is_hidden = not told or "*" in told
    carries = told == f"Bearer {wanted.bearer}" or (is_hidden and not wanted.is_new)
    return hook.url == wanted.url and carries


@dataclass(frozen=True, slots=True)
class Telling:
    """Triggers a hook lacks, and the ids of those it should not have."""

    missing: tuple[HookTrigger, ...]
    extra: tuple[str, ...]


def telling(
    offered: Iterable[HookResource], wants: Collection[str], have: Iterable[HookTrigger]
) -> Telling:
    """What to change about a hook's triggers; `wants` are resources in lower case.

    What is not offered in the scope cannot be had: the feeds and sweeps do without it.
    """
    wanted = dict.fromkeys(
        HookTrigger(resource.name, action)
        for resource in offered
        if resource.name.lower() in wants
        for action in resource.actions
    )
    there = list(have)
    return Telling(
        missing=tuple(trigger for trigger in wanted if trigger not in there),
        extra=tuple(trigger.id for trigger in there if trigger not in wanted and trigger.id),
    )


def can_ring(base_url: str, api_url: str) -> bool:
    """Whether Procore can reach us there: by https, or both are on this machine."""
    ours, theirs = urlsplit(base_url), urlsplit(api_url)
    if theirs.hostname in LOOPBACK:
        return True
    return ours.scheme == "https" and ours.hostname not in LOOPBACK
