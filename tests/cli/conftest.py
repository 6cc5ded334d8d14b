"""An installation for each test, on a copy of one migrated database."""

import itertools
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.cli.books import map_everything
from tests.database import SERVER
from tests.harness import Installation
from tests.simulators import Simulators

Step = Callable[[Installation], object]
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


def _made_with(name: str, template: str, simulators: Simulators | None, *steps: Step) -> str:
    """A database the steps were taken in once, for tests to begin with copies of."""
    _server("CREATE DATABASE {} TEMPLATE {}", name, template)
    made = Installation(simulators, url_of(name))
    try:
        for step in steps:
            step(made)
    finally:
        made.close()
    return name


@pytest.fixture(scope="session")
def migrated() -> str:
    """The name of a database that `onecore migrate` brought up to date."""
    return _made_with("cli_migrated", "template0", None, lambda x: x.run("migrate").ok())


@pytest.fixture(scope="session")
def connected_once(migrated: str, simulators: Simulators) -> str:
    simulators.reset()
    return _made_with("cli_connected", migrated, simulators, lambda x: x.connect(simulators))


@pytest.fixture(scope="session")
def mapped_once(connected_once: str, simulators: Simulators) -> str:
    simulators.reset()
    return _made_with("cli_mapped", connected_once, simulators, map_everything)


@pytest.fixture(scope="session")
def switched_once(mapped_once: str, simulators: Simulators) -> str:
    simulators.reset()
    said = ("switch-on",)
    return _made_with("cli_switched", mapped_once, simulators, lambda x: x.run(*said).ok())


@pytest.fixture
def new_database() -> Iterator[Callable[..., str]]:
    """Makes databases, empty or as copies, and gives their addresses."""
    names: list[str] = []

    def make(template: str = "template0") -> str:
        names.append(f"cli_{next(_numbers)}")
        _server("CREATE DATABASE {} TEMPLATE {}", names[-1], template)
        return url_of(names[-1])

    yield make
    for name in names:
        _server("DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def install(
    simulators: Simulators, new_database: Callable[..., str]
) -> Iterator[Callable[[str], Installation]]:
    """Makes an installation on a copy of a database, the simulators as on their first day."""
    made: list[Installation] = []

    def make(template: str) -> Installation:
        simulators.reset()
        made.append(Installation(simulators, new_database(template)))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def bare(install: Callable[[str], Installation], migrated: str) -> Installation:
    """Migrated, with nothing in it."""
    return install(migrated)


@pytest.fixture
def connected(install: Callable[[str], Installation], connected_once: str) -> Installation:
    """One workspace, Main, joined to both simulators; nothing mapped."""
    return install(connected_once)


@pytest.fixture
def mapped(install: Callable[[str], Installation], mapped_once: str) -> Installation:
    """Connected, and nothing is missing; the flow is off."""
    return install(mapped_once)


@pytest.fixture
def switched(install: Callable[[str], Installation], switched_once: str) -> Installation:
    """Mapped, and bills go over by themselves."""
    return install(switched_once)
