"""What only SQLite does: every commit flushed, and databases that are not ours left alone."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.store_builders import Seen
from xirtam_core.codec.primitives import Hash
from xirtam_server.storage.interface import StoreBusy
from xirtam_server.storage.limits import StoreLimits
from xirtam_server.storage.schema import DamagedDatabase, NewerDatabase
from xirtam_server.storage.sqlite import SqliteHomeStore


async def test_every_commit_is_flushed(tmp_path: Path) -> None:
    store = await SqliteHomeStore.open(tmp_path / "home.db", Seen())
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        settings = await store._write(  # pyright: ignore[reportPrivateUsage]
            lambda db: (
                db.execute("PRAGMA synchronous").fetchone()[0],
                db.execute("PRAGMA journal_mode").fetchone()[0],
            )
        )
    assert settings == (2, "wal")


async def test_a_database_of_a_later_version_or_of_none_is_left_alone(tmp_path: Path) -> None:
    await (await SqliteHomeStore.open(tmp_path / "home.db", Seen())).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "home.db")) as db:
        db.execute("PRAGMA user_version = 1000")
    with pytest.raises(NewerDatabase):
        await SqliteHomeStore.open(tmp_path / "home.db", Seen())
    (tmp_path / "home.db").write_bytes(b"this is no database, but it is longer than a header" * 100)
    with pytest.raises(DamagedDatabase):
        await SqliteHomeStore.open(tmp_path / "home.db", Seen())


async def test_reads_beyond_the_bound_are_refused_and_later_ones_are_not(tmp_path: Path) -> None:
    store = await SqliteHomeStore.open(tmp_path / "home.db", Seen(), StoreLimits(most_reads=2))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        reads = [store.find_device(Hash(b"d" * 32)) for _ in range(5)]
        outcomes = await asyncio.gather(*reads, return_exceptions=True)
        assert [isinstance(outcome, StoreBusy) for outcome in outcomes] == [False, False, True, True, True]
        assert await store.find_device(Hash(b"d" * 32)) is None
