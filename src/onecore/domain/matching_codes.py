"""Suggestions for the chart: cost codes and expense accounts, projects and tracking options.

Much weaker than those for vendors: that two names are alike says little about how a builder
keeps books. They save typing, and a person decides.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from onecore.domain.chart import Account, AccountClass, Option
from onecore.domain.documents import CostCode
from onecore.domain.ids import AccountCode, OptionId, ProjectId
from onecore.domain.matching import FUZZY_CUTOFF, Closest, Suggestion, one_to_one
from onecore.domain.names import plain_words, sorted_words

# What the divisions builders number their codes by are about; two- and five-digit codes share it.
_DIVISIONS = {
    "01": "preliminaries site establishment general overheads supervision",
    "02": "demolition earthworks site works excavation civil",
    "03": "concrete formwork reinforcement",
    "04": "masonry brickwork blockwork concrete",
    "05": "structural steel metalwork metals",
    "06": "carpentry joinery timber",
    "07": "roofing waterproofing insulation cladding",
    "08": "windows doors glazing openings",
    "09": "finishes linings plasterboard painting tiling flooring",
    "10": "fittings specialties signage",
    "11": "equipment fittings",
    "12": "furniture furnishings fittings",
    "13": "special construction pools",
    "14": "lifts conveying equipment",
    "15": "mechanical hydraulic plumbing services",
    "16": "electrical services",
    "21": "fire services",
    "22": "plumbing hydraulic services",
    "23": "mechanical air conditioning services",
    "26": "electrical services",
    "27": "communications data electrical services",
    "28": "security electronic services",
    "31": "earthworks excavation civil demolition",
    "32": "external works landscaping paving",
    "33": "utilities drainage civil",
}
_WEAK_WORDS = frozenset(
    ("and", "of", "the", "for", "other", "general", "cost", "expense", "direct", "service", "work")
)


def division_of(code: str) -> str:
    """The division of a cost code: "03" of "03-300" and "03 30 00"; "" when it has none."""
    words = plain_words(code)
    return words[0] if words and len(words) > 1 else ""


def match_codes(
    codes: Iterable[CostCode],
    accounts: Iterable[Account],
    closest: Closest,
    known: Mapping[str, AccountCode] | None = None,
) -> tuple[Suggestion[str, AccountCode], ...]:
    """At most one expense account for each cost code that is not `known` yet, best first.

    By the words both names share, by names alike, by where other codes of the division go, and
    by what the division is usually about. Several codes on one account are normal.
    """
    usable = [
        a for a in accounts if a.active and a.klass is AccountClass.EXPENSE and a.may_carry_lines
    ]
    known = known or {}
    by_code = {code.code.strip(): code for code in codes if code.code.strip() not in known}
    names = [sorted_words(" ".join(plain_words(account.name))) for account in usable]
    found: dict[str, Suggestion[str, AccountCode]] = {}
    for code, cost_code in by_code.items():
        if best := _by_name(code, cost_code.name, usable, names, closest):
            found[code] = best
    votes = _votes(known, found)
    for code in by_code:
        for other in (_by_votes(code, votes, usable), _by_division(code, usable)):
            if other and (code not in found or other.score > found[code].score):
                found[code] = other
    return tuple(sorted(found.values(), key=lambda s: (-s.score, s.subject)))


def _telling(text: str) -> dict[str, str]:
    """The words of a name that tell one from another, by their singulars."""
    words = {w.removesuffix("s") if len(w) > 4 else w: w for w in plain_words(text)}
    return {singular: word for singular, word in words.items() if singular not in _WEAK_WORDS}


def _by_name(
    code: str, name: str, usable: Sequence[Account], names: Sequence[str], closest: Closest
) -> Suggestion[str, AccountCode] | None:
    own = _telling(name)
    best: tuple[int, int, str] | None = None  # score, place in reverse, reason
    for place, account in enumerate(usable):
        theirs = _telling(account.name)
        shared = own.keys() & theirs.keys()
        if own and own.keys() == theirs.keys():
            score, reason = 80, f"the same name: {account.name}"
        elif shared:
            share = 2 * len(shared) / (len(own) + len(theirs))
            score = 45 + round(25 * share)
            words = ", ".join(sorted(theirs[word] for word in shared))
            reason = f"both speak of {words}: {account.name}"
        else:
            continue
        best = max(best or (0, 0, ""), (score, -place, reason))
    for place, likeness in closest(sorted_words(" ".join(plain_words(name))), names):
        if likeness >= FUZZY_CUTOFF:
            reason = f"names {likeness:.0f} % alike: {usable[place].name}"
            best = max(best or (0, 0, ""), (round(likeness * 0.75), -place, reason))
    if best is None:
        return None
    return Suggestion(code, usable[-best[1]].code, best[0], (best[2],))


def _votes(
    known: Mapping[str, AccountCode], found: Mapping[str, Suggestion[str, AccountCode]]
) -> dict[str, Counter[AccountCode]]:
    """How often each account is used in a division; what a person chose counts three times."""
    votes: dict[str, Counter[AccountCode]] = defaultdict(Counter)
    for code, account in known.items():
        votes[division_of(code)][account] += 3
    for suggestion in found.values():
        votes[division_of(suggestion.subject)][suggestion.target] += 1
    return votes


def _by_votes(
    code: str, votes: Mapping[str, Counter[AccountCode]], usable: Sequence[Account]
) -> Suggestion[str, AccountCode] | None:
    division = division_of(code)
    tally = votes.get(division, Counter())
    if not division or not tally:
        return None
    account, count = max(tally.items(), key=lambda item: (item[1], item[0]))
    if account not in {a.code for a in usable}:
        return None
    share = count / tally.total()
    reason = f"other codes of division {division} go to {account}"
    return Suggestion(code, account, 25 + round(20 * share), (reason,)) if share > 0.5 else None


def _by_division(code: str, usable: Sequence[Account]) -> Suggestion[str, AccountCode] | None:
    division = division_of(code)[:2]
    about = _telling(_DIVISIONS.get(division, ""))
    scored = [(len(about.keys() & _telling(account.name).keys()), account) for account in usable]
    most = max((count for count, _ in scored), default=0)
    best = [account for count, account in scored if count == most]
    if most == 0 or len(best) != 1:
        return None
    usual = ", ".join(_DIVISIONS[division].split())
    reason = f"division {division} is usually about {usual}"
    return Suggestion(code, best[0].code, 30 + min(most, 2) * 5, (reason,))


# --- projects ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProjectCard:
    id: ProjectId
    number: str
    name: str


def match_projects(
    projects: Iterable[ProjectCard], options: Iterable[Option], closest: Closest
) -> tuple[Suggestion[ProjectId, OptionId], ...]:
    """At most one tracking option for each project and one project for each option, best first.

    Archived options are never suggested.
    """
    projects = tuple(projects)
    active = [option for option in options if option.active]
    words = [_number_words(option.name) for option in active]
    texts = [" ".join(w) for w in words]
    numbers = Counter(tuple(_number_words(p.number)) for p in projects)
    found: list[Suggestion[ProjectId, OptionId]] = []
    for project in projects:
        number, name = _number_words(project.number), _number_words(project.name)
        alone = numbers[tuple(number)] == 1
        for place, option in enumerate(active):
            if sign := _project_sign(number if alone else [], name, words[place]):
                found.append(Suggestion(project.id, option.id, sign[0], (sign[1],)))
        for place, likeness in closest(" ".join(name), texts) if name else ():
            if likeness >= FUZZY_CUTOFF:
                reason = f"names {likeness:.0f} % alike"
                score = round(likeness * 0.75)
                found.append(Suggestion(project.id, active[place].id, score, (reason,)))
    return one_to_one(found)


def _number_words(text: str) -> list[str]:
    """Words with numbers freed of leading zeros: "P-007 Riverside" is p, 7, riverside."""
    parts = [p for word in plain_words(text) for p in _split_digits(word)]
    return [part.lstrip("0") or "0" if part.isdigit() else part for part in parts]


def _split_digits(word: str) -> list[str]:
    result: list[str] = []
    for char in word:
        if result and char.isdigit() == result[-1][-1].isdigit():
            result[-1] += char
        else:
            result.append(char)
    return result


def _project_sign(number: list[str], name: list[str], option: list[str]) -> tuple[int, str] | None:
    if number and name and option in (number + name, name + number):
        return 100, "the same number and name"
    if number and option[: len(number)] == number:
        if set(option[len(number) :]) & set(name):
            return 95, "the same number, and names that share words"
        return 85 if len(option) == len(number) else 70, "the same number"
    if name and option == name:
        return 88, "the same name"
    return None
