"""How far own messages have come at their reader, as their receipts say (spec: extensions.md, Control events)."""

from typing import Final

from xirtam_core.chat import SendState
from xirtam_core.storage import messages, revisions
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage

_EARLIER: Final = {SendState.DELIVERED: ("sent",), SendState.READ: ("sent", "delivered")}


def reached(database: Database, up_to: StoredMessage, state: SendState) -> list[StoredMessage]:
    """Moves the own messages of a chat up to one, it included, to `state` (delivered or read); gives those that were not that far."""
    changed: list[int] = []
    for earlier in _EARLIER[state]:
        rows = database.rows(
            "UPDATE messages SET state = ?, failure = NULL WHERE chat = ? AND position_ns <= ?"  # noqa: S608 # a literal
            f" AND state = '{earlier}' RETURNING id",
            state, up_to.message.chat, up_to.message.position,
        )  # fmt: skip
        changed.extend(row for (row,) in rows)
    for row in sorted(changed):
        revisions.touch(database, row)
    return [messages.get(database, row) for row in sorted(changed)]
