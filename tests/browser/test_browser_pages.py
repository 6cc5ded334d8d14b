"""Every page in a real browser: light and dark, wide and on a phone, with data and without."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import listen, sign_in
from tests.browser.readable import faults_of, settle
from tests.browser.scene import Month, month
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)
PAGES = [
    "", "documents", "documents?state=held", "attention", "mapping", "mapping/codes",
    "mapping/projects", "mapping/coverage", "budget", "connections", "settings", "activity", "help",
    "go?q=nothing", "remedy?cause=retention_account_missing&subject=payable",
]  # fmt: skip


Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def _walk(browser: Browser, stage: Stage, paths: list[str]) -> None:
    """Open every page in four windows and hold each against what holds for all."""
    for scheme in SCHEMES:
        for width in (1280, 390):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            )
            page = context.new_page()
            complaints = listen(page, stage.url)
            page.goto(f"{stage.url}/accounts/login/")
            assert faults_of(page) == {}, ("sign in", scheme, width)
            sign_in(page, stage)
            for path in paths:
                page.goto(f"{stage.home}{path}")
                settle(page)
                assert faults_of(page) == {}, (path, scheme, width)
            assert complaints == [], (scheme, width)
            context.close()


def test_pages_with_a_month_of_work(browser: Browser, stage: Stage) -> None:
    made = month(stage)
    refs = [made.in_step[0], made.held, made.drifted, made.voided, made.approval]
    _walk(browser, stage, [*PAGES, *(f"documents/{ref}" for ref in refs)])


def test_pages_of_a_new_workspace(browser: Browser, stage: Stage) -> None:
    _walk(browser, stage, [path for path in PAGES if "remedy" not in path])


# --- one page at a time -----------------------------------------------------------------------


@pytest.fixture
def scene(stage: Stage, page: Page) -> Month:
    made = month(stage)
    sign_in(page, stage)
    return made


def test_a_slash_goes_to_the_search_and_a_pasted_link_to_its_document(
    stage: Stage, page: Page, scene: Month
) -> None:
    page.goto(stage.home)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    bill = stage.desk.links(scene.in_step[0])[0].target_id
    page.keyboard.type(f"https://go.xero.com/bills/view/{bill}")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{stage.home}documents/{scene.in_step[0]}")
    page.keyboard.press("/")
    page.keyboard.type("https://app.procore.com/7/project/contracts/requisitions/1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Procore shows no claim 1 in project 7")).to_be_visible()


def test_the_keyboard_can_skip_to_the_content(stage: Stage, page: Page) -> None:
    sign_in(page, stage)
    page.goto(stage.home)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_an_approval_is_seen_as_it_happens(stage: Stage, page: Page, scene: Month) -> None:
    stage.work()
    page.goto(f"{stage.home}attention")
    page.get_by_role("link", name="Look at it").click()
    expect(page.get_by_role("row", name="Total").get_by_role("cell").last).to_have_text("7,628.50")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("is approved and goes to Xero")).to_be_visible()
    expect(page.locator(".badge")).to_have_text("✓ In step")  # by itself
    expect(page.get_by_role("link", name="Open in Xero")).to_be_visible()
    assert stage.desk.bill_of(scene.approval)["number"] == "INV-2077"


def test_a_rejection_keeps_its_reason(stage: Stage, page: Page, scene: Month) -> None:
    stage.work()
    page.goto(f"{stage.home}documents/{scene.approval}")
    page.get_by_label("Reason for a rejection").fill("Slab not poured yet")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("An accountant rejected this version of it.")).to_be_visible()
    expect(page.get_by_text("“Slab not poured yet”")).to_be_visible()
    assert stage.desk.links(scene.approval) == []


def test_a_change_in_xero_is_restored(stage: Stage, page: Page, scene: Month) -> None:
    stage.desk.set(flows__bill__mode="auto")
    stage.work()
    page.goto(f"{stage.home}documents/{scene.drifted}")
    expect(page.get_by_text("Number: INV-2048 wanted, INV-2048A in Xero").first).to_be_visible()
    page.get_by_role("button", name="Restore").click()
    expect(page.locator(".badge")).to_have_text("✓ In step")
    assert stage.desk.bill_of(scene.drifted)["number"] == "INV-2048"


def test_a_gap_is_settled_by_searching(stage: Stage, page: Page, scene: Month) -> None:
    for trade in ("Tiling", "Painting", "Glazing", "Roofing", "Paving", "Fencing"):
        stage.xero.do("new_contact", name=f"Northside {trade}")
    stage.desk.set(flows__bill__mode="auto")
    stage.work()
    page.goto(f"{stage.home}attention")
    page.get_by_role("link", name="Settle it here").click()
    page.get_by_placeholder("Type to search").fill("rossi")
    expect(page.get_by_role("radio", name="Rossi Electrical Pty Ltd")).to_be_visible()
    expect(page.get_by_role("radio", name="Ironbark")).to_have_count(0)
    page.get_by_role("radio", name="Rossi Electrical Pty Ltd").check()
    # By keyboard: a browser short of time may scroll towards a button for ever before it clicks.
    page.get_by_role("button", name="Save and release 1 document").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Rossi Electrical Pty Ltd")
    expect(page.get_by_role("heading", name="Vendor without a contact")).to_have_count(0)
    page.goto(f"{stage.home}documents/{scene.held}")
    expect(page.locator(".badge")).to_have_text("✓ In step")


def test_a_remote_that_is_away_leaves_the_rest_of_the_page(
    stage: Stage, page: Page, scene: Month
) -> None:
    stage.xero.fault("status", path="/api.xro/2.0/Invoices", status=503, times=100)
    page.goto(f"{stage.home}documents")
    expect(page.get_by_text("Numbers and amounts are missing")).to_be_visible()
    assert page.get_by_role("row").count() > 10
    page.goto(f"{stage.home}documents/{scene.in_step[0]}")
    expect(page.get_by_text("Nothing is lost; try again.")).to_be_visible()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    stage.xero.no_faults()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Both sides agree; nothing is sent.")).to_be_visible()


def test_settings_are_compared_before_they_are_saved(
    stage: Stage, page: Page, scene: Month
) -> None:
    page.goto(f"{stage.home}settings")
    text = page.get_by_role("textbox", name="Workspace document")
    before = text.input_value()
    text.fill(before.replace("drift: ask", "drift: perhaps"))
    page.get_by_role("button", name="Check and compare").click()
    row = page.get_by_role("row", name="drift")
    expect(row).to_be_visible()
    line = before[: before.index("drift: ask")].count("\n") + 1
    expect(row.get_by_role("cell").first).to_have_text(str(line))
    text.fill(before.replace("drift: ask", "drift: restore"))
    page.get_by_role("button", name="Check and compare").click()
    expect(page.get_by_role("row", name="drift ask restore")).to_be_visible()
    page.get_by_role("button", name="Save these changes").click()
    expect(page.get_by_text("Saved. What waited is looked at again.")).to_be_visible()
    assert "drift: restore" in text.input_value()
    assert text.input_value().count("#") == before.count("#")  # comments stay


def test_both_systems_are_connected_from_the_pages(stage: Stage, page: Page) -> None:
    sign_in(page, stage)
    page.get_by_role("link", name="Connect Procore").click()
    page.get_by_label("Number of the company").fill("1")
    page.get_by_role("button", name="Connect Procore").click()
    expect(page.get_by_text("is not visible to this app")).to_be_visible()
    page.get_by_label("Number of the company").fill(str(stage.desk.company))
    page.get_by_role("button", name="Connect").first.click()
    expect(page.get_by_text("Procore is connected: Banksia")).to_be_visible()
    page.get_by_role("button", name="Connect Xero").click()
    expect(page).to_have_url(re.compile(f"^{re.escape(stage.xero.url)}/"))
    page.get_by_role("button", name="Allow access").click()
    expect(page.get_by_text("Xero is connected: Banksia")).to_be_visible()
    page.goto(stage.home)
    expect(page.get_by_role("link", name="See the suggestions")).to_be_visible()
