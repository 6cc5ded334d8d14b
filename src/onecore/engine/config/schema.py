"""The shape of the workspace document: every key, its kind of value, and what names a row."""

from onecore.domain.refs import Flow
from onecore.domain.settings import DueBase, Mode, RetentionMethod
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
    Field,
    Flag,
    Id,
    ListOf,
    Nullable,
    Rows,
    Scoped,
    Text,
    Whole,
    Word,
)

CODE = Text("an account code in quotes")
NAME = Text()
ORGANISATION = Field(Id())
COST_CODE = Text('a cost code, with "*" only as its last character', r"[^*\n]*[^*\s]|[^*\n]*\*")

MODE = Field(Word(tuple(Mode)))
POST_STATUS = Field(Word(("DRAFT", "SUBMITTED", "AUTHORISED")))
CLAIM_DATE = Field(Word(("billing_date", "period_end", "submitted", "approved")))
TAX_OF_PAYMENT = Field(Word(("strip", "gross")))


def _due_block(with_terms: bool) -> Block:
    days, day = Field(Whole(0, 730)), Field(Whole(1, 31))
    fields = {
        DueBase.DAYS_AFTER_BILL.value: days,
        DueBase.DAYS_AFTER_MONTH_END.value: days,
        DueBase.DAY_OF_MONTH.value: day,
        DueBase.DAY_OF_FOLLOWING_MONTH.value: day,
    }
    if with_terms:
        fields[DueBase.CONTACT_TERMS.value] = Field(Flag())
        fields["else"] = Field(Due(_due_block(with_terms=False)))
    fields[DueBase.BUSINESS_DAYS_AFTER.value] = days
    fields["from"] = Field(Word(("submitted", "bill")))
    fields["region"] = Field(Region())
    return Block(fields)


DUE = Due(_due_block(with_terms=True))
DUE_OR_EMPTY = Due(DUE.block, may_be_empty=True)

BILL = Block(
    {
        "mode": MODE,
        "status": POST_STATUS,
        "post_statuses": Field(ListOf(Word(("approved", "approved_as_noted")), least=1)),
        "number": Field(NumberForm(("supplier", "commitment_claim"))),
        "date": CLAIM_DATE,
        "due_date": Field(DUE),
    }
)
FLOWS: dict[str, Block] = {
    Flow.BILL.value: BILL,
    Flow.SALES_INVOICE.value: Block(
        {
            "mode": MODE,
            "status": POST_STATUS,
            "number": Field(Word(("procore", "xero"))),
            "date": CLAIM_DATE,
            "due_date": Field(DUE),
        }
    ),
    Flow.COST_TO_BILL.value: Block(
        {
            "mode": MODE,
            "status": POST_STATUS,
            "types": Field(ListOf(Word(("invoice", "expense", "payroll")), least=1)),
            "bank_account": Field(Nullable(CODE)),
            "date": Field(Word(("direct_cost_date", "received_date"))),
        }
    ),
    Flow.BILL_TO_COST.value: Block(
        {
            "mode": MODE,
            "status": Field(Word(("draft", "pending", "approved"))),
            "sources": Field(
                ListOf(Word(("bill", "credit_note", "spend", "receive", "journal")), least=1)
            ),
            "commitment_vendor": Field(Word(("ask", "post", "ignore"))),
            "exclude_contacts": Field(ListOf(Id())),
            "exclude_accounts": Field(ListOf(CODE)),
            "code_from": Field(ListOf(Word(("second", "item", "marker", "rule")))),
        }
    ),
    Flow.PAYMENT_ISSUED.value: Block({"mode": MODE, "tax": TAX_OF_PAYMENT}),
    Flow.PAYMENT_RECEIVED.value: Block({"mode": MODE, "tax": TAX_OF_PAYMENT}),
    Flow.PAID_DATE.value: Block({"mode": MODE}),
    Flow.PURCHASE_ORDER.value: Block(
        {"mode": MODE, "statuses": Field(ListOf(Text("a status of Procore"), least=1))}
    ),
    Flow.VENDOR.value: Block({"mode": MODE, "create": Field(ListOf(Word(("xero", "procore"))))}),
    Flow.PROJECT.value: Block(
        {
            "mode": MODE,
            "option": Field(Template(("number", "name"))),
            "archive": Field(Word(("closed", "never"))),
        }
    ),
    Flow.COST_TYPE.value: Block({"mode": MODE}),
    Flow.ATTACHMENTS.value: Block({"mode": MODE, "max_mb": Field(Whole(1, 25))}),
    Flow.TIMESHEET.value: Block(
        {
            "mode": MODE,
            "statuses": Field(
                ListOf(Word(("pending", "reviewed", "approved", "completed")), least=1)
            ),
            "billable_only": Field(Flag()),
            "mark_completed": Field(Flag()),
        }
    ),
    Flow.LABOUR_COST.value: Block({"mode": MODE}),
}
FLOWS_BLOCK = Block({name: Field(block) for name, block in FLOWS.items()})

