"""A whole workspace document, and made-up ones of every shape the schema allows."""

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from onecore.domain.ids import OrganisationId, ProjectId
from onecore.engine.config.composite import (
    ContractRetention,
    Due,
    Leave,
    NumberForm,
    Region,
    SecondCategory,
    Template,
)
from onecore.engine.config.kinds import (
    Amount,
    Block,
    Day,
    Flag,
    Id,
    Kind,
    ListOf,
    Nullable,
    Rows,
    Scoped,
    Text,
    Whole,
    Word,
)
from onecore.engine.config.schema import DOCUMENT, IDENTITY, identity

SAMPLE = (Path(__file__).parent / "sample.yaml").read_text()
MINIMAL = "version: 1\ncut_over: 2026-07-01\n"
FIRST = OrganisationId(UUID("a1000000-0000-4000-8000-000000000001"))
SECOND = OrganisationId(UUID("a1000000-0000-4000-8000-000000000002"))
JETTY, GLENELG = ProjectId(501), ProjectId(502)

ORGANISATIONS = [str(UUID(int=number)) for number in (1, 2)]
TEXTS = st.text(min_size=1, max_size=12).filter(
    lambda t: t.strip() != "" and "\x00" not in t and all(not 0xD800 <= ord(c) < 0xE000 for c in t)
)
AMOUNTS = st.decimals(0, 10**6, places=2).map(str)


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Plain values a kind accepts."""
    match kind:
        case Nullable(inner):
            return st.none() | values(inner)
        case Text(pattern=pattern):
            return st.sampled_from(["03-300", "03-*", "*", "Ä 1"]) if pattern else TEXTS
        case Word(words):
            return st.sampled_from([str(word) for word in words])
        case Flag():
            return st.booleans()
        case Whole(low, high):
            return st.integers(low, min(high, low + 3))
        case Day():
            return st.dates(date(2020, 1, 1), date(2030, 12, 31))
        case Id():
            return st.uuids().map(str)
        case Amount():
            return AMOUNTS
        case ListOf(inner, least):
            return st.lists(values(inner), min_size=least, max_size=3, unique=True)
        case Scoped(block):
            return blocks(block) | st.lists(blocks(block), max_size=2)
        case Rows(block):
            return st.lists(blocks(block), max_size=3)
        case Block():
            return blocks(kind)
        case _:
            return composites(kind)


def composites(kind: Kind) -> st.SearchStrategy[Any]:
    match kind:
        case Region():
            return st.sampled_from(["AU-NSW", "NZ", "GB-ENG"])
        case Due():
            return dues(with_terms=True)
        case NumberForm(words):
            rcti = TEXTS.map(lambda prefix: {"rcti": {"prefix": prefix}})
            return st.sampled_from([*words, "rcti"]) | rcti
        case SecondCategory():
            by_source = {"category": TEXTS, "source": st.sampled_from(["cost_type", "sub_job"])}
            fixed = {"category": TEXTS, "fixed": TEXTS}
            return st.fixed_dictionaries(by_source) | st.fixed_dictionaries(fixed)
        case ContractRetention(block):
            sides = {k: f for k, f in block.fields.items() if k in ("payable", "receivable")}
            flat = {k: f for k, f in block.fields.items() if k not in sides}
            return blocks(Block(sides)) | blocks(Block(flat))
        case Leave(words, block):
            return st.sampled_from(words) | blocks(block)
        case Template():
            return st.sampled_from(["{number} {name}", "{name}", "Job {number}"])
    raise AssertionError(kind)


def dues(with_terms: bool) -> st.SearchStrategy[Any]:
    days = st.integers(0, 60)
    forms = [
        st.fixed_dictionaries({"days_after_bill": days}),
        st.fixed_dictionaries({"day_of_following_month": st.integers(1, 31)}),
        st.fixed_dictionaries(
            {"business_days_after": days, "region": st.just("AU-QLD")},
            optional={"from": st.sampled_from(["submitted", "bill"])},
        ),
    ]
    if with_terms:
        terms = {"contact_terms": st.just(True)}
        forms.append(st.fixed_dictionaries(terms, optional={"else": dues(with_terms=False)}))
    return st.one_of(forms)


def blocks(block: Block) -> st.SearchStrategy[Any]:
    plain = {
        key: st.sampled_from(ORGANISATIONS) if key == "organisation" else values(field.kind)
        for key, field in block.fields.items()
    }
    must = {key: plain[key] for key, field in block.fields.items() if field.required}
    may = {key: plain[key] for key in plain if key not in must}
    return st.fixed_dictionaries(must, optional=may)


def _sound(tree: Any, name: str = "") -> Any:
    """The tree without rows about the same thing, and with code rows that lead somewhere."""
    if isinstance(tree, dict):
        return {key: _sound(value, key) for key, value in tree.items()}
    if not isinstance(tree, list) or name not in IDENTITY:
        return tree
    rows: dict[tuple[object, ...], Any] = {}
    for row in tree:
        if name == "codes":
            row["expense"] = row.get("expense") or "310"
        rows.setdefault(identity(name, row), _sound(row))
    return list(rows.values())


def _with_organisations(tree: dict[str, Any]) -> dict[str, Any]:
    rows = [{"tenant_id": ORGANISATIONS[0], "default": True}, {"tenant_id": ORGANISATIONS[1]}]
    return {**tree, "version": 1, "organisations": rows}


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Whole documents, each valid."""
    return blocks(DOCUMENT).map(_with_organisations).map(_sound)
