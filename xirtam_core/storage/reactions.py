"""Emoji on messages. What counts is each person's last word on each emoji."""

from collections.abc import Sequence

import msgspec

from xirtam_core.chat import Reaction
from xirtam_core.names import Username
from xirtam_core.storage import revisions
from xirtam_core.storage.database import Database

_MOST_OF_ONE_PERSON = 20
"""How many different emoji one person may have on a message; the latest count."""


def of(database: Database, rows: Sequence[int]) -> dict[int, tuple[Reaction, ...]]:
    """The reactions on the messages in `rows`, those without any left out."""
    if not rows:
        return {}
    found = database.rows(
        "SELECT message, emoji, sender FROM reactions WHERE message IN (SELECT value FROM json_each(?)) AND NOT is_removed"
        " ORDER BY message, sent_at_ns, sender",
        msgspec.json.encode(list(rows)).decode(),
    )
    senders: dict[int, dict[str, list[Username]]] = {}
    for message, emoji, sender in found:
        senders.setdefault(message, {}).setdefault(emoji, []).append(Username(sender))
    return {
        message: tuple(Reaction(emoji, tuple(each)) for emoji, each in emojis.items())
        for message, emojis in senders.items()
    }


def put(database: Database, row: int, sender: Username, emoji: str, sent_at_ns: int, *, is_removed: bool) -> bool:
    """Notes what `sender` says of an emoji on a message, unless they have said something later; gives whether that was news.

    The outcome does not depend on the order in which a person's words arrive.
    """
    is_news = database.execute(
        "INSERT INTO reactions (message, sender, emoji, sent_at_ns, is_removed) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (message, sender, emoji) DO UPDATE"
        " SET sent_at_ns = excluded.sent_at_ns, is_removed = excluded.is_removed"
        " WHERE (excluded.sent_at_ns, excluded.is_removed) > (sent_at_ns, is_removed)",
        row, sender, emoji, sent_at_ns, is_removed,
    )  # fmt: skip
    database.execute(
        "DELETE FROM reactions WHERE message = ?1 AND sender = ?2 AND emoji NOT IN (SELECT emoji FROM reactions"
        " WHERE message = ?1 AND sender = ?2 ORDER BY sent_at_ns DESC, emoji LIMIT ?3)",
        row, sender, _MOST_OF_ONE_PERSON,
    )  # fmt: skip
    return is_news > 0


def restore(
    database: Database, row: int, sender: Username, emoji: str, said_ns: int | None, *, is_removed: bool
) -> None:
    """Gives somebody's word on an emoji back that they had said before, None for nothing."""
    database.execute("DELETE FROM reactions WHERE message = ? AND sender = ? AND emoji = ?", row, sender, emoji)
    if said_ns is not None:
        put(database, row, sender, emoji, said_ns, is_removed=is_removed)
    revisions.touch(database, row)


def find(database: Database, row: int, sender: Username, emoji: str) -> tuple[int, bool] | None:
    """When `sender` last said something of an emoji on a message, and whether it is there since; None for never."""
    sql = "SELECT sent_at_ns, NOT is_removed FROM reactions WHERE message = ? AND sender = ? AND emoji = ?"
    found = database.row(sql, row, sender, emoji)
    return None if found is None else (found[0], bool(found[1]))


def clear(database: Database, row: int) -> None:
    """Takes all reactions off a message."""
    database.execute("DELETE FROM reactions WHERE message = ?", row)
