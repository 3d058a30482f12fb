"""What messages of groups were before somebody amended them, for a day and in small numbers.

A ban may be read after what the banned said about messages since; that is undone then.
"""

from typing import Final

import msgspec

from xirtam_core.names import Username
from xirtam_core.storage import amendments, reactions
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage

KEPT_NS: Final = 24 * 3600 * 1_000_000_000
MOST_OF_A_CHAT: Final = 1000


class Earlier(msgspec.Struct, frozen=True):
    """The text of a message (its last edit, or None) or somebody's `emoji` on it before an amendment, and when that had been said.

    Of a message that was withdrawn nothing is kept.
    """

    emoji: str | None = None
    body: bytes | None = None
    said_ns: int | None = None
    is_removed: bool = False
    is_withdrawn: bool = False


class Kept(msgspec.Struct, frozen=True):
    """What the message in `row` was before `sender` amended it at `at_ns`, by the group's server."""

    id: int
    row: int
    sender: Username
    at_ns: int
    earlier: Earlier


def of_text(database: Database, message: StoredMessage) -> Earlier:
    """The text of a message as it is."""
    row = database.row("SELECT edited_body, edited_at_ns FROM messages WHERE id = ?", message.row)
    return Earlier() if row is None else Earlier(body=row[0], said_ns=row[1])


def of_reaction(database: Database, message: StoredMessage, sender: Username, emoji: str) -> Earlier:
    """What somebody has said of an emoji on a message so far."""
    said_ns, is_there = reactions.find(database, message.row, sender, emoji) or (None, False)
    return Earlier(emoji=emoji, said_ns=said_ns, is_removed=not is_there)


def keep(database: Database, message: StoredMessage, sender: Username, at_ns: int, earlier: Earlier) -> None:
    """Keeps what a message was before `sender` amended it; of one that is withdrawn, only that."""
    chat = message.message.chat
    if earlier.is_withdrawn:
        database.execute("DELETE FROM earlier_states WHERE message = ?", message.row)
    database.execute(
        "INSERT INTO earlier_states (chat, message, sender, at_ns, emoji, body, said_ns, is_removed, is_withdrawn)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        chat, message.row, sender, at_ns, earlier.emoji, earlier.body, earlier.said_ns, earlier.is_removed, earlier.is_withdrawn,
    )  # fmt: skip
    database.execute(
        "DELETE FROM earlier_states WHERE chat = ?1 AND (at_ns < ?2 OR id IN"
        " (SELECT id FROM earlier_states WHERE chat = ?1 ORDER BY at_ns DESC LIMIT -1 OFFSET ?3))",
        chat, at_ns - KEPT_NS, MOST_OF_A_CHAT,
    )  # fmt: skip


def since(database: Database, chat: str, after_ns: int) -> list[Kept]:
    """What was kept of amendments after a time, the last first."""
    rows = database.rows(
        "SELECT id, message, sender, at_ns, emoji, body, said_ns, is_removed, is_withdrawn FROM earlier_states"
        " WHERE chat = ? AND at_ns > ? ORDER BY id DESC",
        chat, after_ns,
    )  # fmt: skip
    return [
        Kept(number, row, Username(sender), at_ns, Earlier(emoji, body, said_ns, bool(is_removed), bool(is_withdrawn)))
        for number, row, sender, at_ns, emoji, body, said_ns, is_removed, is_withdrawn in rows
    ]


def restore(database: Database, kept: Kept) -> None:
    """Gives a message back what it was, but for a withdrawal, which nothing is kept of."""
    earlier = kept.earlier
    database.execute("DELETE FROM earlier_states WHERE id = ?", kept.id)
    if earlier.emoji is not None:
        reactions.restore(
            database, kept.row, kept.sender, earlier.emoji, earlier.said_ns, is_removed=earlier.is_removed
        )
    elif not earlier.is_withdrawn:
        amendments.restore(database, kept.row, earlier.body, earlier.said_ns)
