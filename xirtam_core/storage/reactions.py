"""Emoji on messages. What counts is each person's last word on each emoji."""

from collections.abc import Sequence

import msgspec

from xirtam_core.chat import Reaction
from xirtam_core.names import Username
from xirtam_core.storage.database import Database


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
