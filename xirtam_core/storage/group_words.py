"""Words on where groups are now, as their admins tell by direct messages: hints, until what they name has been read there.

A word costs a mailbox that is read besides, and changes nothing by itself; so few are kept of each group, the latest.
"""

from typing import Final

import msgspec

from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.names import ServerName, Username
from xirtam_core.storage.database import Database, Row

MOST: Final = 8
_COLUMNS = "server, snapshot, sender, token, event"


class Word(msgspec.Struct, frozen=True):
    """`sender` says that a group is at `server`, which begins with the event `snapshot`; `token` lets this account in there.

    `event` is that event, BCS, where it is this device's to post.
    """

    server: ServerName
    snapshot: Hash
    sender: Username
    token: AuthToken | None = None
    event: bytes | None = None


def add(database: Database, chat: str, word: Word) -> list[ServerName]:
    """Keeps a word; gives the servers of those that had to make room. One's own stay."""
    database.execute(
        "INSERT INTO group_words (chat, server, snapshot, sender, token, event) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (chat, snapshot, sender) DO UPDATE SET token = coalesce(excluded.token, token)",
        chat, word.server, bytes(word.snapshot), word.sender, word.token and bytes(word.token), word.event,
    )  # fmt: skip
    gone = database.rows(
        "DELETE FROM group_words WHERE chat = ?1 AND event IS NULL AND id NOT IN"
        " (SELECT id FROM group_words WHERE chat = ?1 ORDER BY id DESC LIMIT ?2) RETURNING server",
        chat, MOST,
    )  # fmt: skip
    return [ServerName(server) for (server,) in gone]


def all_of(database: Database, chat: str) -> list[Word]:
    """What is said of a group, the earliest first."""
    sql = f"SELECT {_COLUMNS} FROM group_words WHERE chat = ? ORDER BY id"  # noqa: S608 # no input
    return [_word(row) for row in database.rows(sql, chat)]


def naming(database: Database, chat: str, snapshot: Hash) -> list[Word]:
    """What names this event, the earliest first."""
    return [word for word in all_of(database, chat) if word.snapshot == snapshot]


def remove_own(database: Database, chat: str) -> None:
    """Forgets what this device was to post: it posts something else instead."""
    database.execute("DELETE FROM group_words WHERE chat = ? AND event IS NOT NULL", chat)


def remove_all(database: Database, chat: str) -> None:
    """Forgets what was said of a group: it has come to a place."""
    database.execute("DELETE FROM group_words WHERE chat = ?", chat)


def _word(row: Row) -> Word:
    server, snapshot, sender, token, event = row
    return Word(ServerName(server), Hash(snapshot), Username(sender), token and AuthToken(token), event)
