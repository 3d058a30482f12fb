"""What SQLite knows of fragments: until when each is kept, under which name its bytes are, and who is charged for it.

The bytes are written before the row and removed after it, each upload under a name of its own. So a crash leaves at most bytes that
nobody needs, and an upload that meets a removal of the same fragment keeps what it wrote.
"""

import sqlite3
from collections.abc import Sequence

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_server.storage.interface import KEEP


def keep(
    db: sqlite3.Connection, fragment: Hash, body: str, size: int, user: Username, expires_at: int, quota: int
) -> str | None:
    """Notes the fragment for `user`, who may hold `quota` bytes; the name under which its bytes are kept, or None."""
    name = bytes(fragment)
    is_charged = db.execute("SELECT 1 FROM fragment_holder WHERE user = ? AND hash = ?", (user, name)).fetchone()
    if not is_charged and usage(db, user) + size > quota:
        return None
    db.execute(
        """INSERT INTO fragment VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE
        SET expires_at = max(expires_at, excluded.expires_at)""",
        (name, body, size, expires_at),
    )
    db.execute("INSERT OR IGNORE INTO fragment_holder VALUES (?, ?)", (user, name))
    return db.execute("SELECT body FROM fragment WHERE hash = ?", (name,)).fetchone()[0]


def usage(db: sqlite3.Connection, user: Username) -> int:
    """The bytes that `user` holds."""
    found = db.execute("SELECT bytes FROM fragment_usage WHERE user = ?", (user,)).fetchone()
    return found[0] if found else 0


def find(db: sqlite3.Connection, fragment: Hash, now_ns: int) -> str | None:
    """The name of the bytes of a fragment that has not expired."""
    query = "SELECT body FROM fragment WHERE hash = ? AND expires_at > ?"
    found = db.execute(query, (bytes(fragment), now_ns)).fetchone()
    return found[0] if found else None


def purge(db: sqlite3.Connection, now_ns: int, most: int) -> list[str]:
    """Forgets up to `most` expired fragments; the bytes that nobody needs, as many."""
    db.execute(
        "DELETE FROM fragment WHERE hash IN (SELECT hash FROM fragment WHERE expires_at <= ? AND expires_at < ? LIMIT ?)",
        (now_ns, KEEP, most),
    )
    return [body for (body,) in db.execute("SELECT body FROM doomed_body LIMIT ?", (most,))]


def forget_bodies(db: sqlite3.Connection, bodies: Sequence[str]) -> None:
    """The bytes are gone."""
    db.executemany("DELETE FROM doomed_body WHERE body = ?", [(body,) for body in bodies])


def are_known(db: sqlite3.Connection, bodies: Sequence[str]) -> list[bool]:
    """For each name whether a fragment, or a removal that is due, has it."""
    query = (
        "SELECT EXISTS (SELECT 1 FROM fragment WHERE body = ?1) OR EXISTS (SELECT 1 FROM doomed_body WHERE body = ?1)"
    )
    return [bool(db.execute(query, (body,)).fetchone()[0]) for body in bodies]
