"""The processes that stay: `serve` (web and engine), `worker` (more engine), `demo`."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from onecore.engine.service import Service
    from onecore.engine.worker import Worker

DRAIN_SECONDS = 60


@click.command()
def serve() -> None:
    """Serve the web app and run the engine in one process."""
    run_service(with_web=True)


@click.command()
@click.option("--concurrency", default=4, show_default=True, help="Organisations at a time.")
def worker(concurrency: int) -> None:
    """Run more engine: any number of these, on any number of machines."""
    run_service(with_web=False, concurrency=concurrency)


@click.command()
@click.option(
    "--dir", "directory", type=click.Path(path_type=Path), help="Where the demo keeps its data."
)
@click.option("--reset", is_flag=True, help="Begin the demo anew.")
@click.option("--port", default=8000, show_default=True, help="Port of the web app.")
def demo(directory: Path | None, reset: bool, port: int) -> None:
    """Start OneCore with a simulated Procore and Xero, filled with a made-up builder."""
    from onecore.cli.demo import run_demo  # noqa: PLC0415 - only this command needs it

    run_demo(directory, reset, port)


def run_service(with_web: bool, concurrency: int = 4) -> None:
    """Run until SIGTERM or SIGINT: then stop intake, drain the worker, stop the web."""
    from onecore.cli.common import check_tables, joined  # noqa: PLC0415 - not for help's sake

    service = joined()
    check_tables()
    from onecore import app  # noqa: PLC0415
    from onecore.engine.worker import Worker  # noqa: PLC0415 - Django must be ready first

    ours = service.settings.database_url is None
    engine = Worker(service, concurrency, app.start_database if ours else None)
    working = service.start(engine.run())
    try:
        if with_web:
            asyncio.run(_web(service, engine))
        else:
            _wait_for_signal()
    finally:
        service.soon(engine.stop)
        with contextlib.suppress(TimeoutError):
            working.result(DRAIN_SECONDS)
        service.close()
        _stop_database()


def _stop_database() -> None:
    """Stop the embedded server if this process was its last user; a server by URL is not ours."""
    from django.db import connections  # noqa: PLC0415
    from django.db.backends.postgresql.base import DatabaseWrapper  # noqa: PLC0415

    from onecore.environment import settings  # noqa: PLC0415
    from onecore.store.embedded import EmbeddedPostgres  # noqa: PLC0415

    ours = connections["default"]
    assert isinstance(ours, DatabaseWrapper)
    ours.close()
    ours.close_pool()
    ready = settings()
    if ready.database_url is None:
        EmbeddedPostgres(ready.database_dir).stop(unless_used=True)


async def _web(service: "Service", engine: "Worker") -> None:
    """Serve pages; a signal stops the worker first, so that nothing new is begun."""
    import uvicorn  # noqa: PLC0415

    from onecore.web.asgi import application  # noqa: PLC0415

    class Server(uvicorn.Server):
        """Leaves the signals to us: uvicorn raises them again, which skips the clean-up."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    settings = service.settings
    server = Server(
        uvicorn.Config(
            application,
            host=settings.bind_host,
            port=settings.bind_port,
            lifespan="off",
            log_config=None,  # Django's set-up has given uvicorn a handler without content
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )

    def stop() -> None:
        service.soon(engine.stop)
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop)
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.05)
    if server.started:
        click.echo(f"OneCore serves {settings.base_url} (Ctrl+C stops it)")
    await serving


def _wait_for_signal() -> None:
    stopped = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stopped.set())
    click.echo("OneCore's worker runs (Ctrl+C stops it)")
    stopped.wait()