SIDE_FIELDS: dict[str, Field] = {
    "method": Field(Word(tuple(RetentionMethod))),
    "account": Field(Nullable(CODE)),
    "released_account": Field(Nullable(CODE)),
    "tax": Field(Word(("same", "none"))),
    "lines": Field(Word(("one", "tax", "line"))),
    "track": Field(ListOf(Word(("project", "second", "cost_type", "sub_job", "cost_code")))),
    "second": Field(Word(("draft", "approved"))),
    "second_due": Field(Nullable(DUE)),
    "suffix": Field(NAME),
}
_SIDE = Field(Block(SIDE_FIELDS))
_SIDES = {"payable": _SIDE, "receivable": _SIDE}
RETENTION = Block(_SIDES)
RETENTION_SCOPED = Scoped(Block({"organisation": ORGANISATION, **_SIDES}))

_SECOND_FIELDS = {
    "category": Field(NAME),
    "source": Field(Word(("cost_type", "sub_job", "cost_code"))),
    "fixed": Field(NAME),
}


def _tracking(whole: bool) -> dict[str, Field]:
    second = SecondCategory(Block(_SECOND_FIELDS), whole)
    return {"project": Field(Nullable(NAME)), "second": Field(Nullable(second))}


TRACKING = Block(_tracking(whole=False))
TRACKING_SCOPED = Scoped(Block({"organisation": ORGANISATION, **_tracking(whole=True)}))

CODES = Rows(
    Block(
        {
            "cost_code": Field(COST_CODE, required=True),
            "cost_type": Field(Nullable(Whole(1))),
            "sub_job": Field(Nullable(NAME)),
            "expense": Field(Nullable(CODE)),
            "revenue": Field(Nullable(CODE)),
            "item": Field(Nullable(CODE)),
            "from": Field(Nullable(Day())),
            "organisation": ORGANISATION,
        }
    )
)
_UNCODED_FIELDS = {"expense": Field(Nullable(CODE)), "revenue": Field(Nullable(CODE))}
UNCODED = Block(_UNCODED_FIELDS)
UNCODED_SCOPED = Scoped(Block({**_UNCODED_FIELDS, "organisation": ORGANISATION}))

PARTIES = Rows(
    Block(
        {
            "vendor_id": Field(Whole(1), required=True),
            "contact_id": Field(Id(), required=True),
            "organisation": ORGANISATION,
        }
    )
)
OVERRIDES = Block(
    {
        "cut_over": Field(Day()),
        "flows": Field(FLOWS_BLOCK),
        "retention": Field(RETENTION),
        "tracking": Field(TRACKING),
        "uncoded": Field(UNCODED),
        "codes": Field(CODES),
    }
)
PROJECTS = Rows(
    Block(
        {
            "project_id": Field(Whole(1), required=True),
            "option": Field(Nullable(NAME)),
            "organisation": Field(Nullable(Id())),
            "overrides": Field(OVERRIDES),
        }
    )
)
OPENING = Block(
    {
        "held": Field(Amount(), required=True),
        "gst": Field(Word(("deferred", "already_booked")), required=True),
    }
)
CONTRACTS = Rows(
    Block(
        {
            "contract_id": Field(Whole(1), required=True),
            "kind": Field(Word(("commitment", "prime"))),
            "retention": Field(ContractRetention(Block({**_SIDES, **SIDE_FIELDS}))),
            "opening": Field(Nullable(OPENING)),
            "due_date": Field(DUE_OR_EMPTY),
        }
    )
)
RATES = Rows(
    Block(
        {
            "time_type_id": Field(Whole(1), required=True),
            "project_id": Field(Nullable(Whole(1))),
            "rate": Field(Amount(), required=True),
            "from": Field(Nullable(Day())),
        }
    )
)
PEOPLE = Rows(
    Block(
        {
            "person_id": Field(Whole(1), required=True),
            "employee_id": Field(Nullable(Id())),
            "contact_id": Field(Nullable(Id())),
            "rates": Field(RATES),
            "organisation": ORGANISATION,
        }
    )
)
LABOUR = Block(
    {
        "cost": Field(Word(("rates", "payroll", "true_up"))),
        "on_cost": Field(Amount('a share in quotes such as "0.18"')),
        "group": Field(Word(("person", "day"))),
        "names": Field(Word(("hidden", "shown"))),
        "leave": Field(Leave(("unallocated", "spread"), Block({"cost_code": Field(NAME, True)}))),
        "unmapped": Field(Word(("hold", "unallocated"))),
        "caps": Field(
            Rows(
                Block(
                    {
                        "time_type_id": Field(Whole(1), required=True),
                        "hours_a_day": Field(Amount('hours in quotes such as "8.00"'), True),
                        "then": Field(Whole(1), required=True),
                    }
                )
            )
        ),
        "allowances": Field(
            Rows(
                Block(
                    {
                        "earnings_rate_id": Field(Id(), required=True),
                        "per": Field(Word(("day", "hour", "hour_after")), required=True),
                        "after": Field(Nullable(Amount('hours in quotes such as "8.00"'))),
                        "time_type_id": Field(Nullable(Whole(1))),
                    }
                )
            )
        ),
        "salaried": Field(
            Rows(
                Block(
                    {
                        "person_id": Field(Whole(1), required=True),
                        "project_id": Field(Nullable(Whole(1))),
                        "cost_code": Field(Nullable(NAME)),
                        "share": Field(Amount('a share in quotes such as "0.50"'), True),
                    }
                )
            )
        ),
    }
)
DUPLICATES = Block({"number": Field(Flag()), "amount_window_days": Field(Whole(0, 366))})


