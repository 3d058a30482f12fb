"""What is still to be sent (spec: client.md, Sending).

A row is a message, or a control event, which nobody sees as a message. It has up to two legs, to the peer's mailbox and to one's
own; a leg stands until its server has it. Queues are per chat and leg, in the order of queueing, and the peer's leg of a row goes
before one's own.
"""

from collections.abc import Collection
from enum import StrEnum

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.protocol.event import Event
from xirtam_core.storage import messages
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage


class Leg(StrEnum):
    """Which mailbox a copy goes to."""

    PEER = "peer"
    SELF = "self"


class Sending(msgspec.Struct, frozen=True):
    """One thing to be sent in a chat: a message, or else a control event."""

    id: int
    chat: str
    legs: tuple[Leg, ...]
    message: StoredMessage | None
    event: Event


def add(database: Database, message: StoredMessage, legs: Collection[Leg]) -> None:
    """Queues a message, in the transaction that stores it."""
    sql = "INSERT INTO outbox (chat, message, to_peer, to_self) VALUES (?, ?, ?, ?)"
    database.execute(sql, message.message.chat, message.row, Leg.PEER in legs, Leg.SELF in legs)


def add_control(database: Database, chat: str, event: Event, legs: Collection[Leg]) -> None:
    """Queues a control event of a chat."""
    sql = "INSERT INTO outbox (chat, control, to_peer, to_self) VALUES (?, ?, ?, ?)"
    database.execute(sql, chat, bcs.encode(event), Leg.PEER in legs, Leg.SELF in legs)


def first(database: Database, chat: str, leg: Leg) -> Sending | None:
    """The head of a queue, or None when there is nothing to send now."""
    condition = "to_peer" if leg is Leg.PEER else "to_self AND NOT to_peer"
    row = database.row(
        f"SELECT id, message, control, to_peer, to_self FROM outbox WHERE chat = ? AND {condition} ORDER BY id LIMIT 1",  # noqa: S608
        chat,
    )
    if row is None:
        return None
    number, message_row, control, to_peer, to_self = row
    legs = tuple(each for each, is_due in ((Leg.PEER, to_peer), (Leg.SELF, to_self)) if is_due)
    message = None if message_row is None else messages.get(database, message_row)
    event = bcs.decode(Event, control) if message is None else message.event()
    return Sending(number, chat, legs, message, event)


def exists(database: Database, sending: Sending) -> bool:
    """Whether it is still to be sent: its message may have been discarded."""
    return database.row("SELECT 1 FROM outbox WHERE id = ?", sending.id) is not None


def done(database: Database, sending: Sending, leg: Leg) -> None:
    """Takes one leg off: the server has it."""
    _take_off(database, "id", sending.id, leg)


def message_arrived(database: Database, message: StoredMessage, leg: Leg) -> None:
    """Takes off the leg to a mailbox of one's own, or of a group: it has been read there."""
    _take_off(database, "message", message.row, leg)


def message_reached(database: Database, message: StoredMessage) -> None:
    """Takes off the leg to the peer's mailbox: the peer says that it has come."""
    _take_off(database, "message", message.row, Leg.PEER)


def take_back_controls(database: Database, chat: str, mime: str) -> list[Event]:
    """Takes out the control events of one kind that are still to be sent in a chat, and gives them."""
    rows = database.rows("SELECT id, control FROM outbox WHERE chat = ? AND control IS NOT NULL ORDER BY id", chat)
    found = [(number, event) for number, raw in rows if (event := bcs.decode(Event, raw)).mime == mime]
    database.execute_many("DELETE FROM outbox WHERE id = ?", [(number,) for number, _ in found])
    return [event for _, event in found]


def _take_off(database: Database, column: str, value: int, leg: Leg) -> None:
    flag = "to_peer" if leg is Leg.PEER else "to_self"
    database.execute(f"UPDATE outbox SET {flag} = 0 WHERE {column} = ?", value)  # noqa: S608 # no input
    database.execute(f"DELETE FROM outbox WHERE {column} = ? AND NOT to_peer AND NOT to_self", value)  # noqa: S608


def drop(database: Database, sending: Sending) -> None:
    """Takes all of it out: it failed for good."""
    database.execute("DELETE FROM outbox WHERE id = ?", sending.id)


def holds(database: Database, message: StoredMessage) -> bool:
    """Whether any leg of the message is still to be sent."""
    return database.row("SELECT 1 FROM outbox WHERE message = ?", message.row) is not None


def queues(database: Database) -> list[tuple[str, Leg]]:
    """Every queue of which something can be sent now, as `first` has it."""
    to_peers = database.rows("SELECT DISTINCT chat FROM outbox WHERE to_peer")
    to_self = database.rows("SELECT DISTINCT chat FROM outbox WHERE to_self AND NOT to_peer")
    return [(chat, Leg.PEER) for (chat,) in to_peers] + [(chat, Leg.SELF) for (chat,) in to_self]


def outstanding(database: Database, chat: str) -> int:
    """How much is still to be sent in a chat, of whatever kind and to whichever mailbox."""
    row = database.row("SELECT count(*) FROM outbox WHERE chat = ?", chat)
    return 0 if row is None else int(row[0])


def queued_count(database: Database) -> int:
    """How many messages no peer's server has yet."""
    row = database.row(
        "SELECT count(*) FROM outbox JOIN messages ON messages.id = message WHERE messages.state = 'queued'"
    )
    return 0 if row is None else int(row[0])
