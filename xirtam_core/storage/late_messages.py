"""Messages that came to places in their chats up to which those had been read already, and that nobody has seen.

So it goes with a message that had to wait for a key, and with all of those of a server whose clock is behind.
"""

from xirtam_core.storage.database import Database


def note(database: Database, row: int) -> None:
    """A message of somebody else's has been stored: should its chat be read beyond its place, it counts as unread by itself."""
    database.execute(
        "UPDATE messages SET is_late = 1 WHERE id = ? AND position_ns <= (SELECT read_up_to_ns FROM chats WHERE id = chat)",
        row,
    )


def is_one(database: Database, row: int) -> bool:
    """Whether the message in `row` came late, and is unread."""
    return database.row("SELECT 1 FROM messages WHERE id = ? AND is_late", row) is not None


def see(database: Database, chat: str, up_to_ns: int) -> int | None:
    """Notes that those up to a position have been read; gives the position of the last of them, None where there was none."""
    seen = database.rows(
        "UPDATE messages SET is_late = 0 WHERE chat = ? AND is_late AND position_ns <= ? RETURNING position_ns",
        chat,
        up_to_ns,
    )
    return max((position_ns for (position_ns,) in seen), default=None)
