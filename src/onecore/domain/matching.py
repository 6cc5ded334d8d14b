"""Suggestions of what in one system is what in the other, each with its reasons.

A suggestion is for a person to accept, alone or all above a score. Scores are whole numbers of
100: from 90 on something exact agrees, below that names are alike, below 60 something speaks
against it. How alike two texts are is reckoned outside and passed in as `Closest`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from onecore.domain.chart import Contact
from onecore.domain.ids import ContactId, VendorId
from onecore.domain.names import email_key, name_keys, sorted_words, tax_key

S = TypeVar("S", bound=Hashable)
T = TypeVar("T", bound=Hashable)

Similarity = Callable[[str, str], float]
"""How alike two texts are, 0 to 100."""

Closest = Callable[[str, Sequence[str]], Sequence[tuple[int, float]]]
"""The texts most like one, as places in the sequence with their likeness, best first."""

FUZZY_CUTOFF = 80.0
"""Names less alike than this are no suggestion by themselves."""


@dataclass(frozen=True, slots=True)
class Suggestion(Generic[S, T]):
    """`subject` may be `target`, with `score` of 100, and why."""

    subject: S
    target: T
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VendorCard:
    """What is known of a vendor in Procore that a contact may share."""

    id: VendorId
    name: str
    tax_number: str = ""
    email: str = ""


def by_similarity(similarity: Similarity, cutoff: float = FUZZY_CUTOFF, limit: int = 5) -> Closest:
    """A `Closest` that compares every text; for few texts."""

    def closest(text: str, others: Sequence[str]) -> Sequence[tuple[int, float]]:
        scored = [(index, similarity(text, other)) for index, other in enumerate(others)]
        near = [pair for pair in scored if pair[1] >= cutoff]
        return sorted(near, key=lambda pair: -pair[1])[:limit]

    return closest


def one_to_one(suggestions: Iterable[Suggestion[S, T]]) -> tuple[Suggestion[S, T], ...]:
    """The best of them such that nothing is suggested twice on either side, best first."""
    subjects: set[S] = set()
    targets: set[T] = set()
    kept: list[Suggestion[S, T]] = []
    for suggestion in sorted(suggestions, key=lambda s: -s.score):
        if suggestion.subject in subjects or suggestion.target in targets:
            continue
        subjects.add(suggestion.subject)
        targets.add(suggestion.target)
        kept.append(suggestion)
    return tuple(kept)


# --- vendors and contacts ---------------------------------------------------------------------


def current_contact(id: ContactId, contacts: Mapping[ContactId, Contact]) -> Contact | None:
    """The contact an id stands for now: merges followed, None when archived or unknown."""
    seen: set[ContactId] = set()
    contact = contacts.get(id)
    while contact is not None and contact.merged_to is not None and contact.id not in seen:
        seen.add(contact.id)
        contact = contacts.get(contact.merged_to)
    return contact if contact is not None and contact.active else None


def match_vendors(
    vendors: Sequence[VendorCard],
    contacts: Iterable[Contact],
    closest: Closest,
    taken: Collection[ContactId] = (),
) -> tuple[Suggestion[VendorId, ContactId], ...]:
    """At most one contact for each vendor and one vendor for each contact, best first.

    `taken` are contacts that already are somebody. Archived contacts are never suggested; what
    is known of a contact that was merged speaks for the one it was merged into.
    """
    cards = _Cards(contacts, taken, shared_emails=_shared(email_key(v.email) for v in vendors))
    return one_to_one(s for vendor in vendors for s in cards.suggestions(vendor, closest))


def vendor_candidates(
    vendor: VendorCard,
    contacts: Iterable[Contact],
    closest: Closest,
    taken: Collection[ContactId] = (),
    limit: int = 5,
) -> tuple[Suggestion[VendorId, ContactId], ...]:
    """The likeliest contacts of one vendor, best first, for a person to choose from."""
    found = _Cards(contacts, taken, frozenset()).suggestions(vendor, closest)
    return tuple(sorted(found, key=lambda s: -s.score)[:limit])


def _shared(keys: Iterable[str]) -> frozenset[str]:
    counts: defaultdict[str, int] = defaultdict(int)
    for key in keys:
        counts[key] += 1
    return frozenset(key for key, count in counts.items() if count > 1)


@dataclass(frozen=True, slots=True)
class _Sign:
    """One thing that speaks for a pair. Signs of different `kind` strengthen each other."""

    kind: str
    score: int
    reason: str


class _Cards:
    """The contacts by everything that may be shared with a vendor."""

    def __init__(
        self,
        contacts: Iterable[Contact],
        taken: Collection[ContactId],
        shared_emails: Collection[str],
    ) -> None:
        self._shared_emails = shared_emails
        self._contacts = {contact.id: contact for contact in contacts}
        self._taxes: dict[ContactId, set[str]] = defaultdict(set)
        self._by_tax: dict[str, set[ContactId]] = defaultdict(set)
        self._by_email: dict[str, set[ContactId]] = defaultdict(set)
        self._by_name: dict[str, set[ContactId]] = defaultdict(set)
        self._by_word: dict[str, set[str]] = defaultdict(set)
        self._words: dict[ContactId, set[str]] = defaultdict(set)
        taken_now = {self._now(id) for id in taken}
        for contact in self._contacts.values():
            now = self._now(contact.id)
            if now is not None and now not in taken_now:
                self._index(contact, now)
        self._names = sorted(self._by_name)
        self._sorted_names = [sorted_words(name) for name in self._names]

    def _now(self, id: ContactId) -> ContactId | None:
        contact = current_contact(id, self._contacts)
        return contact.id if contact else None

    def _index(self, contact: Contact, now: ContactId) -> None:
        if tax := tax_key(contact.tax_number):
            self._taxes[now].add(tax)
            self._by_tax[tax].add(now)
        if email := email_key(contact.email):
            self._by_email[email].add(now)
        for name in name_keys(contact.name):
            self._by_name[name].add(now)
            self._words[now].update(name.split())
            for word in name.split():
                self._by_word[word].add(name)

    def suggestions(
        self, vendor: VendorCard, closest: Closest
    ) -> list[Suggestion[VendorId, ContactId]]:
        signs: dict[ContactId, list[_Sign]] = defaultdict(list)
        self._by_numbers(vendor, signs)
        self._by_names(vendor, closest, signs)
        return [self._weighed(vendor, contact, found) for contact, found in sorted(signs.items())]

    def _by_numbers(self, vendor: VendorCard, signs: dict[ContactId, list[_Sign]]) -> None:
        tax = tax_key(vendor.tax_number)
        same = self._by_tax.get(tax, set()) if tax else set()
        for contact in same:
            alone = len(same) == 1
            more = "" if alone else f", as {len(same)} contacts have"
            signs[contact].append(
                _Sign("tax", 100 if alone else 96, f"the same tax number {tax}{more}")
            )
        for contact in self._by_company_number(tax) - same:
            reason = "the company number within the business number is the same"
            signs[contact].append(_Sign("tax", 97, reason))
        email = email_key(vendor.email)
        with_it = self._by_email.get(email, set()) if email else set()
        words = {word for key in name_keys(vendor.name) for word in key.split()}
        for contact in with_it:
            score, reason = 95, "the same e-mail address"
            if len(with_it) > 1 or email in self._shared_emails:
                score, reason = 78, f"{reason}, which others share"
            if not words & self._words[contact]:  # a bookkeeper's address, say
                score, reason = 75, f"{reason}, but no word of the names"
            signs[contact].append(_Sign("email", score, reason))

    def _by_company_number(self, tax: str) -> set[ContactId]:
        """An Australian company's ABN (11 digits) ends with its ACN (9 digits)."""
        if len(tax) == 11:
            return self._by_tax.get(tax[2:], set())
        if len(tax) == 9:
            return {c for key, ids in self._by_tax.items() if key[2:] == tax for c in ids}
        return set()

    def _by_names(
        self, vendor: VendorCard, closest: Closest, signs: dict[ContactId, list[_Sign]]
    ) -> None:
        for key in name_keys(vendor.name):
            same = self._by_name.get(key, set())
            for contact in same:
                more = "" if len(same) == 1 else f", as {len(same)} contacts have"
                sign = _Sign("name", 90 if len(same) == 1 else 80, f"the same name{more}")
                signs[contact].append(sign)
            for place, likeness in closest(sorted_words(key), self._sorted_names):
                if likeness >= FUZZY_CUTOFF and self._names[place] != key:
                    reason = f"names {likeness:.0f} % alike: {self._names[place]}"
                    sign = _Sign("name", round(likeness * 0.85), reason)
                    for contact in self._by_name[self._names[place]]:
                        signs[contact].append(sign)
            for name in self._within(key):
                for contact in self._by_name[name]:
                    signs[contact].append(
                        _Sign("name", 66, f"one name is part of the other: {name}")
                    )

    def _within(self, key: str) -> list[str]:
        """The one name of two words or more that lies within this one, or around it."""
        words = frozenset(key.split())
        near = {name for word in words for name in self._by_word.get(word, ())}
        found = []
        for name in near:
            others = frozenset(name.split())
            if min(len(words), len(others)) > 1 and (words < others or others < words):
                found.append(name)
        return found if len(found) == 1 else []

    def _weighed(
        self, vendor: VendorCard, contact: ContactId, signs: list[_Sign]
    ) -> Suggestion[VendorId, ContactId]:
        best: dict[str, _Sign] = {}
        for sign in signs:
            if sign.kind not in best or best[sign.kind].score < sign.score:
                best[sign.kind] = sign
        ordered = sorted(best.values(), key=lambda sign: -sign.score)
        score = ordered[0].score
        if score < 99:
            score = min(99, score + 3 * (len(ordered) - 1))
        reasons = [sign.reason for sign in ordered]
        tax, theirs = tax_key(vendor.tax_number), self._taxes.get(contact, set())
        if tax and theirs and "tax" not in best:
            score = min(score, 55)
            reasons.append(f"but their tax numbers differ: {tax} and {min(theirs)}")
        return Suggestion(vendor.id, contact, score, tuple(reasons))
