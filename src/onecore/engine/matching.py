"""Suggestions for the lists of both remotes, with likeness of names reckoned by rapidfuzz."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from rapidfuzz import fuzz, process

from onecore.domain import matching, matching_codes
from onecore.domain.chart import Account, Category, Contact
from onecore.domain.documents import CostCode
from onecore.domain.ids import AccountCode, ContactId, OptionId, ProjectId, VendorId
from onecore.domain.matching import FUZZY_CUTOFF, Suggestion, VendorCard
from onecore.domain.matching_codes import ProjectCard
from onecore.ports import Project, Vendor

_MOST = 5


def closest(text: str, others: Sequence[str]) -> Sequence[tuple[int, float]]:
    """The texts most like `text` by the edits between them, as places with likeness of 100."""
    found = process.extract(
        text, others, scorer=fuzz.ratio, processor=None, limit=_MOST, score_cutoff=FUZZY_CUTOFF
    )
    return [(place, likeness) for _, likeness, place in found]


def suggest_contacts(
    vendors: Iterable[Vendor],
    contacts: Iterable[Contact],
    mapped: Mapping[VendorId, ContactId] | None = None,
) -> tuple[Suggestion[VendorId, ContactId], ...]:
    """Contacts for the vendors that have none yet; `mapped` are those that do."""
    mapped = mapped or {}
    cards = [_card(vendor) for vendor in vendors if vendor.id not in mapped]
    return matching.match_vendors(cards, contacts, closest, frozenset(mapped.values()))


def contact_candidates(
    vendor: Vendor, contacts: Iterable[Contact], taken: Collection[ContactId] = ()
) -> tuple[Suggestion[VendorId, ContactId], ...]:
    """The likeliest contacts of one vendor, for a person to choose from."""
    return matching.vendor_candidates(_card(vendor), contacts, closest, taken)


def suggest_accounts(
    codes: Iterable[CostCode],
    accounts: Iterable[Account],
    known: Mapping[str, AccountCode] | None = None,
) -> tuple[Suggestion[str, AccountCode], ...]:
    """Expense accounts for cost codes; `known` are codes that have theirs."""
    return matching_codes.match_codes(codes, accounts, closest, known)


def suggest_options(
    projects: Iterable[Project], category: Category, mapped: Collection[ProjectId] = ()
) -> tuple[Suggestion[ProjectId, OptionId], ...]:
    """Tracking options for the projects that are not `mapped` yet."""
    cards = [ProjectCard(p.id, p.number, p.name) for p in projects if p.id not in mapped]
    return matching_codes.match_projects(cards, category.options, closest)


def _card(vendor: Vendor) -> VendorCard:
    return VendorCard(vendor.id, vendor.name, vendor.abn, vendor.email)
