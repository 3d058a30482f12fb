"""Whose words count in a group, by what held when its server got them (spec: groups.md, Roster; client.md, Groups).

Nothing here depends on when a device reads what: all devices that know the same of the management mailbox hear the same.
"""

from typing import Final

from xirtam_core.names import Username
from xirtam_core.storage import messages
from xirtam_core.storage.content import NOTICE
from xirtam_core.storage.database import Database


def _within(table: str, at: str, more: str = "") -> str:
    times = f"from_ns < {at} AND coalesce(until_ns > {at}, 1)"
    return f"EXISTS (SELECT 1 FROM {table} WHERE {table}.chat = ?1 AND {times}{more})"  # noqa: S608 # no input


def _is_unheard(sender: str, at: str) -> str:
    """SQL: whether what `sender` said at `at` counts for nothing, in the chat ?1."""
    return _within("group_bans", at, f" AND group_bans.username = {sender}")


_UNHEARD: Final = f"SELECT {_is_unheard('?2', '?3')}"
_UNHEARD_AFTER: Final = (
    f"SELECT id, hash FROM messages WHERE messages.chat = ?1 AND position_ns > ?2 AND received_at_ns > ?2 AND mime <> '{NOTICE}'"  # noqa: S608 # no input
    f" AND {_is_unheard('messages.sender', 'messages.received_at_ns')} ORDER BY id"
)


def is_heard(database: Database, chat: str, sender: Username, at_ns: int) -> bool:
    """Whether what somebody says in a group counts, when its server gets it at `at_ns`."""
    row = database.row(_UNHEARD, chat, sender, at_ns)
    return row is None or not row[0]


def delete_unheard(database: Database, chat: str, after_ns: int) -> list[str]:
    """Deletes what has come to a group after a time and does not count, as is known now; gives the ids."""
    found = database.rows(_UNHEARD_AFTER, chat, after_ns)
    for row, _ in found:
        messages.delete(database, row)
    return [name.hex() for _, name in found]
