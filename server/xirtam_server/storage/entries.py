"""Entries in SQLite: adding many at once, reading pages, removing expired ones.

`received_at` is given out here, inside the write transaction and by the one writer: the larger of the clock and one more than the
last of the mailbox. A trigger keeps the last in the mailbox's row, so it outlives the entries. Therefore the order in which entries
become visible is the order of their cursors, also across restarts and clocks that are set back.
"""

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.mailbox import MailboxEntry
from xirtam_server.storage.bulk import BulkStatement
from xirtam_server.storage.interface import KEEP, MailboxFull, MailboxState, StoredEntry

_INSERT = BulkStatement(
    "INSERT INTO entry (mailbox, received_at, expires_at, sender, kind, inner) SELECT * FROM ({rows}) WHERE column1 NOTNULL",
    width=6,
)
_MOST_HEADS = 50_000
_NANOSECONDS = 1_000_000_000


class Append:
    """An entry to be added to a mailbox, made ready so that the writer has little to do: what two threads touch costs both."""

    __slots__ = ("columns", "message", "row", "sender", "size", "ttl_s")

    def __init__(self, state: MailboxState, sender: Hash, message: Blob, ttl_s: int) -> None:
        self.row = state.row
        self.sender = sender
        self.message = message
        self.ttl_s = ttl_s
        self.size = len(message.inner) + len(message.kind.encode())
        # Plain `bytes`, as SQLite's binding looks for adapters for everything else.
        self.columns = (bytes(sender), message.kind, bytes(message.inner))

    def expires_at(self, received_at: int) -> int:
        """Until when the entry counts, in Unix nanoseconds."""
        return received_at + self.ttl_s * _NANOSECONDS if self.ttl_s else KEEP

    def stored(self, received_at: int) -> StoredEntry:
        """The entry as it came to be."""
        entry = MailboxEntry(self.message, received_at, self.sender)
        return StoredEntry(entry, self.expires_at(received_at))


class _Owner:
    """How many bytes all mailboxes of one user hold."""

    __slots__ = ("bytes",)

    def __init__(self, size: int) -> None:
        self.bytes = size


class _Head:
    """Where a mailbox ends, how much it holds, and who is charged for it."""

    __slots__ = ("bytes", "entries", "last", "owner")

    def __init__(self, last: int, entries: int, size: int, owner: _Owner | None) -> None:
        self.last = last
        self.entries = entries
        self.bytes = size
        self.owner = owner


class Appender:
    """Adds entries, and remembers the ends of the mailboxes it has added to."""

    def __init__(self, most_entries: int, most_bytes: int, most_owned_bytes: int) -> None:
        self._most_entries, self._most_bytes, self._most_owned_bytes = most_entries, most_bytes, most_owned_bytes
        self._heads: dict[int, _Head] = {}
        self._owners: dict[str, _Owner] = {}
        self._looked_at = 0

    def forget(self) -> None:
        """What is remembered may not be so: it will be read again."""
        self._heads.clear()
        self._owners.clear()

    def append(self, db: sqlite3.Connection, appends: Sequence[Append]) -> list[int | MailboxFull]:
        """Adds the entries in order, and gives their `received_at`: in one statement, if there are no more than it takes."""
        if len(self._heads) > _MOST_HEADS:
            self.forget()
        now = time.time_ns()
        outcomes: list[int | MailboxFull] = []
        rows: list[tuple[Any, ...]] = []
        for append in appends:
            row = append.row
            head = self._heads.get(row) or self._read_head(db, row)
            if head.entries >= self._most_entries or head.bytes + append.size > self._most_bytes:
                outcomes.append(MailboxFull())
                continue
            if head.owner is not None:
                if head.owner.bytes + append.size > self._most_owned_bytes:
                    outcomes.append(MailboxFull())
                    continue
                head.owner.bytes += append.size
            head.last = received_at = max(head.last + 1, now)
            head.entries += 1
            head.bytes += append.size
            rows.append((row, received_at, append.expires_at(received_at), *append.columns))
            outcomes.append(received_at)
        _INSERT.run(db, rows)
        return outcomes

    def _read_head(self, db: sqlite3.Connection, row: int) -> _Head:
        found = db.execute("SELECT last, entries, bytes, owner FROM mailbox WHERE id = ?", (row,)).fetchone()
        if found is None:
            raise LookupError("the mailbox was removed since its sender found it")
        last, count, size, owner = found
        head = self._heads[row] = _Head(last, count, size, self._read_owner(db, owner) if owner else None)
        return head

    def _read_owner(self, db: sqlite3.Connection, name: str) -> _Owner:
        if name not in self._owners:
            self._owners[name] = _Owner(_owned_bytes(db, name))
        return self._owners[name]

    def purge(self, db: sqlite3.Connection, now_ns: int, most: int, received_before: int) -> int:
        """Removes up to `most` entries that have expired or are older than wanted; how many.

        Of the latter only the `most` that came first are looked at, as no index is needed to find them, and with each call `most`
        further ones, round and round: those that came while the clock was ahead are first and stay, and must not hide what is behind.
        """
        after, until = self._looked_at, self._look_further(db, most) if received_before else 0
        gone = db.execute(
            """DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE expires_at <= ?1 AND expires_at < ?2 LIMIT ?3)
            OR id IN (SELECT id FROM (SELECT id, received_at FROM entry ORDER BY id LIMIT ?3) WHERE received_at < ?4)
            OR id IN (SELECT id FROM entry WHERE id > ?5 AND id <= ?6 AND received_at < ?4)
            RETURNING mailbox""",
            (now_ns, KEEP, most, received_before, after, until),
        ).fetchall()
        for row in {row for (row,) in gone}:
            self._heads.pop(row, None)
            owner = db.execute("SELECT owner FROM mailbox WHERE id = ?", (row,)).fetchone()[0]
            if owner in self._owners:
                self._owners[owner].bytes = _owned_bytes(db, owner)
        return len(gone)

    def _look_further(self, db: sqlite3.Connection, most: int) -> int:
        """Moves on by `most` entries, from the last one to the first; the id of the last of them."""
        last, count = db.execute(
            "SELECT coalesce(max(id), 0), count(*) FROM (SELECT id FROM entry WHERE id > ? ORDER BY id LIMIT ?)",
            (self._looked_at, most),
        ).fetchone()
        self._looked_at = last if count == most else 0
        return last


def _owned_bytes(db: sqlite3.Connection, owner: str) -> int:
    """What all mailboxes of `owner` hold."""
    return db.execute("SELECT coalesce(sum(bytes), 0) FROM mailbox WHERE owner = ?", (owner,)).fetchone()[0]


def read_page(
    db: sqlite3.Connection, row: int, after: int, now_ns: int, most: int, most_bytes: int
) -> list[StoredEntry]:
    """The entries of a mailbox after `after`, oldest first; stops after the one that passes `most_bytes`."""
    found: list[StoredEntry] = []
    size = 0
    cursor = db.execute(
        """SELECT received_at, expires_at, sender, kind, inner FROM entry
        WHERE mailbox = ? AND received_at > ? AND expires_at > ? ORDER BY received_at LIMIT ?""",
        (row, after, now_ns, most),
    )
    for received_at, expires_at, sender, kind, inner in cursor:
        entry = MailboxEntry(Blob(kind, Base64Bytes(inner)), received_at, Hash(sender))
        found.append(StoredEntry(entry, expires_at))
        size += len(inner)
        if size > most_bytes:
            break
    cursor.close()
    return found
