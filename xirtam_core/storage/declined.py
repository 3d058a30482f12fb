"""Invitations into groups that this account has declined, the latest few: they may come, or be looked at, again."""

from typing import Final

from xirtam_core.codec.primitives import Hash
from xirtam_core.storage.database import Database

_MOST: Final = 1000


def add(database: Database, token_hash: Hash) -> None:
    """Notes that the invitation with this token was declined."""
    database.execute("INSERT OR IGNORE INTO declined_invitations (token_hash) VALUES (?)", bytes(token_hash))
    database.execute(
        "DELETE FROM declined_invitations WHERE id <= (SELECT max(id) FROM declined_invitations) - ?", _MOST
    )


def holds(database: Database, token_hash: Hash) -> bool:
    """Whether the invitation with this token was declined."""
    sql = "SELECT 1 FROM declined_invitations WHERE token_hash = ?"
    return database.row(sql, bytes(token_hash)) is not None