def _words(*words: str) -> Field:
    return Field(Word(words))


DOCUMENT = Block(
    {
        "version": Field(Whole(1, 1), required=True),
        "cut_over": Field(Day(), required=True),
        "organisations": Field(
            Rows(Block({"tenant_id": Field(Id(), required=True), "default": Field(Flag())}))
        ),
        "tracking": Field(TRACKING_SCOPED),
        "flows": Field(FLOWS_BLOCK),
        "retention": Field(RETENTION_SCOPED),
        "tax_cents": _words("xero", "document"),
        "credit_notes": Field(Block({"allocate": _words("oldest", "none")})),
        "paid_bill_changed": _words("ask", "adjust"),
        "paid_invoice_changed": _words("ask", "adjust"),
        "source_reopened": _words("keep", "ask", "void"),
        "source_deleted": _words("ask", "void"),
        "locked_period": _words("hold", "shift"),
        "drift": _words("ask", "restore", "accept"),
        "duplicates": Field(DUPLICATES),
        "lock_source": _words("never", "posted", "paid"),
        "codes": Field(CODES),
        "uncoded": Field(UNCODED_SCOPED),
        "return_rules": Field(
            Rows(
                Block(
                    {
                        "account": Field(Nullable(CODE)),
                        "contact_id": Field(Nullable(Id())),
                        "text": Field(Nullable(NAME)),
                        "cost_code": Field(NAME, required=True),
                        "cost_type": Field(Nullable(Whole(1))),
                    }
                )
            )
        ),
        "vendors": Field(PARTIES),
        "customers": Field(PARTIES),
        "projects": Field(PROJECTS),
        "contracts": Field(CONTRACTS),
        "cost_types": Field(
            Rows(
                Block(
                    {
                        "line_item_type_id": Field(Whole(1), required=True),
                        "option": Field(NAME, required=True),
                        "organisation": ORGANISATION,
                    }
                )
            )
        ),
        "tax_overrides": Field(
            Rows(
                Block(
                    {
                        "contact_id": Field(Nullable(Id())),
                        "account": Field(Nullable(CODE)),
                        "line_item_type_id": Field(Nullable(Whole(1))),
                        "project_id": Field(Nullable(Whole(1))),
                        "tax_code_id": Field(Nullable(Whole(1))),
                        "side": _words("payable", "receivable"),
                        "tax_type": Field(NAME, required=True),
                        "organisation": ORGANISATION,
                    }
                )
            )
        ),
        "people": Field(PEOPLE),
        "time_types": Field(
            Rows(
                Block(
                    {
                        "time_type_id": Field(Whole(1), required=True),
                        "earnings_rate_id": Field(Id(), required=True),
                        "organisation": ORGANISATION,
                    }
                )
            )
        ),
        "labour": Field(LABOUR),
    }
)

IDENTITY: dict[str, tuple[str, ...]] = {
    "organisations": ("tenant_id",),
    "tracking": ("organisation",),
    "retention": ("organisation",),
    "uncoded": ("organisation",),
    "codes": ("cost_code", "cost_type", "sub_job", "from", "organisation"),
    "return_rules": ("account", "contact_id", "text"),
    "vendors": ("vendor_id", "organisation"),
    "customers": ("vendor_id", "organisation"),
    "projects": ("project_id",),
    "contracts": ("contract_id", "kind"),
    "cost_types": ("line_item_type_id", "organisation"),
    "tax_overrides": (
        "contact_id",
        "account",
        "line_item_type_id",
        "project_id",
        "tax_code_id",
        "side",
        "organisation",
    ),
    "people": ("person_id", "organisation"),
    "rates": ("time_type_id", "project_id", "from"),
    "time_types": ("time_type_id", "organisation"),
    "caps": ("time_type_id",),
    "allowances": ("earnings_rate_id", "per", "time_type_id"),
    "salaried": ("person_id", "project_id", "cost_code"),
}
"""By list name: the keys that name a row, so that no two rows say the same thing differently."""

ROW_DEFAULTS: dict[str, object] = {"kind": "commitment", "side": "payable"}
"""What an absent key of an identity means; others mean null."""


def identity(list_name: str, row: dict[str, object]) -> tuple[object, ...]:
    """What names a row within its list."""
    return tuple(row.get(key, ROW_DEFAULTS.get(key)) for key in IDENTITY[list_name])
