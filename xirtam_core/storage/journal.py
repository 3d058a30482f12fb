"""Entries on their way in: journal, then understand (spec: client.md, Receiving).

A batch of entries and the mailbox's new cursor are one transaction, so no entry is passed over. Each entry leaves the journal in the
transaction that stores what became of it, so none is understood twice or lost in between.
"""

from collections.abc import Iterable, Sequence

import msgspec

from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.names import ServerName
from xirtam_core.protocol.mailbox import MailboxEntry
from xirtam_core.storage import counters
from xirtam_core.storage.database import Database

LATEST_RECEIVED = 2**62
"""A server's time (in 2116) beyond which an entry is not taken: it leaves room behind it, whatever a server makes up."""

_REJECTED = "rejected"
_MOST_QUARANTINED = 200
_QUARANTINED_BYTES = 65536
LONGEST_WAIT_S = 300
"""Until the next attempt at an entry, at most."""


class Place(msgspec.Struct, frozen=True):
    """A mailbox at one of the servers where it is read."""

    server: ServerName
    mailbox: Hash


class Followed(msgspec.Struct, frozen=True):
    """A mailbox that is read: how far, and with what token (None: the account's own).

    `drained_s` is when it was last known to hold nothing more. One that `is_leaving` is read until it has been quiet for long, and
    `quiet_s` is when something last came, or when it began to be left. `is_refused`: its server does not let this account read it.
    """

    place: Place
    token: AuthToken | None
    cursor_ns: int
    drained_s: int
    is_leaving: bool
    quiet_s: int
    is_refused: bool


class JournalEntry(msgspec.Struct, frozen=True):
    """An entry that waits to be understood; `attempts` have failed so far. `sender_token` is the hash of what it was posted with.

    `received_at_ns` is by its server's clock, shifted where the mailbox goes on from another server (`shift`).
    """

    id: int
    place: Place
    received_at_ns: int
    kind: str
    inner: bytes
    attempts: int
    sender_token: Hash | None = None


def follow(database: Database, place: Place, token: AuthToken | None = None, after_ns: int = 0) -> None:
    """Starts to read a mailbox behind `after_ns`; one that is being read goes on from where it is, with this token, to stay."""
    database.execute(
        "INSERT INTO mailboxes (mailbox, server, token, cursor_ns) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (mailbox, server) DO UPDATE SET token = excluded.token, is_leaving = 0",
        bytes(place.mailbox), place.server, None if token is None else bytes(token), after_ns,
    )  # fmt: skip


def leave(database: Database, place: Place, token: AuthToken | None, now_s: int) -> None:
    """Reads a mailbox, with `token` from now on, only until it has been quiet for long."""
    database.execute(
        "UPDATE mailboxes SET token = ?, is_leaving = 1, quiet_s = ? WHERE mailbox = ? AND server = ? AND NOT is_leaving",
        None if token is None else bytes(token), now_s, bytes(place.mailbox), place.server,
    )  # fmt: skip


def prepare(database: Database, place: Place, token: AuthToken) -> None:
    """Reads a mailbox at a server that is to be the account's home, with what that server knows this device by.

    One that is being left is read on as well.
    """
    database.execute(
        "INSERT INTO mailboxes (mailbox, server, token) VALUES (?, ?, ?)"
        " ON CONFLICT (mailbox, server) DO UPDATE SET token = excluded.token",
        bytes(place.mailbox), place.server, bytes(token),
    )  # fmt: skip


def unprepare(database: Database, place: Place) -> None:
    """The account stays where it is: reads a mailbox no more that was read for its coming only."""
    sql = "DELETE FROM mailboxes WHERE mailbox = ? AND server = ? AND NOT is_leaving"
    database.execute(sql, bytes(place.mailbox), place.server)


def is_leaving(database: Database, place: Place) -> bool:
    """Whether a mailbox is read there that is being left."""
    row = database.row(
        "SELECT is_leaving FROM mailboxes WHERE mailbox = ? AND server = ?", bytes(place.mailbox), place.server
    )
    return row is not None and bool(row[0])


def wind_down(database: Database, place: Place, now_s: int) -> None:
    """Reads a mailbox, as so far, only until it has been quiet for long."""
    sql = "UPDATE mailboxes SET is_leaving = 1, quiet_s = ? WHERE mailbox = ? AND server = ? AND NOT is_leaving"
    database.execute(sql, now_s, bytes(place.mailbox), place.server)


def unfollow(database: Database, place: Place) -> None:
    """Reads a mailbox no more; what has come from it stays."""
    database.execute("DELETE FROM mailboxes WHERE mailbox = ? AND server = ?", bytes(place.mailbox), place.server)


