"""What only SQLite does: every commit flushed, and databases that are not ours left alone."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.server_builders import blob
from tests.store_builders import Seen, open_box, stamps_in
from xirtam_core.codec.primitives import Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH
from xirtam_server.storage import schema
from xirtam_server.storage.interface import StoreBusy
from xirtam_server.storage.limits import StoreLimits
from xirtam_server.storage.opening import open_store
from xirtam_server.storage.schema import (
    DamagedDatabase,
    DatabaseInUse,
    DatabaseUnavailable,
    NewerDatabase,
    OlderDatabase,
)
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


async def test_a_database_is_for_one_process_until_that_has_closed_it_by_whatever_name(tmp_path: Path) -> None:
    (tmp_path / "alias.db").symlink_to(tmp_path / "home.db")
    first = await SqliteHomeStore.open(tmp_path / "home.db", Seen())
    for name in ("home.db", "alias.db"):
        with pytest.raises(DatabaseInUse, match=r"another xirtam-server uses the database .*: stop it"):
            await open_store(f"sqlite:{tmp_path / name}", Seen())
    guest = await open_store(tmp_path / "home.db", Seen(), is_guest=True)
    assert (await guest.stats()).accounts == 0
    await guest.close()
    await first.close()
    await (await SqliteHomeStore.open(tmp_path / "alias.db", Seen())).close()


async def test_a_guest_brings_an_older_database_up_to_date_only_where_no_server_has_it(tmp_path: Path) -> None:
    first = await SqliteHomeStore.open(tmp_path / "home.db", Seen())
    with contextlib.closing(sqlite3.connect(tmp_path / "home.db", isolation_level=None)) as db:
        _as_of_version_1(db)
        with pytest.raises(OlderDatabase, match="start the server once"):
            await open_store(tmp_path / "home.db", Seen(), is_guest=True)
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    await first.close()
    guest = await open_store(tmp_path / "home.db", Seen(), is_guest=True)
    assert (await guest.stats()).fragments == 0
    await guest.close()


def _as_of_version_1(db: sqlite3.Connection) -> None:
    """Makes the tables anew, as an earlier program would have them."""
    db.execute("PRAGMA foreign_keys = OFF")
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        db.execute(f"DROP TABLE {table}")
    db.execute("PRAGMA user_version = 0")
    schema.migrate(db, 1)


async def test_a_folder_that_is_missing_is_named_as_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"there is no folder .*/missing for the database: make it"):
        await open_store(f"sqlite:{tmp_path / 'missing' / 'home.db'}", Seen())


async def test_reads_beyond_the_bound_are_refused_and_later_ones_are_not(tmp_path: Path) -> None:
    store = await SqliteHomeStore.open(tmp_path / "home.db", Seen(), StoreLimits(most_reads=2))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        reads = [store.find_device(Hash(b"d" * 32)) for _ in range(5)]
        outcomes = await asyncio.gather(*reads, return_exceptions=True)
        assert [isinstance(outcome, StoreBusy) for outcome in outcomes] == [False, False, True, True, True]
        assert await store.find_device(Hash(b"d" * 32)) is None


async def test_entries_from_when_the_clock_was_ahead_do_not_keep_what_is_behind_them(tmp_path: Path) -> None:
    store = await SqliteHomeStore.open(tmp_path / "home.db", Seen())
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        box = await open_box(store)
        stamps = [await store.append(box, ANONYMOUS_HASH, blob(), 0) for _ in range(10)]
        ahead, later = stamps[:3], stamps[-1] + 10**15
        with contextlib.closing(sqlite3.connect(tmp_path / "home.db", isolation_level=None)) as db:
            db.execute("UPDATE entry SET received_at = received_at + ? WHERE received_at <= ?", (10**16, ahead[-1]))
        removed = [await store.purge(0, 2, later) for _ in range(12)]
        assert sum(removed) == 7
        assert await stamps_in(store, box) == [stamp + 10**16 for stamp in ahead]
