"""Which account a line goes to: the rows of `codes`, and the accounts that may be used."""

from collections.abc import Iterable
from datetime import date

from onecore.domain.chart import Account, Chart
from onecore.domain.documents import RequisitionLine
from onecore.domain.gaps import Gap
from onecore.domain.ids import AccountCode, OrganisationId
from onecore.domain.settings import CodeRule

_EXACT = 1_000_000  # longer than any prefix


def expense_rule(
    rules: Iterable[CodeRule],
    line: RequisitionLine,
    organisation: OrganisationId,
    on: date | None,
) -> CodeRule | None:
    """The row that gives a line its expense account, or None.

    A project's own rows come before the workspace's (`rank`), however specific those are. Then
    exact code before the longest prefix before "*"; then with cost type before without, then
    with sub job before without, then a row of this organisation before one for all, then the
    later `from`. The order of rows decides only between rows that are equal in all of that.
    A row without an expense account falls through. `on` is the document's own date; without it
    every row counts, so that what is missing can still be told.
    """
    fitting = (
        (rank, -index, rule)
        for index, rule in enumerate(rules)
        if rule.expense is not None and (rank := _rank(rule, line, organisation, on)) is not None
    )
    best = max(fitting, key=lambda found: found[:2], default=None)
    return best[2] if best else None


def expense_code(line: RequisitionLine, chart: Chart, on: date | None) -> AccountCode | Gap:
    """The account code a line is mapped to, or the gap that it is mapped to none."""
    settings, organisation = chart.settings, chart.organisation.id
    if line.cost_code is None:
        uncoded = settings.uncoded
        if uncoded.expense is not None and uncoded.organisation in (None, organisation):
            return uncoded.expense
        return Gap(
            "uncoded_unmapped",
            "uncoded",
            "A line has no cost code, and no expense account is chosen for such lines.",
        )
    rule = expense_rule(settings.codes, line, organisation, on)
    if rule is None or rule.expense is None:
        return _unmapped(line, settings.codes)
    return rule.expense


def usable_account(code: AccountCode, chart: Chart) -> Account | Gap:
    """The account by its code, or the gap when it is unknown, archived or takes no lines."""
    account = chart.accounts.get(code)
    if account is None:
        return Gap("account_unknown", code, f"There is no account {code} in Xero.")
    if not account.active:
        return Gap("account_archived", code, f"Account {code} {account.name} is archived in Xero.")
    if not account.may_carry_lines:
        return Gap(
            "account_refused",
            code,
            f"Account {code} {account.name} is a control or bank account: Xero takes no bill "
            "lines on it.",
        )
    return account


def _unmapped(line: RequisitionLine, rules: Iterable[CodeRule]) -> Gap:
    """The gap, by cost code alone unless rows for that code already tell cost types apart."""
    assert line.cost_code is not None
    code = line.cost_code.code.strip()
    by_type = any(r.cost_type is not None and _reach(r.cost_code, code) is not None for r in rules)
    apart = by_type and line.cost_type is not None
    name = f"{code} {line.cost_code.name}".strip()
    kind = f" with cost type {line.cost_type}" if apart else ""
    return Gap(
        "cost_code_unmapped",
        f"{code}/{line.cost_type}" if apart else code,
        f"Cost code {name}{kind} has no expense account.",
    )


_Rank = tuple[int, int, bool, bool, bool, date]


def _rank(
    rule: CodeRule, line: RequisitionLine, organisation: OrganisationId, on: date | None
) -> _Rank | None:
    """How closely a row fits a line, greater being closer; None when it does not."""
    assert line.cost_code is not None
    reach = _reach(rule.cost_code, line.cost_code.code.strip())
    fits = (
        reach is not None
        and rule.cost_type in (None, line.cost_type)
        and rule.sub_job in (None, line.sub_job)
        and rule.organisation in (None, organisation)
        and (rule.start is None or on is None or rule.start <= on)
    )
    if reach is None or not fits:
        return None
    return (
        rule.rank,
        reach,
        rule.cost_type is not None,
        rule.sub_job is not None,
        rule.organisation is not None,
        rule.start or date.min,
    )


def _reach(pattern: str, code: str) -> int | None:
    """How much of a code a pattern names: all of it, a prefix's length, or None."""
    pattern = pattern.strip()
    if pattern.endswith("*"):
        prefix = pattern[:-1]
        return len(prefix) if code.startswith(prefix) else None
    return _EXACT if code == pattern else None
