"""What people say of themselves, as it was last seen. It counts for the root key under which it was signed, and no other."""

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_core.storage.database import Database

TABLE = "profiles ON profiles.username = peers.username AND profiles.root_cert_hash = peers.root_cert_hash"
"""To be joined with `peers`: what those say of themselves who are still who they were."""


def looked_s(database: Database, username: Username, root: Hash) -> int | None:
    """When a person with this root key was last asked about, in Unix seconds; None if never."""
    sql = "SELECT looked_s FROM profiles WHERE username = ? AND root_cert_hash = ?"
    row = database.row(sql, username, bytes(root))
    return None if row is None else row[0]


def last_said(database: Database, username: Username, root: Hash) -> tuple[str, int] | None:
    """The name that a person with this root key was last seen to call themselves, and since when, in Unix seconds."""
    sql = "SELECT display_name, created_s FROM profiles WHERE username = ? AND root_cert_hash = ? AND display_name IS NOT NULL"
    row = database.row(sql, username, bytes(root))
    return None if row is None else (row[0], row[1])


def store(
    database: Database, username: Username, root: Hash, display_name: str | None, created_s: int, now_s: int
) -> bool:
    """Keeps what a person says now, unless something newer is known; gives whether that was news."""
    with database.transaction():
        if looked_s(database, username, root) is None:
            database.execute(
                "INSERT OR REPLACE INTO profiles (username, root_cert_hash, display_name, created_s, looked_s)"
                " VALUES (?, ?, NULL, 0, ?)",
                username, bytes(root), now_s,
            )  # fmt: skip
        database.execute("UPDATE profiles SET looked_s = ? WHERE username = ?", now_s, username)
        row = database.row("SELECT display_name FROM profiles WHERE username = ?", username)
        is_newer = database.execute(
            "UPDATE profiles SET display_name = ?, created_s = ? WHERE username = ? AND created_s < ?",
            display_name, created_s, username, created_s,
        )  # fmt: skip
    return is_newer > 0 and row is not None and row[0] != display_name
