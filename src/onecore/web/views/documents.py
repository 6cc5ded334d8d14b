"""The list of documents and one document's page; what the remotes say arrives after the paint."""

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from onecore.domain.ids import ProjectId
from onecore.domain.refs import BadRef, Flow, Kind, SourceRef, parse_ref
from onecore.engine.use import attending, beside, glancing, looking, syncing
from onecore.engine.use.looking import Pair, Seen
from onecore.web import words
from onecore.web.access import Right, Seat, in_workspace
from onecore.web.views.showing import (
    EXPECTED,
    LONGEST_READ,
    attempt,
    page,
    part,
    whole,
    why,
)

PER_PAGE = 50


class Filter:
    """What a list is narrowed to, read from the query; nonsense narrows nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self.state = self._known(request.GET.get("state"), words.STATES)
        flow = self._known(request.GET.get("flow"), words.FLOWS)
        self.flow = Flow(flow) if flow else None
        project = request.GET.get("project", "")
        self.project = int(project) if project.isdecimal() and len(project) < 16 else None
        self.page = whole(request.GET.get("page"), 1)

    @staticmethod
    def _known(value: str | None, among: dict[str, object] | object) -> str | None:
        return value if value and value in among else None  # type: ignore[operator]

    def query(self, page: int | None = None) -> str:
        values = {
            "state": self.state,
            "flow": self.flow.value if self.flow else None,
            "project": self.project,
            "page": page if page is not None else self.page,
        }
        return urlencode({k: v for k, v in values.items() if v and (k != "page" or v != 1)})

    @property
    def narrows(self) -> bool:
        return bool(self.state or self.flow or self.project)


def _shown(seat: Seat, chosen: Filter) -> list[Pair]:
    start = (chosen.page - 1) * PER_PAGE
    return looking.pairs(
        seat.service,
        seat.workspace,
        chosen.flow,
        chosen.state,
        chosen.project,
        start,
        PER_PAGE,
    )


@in_workspace()
def documents(request: HttpRequest, seat: Seat) -> HttpResponse:
    chosen = Filter(request)
    total = glancing.count(seat.workspace, chosen.flow, chosen.state, chosen.project)
    pages = max(1, -(-total // PER_PAGE))
    labels = glancing.project_labels(seat.service, seat.workspace)
    projects = sorted(labels.items(), key=lambda pair: pair[1].casefold())
    states = glancing.states_of(seat.workspace)
    return page(
        request,
        seat,
        "documents.html",
        "documents",
        chosen=chosen,
        pairs=_shown(seat, chosen),
        seen={},
        total=total,
        pages=pages,
        before=chosen.query(chosen.page - 1) if chosen.page > 1 else None,
        after=chosen.query(chosen.page + 1) if chosen.page < pages else None,
        projects=projects,
        labels=labels,
        all_states=[(code, word.label, states.get(code, 0)) for code, word in words.STATES.items()],
        any_documents=bool(states),
        steps=glancing.steps_of(seat.workspace) if not states else None,
    )


@in_workspace()
def documents_live(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The same rows with numbers, parties and amounts, one call per organisation."""
    chosen = Filter(request)
    pairs = _shown(seat, chosen)
    seen: dict[str, Seen] = {}
    troubles: list[str] = []
    for read in (looking.fill_in, beside.claims_seen):
        try:
            seen |= seat.service.run(
                read(seat.service, seat.workspace, pairs), timeout=LONGEST_READ
            )
        except EXPECTED as error:  # one side's trouble does not hide the other's figures
            troubles.append(why(error))
    return part(
        request,
        seat,
        "document_rows.html",
        pairs=pairs,
        seen=seen,
        live=True,
        trouble=" ".join(dict.fromkeys(troubles)),
        labels=glancing.project_labels(seat.service, seat.workspace),
        chosen=chosen,
    )


# --- one document -----------------------------------------------------------------------------


