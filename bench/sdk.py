"""The same bills twice in one run: by OneCore's worker, and through Xero's official Python SDK.

The other side is the SDK the usual way: one `create_invoices` call a bill, from figures that are
ready at hand. OneCore's CPU is told twice: like for like, what sending takes (making the request,
the exchange, reading the answer), and all of its work for the same bills, for which the SDK has no
counterpart: finding and reading the claims, translating, looking for doubles, intents, links.
"""

import json
import subprocess
import sys
from typing import Any

from bench.frame import Part, Row, Stage, alone
from bench.throughput import WARM, work

CLAIMS, QUICK = 1000, 200


def measure(quick: bool) -> Part:
    claims = QUICK if quick else CLAIMS
    with Stage(POLL_SECONDS="") as stage:
        stage.set_up()
        ours = work(stage, claims)
        bills = [as_told(bill) for bill in stage.bills()][-claims:]
        stage.forget_requests()
        theirs = posted_by_sdk(stage, bills)
        theirs["calls"] = stage.calls()["xero"]
        totals = sorted(bill["total"] for bill in stage.bills())
    part = Part("the same bills through the official Xero SDK, one call each", [])
    whole, theirs_cpu = ours["cpu_ms_per_claim"]["onecore"], 1000 * theirs["cpu"] / claims
    by_phase = ours["cpu_ms_per_claim_by_phase"]
    sending = by_phase.get("sending.own", 0.0) + by_phase.get("sending.remote", 0.0)
    calls, their_calls = ours["calls"]["xero"] / claims, theirs["calls"] / claims
    part.rows = [
        Row("bills", claims, note="the same on both sides, to the cent"),
        Row("CPU of the SDK", round(theirs_cpu, 3), "ms/bill", note="its create calls"),
        Row("CPU of OneCore, sending", round(sending, 3), "ms/bill", note="like for like"),
        Row("its part of the SDK's", round(sending / theirs_cpu, 3), "", most=1 / 5),
        Row("CPU of OneCore, all", whole, "ms/bill", note="from finding the claim to its link"),
        Row("its part of the SDK's", round(whole / theirs_cpu, 3), "", most=1 / 5),
        Row("Xero calls of the SDK", round(their_calls, 3), "a bill"),
        Row("Xero calls of OneCore", round(calls, 3), "a bill", note="looking for doubles too"),
        Row("its part of the SDK's", round(calls / their_calls, 4), "", most=1 / 25),
        Row("the SDK", round(claims / theirs["seconds"], 1), "bills/s", note="create calls alone"),
        Row("OneCore", round(ours["claims_per_second"], 1), "bills/s", note="end to end"),
    ]
    part.notes.append(
        "Limited by: all that is not sending, mostly PostgreSQL's client (intents, links, places, "
        "budget); a bill there needs no statement of its own, but its row has to be written."
    )
    part.details = {"onecore": ours, "sdk": theirs}
    part.failed = ours["bills"] != claims + WARM or not _are_twins(totals, claims)
    return part


def as_told(bill: dict[str, Any]) -> dict[str, Any]:
    """A bill of the simulator's as plain figures, the way an integration would hold them."""
    return {
        "contact": bill["contact_id"],
        "number": bill["number"],
        "date": bill["date"],
        "due_date": bill["due_date"],
        "lines": [
            {
                "description": line["description"],
                "amount": float(line["amount"]),  # the SDK takes floats
                "account": line["account_code"],
                "tax_type": line["tax_type"],
                "tracking": [
                    {"tracking_category_id": one["category_id"],
                     "tracking_option_id": one["option_id"]}
                    for one in line["tracking"]
                ],
            }
            for line in bill["lines"]
        ],
    }  # fmt: skip


def posted_by_sdk(stage: Stage, bills: list[dict[str, Any]]) -> dict[str, Any]:
    """What the SDK took for these bills, in a process of its own."""
    tenant = next(iter(stage.xero.state()["organisations"]))
    token = stage.xero.do("token", tenant_ids=[tenant])["access_token"]
    told = {"url": stage.xero.url, "token": token, "tenant": tenant, "bills": bills}
    done = subprocess.run(
        [sys.executable, "-m", "bench.sdk_process"],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(
            f"The SDK's side failed. Is xero-python there (scripts/setup bench)?\n{done.stderr}"
        )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _are_twins(totals: list[str], claims: int) -> bool:
    """Whether every bill of the run is there twice with the same total, the warm ones once."""
    twice = sum(1 for total in set(totals) if totals.count(total) == 2)
    return len(totals) == 2 * claims + WARM and twice >= claims - WARM


if __name__ == "__main__":
    sys.exit(alone(measure, __doc__))
