"""Where time goes is told by phase, and other tasks do not disturb it."""

import asyncio

from onecore.timing import DATABASE, FIRST, Spent, phase, spending, waiting


def test_what_is_named_is_told_apart_and_the_rest_is_the_first_phase() -> None:
    async def work() -> Spent:
        with spending() as spent:
            assert spent.now == (FIRST, "own")
            with phase("reading"), waiting(DATABASE):
                assert spent.now == ("reading", DATABASE)
                with phase("deciding"):
                    assert spent.now == ("deciding", "own")
                assert spent.now == ("reading", DATABASE)
        return spent

    spent = asyncio.run(work())
    assert spent.now == (FIRST, "own")
    assert set(spent.seconds) == {(FIRST, "own"), ("reading", "own"), ("reading", DATABASE),
                                  ("deciding", "own")}  # fmt: skip


def test_a_phase_that_fails_is_over() -> None:
    async def work() -> Spent:
        with spending() as spent:
            try:
                with phase("reading"):
                    raise ValueError
            except ValueError:
                pass
        return spent

    assert asyncio.run(work()).now == (FIRST, "own")


def test_another_task_changes_nothing() -> None:
    async def renewing() -> None:
        with phase("renewing"), waiting(DATABASE):
            await asyncio.sleep(0)

    async def work() -> Spent:
        with spending() as spent, phase("reading"):
            await asyncio.create_task(renewing())
            assert spent.now == ("reading", "own")
        return spent

    assert {name for name, _ in asyncio.run(work()).seconds} == {FIRST, "reading"}


def test_outside_of_any_work_a_name_does_nothing() -> None:
    with phase("reading"), waiting(DATABASE):
        pass
