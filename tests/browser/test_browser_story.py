"""The story of a first day, on the demo itself and in a real browser (issue 7.1)."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import eventually, free_port

pytestmark = pytest.mark.browser
SOON = 60_000  # milliseconds; "within seconds" on a machine that runs other tests beside
expect.set_options(timeout=SOON)


@dataclass
class Demo:
    """A demo's process, and where it said things are."""

    url: str
    procore: str
    xero: str
    process: "subprocess.Popen[str]"


@pytest.fixture
def demo() -> Iterator[Demo]:
    home = Path(tempfile.mkdtemp(prefix="onecore-demo-"))
    home.chmod(0o755)  # as root, the database's own user has to pass
    port = free_port()
    command = [sys.executable, "-m", "onecore.cli.main", "demo", "--dir", str(home / "demo")]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ONECORE_", "DJANGO_"))}
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env=clean | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    listener = threading.Thread(target=_listen, args=(process, said), daemon=True)
    listener.start()
    try:
        eventually(lambda: any("OneCore serves" in line for line in said) or process.poll() == 0)
        yield Demo(
            f"http://localhost:{port}", _after(said, "Procore,"), _after(said, "Xero,"), process
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        listener.join(5)
        assert process.stdout is not None
        process.stdout.close()
        shutil.rmtree(home, ignore_errors=True)


def _listen(process: "subprocess.Popen[str]", said: list[str]) -> None:
    assert process.stdout is not None
    said += iter(process.stdout.readline, "")  # grows line by line while the process lives


def _after(said: list[str], word: str) -> str:
    line = next(one for one in said if one.startswith(word))
    return line.split()[-1]


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(SOON)
    yield page
    context.close()


def _state(url: str) -> Any:
    with urllib.request.urlopen(f"{url}/_sim/state", timeout=30) as answer:
        return json.load(answer)


def _claims_to_approve(demo: Demo) -> tuple[str, str]:
    """Pages of two claims under review: of a vendor with a contact, and of one without."""
    contacts = {
        contact["tax_number"]
        for organisation in _state(demo.xero)["organisations"].values()
        for contact in organisation["contacts"].values()
    }
    procore = _state(demo.procore)
    found: dict[bool, str] = {}
    for project in procore["projects"].values():
        for claim in project["requisitions"].values():
            if claim["status"] != "under_review" or not project["permitted"]:
                continue
            contract = project["commitments"][str(claim["commitment_id"])]
            vendor = procore["vendors"][str(contract["vendor_id"])]
            address = f"{demo.procore}/{project['id']}/project/contracts/requisitions/{claim['id']}"
            found.setdefault(vendor["abn"] in contacts, address)
    return found[True], found[False]


def test_a_first_day(demo: Demo, window: Page) -> None:
    known, unknown = _claims_to_approve(demo)

    # The first page says what to do; one press signs the demo's person in.
    window.goto(f"{demo.url}/demo")
    expect(window.get_by_role("heading", level=1)).to_be_visible()
    window.get_by_role("button", name="Begin the demo").click()
    home = window.url
    expect(window.get_by_role("heading", name="What to do now")).to_be_visible()
    expect(window.get_by_text("Approve a claim in Procore")).to_be_visible()
    expect(window.get_by_role("link", name="Open Procore").first).to_have_attribute(
        "href", f"{demo.procore}/"
    )

    # In Procore a claim is approved.
    window.goto(known)
    window.get_by_role("button", name="Approve", exact=True).click()
    expect(window.get_by_role("button", name="Reopen")).to_be_visible()

    # Its bill is under Documents by itself, in step, and is there on Xero's page.
    window.goto(home)
    expect(window.get_by_role("heading", name="In step", level=1)).to_be_visible()
    window.get_by_role("link", name="Documents", exact=True).click()
    row = window.get_by_role("row").nth(1)
    expect(row.get_by_text("In step")).to_be_visible()
    expect(row.locator(".shimmer")).to_have_count(0)
    number = row.get_by_role("link").first.inner_text()
    assert number
    bill = row.get_by_role("link", name="Xero").get_attribute("href")
    assert bill is not None
    assert bill.startswith(demo.xero)
    window.goto(bill)
    expect(window.get_by_role("heading", level=1)).to_have_text(f"Bill {number}")
    expect(window.get_by_text("Go to source")).to_have_attribute("href", _begins(known))

    # The document's page shows both sides and that they agree.
    window.goto(home)
    window.get_by_role("link", name="Documents", exact=True).click()
    window.get_by_role("link", name=number, exact=True).click()
    expect(window.get_by_text("Both sides agree; nothing is sent.")).to_be_visible()
    compared = window.get_by_role("row", name="Number")
    expect(compared.get_by_role("cell", name=number)).to_have_count(3)

    # Another claim's vendor has no contact: one gap, under Attention.
    window.goto(unknown)
    window.get_by_role("button", name="Approve", exact=True).click()
    window.goto(home)
    expect(window.get_by_role("heading", name="1 document needs a person")).to_be_visible()
    window.get_by_role("link", name="Vendor without a contact").click()
    expect(window.get_by_role("heading", name="Vendor without a contact")).to_be_visible()
    window.get_by_role("link", name="Settle it here").click()
    window.get_by_role("button", name="Create a contact in Xero").click()

    # Made, said so, and gone: what waited has become a bill.
    expect(window.get_by_role("status").first).to_contain_text("1 document")
    window.get_by_role("link", name="Home", exact=True).click()
    expect(window.get_by_role("heading", name="In step", level=1)).to_be_visible()
    expect(window.get_by_text("2 documents agree on both sides.")).to_be_visible()
    window.get_by_role("link", name="Attention", exact=True).click()
    expect(window.get_by_role("heading", name="Nothing needs you")).to_be_visible()


def _begins(address: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(address)}")
