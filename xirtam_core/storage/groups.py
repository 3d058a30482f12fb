"""Groups that the account is in, as its devices told each other."""

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import ServerName
from xirtam_core.storage.database import Database


def store(database: Database, group: Hash, server: ServerName, body: bytes) -> None:
    """Keeps the latest that was said of a group: the body of the event."""
    database.execute(
        "INSERT OR REPLACE INTO groups (id, server, body) VALUES (?, ?, ?)", bytes(group), server, body.decode()
    )


def find(database: Database, group: Hash) -> bytes | None:
    """The body of the event that told of a group, or None."""
    row = database.row("SELECT body FROM groups WHERE id = ?", bytes(group))
    return None if row is None else row[0].encode()


def count(database: Database) -> int:
    """How many groups are known."""
    row = database.row("SELECT count(*) FROM groups")
    return 0 if row is None else int(row[0])
