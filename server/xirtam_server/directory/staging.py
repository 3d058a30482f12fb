"""Updates that were accepted and wait for the next chunk, and the work that paid for them (spec: directory.md, Proof of work, RPC).

Accepting an update and spending its seed are one transaction, so a crash leaves both or neither. A spent seed is kept until it would
have expired anyway, together with what it bought: the same call again, after a lost answer, is acknowledged again.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash
from xirtam_core.protocol.directory import DirectoryUpdate

SCHEMA: Final = """
CREATE TABLE staged (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX staged_by_name ON staged (name, id);
CREATE TABLE spent (
    seed BLOB PRIMARY KEY,
    use_before INTEGER NOT NULL,
    bought BLOB NOT NULL        -- hash of the name and the update that it paid for
) WITHOUT ROWID;
CREATE INDEX spent_by_time ON spent (use_before);
"""


class Staged(msgspec.Struct, frozen=True):
    """An update that waits, in the order of `id`."""

    id: int
    name: str
    size: int
    update: DirectoryUpdate


class Staging:
    """What waits in the database behind `connection`; writers have a transaction open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def count(self) -> int:
        """How many updates wait."""
        # They leave in the order in which they came, so what is there has consecutive numbers; counting rows would read them all.
        query = "SELECT coalesce((SELECT max(id) FROM staged) - (SELECT min(id) FROM staged) + 1, 0)"
        return self._connection.execute(query).fetchone()[0]

    def of(self, name: str) -> Sequence[Staged]:
        """What waits for `name`, in order."""
        query = "SELECT id, name, body FROM staged WHERE name = ? ORDER BY id"
        return [_staged(*row) for row in self._connection.execute(query, (name,))]

    def in_order(self) -> Iterator[Staged]:
        """Everything that waits, oldest first."""
        for row in self._connection.execute("SELECT id, name, body FROM staged ORDER BY id"):
            yield _staged(*row)

    def add(self, name: str, update: DirectoryUpdate) -> None:
        """Puts `update` at the end."""
        self._connection.execute("INSERT INTO staged (name, body) VALUES (?, ?)", (name, bcs.encode(update)))

    def remove_until(self, last_id: int) -> None:
        """Forgets what came up to `last_id`."""
        self._connection.execute("DELETE FROM staged WHERE id <= ?", (last_id,))

    def find_bought(self, seed: Hash) -> bytes | None:
        """What `seed` was spent on; None if it was not."""
        row = self._connection.execute("SELECT bought FROM spent WHERE seed = ?", (seed,)).fetchone()
        return None if row is None else row[0]

    def spend(self, seed: Hash, use_before: int, bought: bytes) -> None:
        """Notes that `seed` paid for `bought`."""
        self._connection.execute("INSERT INTO spent VALUES (?, ?, ?)", (seed, use_before, bought))

    def forget_expired(self, now: int) -> None:
        """Drops spent seeds that their expiry refuses from now on."""
        self._connection.execute("DELETE FROM spent WHERE use_before <= ?", (now,))


def _staged(staged_id: int, name: str, body: bytes) -> Staged:
    return Staged(staged_id, name, len(body), bcs.decode(DirectoryUpdate, body))
