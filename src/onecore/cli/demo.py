"""`onecore demo`: OneCore beside a simulated Procore and Xero, filled with a made-up builder."""

import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click

PEOPLE = ("demo@onecore.example", "correct-bricks-and-mortar")
WORKSPACE = "Demo"
SEED = "1"
PROCORE_PORT, XERO_PORT = 8101, 8102
MARK = ".onecore-demo"
TERMINAL = "demo.env"
"""Sourced in another terminal, it makes the commands speak to the demo."""


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator's process and address."""

    url: str
    process: "subprocess.Popen[str]"


def run_demo(directory: Path | None, reset: bool, port: int) -> None:
    """Start everything, fill it on the first run, serve until a signal, stop everything."""
    home = (directory or _default_directory()).expanduser().resolve()
    if reset:
        _begin_anew(home)
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)  # as root the database's own user has to pass
    (home / MARK).touch()
    with (
        _simulator("procore", PROCORE_PORT, home) as procore,
        _simulator("xero", XERO_PORT, home) as xero,
    ):
        _set_environment(home, port, procore.url, xero.url)
        first = _prepare()
        click.echo(f"\nProcore, simulated:  {procore.url}")
        click.echo(f"Xero, simulated:     {xero.url}")
        click.echo(f"Sign in with:        {PEOPLE[0]}  /  {PEOPLE[1]}")
        click.echo(f"In another terminal: . {home / TERMINAL}; .venv/bin/onecore documents")
        click.echo(f"Begin here:          http://localhost:{port}/demo\n")
        if first:
            _ring(xero.url, f"http://localhost:{port}/webhooks/xero")
        from onecore.cli.running import run_service  # noqa: PLC0415 - they need each other

        run_service(with_web=True)


def _default_directory() -> Path:
    from onecore.environment import read_settings  # noqa: PLC0415

    kept = read_settings().data_dir
    return kept.parent / f"{kept.name}-demo"


def _begin_anew(home: Path) -> None:
    """Remove an earlier demo, and only that: the directory must carry a demo's mark."""
    if not home.exists():
        return
    if not (home / MARK).exists():
        raise click.UsageError(f"{home} was not made by a demo, so it is not removed.")
    from onecore.store.embedded import EmbeddedPostgres  # noqa: PLC0415

    EmbeddedPostgres(home / "database").discard()
    shutil.rmtree(home)


@contextlib.contextmanager
def _simulator(name: str, port: int, home: Path) -> Iterator[Running]:
    """One simulator, its state kept in the demo's directory."""
    command = [sys.executable, "-m", "onecore_sim", name, "--size", "demo", "--seed", SEED]
    command += ["--port", str(_free(port)), "--state", str(home / f"{name}.json"), "--until-eof"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl+C is for us; a simulator outlives the engine's last word
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise click.ClickException(f"The {name} simulator did not start.")
    try:
        yield Running(json.loads(line)["url"].replace("127.0.0.1", "localhost"), process)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)


def _free(port: int) -> int:
    """The port, or 0 (any) when somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _set_environment(home: Path, port: int, procore: str, xero: str) -> None:
    """The demo's settings, over whatever stands in the environment."""
    values = {
        "ONECORE_DATA_DIR": str(home),
        "ONECORE_BASE_URL": f"http://localhost:{port}",
        "ONECORE_BIND": f"127.0.0.1:{port}",
        "ONECORE_PROCORE_LOGIN_URL": procore,
        "ONECORE_PROCORE_API_URL": procore,
        "ONECORE_PROCORE_CLIENT_ID": "sim-procore-client",
        "ONECORE_PROCORE_CLIENT_SECRET": "sim-procore-secret",
        "ONECORE_XERO_LOGIN_URL": xero,
        "ONECORE_XERO_IDENTITY_URL": xero,
        "ONECORE_XERO_API_URL": xero,
        "ONECORE_XERO_CLIENT_ID": "sim-xero-client",
        "ONECORE_XERO_CLIENT_SECRET": "sim-xero-secret",
        "ONECORE_XERO_WEBHOOK_KEY": "sim-xero-webhook-key",
        "ONECORE_POLL_SECONDS": "2",
        "ONECORE_POLL_LONGEST_SECONDS": "6",
    }
    os.environ.update(values)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in values.items()]
    (home / TERMINAL).write_text("".join(lines), "utf-8")
    os.environ.pop("ONECORE_DATABASE_URL", None)
    os.environ.pop("ONECORE_SECRET_KEY", None)
    os.environ["ONECORE_DEMO"] = "1"


def _prepare() -> bool:
    """Database, person, workspace, connections and mapping, each if it is not there yet.

    True on the first run. Uses the same use cases as the commands and pages.
    """
    from onecore.app import bootstrap  # noqa: PLC0415
    from onecore.engine.use import upgrading  # noqa: PLC0415 - Django is ready from here on

    service = bootstrap()
    upgrading.migrate()
    from onecore.engine.use import configuring, connecting, people, workspaces  # noqa: PLC0415

    if workspaces.names():
        return False
    people.add_user(service, PEOPLE[0], "owner", PEOPLE[1], actor="demo")
    workspace = workspaces.add(service, WORKSPACE, "demo")
    company = _ask(f"{service.settings.procore_api_url}/_sim/state")["company_id"]
    service.run(connecting.connect_procore(service, workspace, company, "demo"))
    service.run(
        connecting.connect_xero_custom(
            service, workspace, "sim-xero-custom", "sim-xero-custom-secret", "demo"
        )
    )
    from onecore.engine.use import mapping  # noqa: PLC0415

    cut_over = service.clock.now().date().replace(day=1)
    configuring.edit(
        service, workspace, lambda text: _with_books(text, cut_over), "demo", "the demo's books"
    )
    service.run(mapping.accept(service, workspace, "vendors", 80, "demo"))
    service.run(mapping.accept(service, workspace, "projects", 80, "demo"))
    configuring.edit(service, workspace, _switched_on, "demo", "bills switched on")
    return True


def _ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own simulator
        return json.load(answer)


def _with_books(text: str, cut_over: date) -> str:
    """Where the made-up builder books things: by division, retention in its own account."""
    from onecore.domain.ids import AccountCode  # noqa: PLC0415
    from onecore.domain.settings import CodeRule  # noqa: PLC0415
    from onecore.engine import config  # noqa: PLC0415

    chart = subprocess.run(
        [sys.executable, "-m", "onecore_sim.chart", "--size", "demo", "--seed", SEED],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = json.loads(chart.stdout)
    text = config.set_value(text, ("cut_over",), cut_over)
    text = config.set_tracking(text, project="Projects")
    text = config.set_retention_account(text, "payable", AccountCode("820R"))
    rules = [CodeRule(code, expense=AccountCode(account)) for code, account in rows.items()]
    return config.add_codes(text, rules)


def _switched_on(text: str) -> str:
    from onecore.domain.refs import Flow  # noqa: PLC0415
    from onecore.domain.settings import Mode  # noqa: PLC0415
    from onecore.engine import config  # noqa: PLC0415

    return config.set_flow_mode(text, Flow.BILL, Mode.AUTO)


def _ring(xero: str, address: str) -> None:
    """Ask the simulated Xero to tell us of changes; it does so once we answer."""
    body = json.dumps({"url": address, "client_id": "sim-xero-custom"}).encode()
    request = urllib.request.Request(  # noqa: S310 - our own simulator
        f"{xero}/_sim/do/webhook", data=body, headers={"Content-Type": "application/json"}
    )
    with contextlib.suppress(OSError):
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310
