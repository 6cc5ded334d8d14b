"""Names, tax numbers and addresses reduced to what is meant, so that spellings agree."""

import re
import unicodedata

_LEGAL = frozenset(
    (
        *("pty", "ltd", "limited", "proprietary", "inc", "incorporated"),
        *("llc", "llp", "plc", "lp", "corp", "corporation", "gmbh"),
    )
)
_MEANT = {
    "bros": "brothers",
    "bro": "brothers",
    "constr": "construction",
    "const": "construction",
    "constructions": "construction",
    "contr": "contracting",
    "contractors": "contracting",
    "svc": "services",
    "svcs": "services",
    "service": "services",
    "serv": "services",
    "elec": "electrical",
    "eng": "engineering",
    "engrs": "engineers",
    "mgmt": "management",
    "mgt": "management",
    "aust": "australia",
    "intl": "international",
    "grp": "group",
    "assoc": "associates",
    "assocs": "associates",
    "ent": "enterprises",
    "hldgs": "holdings",
    "ind": "industries",
    "inds": "industries",
    "mfg": "manufacturing",
    "co": "company",
    "dept": "department",
    "st": "saint",
}
_FILLERS = frozenset(("the", "and"))
_ALIAS = re.compile(r"\b(?:t\s*/\s*as?|trading\s+as|d\s*/\s*b\s*/\s*a|a\s*/?\s*t\s*/?\s*f)\b", re.I)
_TRUSTEE = re.compile(r"\b(?:as\s+)?(?:the\s+)?trustees?\s+for\b", re.I)


def name_keys(name: str) -> tuple[str, ...]:
    """What a name comes down to; several keys where it names itself twice ("X Trust T/A Y").

    Legal forms, punctuation, "the" and "and", accents and letter case do not count, and usual
    abbreviations are written out.
    """
    parts = _ALIAS.split(_TRUSTEE.sub(" atf ", name))
    return tuple(dict.fromkeys(key for part in parts if (key := _plain_name(part))))


def _plain_name(text: str) -> str:
    text = re.sub(r"\bp\s*/\s*l\b", " ", text, flags=re.I)
    words = plain_words(text.replace("&", " and ").replace("+", " and "))
    meant = [_MEANT.get(word, word) for word in words]
    kept = [word for word in meant if word not in _LEGAL and word not in _FILLERS]
    return " ".join(kept or meant)


def plain_words(text: str) -> list[str]:
    """The words and numbers of a text in small letters without accents; "O'Brien" is one."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in bare if not unicodedata.combining(c))
    bare = re.sub(r"['’‘`´]", "", bare)
    joined = re.sub(r"\b(?:\w\.){2,}", lambda found: found[0].replace(".", ""), bare)
    return re.findall(r"[^\W_]+", joined)


def sorted_words(key: str) -> str:
    """A key with its words in order, so that "Smith Plumbing" is "Plumbing Smith"."""
    return " ".join(sorted(key.split()))


def tax_key(number: str) -> str:
    """The digits of a tax number (ABN, NZ GST, UK VAT, EIN), or nothing for one that is none."""
    digits = re.sub(r"\D", "", number)
    if len(digits) < 8 or len(set(digits)) == 1:
        return ""
    return digits


def email_key(address: str) -> str:
    address = address.strip().casefold()
    return address if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address) else ""