def unfollow_everywhere(database: Database, mailbox: Hash) -> None:
    """Reads a mailbox no more at any server."""
    database.execute("DELETE FROM mailboxes WHERE mailbox = ?", bytes(mailbox))


def shift(database: Database, place: Place, by_ns: int) -> None:
    """Counts the times of a mailbox's entries so much later than its server does: its clock is behind that of the server before it."""
    sql = "UPDATE mailboxes SET shift_ns = ? WHERE mailbox = ? AND server = ?"
    database.execute(sql, by_ns, bytes(place.mailbox), place.server)


def shift_ns(database: Database, place: Place) -> int:
    """How much later the times of a mailbox's entries count than its server says."""
    row = database.row(
        "SELECT shift_ns FROM mailboxes WHERE mailbox = ? AND server = ?", bytes(place.mailbox), place.server
    )
    return 0 if row is None else int(row[0])


def note_own(database: Database, place: Place, sent_ns: int) -> bool:
    """Notes that a word of this device's, said at `sent_ns` by its clock, was read there; gives whether it is behind all before."""
    sql = "UPDATE mailboxes SET own_sent_ns = ?1 WHERE mailbox = ?2 AND server = ?3 AND own_sent_ns < ?1"
    return database.execute(sql, sent_ns, bytes(place.mailbox), place.server) > 0


def servers(database: Database) -> list[ServerName]:
    """The servers where mailboxes are read."""
    return [ServerName(row[0]) for row in database.rows("SELECT DISTINCT server FROM mailboxes ORDER BY server")]


def followed(database: Database, server: ServerName) -> list[Followed]:
    """The mailboxes that are read at `server`."""
    sql = "SELECT mailbox, token, cursor_ns, drained_s, is_leaving, quiet_s, is_refused FROM mailboxes WHERE server = ?"
    return [
        Followed(
            Place(server, Hash(mailbox)),
            token and AuthToken(token),
            cursor,
            drained,
            bool(is_leaving),
            quiet,
            bool(is_refused),
        )
        for mailbox, token, cursor, drained, is_leaving, quiet, is_refused in database.rows(sql, server)
    ]