def ref_of(text: str) -> SourceRef:
    try:
        ref = parse_ref(text)
    except BadRef:
        raise Http404 from None
    if ref.kind is not Kind.REQUISITION or ref.project is None:
        raise Http404
    return SourceRef(ref.kind, ref.id, ProjectId(ref.project))


@in_workspace()
def document(request: HttpRequest, seat: Seat, ref: str) -> HttpResponse:
    wanted = ref_of(ref)
    pair = glancing.pair(seat.service, seat.workspace, wanted)
    groups = glancing.matters_of(seat.service, seat.workspace, wanted)
    base = glancing.company(seat.workspace)[2]
    labels = glancing.project_labels(seat.service, seat.workspace)
    return page(
        request,
        seat,
        "document.html",
        "documents",
        ref=str(wanted),
        number=wanted.id,
        pair=pair,
        matters=[(group, group.items[0]) for group in groups],
        approval=any(group.cause == "approval" for group in groups),
        procore_url=looking.procore_url(base, wanted) if base else "",
        project=labels.get(int(wanted.project or 0), f"Project {wanted.project}"),
        history=looking.history(seat.workspace, wanted),
        asked=glancing.is_asked(seat.service, seat.workspace, wanted),
    )


@in_workspace()
def document_live(request: HttpRequest, seat: Seat, ref: str) -> HttpResponse:
    """Both sides, the plan and its effect, read now."""
    wanted = ref_of(ref)
    try:
        sides = seat.service.run(
            beside.sides(seat.service, seat.workspace, wanted), timeout=LONGEST_READ
        )
    except EXPECTED as error:
        return part(request, seat, "trouble.html", trouble=why(error), again=request.path)
    return part(request, seat, "sides.html", sides=sides, plan=sides.preview, ref=str(wanted))


@in_workspace()
def document_state(request: HttpRequest, seat: Seat, ref: str) -> HttpResponse:
    """Whether it is still being looked at; once done, the page is asked to show itself anew."""
    wanted = ref_of(ref)
    if glancing.is_asked(seat.service, seat.workspace, wanted):
        return part(request, seat, "looking.html", ref=str(wanted))
    answer = HttpResponse()
    answer["HX-Refresh"] = "true"
    return answer


@in_workspace(post=Right.ACT)
def sync_now(request: HttpRequest, seat: Seat, ref: str) -> HttpResponse:
    wanted = ref_of(ref)
    if request.method == "POST":
        attempt(
            request,
            lambda: syncing.say(seat.service, seat.workspace, [wanted]),
            lambda _: "",
        )
    return redirect("document", workspace=seat.workspace, ref=str(wanted))


@in_workspace(post=Right.ACT)
def approve(request: HttpRequest, seat: Seat, ref: str) -> HttpResponse:
    wanted = ref_of(ref)
    if request.method == "POST":
        attempt(
            request,
            lambda: attending.approve(seat.service, seat.workspace, wanted, seat.actor),
            lambda _: f"{words.claim(str(wanted))} is approved and goes to Xero.",
        )
    return redirect("document", workspace=seat.workspace, ref=str(wanted))


@in_workspace(post=Right.ACT)
def reject(request: HttpRequest, seat: Seat, ref: str) -> HttpResponse:
    wanted = ref_of(ref)
    if request.method == "POST":
        reason = request.POST.get("reason", "")
        attempt(
            request,
            lambda: attending.reject(seat.service, seat.workspace, wanted, reason, seat.actor),
            lambda _: f"{words.claim(str(wanted))} is rejected; no bill is made.",
        )
    return redirect("document", workspace=seat.workspace, ref=str(wanted))


# --- the search box ---------------------------------------------------------------------------


@in_workspace()
def go(request: HttpRequest, seat: Seat) -> HttpResponse:
    """To the document a pasted link, ref or number names, or a page that says why not."""
    text = request.GET.get("q", "").strip()[:500]
    ref, reason = glancing.named(seat.workspace, text)
    if ref is not None:
        return redirect("document", workspace=seat.workspace, ref=str(ref))
    return page(request, seat, "go.html", "documents", q=text, reason=reason)
