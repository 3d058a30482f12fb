"""Whose words count in a group, by what held when its server got them (spec: groups.md, Roster; client.md, Groups).

Nothing here depends on when a device reads what: all devices that know the same of the management mailbox hear the same.
"""

from typing import Final

from xirtam_core.names import Username
from xirtam_core.storage.content import NOTICE
from xirtam_core.storage.database import Database


def _within(table: str, at: str, more: str = "") -> str:
    times = f"from_ns < {at} AND coalesce(until_ns > {at}, 1)"
    return f"EXISTS (SELECT 1 FROM {table} WHERE {table}.chat = ?1 AND {times}{more})"  # noqa: S608 # no input


def _is_banned(sender: str, at: str) -> str:
    """SQL: whether `sender` was shut out of the chat ?1 at `at`."""
    return _within("group_bans", at, f" AND group_bans.username = {sender}")


def _is_unheard(sender: str, at: str) -> str:
    """SQL: whether what `sender` wrote at `at` counts for nothing in the chat ?1."""
    is_admin = _within("group_admins", at, f" AND group_admins.username = {sender}")
    return f"({_is_banned(sender, at)} OR ({_within('group_closures', at)} AND NOT {is_admin}))"


_BANNED: Final = f"SELECT {_is_banned('?2', '?3')}"
_UNHEARD: Final = f"SELECT {_is_unheard('?2', '?3')}"
_UNHEARD_AFTER: Final = (
    f"SELECT id FROM messages WHERE messages.chat = ?1 AND position_ns > ?2 AND received_at_ns > ?2 AND mime <> '{NOTICE}'"  # noqa: S608 # no input
    f" AND {_is_unheard('messages.sender', 'messages.received_at_ns')} ORDER BY id"
)


def is_banned(database: Database, chat: str, sender: Username, at_ns: int) -> bool:
    """Whether somebody was shut out of a group when its server got something at `at_ns`."""
    row = database.row(_BANNED, chat, sender, at_ns)
    return row is not None and bool(row[0])


def is_heard(database: Database, chat: str, sender: Username, at_ns: int) -> bool:
    """Whether what somebody writes in a group counts, when its server gets it at `at_ns`."""
    row = database.row(_UNHEARD, chat, sender, at_ns)
    return row is None or not row[0]


def unheard(database: Database, chat: str, after_ns: int) -> list[int]:
    """The rows of what has come to a group after a time and does not count, as is known now."""
    return [row for (row,) in database.rows(_UNHEARD_AFTER, chat, after_ns)]
