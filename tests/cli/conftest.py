"""An installation for each test, on a copy of one migrated database."""

import itertools
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.database import SERVER
from tests.harness import Installation
from tests.simulators import Simulators

MIGRATED = "cli_migrated"
_numbers = itertools.count(1)


def url_of(name: str) -> str:
    """The address of another database on the tests' own server."""
    base, _, query = SERVER.ensure().partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}?{query}"


def _server(statement: str, *names: str) -> None:
    """One statement about databases, which must not be in a transaction."""
    parts = {k: str(v) for k, v in conninfo_to_dict(SERVER.ensure()).items() if v is not None}
    parts["dbname"] = "postgres"
    text = sql.SQL(statement).format(*map(sql.Identifier, names))
    with psycopg.connect(make_conninfo(**parts), autocommit=True) as connection:
        connection.execute(text)


@pytest.fixture(scope="session")
def migrated() -> Iterator[str]:
    """The name of a database that `onecore migrate` brought up to date."""
    _server("CREATE DATABASE {}", MIGRATED)
    made = Installation(database_url=url_of(MIGRATED))
    made.run("migrate").ok()
    made.close()
    yield MIGRATED
    _server("DROP DATABASE {} WITH (FORCE)", MIGRATED)


@pytest.fixture
def new_database() -> Iterator[Callable[..., str]]:
    """Makes databases, empty or as copies, and gives their addresses."""
    names: list[str] = []

    def make(template: str = "") -> str:
        names.append(f"cli_{next(_numbers)}")
        if template:
            _server("CREATE DATABASE {} TEMPLATE {}", names[-1], template)
        else:
            _server("CREATE DATABASE {}", names[-1])
        return url_of(names[-1])

    yield make
    for name in names:
        _server("DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def bare(
    simulators: Simulators, migrated: str, new_database: Callable[..., str]
) -> Iterator[Installation]:
    """Migrated, with nothing in it; the simulators as on their first day."""
    simulators.reset()
    made = Installation(simulators, new_database(migrated))
    yield made
    made.close()


@pytest.fixture
def connected(bare: Installation, simulators: Simulators) -> Installation:
    """One workspace, Main, joined to both simulators; nothing mapped."""
    bare.connect(simulators)
    return bare
