"""Who is suggested for whom, how surely, and why."""

import time
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from onecore.domain.chart import Contact
from onecore.domain.ids import ContactId, VendorId
from onecore.domain.matching import (
    Suggestion,
    VendorCard,
    by_similarity,
    current_contact,
    match_vendors,
    one_to_one,
    vendor_candidates,
)
from onecore.engine.matching import closest, suggest_contacts
from onecore.ports import Vendor

ABN, OTHER_ABN = "51 824 753 556", "53 004 085 616"


def cid(number: int) -> ContactId:
    return ContactId(UUID(int=number))


def contact(
    number: int,
    name: str,
    tax: str = "",
    email: str = "",
    active: bool = True,
    merged_to: int | None = None,
) -> Contact:
    return Contact(cid(number), name, active, tax, email, cid(merged_to) if merged_to else None)


def vendor(number: int, name: str, tax: str = "", email: str = "") -> VendorCard:
    return VendorCard(VendorId(number), name, tax, email)


def best(card: VendorCard, *contacts: Contact) -> Suggestion[VendorId, ContactId] | None:
    found = match_vendors([card], contacts, closest)
    return found[0] if found else None


def scored(card: VendorCard, *contacts: Contact) -> tuple[int, int] | None:
    """Number of the contact suggested, and the score."""
    found = best(card, *contacts)
    return (found.target.int, found.score) if found else None


# --- one sign at a time -------------------------------------------------------------------------


def test_the_same_tax_number_is_certain_whatever_the_name() -> None:
    found = best(vendor(1, "Gulf", ABN), contact(5, "Zenith", "51824753556"), contact(6, "Gulf"))
    assert found is not None
    assert (found.target, found.score) == (cid(5), 100)
    assert found.reasons == ("the same tax number 51824753556",)


def test_a_company_number_within_a_business_number() -> None:
    assert scored(vendor(1, "Gulf", ABN), contact(5, "Zenith", "824 753 556")) == (5, 97)
    assert scored(vendor(1, "Gulf", "824753556"), contact(5, "Zenith", ABN)) == (5, 97)


def test_the_same_address_with_a_name_akin() -> None:
    card = vendor(1, "Gulf Concrete", email="Pay@gulf.example")
    found = best(card, contact(5, "Gulf Con. Sales", email="pay@gulf.example"))
    assert found is not None
    assert (found.score, found.reasons) == (95, ("the same e-mail address",))


def test_the_same_address_under_names_without_a_word_in_common_stays_below_the_exact() -> None:
    card = vendor(1, "Gulf Concrete", email="books@keeper.example")
    assert scored(card, contact(5, "Zenith Glass", email="books@keeper.example")) == (5, 75)


def test_an_address_that_several_share_says_less() -> None:
    address = "books@keeper.example"
    card = vendor(1, "Gulf Concrete", email=address)
    shared = [contact(5, "Gulf Hire", email=address), contact(6, "Zenith", email=address)]
    assert scored(card, *shared) == (5, 78)


def test_the_same_name_in_another_spelling() -> None:
    found = best(vendor(1, "SMITH BROS P/L"), contact(5, "Smith Brothers Pty Ltd"))
    assert found is not None
    assert (found.score, found.reasons) == (90, ("the same name",))


def test_two_contacts_of_one_name_are_below_the_exact() -> None:
    found = best(vendor(1, "Hall"), contact(5, "Hall"), contact(6, "Hall Pty Ltd"))
    assert found is not None
    assert (found.score, found.reasons) == (80, ("the same name, as 2 contacts have",))


def test_names_alike() -> None:
    found = best(vendor(1, "Northcote Scafolding"), contact(5, "Northcote Scaffolding Pty Ltd"))
    assert found is not None
    assert found.score == 83
    assert found.reasons == ("names 98 % alike: northcote scaffolding",)


def test_the_order_of_words_does_not_matter() -> None:
    assert scored(vendor(1, "Plumbing Services Hall"), contact(5, "Hall Plumbing Services")) == (
        5,
        85,
    )


def test_one_name_within_the_other() -> None:
    found = best(vendor(1, "Gulf Concrete"), contact(5, "Gulf Concrete Pumping South"))
    assert found is not None
    assert found.score == 66
    assert found.reasons == ("one name is part of the other: gulf concrete pumping south",)


def test_one_word_within_many_names_says_nothing() -> None:
    assert scored(vendor(1, "Gulf"), contact(5, "Gulf Concrete Pumping South")) is None


def test_strangers() -> None:
    assert scored(vendor(1, "Gulf Concrete"), contact(5, "Zenith Glass")) is None
    assert scored(vendor(1, ""), contact(5, "")) is None


# --- signs together ---------------------------------------------------------------------------


def test_an_address_and_a_name_together_are_surer_than_either() -> None:
    card = vendor(1, "Gulf Concrete", email="pay@gulf.example")
    found = best(card, contact(5, "Gulf Concrete", email="pay@gulf.example"))
    assert found is not None
    assert found.score == 98
    assert found.reasons == ("the same e-mail address", "the same name")


def test_tax_numbers_that_differ_speak_against_the_same_name() -> None:
    found = best(vendor(1, "Hall", ABN), contact(5, "Hall", OTHER_ABN))
    assert found is not None
    assert found.score == 55
    assert found.reasons[-1] == "but their tax numbers differ: 51824753556 and 53004085616"


