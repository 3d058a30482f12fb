"""What is still to be sent (spec: client.md, Sending).

A message to a peer has two legs, to the peer's mailbox and to one's own; a row stands for each until its server has it. Queues are
per chat and leg, in the order of writing.
"""

from enum import StrEnum

from xirtam_core.storage import messages
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage


class Leg(StrEnum):
    """Which mailbox a copy of a message goes to."""

    PEER = "peer"
    SELF = "self"


def add(database: Database, message: StoredMessage, legs: list[Leg]) -> None:
    """Queues a message, in the transaction that stores it."""
    for leg in legs:
        database.execute(
            "INSERT INTO outbox (message, leg, chat) VALUES (?, ?, ?)", message.row, leg, message.message.chat
        )


def first(database: Database, chat: str, leg: Leg) -> StoredMessage | None:
    """The message at the head of a queue, or None when there is nothing to send now: the peer's leg goes before one's own."""
    row = database.row(
        "SELECT message FROM outbox AS head WHERE chat = ? AND leg = ? AND NOT EXISTS ("
        "  SELECT 1 FROM outbox AS other WHERE other.message = head.message AND other.leg < head.leg"
        ") ORDER BY message LIMIT 1",
        chat,
        leg,
    )
    return None if row is None else messages.get(database, row[0])


def remove(database: Database, message: StoredMessage, leg: Leg) -> None:
    """Takes a leg out of its queue: the server has it, or it failed for good."""
    database.execute("DELETE FROM outbox WHERE message = ? AND leg = ?", message.row, leg)


def holds(database: Database, message: StoredMessage) -> bool:
    """Whether any leg of the message is still to be sent."""
    return database.row("SELECT 1 FROM outbox WHERE message = ?", message.row) is not None


def queues(database: Database) -> list[tuple[str, Leg]]:
    """Every queue that is not empty."""
    return [(chat, Leg(leg)) for chat, leg in database.rows("SELECT DISTINCT chat, leg FROM outbox")]


def queued_count(database: Database) -> int:
    """How many messages no peer's server has yet."""
    row = database.row(
        "SELECT count(DISTINCT message) FROM outbox JOIN messages ON messages.id = message WHERE state = 'queued'"
    )
    return 0 if row is None else int(row[0])
