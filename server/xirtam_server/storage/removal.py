"""Taking an account out of SQLite that was prepared and never confirmed: in steps, as its mailboxes may hold much.

The first step voids its tokens and empties the access list of its direct mailbox, so nothing is added while the rest goes. The
account's row goes last, so that a removal which was broken off is taken up again.
"""

import sqlite3

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_core.protocol.mailbox import direct_mailbox

_NOBODY = ""
"""The owner of a row that stands in for a removed mailbox."""


def remove_lapsed(db: sqlite3.Connection, user: Username, now_ns: int, most: int) -> tuple[bool, list[Hash]]:
    """Removes about `most` rows of an account that has lapsed; whether it is done, and the mailboxes that are not as they were."""
    query = "SELECT 1 FROM account WHERE user = ? AND prepared_until > 0 AND prepared_until <= ?"
    if db.execute(query, (user, now_ns)).fetchone() is None:
        return True, []
    for table in ("device", "profile"):
        db.execute(f"DELETE FROM {table} WHERE user = ?", (user,))  # noqa: S608
    found = db.execute(
        "SELECT id, name FROM mailbox WHERE name = ? UNION ALL SELECT * FROM (SELECT id, name FROM mailbox WHERE owner = ? LIMIT ?)",
        (bytes(direct_mailbox(user)), user, most),
    ).fetchall()
    touched: list[Hash] = []
    room = most
    for row, name in found:
        touched.append(Hash(name))
        room = _remove_mailbox(db, row, room)
        if room <= 0:
            return False, touched
    if _release_fragments(db, user, room) == room:
        return False, touched
    for table in ("fragment_usage", "account"):
        db.execute(f"DELETE FROM {table} WHERE user = ?", (user,))  # noqa: S608
    return True, touched


def _remove_mailbox(db: sqlite3.Connection, row: int, room: int) -> int:
    """Removes up to `room` rows of the mailbox, and it when nothing is left; the room left, none where something had to stay."""
    for table, key in (("access", "token_hash"), ("entry", "id")):
        query = f"DELETE FROM {table} WHERE mailbox = ?1 AND {key} IN (SELECT {key} FROM {table} WHERE mailbox = ?1 LIMIT ?2)"  # noqa: S608
        room -= db.execute(query, (row, room)).rowcount
        if room <= 0:
            return 0
    # A row's number must not come again: somebody may be about to write to the mailbox that had it. SQLite gives the highest anew.
    db.execute("UPDATE mailbox SET name = randomblob(32), owner = ? WHERE id = ?", (_NOBODY, row))
    db.execute("DELETE FROM mailbox WHERE owner = ? AND id < (SELECT max(id) FROM mailbox)", (_NOBODY,))
    return room - 1


def _release_fragments(db: sqlite3.Connection, user: Username, most: int) -> int:
    """Lets go of up to `most` fragments that the user holds: those that nobody else does are forgotten; how many."""
    held = db.execute("SELECT hash FROM fragment_holder WHERE user = ? LIMIT ?", (user, most)).fetchall()
    for (name,) in held:
        db.execute("DELETE FROM fragment_holder WHERE user = ? AND hash = ?", (user, name))
        alone = "NOT EXISTS (SELECT 1 FROM fragment_holder WHERE hash = ?1)"
        db.execute(f"DELETE FROM fragment WHERE hash = ?1 AND {alone}", (name,))  # noqa: S608
    return len(held)
