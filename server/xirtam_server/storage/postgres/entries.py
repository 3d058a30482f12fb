"""Entries in PostgreSQL: a batch of them added in one statement, pages read, expired ones removed (the how is in `schema.py`)."""

import time
from collections.abc import Sequence
from uuid import UUID

from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.mailbox import MailboxEntry
from xirtam_server.storage.interface import KEEP, MailboxState, StoredEntry
from xirtam_server.storage.postgres.arrays import BigintArray, ByteaArray
from xirtam_server.storage.postgres.database import Connection

FULL, ACCESS_CHANGED = -1, -2
"""Outcomes of an entry that was not added."""
_NANOSECONDS = 1_000_000_000


class Append:
    """An entry to be added to a mailbox."""

    __slots__ = ("kind", "life", "message", "sender", "size", "state")

    def __init__(self, state: MailboxState, sender: Hash, message: Blob, ttl_s: int) -> None:
        self.state, self.sender, self.message = state, sender, message
        self.life = ttl_s * _NANOSECONDS
        self.kind = message.kind.encode()
        self.size = len(message.inner) + len(self.kind)

    def stored(self, received_at: int) -> StoredEntry:
        """The entry as it came to be."""
        expires_at = received_at + self.life if self.life else KEEP
        return StoredEntry(MailboxEntry(self.message, received_at, self.sender), expires_at)


async def append(
    db: Connection, writer: UUID, batch: int, appends: Sequence[Append], most_entries: int, most_bytes: int
) -> list[int]:
    """Adds the entries in order: the outcome of each, and then for each the last cursor of its mailbox before."""
    ranks: list[int] = []
    sums: list[int] = []
    held: dict[int, tuple[int, int]] = {}
    for item in appends:
        rank, size = held.get(item.state.row, (0, 0))
        held[item.state.row] = rank, size = rank + 1, size + item.size
        ranks.append(rank)
        sums.append(size)
    found = await db.execute(
        "SELECT append_entries(%b, %b::bigint, %b::bigint, %b::bigint, %b::bigint, %b, %b, %b, %b, %b, %b, %b, %b)",
        (
            writer,
            batch,
            time.time_ns(),
            most_entries,
            most_bytes,
            BigintArray([item.state.row for item in appends]),
            BigintArray([item.state.version for item in appends]),
            BigintArray(ranks),
            BigintArray(sums),
            BigintArray([item.life for item in appends]),
            ByteaArray([item.sender for item in appends]),
            ByteaArray([item.kind for item in appends]),
            ByteaArray([item.message.inner for item in appends]),
        ),
        binary=True,
    )
    row = await found.fetchone()
    assert row is not None
    return row[0]


async def read_page(db: Connection, row: int, after: int, now_ns: int, most: int, most_bytes: int) -> list[StoredEntry]:
    """The entries of a mailbox after `after`, oldest first; stops after the one that passes `most_bytes`."""
    found = await db.execute(
        """SELECT received_at, expires_at, sender, kind, content FROM (
            SELECT *, sum(octet_length(content)) OVER (ORDER BY received_at) - octet_length(content) AS before FROM (
                SELECT * FROM entry WHERE mailbox = %b::bigint AND received_at > %b::bigint AND expires_at > %b::bigint
                ORDER BY received_at LIMIT %b::bigint
            ) first
        ) measured WHERE before <= %b::bigint ORDER BY received_at""",
        (row, after, now_ns, most, most_bytes),
        binary=True,
    )
    return [
        StoredEntry(
            MailboxEntry(Blob(kind.decode(), Base64Bytes(content)), received_at, Hash(sender)),
            expires_at,
        )
        for received_at, expires_at, sender, kind, content in await found.fetchall()
    ]


async def purge(db: Connection, now_ns: int, most: int, received_before: int) -> int:
    """Removes up to `most` entries that have expired, and as many that are older than wanted; how many."""
    found = await db.execute(
        "SELECT purge_entries(%s::bigint, %s::bigint, %s::bigint)", (now_ns, received_before, most)
    )
    row = await found.fetchone()
    assert row is not None
    return row[0]
