"""Settings: the switches of the flows, and the workspace document with its check, diff and past."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from onecore.domain.refs import BUILT, Flow
from onecore.domain.settings import Mode
from onecore.engine import config
from onecore.engine.config import Change, Problem
from onecore.engine.use import configuring, glancing, switching, workspaces
from onecore.engine.use.configuring import BadConfig
from onecore.engine.use.errors import UseError
from onecore.web import words
from onecore.web.access import Right, Seat, in_workspace
from onecore.web.views.showing import EXPECTED, LONGEST_READ, page, whole, why

LONGEST = 1_000_000  # characters of a document


@in_workspace(post=Right.MANAGE)
def settings(request: HttpRequest, seat: Seat) -> HttpResponse:
    if request.method == "POST":
        return _checked_or_saved(request, seat)
    asked = request.GET.get("version")
    text = configuring.export(seat.workspace)
    brought = None
    if asked and asked.isdecimal():
        brought = glancing.version_text(seat.workspace, whole(asked, 1))
    return _shown(request, seat, brought or text, restored=asked if brought else "")


def _shown(
    request: HttpRequest,
    seat: Seat,
    text: str,
    *,
    problems: tuple[Problem, ...] = (),
    trouble: str = "",
    changes: tuple[Change, ...] | None = None,
    restored: str | None = "",
    status: int = 200,
) -> HttpResponse:
    overview = workspaces.show(seat.workspace)
    flows = [
        (flow.value, *words.FLOWS[flow.value], overview.flows.get(flow.value, "off"), flow in BUILT)
        for flow in Flow
    ]
    return page(
        request,
        seat,
        "settings.html",
        "settings",
        status=status,
        text=text,
        rows=min(40, max(16, text.count("\n") + 2)),
        number=overview.config_number,
        problems=problems,
        trouble=trouble,
        changes=changes,
        restored=restored,
        flows=flows,
        modes=words.MODES,
        paused=overview.paused,
        versions=glancing.versions(seat.workspace),
    )


def _checked_or_saved(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Check shows what would change; only what was checked against the newest version is saved."""
    text = request.POST.get("text", "").replace("\r\n", "\n")[:LONGEST]
    saving = "save" in request.POST
    try:
        found = configuring.import_text(
            seat.service, seat.workspace, text, seat.actor, dry_run=True
        )
        if saving and found.number != whole(request.POST.get("number"), 0):
            return _shown(
                request,
                seat,
                text,
                changes=found.changes,
                trouble="Somebody saved another version meanwhile. Look at the differences again.",
                status=409,
            )
        if saving:
            configuring.import_text(seat.service, seat.workspace, text, seat.actor)
    except BadConfig as bad:
        return _shown(request, seat, text, problems=bad.problems, status=400)
    except UseError as error:
        return _shown(request, seat, text, trouble=str(error), status=400)
    if not saving:
        return _shown(request, seat, text, changes=found.changes)
    messages.success(request, "Saved. What waited is looked at again.")
    return redirect("settings", workspace=seat.workspace)


@in_workspace(post=Right.MANAGE)
def flow(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Set one flow's mode."""
    if request.method != "POST":
        return redirect("settings", workspace=seat.workspace)
    try:
        messages.success(request, _set_mode(request, seat))
    except switching.Uncovered as uncovered:
        count = len(uncovered.report.coverage.gaps)
        what = "thing is" if count == 1 else "things are"
        messages.error(
            request,
            f"Not switched on: {count} {what} missing that would hold a claim of a live contract. "
            "Settle them below, then switch on again.",
        )
        return redirect("coverage", workspace=seat.workspace)
    except EXPECTED as error:
        messages.error(request, why(error))
    return redirect("settings", workspace=seat.workspace)


def _set_mode(request: HttpRequest, seat: Seat) -> str:
    """Switching on goes by coverage, so that it is refused while a gap would hold a document."""
    chosen = workspaces.checked_flow(request.POST.get("flow", ""))
    try:
        mode = Mode(request.POST.get("mode", ""))
    except ValueError:
        raise UseError(f"A flow is one of: {', '.join(Mode)}.") from None
    before = workspaces.mode_of(seat.workspace, chosen)
    if mode in switching.CARRYING and before not in switching.CARRYING:
        work = switching.switch_on(seat.service, seat.workspace, [chosen.value], seat.actor, mode)
        seat.service.run(work, timeout=LONGEST_READ)
    elif mode is Mode.OFF:  # projects with a mode of their own included
        switching.pause(seat.service, seat.workspace, [chosen.value], seat.actor)
    elif mode is not before:
        configuring.edit(
            seat.service,
            seat.workspace,
            lambda text: config.set_flow_mode(text, chosen, mode),
            seat.actor,
            f"{chosen.value}: {mode.value}",
        )
    return f"{words.flow(chosen.value)}: {words.mode(mode.value).lower()}."
