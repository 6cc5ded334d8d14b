"""Pictures of every page, light and dark, wide and on a phone, from a workspace at work.

    python scripts/pictures.py DIRECTORY        every page, to look at
    python scripts/pictures.py --readme         docs/pictures, for the README

Both simulators and a database run for as long as it takes; nothing of it stays.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ["DJANGO_SETTINGS_MODULE"] = "onecore.django_settings"
os.environ["ONECORE_DEMO"] = "1"  # so that the tour is there too
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in this thread

import django  # noqa: E402
from tests import database  # noqa: E402 - starts the server before Django reads its settings

django.setup()

from django.core.management import call_command  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402
from tests.browser.conftest import ARGUMENTS, CHROMIUM, sign_in  # noqa: E402
from tests.browser.scene import month  # noqa: E402
from tests.browser.stage import Stage  # noqa: E402
from tests.simulators import Simulators  # noqa: E402

SIZES = {"wide": (1280, 900), "phone": (390, 844)}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?")
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--only", default="", help="pages whose name contains this")
    asked = parser.parse_args(argv)
    try:
        call_command("migrate", verbosity=0)
        call_command("createcachetable")
        with Simulators() as simulators, chromium() as browser:
            draw(simulators, browser, asked)
    finally:
        database.pytest_unconfigure()
    return 0


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def draw(simulators: Simulators, browser: Browser, asked: argparse.Namespace) -> None:
    from onecore.store.models import Workspace  # noqa: PLC0415 - Django is set up by now

    stage = Stage(simulators)
    Workspace.objects.update(name="Banksia Constructions")
    try:
        if asked.readme:
            month(stage)
            for_readme(stage, browser, ROOT / "docs" / "pictures")
            return
        every(stage, browser, asked.directory / "empty", asked.only)
        stage.desk.connect()
        every(stage, browser, asked.directory / "connected", asked.only)
        month(stage)
        every(stage, browser, asked.directory / "full", asked.only)
    finally:
        stage.close()


def pages(stage: Stage) -> dict[str, str]:
    base = stage.home
    found = {
        "home": base,
        "documents": f"{base}documents",
        "attention": f"{base}attention",
        "mapping": f"{base}mapping",
        "mapping-codes": f"{base}mapping/codes",
        "coverage": f"{base}mapping/coverage",
        "budget": f"{base}budget",
        "connections": f"{base}connections",
        "settings": f"{base}settings",
        "activity": f"{base}activity",
        "help": f"{base}help",
        "go": f"{base}go?q=nothing",
        "remedy": f"{base}remedy?cause=retention_account_missing&subject=payable",
        "chooser": f"{stage.url}/workspaces",
        "tour": f"{stage.url}/demo",
    }
    from onecore.store.models import Document  # noqa: PLC0415 - Django is set up by now

    for state in ("in_step", "held", "ask", "approval", "drifted"):
        row = Document.objects.filter(state=state).first()
        if row is not None:
            found[f"document-{state}"] = f"{base}documents/{row.ref}"
    return found


def every(stage: Stage, browser: Browser, into: Path, only: str) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        for size, (width, height) in SIZES.items():
            with window(browser, scheme, width, height) as page:
                page.goto(f"{stage.url}/accounts/login/")
                shoot(page, into / f"login-{size}-{scheme}.png")
                sign_in(page, stage)
                for name, address in pages(stage).items():
                    if only in name:
                        page.goto(address)
                        settle(page)
                        shoot(page, into / f"{name}-{size}-{scheme}.png")


@contextmanager
def window(browser: Browser, scheme: str, width: int, height: int) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.on("console", _told)
    yield page
    context.close()


def _told(message: object) -> None:
    if getattr(message, "type", "") == "error":
        print("console:", getattr(message, "text", ""), file=sys.stderr)


def settle(page: Page) -> None:
    """Wait until the live parts have arrived."""
    page.wait_for_function("() => !document.querySelector('.shimmer, .htmx-request')")


def shoot(page: Page, file: Path, whole: bool = True) -> None:
    page.screenshot(path=file, full_page=whole)
    print(file)


def for_readme(stage: Stage, browser: Browser, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    with window(browser, "light", *SIZES["wide"]) as page:
        sign_in(page, stage)
        todo: dict[str, Callable[[], object]] = {
            "home": lambda: page.goto(stage.home),
            "documents": lambda: page.goto(f"{stage.home}documents"),
            "document": lambda: page.goto(pages(stage)["document-in_step"]),
            "attention": lambda: page.goto(f"{stage.home}attention"),
        }
        for name, go in todo.items():
            go()
            settle(page)
            shoot(page, into / f"{name}.png", whole=name == "document")


if __name__ == "__main__":
    sys.exit(main())
