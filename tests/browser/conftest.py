"""A browser (Debian's Chromium) and a stage for each test."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.browser.stage import EMAIL, PASSWORD, Stage
from tests.simulators import Simulators

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright's own loop runs in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def stage(transactional_db: None, simulators: Simulators) -> Iterator[Stage]:
    made = Stage(simulators)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Iterator[Page]:
    """A window that fails the test for anything the console complains about."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints = listen(opened, stage.url)
    yield opened
    context.close()
    assert complaints == []


def listen(page: Page, ours: str) -> list[str]:
    """What the console will complain about on our own pages."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        where = str(message.location["url"])
        meant = "400 (Bad Request)" in message.text  # a form that was not taken, shown again
        if message.type == "error" and where.startswith(ours) and not meant:
            complaints.append(f"{message.text} {where}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def sign_in(page: Page, stage: Stage) -> None:
    page.goto(stage.url)
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
