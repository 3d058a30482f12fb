"""Entries on their way in: journal, then understand (spec: client.md, Receiving).

A batch of entries and the mailbox's new cursor are one transaction, so no entry is passed over. Each entry leaves the journal in the
transaction that stores what became of it, so none is understood twice or lost in between.
"""

from collections.abc import Iterable, Sequence

import msgspec

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import ServerName
from xirtam_core.protocol.mailbox import MailboxEntry
from xirtam_core.storage import counters
from xirtam_core.storage.database import Database

LATEST_RECEIVED = 2**62
"""A server's time (in 2116) beyond which an entry is not taken: it leaves room behind it, whatever a server makes up."""

_REJECTED = "rejected"
_MOST_QUARANTINED = 200
_QUARANTINED_BYTES = 65536
_LONGEST_WAIT_S = 300


class JournalEntry(msgspec.Struct, frozen=True):
    """An entry that waits to be understood; `attempts` have failed so far."""

    id: int
    mailbox: Hash
    received_at_ns: int
    kind: str
    inner: bytes
    attempts: int


def follow(database: Database, mailbox: Hash, server: ServerName) -> None:
    """Starts to read `mailbox` of `server` from its beginning, if it is not being read."""
    database.execute("INSERT OR IGNORE INTO mailboxes (mailbox, server) VALUES (?, ?)", bytes(mailbox), server)


def cursors(database: Database, server: ServerName) -> dict[Hash, int]:
    """The mailboxes that are read at `server`, and how far each has been."""
    rows = database.rows("SELECT mailbox, cursor_ns FROM mailboxes WHERE server = ?", server)
    return {Hash(mailbox): cursor for mailbox, cursor in rows}


def append(database: Database, mailbox: Hash, entries: Sequence[MailboxEntry]) -> int:
    """Stores entries that arrived and moves the mailbox's cursor behind them; gives how many were new."""
    if not entries:
        return 0
    name = bytes(mailbox)
    rows = [(name, entry.received_at, entry.message.kind, bytes(entry.message.inner)) for entry in entries]
    with database.transaction():
        added = database.execute_many(
            "INSERT OR IGNORE INTO journal (mailbox, received_at_ns, kind, inner) VALUES (?, ?, ?, ?)", rows
        )
        newest = max(entry.received_at for entry in entries)
        database.execute("UPDATE mailboxes SET cursor_ns = max(cursor_ns, ?) WHERE mailbox = ?", newest, name)
    return added


def looked_back_ns(database: Database, mailbox: Hash) -> int:
    """Where the cursor was when what lies behind it was last read again."""
    row = database.row("SELECT looked_back_ns FROM mailboxes WHERE mailbox = ?", bytes(mailbox))
    return 0 if row is None else int(row[0])


def mark_looked_back(database: Database, mailbox: Hash, cursor_ns: int) -> None:
    """Notes that what lies behind `cursor_ns` has been read again."""
    database.execute("UPDATE mailboxes SET looked_back_ns = ? WHERE mailbox = ?", cursor_ns, bytes(mailbox))


def mark_drained(database: Database, mailbox: Hash, now_s: int) -> None:
    """Notes that the mailbox held nothing beyond its cursor."""
    database.execute("UPDATE mailboxes SET drained_s = ? WHERE mailbox = ?", now_s, bytes(mailbox))


def due(database: Database, now_s: int, limit: int) -> list[JournalEntry]:
    """The first `limit` entries whose time has come, oldest first."""
    rows = database.rows(
        "SELECT id, mailbox, received_at_ns, kind, inner, attempts FROM journal "
        "WHERE next_attempt_s <= ? ORDER BY id LIMIT ?",
        now_s,
        limit,
    )
    return [
        JournalEntry(number, Hash(mailbox), at, kind, inner, tries) for number, mailbox, at, kind, inner, tries in rows
    ]


def next_due_s(database: Database) -> int | None:
    """When the next entry's time comes (Unix seconds), or None when the journal is empty."""
    row = database.row("SELECT min(next_attempt_s) FROM journal")
    return None if row is None else row[0]


def remove(database: Database, entries: Iterable[JournalEntry]) -> None:
    """Takes entries out, in the transaction that stores what became of them."""
    database.execute_many("DELETE FROM journal WHERE id = ?", [(entry.id,) for entry in entries])


def defer(database: Database, entry: JournalEntry, reason: str, now_s: int) -> None:
    """Puts an entry off because something it needs is out of reach; the wait doubles with each attempt."""
    wait_s = min(5 * 2 ** min(entry.attempts, 20), _LONGEST_WAIT_S)
    database.execute(
        "UPDATE journal SET attempts = attempts + 1, next_attempt_s = ?, reason = ? WHERE id = ?",
        now_s + wait_s,
        reason,
        entry.id,
    )


def is_next(database: Database, entry: JournalEntry, now_s: int) -> bool:
    """Whether no entry that came before `entry` is due."""
    return database.row("SELECT 1 FROM journal WHERE next_attempt_s <= ? AND id < ?", now_s, entry.id) is None


def retry_all(database: Database) -> None:
    """Makes every deferred entry due: what was out of reach is there again."""
    database.execute("UPDATE journal SET next_attempt_s = 0 WHERE next_attempt_s > 0")


def reject(database: Database, entry: JournalEntry, reason: str) -> None:
    """Moves an entry that will never be understood to the quarantine, which keeps the latest few."""
    with database.transaction():
        remove(database, [entry])
        database.execute(
            "INSERT INTO quarantine (received_at_ns, kind, inner, reason) VALUES (?, ?, ?, ?)",
            entry.received_at_ns,
            entry.kind[:100],
            entry.inner[:_QUARANTINED_BYTES],
            reason,
        )
        database.execute("DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?", _MOST_QUARANTINED)
        counters.add_one(database, _REJECTED)


def waiting_count(database: Database) -> int:
    """How many entries could not be understood when they were looked at, and wait for another try."""
    row = database.row("SELECT count(*) FROM journal WHERE attempts > 0")
    return 0 if row is None else int(row[0])


def rejected_count(database: Database) -> int:
    """How many entries were ever rejected."""
    return counters.get(database, _REJECTED)
