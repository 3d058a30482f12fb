"""What PostgreSQL knows of fragments: until when each is kept, under which name its bytes are, and who is charged for it.

The bytes are written before the row and removed after it, each upload under a name of its own. So a crash leaves at most bytes that
nobody needs, and an upload that meets a removal of the same fragment keeps what it wrote.

Rows of fragments are locked before those of usage, by all: so nobody waits in a circle.
"""

from collections.abc import Sequence

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_server.storage.interface import KEEP
from xirtam_server.storage.postgres import accounts
from xirtam_server.storage.postgres.arrays import ByteaArray
from xirtam_server.storage.postgres.database import Connection


async def keep(
    db: Connection, fragment: Hash, body: str, size: int, user: Username, expires_at: int, quota: int
) -> str | None:
    """Notes the fragment for `user`, who may hold `quota` bytes; the name under which its bytes are kept, or None."""
    await accounts.lock(db, user)
    name = bytes(fragment)
    query = "SELECT 1 FROM fragment_holder WHERE username = %s AND hash = %s"
    is_charged = await (await db.execute(query, (user, name))).fetchone()
    if not is_charged and await usage(db, user) + size > quota:
        return None
    kept = await db.execute(
        """INSERT INTO fragment VALUES (%s, %s, %s, %s) ON CONFLICT (hash) DO UPDATE
        SET expires_at = greatest(fragment.expires_at, excluded.expires_at) RETURNING body, size""",
        (name, body, size, expires_at),
    )
    row = await kept.fetchone()
    assert row is not None
    query = "INSERT INTO fragment_holder VALUES (%s, %s) ON CONFLICT DO NOTHING"
    if (await db.execute(query, (user, name))).rowcount == 1:
        await db.execute(
            """INSERT INTO fragment_usage VALUES (%s, %s) ON CONFLICT (username) DO UPDATE
            SET bytes = fragment_usage.bytes + excluded.bytes""",
            (user, row[1]),
        )
    return row[0]


async def usage(db: Connection, user: Username) -> int:
    """The bytes that `user` holds."""
    found = await (await db.execute("SELECT bytes FROM fragment_usage WHERE username = %s", (user,))).fetchone()
    return found[0] if found else 0


async def find(db: Connection, fragment: Hash, now_ns: int) -> str | None:
    """The name of the bytes of a fragment that has not expired."""
    query = "SELECT body FROM fragment WHERE hash = %s AND expires_at > %s"
    found = await (await db.execute(query, (bytes(fragment), now_ns))).fetchone()
    return found[0] if found else None


async def purge(db: Connection, now_ns: int, most: int) -> list[str]:
    """Forgets up to `most` expired fragments; the bytes that nobody needs, as many. Several processes may do so at once."""
    found = await db.execute(
        """SELECT hash FROM fragment WHERE expires_at <= %s AND expires_at < %s
        LIMIT %s FOR UPDATE SKIP LOCKED""",
        (now_ns, KEEP, most),
    )
    if names := [name for (name,) in await found.fetchall()]:
        gone = ByteaArray(names)
        await db.execute(
            """SELECT 1 FROM fragment_usage
            WHERE username IN (SELECT username FROM fragment_holder WHERE hash = ANY (%s)) ORDER BY username FOR UPDATE""",
            (gone,),
        )
        await db.execute(
            """UPDATE fragment_usage u SET bytes = u.bytes - freed.bytes FROM (
                SELECT h.username, sum(f.size)::bigint AS bytes FROM fragment_holder h JOIN fragment f USING (hash)
                WHERE hash = ANY (%s) GROUP BY h.username
            ) freed WHERE u.username = freed.username""",
            (gone,),
        )
        await db.execute(
            "INSERT INTO doomed_body SELECT body FROM fragment WHERE hash = ANY (%s) ON CONFLICT DO NOTHING", (gone,)
        )
        await db.execute("DELETE FROM fragment WHERE hash = ANY (%s)", (gone,))
    bodies = await db.execute("SELECT body FROM doomed_body LIMIT %s", (most,))
    return [body for (body,) in await bodies.fetchall()]


async def forget_bodies(db: Connection, bodies: Sequence[str]) -> None:
    """The bytes are gone."""
    await db.execute("DELETE FROM doomed_body WHERE body = ANY (%s)", (list(bodies),))


async def are_known(db: Connection, bodies: Sequence[str]) -> list[bool]:
    """For each name whether a fragment, or a removal that is due, has it."""
    found = await db.execute(
        """SELECT body FROM fragment WHERE body = ANY (%(names)s)
        UNION SELECT body FROM doomed_body WHERE body = ANY (%(names)s)""",
        {"names": list(bodies)},
    )
    known = {body for (body,) in await found.fetchall()}
    return [body in known for body in bodies]
