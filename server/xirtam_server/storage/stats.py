"""What a SQLite store holds, counted, and whether it still takes writes."""

import sqlite3

from xirtam_server.storage.interface import StoreStats

_COUNTS = """SELECT
    (SELECT count(*) FROM account),
    (SELECT count(*) FROM device),
    (SELECT count(*) FROM mailbox),
    (SELECT coalesce(sum(entries), 0) FROM mailbox),
    (SELECT coalesce(sum(bytes), 0) FROM mailbox),
    (SELECT count(*) FROM fragment),
    (SELECT coalesce(sum(size), 0) FROM fragment),
    (SELECT count(*) FROM invite WHERE uses > 0)"""


def count(db: sqlite3.Connection) -> StoreStats:
    """The numbers, from one moment."""
    return StoreStats(*db.execute(_COUNTS).fetchone())


def probe(db: sqlite3.Connection, now_ns: int) -> None:
    """A write like any other."""
    db.execute("REPLACE INTO probe VALUES (0, ?)", (now_ns,))