def append(database: Database, place: Place, entries: Sequence[MailboxEntry]) -> int:
    """Stores entries that arrived and moves the mailbox's cursor behind them; gives how many were new."""
    if not entries:
        return 0
    name = bytes(place.mailbox)
    rows = [
        (
            place.server,
            name,
            entry.received_at,
            entry.message.kind,
            bytes(entry.message.inner),
            _raw(entry.sender_auth_token_hash),
        )
        for entry in entries
    ]
    with database.transaction():
        added = database.execute_many(
            "INSERT OR IGNORE INTO journal (server, mailbox, received_at_ns, kind, inner, sender_token) VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
        newest = max(entry.received_at for entry in entries)
        database.execute(
            "UPDATE mailboxes SET cursor_ns = max(cursor_ns, ?) WHERE mailbox = ? AND server = ?",
            newest, name, place.server,
        )  # fmt: skip
    return added


def _raw(value: bytes | None) -> bytes | None:
    return None if value is None else bytes(value)


def looked_back_ns(database: Database, place: Place) -> int:
    """The time, by its server, before which nothing more can turn up but shortly before (`engine.look_back`)."""
    sql = "SELECT looked_back_ns FROM mailboxes WHERE mailbox = ? AND server = ?"
    row = database.row(sql, bytes(place.mailbox), place.server)
    return 0 if row is None else int(row[0])


def mark_looked_back(database: Database, place: Place, up_to_ns: int) -> None:
    """Notes that nothing more can turn up before `up_to_ns`, but shortly before."""
    sql = "UPDATE mailboxes SET looked_back_ns = max(looked_back_ns, ?) WHERE mailbox = ? AND server = ?"
    database.execute(sql, up_to_ns, bytes(place.mailbox), place.server)


def read_again(database: Database, place: Place, from_ns: int) -> bool:
    """Has what was read of a mailbox after `from_ns` read once more; gives whether there is any."""
    sql = (
        "UPDATE mailboxes SET again_ns = min(coalesce(again_ns, ?1), ?1)"
        " WHERE mailbox = ?2 AND server = ?3 AND cursor_ns > ?1"
    )
    return database.execute(sql, from_ns, bytes(place.mailbox), place.server) > 0


def again_ns(database: Database, place: Place) -> int | None:
    """After when a mailbox is to be read once more, up to its cursor; None where it is not."""
    row = database.row(
        "SELECT again_ns FROM mailboxes WHERE mailbox = ? AND server = ?", bytes(place.mailbox), place.server
    )
    return None if row is None else row[0]


def has_read_again(database: Database, place: Place, from_ns: int) -> None:
    """Notes that a mailbox has been read once more after `from_ns`, unless more was asked for meanwhile."""
    sql = "UPDATE mailboxes SET again_ns = NULL WHERE mailbox = ? AND server = ? AND again_ns = ?"
    database.execute(sql, bytes(place.mailbox), place.server, from_ns)


def cursor_ns(database: Database, place: Place) -> int:
    """How far a mailbox has been read; 0 for one that is not."""
    row = database.row(
        "SELECT cursor_ns FROM mailboxes WHERE mailbox = ? AND server = ?", bytes(place.mailbox), place.server
    )
    return 0 if row is None else int(row[0])


def mark_drained(database: Database, place: Place, now_s: int) -> None:
    """Notes that the mailbox held nothing beyond its cursor."""
    sql = "UPDATE mailboxes SET drained_s = ? WHERE mailbox = ? AND server = ?"
    database.execute(sql, now_s, bytes(place.mailbox), place.server)


def mark_arrived(database: Database, place: Place, now_s: int) -> None:
    """Notes that a mailbox is not quiet."""
    sql = "UPDATE mailboxes SET quiet_s = ? WHERE mailbox = ? AND server = ? AND is_leaving"
    database.execute(sql, now_s, bytes(place.mailbox), place.server)


def set_refused(database: Database, place: Place, is_refused: bool) -> None:
    """Notes whether the server lets this account read a mailbox."""
    sql = "UPDATE mailboxes SET is_refused = ? WHERE mailbox = ? AND server = ?"
    database.execute(sql, is_refused, bytes(place.mailbox), place.server)


def recall(database: Database, now_s: int) -> None:
    """Makes due what was put off further than anything is, by a clock that has been put back since."""
    latest_s = now_s + LONGEST_WAIT_S
    database.execute("UPDATE journal SET next_attempt_s = 0 WHERE next_attempt_s > ?", latest_s)


def due(database: Database, now_s: int, limit: int) -> list[JournalEntry]:
    """The first `limit` entries whose time has come, oldest first."""
    rows = database.rows(
        "SELECT id, server, mailbox, min(received_at_ns + coalesce(shift_ns, 0), ?), kind, inner, attempts, sender_token"
        " FROM journal LEFT JOIN mailboxes USING (server, mailbox) WHERE next_attempt_s <= ? ORDER BY id LIMIT ?",
        LATEST_RECEIVED,
        now_s,
        limit,
    )
    return [
        JournalEntry(number, Place(ServerName(server), Hash(mailbox)), at, kind, inner, tries, token and Hash(token))
        for number, server, mailbox, at, kind, inner, tries, token in rows
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
    wait_s = min(5 * 2 ** min(entry.attempts, 20), LONGEST_WAIT_S)
    database.execute(
        "UPDATE journal SET attempts = attempts + 1, next_attempt_s = ?, reason = ? WHERE id = ?",
        now_s + wait_s,
        reason,
        entry.id,
    )


def is_next(database: Database, entry: JournalEntry, now_s: int) -> bool:
    """Whether no entry that came before `entry` is due."""
    return database.row("SELECT 1 FROM journal WHERE next_attempt_s <= ? AND id < ?", now_s, entry.id) is None


def has_earlier(database: Database, entry: JournalEntry) -> bool:
    """Whether an entry that came before `entry` in its mailbox is still to be understood."""
    sql = "SELECT 1 FROM journal WHERE server = ? AND mailbox = ? AND id < ? LIMIT 1"
    return database.row(sql, entry.place.server, bytes(entry.place.mailbox), entry.id) is not None


def is_empty(database: Database, place: Place) -> bool:
    """Whether everything that has come from a mailbox is understood."""
    sql = "SELECT 1 FROM journal WHERE server = ? AND mailbox = ? LIMIT 1"
    return database.row(sql, place.server, bytes(place.mailbox)) is None


def retry(database: Database, place: Place) -> None:
    """Makes what was deferred of a mailbox due: what it needed may be there now."""
    sql = "UPDATE journal SET next_attempt_s = 0 WHERE server = ? AND mailbox = ? AND next_attempt_s > 0"
    database.execute(sql, place.server, bytes(place.mailbox))


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


def waiting_in(database: Database, place: Place) -> int:
    """How many entries of a mailbox wait for another try."""
    sql = "SELECT count(*) FROM journal WHERE server = ? AND mailbox = ? AND attempts > 0"
    row = database.row(sql, place.server, bytes(place.mailbox))
    return 0 if row is None else int(row[0])


def rejected_count(database: Database) -> int:
    """How many entries were ever rejected."""
    return counters.get(database, _REJECTED)
