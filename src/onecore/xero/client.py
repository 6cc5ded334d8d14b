"""Xero's accounting API as a port: batches in order, lists walked by value, no retries."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import TypeVar

import httpx2

from onecore.domain.chart import Account, Category, Contact, Organisation, TaxRate
from onecore.domain.documents import Bill, PostedBill
from onecore.domain.ids import BillId, CategoryId, ContactId, OptionId, OrganisationId
from onecore.domain.money import Currency
from onecore.http.transport import BeforeWrite, Call, DocumentsRefused, Params, Transport
from onecore.http.wire import Reader, encoded
from onecore.ports import (
    AccessLost,
    BillChange,
    CallLog,
    Clock,
    Disconnected,
    HistoryEntry,
    Lane,
    OutcomeUnknown,
    ReadFailed,
    Refusal,
    Remote,
    RequestRefused,
    Tokens,
    XeroPort,
)
from onecore.ports import Outcome as BillOutcome
from onecore.xero import outcomes, read, wire, write
from onecore.xero.walk import Rows, walk_by_value, walk_pages

API = "/api.xro/2.0"
MOST_DOCUMENTS = 50  # a write [X 2.2]
MOST_BYTES = 3_500_000  # a write's body [X 2.2]
MOST_IDS = 40  # a read by ids: the address must not grow too long [X 2.2]
LONGEST_KEY = 128  # characters of an idempotency key [X 3]
# Named one by one, so that voided and deleted bills are in the lists whatever the default is.
EVERY_STATUS = "DRAFT,SUBMITTED,AUTHORISED,PAID,VOIDED,DELETED"

T = TypeVar("T")
V = TypeVar("V")

_ORGANISATIONS = Reader(wire.Organisations)
_CURRENCIES = Reader(wire.Currencies)
_ACCOUNTS = Reader(wire.Accounts)
_TAX_RATES = Reader(wire.TaxRates)
_CATEGORIES = Reader(wire.Categories)
_OPTIONS = Reader(wire.Options)
_CONTACTS = Reader(wire.Contacts)
_INVOICES = Reader(wire.Invoices)
_HISTORY = Reader(wire.HistoryRecords)


class TooMuch(RequestRefused):
    """A write over Xero's advised size, which the caller has to split; nothing was sent."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(Remote.XERO, operation, 413, (reason,))


