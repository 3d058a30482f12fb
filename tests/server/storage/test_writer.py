"""The writer: what shares a transaction, and what a caller may rely on."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from xirtam_server.storage.writer import GroupWriter


class Ledger:
    """Notes what came together; a piece of work that is an exception fails its transaction."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []

    def is_one_statement(self, work: Sequence[Any]) -> bool:
        return False

    def perform(self, db: sqlite3.Connection, work: Sequence[Any]) -> list[Any]:
        for item in work:
            if isinstance(item, Exception):
                raise item
        self.batches.append(list(work))
        return list(work)

    def forget(self) -> None:
        pass


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def writer(ledger: Ledger) -> AsyncIterator[GroupWriter]:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)

    opened = GroupWriter(connect, ledger, most_jobs=1000, most_bytes=1000)
    yield opened
    await opened.close()


async def test_changes_of_one_turn_of_the_loop_share_a_transaction(writer: GroupWriter, ledger: Ledger) -> None:
    assert await asyncio.gather(*(writer.submit(number) for number in range(100))) == list(range(100))

    assert ledger.batches == [list(range(100))]


async def test_more_changes_than_one_transaction_takes_go_in_their_order(writer: GroupWriter, ledger: Ledger) -> None:
    await asyncio.gather(*(writer.submit(number) for number in range(700)))

    assert len(ledger.batches) > 1
    assert [number for batch in ledger.batches for number in batch] == list(range(700))


async def test_a_change_that_fails_leaves_its_neighbours_alone(writer: GroupWriter) -> None:
    outcomes = await asyncio.gather(*map(writer.submit, (1, KeyError(), 3)), return_exceptions=True)

    assert outcomes[0] == 1
    assert isinstance(outcomes[1], KeyError)
    assert outcomes[2] == 3


async def test_closing_finishes_what_was_queued(ledger: Ledger) -> None:
    writer = GroupWriter(
        lambda: sqlite3.connect(":memory:", isolation_level=None), ledger, most_jobs=1000, most_bytes=0
    )
    queued = [writer.submit(number) for number in range(300)]

    await writer.close()

    assert await asyncio.gather(*queued) == list(range(300))
