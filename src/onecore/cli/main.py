"""The command `onecore`: every use case from a terminal or a script."""

import sys
import traceback
from collections.abc import Sequence

import click

from onecore.cli import documents, installing, mapping, overseeing, running, workspaces
from onecore.cli.errors import Ended, told
from onecore.cli.output import error as show_error

EPILOG = (
    "Every command takes --json. Exit codes: 0 done, 1 something needs a person, 2 wrong use, "
    "3 a remote or the database is out of reach (a database not yet migrated included)."
)


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="onecore", prog_name="OneCore")
def cli() -> None:
    """OneCore keeps Procore Construction Financials and Xero in step."""


def _with_json(command: click.Command) -> click.Command:
    """The command, taking --json where it shows nothing that could be JSON."""
    if not any("--json" in parameter.opts for parameter in command.params):
        option = click.Option(["--json"], is_flag=True, expose_value=False, help="As elsewhere.")
        command.params.append(option)
    return command


for _module in (installing, workspaces, mapping, documents, overseeing):
    for _command in _module.COMMANDS:
        cli.add_command(_command)
for _command in (running.serve, running.worker, running.demo):
    cli.add_command(_with_json(_command))


def run(argv: Sequence[str]) -> int:
    """Run one command; its exit code. Errors are shown, never raised."""
    json = "--json" in argv
    try:
        code = cli.main(args=list(argv), prog_name="onecore", standalone_mode=False)
    except Ended as ended:
        return ended.code
    except (Exception, KeyboardInterrupt) as error:
        return _failed(error, json)
    return code if isinstance(code, int) else 0


def _failed(error: BaseException, json: bool) -> int:
    if isinstance(error, click.UsageError) and error.ctx is not None and not json:
        click.echo(error.ctx.get_usage(), err=True)
    said = told(error)
    if said.unexpected:
        traceback.print_exception(error)
    show_error(said.message, json)
    return said.code


def main() -> None:
    """The entry point of the installed command."""
    from onecore.cli.logs import to_stderr  # noqa: PLC0415 - not needed by those who import this

    to_stderr()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
