"""Databases of every earlier version, with what was in them, become one of today; one of a later version is left alone."""

import contextlib
import sqlite3
from pathlib import Path

import psycopg
import pytest

from tests.builders import NOW_S, account
from tests.server_builders import blob
from tests.store_builders import BOX, Place, stamps_in
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, token_hash
from xirtam_core.protocol.mailbox import rights_of
from xirtam_server.storage import schema
from xirtam_server.storage.interface import KEEP
from xirtam_server.storage.postgres import database
from xirtam_server.storage.postgres import schema as postgres_schema

ALICE = account("alice")
TOKEN = AuthToken(b"t" * AuthToken.size)
STAMPS = [1000, 2000]


def fill_sqlite(db: sqlite3.Connection) -> None:
    """What the first version knew: a device, its keys, its mailbox with two entries."""
    key = ALICE.signed_medium_key(NOW_S)
    db.execute("INSERT INTO mailbox VALUES (7, ?, NULL, 0, 0, 0)", (bytes(BOX),))
    db.execute("INSERT INTO access VALUES (7, ?, 0, 1, 1)", (bytes(token_hash(TOKEN)),))
    for stamp in STAMPS:
        db.execute(
            "INSERT INTO entry (mailbox, received_at, expires_at, sender, kind, inner) VALUES (7, ?, ?, ?, 'k', ?)",
            (stamp, KEEP, bytes(ANONYMOUS_HASH), b"old"),
        )
    db.execute(
        "INSERT INTO device VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            ALICE.username,
            bytes(ALICE.hash),
            bytes(TOKEN),
            bytes(token_hash(TOKEN)),
            bcs.encode(ALICE.chain),
            bcs.encode(key),
            key.created,
        ),
    )


def fill_postgres(db: psycopg.Connection) -> None:
    key = ALICE.signed_medium_key(NOW_S)
    found = db.execute(
        "INSERT INTO mailbox (name, last, entries, bytes) VALUES (%s, %s, 2, 8) RETURNING id", (bytes(BOX), STAMPS[-1])
    ).fetchone()
    assert found is not None
    db.execute("INSERT INTO access VALUES (%s, %s, false, true, true)", (found[0], bytes(token_hash(TOKEN))))
    for stamp in STAMPS:
        db.execute(
            "INSERT INTO entry VALUES (%s, %s, %s, %s, %s, %s)",
            (found[0], stamp, KEEP, bytes(ANONYMOUS_HASH), b"k", b"old"),
        )
    db.execute("INSERT INTO account VALUES (%s, 0, 0)", (ALICE.username,))
    db.execute(
        "INSERT INTO device VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (
            ALICE.username,
            bytes(ALICE.hash),
            bytes(TOKEN),
            bytes(token_hash(TOKEN)),
            bcs.encode(ALICE.chain),
            bcs.encode(key),
            key.created,
        ),
    )


async def show_that_all_is_there(place: Place) -> None:
    """Opens it as one of today, and uses everything that was in it."""
    async with place.open() as store:
        state = await store.find_mailbox(BOX)
        assert state is not None
        assert state.last == STAMPS[-1]
        assert rights_of(token_hash(TOKEN), state.access).can_recv
        assert await stamps_in(store, state) == STAMPS
        added = await store.append(state, ANONYMOUS_HASH, blob(), 0)
        assert await stamps_in(store, state) == [*STAMPS, added]
        assert await store.add_device(ALICE.username, ALICE.chain, BOX) == TOKEN
        assert set(await store.medium_keys(ALICE.username)) == {ALICE.hash}
        kept = await store.find_account(ALICE.username)
        assert kept is not None
        assert (kept.created_at, kept.prepared_until) == (0, 0)
        assert (await store.stats()).entries == 3


@pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS) + 1))
async def test_a_sqlite_database_of_every_version_becomes_one_of_today(tmp_path: Path, version: int) -> None:
    path = tmp_path / "home.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        schema.migrate(db, 1)
        fill_sqlite(db)
        schema.migrate(db, version)
        assert db.execute("PRAGMA user_version").fetchone() == (version,)
    await show_that_all_is_there(Place(path))


@pytest.mark.parametrize("version", range(1, len(postgres_schema.MIGRATIONS) + 1))
async def test_a_postgresql_database_of_every_version_becomes_one_of_today(postgres_url: str, version: int) -> None:
    async with await database.connect(postgres_url) as migrating:
        await postgres_schema.migrate(migrating, 1)
        with psycopg.connect(postgres_url, autocommit=True) as db:
            fill_postgres(db)
        await postgres_schema.migrate(migrating, version)
    await show_that_all_is_there(Place(postgres_url))
