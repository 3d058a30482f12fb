"""How far another device has read a chat, where the message that it names is not here yet. Of each chat the last word."""

from typing import Final

from xirtam_core.codec.primitives import Hash
from xirtam_core.storage.database import Database

MOST: Final = 1000


def keep(database: Database, chat: str, target: Hash) -> None:
    """Keeps what a chat has been read up to for when that message comes; where there are too many, the oldest give way."""
    database.execute("INSERT OR REPLACE INTO early_reads (chat, target) VALUES (?, ?)", chat, bytes(target))
    database.execute("DELETE FROM early_reads WHERE id <= (SELECT max(id) FROM early_reads) - ?", MOST)


def take(database: Database, chat: str, target: Hash) -> bool:
    """Whether the chat has been read up to this message elsewhere; it waits no more."""
    if database.row("SELECT 1 FROM early_reads LIMIT 1") is None:
        return False  # asked for every message: this is a fraction of the rest
    sql = "DELETE FROM early_reads WHERE chat = ? AND target = ?"
    return database.execute(sql, chat, bytes(target)) > 0
