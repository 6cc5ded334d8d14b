"""Both simulators for who asks; the database is `tests.database`, a plugin."""

from collections.abc import Iterator

import pytest

from tests.simulators import Simulators


@pytest.fixture(scope="session")
def simulators() -> Iterator[Simulators]:
    with Simulators() as both:
        yield both