def test_order_of_the_signs() -> None:
    """Tax number over address over name, each with a contact of its own."""
    card = vendor(1, "Gulf Concrete", ABN, "pay@gulf.example")
    by_tax = contact(5, "Alpha", ABN)
    by_email = contact(6, "Gulf Sand", email="pay@gulf.example")
    by_name = contact(7, "Gulf Concrete")
    alike = contact(8, "Gulf Concretes")
    found = vendor_candidates(card, [alike, by_name, by_email, by_tax], closest)
    assert [s.target for s in found] == [cid(5), cid(6), cid(7), cid(8)]
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)


# --- who can be suggested -----------------------------------------------------------------------


def test_an_archived_contact_is_never_suggested() -> None:
    assert scored(vendor(1, "Hall", ABN), contact(5, "Hall", ABN, active=False)) is None
    assert scored(
        vendor(1, "Hall", ABN), contact(5, "Hall", ABN, active=False), contact(6, "Hal Hire")
    ) in (None, (6, 66))


def test_what_is_known_of_a_merged_contact_speaks_for_where_it_went() -> None:
    gone = contact(5, "Hall", ABN, active=False, merged_to=6)
    further = contact(6, "Hall Holdings", active=False, merged_to=7)
    there = contact(7, "H Group")
    assert scored(vendor(1, "Hall", ABN), gone, further, there) == (7, 100)


def test_a_merge_into_an_archived_contact_leads_nowhere() -> None:
    gone = contact(5, "Hall", ABN, active=False, merged_to=6)
    assert scored(vendor(1, "Hall", ABN), gone, contact(6, "H", active=False)) is None


def test_merges_in_a_circle_end() -> None:
    one, two = (
        contact(5, "A", merged_to=6, active=False),
        contact(6, "B", merged_to=5, active=False),
    )
    assert current_contact(cid(5), {c.id: c for c in (one, two)}) is None


def test_a_contact_taken_already_is_not_suggested_again() -> None:
    cards, contacts = [vendor(1, "Hall")], [contact(5, "Hall")]
    assert match_vendors(cards, contacts, closest, taken={cid(5)}) == ()
    merged = contact(4, "Hall Old", active=False, merged_to=5)
    assert match_vendors(cards, [*contacts, merged], closest, taken={cid(4)}) == ()


def test_two_vendors_do_not_get_the_same_contact() -> None:
    cards = [vendor(1, "Hall Plumbing"), vendor(2, "Hall Plumbing Services", ABN)]
    contacts = [contact(5, "Hall Plumbing", ABN), contact(6, "Hall Plumbing Co")]
    found = {s.subject: (s.target.int, s.score) for s in match_vendors(cards, contacts, closest)}
    assert found[VendorId(2)] == (5, 100)
    assert found[VendorId(1)][0] == 6


PAIRS: st.SearchStrategy[list[Suggestion[int, int]]] = st.lists(
    st.builds(Suggestion, st.integers(0, 5), st.integers(0, 5), st.integers(0, 100), st.just(()))
)


@given(PAIRS)
def test_one_to_one(suggestions: list[Suggestion[int, int]]) -> None:
    kept = one_to_one(suggestions)
    assert len({s.subject for s in kept}) == len({s.target for s in kept}) == len(kept)
    for left in set(suggestions) - set(kept):  # only a better one stands in its way
        assert any(
            k.score >= left.score and (k.subject == left.subject or k.target == left.target)
            for k in kept
        )


# --- likeness -----------------------------------------------------------------------------------


def test_any_similarity_can_be_passed_in() -> None:
    near = by_similarity(lambda one, other: 99.0 if one[0] == other[0] else 0.0)
    found = match_vendors([vendor(1, "Gulf")], [contact(5, "Zeta"), contact(6, "Gamma")], near)
    assert [(s.target, s.score) for s in found] == [(cid(6), 84)]


@given(st.text("abc ", max_size=8), st.lists(st.text("abc ", max_size=8), max_size=5))
def test_the_quick_likeness_is_the_plain_one(text: str, others: list[str]) -> None:
    plain = by_similarity(fuzz.ratio)
    assert dict(closest(text, others)) == pytest.approx(dict(plain(text, others)))


# --- the lists of the remotes -------------------------------------------------------------------


def test_vendors_that_have_a_contact_are_left_alone() -> None:
    vendors = [Vendor(VendorId(1), "Hall", True), Vendor(VendorId(2), "Gulf", True, ABN)]
    contacts = [contact(5, "Hall"), contact(6, "G", ABN)]
    found = suggest_contacts(vendors, contacts, {VendorId(1): cid(5)})
    assert [(s.subject, s.target) for s in found] == [(2, cid(6))]


def test_two_thousand_vendors_against_five_thousand_contacts() -> None:
    """Measured in this process's own time, so that a busy machine fails nothing."""
    dice = Random(7)
    syllables = [c + v for c in "bcdfglmnprst" for v in "aeiou"]
    trades = ("Plumbing", "Electrical", "Concrete", "Joinery", "Roofing", "Civil", "Glass")
    names = [
        f"{''.join(dice.choices(syllables, k=4)).title()} {dice.choice(trades)} Pty Ltd"
        for _ in range(5000)
    ]
    contacts = [contact(number + 1, name) for number, name in enumerate(names)]
    vendors = []
    for number, name in enumerate(names[:2000]):
        at = dice.randrange(8)
        vendors.append(Vendor(VendorId(number + 1), name[:at] + name[at + 1 :], True))
    start = time.process_time()
    found = suggest_contacts(vendors, contacts)
    assert time.process_time() - start < 20
    right = sum(s.target.int == s.subject for s in found)
    assert right > 1850
    assert all(s.score < 90 for s in found)  # a missing letter is nothing exact
