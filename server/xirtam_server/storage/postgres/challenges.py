"""Challenges for device authentication, which any process may give out and any may take back, once."""

import secrets

from xirtam_core.codec.primitives import Hash
from xirtam_server.storage.postgres.database import Connection

_FORGOTTEN_AT_ONCE = 100


async def shared_secret(db: Connection) -> bytes:
    """The secret of all processes on this database; the first of them makes it."""
    await db.execute("INSERT INTO secret VALUES (0, %s) ON CONFLICT (id) DO NOTHING", (secrets.token_bytes(32),))
    found = await (await db.execute("SELECT value FROM secret")).fetchone()
    assert found is not None
    return found[0]


async def spend(db: Connection, challenge: Hash, expires_s: int, now_s: int) -> bool:
    """Notes that the challenge was answered, and forgets some that have expired; False if it had been answered."""
    await db.execute(
        """DELETE FROM spent_challenge WHERE challenge IN (
            SELECT challenge FROM spent_challenge WHERE expires_s < %s LIMIT %s FOR UPDATE SKIP LOCKED
        )""",
        (now_s, _FORGOTTEN_AT_ONCE),
    )
    noted = await db.execute(
        "INSERT INTO spent_challenge VALUES (%s, %s) ON CONFLICT DO NOTHING", (bytes(challenge), expires_s)
    )
    return noted.rowcount == 1
