"""The other way: a process that posts bills through Xero's official SDK, one call each.

Reads {"url", "token", "tenant", "bills"} from standard input and prints what it took. Its CPU is
counted from the first bill on, imports and set-up left out.
"""

import json
import sys
import time
from datetime import date
from typing import Any

from xero_python.accounting import (
    AccountingApi,
    Contact,
    Invoice,
    Invoices,
    LineAmountTypes,
    LineItem,
    LineItemTracking,
)
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token


def api_at(url: str, token: str) -> AccountingApi:
    """The SDK as its README sets it up, aimed at the simulator."""
    kept: dict[str, Any] = {
        "access_token": token,
        "expires_in": 1800,
        "expires_at": time.time() + 1800,
        "token_type": "Bearer",
        "scope": ["accounting.transactions"],
    }
    oauth2 = OAuth2Token(client_id="bench", client_secret="bench")
    client = ApiClient(Configuration(oauth2_token=oauth2), pool_threads=1)
    client.oauth2_token_getter(lambda: kept)
    client.oauth2_token_saver(kept.update)
    return AccountingApi(client, base_url=f"{url}/api.xro/2.0")


def invoice_of(bill: dict[str, Any]) -> Invoice:
    lines = [
        LineItem(
            description=line["description"],
            quantity=1,
            unit_amount=line["amount"],
            account_code=line["account"],
            tax_type=line["tax_type"],
            tracking=[LineItemTracking(**one) for one in line["tracking"]],
        )
        for line in bill["lines"]
    ]
    return Invoice(
        type="ACCPAY",
        contact=Contact(contact_id=bill["contact"]),
        invoice_number=bill["number"],
        date=date.fromisoformat(bill["date"]),
        due_date=date.fromisoformat(bill["due_date"]),
        line_amount_types=LineAmountTypes.EXCLUSIVE,
        status="AUTHORISED",
        line_items=lines,
    )


def main() -> None:
    told = json.loads(sys.stdin.read())
    api = api_at(told["url"], told["token"])
    made = 0
    started, cpu = time.perf_counter(), time.process_time()
    for bill in told["bills"]:
        answer = api.create_invoices(told["tenant"], Invoices(invoices=[invoice_of(bill)]))
        made += answer.invoices[0].invoice_id is not None
    figures = {
        "made": made,
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
