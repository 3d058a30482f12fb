"""What a PostgreSQL store holds, counted, and whether it still takes writes."""

from xirtam_server.storage.interface import StoreStats
from xirtam_server.storage.postgres.database import Connection

_COUNTS = """SELECT
    (SELECT count(*) FROM account),
    (SELECT count(*) FROM device),
    (SELECT count(*) FROM mailbox),
    (SELECT coalesce(sum(entries), 0)::bigint FROM mailbox),
    (SELECT coalesce(sum(bytes), 0)::bigint FROM mailbox),
    (SELECT count(*) FROM fragment),
    (SELECT coalesce(sum(size), 0)::bigint FROM fragment),
    (SELECT count(*) FROM invite WHERE uses > 0)"""


async def count(db: Connection) -> StoreStats:
    """The numbers, from one moment."""
    found = await (await db.execute(_COUNTS)).fetchone()
    assert found is not None
    return StoreStats(*found)


async def probe(db: Connection, now_ns: int) -> None:
    """A write like any other."""
    await db.execute("INSERT INTO probe VALUES (0, %s) ON CONFLICT (id) DO UPDATE SET at = excluded.at", (now_ns,))
