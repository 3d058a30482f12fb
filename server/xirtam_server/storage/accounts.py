"""Accounts in SQLite: who may use this server, since when, and by which invite.

An account that was prepared for a move (spec: extensions.md, Preparing a move) ends with its time unless the directory confirmed it.
"""

import sqlite3
import time

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_server.storage.interface import Account


def find(db: sqlite3.Connection, user: Username) -> Account | None:
    """The account of `user`."""
    found = db.execute("SELECT created_at, prepared_until FROM account WHERE user = ?", (user,)).fetchone()
    return None if found is None else Account(user, *found)


def open_account(db: sqlite3.Connection, user: Username, prepared_until: int) -> None:
    """Makes the account, or confirms it; what was confirmed stays so, and what is prepared again has its time anew."""
    db.execute(
        """INSERT INTO account (user, created_at, prepared_until) VALUES (?1, ?2, ?3) ON CONFLICT (user) DO UPDATE
        SET prepared_until = excluded.prepared_until WHERE prepared_until > 0""",
        (user, time.time_ns(), prepared_until),
    )


def lapsed(db: sqlite3.Connection, now_ns: int, most: int) -> list[Username]:
    """Up to `most` users whose preparation has run out, oldest first."""
    query = "SELECT user FROM account WHERE prepared_until > 0 AND prepared_until <= ? ORDER BY prepared_until LIMIT ?"
    return [Username(user) for (user,) in db.execute(query, (now_ns, most))]


def confirm(db: sqlite3.Connection, user: Username) -> None:
    """The account stays."""
    db.execute("UPDATE account SET prepared_until = 0 WHERE user = ?", (user,))


def add_invite(db: sqlite3.Connection, token_hash: Hash, uses: int, expires_at: int) -> None:
    """Keeps an invite."""
    db.execute("REPLACE INTO invite VALUES (?, ?, ?)", (bytes(token_hash), uses, expires_at))


def redeem_invite(db: sqlite3.Connection, token_hash: Hash, user: Username, now_ns: int) -> bool:
    """Takes a use of the invite for `user`, unless that was done before."""
    token = bytes(token_hash)
    if db.execute("SELECT 1 FROM invited WHERE user = ? AND token_hash = ?", (user, token)).fetchone():
        return True
    taken = db.execute(
        "UPDATE invite SET uses = uses - 1 WHERE token_hash = ? AND uses > 0 AND expires_at > ?", (token, now_ns)
    )
    if taken.rowcount == 0:
        return False
    db.execute("REPLACE INTO invited VALUES (?, ?)", (user, token))
    return True


def is_invited(db: sqlite3.Connection, user: Username) -> bool:
    """Whether `user` has redeemed an invite."""
    return db.execute("SELECT 1 FROM invited WHERE user = ?", (user,)).fetchone() is not None
