"""Pictures of groups that have been fetched, or were uploaded here: one of each group."""

from xirtam_core.codec.primitives import Hash
from xirtam_core.storage.database import Database


def find(database: Database, chat: str, name: Hash) -> bytes | None:
    """The content of a group's picture; None where this one is not here."""
    row = database.row("SELECT content FROM group_avatars WHERE chat = ? AND root_hash = ?", chat, bytes(name))
    return None if row is None else bytes(row[0])


def store(database: Database, chat: str, name: Hash, content: bytes) -> None:
    """Keeps a group's picture in the place of an earlier one; not for a group that is not here any more."""
    database.execute(
        "INSERT INTO group_avatars (chat, root_hash, content) SELECT chat, ?2, ?3 FROM groups WHERE chat = ?1"
        " ON CONFLICT (chat) DO UPDATE SET root_hash = excluded.root_hash, content = excluded.content",
        chat, bytes(name), content,
    )  # fmt: skip
