"""Retention on a bill under the method `line`: the lines that hold money back and release it.

A Xero bill has no field for retention, so its balance lives on an ordinary account. Amounts are
Procore's own, line by line: a percentage is never reckoned again [C 2].
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from onecore.domain.chart import Account, Chart
from onecore.domain.codes import usable_account
from onecore.domain.documents import BillLine, Requisition, RequisitionLine, Tracking
from onecore.domain.gaps import Gap
from onecore.domain.ids import AccountCode, TaxType
from onecore.domain.money import ZERO, Currency, rounded
from onecore.domain.settings import RetentionMethod, RetentionSide

UNBUILT = frozenset({RetentionMethod.DOCUMENT, RetentionMethod.CREDIT_NOTE})


@dataclass(frozen=True, slots=True)
class Share:
    """One claim line's movement of retention, with the tax type it is held or released under.

    `second` is the line's option of the second category, where retention is tracked by it.
    """

    line: RequisitionLine
    tax_type: TaxType
    second: tuple[Tracking, ...] = ()


@dataclass(frozen=True, slots=True)
class RetentionAccounts:
    """Where money is held; `released` is None when one account takes both directions."""

    retained: AccountCode
    released: AccountCode | None = None


def moves_retention(requisition: Requisition) -> bool:
    return any(line.retained or line.released for line in requisition.lines)


def retention_accounts(
    side: RetentionSide, chart: Chart
) -> tuple[tuple[Account, ...], tuple[Gap, ...]]:
    """The account or two accounts of the settings, retained first, and what is wrong with them."""
    codes = [side.account]
    if side.released_account not in (None, side.account):
        codes.append(side.released_account)
    found: list[Account] = []
    gaps: list[Gap] = []
    for code in codes:
        account = _account(code, chart)
        if isinstance(account, Gap):
            gaps.append(account)
        else:
            found.append(account)
    return tuple(found), tuple(gaps)


def _account(code: AccountCode | None, chart: Chart) -> Account | Gap:
    if code is None:
        return Gap(
            "retention_account_missing",
            "payable",
            "The claim moves retention, and no account is chosen to hold it.",
        )
    account = usable_account(code, chart)
    if isinstance(account, Account):
        return account
    renamed = {
        "account_unknown": "retention_account_missing",
        "account_archived": "retention_account_archived",
    }
    return Gap(renamed.get(account.code, account.code), account.subject, account.detail)


def retention_lines(
    shares: Iterable[Share],
    side: RetentionSide,
    what: str,
    currency: Currency | None = None,
    project: tuple[Tracking, ...] = (),
) -> tuple[BillLine, ...]:
    """The lines of the retention: held is negative, released positive.

    One per tax type, or one per claim line (`lines: line`). `one` and `tax` come to the same: a
    single line over several types would take tax wrong [C 3]. With a single account held and
    released are netted, and a line that comes to nothing is left out. `what` names the claim in
    the descriptions, `project` is the tracking every line carries.
    """
    assert side.account is not None
    separate = side.released_account not in (None, side.account)
    accounts = RetentionAccounts(side.account, side.released_account if separate else None)
    groups: dict[str, list[Share]] = {}
    for share in shares:
        groups.setdefault(_key(share, side), []).append(share)
    lines: list[BillLine] = []
    for key, group in groups.items():
        about = what
        if side.lines == "line" and group[0].line.description:
            about = f"{what}: {group[0].line.description}"
        tracking = project + group[0].second
        lines += _lines_of(key, group, accounts, about, tracking, currency)
    return tuple(lines)


def _key(share: Share, side: RetentionSide) -> str:
    """What keeps a retention line apart from the others, and names it in the link."""
    if side.lines == "line":
        return f"retention:item:{share.line.id}"
    options = "".join(f":{t.option}" for t in share.second)
    return f"retention:{share.tax_type}{options}"


def _lines_of(
    key: str,
    group: list[Share],
    accounts: RetentionAccounts,
    about: str,
    tracking: tuple[Tracking, ...],
    currency: Currency | None,
) -> list[BillLine]:
    retained = rounded(sum((s.line.retained for s in group), ZERO), currency)
    released = rounded(sum((s.line.released for s in group), ZERO), currency)
    if accounts.released is None:
        parts = [(key, accounts.retained, retained, released)]
    else:
        parts = [
            (key, accounts.retained, retained, ZERO),
            (f"{key}:released", accounts.released, ZERO, released),
        ]
    return [
        BillLine(
            key=part_key,
            description=_wording(held, let_go, about),
            account=account,
            amount=let_go - held,
            tax_type=group[0].tax_type,
            tracking=tracking,
        )
        for part_key, account, held, let_go in parts
        if let_go != held
    ]


def _wording(held: Decimal, released: Decimal, about: str) -> str:
    if held and released:
        return f"Retention on {about}: {held:,.2f} held, {released:,.2f} released"
    return f"Retention {'held' if released < held else 'released'} on {about}"
