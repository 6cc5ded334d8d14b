"""Cures about accounts: cost codes without one, accounts that are gone, where retention is held."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from onecore.domain.chart import Account, AccountClass
from onecore.domain.documents import CostCode
from onecore.domain.ids import AccountCode, CostCodeId, CostTypeId, ProjectId
from onecore.domain.settings import CodeRule
from onecore.engine import config, matching
from onecore.engine.use.choices import NOW, Option
from onecore.engine.use.cures import Case, Cure, Edit, all_of, likely_first
from onecore.engine.use.errors import NotFound


def _account_options(accounts: Iterable[Account], klass: AccountClass) -> list[Option]:
    usable = [a for a in accounts if a.active and a.klass is klass and a.may_carry_lines]
    rows = sorted(usable, key=lambda account: account.code)
    return [Option(a.code, f"{a.code} {a.name}") for a in rows if not a.system]


class CodeCure(Cure):
    """cost_code_unmapped: the subject is a cost code, with "/TYPE" where types are told apart."""

    async def question(self, case: Case) -> str:
        code, kind = self._parts(case)
        name = await self._name(case, code)
        with_type = f" with cost type {kind}" if kind is not None else ""
        return f"Which expense account does cost code {f'{code} {name}'.strip()}{with_type} go to?"

    async def options(self, case: Case) -> Sequence[Option]:
        accounts = await case.books.lists.accounts(NOW)
        code, _ = self._parts(case)
        known = {
            rule.cost_code: rule.expense
            for rule in case.ctx.document.base.codes
            if rule.expense is not None and rule.cost_code != code
        }
        asked = CostCode(CostCodeId(0), code, await self._name(case, code))
        found = matching.suggest_accounts([asked], accounts, known)
        likely = {str(s.target): (s.score, "; ".join(s.reasons)) for s in found}
        return likely_first(_account_options(accounts, AccountClass.EXPENSE), likely)

    async def edit(self, case: Case, value: str) -> Edit:
        code, kind = self._parts(case)
        return lambda text: config.add_code(text, code, AccountCode(value), kind, case.scope)

    def _parts(self, case: Case) -> tuple[str, CostTypeId | None]:
        code, slash, kind = case.subject.rpartition("/")
        if slash and kind.isdigit():
            return code, CostTypeId(int(kind))
        return case.subject, None

    async def _name(self, case: Case, code: str) -> str:
        for project in await case.ctx.lists.projects():
            for one in await case.ctx.lists.cost_codes(project.id):
                if one.code.strip() == code:
                    return one.name
        return ""


class UncodedCure(Cure):
    """uncoded_unmapped: lines without a cost code."""

    async def question(self, case: Case) -> str:
        return "Which expense account do lines without a cost code go to?"

    async def options(self, case: Case) -> Sequence[Option]:
        accounts = await case.books.lists.accounts(NOW)
        return _account_options(accounts, AccountClass.EXPENSE)

    async def edit(self, case: Case, value: str) -> Edit:
        account = AccountCode(value)
        return lambda text: config.set_uncoded(text, account, organisation=case.scope)


class RetentionAccountCure(Cure):
    """retention_account_missing, retention_account_archived: "payable", or the account's code."""

    async def question(self, case: Case) -> str:
        if case.subject == "payable":
            return "Which account holds retention kept from subcontractors?"
        return f"Retention account {case.subject} cannot be used. Which one holds it instead?"

    async def options(self, case: Case) -> Sequence[Option]:
        accounts = await case.books.lists.accounts(NOW)
        likely: dict[str, tuple[int, str]] = {
            account.code: (80, "its name speaks of retention")
            for account in accounts
            if "retention" in account.name.casefold() or "retainage" in account.name.casefold()
        }
        return likely_first(_account_options(accounts, AccountClass.LIABILITY), likely)

    async def edit(self, case: Case, value: str) -> Edit:
        side = case.ctx.settings(None, None, case.books.organisation).retention.payable
        released = case.subject != "payable" and case.subject == side.released_account
        key = "released_account" if released and side.account != case.subject else "account"
        return lambda text: config.set_retention(text, "payable", {key: value}, case.scope)


class AccountCure(Cure):
    """account_unknown, account_archived, account_refused: the subject is the account's code."""

    async def question(self, case: Case) -> str:
        return f"Account {case.subject} cannot be used. Which account takes its place?"

    async def options(self, case: Case) -> Sequence[Option]:
        accounts = await case.books.lists.accounts(NOW)
        side = case.ctx.settings(None, None, case.books.organisation).retention.payable
        retention = case.subject in (side.account, side.released_account)
        klass = AccountClass.LIABILITY if retention else AccountClass.EXPENSE
        return _account_options(accounts, klass)

    async def edit(self, case: Case, value: str) -> Edit:
        """Everywhere the old account is named, projects' own rows included."""
        here = case.ctx.settings(None, None, case.books.organisation)
        edits: list[Edit] = []
        rules = self._changed(here.codes, case, value)
        if rules:
            edits.append(lambda text: config.add_codes(text, rules))
        for row in case.ctx.document.projects:
            settings = case.ctx.settings(row.project, None, case.books.organisation)
            own = self._changed([r for r in settings.codes if r.rank > 0], case, value)
            if own:
                edits.append(_own_codes(row.project, own))
        if here.uncoded.expense == case.subject:
            edits.append(await UncodedCure().edit(replace(case, subject="uncoded"), value))
        side = here.retention.payable
        if case.subject in (side.account, side.released_account):
            edits.append(await RetentionAccountCure().edit(case, value))
        if not edits:
            raise NotFound(f"Account {case.subject} is named nowhere in the settings any more.")
        return all_of(edits)

    def _changed(self, rules: Iterable[CodeRule], case: Case, value: str) -> list[CodeRule]:
        return [
            replace(rule, expense=AccountCode(value))
            for rule in rules
            if rule.expense == case.subject
        ]


def _own_codes(project: ProjectId, rules: list[CodeRule]) -> Edit:
    return lambda text: config.add_codes(text, rules, project)


class RetentionMethodCure(Cure):
    """retention_method_unbuilt, retention_method_unfit: the subject is the method."""

    async def question(self, case: Case) -> str:
        return f"Retention method {case.subject} cannot carry this claim. Which one is used?"

    async def options(self, case: Case) -> Sequence[Option]:
        both = (
            Option("line", "line: retention as a negative line on its account"),
            Option("net", "net: the bill is for what is payable now, retention stays in Procore"),
        )
        return [option for option in both if option.value != case.subject]

    async def edit(self, case: Case, value: str) -> Edit:
        return lambda text: config.set_retention(text, "payable", {"method": value}, case.scope)