class XeroClient(XeroPort):
    """One organisation. Lists go in `Lane.LIST`, documents and writes in `Lane.DOCUMENT`, unless
    this is a view made by `in_lane`."""

    def __init__(
        self,
        base_url: str,
        organisation_id: OrganisationId | None,
        tokens: Tokens,
        call_log: CallLog,
        http: httpx2.AsyncClient,
        clock: Clock,
        before_write: BeforeWrite | None = None,
        *,
        scope: str | None = None,
    ) -> None:
        """`organisation_id` None is a custom connection, whose token names its organisation.

        `scope` is what the call log counts under; the organisation's id unless it is given.
        `before_write` is awaited before each write connects and again before its first byte, and
        once more where the process was paused after that; it may stop it by raising.
        """
        self._organisation_id = organisation_id
        self._headers = {"Accept": "application/json"}
        if organisation_id is not None:
            self._headers["xero-tenant-id"] = str(organisation_id)
        self._lane: Lane | None = None
        self._transport = Transport(
            Remote.XERO,
            base_url,
            scope or (str(organisation_id) if organisation_id else "custom"),
            tokens,
            call_log,
            http,
            clock,
            before_write,
            # One organisation of a consent can be left; a custom connection has only the one.
            lost=Disconnected if organisation_id is not None else AccessLost,
        )

    def in_lane(self, lane: Lane) -> "XeroClient":
        """The same client, all of whose calls are made in that lane."""
        view = copy(self)
        view._lane = lane
        return view

    async def organisation(self) -> Organisation:
        """The organisation with its lock dates; of currencies only its own."""
        found = (await self._get("organisation", "/Organisation", _ORGANISATIONS)).organisations
        if not found:
            raise ReadFailed(Remote.XERO, "organisation", "the answer names no organisation")
        return self._read(
            "organisation",
            lambda raw: read.read_organisation(raw, self._organisation_id),
            found[0],
        )

    async def currencies(self) -> tuple[Currency, ...]:
        """The currencies that documents may be in."""
        found = await self._get("currencies", "/Currencies", _CURRENCIES)
        return tuple(Currency(one.code.upper()) for one in found.currencies or () if one.code)

    async def accounts(self) -> tuple[Account, ...]:
        """Every account that has a code, archived ones too."""
        body = await self._get("accounts", "/Accounts", _ACCOUNTS)
        return tuple(a for a in map(read.read_account, body.accounts) if a is not None)

    async def tax_rates(self) -> tuple[TaxRate, ...]:
        """Every tax rate, with the account classes it may be used on."""
        body = await self._get("tax_rates", "/TaxRates", _TAX_RATES)
        return tuple(r for r in map(read.read_tax_rate, body.tax_rates) if r is not None)

    async def categories(self) -> tuple[Category, ...]:
        """The tracking categories with their options, archived ones too."""
        params = (("includeArchived", "true"),)
        body = await self._get("categories", "/TrackingCategories", _CATEGORIES, params)
        return tuple(map(read.read_category, body.tracking_categories))

    async def contacts(self, since: datetime | None = None) -> tuple[Contact, ...]:
        """Contacts changed since an instant, or all; archived and merged ones too."""

        def rows(body: wire.Contacts) -> Rows[wire.Contact]:
            return Rows(body.contacts, body.pagination)

        found = await walk_by_value(
            self._transport,
            lambda params, headers: self._call(
                "contacts", "/Contacts", (("includeArchived", "true"), *params), headers
            ),
            since,
            _CONTACTS,
            rows,
            lambda raw: (raw.contact_id, raw.updated_date_utc),
        )
        return tuple(map(read.read_contact, found))

    async def add_option(self, category: CategoryId, name: str) -> OptionId:
        """The id of a new tracking option. Raises RequestRefused when the name is taken."""
        path = f"/TrackingCategories/{category}/Options"
        call = self._write("option.add", "PUT", path, {"Name": name}, 1)
        options = (await self._transport.send(call)).read(_OPTIONS).options
        named = options if len(options) == 1 else [one for one in options if one.name == name]
        if not named:
            raise OutcomeUnknown(Remote.XERO, "option.add", "the answer does not name the option")
        return OptionId(named[0].tracking_option_id)

    async def add_contact(self, name: str, tax_number: str, email: str, key: str) -> ContactId:
        """The id of a new contact. Raises RequestRefused with Xero's reasons, such as a name that
        is taken; `key` is the idempotency key of exactly these values."""
        operation = "contact.add"
        body = {"Contacts": [write.contact_body(name, tax_number, email)]}
        call = self._write(operation, "PUT", "/Contacts", body, 1, key, _SUMMARY)
        return outcomes.made_contact(await self._transport.send(call), operation)

    async def bills(self, ids: Sequence[BillId]) -> tuple[PostedBill, ...]:
        """Bills by id with their lines, gone ones too, 40 ids a request; unknown ids are left
        out."""
        wanted = tuple(dict.fromkeys(ids))
        found: dict[BillId, PostedBill] = {}
        for start in range(0, len(wanted), MOST_IDS):
            some = wanted[start : start + MOST_IDS]
            params = (
                ("IDs", ",".join(str(one) for one in some)),
                ("Statuses", EVERY_STATUS),
                ("page", "1"),  # lines come with pages only [X 3]
                ("pageSize", str(len(some))),
                _UNITDP,
            )
            call = self._call("bills.by_id", "/Invoices", params, {}, Lane.DOCUMENT, len(some))
            body = (await self._transport.send(call)).read(_INVOICES)
            for raw in body.invoices:
                bill = self._read("bills.by_id", read.read_bill, raw)
                found[bill.id] = bill
        return tuple(found[one] for one in wanted if one in found)

    async def bills_changed(
        self, since: datetime | None, ours_only: bool = False
    ) -> tuple[PostedBill, ...]:
        """Bills changed since an instant (whole seconds, overlap is the caller's), with lines,
        voided and deleted ones too, in the order they changed."""
        found: dict[BillId, PostedBill] = {}
        async for page in self.bill_pages(since, ours_only):
            for bill in page:
                found.pop(bill.id, None)  # so that it moves to the end
                found[bill.id] = bill
        return tuple(found.values())

    async def bill_pages(
        self, since: datetime | None, ours_only: bool = False
    ) -> AsyncIterator[tuple[PostedBill, ...]]:
        """The same page by page: an organisation may have a hundred thousand."""
        filters: Params = (("where", 'Type=="ACCPAY"'), ("Statuses", EVERY_STATUS), _UNITDP)
        if ours_only:
            filters = (*filters, ("createdByMyApp", "true"))

        def rows(body: wire.Invoices) -> Rows[wire.Invoice]:
            return Rows(body.invoices, body.pagination)

        async for page in walk_pages(
            self._transport,
            lambda params, headers: self._call(
                "bills.changed", "/Invoices", (*filters, *params), headers
            ),
            since,
            _INVOICES,
            rows,
            lambda raw: (raw.invoice_id, raw.updated_date_utc),
        ):
            yield tuple(self._read("bills.changed", read.read_bill, raw) for raw in page)

    async def create_bills(self, bills: Sequence[Bill], key: str) -> tuple[BillOutcome, ...]:
        """PUT, never POST; `key` is the idempotency key of exactly this body."""
        bodies = [write.bill_body(bill) for bill in bills]
        return await self._write_bills("bills.create", "PUT", bodies, key)

    async def update_bills(
        self, changes: Sequence[BillChange], key: str
    ) -> tuple[BillOutcome, ...]:
        """POST with Xero's own ids of bills and lines."""
        bodies = [write.change_body(change) for change in changes]
        return await self._write_bills("bills.update", "POST", bodies, key)

    async def remove_bills(self, bills: Sequence[PostedBill], key: str) -> tuple[BillOutcome, ...]:
        """Deletes drafts, voids approved ones."""
        bodies = [write.removal_body(bill) for bill in bills]
        return await self._write_bills("bills.remove", "POST", bodies, key)

    async def history(self, bill: BillId) -> tuple[HistoryEntry, ...]:
        """Who changed what on a bill and when, as Xero keeps it."""
        path = f"/Invoices/{bill}/History"
        body = await self._get("bill.history", path, _HISTORY, lane=Lane.DOCUMENT)
        return tuple(e for e in map(read.read_history, body.history_records) if e is not None)

    async def _write_bills(
        self, operation: str, method: str, bodies: list[write.Body], key: str
    ) -> tuple[BillOutcome, ...]:
        if not bodies:
            return ()
        if len(bodies) > MOST_DOCUMENTS:
            raise TooMuch(operation, f"{len(bodies)} bills in one write; at most {MOST_DOCUMENTS}.")
        params = (*_SUMMARY, _UNITDP)
        call = self._write(
            operation, method, "/Invoices", {"Invoices": bodies}, len(bodies), key, params
        )
        try:
            answer = await self._transport.send(call)
        except DocumentsRefused as refused:
            if len(bodies) > 1:  # which of them were saved is not told
                raise
            return (Refusal(refused.reasons),)
        return outcomes.bill_outcomes(answer, len(bodies))

    def _write(
        self,
        operation: str,
        method: str,
        path: str,
        body: object,
        count: int,
        key: str = "",
        params: Params = (),
    ) -> Call:
        raw = encoded(body)
        if len(raw) > MOST_BYTES:
            raise TooMuch(operation, f"A body of {len(raw)} bytes; at most {MOST_BYTES}.")
        if len(key) > LONGEST_KEY:
            raise ValueError(f"An idempotency key has at most {LONGEST_KEY} characters.")
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        lane = self._lane or Lane.DOCUMENT
        return Call(operation, method, API + path, lane, params, headers, raw, count)

    def _call(
        self,
        operation: str,
        path: str,
        params: Params,
        headers: Mapping[str, str],
        lane: Lane = Lane.LIST,
        count: int = 0,
    ) -> Call:
        return Call(
            operation,
            "GET",
            API + path,
            self._lane or lane,
            params,
            {**self._headers, **headers},
            count=count,
        )

    async def _get(
        self,
        operation: str,
        path: str,
        reader: Reader[T],
        params: Params = (),
        lane: Lane = Lane.LIST,
    ) -> T:
        answer = await self._transport.send(self._call(operation, path, params, {}, lane))
        return answer.read(reader)

    def _read(self, operation: str, reading: Callable[[T], V], raw: T) -> V:
        """What `reading` makes of an answer; ReadFailed where it lacks what it must have."""
        try:
            return reading(raw)
        except ValueError as error:
            raise ReadFailed(Remote.XERO, operation, str(error)) from None


_UNITDP = ("unitdp", "4")  # else unit prices come, and are kept, with two decimals [X 3]
_SUMMARY = (("summarizeErrors", "false"),)  # the default is told both ways, so it is always said
