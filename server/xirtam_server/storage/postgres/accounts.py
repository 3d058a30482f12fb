"""Accounts in PostgreSQL: who may use this server, since when, and by which invite.

What changes something of a user holds that user's lock until the end of its transaction, so counts and quotas hold however many
processes are asked at once.
"""

import time

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_server.storage.interface import Account
from xirtam_server.storage.postgres.database import Connection


async def lock(db: Connection, user: Username) -> None:
    """Waits for whoever changes something of `user`, and keeps others waiting."""
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (user,))


async def find(db: Connection, user: Username) -> Account | None:
    """The account of `user`."""
    query = "SELECT created_at, prepared_until FROM account WHERE username = %s"
    found = await (await db.execute(query, (user,))).fetchone()
    return None if found is None else Account(user, *found)


async def open_account(db: Connection, user: Username, prepared_until: int) -> None:
    """Makes the account, or confirms it; what was confirmed stays so, and what is prepared again has its time anew."""
    await db.execute(
        """INSERT INTO account VALUES (%s, %s, %s) ON CONFLICT (username) DO UPDATE
        SET prepared_until = excluded.prepared_until WHERE account.prepared_until > 0""",
        (user, time.time_ns(), prepared_until),
    )


async def lapsed(db: Connection, now_ns: int, most: int) -> list[Username]:
    """Up to `most` users whose preparation has run out, oldest first."""
    found = await db.execute(
        """SELECT username FROM account WHERE prepared_until > 0 AND prepared_until <= %s
        ORDER BY prepared_until LIMIT %s""",
        (now_ns, most),
    )
    return [Username(user) for (user,) in await found.fetchall()]


async def confirm(db: Connection, user: Username) -> None:
    """The account stays."""
    await db.execute("UPDATE account SET prepared_until = 0 WHERE username = %s", (user,))


async def add_invite(db: Connection, token_hash: Hash, uses: int, expires_at: int) -> None:
    """Keeps an invite."""
    await db.execute(
        """INSERT INTO invite VALUES (%s, %s, %s) ON CONFLICT (token_hash) DO UPDATE
        SET uses = excluded.uses, expires_at = excluded.expires_at""",
        (bytes(token_hash), uses, expires_at),
    )


async def redeem_invite(db: Connection, token_hash: Hash, user: Username, now_ns: int) -> bool:
    """Takes a use of the invite for `user`, unless that was done before."""
    await lock(db, user)
    token = bytes(token_hash)
    query = "SELECT 1 FROM invited WHERE username = %s AND token_hash = %s"
    if await (await db.execute(query, (user, token))).fetchone():
        return True
    taken = await db.execute(
        "UPDATE invite SET uses = uses - 1 WHERE token_hash = %s AND uses > 0 AND expires_at > %s", (token, now_ns)
    )
    if taken.rowcount == 0:
        return False
    await db.execute(
        "INSERT INTO invited VALUES (%s, %s) ON CONFLICT (username) DO UPDATE SET token_hash = excluded.token_hash",
        (user, token),
    )
    return True


async def is_invited(db: Connection, user: Username) -> bool:
    """Whether `user` has redeemed an invite."""
    return await (await db.execute("SELECT 1 FROM invited WHERE username = %s", (user,))).fetchone() is not None
