"""Taking an account out of PostgreSQL that was prepared and never confirmed: in steps, as its mailboxes may hold much.

The first step voids its tokens and empties the access lists of its mailboxes, so nothing is added while the rest goes. The account's
row goes last, so that a removal which was broken off is taken up again, by whichever process comes to it.
"""

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_server.storage.postgres import accounts
from xirtam_server.storage.postgres.database import Connection


async def remove_lapsed(db: Connection, user: Username, now_ns: int, most: int) -> tuple[bool, list[Hash]]:
    """Removes about `most` rows of an account that has lapsed; whether it is done, and the mailboxes that are not as they were."""
    await accounts.lock(db, user)
    query = "SELECT 1 FROM account WHERE username = %s AND prepared_until > 0 AND prepared_until <= %s"
    if await (await db.execute(query, (user, now_ns))).fetchone() is None:
        return True, []
    await db.execute("DELETE FROM device WHERE username = %s", (user,))
    await db.execute("DELETE FROM profile WHERE username = %s", (user,))
    boxes = await _shut_mailboxes(db, user, most)
    rows, names = [row for row, _ in boxes], [Hash(name) for _, name in boxes]
    gone = await db.execute(
        """DELETE FROM entry e USING (SELECT mailbox, received_at FROM entry WHERE mailbox = ANY (%s) LIMIT %s) d
        WHERE e.mailbox = d.mailbox AND e.received_at = d.received_at""",
        (rows, most),
    )
    if gone.rowcount >= most:
        return False, names
    await db.execute("DELETE FROM mailbox WHERE id = ANY (%s)", (rows,))
    if len(rows) >= most or await _release_fragments(db, user, most) >= most:
        return False, names
    await db.execute("DELETE FROM fragment_usage WHERE username = %s", (user,))
    await db.execute("DELETE FROM account WHERE username = %s", (user,))
    return True, names


async def _shut_mailboxes(db: Connection, user: Username, most: int) -> list[tuple[int, bytes]]:
    """Locks up to `most` mailboxes of the user, in the order in which everybody does, and takes everyone's rights on them."""
    found = await db.execute(
        "SELECT id, name FROM mailbox WHERE owner = %s OR name = %s ORDER BY id LIMIT %s FOR UPDATE",
        (user, bytes(direct_mailbox(user)), most),
    )
    boxes = await found.fetchall()
    rows = [row for row, _ in boxes]
    taken = await db.execute("DELETE FROM access WHERE mailbox = ANY (%s)", (rows,))
    if taken.rowcount:
        await db.execute("UPDATE mailbox SET acl_version = acl_version + 1 WHERE id = ANY (%s)", (rows,))
    return boxes


async def _release_fragments(db: Connection, user: Username, most: int) -> int:
    """Lets go of up to `most` fragments that the user holds: those that nobody else does are forgotten; how many."""
    let_go = await db.execute(
        """DELETE FROM fragment_holder WHERE username = %s
        AND hash IN (SELECT hash FROM fragment_holder WHERE username = %s LIMIT %s) RETURNING hash""",
        (user, user, most),
    )
    hashes = [name for (name,) in await let_go.fetchall()]
    # Locked by a statement of its own, so that the next one sees who took hold of a fragment meanwhile.
    await db.execute("SELECT 1 FROM fragment WHERE hash = ANY (%s) ORDER BY hash FOR UPDATE", (hashes,))
    await db.execute(
        """WITH gone AS (
            DELETE FROM fragment f WHERE hash = ANY (%s)
            AND NOT EXISTS (SELECT 1 FROM fragment_holder h WHERE h.hash = f.hash) RETURNING body
        ) INSERT INTO doomed_body SELECT body FROM gone ON CONFLICT DO NOTHING""",
        (hashes,),
    )
    return len(hashes)
