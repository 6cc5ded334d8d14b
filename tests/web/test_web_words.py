"""Every code the engine can give has words, so that no page shows a bare code."""

import re
from pathlib import Path

import onecore
from onecore.engine.placing import REASONS
from onecore.engine.use import remedies
from onecore.store.documents import NEEDS_A_PERSON, SETTLED
from onecore.store.models import Membership
from onecore.web import causes, words

SOURCE = Path(onecore.__file__).parent
GIVEN = re.compile(r'\b(?:Gap|Ask|Matter)\(\s*"([a-z_]+)"')
WHYS = re.compile(r'\b(?:Waiting|NothingDue|Ignored)\(\s*"([a-z_]+)"')
RECORDED = re.compile(r'"((?:bill|document|config|workspace|procore|xero|hook)\.[a-z_]+)"')


def _in_source(pattern: re.Pattern[str], *parts: str) -> set[str]:
    files = [file for part in parts for file in (SOURCE / part).rglob("*.py")]
    return {code for file in files for code in pattern.findall(file.read_text("utf-8"))}


def test_every_cause_has_words() -> None:
    codes = _in_source(GIVEN, "domain", "sync", "engine")
    assert len(codes) > 20  # the search itself finds what there is
    codes |= {code for _, code in REASONS} | set(remedies.CURES) | set(remedies.ELSEWHERE)
    for withdrawn in ("source_deleted", "source_reopened", "nothing_due_now"):
        codes |= {withdrawn, f"{withdrawn}_but_paid", f"{withdrawn}_but_locked"}
    assert codes - set(causes.CAUSES) == set()


def test_every_reason_to_wait_has_words() -> None:
    codes = _in_source(WHYS, "domain", "sync", "engine") - {"unread"}
    assert len(codes) > 8
    assert codes - set(words.NOTES) == set()


def test_every_state_and_role_has_words() -> None:
    for state in (*NEEDS_A_PERSON, *SETTLED, "waiting", "previewed"):
        assert state in words.STATES
    assert set(words.ROLES) == set(Membership.ROLES)


def test_every_act_of_the_audit_log_has_words() -> None:
    for code in _in_source(RECORDED, "engine"):
        told = words.act(code)
        assert "." not in told
        assert "_" not in told


def test_a_code_nobody_knows_is_shown_not_hidden() -> None:
    assert causes.cause("brand_new_gap").title == "Brand new gap"
    assert words.state("brand_new").label == "Unknown"
    assert words.act("brand.new_act") == "Brand new act"


def test_fields_are_told_in_words() -> None:
    assert words.field("line.item:9.amount") == "Amount of a line"
    assert words.field("line.retention:INPUT.account") == "Account of the retention line"
    assert words.field("line.extra:1f.tax") == "Tax rate of a line added in Xero"
    assert words.field("due_date") == "Due date"


def test_words_end_as_sentences_do() -> None:
    for one in causes.CAUSES.values():
        assert one.meaning.endswith((".", "?"))
        assert one.mend.endswith(".")
